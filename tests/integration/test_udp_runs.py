# SPDX-License-Identifier: BSD-2-Clause
"""Bursts of UDP: the worker and the kernels hand datagrams of one flow on together, and each still
arrives once, whole and in its order."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import frames as F
import kernel
import pytest
from commands import sh
from daemon import Slirpd
from forwarding import HOST, INTERNET, families
from guest import Guest
from lab import INTERNET4, Lab
from nested import Nested
from netns import family_of, socket_in
from processes import stopped
from servers import udp_socket
from waiting import wait_for

pytestmark = pytest.mark.usefixtures("lab")

# Several batches of the worker, and less than the TAP's queue.
N_DATAGRAMS = 70
# linux/udp.h: the length at which the kernel cuts what is sent.
SOL_UDP, UDP_SEGMENT = 17, 103
# A sender of QUIC: what it sends in one call, and how often.
PIECE, N_PIECES, N_SENDS = 1200, 40, 100
FRAMES = {"out": "from_guest", "in": "to_guest"}
BAR_OFFLOADS = ["/usr/bin/python3", str(Path(__file__).parents[1] / "lib" / "bar_ioctl.py"),
                "TUNSETOFFLOAD=EINVAL"]
# Longer than the narrow uplink's, but not than the guest's interface takes.
UPLINK_MTU, NARROW_MTU, WIDE_DATA = 1500, 1280, 1400


@contextlib.contextmanager
def flow(guest: Guest, family: int) -> Iterator[tuple[socket.socket, socket.socket, tuple]]:
    """A guest's socket, a server in the internet, and the address that it sees the guest by."""
    with udp_socket(Lab.internet_netns, INTERNET[family]) as server, guest.connect(
            INTERNET[family], server.getsockname()[1], socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        client.send(b"first")
        yield client, server, server.recvfrom(100)[1]


def datagrams(lengths: list[int]) -> list[bytes]:
    """Of these lengths; no two that follow each other are alike."""
    return [random.Random(i).randbytes(length) for i, length in enumerate(lengths)]


def lengths_of_all_sorts() -> list[int]:
    rng = random.Random(7)
    return [length for _ in range(N_DATAGRAMS // 7) for length in
            (*[rng.choice((1, 64, 1200, 1400))] * 5, rng.randint(0, 1400), 0)]


LENGTHS = {"equal": [1400] * N_DATAGRAMS, "short": [1] * N_DATAGRAMS, "mixed": lengths_of_all_sorts()}


def received(server: socket.socket, count: int) -> list[bytes]:
    return [server.recv(65536) for _ in range(count)]


def nothing_more(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        server.recv(1)
    except BlockingIOError:
        return True
    return False


@families
@pytest.mark.parametrize("sort", LENGTHS)
def test_burst_goes_out_once_and_in_order(guest: Guest, network: Slirpd, family: int, sort: str) -> None:
    sent = datagrams(LENGTHS[sort])
    with flow(guest, family) as (client, server, _), flow(guest, family) as (other, other_server, _):
        with stopped(network.children()["slirp-worker"]):
            for data in sent:
                client.send(data)
                other.send(data[::-1])
        assert received(server, len(sent)) == sent
        assert received(other_server, len(sent)) == [data[::-1] for data in sent]
        assert nothing_more(server) and nothing_more(other_server)


@pytest.fixture(params=("offloads", "none"))
def either(request: pytest.FixtureRequest, guest: Guest) -> Iterator[Slirpd]:
    """A network whose TAP has offloads, and one on a kernel that has none."""
    prefix = BAR_OFFLOADS if request.param == "none" else []
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0", prefix=prefix) as daemon:
        yield daemon


@families
@pytest.mark.parametrize("sort", LENGTHS)
def test_burst_comes_in_once_and_in_order(guest: Guest, either: Slirpd, family: int, sort: str) -> None:
    sent = datagrams(LENGTHS[sort])
    with flow(guest, family) as (client, server, seen), flow(guest, family) as (other, other_server, peer):
        # The second burst meets sockets for which the kernel joins datagrams.
        for data in (sent, sent[::-1]):
            with stopped(either.children()["slirp-worker"]):
                for each in data:
                    server.sendto(each, seen)
                    other_server.sendto(each[::-1], peer)
            assert received(client, len(sent)) == data
            assert received(other, len(sent)) == [each[::-1] for each in data]
            assert nothing_more(client) and nothing_more(other)
            client.setblocking(True)
            other.setblocking(True)


def carry(source: socket.socket, sink: socket.socket, back: tuple) -> None:
    """Sends as QUIC does, many datagrams by one call. Each call waits for the last one's to arrive:
    a network may lose what is more."""
    source.setsockopt(SOL_UDP, UDP_SEGMENT, PIECE)
    for i in range(N_SENDS):
        data = random.Random(i).randbytes(PIECE * N_PIECES - i)
        assert source.sendto(data, back) == len(data)
        assert received(sink, N_PIECES) == [data[at:at + PIECE] for at in range(0, len(data), PIECE)]


@families
@pytest.mark.parametrize("place", ("guest", "container"))
@pytest.mark.parametrize("way", ("out", "in"))
def test_datagrams_that_the_kernel_cuts(guest: Guest, either: Slirpd, tools: Callable, family: int,
                                        place: str, way: str, request: pytest.FixtureRequest) -> None:
    tools("nft")
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(Nested(guest, 1500)).netns if place == "container" else guest.netns
        server = stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[family]))
        client = stack.enter_context(socket_in(netns, family_of(INTERNET[family]), socket.SOCK_DGRAM))
        client.connect(server.getsockname())
        client.send(b"first")
        seen = server.recvfrom(100)[1]
        before = either.counters()
        if way == "out":
            carry(client, server, server.getsockname())
        else:
            carry(server, client, seen)
        counters = either.counters()
        assert counters["tap_write_failed"] == 0
        n_frames = counters[f"frames_{FRAMES[way]}"] - before[f"frames_{FRAMES[way]}"]
        n_bytes = counters[f"bytes_{FRAMES[way]}"] - before[f"bytes_{FRAMES[way]}"]
        has_uso = kernel.HAS_USO and request.node.callspec.params["either"] == "offloads"
        assert (n_bytes / n_frames > 10 * PIECE) == has_uso


def virtio_header(gso_size: int, start: int = 34) -> bytes:
    """Of a frame with several datagrams, whose checksum the kernel left out."""
    return struct.pack("<BBHHHH", 1, 5, start + 8, gso_size, start, 6)


@contextlib.contextmanager
def raw_sender(guest: Guest) -> Iterator[Callable[[bytes, str, int, int, bytes], None]]:
    """Sends frames that the test has written itself, with their virtio headers."""
    with socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(263, 15, 1)  # SOL_PACKET, PACKET_VNET_HDR
        sock.bind(("tap0", 0))
        mac = ":".join(f"{octet:02x}" for octet in sock.getsockname()[4])

        def send(virtio: bytes, source: str, source_port: int, to: tuple[str, int], data: bytes) -> None:
            datagram = F.udp(source, to[0], source_port, to[1], data)
            sock.send(virtio + F.ethernet(F.ip4(source, to[0], F.UDP, datagram), F.ETH_IP4, mac))
        yield send


@pytest.mark.skipif(not kernel.HAS_USO, reason="this kernel cuts datagrams before the TAP")
def test_frames_of_many_datagrams_that_lie(guest: Guest, network: Slirpd) -> None:
    """One frame must not stand for tens of thousands of datagrams, nor for several DHCP requests."""
    with udp_socket(Lab.internet_netns, INTERNET4) as server, raw_sender(guest) as send:
        to = server.getsockname()
        send(virtio_header(10), "10.0.2.100", 5000, to, bytes(range(95)))
        assert received(server, 10)[-1] == bytes(range(90, 95))
        # The kernel lets 128 pass, or 64, or cuts all.
        with contextlib.suppress(OSError):
            send(virtio_header(1), "10.0.2.100", 5000, to, bytes(1400))
        request = F.dhcp("02:00:00:00:00:01")
        send(virtio_header(100), "0.0.0.0", 68, ("255.255.255.255", 67), request)
        wait_for("the request is dropped", lambda: network.counters().get("offload_kind") == 1)
        send(virtio_header(10), "10.0.2.100", 5000, to, b"end")
        while server.recv(65536) != b"end":
            pass


@contextlib.contextmanager
def narrow_uplink() -> Iterator[None]:
    sh("ip", "link", "set", "uplink", "mtu", str(NARROW_MTU))
    try:
        yield
    finally:
        sh("ip", "link", "set", "uplink", "mtu", str(UPLINK_MTU))


@families
def test_burst_that_is_too_long_for_the_uplink_arrives(guest: Guest, network: Slirpd, family: int) -> None:
    """The kernel refuses to cut a run of such datagrams (EMSGSIZE), and fragments each by itself."""
    sent = datagrams(([WIDE_DATA] * 10 + [100] * 10) * 3)
    with flow(guest, family) as (client, server, _), narrow_uplink():
        with stopped(network.children()["slirp-worker"]):
            for data in sent:
                client.send(data)
        assert received(server, len(sent)) == sent
        assert nothing_more(server)


def port_unreachable(host_port: int, server: socket.socket) -> None:
    """A host in the internet says that nobody has the server's port."""
    source, to = (socket.inet_aton(INTERNET[4]), socket.inet_aton(HOST[4]))
    quoted = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 33, 1, 0, 64, socket.IPPROTO_UDP, 0, to, source)
    quoted += struct.pack(">HHHH", host_port, server.getsockname()[1], 13, 0) + b"first"
    error = struct.pack(">BBHI", 3, 3, 0, 0) + quoted
    error = error[:2] + struct.pack(">H", F.checksum(error)) + error[4:]
    with socket_in(Lab.internet_netns, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.sendto(error, (HOST[4], 0))


def n_icmp_errors() -> int:
    """Those that have come to the host (proc(5), /proc/net/snmp)."""
    with open("/proc/net/snmp", encoding="ascii") as file:
        names, values = (line.split() for line in file if line.startswith("Icmp:"))
    return int(values[names.index("InDestUnreachs")])


def test_error_of_an_earlier_datagram_costs_a_burst_nothing(guest: Guest, network: Slirpd,
                                                            tools: Callable) -> None:
    sent = datagrams([1000] * N_DATAGRAMS)
    with flow(guest, 4) as (client, server, seen):
        with stopped(network.children()["slirp-worker"]):
            for data in sent:
                client.send(data)
            before = n_icmp_errors()
            port_unreachable(seen[1], server)
            wait_for("the error is at the host", lambda: n_icmp_errors() > before)
        assert received(server, len(sent)) == sent
        assert nothing_more(server)
        with pytest.raises(ConnectionRefusedError):
            wait_for("the guest has the error", lambda: client.send(b"") and False)


def test_burst_to_a_group_arrives(guest: Guest, network: Slirpd) -> None:
    """A socket that is not connected takes one datagram for each call."""
    group, sent = "239.1.2.3", datagrams([500] * N_DATAGRAMS)
    with udp_socket(Lab.internet_netns, "0.0.0.0") as member, guest.open_socket(
            socket.AF_INET, socket.SOCK_DGRAM) as client:
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                          socket.inet_aton(group) + socket.inet_aton(INTERNET[4]))
        client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
        client.connect((group, member.getsockname()[1]))
        with stopped(network.children()["slirp-worker"]):
            for data in sent:
                client.send(data)
        assert received(member, len(sent)) == sent
        assert nothing_more(member)
