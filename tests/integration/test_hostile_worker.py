# SPDX-License-Identifier: BSD-2-Clause
"""A worker that was taken over, and its channel to a real connector; and the other way round.

The test speaks in the name of the worker, which is stopped, without the worker's jail: for that see
tests/confine/test_attacker.py. The proof is at the host's end: listeners on the loopback, and packet
sockets that see what passes there and what leaves by the host's link.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import re
import select
import signal
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import ipc
import pytest
from api_client import daemon_with_api, execute
from daemon import Slirpd
from egress import Uplink
from guest import Guest
from lab import CLOSED_PORT, HTTP_PORT, INTERNET4, INTERNET6, Lab
from loopback import GUEST6, NAMES4, NAMES6, Loopback, listening_to_groups
from processes import borrowed, fds_of, first_unread, is_busy, taken_over
from servers import recv_all
from waiting import DEADLINE_S, wait_for

# src/ipc/fdtable.h.
TO_CONNECTOR = 5
TO_WORKER = 4
DNS_PORT = 53
TCP, UDP, ICMP = socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP

# Names of the host's loopback that the gate passes if it is open: the connector refuses them.
CLOSED = ("10.0.2.2", "10.0.2.0", "10.0.2.1", "10.0.2.15", "10.0.2.77", "10.0.2.100",
          "fd00::2", "fd00::", "fd00::1", "fd00::77", GUEST6, "fd00::ffff:ffff:ffff:ffff")
NAMESERVERS = ("10.0.2.3", "fd00::3")
BROADCASTS = ("10.0.2.255", "255.255.255.255")
GROUPS = ("224.0.0.1", "239.255.1.1", "ff05::1", "ff0e::1")
# Addresses of others, by their form. They leave the host.
ELSEWHERE = ("169.254.0.1", "64:ff9b::127.0.0.1", "2002:7f00:1::1")
# No sound worker asks for them.
NEVER = ("127.0.0.1", "127.0.0.53", "127.255.255.255", "0.0.0.0", "0.0.0.1", "240.0.0.1", "::", "::1",
         "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.2.2", "::ffff:203.0.113.1",
         "::ffff:0.0.0.0", "fe80::1", "fe80::2", "fe80::3", "ff01::1", "ff02::1", "ff02::2")
NEVER_OF = [(proto, address) for proto in (TCP, ICMP) for address in (*NEVER, *BROADCASTS, *GROUPS)] + [
    (UDP, address) for address in NEVER]
protos = pytest.mark.parametrize("proto", (TCP, UDP, ICMP), ids=("tcp", "udp", "icmp"))
# src/ipc/msg_flows.h.
ICMP_MAX = 544
# More flows than may be open. Run once with SLIRPD_OPENS=1000000.
MANY = int(os.environ.get("SLIRPD_OPENS", 100_000))
# Fewer than fill a queue.
IN_FLIGHT = 100
# Those of the table, and a pending answer.
FDS_MAX = 9
# The limit of the kernel on a queue of messages, many times over.
TOO_MANY = 10000


def send(sock: socket.socket, proto: int, address: str) -> None:
    """Something by a socket that the connector has made; a connection is under way by itself."""
    if proto != TCP:
        sock.send(b"x" if proto == UDP else (b"\x80" if ":" in address else b"\x08") + bytes(7))


class Answer(NamedTuple):
    row: str
    flow: int
    error: int
    sock: socket.socket | None


def inaddr(address: str) -> bytes:
    """struct inaddr."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return struct.pack("=16sB", socket.inet_pton(family, address), family == socket.AF_INET6)


def question(flow: int, address: str, port: int, proto: int = TCP) -> bytes:
    """struct ipc_flow_open."""
    guest = "fd00::64" if ":" in address else "10.0.2.100"
    return ipc.message("flow_open", struct.pack("=Q17s17sBxHH", flow, inaddr(guest), inaddr(address),
                                                proto, 40000, 0 if proto == ICMP else port))


def peer(flow: int, address: str, port: int) -> bytes:
    """struct ipc_reply_open, of the first port of a forward."""
    own = "::" if ":" in address else "0.0.0.0"
    return ipc.message("reply_open", struct.pack("=QIII17s17sH", flow, 0, 0, 0, inaddr(address),
                                                 inaddr(own), port))


def opened(flow: int) -> bytes:
    """struct ipc_flow_opened."""
    return ipc.message("flow_opened", struct.pack("=Q17s7xHH4x", flow, inaddr(INTERNET4), 80, 0))


def closed(*flows: int, n: int | None = None) -> bytes:
    """struct ipc_flow_closed."""
    return ipc.message("flow_closed", struct.pack("=I4x32Q", len(flows) if n is None else n,
                                                  *flows, *[0] * (32 - len(flows))))


class Channel:
    """The worker's end, or the connector's."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def send(self, message: bytes, *fds: int) -> None:
        socket.send_fds(self.sock, [message], fds, socket.MSG_DONTWAIT)

    def answer(self) -> Answer:
        assert select.select([self.sock], [], [], DEADLINE_S)[0], "no answer"
        data, fds, _, _ = socket.recv_fds(self.sock, 1 << 16, 2, socket.MSG_DONTWAIT)
        row = ipc.ROWS[struct.unpack_from("=I", data)[0]]
        if row in ("flow_opened", "flow_answers"):
            (flow,), (fd,) = struct.unpack_from("=Q", data, 8), fds
            return Answer(row, flow, 0, socket.socket(fileno=fd))
        flow, error = struct.unpack_from("=QI", data, 8)
        return Answer(row, flow, error, None)

    def ask(self, flow: int, address: str, port: int, proto: int = TCP) -> Answer:
        self.send(question(flow, address, port, proto))
        got = self.answer()
        assert got.flow == flow
        return got


class Taken(NamedTuple):
    """A daemon whose worker was taken over."""

    daemon: Slirpd
    worker: Channel

    def assert_ended(self, reason: str) -> None:
        assert self.daemon.wait() == 1
        assert re.search(rf"^slirpd: connector dropped slirp-worker\[\d+\]: {re.escape(reason)}",
                         self.daemon.stderr, re.M), self.daemon.stderr


@contextlib.contextmanager
def taken(guest: Guest, *options: str) -> Iterator[Taken]:
    with Slirpd("--configure", "--enable-ipv6", "--restart=no", *options, guest.pid,
                "tap0") as daemon:
        with taken_over(daemon.children()["slirp-worker"], TO_CONNECTOR) as sock:
            yield Taken(daemon, Channel(sock))


@protos
def test_loopback_is_refused_if_it_is_closed(guest: Guest, loopback: Loopback, proto: int) -> None:
    names = (*CLOSED, *BROADCASTS) if proto == UDP else CLOSED
    with taken(guest, "--disable-host-loopback") as (_, worker):
        for number, (address, port) in enumerate(
                (address, port) for address in names for port in loopback.ports):
            got = worker.ask(number, address, port, proto)
            assert (got.row, got.error) == ("flow_refused", errno.ENETUNREACH), address
        for address in NAMESERVERS:
            got = worker.ask(1, address, loopback.ports[0], proto)
            assert (got.row, got.error) == ("flow_refused", errno.ENETUNREACH), address
        assert loopback.arrivals() == []


@protos
def test_control_loopback_is_reached_if_it_is_open(guest: Guest, loopback: Loopback, proto: int) -> None:
    """The ears would notice; and the connector answers a worker that it has no quarrel with."""
    with taken(guest) as (_, worker):
        for number, address in enumerate(("10.0.2.2", "fd00::2")):
            got = worker.ask(number, address, loopback.ports[0], proto)
            assert got.sock
            with got.sock:
                send(got.sock, proto, address)
                assert proto == ICMP or got.sock.getpeername()[:2] == (
                    "::1" if ":" in address else "127.0.0.1", loopback.ports[0])
        assert loopback.arrivals() != []


@pytest.mark.parametrize("address", (INTERNET4, INTERNET6))
def test_control_others_are_reached(guest: Guest, address: str) -> None:
    with taken(guest, "--disable-host-loopback") as (_, worker):
        got = worker.ask(2**64 - 1, address, HTTP_PORT)
        assert got.sock
        with got.sock as sock:
            sock.settimeout(DEADLINE_S)
            assert select.select([], [sock], [], DEADLINE_S)[1]
            sock.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
            assert recv_all(sock).endswith(b"hello\n")


def test_every_name_of_the_loopback_is_tried() -> None:
    assert {*NAMES4, *NAMES6} <= {*CLOSED, *NAMESERVERS, *BROADCASTS, *GROUPS, *NEVER, *ELSEWHERE}


@protos
@pytest.mark.parametrize("address", ELSEWHERE)
def test_address_of_others_leads_away_from_the_host(
        guest: Guest, loopback: Loopback, uplink: Uplink, address: str, proto: int) -> None:
    with taken(guest, "--disable-host-loopback") as (_, worker):
        got = worker.ask(1, address, loopback.ports[0], proto)
        assert got.sock
        with got.sock:
            send(got.sock, proto, address)
            assert loopback.arrivals() == []
        to_port = 0 if proto == ICMP else loopback.ports[0]
        assert uplink.sent() == {(proto, str(ipaddress.ip_address(address)), to_port)}


@pytest.mark.parametrize("address", ("224.0.0.251", "239.255.255.250", "ff05::2", "ff0e::1"))
@pytest.mark.parametrize("option", ("--disable-host-loopback", "--mtu=1500"), ids=("closed", "open"))
def test_socket_of_a_group_is_heard_on_the_host_only_if_the_loopback_is_open(
        guest: Guest, loopback: Loopback, uplink: Uplink, option: str, address: str) -> None:
    """The kernel would give a copy to the host's own members of the group."""
    listening_to_groups(loopback, address)
    port = loopback.ports[1]  # of any-address
    with taken(guest, option) as (_, worker):
        answers, got = worker.ask(1, address, port, UDP), worker.answer()
        assert answers.sock and got.sock
        with answers.sock, got.sock:
            got.sock.send(b"x")
            # It is bound, and has no address to send to.
            with pytest.raises(OSError, match="Destination address required"):
                answers.sock.send(b"x")
            assert uplink.sent() == {(UDP, address, port)}
            assert (loopback.arrivals() == []) == (option == "--disable-host-loopback")


@pytest.mark.parametrize("proto,address", NEVER_OF)
@pytest.mark.parametrize("option", ("--disable-host-loopback", "--mtu=1500"), ids=("closed", "open"))
def test_address_that_the_gate_never_passes_ends_slirpd(
        guest: Guest, loopback: Loopback, uplink: Uplink, option: str, proto: int, address: str) -> None:
    with taken(guest, option) as made:
        made.worker.send(question(1, address, loopback.ports[0], proto))
        made.assert_ended("flow_open: ")
        assert "is never a destination" in made.daemon.stderr
        assert loopback.arrivals() == []
        assert uplink.sent() == set()


@pytest.mark.parametrize("address", (
    "0.0.0.0", "255.255.255.255", "224.0.0.251", "239.255.1.1", "::", "ff02::fb", "ff0e::1"))
def test_peer_whose_address_nobody_sends_from_ends_slirpd(
        guest: Guest, loopback: Loopback, uplink: Uplink, address: str) -> None:
    """A forward's port would otherwise send to a group, or to the host under another name."""
    host = "[::]:" if ":" in address else ""
    with taken(guest, f"--publish={host}5300:5300/udp") as made:
        control = INTERNET6 if ":" in address else INTERNET4
        made.worker.send(peer(1, control, 7))
        got = made.worker.answer()
        assert got.sock
        with got.sock as sock:
            assert sock.getpeername()[:2] == (control, 7) and sock.getsockname()[1] == 5300
        made.worker.send(peer(2, address, 7))
        made.assert_ended("reply_open: nobody sends from the peer's address")
        assert loopback.arrivals() == []
        assert uplink.sent() == set()


def test_ipv6_that_is_off_ends_slirpd(guest: Guest) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        pid = daemon.children()["slirp-worker"]
        wait_for("the worker has its channel",
                 lambda: fds_of(pid)[TO_CONNECTOR].startswith("socket:"))
        with borrowed(pid, TO_CONNECTOR) as sock:
            Channel(sock).send(question(1, INTERNET6, HTTP_PORT))
        assert daemon.wait() == 1
        assert "is never a destination" in daemon.stderr


@pytest.mark.parametrize("message,reason", (
    (question(1, INTERNET4, 0), "flow_open: peer_port"),
    (question(1, INTERNET4, 80) + b"x", "message: not a message"),
    (question(1, INTERNET4, 80)[:-1], "message: not a message"),
    (b"x" * 8192, "message: too long"),
    (closed(n=0), "flow_closed: n"),
    (closed(n=33), "flow_closed: n"),
    (closed(1, 2, n=1), "flow_closed: flows after the last"),
    (ipc.message("flow_opened", bytes(40)), "flow_opened: wrong direction"),
    (ipc.message("outbound", bytes(36)), "outbound: wrong direction"),
    (ipc.message("hello", bytes(16)), "hello: "),
), ids=lambda value: value if isinstance(value, str) else "")
def test_message_out_of_form_ends_slirpd(guest: Guest, uplink: Uplink, message: bytes, reason: str) -> None:
    with taken(guest) as made:
        made.worker.send(message)
        made.assert_ended(reason)
        assert uplink.sent() == set()


def test_descriptor_that_is_sent_along_ends_slirpd(guest: Guest, uplink: Uplink) -> None:
    with taken(guest) as made:
        made.worker.send(question(1, INTERNET4, HTTP_PORT), 0)
        made.assert_ended("flow_open: wrong number of descriptors")
        assert uplink.sent() == set()


def test_number_of_a_closed_flow_may_be_used_again(guest: Guest) -> None:
    with taken(guest) as (_, worker):
        for _ in range(3):
            got = worker.ask(5, INTERNET4, HTTP_PORT)
            assert got.sock
            got.sock.close()
            worker.send(closed(5))


def test_number_of_a_refused_flow_may_be_used_again(guest: Guest) -> None:
    with taken(guest, "--disable-host-loopback") as (_, worker):
        for _ in range(3):
            assert worker.ask(5, "10.0.2.2", HTTP_PORT).row == "flow_refused"


def test_flow_that_is_opened_twice_ends_slirpd(guest: Guest, uplink: Uplink) -> None:
    with taken(guest) as made:
        assert made.worker.ask(5, INTERNET4, HTTP_PORT).sock
        made.worker.send(question(5, INTERNET4, CLOSED_PORT))
        made.assert_ended("flow_open: the flow is open")
        assert uplink.sent() == {(TCP, INTERNET4, HTTP_PORT)}


@pytest.mark.parametrize("flows", ((6,), (5, 5), (5, 0)), ids=("unknown", "twice", "zero"))
def test_flow_that_is_closed_and_not_open_ends_slirpd(guest: Guest, flows: tuple[int, ...]) -> None:
    with taken(guest) as made:
        assert made.worker.ask(5, INTERNET4, HTTP_PORT).sock
        made.worker.send(closed(*flows))
        made.assert_ended("flow_closed: a flow is not open")


def test_flows_that_are_never_closed_have_an_end(guest: Guest) -> None:
    """Of the protocol that has fewest; the worker does not keep the sockets, and others go on."""
    with taken(guest) as (daemon, worker):
        rows = []
        for number in range(ICMP_MAX + 2):
            got = worker.ask(number, INTERNET4, 0, ICMP)
            rows.append((got.row, got.error))
            if got.sock:
                got.sock.close()
        assert rows == [("flow_opened", 0)] * ICMP_MAX + [("flow_refused", errno.EMFILE)] * 2
        worker.send(closed(7))
        assert worker.ask(ICMP_MAX, INTERNET4, 0, ICMP).sock
        assert worker.ask(ICMP_MAX + 1, INTERNET4, CLOSED_PORT, UDP).sock
        assert len(fds_of(daemon.children()["connector"])) <= FDS_MAX


def test_flows_that_are_refused_for_a_limit_are_counted(guest: Guest) -> None:
    """And another protocol goes on."""
    with contextlib.ExitStack() as stack:
        daemon, api = stack.enter_context(daemon_with_api(guest, "--policy=open", "--restart=no"))
        worker = Channel(stack.enter_context(taken_over(daemon.children()["slirp-worker"], TO_CONNECTOR)))
        for number in range(ICMP_MAX + 3):
            got = worker.ask(number, INTERNET4, 0, ICMP)
            assert (got.error, got.sock is None) == ((errno.EMFILE, True) if number >= ICMP_MAX else (0, False))
            if got.sock:
                got.sock.close()
        assert worker.ask(ICMP_MAX, INTERNET4, CLOSED_PORT, UDP).sock
        assert execute(api, "query_policy")["return"]["flows_limited"] == 3
        assert daemon.stderr.count(f"flows: slirp-worker has {ICMP_MAX} ICMP flows, the limit; flow refused") == 1


def test_many_questions_leave_nothing_behind(guest: Guest, loopback: Loopback) -> None:
    with contextlib.ExitStack() as stack:
        daemon, worker = stack.enter_context(taken(guest, "--disable-host-loopback"))
        parent = stack.enter_context(borrowed(daemon.children()["slirp-worker"], ipc.TO_PARENT))
        n_sent = 0
        for n_answered in range(MANY):
            with contextlib.suppress(BlockingIOError):
                while n_sent < min(MANY, n_answered + IN_FLIGHT):
                    worker.send(question(n_sent, "10.0.2.2", loopback.ports[0]))
                    n_sent += 1
            got = worker.answer()
            assert (got.row, got.flow) == ("flow_refused", n_answered)
            assert got.error in (errno.ENETUNREACH, errno.EAGAIN)  # above the rate
            if n_answered % 10_000 == 0:
                answer_pings(parent)
        assert len(fds_of(daemon.children()["connector"])) <= FDS_MAX
        assert loopback.arrivals() == []


def answer_pings(parent: socket.socket) -> None:
    """Or the parent takes the worker for one that hangs."""
    while message := first_unread(parent):
        parent.recv(len(message))
        if ipc.ROWS[struct.unpack_from("=I", message)[0]] == "ping":
            parent.send(ipc.message("pong", b""))


def test_worker_that_never_reads_costs_the_connector_nothing(guest: Guest) -> None:
    with taken(guest) as (daemon, worker):
        connector = daemon.children()["connector"]
        n_sent = 0
        with contextlib.suppress(BlockingIOError):
            for n_sent in range(TOO_MANY):  # noqa: B007
                worker.send(question(n_sent, INTERNET4, HTTP_PORT))
        # Both queues are full: it stops to read, and holds the socket that it cannot send.
        assert n_sent < TOO_MANY
        wait_for("it waits", lambda: not is_busy(connector))
        # Three of /dev/null, four channels or their places, a reserve, and the socket.
        assert len(fds_of(connector)) <= 9
        with contextlib.suppress(BlockingIOError):
            worker.send(question(n_sent, INTERNET4, HTTP_PORT))
        assert worker.answer().flow == 0
        # The worker itself has asked nothing.
        os.kill(daemon.children()["slirp-worker"], signal.SIGCONT)
        assert daemon.wait() == 1
        assert "slirp-worker dropped connector[" in daemon.stderr
        assert "]: flow_opened: an answer to no question; ending it" in daemon.stderr


def test_connector_that_answers_no_question_ends_slirpd(guest: Guest) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        pid = daemon.children()["connector"]
        with borrowed(pid, TO_WORKER) as sock:
            Channel(sock).send(opened(1), 0)
        assert daemon.wait() == 1
        assert "slirp-worker dropped connector[" in daemon.stderr
        assert "]: flow_opened: an answer to no question; ending it" in daemon.stderr


@pytest.mark.parametrize("message,reason", (
    (ipc.message("flow_refused", struct.pack("=QII", 1, 0, 0)), "flow_refused: error"),
    (ipc.message("flow_open", bytes(48)), "flow_open: wrong direction"),
    (opened(1), "flow_opened: wrong number of descriptors"),
    (ipc.message("flow_answers", bytes(8)), "flow_answers: wrong number of descriptors"),
), ids=lambda value: value if isinstance(value, str) else "")
def test_answer_out_of_form_ends_slirpd(guest: Guest, message: bytes, reason: str) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        with borrowed(daemon.children()["connector"], TO_WORKER) as sock:
            Channel(sock).send(message)
        assert daemon.wait() == 1
        assert re.search(rf"slirp-worker dropped connector\[\d+\]: {re.escape(reason)}", daemon.stderr)
