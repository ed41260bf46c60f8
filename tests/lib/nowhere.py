# SPDX-License-Identifier: BSD-2-Clause
"""Peers of a guest that a connection to fails, each in its own way; and those behind a router."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from commands import sh
from lab import CLOSED_PORT, INTERNET4, INTERNET6, UNREACHABLE4, UNREACHABLE6, Lab
from netns import up_without_dad, wait_link_local

# Addresses that no machine has in the host's network, and addresses without a route.
ABSENT4, ABSENT6 = "203.0.113.77", "2001:db8:1::77"
NO_NETWORK4, NO_NETWORK6 = "198.51.100.1", "2001:db8:3::1"
SILENT_PORT = 4444

# What a connection goes to, and the errno that a program of the host sees.
TARGETS = {
    "closed port": ("ECONNREFUSED", (INTERNET4, CLOSED_PORT), (INTERNET6, CLOSED_PORT)),
    "unreachable host": ("EHOSTUNREACH", (UNREACHABLE4, 80), (UNREACHABLE6, 80)),
    "absent host": ("EHOSTUNREACH", (ABSENT4, 80), (ABSENT6, 80)),
    "unreachable network": ("ENETUNREACH", (NO_NETWORK4, 80), (NO_NETWORK6, 80)),
    "silent host": ("ETIMEDOUT", (INTERNET4, SILENT_PORT), (INTERNET6, SILENT_PORT)),
}

# The program at the silent host's side gives up soon; all others are told before.
SILENT_MS, TOLD_MS = 1500, 20000

# The host asks three times for a neighbour; a second between them is the kernel's default.
NEIGHBOUR_MS = 200


def timeout_ms(target: str) -> int:
    return SILENT_MS if target == "silent host" else TOLD_MS


@contextlib.contextmanager
def nowhere(lab: Lab) -> Iterator[None]:
    """Makes the host and the internet such that TARGETS are what they are called."""
    with contextlib.ExitStack() as undo:
        for family, address in (((), NO_NETWORK4), (("-6",), NO_NETWORK6)):
            sh("ip", *family, "route", "add", "throw", address)
            undo.callback(sh, "ip", *family, "route", "del", "throw", address)
        for family in ("ipv4", "ipv6"):
            interval = Path(f"/proc/sys/net/{family}/neigh/uplink/retrans_time_ms")
            undo.callback(interval.write_text, interval.read_text())
            interval.write_text(f"{NEIGHBOUR_MS}\n")
        sh(*lab.in_internet(), "nft", "table inet silent { chain in { type filter hook input priority 0; "
           f"tcp dport {SILENT_PORT} drop; }}; }}")
        undo.callback(sh, *lab.in_internet(), "nft", "delete table inet silent")
        yield


FAR_NETNS, FAR4, FAR6 = "/run/netns/far", "198.51.100.2", "2001:db8:7::2"
FAR = ("ip", "netns", "exec", "far")


@contextlib.contextmanager
def far_away(lab: Lab) -> Iterator[None]:
    """A host behind a router: the internet forwards to a namespace of its own. Afterwards the host
    forgets what routers have told it."""
    inside = lab.in_internet()
    ends = ((inside, "to-far"), (FAR, "eth0"))
    sh("ip", "netns", "add", "far")
    try:
        sh(*inside, "ip", "link", "add", "to-far", "type", "veth", "peer", "name", "eth0",
           "netns", "far")
        for number, (end, device) in enumerate(ends, 1):
            sh(*end, "ip", "addr", "add", f"198.51.100.{number}/24", "dev", device)
            up_without_dad(end, device, f"2001:db8:7::{number}/64")
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            sh(*inside, "sh", "-c", f"echo 1 > /proc/sys/{name}")
        sh(*FAR, "ip", "route", "add", "default", "via", "198.51.100.1")
        sh(*FAR, "ip", "-6", "route", "add", "default", "via", "2001:db8:7::1")
        for end, device in ends:
            wait_link_local(end, device)
        yield
    finally:
        for name in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            sh(*inside, "sh", "-c", f"echo 0 > /proc/sys/{name}")
        sh(*inside, "ip", "link", "del", "to-far")
        sh("ip", "netns", "del", "far")
        for family in ((), ("-6",)):
            sh("ip", *family, "route", "flush", "cache")


def narrow_far_away(mtu: int) -> None:
    """Gives the link behind the router this MTU."""
    sh(*Lab.in_internet(), "ip", "link", "set", "to-far", "mtu", str(mtu))
    sh(*FAR, "ip", "link", "set", "eth0", "mtu", str(mtu))
