# SPDX-License-Identifier: BSD-2-Clause
"""Ways around the names of a policy: what of an unlisted name leaves the host, which addresses a name
opens, and what a worker or a resolver that was taken over can make of them.

A packet socket on the host's link sees all that leaves, queries too.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import dnsserver
import dnszone
import ipc
import pytest
from daemon import Slirpd
from egress import METADATA, Refusals, Uplink, counted, live, names_counted, prohibited
from guest import Guest
from lab import HOST4, INTERNET4
from processes import fds_of, taken_over
from test_hostile_resolver import TO_CONNECTOR, receive
from test_hostile_worker import Channel, inaddr
from test_policy import attacker, udp
from test_policy_names import (  # noqa: F401
    DENIED, NAMESERVER, OTHER, OTHER_PORT, POLICY, PORT, PRIVATE, PUBLIC, SERVER, ask, limited, send, send_tcp,
    server, tcp, world,
)
from test_resolver import CLIENTS_MAX
from waiting import wait_for

TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
DNS_PORT, DOT_PORT = 53, 853
NAMED = f"one: allow tcp {PORT} to api.test, *.wild.test\nlan: allow tcp {PORT} to lan.test private\n"

SECRETS = ("evil.test", "b64secret.evil.test", "secret.api.test", "xapi.test", "api.test.evil.test", "wild.test",
           "use-application-dns.net", "printer.local", "a.onion")


def test_nothing_of_an_unlisted_name_leaves(guest: Guest, server: dnszone.Zone) -> None:
    """Over both transports, whatever the type; then a listed name shows that the capture works."""
    with live(guest, NAMED) as (_, api), Uplink(dns=True) as uplink:
        with names_counted(api) as replies:
            for text in SECRETS:
                for kind in (dnsserver.A, dnszone.AAAA, dnsserver.TXT):
                    message = dnszone.query(dnszone.name(text), kind)
                    for how in (send, send_tcp):
                        replies.append(how(guest, message))
                        assert replies[-1].rcode in (dnsserver.NXDOMAIN, dnsserver.REFUSED), text
        # An update, a transfer, and a question to another class.
        update = dnszone.query(dnszone.name("api.test"))
        assert send(guest, update[:2] + b"\x28" + update[3:]).rcode == dnsserver.NOTIMP
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"), dnsserver.AXFR)).rcode == dnsserver.REFUSED
        assert uplink.sent() == set()
        assert server.asked == []
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert uplink.sent() == {(UDP, SERVER, DNS_PORT)}
        assert server.asked == ["api.test"]


def test_resolvers_elsewhere_are_denied_to_names(guest: Guest, server: dnszone.Zone) -> None:
    """A policy of names opens no other name server, by UDP, TCP or TLS, and no DNS over HTTPS."""
    with live(guest, NAMED) as (_, api), Uplink(dns=True) as uplink, Refusals(guest) as refusals, \
            counted(api, allowed=0, denied=18):
        for port in (DNS_PORT, DOT_PORT, 443):
            for address in (OTHER, PUBLIC, SERVER):
                assert tcp(guest, address, port) == udp(guest, address, port) == DENIED
                refusals.assert_came(*prohibited((TCP, address, port), (UDP, address, port)))
        assert uplink.sent() == set()


def test_name_that_is_never_resolved_opens_nothing(guest: Guest, server: dnszone.Zone) -> None:
    with live(guest, NAMED) as (_, api), Uplink(dns=True) as uplink, \
            counted(api, allowed=1, denied=10, one=1, lan=0):
        # What the guest knows of the address does not count.
        assert tcp(guest, PUBLIC) == DENIED
        assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN
        assert tcp(guest, OTHER) == tcp(guest, PUBLIC) == DENIED
        assert uplink.sent() == set()
        assert ask(guest, "api.test").addresses == [PUBLIC]
        for port in (80, 443, OTHER_PORT):
            assert tcp(guest, PUBLIC, port) == udp(guest, PUBLIC, port) == DENIED
        assert udp(guest, PUBLIC) == DENIED
        assert tcp(guest, PUBLIC) == 0
        assert uplink.sent() == {(UDP, SERVER, DNS_PORT), (TCP, PUBLIC, PORT)}


def test_rebinding_ends_at_the_resolver(guest: Guest, server: dnszone.Zone) -> None:
    """An answer that may not be kept, public first and private then."""
    server.records["api.test"] = [dnszone.address("api.test", PUBLIC, 0)]
    with limited(guest), Uplink() as uplink:
        assert ask(guest, "api.test").addresses == [PUBLIC]
        server.records["api.test"] = [dnszone.address("api.test", PRIVATE, 0)]
        wait_for("the name leads elsewhere",
                 lambda: ask(guest, "api.test").rcode == dnsserver.NXDOMAIN)
        assert tcp(guest, PRIVATE) == DENIED
        # The public address was given to the guest, and stays open for a while.
        assert tcp(guest, PUBLIC) == 0
        assert {it for it in uplink.sent() if it[0] == TCP} == {(TCP, PUBLIC, PORT)}


def test_settings_of_refusals_and_types(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest, POLICY + "dns-refusal refused\ndns-types a, txt\n"):
        reply = ask(guest, "evil.test")
        assert (reply.rcode, reply.reason) == (dnsserver.REFUSED, dnszone.BLOCKED)
        assert ask(guest, "api.test", dnszone.AAAA).rcode == dnsserver.REFUSED
        assert server.asked == []
        assert ask(guest, "api.test", dnsserver.TXT).rcode == dnsserver.NOERROR
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert server.asked == ["api.test", "api.test"]


def test_crowd_and_nonsense_over_tcp_take_nothing_from_others(guest: Guest, server: dnszone.Zone) -> None:
    """Connections that say nothing, a message of 64 KiB, and one that never ends."""
    with limited(guest) as daemon, contextlib.ExitStack() as stack:
        for _ in range(1000):
            client = stack.enter_context(guest.connect(NAMESERVER, DNS_PORT))
            with contextlib.suppress(OSError):  # it has given way to a later one
                client.send(b"\0")
        for message in (b"\xff\xff" + bytes(65535), b"\x00\x05hello", b"\x00\x00", b"\x04\x00" + bytes(1000)):
            sock = stack.enter_context(guest.connect(NAMESERVER, DNS_PORT))
            with contextlib.suppress(OSError):
                sock.sendall(message)
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"))).addresses == [PUBLIC]
        assert send_tcp(guest, dnszone.query(dnszone.name("evil.test"))).rcode == dnsserver.NXDOMAIN
        assert server.asked == ["api.test"]
        assert len(fds_of(daemon.children()["resolver"])) <= CLIENTS_MAX + 16


# --- processes that were taken over -----------------------------------------------------------


def test_worker_that_was_taken_over_cannot_use_names(guest: Guest, server: dnszone.Zone) -> None:
    """It says what it likes of the guest; the addresses of names come from the resolver alone."""
    with attacker(guest, NAMED + "meta: forbid to metadata\n") as (worker, api), Uplink(dns=True) as uplink, \
            counted(api, allowed=0, denied=24, meta=4, one=0, lan=0):
        for number, address in enumerate((PUBLIC, OTHER, PRIVATE, METADATA[0], SERVER, INTERNET4)):
            for at, port in enumerate((PORT, OTHER_PORT, DNS_PORT, 443)):
                got = worker.ask(8 * number + at, address, port)
                assert (got.row, got.sock) == ("flow_refused", None), (address, port)
        assert uplink.sent() == set()


def pin(number: int, generation: int, addresses: list[str], patterns: list[int], ttl: int = 60,
        name: bytes = b"api.test") -> bytes:
    """struct ipc_dns_pin."""
    return ipc.message("dns_pin", struct.pack("=QQIBB4x4H", number, generation, ttl, len(addresses), len(patterns),
                                              *patterns, *[0] * (4 - len(patterns)))
                       + b"".join(inaddr(address) for address in addresses).ljust(32 * 17, b"\0")
                       + name.ljust(254, b"\0"))


@contextlib.contextmanager
def lying(guest: Guest, policy: str) -> Iterator[tuple[Channel, Slirpd, str]]:
    """A resolver that was taken over: its channel to the connector."""
    with live(guest, policy, "--restart=no") as (daemon, api):
        with taken_over(daemon.children()["resolver"], TO_CONNECTOR) as sock:
            yield Channel(sock), daemon, api


def answered(resolver: Channel, message: bytes) -> bool:
    """Whether the connector says that it has taken a pin."""
    resolver.send(message)
    row, data, _ = receive(resolver)
    assert row == "dns_pinned"
    return struct.unpack("=QII", data)[1] == 1


def test_resolver_that_lies_opens_no_special_address(guest: Guest, world: None) -> None:
    """It pins what it likes; the connector judges each address by itself."""
    bad = [PRIVATE, *METADATA[:3], HOST4, "10.0.2.2", "10.0.2.3", "127.0.0.1", INTERNET4, "224.0.0.1"]
    policy = f"one: allow tcp {PORT} to api.test\nwild: allow to *.wild.test\n"
    with lying(guest, policy) as (resolver, _, api), Uplink() as uplink, \
            counted(api, allowed=1, denied=2 * 7, one=1, wild=0):
        for number, address in enumerate(bad):
            answered(resolver, pin(number, 1, [address, PUBLIC], [0, 1], 1 << 31))
        for address in bad[:7] + bad[8:9]:
            assert tcp(guest, address) != 0, address
            assert udp(guest, address) != 0, address
        assert tcp(guest, PUBLIC) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC}


def test_resolver_that_lies_is_bound_by_the_ports_of_names(guest: Guest, world: None) -> None:
    policy = f"never: forbid to {OTHER}\none: allow tcp {PORT} to api.test\nlan: allow tcp {PORT} to lan.test private\n"
    with lying(guest, policy) as (resolver, _, api), Uplink() as uplink, \
            counted(api, allowed=1, denied=3, never=1, one=1, lan=0):
        assert answered(resolver, pin(1, 1, [PUBLIC, OTHER], [0]))
        assert tcp(guest, PUBLIC, OTHER_PORT) == udp(guest, PUBLIC) == DENIED
        # A name does not open what an address forbids.
        assert tcp(guest, OTHER) == DENIED
        assert tcp(guest, PUBLIC) == 0
        assert uplink.sent() == {(TCP, PUBLIC, PORT)}


def test_resolver_that_lies_opens_no_more_with_private(guest: Guest, world: None) -> None:
    """The option is for the class private, and some addresses of it are of others too."""
    bad = [it for it in METADATA if ":" not in it] + [HOST4, "10.0.2.2", "10.0.2.3", INTERNET4]
    policy = f"lan: allow to lan.test private\none: allow tcp {PORT} to api.test\n"
    with lying(guest, policy) as (resolver, _, api), Uplink() as uplink, \
            counted(api, allowed=1, denied=2 * (len(bad) - 1), lan=1, one=0):
        for number, address in enumerate((*bad, PRIVATE)):
            answered(resolver, pin(number, 1, [address], [0, 1]))
        for address in bad:
            assert tcp(guest, address) != 0, address
            assert udp(guest, address) != 0, address
        assert tcp(guest, PRIVATE) == 0
        assert {where for _, where, _ in uplink.sent()} == {PRIVATE}


def test_pins_of_other_policies_are_refused(guest: Guest, world: None) -> None:
    with lying(guest, NAMED) as (resolver, _, api), counted(api, allowed=1, denied=1, one=1, lan=0):
        for generation in (2, 3, 2**64 - 1):
            assert not answered(resolver, pin(7, generation, [PUBLIC], [0]))
        assert tcp(guest, PUBLIC) == DENIED
        assert answered(resolver, pin(8, 1, [PUBLIC], [0]))
        assert tcp(guest, PUBLIC) == 0


def refusal(generation: int, rule: int, name: bytes, denied: int = 1) -> bytes:
    """struct ipc_dns_refusal."""
    return ipc.message("dns_refusal", struct.pack("=QQQQH254s", generation, denied, 0, 0, rule, name))


def test_resolver_that_lies_of_refusals_opens_nothing(guest: Guest, world: None) -> None:
    """It may count what it likes, also for a policy that has gone."""
    with lying(guest, NAMED) as (resolver, _, _):
        for generation, rule in ((1, 0), (1, 0xFFFF), (7, 1000)):
            resolver.send(refusal(generation, rule, b"api.test", 2**64 - 1))
        # A name that no rule lists.
        assert not answered(resolver, pin(7, 1, [OTHER], [], name=b"evil.test"))
        assert answered(resolver, pin(8, 1, [PUBLIC], [0]))
        assert tcp(guest, PUBLIC) == 0 and tcp(guest, OTHER) == DENIED


@pytest.mark.parametrize("message", (
    refusal(1, 2, b"a.test"), refusal(1, 0, b"A.test"), refusal(1, 0, b"any to any\n"),
), ids=("no such rule", "not canonical", "not a name"))
def test_refusal_out_of_form_ends_slirpd(guest: Guest, world: None, message: bytes) -> None:
    with lying(guest, NAMED) as (resolver, daemon, _):
        resolver.send(message)
        assert daemon.wait() == 1
        assert "connector dropped resolver[" in daemon.stderr


@pytest.mark.parametrize("message", (
    pin(1, 1, [], [0]), pin(1, 1, [PUBLIC], [0], name=b""), pin(1, 1, [PUBLIC], [0], name=b"a b"), pin(1, 1, [PUBLIC], [3]), pin(1, 1, [PUBLIC], [0, 4096]),
    pin(1, 0, [PUBLIC], [0]),
    pin(1, 1, [PUBLIC], [0])[:-255] + b"\1" + pin(1, 1, [PUBLIC], [0])[-254:], pin(1, 1, [PUBLIC], [0])[:-1],
), ids=("no address", "no name", "not a name", "no such pattern", "no such second pattern", "no policy", "address after the last", "short"))
def test_pin_out_of_form_ends_slirpd(guest: Guest, world: None, message: bytes) -> None:
    with lying(guest, NAMED) as (resolver, daemon, _):
        resolver.send(message)
        assert daemon.wait() == 1
        assert "connector dropped resolver[" in daemon.stderr
