# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces: sockets, interfaces and addresses in them."""

from __future__ import annotations

import ctypes
import fcntl
import ipaddress
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from typing import Any

from commands import sh
from waiting import DEADLINE_S, wait_for

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
# Checksums, TCP segmentation for both families.
TUNSETOFFLOAD, TUN_F_ALL, TUNSETPERSIST = 0x400454D0, 0x07, 0x400454CB
_libc = ctypes.CDLL(None, use_errno=True)


def _in_netns(netns: str, make: Callable[[], Any]) -> Any:
    """What make() returns in another network namespace.

    A descriptor stays in the namespace that it was made in, and setns() holds for one thread, so a
    short-lived thread is all that it takes to use a guest's network from within a test.
    """
    box: list[Any] = []

    def enter_and_make() -> None:
        try:
            with open(netns, "rb") as ns:
                if _libc.setns(ns.fileno(), CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, f"setns {netns}: {os.strerror(number)}")
            box.append(make())
        except OSError as error:
            box.append(error)

    thread = threading.Thread(target=enter_and_make)
    thread.start()
    thread.join()
    if isinstance(box[0], OSError):
        raise box[0]
    return box[0]


def socket_in(netns: str, *args: int) -> socket.socket:
    """socket.socket(*args) in another network namespace."""
    made = _in_netns(netns, lambda: socket.socket(*args))
    made.settimeout(DEADLINE_S)
    return made


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def make_tap(netns: str, name: str, flags: int = 0) -> int:
    """Makes a TAP in a namespace; the interface lives as long as the returned descriptor."""
    def make() -> int:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                           IFF_TAP | IFF_NO_PI | flags))
        return fd

    return _in_netns(netns, make)


def up_without_dad(inside: Iterable[str], device: str, address6: str) -> None:
    """Brings an interface up that is not to try out whether somebody has its addresses already
    (RFC 4862), which takes a second or two; `inside` is the command that goes to it. A machine that
    switches IPv6 off by sysctl or at its boot (ipv6.disable_ipv6=1) may do so in new namespaces too."""
    sh(*inside, "sh", "-c", f"cd /proc/sys/net/ipv6/conf/{device} && echo 0 >accept_dad && "
       "echo 0 >disable_ipv6")
    sh(*inside, "ip", "addr", "add", address6, "dev", device, "nodad")
    sh(*inside, "ip", "link", "set", device, "up")


def wait_link_local(inside: Iterable[str], device: str) -> None:
    """Its own address is there at last: IPv6 works then. A router asks by it for the neighbour
    that somebody else's packet is for, and without it gives the packet up after three seconds."""
    wait_for(f"{device} has its link-local address", lambda: sh(
        *inside, "ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link",
        "-tentative").stdout)


def network_addresses(cidr: str) -> dict[str, str]:
    """The addresses that clients compute from a CIDR."""
    base = ipaddress.ip_network(cidr).network_address
    return {name: str(base + n) for name, n in
            (("gateway", 2), ("dns", 3), ("dhcp_first", 15), ("dhcp_last", 30), ("guest", 100))}
