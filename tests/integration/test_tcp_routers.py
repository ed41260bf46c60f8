# SPDX-License-Identifier: BSD-2-Clause
"""Downloads by TCP to a container whose link is two routers away and takes
shorter packets than the guest's interface: the second router says so (RFC 8201)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6
from places import INNER4, INNER6, Place, namespace_in, place_in
from waiting import DEADLINE_S

# The last link: between IPv6's smallest MTU and the guest's.
NARROW_MTU = 1300
FAR4, NEAR4 = "10.89.0.2", "10.89.0.1"
BYTES = 8_000_000

# Without address translation, the container has an address of slirpd's own network.
PLAIN6, PLAIN6_NEAR, PLAIN6_NET = "fd00::c:2", "fd00::c:1", "fd00::c:0/112"
FAR6, NEAR6, FAR6_NET = "fd89::2", "fd89::1", "fd89::/64"


@contextlib.contextmanager
def two_hops(guest: Guest, far6: str, near6: str, net6: str) -> Iterator[Place]:
    """A container at a router that is a container itself."""
    with place_in(guest, "routed") as router, namespace_in(guest) as process:
        place = Place("two-hops", process.pid, "eth0", FAR4)
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        # The container does not know that the way to it is narrow.
        router.run("ip", "link", "add", "veth1", "mtu", str(NARROW_MTU), "type", "veth", "peer", "name",
                   "eth0", "mtu", "1500", "netns", str(place.pid))
        length = net6.split("/")[1]
        router.run("ip", "addr", "add", f"{NEAR4}/24", "dev", "veth1")
        router.run("ip", "addr", "add", f"{near6}/{length}", "dev", "veth1", "nodad")
        router.run("ip", "link", "set", "veth1", "up")
        place.run("ip", "addr", "add", f"{FAR4}/24", "dev", "eth0")
        place.run("ip", "addr", "add", f"{far6}/{length}", "dev", "eth0", "nodad")
        place.run("ip", "link", "set", "eth0", "up")
        place.run("ip", "route", "add", "default", "via", NEAR4)
        place.run("ip", "-6", "route", "add", "default", "via", near6)
        guest.run("ip", "route", "add", f"{FAR4}/32", "via", INNER4)
        guest.run("ip", "-6", "route", "add", net6, "via", INNER6)
        yield place


CASES = {
    "ipv6-translated": (INTERNET6, FAR6, NEAR6, FAR6_NET),
    "ipv6-plain": (INTERNET6, PLAIN6, PLAIN6_NEAR, PLAIN6_NET),
    # Routers cut these: the segments may be fragmented.
    "ipv4-translated": (INTERNET4, FAR6, NEAR6, FAR6_NET),
}


@pytest.mark.parametrize("case", CASES)
def test_download_behind_a_link_with_a_smaller_mtu(guest: Guest, tools: Callable[..., None],
                                                   case: str) -> None:
    tools("nft")
    address, *far = CASES[case]
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"), two_hops(guest, *far) as there:
        if case == "ipv6-plain":
            guest.run("nft", "delete", "table", "inet", "nat")
        T.assert_equal(there.netns, address, "in", BYTES, stall_s=DEADLINE_S)
