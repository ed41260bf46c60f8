# SPDX-License-Identifier: BSD-2-Clause
"""--disable-host-loopback against a guest that writes its own frames.

The proof is at the host's end: listeners on the loopback that would be reached, and a packet
socket on `lo` that would see a packet to any port. One test without the option shows that both
would notice.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Iterator

import frames as F
import pytest
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, WORD_NAME, Lab, http_url
from loopback import GUEST6, NAMES4, NAMES6, Loopback, listening_to_groups
from servers import listener, recv_all, serve

GUEST4 = "10.0.2.100"
SYN_WITH = (0, F.FIN, F.RST, F.ACK, F.PSH, F.URG, F.ECE | F.CWR, F.FIN | F.PSH | F.URG,
            F.ECE | F.CWR | F.PSH, 0xFF & ~F.SYN)
PROTOCOLS = (F.TCP, F.UDP, F.ICMP)
DNS_PORT = 53


@contextlib.contextmanager
def hostile(guest: Guest, *options: str) -> Iterator[F.RawPort]:
    """A running daemon and the guest's raw socket."""
    with Slirpd("--configure", "--enable-ipv6", *options, guest.pid, "tap0"):
        with raw_port(guest) as port:
            yield port


@contextlib.contextmanager
def raw_port(guest: Guest) -> Iterator[F.RawPort]:
    sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
    with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
        yield port


def packets_to(name: str, ports: list[int], protocol: int) -> Iterator[bytes]:
    """All the packets of one protocol that try one name on all ports, from several sources."""
    ours = GUEST6 if ":" in name else GUEST4
    gateway, loop = ("fd00::2", "::1") if ":" in name else ("10.0.2.2", "127.0.0.1")
    for source in (ours, gateway, loop, name):
        for payload in _payloads(source, name, ports, protocol):
            yield F.packet(source, name, protocol, payload)[0]


def _payloads(source: str, name: str, ports: list[int], protocol: int) -> Iterator[bytes]:
    if protocol == F.ICMP:
        yield F.l4(source, name, protocol, 0, 0)
        return
    for port in ports:
        if protocol == F.UDP:
            yield F.udp(source, name, 40000, port, b"let me in")
            continue
        for number, flags in enumerate(SYN_WITH):
            yield F.tcp(source, name, 41000 + number, port, F.SYN | flags, b"")
            yield F.tcp(source, name, 42000 + number, port, F.SYN | flags, b"let me in")


def reachable(guest: Guest) -> bool:
    """The network works otherwise: a test against a dead daemon would prove nothing."""
    out = guest.run("curl", "-s", "-m", "20", http_url(INTERNET4, "hello"), check=False)
    return out.stdout == "hello\n"


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=("tcp", "udp", "icmp"))
@pytest.mark.parametrize("name", NAMES4 + NAMES6)
def test_no_name_reaches_the_host_s_loopback(guest: Guest, loopback: Loopback, name: str,
                                             protocol: int) -> None:
    with hostile(guest, "--disable-host-loopback") as port:
        for packet in packets_to(name, loopback.ports, protocol):
            port.send_ip(packet)
        assert loopback.arrivals() == []
        assert reachable(guest)


@pytest.mark.parametrize("name", ("224.0.0.1", "224.0.0.251", "239.255.255.250", "ff02::1",
                                  "ff05::2", "ff0e::1"))
def test_multicast_is_not_heard_on_the_host(guest: Guest, loopback: Loopback, name: str) -> None:
    """The kernel hands a copy of what is sent to a group back to the sender's own listeners."""
    listening_to_groups(loopback, name)
    with hostile(guest, "--disable-host-loopback") as port:
        for packet in packets_to(name, loopback.ports, F.UDP):
            port.send_ip(packet)
        assert loopback.arrivals() == []
        assert reachable(guest)


# --- that the tests above can fail -------------------------------------------------------------


@pytest.mark.parametrize("protocol", (F.TCP, F.UDP), ids=("tcp", "udp"))
@pytest.mark.parametrize("name", ("10.0.2.2", "fd00::2"))
def test_gateway_is_the_host_s_loopback_without_the_option(guest: Guest, loopback: Loopback,
                                                           name: str, protocol: int) -> None:
    with hostile(guest) as port:
        for packet in packets_to(name, loopback.ports, protocol):
            port.send_ip(packet)
        kind = "SOCK_STREAM" if protocol == F.TCP else "SOCK_DGRAM"
        seen = loopback.arrivals()
        for number in loopback.ports:
            assert any(re.match(rf"{kind} at \('[^']*', {number}\b", line) for line in seen), number
    assert any(line.startswith("on lo") for line in seen)


@pytest.mark.parametrize("name", ("10.0.2.2", "fd00::2"))
def test_connection_through_the_gateway_without_the_option(guest: Guest, name: str) -> None:
    """Not only a SYN: what podman's host.containers.internal needs."""
    if ":" in name:
        address = "::1"
    else:
        address = "127.0.0.1"
    with listener(Lab.host_netns, address) as server:
        serve(server, lambda connection: connection.sendall(recv_all(connection)))
        with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"):
            if ":" in name:
                guest.wait_ipv6()
            with guest.connect(name, server.getsockname()[1]) as client:
                client.sendall(b"there and back")
                client.shutdown(socket.SHUT_WR)
                assert recv_all(client) == b"there and back"


# --- shapes that a simple check of the first header misses ------------------------------------


def wrapped6(name: str, protocol: int, payload: bytes) -> list[bytes]:
    """The payload behind extension headers."""
    options = bytes([protocol, 0, 1, 4, 0, 0, 0, 0])
    routing = struct.pack("!BBBBI", protocol, 2, 0, 1, 0) + F.addr(name)
    return [
        F.ip6(GUEST6, name, 0, options + payload),  # hop by hop
        F.ip6(GUEST6, name, 60, options + payload),  # destination options
        F.ip6(GUEST6, name, 0, bytes([60]) + options[1:] + options + payload),
        F.ip6(GUEST6, name, F.FRAGMENT6, F.fragment6(protocol, payload, ident=1, offset=0,
                                                     more=False)),  # atomic fragment
        F.ip6(GUEST6, INTERNET6, 43, routing + payload),  # routed on to the name
    ]


def wrapped4(name: str, protocol: int, payload: bytes) -> list[bytes]:
    """The payload behind options, and inside another packet."""
    source_route = bytes([131, 7, 4]) + F.addr(name) + b"\0"
    inner = F.ip4(GUEST4, name, protocol, payload)
    return [
        F.ip4(GUEST4, name, protocol, payload, options=b"\1" * 40),
        F.ip4(GUEST4, INTERNET4, protocol, payload, options=source_route),
        F.ip4(GUEST4, INTERNET4, 4, inner),
        F.ip4(GUEST4, name, protocol, payload, ttl=0),
        F.ip4(GUEST4, name, protocol, payload, ttl=1),
    ]


def in_pieces(name: str, protocol: int, payload: bytes) -> Iterator[bytes]:
    """Fragments of eight bytes, so that ports and flags are in different ones, both orders."""
    cut, source = (F.fragments6, GUEST6) if ":" in name else (F.fragments4, GUEST4)
    yield from cut(source, name, protocol, payload, 8, 77)
    yield from reversed(cut(source, name, protocol, payload, 8, 78))


def rewritten(name: str, port: int) -> Iterator[bytes]:
    """A UDP header for a harmless port, overlapped by one for the wanted port."""
    cut, source = (F.fragments6, GUEST6) if ":" in name else (F.fragments4, GUEST4)
    harmless = cut(source, name, F.UDP, F.udp(source, name, 40000, DNS_PORT, b"x" * 24), 8, 79)
    wanted = cut(source, name, F.UDP, F.udp(source, name, 40000, port, b"x" * 24), 8, 79)
    yield from (harmless[0], wanted[0], *harmless[1:])
    yield from (wanted[0], harmless[0], *harmless[1:])


@pytest.mark.parametrize("name", ("10.0.2.2", "10.0.2.3", "127.0.0.1", "fd00::2", "fd00::3",
                                  "::1"))
def test_no_wrapping_reaches_the_host_s_loopback(guest: Guest, loopback: Loopback,
                                                 name: str) -> None:
    source, wrap = (GUEST6, wrapped6) if ":" in name else (GUEST4, wrapped4)
    with hostile(guest, "--disable-host-loopback") as raw:
        for number in loopback.ports:
            for protocol in PROTOCOLS:
                payload = F.l4(source, name, protocol, 40000, number)
                if protocol == F.ICMP and ":" in name:
                    protocol = F.ICMP6
                for packet in (*wrap(name, protocol, payload),
                               *in_pieces(name, protocol, payload)):
                    raw.send_ip(packet)
            for packet in rewritten(name, number):
                raw.send_ip(packet)
        assert loopback.arrivals() == []
        assert reachable(guest)


@pytest.mark.parametrize("name", ("10.0.2.2", "fd00::2"))
def test_no_segment_out_of_the_blue_reaches_the_host_s_loopback(guest: Guest, loopback: Loopback,
                                                                name: str) -> None:
    """Anything but a SYN first, then a SYN on the ports that it may have made known."""
    source = GUEST6 if ":" in name else GUEST4
    with hostile(guest, "--disable-host-loopback") as raw:
        for number in loopback.ports:
            for flags in (F.ACK, F.FIN, F.RST, F.PSH | F.ACK, 0, F.FIN | F.ACK, F.SYN):
                segment = F.tcp(source, name, 40000, number, flags, b"x", ack=1)
                raw.send_ip(F.packet(source, name, F.TCP, segment)[0])
        assert loopback.arrivals() == []
        assert reachable(guest)


@pytest.mark.parametrize("server,family", (("10.0.2.3", "ipv4"), ("fd00::3", "ipv6")))
def test_built_in_dns_works_with_the_option(guest: Guest, tools: object, server: str,
                                            family: str) -> None:
    """The one thing at those addresses that stays open."""
    tools("dig")
    with Slirpd("--configure", "--enable-ipv6", "--disable-host-loopback", guest.pid, "tap0"):
        if family == "ipv6":
            guest.wait_ipv6()
        out = guest.run("dig", "+short", f"@{server}", WORD_NAME, check=False)
    assert out.stdout.strip() == INTERNET4


def test_deprecated_spelling_of_the_option_works(guest: Guest, loopback: Loopback) -> None:
    with hostile(guest, "--no-host-loopback") as raw:
        raw.send_ip(F.packet(GUEST4, "10.0.2.2", F.TCP,
                             F.tcp(GUEST4, "10.0.2.2", 40000, loopback.ports[0]))[0])
        assert loopback.arrivals() == []
