# SPDX-License-Identifier: BSD-2-Clause
"""Name servers that lie, fail or do not answer, under a policy of names: the guest gets an address that
is good, or an error in time; and the next question is answered as if nothing had been."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import dnsserver
import dnszone
import pytest
from commands import sh
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from test_policy_names import (  # noqa: F401
    DENIED, OTHER, PORT, PRIVATE, PUBLIC, SERVER, ask, limited, send, send_tcp, server, tcp, world,
)
from waiting import DEADLINE_S

SECOND = "203.0.113.54"
SVCB, HTTPS = 64, 65
# src/resolver/dns/answer.h.
CNAMES_MAX, RECORDS_MAX = 8, 32
POLICY6 = f"policy 1\nallow tcp {PORT} to api.test\n"
UNREACHABLE = (22, 23)  # EDE: no reachable authority, network error


def params(**values: bytes) -> bytes:
    keys = {"alpn": 1, "hint4": 4, "ech": 5, "hint6": 6}
    return b"".join(struct.pack(">HH", keys[key], len(value)) + value for key, value in values.items())


def packed(*addresses: str) -> bytes:
    return b"".join(map(socket.inet_aton, addresses))


@pytest.mark.parametrize("length,is_good", ((CNAMES_MAX, True), (CNAMES_MAX + 1, False)))
def test_chain_has_an_end(guest: Guest, server: dnszone.Zone, length: int, is_good: bool) -> None:
    names = ["api.test", *(f"n{i}.evil.test" for i in range(length))]
    for name, target in zip(names, names[1:]):
        server.records[name] = [dnszone.cname(name, target)]
    server.records[names[-1]] = [dnszone.address(names[-1], PUBLIC)]
    with limited(guest):
        reply = ask(guest, "api.test")
        assert (reply.rcode, reply.addresses) == (
            (dnsserver.NOERROR, [PUBLIC]) if is_good else (dnsserver.SERVFAIL, []))
        assert tcp(guest, PUBLIC) == (0 if is_good else DENIED)


def test_chain_that_comes_back(guest: Guest, server: dnszone.Zone) -> None:
    """At once and in one message, and by several."""
    server.records["api.test"] = [dnszone.cname("api.test", "evil.test"), dnszone.cname("evil.test", "api.test")]
    server.records["lan.test"] = [dnszone.cname("lan.test", "loop.test")]
    server.records["loop.test"] = [dnszone.cname("loop.test", "lan.test")]
    with limited(guest):
        for name in ("api.test", "lan.test"):
            assert ask(guest, name).rcode == dnsserver.SERVFAIL
        server.records["api.test"] = [dnszone.address("api.test", PUBLIC)]
        assert tcp(guest, PUBLIC) == DENIED


@pytest.mark.parametrize("is_tcp", (False, True), ids=("udp", "tcp"))
def test_crowd_of_addresses(guest: Guest, server: dnszone.Zone, is_tcp: bool) -> None:
    """Those that the guest gets are open, and the others are not."""
    crowd = [f"198.51.{n >> 8}.{n & 255}" for n in range(100 << 8, (100 << 8) + 299)]
    server.records["api.test"] = [dnszone.address("api.test", text) for text in (PUBLIC, *crowd)]
    server.cut_datagrams = not is_tcp
    with limited(guest):
        reply = (send_tcp if is_tcp else send)(guest, dnszone.query(dnszone.name("api.test")))
        if not is_tcp and not reply.addresses:
            reply = send_tcp(guest, dnszone.query(dnszone.name("api.test")))
        assert len(reply.addresses) <= RECORDS_MAX and reply.addresses[0] == PUBLIC
        assert tcp(guest, PUBLIC) == 0
        assert tcp(guest, crowd[-1]) == DENIED


@pytest.mark.parametrize("kind", (SVCB, HTTPS), ids=("svcb", "https"))
def test_services_lose_what_hides_names_and_their_hints_are_open(guest: Guest, server: dnszone.Zone, kind: int) -> None:
    data = struct.pack(">H", 1) + b"\0" + params(
        alpn=b"\2h2", hint4=packed(PRIVATE, PUBLIC, "127.0.0.1"), ech=b"\0\5hides", hint6=bytes(15) + b"\1")
    server.records["api.test"] = [("api.test", kind, 60, data)]
    with limited(guest):
        assert tcp(guest, PUBLIC) == DENIED
        with guest.connect("10.0.2.3", dnsserver.DNS_PORT, socket.SOCK_DGRAM) as sock:
            sock.send(dnszone.query(dnszone.name("api.test"), kind))
            answer = sock.recv(4096)
        assert params(alpn=b"\2h2", hint4=packed(PUBLIC)) in answer
        assert b"hides" not in answer and packed(PRIVATE) not in answer and bytes(15) + b"\1" not in answer
        assert tcp(guest, PUBLIC) == 0
        assert tcp(guest, PRIVATE) == DENIED


def test_name_with_addresses_of_one_family(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"] = [dnszone.address("api.test", "2a00:99::1")]
    with limited(guest, POLICY6, "--enable-ipv6"):
        reply = ask(guest, "api.test")
        assert (reply.rcode, reply.addresses) == (dnsserver.NOERROR, [])
        assert ask(guest, "api.test", dnszone.AAAA).addresses == ["2a00:99::1"]
    # A guest without IPv6 is not told of it, and the name server is not asked.
    server.asked.clear()
    with limited(guest, POLICY6):
        reply = ask(guest, "api.test", dnszone.AAAA)
        assert (reply.rcode, reply.addresses, server.asked) == (dnsserver.NOERROR, [], [])


@contextlib.contextmanager
def serving(lab: Lab, *behaviours: dnsserver.Behaviour) -> Iterator[list[dnsserver.DnsServer]]:
    where = (*Lab.in_internet(), "ip", "addr")
    with contextlib.ExitStack() as stack:
        sh(*where, "add", f"{SECOND}/32", "dev", "lo")
        stack.callback(sh, *where, "del", f"{SECOND}/32", "dev", "lo")
        made = [stack.enter_context(dnsserver.dns_server(lab.internet_netns, address, behave))
                for address, behave in zip((SERVER, SECOND), behaviours)]
        lab.set_nameservers(*(SERVER, SECOND)[:len(made)])
        stack.callback(lab.set_nameservers, INTERNET4, INTERNET6)
        yield made


def good_zone() -> dnszone.Zone:
    return dnszone.Zone({"api.test": [dnszone.address("api.test", PUBLIC)]})


def spoilt(query: bytes, is_tcp: bool) -> list[bytes]:
    """Answers that are none, before one that is."""
    [good] = good_zone()(query, is_tcp)
    lie = dnszone.Zone({"api.test": [dnszone.address("api.test", OTHER)]})(query, is_tcp)[0]
    question = query[:2] + lie[2:12] + dnszone.name("bank.test") + lie[-4:]
    several = [b"", query, lie[:11], lie[:2] + b"\x01\x80" + lie[4:], question,
               bytes([lie[0] ^ 0xFF]) + lie[1:], lie[:4] + b"\0\2" + lie[6:]]
    # Over TCP the first message is the answer.
    return [good] if is_tcp else [*several, good]


def test_nonsense_before_an_answer(guest: Guest, lab: Lab, world: None) -> None:
    with serving(lab, spoilt), limited(guest):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, OTHER) == DENIED
        assert tcp(guest, PUBLIC) == 0


@pytest.mark.parametrize("first", (
    dnsserver.silent, dnsserver.failing(dnsserver.SERVFAIL), dnsserver.failing(dnsserver.REFUSED),
    dnsserver.failing(dnsserver.NOTIMP), lambda query, _: [query[:2] + b"\x81\x80" + query[4:11]],
), ids=("silent", "servfail", "refused", "notimp", "cut off"))
def test_next_server_is_asked(guest: Guest, lab: Lab, world: None, first: dnsserver.Behaviour) -> None:
    with serving(lab, first, good_zone()) as (bad, good), limited(guest):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        assert bad.seen and good.seen


@pytest.mark.parametrize("behave", (dnsserver.silent, dnsserver.failing(dnsserver.SERVFAIL)),
                         ids=("silent", "servfail"))
def test_servers_that_do_not_help_are_no_refusal(guest: Guest, lab: Lab, world: None,
                                                 behave: dnsserver.Behaviour) -> None:
    """A program tries again after SERVFAIL, and gives up after NXDOMAIN."""
    with serving(lab, behave, behave), limited(guest):
        reply = ask(guest, "api.test")
        assert (reply.rcode, reply.reason in UNREACHABLE) == (dnsserver.SERVFAIL, True)
        assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN


def test_name_that_does_not_exist_is_no_refusal(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest):
        reply = ask(guest, "none.wild.test")
        assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, None)
        assert "none.wild.test" in server.asked


def test_answer_that_comes_late_is_nobody_s(guest: Guest, lab: Lab, world: None) -> None:
    """The first server answers when the second one has been asked; its lie opens nothing."""
    asked = threading.Event()
    lying = dnszone.Zone({"api.test": [dnszone.address("api.test", OTHER)]})

    def late(query: bytes, is_tcp: bool) -> list[bytes]:
        asked.wait(DEADLINE_S)
        return lying(query, is_tcp)

    def second(query: bytes, is_tcp: bool) -> list[bytes]:
        answer = good_zone()(query, is_tcp)
        asked.set()
        return answer

    with serving(lab, late, second), limited(guest):
        addresses = ask(guest, "api.test").addresses
        # Whichever comes first, the guest gets no address that is closed, and none is open that it has not.
        assert addresses in ([PUBLIC], [OTHER])
        assert tcp(guest, addresses[0]) == 0
        assert tcp(guest, OTHER if addresses == [PUBLIC] else PUBLIC) == DENIED


def test_case_that_a_server_loses(guest: Guest, lab: Lab, world: None) -> None:
    """It answers in lower case: the question is asked again without a pattern."""
    zone = good_zone()

    def folding(query: bytes, is_tcp: bool) -> list[bytes]:
        end = dnsserver.end_of_question(query)
        return zone(query[:12] + query[12:end - 4].lower() + query[end - 4:], is_tcp)

    with serving(lab, folding), limited(guest):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
