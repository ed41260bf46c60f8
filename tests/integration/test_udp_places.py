# SPDX-License-Identifier: BSD-2-Clause
"""UDP of containers of the guest, behind routing with address translation and behind a bridge."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from commands import sh
from forwarding import ANY, HOST, INTERNET, families, forwarding, plain
from guest import Guest
from daemon import Slirpd
from lab import CLOSED_PORT, ECHO_PORT, Lab
from places import BRIDGED4, BRIDGED6, INNER4, INNER6, Place, place_in
from servers import udp_socket
from waiting import wait_for

# One byte around what a packet holds, one around two fragments, and the longest.
SIZES = (0, 1, 1452, 1453, 1472, 1473, 9000, 65506, 65507)
UPLINK_MTU, NARROW_MTU = 1500, 1300
# linux/in.h, linux/in6.h: IP_MTU_DISCOVER and IP_PMTUDISC_DO.
MTU_DISCOVER, DO = {4: 10, 6: 23}, 2
ADDRESS = {("routed", 4): INNER4, ("routed", 6): INNER6, ("bridged", 4): BRIDGED4, ("bridged", 6): BRIDGED6}
N_PEERS, N_TURNS = 10, 3

behind = pytest.mark.parametrize("name", ("routed", "bridged"))
pytestmark = pytest.mark.usefixtures("lab")


@contextlib.contextmanager
def client_in(place: Place, family: int, port: int) -> Iterator[socket.socket]:
    """A connected socket of the container."""
    with udp_socket(place.netns, plain(ANY[family])) as client:
        client.connect((INTERNET[family], port))
        yield client


@contextlib.contextmanager
def behind_guest(guest: Guest, tools: Callable, name: str) -> Iterator[Place]:
    tools("nft")
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"), place_in(guest, name) as place:
        yield place


def error_of(client: socket.socket) -> int:
    """Sends until an error has come back."""
    found: list[int] = []

    def send() -> bool:
        try:
            client.send(b"x")
        except OSError as error:
            found.append(error.errno)
        return bool(found)

    wait_for("an error", send)
    return found[0]


@behind
@families
def test_echo_of_every_size(guest: Guest, tools: Callable, name: str, family: int) -> None:
    with behind_guest(guest, tools, name) as place, client_in(place, family, ECHO_PORT) as client:
        for size in SIZES:
            data = bytes(number % 251 for number in range(size))
            client.send(data)
            assert client.recv(65536) == data, size


@behind
@families
def test_port_that_nobody_has(guest: Guest, tools: Callable, name: str, family: int) -> None:
    with behind_guest(guest, tools, name) as place, client_in(place, family, CLOSED_PORT) as client:
        assert error_of(client) == errno.ECONNREFUSED


@behind
@families
def test_datagram_that_is_too_long_for_the_hosts_network(guest: Guest, tools: Callable, name: str,
                                                         family: int) -> None:
    """Linux forbids to cut whatever fits its own interface, which is not the host's: the host cuts it
    all the same."""
    sh("ip", "link", "set", "uplink", "mtu", str(NARROW_MTU))
    try:
        with (behind_guest(guest, tools, name) as place,
              udp_socket(Lab.internet_netns, INTERNET[family]) as server,
              client_in(place, family, server.getsockname()[1]) as client):
            client.setsockopt(socket.IPPROTO_IPV6 if family == 6 else socket.IPPROTO_IP,
                              MTU_DISCOVER[family], DO)
            data = b"x" * NARROW_MTU
            client.send(data)
            # The way back is as narrow, and an end of a veth drops what is too long for the other.
            assert server.recvfrom(65536)[0] == data
    finally:
        sh("ip", "link", "set", "uplink", "mtu", str(UPLINK_MTU))


@behind
@families
def test_two_forwards_with_ten_peers_each(guest: Guest, tools: Callable, name: str, family: int) -> None:
    """Interleaved, so that each answer has to find its peer. Behind routing the guest hands on what
    comes to its own ports."""
    tools("nft")
    to, address = "", ADDRESS[name, family]
    if name == "bridged":
        to = f"{address}:" if family == 4 else f"[{address}]:"
    with (forwarding(guest, *(f"{ANY[family]}:{8080 + i}:{to}{5300 + i}/udp" for i in (0, 1))),
          place_in(guest, name) as place, contextlib.ExitStack() as stack):
        if name == "routed":
            ip, shown = ("ip", address) if family == 4 else ("ip6", f"[{address}]")
            guest.run("nft", f"table {ip} forwards {{ chain pre {{ type nat hook prerouting priority -100; "
                      f"udp dport 5300 dnat to {shown}:5300; udp dport 5301 dnat to {shown}:5301; }}; }}")
        servers = [stack.enter_context(udp_socket(place.netns, plain(ANY[family]), 5300 + i))
                   for i in (0, 1)]
        peers = [(stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[family])), number)
                 for _ in range(N_PEERS) for number in (0, 1)]
        for turn in range(N_TURNS):
            for index, (peer, number) in enumerate(peers):
                peer.sendto(struct.pack("II", turn, index), (HOST[family], 8080 + number))
            for server in servers:
                for _ in range(N_PEERS):
                    data, seen = server.recvfrom(100)
                    assert seen[0] == INTERNET[family]
                    server.sendto(data, seen)
            for index, (peer, number) in enumerate(peers):
                data, seen = peer.recvfrom(100)
                assert (data, seen[:2]) == (struct.pack("II", turn, index), (HOST[family], 8080 + number))
