# SPDX-License-Identifier: BSD-2-Clause
"""A worker that was taken over, under a policy of names: it sends the resolver whatever messages it likes,
and asks the connector for sockets to what it has learnt. A packet socket on the host's link sees all that
leaves, queries too."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import dnsserver
import dnszone
import pytest
from api_client import execute
from egress import Uplink, counted, live, names_counted
from guest import Guest
from processes import borrowed, first_unread, taken_over
from test_hostile_resolver import QUERY_MAX, TO_RESOLVER, query, receive
from test_hostile_worker import TO_CONNECTOR, Channel
from test_policy_bypass_names import NAMED, SECRETS
from test_policy_names import (  # noqa: F401
    BAD_LABELS, FOREIGN, NULL, OTHER, OTHER_PORT, PORT, PRIVATE, PTR, PUBLIC, SERVER, server, world,
)
from waiting import wait_for

TCP, UDP, ICMP = socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP


class Attacker(NamedTuple):
    connector: Channel
    resolver: Channel
    numbers: Iterator[int]
    api: str
    replies: list[dnszone.Reply]

    def send(self, message: bytes) -> dnszone.Reply:
        number = next(self.numbers)
        self.resolver.send(query(number, message))
        row, data, _ = receive(self.resolver)
        assert (row, struct.unpack_from("=Q", data)[0]) == ("dns_answer", number)
        self.replies.append(dnszone.parse(data[16:16 + struct.unpack_from("=8xH", data)[0]]))
        return self.replies[-1]

    def ask(self, text: str, kind: int = dnsserver.A) -> dnszone.Reply:
        return self.send(dnszone.query(dnszone.name(text), kind))

    def opens(self, address: str, port: int = PORT, proto: int = TCP) -> bool:
        got = self.connector.ask(next(self.numbers), address, port, proto)
        if got.sock:
            got.sock.close()
        return got.sock is not None


@pytest.fixture
def attacker(guest: Guest, server: dnszone.Zone) -> Iterator[Attacker]:  # noqa: F811
    with live(guest, NAMED, "--enable-ipv6", "--restart=no") as (daemon, api):
        worker = daemon.children()["slirp-worker"]
        with borrowed(worker, TO_RESOLVER) as names:
            wait_for("the greeting is read", lambda: not first_unread(names))
            with taken_over(worker, TO_CONNECTOR) as sock, names_counted(api) as replies:
                yield Attacker(Channel(sock), Channel(names), itertools.count(1), api, replies)


def test_name_opens_the_ports_of_its_rule(attacker: Attacker, server: dnszone.Zone) -> None:  # noqa: F811
    others = [(PUBLIC, port, TCP) for port in (53, 80, 443, OTHER_PORT)]
    others += [(PUBLIC, port, UDP) for port in (53, 443, PORT)] + [(PUBLIC, 0, ICMP), (OTHER, PORT, TCP)]
    with Uplink(dns=True) as uplink, counted(attacker.api, allowed=2, denied=2 + len(others), one=2, lan=0):
        assert not attacker.opens(PUBLIC)
        assert attacker.ask("evil.test").rcode == dnsserver.NXDOMAIN
        assert not attacker.opens(OTHER)
        assert uplink.sent() == set()
        assert attacker.ask("api.test").addresses == [PUBLIC]
        assert execute(attacker.api, "query_policy")["return"]["pins"] == 1
        for other in others:
            assert not attacker.opens(*other), other
        assert attacker.opens(PUBLIC) and attacker.opens(PUBLIC)
        assert uplink.sent() == {(UDP, SERVER, 53), (TCP, PUBLIC, PORT)}


def test_nothing_of_an_unlisted_name_leaves(attacker: Attacker, server: dnszone.Zone) -> None:  # noqa: F811
    with Uplink(dns=True) as uplink:
        for text, kind in itertools.product((*SECRETS, *FOREIGN), (dnsserver.A, dnszone.AAAA, dnsserver.TXT, PTR)):
            assert attacker.ask(text, kind).rcode in (dnsserver.NXDOMAIN, dnsserver.REFUSED), text
        for text in ("evil.test", "secret.api.test", "xapi.test", "api.test.evil.test", "wild.test", *FOREIGN):
            reply = attacker.ask(text)
            assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED), text
        for label in BAD_LABELS:
            reply = attacker.send(dnszone.query(label + dnszone.name("wild.test")))
            assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED), label
        for kind in (dnsserver.TXT, dnszone.ANY, NULL, dnsserver.AXFR, PTR):
            reply = attacker.ask("api.test", kind)
            assert (reply.rcode, reply.reason) == (dnsserver.REFUSED, dnszone.BLOCKED), kind
        good = dnszone.query(dnszone.name("api.test"))
        for message in (dnszone.query(b"\1a\xc0\x0c"), dnszone.query(b"\xc0\x0c"), good[:4] + b"\0\2" + good[6:],
                        dnszone.query(b"\x40" + b"a" * 64 + b"\0"), good.ljust(QUERY_MAX, b"\0")):
            assert attacker.send(message).rcode == dnsserver.FORMERR
        assert attacker.send(good[:2] + b"\x28" + good[3:]).rcode == dnsserver.NOTIMP
        # Their answers come in order: what was sent before has been dealt with.
        assert (uplink.sent(), server.asked) == (set(), [])
        assert attacker.ask("api.test").addresses == [PUBLIC]
        assert (uplink.sent(), server.asked) == ({(UDP, SERVER, 53)}, ["api.test"])


def test_addresses_that_are_not_public_are_cut_out(attacker: Attacker, server: dnszone.Zone) -> None:  # noqa: F811
    cut = (PRIVATE, "127.0.0.1", "169.254.169.254", "10.0.2.2", "192.0.2.1", "203.0.113.2", "::ffff:10.66.0.1",
           "64:ff9b::a42:1", "fe80::1")
    for number, address in enumerate(cut):
        name = f"n{number}.wild.test"
        record = dnszone.address(name, address, 0)
        server.records[name] = [record]
        reply = attacker.ask(name, record[1])
        assert (reply.rcode, reply.reason, reply.addresses) == (dnsserver.NXDOMAIN, dnszone.BLOCKED, []), address
        if record[1] == dnsserver.A:
            server.records[name] = [record, dnszone.address(name, PUBLIC, 0)]
            assert attacker.ask(name).addresses == [PUBLIC]
    pins = execute(attacker.api, "query_pins")["return"]["pins"]
    assert [pin["addr"] for pin in pins] == [PUBLIC]
    wait_for("each is counted", lambda: execute(attacker.api, "query_policy")["return"]["addrs_cut"] >= len(cut))
    assert attacker.opens(PUBLIC) and not attacker.opens(PRIVATE)
    # The same of a name that leads elsewhere the second time.
    server.records["x.wild.test"] = [dnszone.address("x.wild.test", PUBLIC, 0)]
    assert attacker.ask("x.wild.test").addresses == [PUBLIC]
    server.records["x.wild.test"] = [dnszone.address("x.wild.test", PRIVATE, 0)]
    wait_for("the name leads elsewhere", lambda: attacker.ask("x.wild.test").rcode == dnsserver.NXDOMAIN)
    assert not attacker.opens(PRIVATE)
    assert attacker.ask("lan.test").addresses == [PRIVATE]
    assert attacker.opens(PRIVATE) and not attacker.opens(PRIVATE, OTHER_PORT)


def test_only_the_chain_of_the_question_is_pinned(attacker: Attacker, server: dnszone.Zone) -> None:  # noqa: F811
    server.records["api.test"].append(dnszone.address("bank.test", OTHER))
    server.extra = [dnszone.address("api.test", OTHER), dnszone.address("lan.test", OTHER)]
    server.forged = [OTHER]
    assert attacker.ask("api.test").addresses == [PUBLIC]
    assert attacker.opens(PUBLIC) and not attacker.opens(OTHER)
    # Nothing of it is in the cache.
    assert attacker.ask("lan.test").addresses == [PRIVATE]
    assert "lan.test" in server.asked
    server.extra, server.forged = [], []
    server.records["c.wild.test"] = [dnszone.cname("c.wild.test", "evil.test", 7 * 24 * 3600)]
    server.records["evil.test"] = [dnszone.address("evil.test", OTHER, 7 * 24 * 3600)]
    reply = attacker.ask("c.wild.test")
    assert (reply.addresses, reply.ttl) == ([OTHER], 3600)
    assert attacker.opens(OTHER) and not attacker.opens(OTHER, OTHER_PORT)
    assert attacker.ask("evil.test").rcode == dnsserver.NXDOMAIN
    pins = execute(attacker.api, "query_pins")["return"]["pins"]
    assert all(pin["life_s"] <= 3600 for pin in pins) and len(pins) == 3
