# SPDX-License-Identifier: BSD-2-Clause
"""Ways around a policy that a guest's root may try: addresses by other names, groups, sources, and ports
of others.

As in test_policy.py, the last packet of each attempt is one that the policy allows: a packet socket on
the host's link has seen what left before it.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import select
import socket
import struct
from collections.abc import Callable

import frames as F
import pytest
from api_client import execute
from egress import METADATA, Refusals, Uplink, counted, counts, is_ipv6, limited, prohibited
from guest import Guest
from lab import HOST4, Lab
from limits import limited as with_limit
from limits import many_files
from processes import stopped
from servers import listener, udp_socket
from test_hostile_udp import HARD_LIMIT, N_PEERS, behind, peers_of
from test_hostile_worker import peer
from test_policy import (  # noqa: F401
    ALL_OF_ONE, ICMP, OTHER4, OTHER6, OTHER_PORT, OWN, OWN_BROADCAST, PORT, PRIVATE4, PUBLIC4, PUBLIC6, TCP, UDP,
    attacker, denied, raw, source_for, tcp, udp, world,
)
from waiting import DEADLINE_S, wait_for

NAMED = "one: " + ALL_OF_ONE
METADATA4 = [address for address in METADATA if not is_ipv6(address)]


def drops(api: str) -> dict[str, int]:
    return execute(api, "query_stats")["return"]["drops"]


def syn(dst: str, dport: int = PORT, src: str | None = None) -> bytes:
    src = src or source_for(dst)
    return F.packet(src, dst, TCP, F.tcp(src, dst, 2000, dport, F.SYN))[0]


def datagram(dst: str, dport: int, src: str | None = None) -> bytes:
    src = src or source_for(dst)
    return F.packet(src, dst, UDP, F.udp(src, dst, 2000, dport, b"secret"))[0]


@pytest.mark.usefixtures("world")
def test_ipv4_addresses_in_ipv6_are_no_way_out(guest: Guest) -> None:
    """Mapped and compatible addresses do not leave a host; those of translators have the class, and the
    rules, of the address inside."""
    inside = (OTHER4, PRIVATE4, METADATA[0], "127.0.0.1")
    policy = f"meta: forbid to metadata\nclosed: deny to private, {OTHER4}\none: allow to any\n"
    with limited(guest, policy) as api, Uplink() as uplink, Refusals(guest) as refusals, \
            counted(api, allowed=1, denied=6, meta=2, closed=4, one=1):
        with raw(guest) as port:
            for address in inside:
                for form in (f"::ffff:{address}", f"::{address}"):
                    port.send_ip(syn(form))
                    port.send_ip(datagram(form, PORT))
            assert drops(api)["ip6_destination"] == 4 * len(inside)
            refusals.assert_came()
            for address in inside[:3]:
                translated = f"64:ff9b::{address}"
                port.send_ip(syn(translated))
                port.send_ip(datagram(translated, PORT))
                refusals.assert_came(*prohibited(*((proto, str(ipaddress.ip_address(translated)), PORT)
                                                   for proto in (TCP, UDP))))
        assert tcp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


# The last two are broadcasts of the host's networks.
GROUPS = (("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", PORT), ("10.0.2.255", PORT),
          ("ff05::c", 1900), ("ff0e::fb", 5353), ("203.0.113.255", PORT), (OWN_BROADCAST, PORT))
ON_LINK = ("fe80::1", "fe80::abcd", "ff02::1", "ff02::fb")
NETWORK = ("10.0.2.2", "10.0.2.77", "fd00::2", "fd00::77")


@pytest.mark.usefixtures("world")
def test_groups_and_neighbours_are_denied(guest: Guest, lab: Lab) -> None:
    """The guest's own network leads to the host's loopback: nothing arrives there."""
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(udp_socket(lab.host_netns, address, 0)) for address in ("127.0.0.1", "::1")]
        ports = [ear.getsockname()[1] for ear in ears]
        api = stack.enter_context(limited(guest, NAMED))
        uplink, port = stack.enter_context(Uplink()), stack.enter_context(raw(guest))
        # A group's flow is a flow, and so is each to the network.
        stack.enter_context(counted(api, allowed=2, denied=len(GROUPS) + 2 * len(NETWORK) * len(ports), one=2))
        for address, dport in GROUPS:
            port.send_ip(datagram(address, dport))
        assert drops(api)["ip6_link_scope"] == 0
        for address in ON_LINK:
            port.send_ip(datagram(address, PORT))
            port.send_ip(syn(address))
        seen = drops(api)
        assert seen["ip6_link_scope"] + seen["tcp_group"] + seen["ip6_destination"] >= 2 * len(ON_LINK)
        for address in NETWORK:
            for dport in ports:
                port.send_ip(datagram(address, dport))
                port.send_ip(syn(address, dport))
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}
        assert not select.select(ears, [], [], 0)[0]


@pytest.mark.usefixtures("world")
def test_group_needs_a_rule(guest: Guest) -> None:
    """The control: the same datagrams leave if a rule opens one of the ports."""
    with limited(guest, "group: allow udp 5353 to multicast\n" + NAMED) as api, Uplink() as uplink, \
            counted(api, allowed=2, denied=1, group=1, one=1):
        with raw(guest) as port:
            for dport in (5353, 1900):
                port.send_ip(datagram("239.255.1.1", dport))
        assert udp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(UDP, "239.255.1.1", 5353), (UDP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_broadcast_of_the_host_s_network_does_not_leave(guest: Guest) -> None:
    """Its address is one of the internet. No socket of slirpd may send broadcasts, so a rule opens nothing."""
    with limited(guest, "allow to internet\n"), Uplink() as uplink:
        assert udp(guest, OWN_BROADCAST) == errno.EHOSTUNREACH
        assert udp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(UDP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_source_address_opens_nothing(guest: Guest) -> None:
    """Packets in the name of the gateway, the name server, the host and strangers."""
    with limited(guest, NAMED) as api, Uplink() as uplink, counted(api, allowed=1, denied=6, one=1):
        with raw(guest) as port:
            before = drops(api)["ip4_source"]
            for source in ("10.0.2.2", "10.0.2.3", "127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255"):
                port.send_ip(syn(OTHER4, src=source))
                port.send_ip(datagram(OTHER4, PORT, src=source))
            assert drops(api)["ip4_source"] == before + 12
            for source in (PUBLIC4, HOST4, "10.0.2.55"):
                port.send_ip(syn(OTHER4, src=source))
                port.send_ip(datagram(OTHER4, PORT, src=source))
            assert drops(api)["ip6_source"] == 0
            for source in ("fd00::2", "fd00::3", "::1", "ff02::1", "::ffff:10.0.2.100"):
                port.send_ip(syn(OTHER6, src=source))
            assert drops(api)["ip6_source"] == 5
        assert tcp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


@pytest.mark.usefixtures("world")
def test_stranger_does_not_use_the_port_of_an_allowed_flow(guest: Guest) -> None:
    with limited(guest, NAMED) as api, counted(api, allowed=1, denied=1, one=1), contextlib.ExitStack() as stack:
        own = stack.enter_context(udp_socket(Lab.internet_netns, PUBLIC4, 0))
        stranger = stack.enter_context(udp_socket(Lab.internet_netns, OTHER4, 0))
        client = stack.enter_context(guest.connect(PUBLIC4, own.getsockname()[1], socket.SOCK_DGRAM))
        any_of_guest = stack.enter_context(guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM))
        client.send(b"first")
        seen = own.recvfrom(10)[1]
        stranger.sendto(b"let me in", seen)
        any_of_guest.sendto(b"out", stranger.getsockname())
        own.sendto(b"answer", seen)
        assert client.recv(10) == b"answer"
        assert not select.select([any_of_guest, client, stranger], [], [], 0)[0]


@pytest.mark.usefixtures("world")
def test_ports_of_forwards_open_nothing(guest: Guest, lab: Lab) -> None:
    """A server answers its peers from its port, and does not begin a flow from it."""
    with limited(guest, NAMED, "--publish=18000:8000", "--publish=18001:8001/udp") as api, Uplink() as uplink, \
            counted(api, allowed=2, denied=4, one=2), listener(guest.netns, "0.0.0.0", 8000), \
            udp_socket(guest.netns, "0.0.0.0", 8001) as server_sock, \
            udp_socket(lab.host_netns, HOST4, 0) as client:
        client.sendto(b"question", (HOST4, 18001))
        data, where = server_sock.recvfrom(10)
        server_sock.sendto(b"answer", where)
        assert (data, client.recv(10)) == (b"question", b"answer")
        for address in (OTHER4, PRIVATE4, METADATA[0]):
            server_sock.sendto(b"secret", (address, PORT))
        with guest.open_socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with contextlib.suppress(OSError):
                sock.bind(("10.0.2.100", 8000))
            assert sock.connect_ex((OTHER4, PORT)) == errno.EHOSTUNREACH
        server_sock.sendto(b"x", (PUBLIC4, PORT))
        assert tcp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


@pytest.mark.usefixtures("world")
def test_forgotten_peer_of_a_forward_is_a_destination_as_any_other(guest: Guest, lab: Lab, tools: Callable) -> None:
    """A forward remembers few peers. What the guest sends to one that was forgotten is a flow of its own,
    which the policy denies."""
    tools("ping")
    with many_files(), contextlib.ExitStack() as stack:
        api = stack.enter_context(limited(guest, f"one: allow udp to {PUBLIC4}\n", "--publish=18001:8001/udp",
                                          prefix=with_limit("nofile", HARD_LIMIT)))
        server = stack.enter_context(udp_socket(guest.netns, "0.0.0.0", 8001))
        peers = {peer.getsockname()[1]: peer for peer in (
            stack.enter_context(udp_socket(lab.internet_netns, OTHER4)) for _ in range(N_PEERS))}
        with stopped(execute(api, "query_status")["return"]["pids"]["slirp_worker"]):
            for peer_sock in peers.values():
                peer_sock.sendto(b"question", (HOST4, 18001))
        came = peers_of(server)
        before = counts(api)[1]
        uplink = stack.enter_context(Uplink())
        for number, port in enumerate(came, 1):
            server.sendto(b"answer", (OTHER4, port))
            if number % 10 == 0 or number == len(came):
                behind(guest)
        answered = {port for _, where, port in uplink.sent() if where == OTHER4}
        assert answered == {port for port in came if select.select([peers[port]], [], [], 0)[0]}
        n_forgotten = len(came) - len(answered)
        assert n_forgotten >= 10
        wait_for("each is judged", lambda: counts(api)[1] - before >= n_forgotten)
        assert counts(api)[1] - before == n_forgotten


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address,gateway,allowed", ((OTHER4, "10.0.2.2", PUBLIC4), (OTHER6, "fd00::2", PUBLIC6)))
def test_routes_to_denied_addresses_are_not_shown(guest: Guest, address: str, gateway: str, allowed: str) -> None:
    """With any time to live nothing leaves, so no router of the host's network answers. The gateway is the
    first hop, and says so for any address."""
    exceeded = (3, 0) if is_ipv6(address) else (11, 0)
    ttls = (1, 2, 3, 64)
    with limited(guest, NAMED) as api, Uplink() as uplink, Refusals(guest) as refusals, \
            counted(api, allowed=1, denied=3 * len(ttls) - 2, one=1):
        with raw(guest) as port:
            for ttl in ttls:
                for proto, at in ((UDP, 33434 + ttl), (ICMP, 0), (TCP, 8000 + ttl)):
                    port.send_ip(with_ttl(address, proto, at, ttl))
                    error = exceeded if ttl == 1 and proto != TCP else prohibited((proto, address, at))[0][3:]
                    refusals.assert_came((proto, address, at, *error))
        assert refusals.sources == {(exceeded[0], gateway), (1 if is_ipv6(address) else 3, gateway)}
        assert tcp(guest, allowed) == 0
        assert {where for _, where, _ in uplink.sent()} == {allowed}


def with_ttl(dst: str, proto: int, port: int, ttl: int) -> bytes:
    """An echo request of its own identifier for each time to live."""
    src = source_for(dst)
    if proto != ICMP:
        payload = F.l4(src, dst, proto, 2000 + ttl, port)
    elif is_ipv6(dst):
        payload = F.icmp6(src, dst, 128, struct.pack("!HH", ttl, 1))
    else:
        payload = F.icmp_echo(ident=ttl)
    if is_ipv6(dst):
        return F.ip6(src, dst, F.ICMP6 if proto == ICMP else proto, payload, hops=ttl)
    return F.ip4(src, dst, proto, payload, ttl=ttl)


@pytest.mark.usefixtures("world")
def test_rule_for_tcp_opens_no_tunnel(guest: Guest) -> None:
    """VXLAN, WireGuard, QUIC and echo to an address that is open for TCP; and other ports."""
    with limited(guest, f"one: allow tcp {PORT} to {PUBLIC4}, {PUBLIC6}\n") as api, Uplink() as uplink, \
            counted(api, allowed=2, denied=14, one=2):
        for address in (PUBLIC4, PUBLIC6):
            for port in (4789, 51820, 443, PORT):
                assert udp(guest, address, port) == denied(address)
            for port in (80, OTHER_PORT, 22):
                assert tcp(guest, address, port) == denied(address)
        assert tcp(guest, PUBLIC6) == tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(TCP, PUBLIC4, PORT), (TCP, PUBLIC6, PORT)}


@pytest.mark.usefixtures("world")
def test_answer_to_a_forbidden_peer_does_not_leave(guest: Guest) -> None:
    """The peer's question arrives: who connects from the outside is not limited. The question is judged; the
    answer is too, if it comes later than that verdict."""
    with limited(guest, f"never: forbid udp to {OTHER4}\n" + NAMED, "--publish=18001:8001/udp") as api, \
            Uplink() as uplink, \
            udp_socket(guest.netns, "0.0.0.0", 8001) as server, \
            udp_socket(Lab.internet_netns, OTHER4, 0) as forbidden, \
            udp_socket(Lab.internet_netns, PRIVATE4, 0) as other:
        for client in (forbidden, other):
            client.sendto(b"question", (HOST4, 18001))
            data, where = server.recvfrom(10)
            assert data == b"question"
            server.sendto(b"answer", where)
        assert other.recv(10) == b"answer"
        assert tcp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4, PRIVATE4}
        n_denied = counts(api)[1]
        assert n_denied in (1, 2) and counts(api) == (1, n_denied, {"": 0, "never": n_denied, "one": 1})


@pytest.mark.usefixtures("world")
def test_forbidden_peer_of_a_forward_gets_nothing(guest: Guest) -> None:
    """A worker that was taken over says who has sent to the port: `forbid` holds against it."""
    forbidden = [(address, PORT) for address in METADATA4]
    policy = f"meta: forbid to metadata\none: forbid udp {OTHER_PORT} to {OTHER4}\n"
    with attacker(guest, policy, "--publish=18001:8001/udp") as (worker, api), Uplink() as uplink, \
            counted(api, allowed=0, denied=len(forbidden) + 1, meta=len(forbidden), one=1):
        for number, (address, port) in enumerate((*forbidden, (OTHER4, OTHER_PORT))):
            worker.send(peer(number, address, port))
            got = worker.answer()
            assert (got.row, got.sock) == ("flow_refused", None), address
        # A peer that could have sent.
        worker.send(peer(100, OTHER4, PORT))
        sock = worker.answer().sock
        assert sock is not None
        with sock:
            sock.send(b"x")
        assert uplink.sent() == {(UDP, OTHER4, PORT)}


@pytest.mark.usefixtures("world")
def test_worker_that_was_taken_over_gets_the_same_verdicts(guest: Guest) -> None:
    """The destinations of the tests above, as its own questions: groups, neighbours, translators, tunnels,
    and other protocols to an address that is open for TCP."""
    policy = (f"meta: forbid to metadata\none: allow tcp {PORT} to {PUBLIC4}, {PUBLIC6}\n"
              f"closed: deny to private, {OTHER4}\nping: allow icmp to internet\n")
    asked = [(UDP, address, port) for address, port in GROUPS]
    asked += [(proto, address, PORT) for proto in (TCP, UDP, ICMP) for address in NETWORK]
    asked += [(proto, f"64:ff9b::{address}", PORT) for proto in (TCP, UDP, ICMP)
              for address in (OTHER4, PRIVATE4, *METADATA4)]
    asked += [(UDP, address, port) for address in (PUBLIC4, PUBLIC6) for port in (PORT, 443, 4789, 51820)]
    asked += [(TCP, address, port) for address in (PUBLIC4, PUBLIC6) for port in (1, 22, 80, OTHER_PORT, 65535)]
    asked += [(ICMP, address, 0) for address in (PRIVATE4, OTHER4, *OWN, *METADATA)]
    n_meta = 3 * len(METADATA4) + len(METADATA)
    with attacker(guest, policy) as (worker, api), Uplink() as uplink, \
            counted(api, allowed=2, denied=len(asked), one=2, ping=0, meta=n_meta, closed=3 * 2 + 2):
        for number, (proto, address, port) in enumerate(asked):
            got = worker.ask(number, address, port, proto)
            assert (got.row, got.sock) == ("flow_refused", None), (proto, address, port)
        for number, address in enumerate((PUBLIC4, PUBLIC6)):
            sock = worker.ask(1000 + number, address, PORT).sock
            assert sock is not None
            with sock:
                assert select.select([], [sock], [], DEADLINE_S)[1]
        assert uplink.sent() == {(TCP, PUBLIC4, PORT), (TCP, PUBLIC6, PORT)}
