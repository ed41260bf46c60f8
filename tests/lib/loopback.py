# SPDX-License-Identifier: BSD-2-Clause
"""The host's loopback: its names, listeners there, and a packet socket on `lo`."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator

import frames as F
from lab import SETTLED, Lab, settle_loopback
from netns import family_of
from servers import listener, udp_socket

GUEST6 = "fd00::1234"
# Every way to name the host's loopback that a guest has, and some that it hopes to have.
NAMES4 = ("10.0.2.2", "10.0.2.3", "10.0.2.0", "10.0.2.1", "10.0.2.15", "10.0.2.77", "10.0.2.100",
          "10.0.2.255", "127.0.0.1", "127.0.0.53", "127.255.255.255", "0.0.0.0", "0.0.0.1",
          "255.255.255.255", "240.0.0.1", "169.254.0.1")
NAMES6 = ("fd00::2", "fd00::3", "fd00::", "fd00::1", "fd00::77", GUEST6,
          "fd00::ffff:ffff:ffff:ffff", "fe80::2", "fe80::3", "ff02::1", "ff02::2", "ff01::1",
          "ff05::1", "::1", "::", "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:10.0.2.2",
          "::ffff:0.0.0.0", "64:ff9b::127.0.0.1", "2002:7f00:1::1")


class Loopback:
    """Listeners of both kinds on the host's loopback and on any-address, and an ear on `lo`.

    The host's other address is on `uplink`, which the guest may reach; so nothing that arrives
    over `lo` may come from the guest.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self._listeners: list[socket.socket] = []
        self.ports: list[int] = []

    def __enter__(self) -> Loopback:
        for v4, v6 in (("127.0.0.1", "::1"), ("0.0.0.0", "::")):
            self._listen(v4, v6)
        self._ear = self._stack.enter_context(
            socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
        self._ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._ear.bind(("lo", 3))  # ETH_P_ALL
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _listen(self, v4: str, v6: str) -> None:
        """One port number for TCP and UDP of both families."""
        here = Lab.host_netns
        first = self._stack.enter_context(listener(here, v4))
        port = first.getsockname()[1]
        self.ports.append(port)
        self._listeners += [
            first, self._stack.enter_context(listener(here, v6, port)),
            self._stack.enter_context(udp_socket(here, v4, port)),
            self._stack.enter_context(udp_socket(here, v6, port))]
        for sock in self._listeners:
            sock.setblocking(False)

    def udp(self, family: int) -> list[socket.socket]:
        return [sock for sock in self._listeners
                if sock.type == socket.SOCK_DGRAM and sock.family == family]

    def arrivals(self) -> list[str]:
        """What has arrived since the last call, a line each. Nothing is under way any more, as
        far as the daemon has sent it."""
        settle_loopback()
        seen = [text for sock in self._listeners for text in _taken(sock)]
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, where = self._ear.recvfrom(2048, socket.MSG_DONTWAIT)
                if where[2] != socket.PACKET_OUTGOING and SETTLED not in frame:
                    seen.append(f"on lo: {frame[:60].hex()}")
        return seen


def _taken(sock: socket.socket) -> Iterator[str]:
    """The connections or datagrams that wait at one listener."""
    with contextlib.suppress(BlockingIOError):
        while True:
            if sock.type == socket.SOCK_STREAM:
                connection, peer = sock.accept()
                connection.close()
            else:
                _, peer = sock.recvfrom(2048)
            yield f"{sock.type.name} at {sock.getsockname()} from {peer}"


def listening_to_groups(loopback: Loopback, name: str) -> None:
    """Joins the group, as a resolver or a media server of the host would; not on `lo`, where
    the report of it would be heard by the ear."""
    group = F.addr(name)
    for number in (index for index, device in socket.if_nameindex() if device != "lo"):
        for sock in loopback.udp(family_of(name)):
            if len(group) == 4:
                request = group + bytes(4) + struct.pack("=i", number)
                sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
            else:
                request = group + struct.pack("=i", number)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
