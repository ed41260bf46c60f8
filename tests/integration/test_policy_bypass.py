# SPDX-License-Identifier: BSD-2-Clause
"""Ways around a policy that a guest's root may try: addresses by other names, groups, sources, and ports
of others.

As in test_policy.py, the last packet of each attempt is one that the policy allows: a packet socket on
the host's link has seen what left before it.
"""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import frames as F
import pytest
from api_client import daemon_with_api, execute
from daemon import DEADLINE_S
from guest import Guest
from lab import HOST4, Lab
from servers import listener, udp_socket
from test_hostile_worker import peer, taken
from test_policy import (  # noqa: F401
    GUEST4, GUEST6, METADATA, OTHER4, OTHER6, OTHER_PORT, PORT, PRIVATE4, PUBLIC4, PUBLIC6, Uplink, denied, limited,
    tcp, udp, world,
)

TCP, UDP, ICMP = F.TCP, F.UDP, F.ICMP
ALL_OF_ONE = f"allow to {PUBLIC4}, {PUBLIC6}\n"


@contextlib.contextmanager
def raw(guest: Guest) -> Iterator[F.RawPort]:
    with F.RawPort(guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW), "tap0", GUEST4, "10.0.2.2") as port:
        yield port


@contextlib.contextmanager
def observed(guest: Guest, policy: str, *options: str) -> Iterator[str]:
    """The path of the control socket of a daemon with this policy."""
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file:
        file.write(f"policy 1\n{policy}")
        file.flush()
        with daemon_with_api(guest, "--enable-ipv6", f"--policy={file.name}", *options) as (_, api):
            guest.wait_ipv6()
            yield api


def denied_flows(api: str) -> int:
    return execute(api, "query_policy")["return"]["denied"]


def drops(api: str) -> dict[str, int]:
    return execute(api, "query_stats")["return"]["drops"]


def syn(dst: str, dport: int = PORT, src: str | None = None) -> bytes:
    src = src or (GUEST6 if ":" in dst else GUEST4)
    return F.packet(src, dst, TCP, F.tcp(src, dst, 2000, dport, F.SYN))[0]


def datagram(dst: str, dport: int, src: str | None = None) -> bytes:
    src = src or (GUEST6 if ":" in dst else GUEST4)
    return F.packet(src, dst, UDP, F.udp(src, dst, 2000, dport, b"secret"))[0]


@pytest.mark.usefixtures("world")
def test_ipv4_addresses_in_ipv6_are_no_way_out(guest: Guest) -> None:
    """Mapped and compatible addresses do not leave a host; those of translators have the class, and the
    rules, of the address inside."""
    inside = (OTHER4, PRIVATE4, METADATA[0], "127.0.0.1")
    policy = f"forbid to metadata\ndeny to private, {OTHER4}\nallow to any\n"
    with observed(guest, policy) as api, Uplink() as uplink:
        with raw(guest) as port:
            for address in inside:
                for form in (f"::ffff:{address}", f"::{address}"):
                    port.send_ip(syn(form))
                    port.send_ip(datagram(form, PORT))
            assert drops(api)["ip6_destination"] == 4 * len(inside)
            before = denied_flows(api)
            for address in inside[:3]:
                translated = f"64:ff9b::{address}"
                port.send_ip(syn(translated))
                port.send_ip(datagram(translated, PORT))
        assert tcp(guest, PUBLIC4) == 0
        assert denied_flows(api) == before + 6
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


GROUPS = (("224.0.0.251", 5353), ("239.255.255.250", 1900), ("255.255.255.255", PORT), ("10.0.2.255", PORT),
          ("ff05::c", 1900), ("ff0e::fb", 5353))
ON_LINK = ("fe80::1", "fe80::abcd", "ff02::1", "ff02::fb")
NETWORK = ("10.0.2.2", "10.0.2.77", "fd00::2", "fd00::77")


@pytest.mark.usefixtures("world")
def test_groups_and_neighbours_are_denied(guest: Guest, lab: Lab) -> None:
    """The guest's own network leads to the host's loopback: nothing arrives there."""
    with contextlib.ExitStack() as stack:
        ears = [stack.enter_context(udp_socket(lab.host_netns, address, 0)) for address in ("127.0.0.1", "::1")]
        ports = [ear.getsockname()[1] for ear in ears]
        api = stack.enter_context(observed(guest, ALL_OF_ONE))
        uplink, port = stack.enter_context(Uplink()), stack.enter_context(raw(guest))
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
        # A group's flow is a flow, and so is each to the network.
        assert denied_flows(api) >= len(NETWORK) * len(ports) + 4
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}
        assert not select.select(ears, [], [], 0)[0]


@pytest.mark.usefixtures("world")
def test_group_needs_a_rule(guest: Guest) -> None:
    """The control: the same datagrams leave if a rule opens one of the ports."""
    with limited(guest, "allow udp 5353 to multicast\n" + ALL_OF_ONE), Uplink() as uplink:
        with raw(guest) as port:
            for dport in (5353, 1900):
                port.send_ip(datagram("239.255.1.1", dport))
        assert udp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(UDP, "239.255.1.1", 5353), (UDP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_source_address_opens_nothing(guest: Guest) -> None:
    """Packets in the name of the gateway, the name server, the host and strangers."""
    with observed(guest, ALL_OF_ONE) as api, Uplink() as uplink:
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
    with limited(guest, ALL_OF_ONE), contextlib.ExitStack() as stack:
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
    with limited(guest, ALL_OF_ONE, "--publish=18000:8000", "--publish=18001:8001/udp"), Uplink() as uplink, \
            listener(guest.netns, "0.0.0.0", 8000), udp_socket(guest.netns, "0.0.0.0", 8001) as server_sock, \
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
def test_routes_to_denied_addresses_are_not_shown(guest: Guest) -> None:
    """With any time to live nothing leaves, so no router of the host's network answers."""
    with observed(guest, ALL_OF_ONE) as api, Uplink() as uplink, \
            guest.open_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as errors:
        errors.setblocking(False)
        with raw(guest) as port:
            for ttl in (1, 2, 3, 64):
                port.send_ip(F.ip4(GUEST4, OTHER4, UDP, F.udp(GUEST4, OTHER4, 2000, 33434 + ttl), ttl=ttl))
                port.send_ip(F.ip4(GUEST4, OTHER4, ICMP, F.icmp_echo(seq=ttl, ident=ttl), ttl=ttl))
                port.send_ip(F.ip4(GUEST4, OTHER4, TCP, F.tcp(GUEST4, OTHER4, 2000 + ttl, 80), ttl=ttl))
        assert tcp(guest, PUBLIC4) == 0
        assert denied_flows(api) >= 9
        seen = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                packet = errors.recv(2048)
                seen.add((socket.inet_ntoa(packet[12:16]), packet[20]))
        # The first hop is the gateway, and answers itself.
        assert {kind for _, kind in seen} <= {3, 11} and (3 in {kind for _, kind in seen})
        assert {where for where, kind in seen if kind == 11} <= {"10.0.2.2"}
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


@pytest.mark.usefixtures("world")
def test_rule_for_tcp_opens_no_tunnel(guest: Guest) -> None:
    """VXLAN, WireGuard, QUIC and echo to an address that is open for TCP; and other ports."""
    with observed(guest, f"allow tcp {PORT} to {PUBLIC4}, {PUBLIC6}\n") as api, Uplink() as uplink:
        before = denied_flows(api)
        for address in (PUBLIC4, PUBLIC6):
            for port in (4789, 51820, 443, PORT):
                assert udp(guest, address, port) == denied(address)
            for port in (80, OTHER_PORT, 22):
                assert tcp(guest, address, port) == denied(address)
        assert denied_flows(api) == before + 14
        assert tcp(guest, PUBLIC6) == tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(TCP, PUBLIC4, PORT), (TCP, PUBLIC6, PORT)}


@pytest.mark.usefixtures("world")
def test_answer_to_a_forbidden_peer_does_not_leave(guest: Guest) -> None:
    """The peer's question arrives: who connects from the outside is not limited."""
    with limited(guest, f"forbid udp to {OTHER4}\n" + ALL_OF_ONE, "--publish=18001:8001/udp"), Uplink() as uplink, \
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


@pytest.mark.usefixtures("world")
def test_forbidden_peer_of_a_forward_gets_nothing(guest: Guest, tmp_path: Path) -> None:
    """A worker that was taken over says who has sent to the port: `forbid` holds against it."""
    path = tmp_path / "p"
    path.write_text(f"policy 1\nforbid to metadata\nforbid udp {OTHER_PORT} to {OTHER4}\n")
    with taken(guest, f"--policy={path}", "--publish=18001:8001/udp") as it, Uplink() as uplink:
        for number, (address, port) in enumerate((*((it, PORT) for it in METADATA if ":" not in it),
                                                  (OTHER4, OTHER_PORT))):
            it.worker.send(peer(number, address, port))
            got = it.worker.answer()
            assert (got.row, got.sock) == ("flow_refused", None), address
        # A peer that could have sent.
        it.worker.send(peer(100, OTHER4, PORT))
        sock = it.worker.answer().sock
        assert sock is not None
        with sock:
            sock.send(b"x")
        assert uplink.sent() == {(UDP, OTHER4, PORT)}


@pytest.mark.usefixtures("world")
def test_worker_that_was_taken_over_gets_the_same_verdicts(guest: Guest, tmp_path: Path) -> None:
    """The destinations of the tests above, as its own questions: groups, neighbours, translators, tunnels,
    and other protocols to an address that is open for TCP."""
    path = tmp_path / "p"
    path.write_text(f"policy 1\nforbid to metadata\nallow tcp {PORT} to {PUBLIC4}, {PUBLIC6}\n"
                    f"deny to private, {OTHER4}\nallow icmp to internet\n")
    asked = [(UDP, address, port) for address, port in GROUPS]
    asked += [(proto, address, PORT) for proto in (TCP, UDP, ICMP) for address in NETWORK]
    asked += [(proto, f"64:ff9b::{address}", PORT) for proto in (TCP, UDP, ICMP)
              for address in (OTHER4, PRIVATE4, *METADATA[:5])]
    asked += [(UDP, address, port) for address in (PUBLIC4, PUBLIC6) for port in (PORT, 443, 4789, 51820)]
    asked += [(TCP, address, port) for address in (PUBLIC4, PUBLIC6) for port in (1, 22, 80, OTHER_PORT, 65535)]
    asked += [(ICMP, address, 0) for address in (PRIVATE4, OTHER4, HOST4, *METADATA)]
    with taken(guest, f"--policy={path}") as it, Uplink() as uplink:
        for number, (proto, address, port) in enumerate(asked):
            got = it.worker.ask(number, address, port, proto)
            assert (got.row, got.sock) == ("flow_refused", None), (proto, address, port)
        for number, address in enumerate((PUBLIC4, PUBLIC6)):
            sock = it.worker.ask(1000 + number, address, PORT).sock
            assert sock is not None
            with sock:
                assert select.select([], [sock], [], DEADLINE_S)[1]
        assert uplink.sent() == {(TCP, PUBLIC4, PORT), (TCP, PUBLIC6, PORT)}
