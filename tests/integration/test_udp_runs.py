# SPDX-License-Identifier: BSD-2-Clause
"""Bursts of UDP: the worker hands datagrams of one flow to the kernel together, and each still
arrives once, whole and in its order."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from commands import sh
from daemon import Slirpd
from forwarding import HOST, INTERNET, families
from frames import checksum
from guest import Guest
from lab import Lab
from netns import socket_in
from processes import stopped
from servers import udp_socket
from waiting import wait_for

pytestmark = pytest.mark.usefixtures("lab")

# Several batches of the worker, and less than the TAP's queue.
N_DATAGRAMS = 70
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
    error = error[:2] + struct.pack(">H", checksum(error)) + error[4:]
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
