# SPDX-License-Identifier: BSD-2-Clause
"""The resolver among name servers that fail or lie, and guests that flood or dawdle."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from daemon import Slirpd
from dnsserver import (
    AXFR,
    DNS_PORT,
    NOTIMP,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    TRUNCATED,
    Behaviour,
    DnsServer,
    dns_server,
    failing,
    frame,
    question,
    read_frame,
    reply,
    saying,
    silent,
    text_of,
)
from guest import Guest
from lab import INTERNET4, INTERNET6, STATE, Lab
from processes import fds_of
from waiting import DEADLINE_S, wait_for

NAMESERVER = "10.0.2.3"
# Of the host's own loopback, where each answers by itself.
SERVERS = ("127.0.0.53", "127.0.0.54", "127.0.0.55")
# src/resolver/question.h and client.h.
QUESTIONS_MAX, CLIENTS_MAX = 256, 32
by_both = pytest.mark.parametrize("is_tcp", (True, False), ids=("tcp", "udp"))


@pytest.fixture(autouse=True)
def nameservers(lab: Lab) -> Iterator[None]:
    lab.set_nameservers(*SERVERS)
    yield
    lab.set_nameservers(INTERNET4, INTERNET6)


@contextlib.contextmanager
def network(lab: Lab, guest: Guest, *behaviours: Behaviour | None) -> Iterator[list[DnsServer]]:
    """A guest with its network, and a server for each behaviour; None: nobody listens there."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(dns_server(lab.host_netns, address, behave))
                   for address, behave in zip(SERVERS, behaviours) if behave]
        stack.enter_context(Slirpd("--configure", guest.pid, "tap0"))
        yield servers


def exchange(client: socket.socket, query: bytes, is_tcp: bool) -> bytes:
    client.sendall(frame(query) if is_tcp else query)
    return read_frame(client) if is_tcp else client.recv(65535)


def ask(guest: Guest, is_tcp: bool = False, query: bytes | None = None) -> bytes:
    kind = socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM
    with guest.connect(NAMESERVER, DNS_PORT, kind) as client:
        return exchange(client, query or question(), is_tcp)


@by_both
@pytest.mark.parametrize("first", (None, silent, failing(SERVFAIL), failing(REFUSED), failing(NOTIMP)),
                         ids=("closed", "silent", "SERVFAIL", "REFUSED", "NOTIMP"))
def test_next_server_is_asked(lab: Lab, guest: Guest, first: Behaviour | None, is_tcp: bool) -> None:
    with network(lab, guest, first, saying("second")):
        answer = ask(guest, is_tcp)
        assert text_of(answer) == "second"
        # The guest's own number.
        assert answer[:2] == question()[:2]


@by_both
def test_name_that_does_not_exist_is_an_answer(lab: Lab, guest: Guest, is_tcp: bool) -> None:
    with network(lab, guest, failing(NXDOMAIN), saying("second")) as (first, second):
        assert text_of(ask(guest, is_tcp)) == "NXDOMAIN"
        assert len(first.seen) == 1 and not second.seen


@by_both
@pytest.mark.parametrize("behave,error", ((silent, "SERVFAIL"), (failing(REFUSED), "REFUSED")),
                         ids=("silent", "refused"))
def test_no_server_answers(lab: Lab, guest: Guest, behave: Behaviour, error: str,
                           is_tcp: bool) -> None:
    """Within the five seconds that a program waits; the last error is the servers' own."""
    lab.set_nameservers(SERVERS[0])
    with network(lab, guest, behave):
        assert text_of(ask(guest, is_tcp)) == error


def test_silent_server_is_asked_last(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, silent, saying("second")) as (first, _):
        for _ in range(2):
            assert text_of(ask(guest)) == "second"
        n_seen = len(first.seen)
        for _ in range(5):
            assert text_of(ask(guest)) == "second"
        assert len(first.seen) == n_seen


def lie(change: Callable[[bytes], bytes]) -> Behaviour:
    """Sends a false answer first, and then the right one."""
    return lambda query, is_tcp: [change(reply(query, "false")), reply(query, "right")]


@pytest.mark.parametrize("change", (
    lambda message: bytes((message[0] ^ 1,)) + message[1:],
    lambda message: message[:13] + b"b" + message[14:],
    lambda message: message[:13] + b"A" + message[14:],
    lambda message: message[:2] + b"\x01" + message[3:],
    lambda message: message[:4] + b"\0\2" + message[6:],
    lambda message: message[:12],
    lambda message: b"x",
), ids=("number", "question", "case", "a question", "two questions", "header", "junk"))
def test_false_answer_is_ignored(lab: Lab, guest: Guest, change: Callable) -> None:
    with network(lab, guest, lie(change)):
        assert text_of(ask(guest)) == "right"


def test_answer_from_another_port_or_to_another_one_is_ignored(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, silent) as (server,), \
            guest.connect(NAMESERVER, DNS_PORT, socket.SOCK_DGRAM) as client, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        client.sendall(question())
        wait_for("the server is asked", lambda: server.seen)
        seen = server.seen[0]
        stranger.bind((SERVERS[0], 0))
        for _ in range(10):
            stranger.sendto(reply(seen.query, "false"), ("127.0.0.1", seen.port))
        assert text_of(client.recv(65535)) == "SERVFAIL"


def test_port_and_number_are_new_for_each_question(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, saying("first")) as (server,):
        for _ in range(20):
            assert text_of(ask(guest)) == "first"
    # Two may be the same by chance.
    assert len({seen.port for seen in server.seen}) > 15
    assert len({seen.query[:2] for seen in server.seen}) > 15


def test_truncated_answer_leads_to_tcp(lab: Lab, guest: Guest) -> None:
    def behave(query: bytes, is_tcp: bool) -> list[bytes]:
        return [reply(query, *["x" * 250] * 100) if is_tcp else reply(query, flags=TRUNCATED)]

    with network(lab, guest, behave):
        short = ask(guest)
        assert struct.unpack("!H", short[2:4])[0] & TRUNCATED
        assert len(ask(guest, is_tcp=True)) > 25000


def test_answer_too_long_for_a_message_is_cut(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, lambda query, _: [reply(query, *["x" * 250] * 20)]):
        short = ask(guest)
        assert struct.unpack("!H", short[2:4])[0] & TRUNCATED
        assert short[6:12] == bytes(6) and short[12:] == question()[12:]


@pytest.mark.parametrize("half", (b"\x10", b"\xff\xff" + b"x" * 100, frame(b"x" * 20)),
                         ids=("length", "message", "junk"))
def test_server_of_tcp_that_gives_half_a_message_is_left(lab: Lab, guest: Guest,
                                                         half: bytes) -> None:
    lab.set_nameservers(*SERVERS[:2])
    with network(lab, guest, None, saying("second")), \
            socket.create_server((SERVERS[0], DNS_PORT)) as server:
        with guest.connect(NAMESERVER, DNS_PORT) as client:
            client.sendall(frame(question()))
            connection, _ = server.accept()
            with connection:
                connection.sendall(half)
                connection.shutdown(socket.SHUT_WR)
                assert text_of(read_frame(client)) == "second"


@by_both
@pytest.mark.parametrize("query,error", (
    (question()[:2] + b"\x29\0" + question()[4:], "NOTIMP"),
    (question(kind=AXFR), "NOTIMP"),
    (question()[:4] + b"\0\2" + question()[6:], "FORMERR"),
    (question()[:12] + b"\xc0\x0c\0\1\0\1", "FORMERR"),
    (question()[:-1], "FORMERR"),
), ids=("update", "transfer", "two questions", "loop", "cut"))
def test_question_that_is_none_is_refused(lab: Lab, guest: Guest, query: bytes, error: str,
                                          is_tcp: bool) -> None:
    with network(lab, guest, saying("first")) as (server,):
        assert text_of(ask(guest, is_tcp, query)) == error
        assert not server.seen


def test_junk_is_dropped_and_counted(lab: Lab, guest: Guest) -> None:
    lab.set_nameservers(SERVERS[0])
    with dns_server(lab.host_netns, SERVERS[0]) as server, \
            Slirpd("--configure", "--mtu=65520", guest.pid, "tap0") as daemon:
        with guest.connect(NAMESERVER, DNS_PORT, socket.SOCK_DGRAM) as client:
            for junk in (b"", b"x" * 11, b"x" * 1473, b"x" * 65000):
                client.send(junk)
            # An answer is not a question.
            client.send(reply(question(), "x"))
            assert text_of(exchange(client, question(), False)) == SERVERS[0]
        assert daemon.counters()["dns"] == 4
        assert len(server.seen) == 1


def test_ten_thousand_questions_from_new_ports(lab: Lab, guest: Guest) -> None:
    """No server answers them, so that each waits; another one's answer comes all the same."""
    def behave(query: bytes, is_tcp: bool) -> list[bytes]:
        return [reply(query, "here")] if b"\x04good" in query else []

    lab.set_nameservers(SERVERS[0])
    with dns_server(lab.host_netns, SERVERS[0], behave), \
            Slirpd("--configure", guest.pid, "tap0") as daemon:
        resolver = daemon.children()["resolver"]
        before = len(fds_of(daemon.children()["slirp-worker"]))
        for _ in range(20):
            with contextlib.ExitStack() as stack:
                for _ in range(500):
                    stack.enter_context(guest.connect(
                        NAMESERVER, DNS_PORT, socket.SOCK_DGRAM)).send(question("bad.test"))
        assert len(fds_of(resolver)) <= QUESTIONS_MAX + 16
        assert len(fds_of(daemon.children()["slirp-worker"])) <= before + 2
        assert text_of(ask(guest, query=question("good.test"))) == "here"


def test_late_answer_finds_nobody(lab: Lab, guest: Guest) -> None:
    """The second question of a port does not get the answer to the first."""
    with network(lab, guest, silent) as (server,), \
            guest.connect(NAMESERVER, DNS_PORT, socket.SOCK_DGRAM) as client:
        client.send(question("a.test"))
        assert text_of(client.recv(65535)) == "SERVFAIL"
        server.behave = saying("answer")
        assert text_of(exchange(client, question("b.test", 0x4321), False)) == "answer"


def test_questions_of_a_connection_are_answered_in_turn(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, saying("first")), guest.connect(NAMESERVER, DNS_PORT) as client:
        client.sendall(b"".join(frame(question(number=n)) for n in range(50)))
        # A half-closed connection gets its answers.
        client.shutdown(socket.SHUT_WR)
        for number in range(50):
            assert read_frame(client)[:2] == struct.pack("!H", number)
        assert read_frame(client) == b""


def test_question_byte_by_byte(lab: Lab, guest: Guest) -> None:
    with network(lab, guest, saying("first")), guest.connect(NAMESERVER, DNS_PORT) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in frame(question()):
            client.send(bytes((byte,)))
        assert text_of(read_frame(client)) == "first"


@pytest.mark.parametrize("head", (b"\0\0", b"\0\x0b", b"\xff\xff"), ids=("zero", "short", "long"))
def test_message_of_no_question_s_length_ends_the_connection(lab: Lab, guest: Guest,
                                                             head: bytes) -> None:
    with network(lab, guest, saying("first")), guest.connect(NAMESERVER, DNS_PORT) as client:
        client.sendall(head)
        assert read_frame(client) == b""


def test_thousand_slow_connections_leave_room_for_others(lab: Lab, guest: Guest) -> None:
    lab.set_nameservers(SERVERS[0])
    with dns_server(lab.host_netns, SERVERS[0]), \
            Slirpd("--configure", guest.pid, "tap0") as daemon, contextlib.ExitStack() as stack:
        slow = [stack.enter_context(guest.connect(NAMESERVER, DNS_PORT)) for _ in range(1000)]
        for client in slow:
            with contextlib.suppress(OSError):
                client.send(b"\0")
        assert text_of(ask(guest, is_tcp=True)) == SERVERS[0]
        assert text_of(ask(guest)) == SERVERS[0]
        assert len(fds_of(daemon.children()["resolver"])) <= CLIENTS_MAX + 16
        # Those that have given way see the end.
        poll = select.poll()
        for client in slow[:100]:
            poll.register(client, select.POLLIN)
        assert poll.poll(DEADLINE_S * 1000)


def test_options_of_resolv_conf_are_honoured(lab: Lab, guest: Guest) -> None:
    path = STATE / "resolv.conf"
    path.write_text(path.read_text() + "options rotate attempts:1 timeout:1\n")
    with network(lab, guest, *(saying(str(n)) for n in range(3))):
        assert [text_of(ask(guest)) for _ in range(6)] == ["0", "1", "2"] * 2
