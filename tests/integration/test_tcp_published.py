# SPDX-License-Identifier: BSD-2-Clause
"""Streams and ends of connections that come in by forwards, to the guest
itself and to containers of it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import transfer as T
from conversations import assert_conversations
from daemon import Slirpd
from forwarding import from_internet, plain
from guest import Guest
from lab import HOST4, HOST6
from places import BRIDGED4, BRIDGED6, INNER4, INNER6, PLACES, place_in
from servers import listener
from tree import SANITIZED
from waiting import DEADLINE_S

PORT, SERVER_PORT = 8080, 80
ANY = {4: "0.0.0.0", 6: "[::]"}
GUEST = {4: "10.0.2.100", 6: "[fd00::100]"}
BRIDGED = {4: BRIDGED4, 6: f"[{BRIDGED6}]"}
FAMILIES = {HOST4: 4, HOST6: 6}

BYTES = 4_000_000 if SANITIZED else 1 << 24
BACKLOG = 1024


class Published:
    """Servers at a place, one of each family, and clients in the internet."""

    def __init__(self, servers: dict[str, socket.socket]) -> None:
        self._servers = servers
        self._locks = {address: threading.Lock() for address in servers}

    def connect(self, address: str) -> tuple[socket.socket, socket.socket]:
        """A connection to the host's address: the end at the place, and the client's."""
        with self._locks[address]:  # or the next to accept would get another client
            client = from_internet(address, PORT)
            return self._servers[address].accept()[0], client


@contextlib.contextmanager
def published(guest: Guest, name: str, mtu: int = 1500) -> Iterator[Published]:
    to = BRIDGED if name == "bridged" else GUEST
    forwards = [f"--publish={ANY[family]}:{PORT}:{to[family]}:{SERVER_PORT}" for family in to]
    with (Slirpd("--configure", "--enable-ipv6", f"--mtu={mtu}", *forwards, guest.pid, "tap0"),
          place_in(guest, name, mtu) as place, contextlib.ExitStack() as stack):
        if name != "bridged":
            guest.run("ip", "addr", "add", f"{plain(GUEST[6])}/64", "dev", "tap0", "nodad")
        if name == "routed":
            lead_in(guest)
        servers = {address: stack.enter_context(listener(place.netns, plain(ANY[family]), SERVER_PORT, BACKLOG))
                   for address, family in FAMILIES.items()}
        yield Published(servers)


def lead_in(guest: Guest) -> None:
    """As rootless Docker: the guest hands on what comes to its own port."""
    rules = "".join(f"iifname tap0 meta nfproto {family} tcp dport {SERVER_PORT} dnat {to}; "
                    for family, to in (("ipv4", f"ip to {INNER4}"), ("ipv6", f"ip6 to {INNER6}")))
    guest.run("nft", f"table inet lead {{ chain pre {{ type nat hook prerouting priority -100; {rules} }}; }}")


@pytest.mark.parametrize("mtu", (1280, 1500, 65520))
@pytest.mark.parametrize("place", PLACES)
def test_both_ways_and_both_families_at_once(guest: Guest, tools: Callable[..., None], place: str,
                                             mtu: int) -> None:
    tools("nft")
    with published(guest, place, mtu) as there, ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(T.assert_both_ways, there.connect(address), BYTES, DEADLINE_S)
                     for address in FAMILIES]:
            done.result()


@pytest.mark.parametrize("place", PLACES)
def test_ends_of_a_connection(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """Each end first, with data of three sizes, of both families."""
    tools("nft")
    with published(guest, place) as there:
        assert_conversations(there.connect, FAMILIES)
