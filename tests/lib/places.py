# SPDX-License-Identifier: BSD-2-Clause
"""Places in a guest that a program may use the network from: the guest's own interface, and
containers of the guest behind routing or behind a bridge."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from commands import sh
from guest import Guest
from netns import family_of, socket_in

PLACES = ("own", "routed", "bridged")

# The network between the guest and a container that it routes for.
INNER4, OUTER4 = "10.88.0.2", "10.88.0.1"
INNER6, OUTER6 = "fd88::2", "fd88::1"

# A container at the bridge is a neighbour of the guest, in slirpd's own network.
BRIDGED4, GATEWAY4 = "10.0.2.101", "10.0.2.2"
BRIDGED6, GATEWAY6 = "fd00::101", "fd00::2"


class Place:
    """A network namespace of the guest, and the process that it is named by."""

    def __init__(self, name: str, pid: int, device: str, address4: str) -> None:
        self.name = name
        self.pid = pid
        self.device = device
        self.address4 = address4

    @property
    def netns(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    def enter(self) -> list[str]:
        """The command prefix that runs a program there."""
        return ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(self.pid), "--"]

    def run(self, *argv: str) -> str:
        return sh(*self.enter(), *argv).stdout

    def open_socket(self, *args: int) -> socket.socket:
        return socket_in(self.netns, *args)

    def connect(self, address: str, port: int) -> socket.socket:
        sock = self.open_socket(family_of(address), socket.SOCK_STREAM)
        try:
            sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return sock


@contextlib.contextmanager
def namespace_in(guest: Guest) -> Iterator[subprocess.Popen[bytes]]:
    """A process with a network namespace of its own, below the guest's user namespace."""
    with guest.start("unshare", "--net", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            process.stdin.write(b"\n")
            process.stdin.flush()
            assert process.stdout.read(1) == b"\n"
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def place_in(guest: Guest, name: str, mtu: int = 1500,
             link: Callable[[str], AbstractContextManager[object]] | None = None) -> Iterator[Place]:
    """The place of that name. slirpd has configured the guest, with IPv6 if the MTU allows it. A container
    has a veth, or what link() makes between the guest's veth0 and eth0 of a namespace."""
    if name == "own":
        yield Place(name, guest.pid, "tap0", "10.0.2.100")
        return
    with namespace_in(guest) as process, contextlib.ExitStack() as stack:
        place = Place(name, process.pid, "eth0", INNER4 if name == "routed" else BRIDGED4)
        if link:
            stack.enter_context(link(place.netns))
        else:
            guest.run("ip", "link", "add", "veth0", "mtu", str(mtu), "type", "veth", "peer", "name", "eth0",
                      "mtu", str(mtu), "netns", str(place.pid))
        join: Any = _route if name == "routed" else _bridge
        join(guest, place, mtu)
        yield place


def _route(guest: Guest, place: Place, mtu: int) -> None:
    """As rootless Docker: the guest forwards, and the container hides behind its address."""
    guest.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    guest.run("nft", "table inet nat { chain post { type nat hook postrouting priority 100; "
              "oifname tap0 masquerade; }; }")
    guest.run("ip", "addr", "add", f"{OUTER4}/24", "dev", "veth0")
    if mtu >= 1280:
        # A router asks for a neighbour by its link-local address, which is there at once without DAD.
        guest.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.veth0.accept_dad=0")
        guest.run("ip", "addr", "add", f"{OUTER6}/64", "dev", "veth0", "nodad")
    guest.run("ip", "link", "set", "veth0", "up")
    _configure(place, mtu, (f"{INNER4}/24", OUTER4), (f"{INNER6}/64", OUTER6))


def _bridge(guest: Guest, place: Place, mtu: int) -> None:
    """The TAP is a port of a bridge, and the container has an address and a MAC of its own."""
    guest.run("ip", "link", "add", "br0", "mtu", str(mtu), "type", "bridge")
    guest.run("ip", "addr", "flush", "dev", "tap0")
    for port in ("tap0", "veth0"):
        guest.run("ip", "link", "set", port, "master", "br0", "up")
    guest.run("ip", "link", "set", "br0", "up")
    _configure(place, mtu, (f"{BRIDGED4}/24", GATEWAY4), (f"{BRIDGED6}/64", GATEWAY6))


def _configure(place: Place, mtu: int, ipv4: tuple[str, str], ipv6: tuple[str, str]) -> None:
    place.run("ip", "link", "set", "lo", "up")
    place.run("ip", "addr", "add", ipv4[0], "dev", "eth0")
    if mtu >= 1280:
        place.run("ip", "addr", "add", ipv6[0], "dev", "eth0", "nodad")
    place.run("ip", "link", "set", "eth0", "up")
    place.run("ip", "route", "add", "default", "via", ipv4[1])
    if mtu >= 1280:
        place.run("ip", "-6", "route", "add", "default", "via", ipv6[1])
