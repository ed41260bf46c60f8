# SPDX-License-Identifier: BSD-2-Clause
"""The memory of TCP has a limit whatever the guest does, and connections go on beside those that fill it."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable, Iterator

import pytest
import transfer as T
from api_client import daemon_with_api, execute
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from limits import many_files
from processes import pss_kib
from repeating import repeating
from servers import listener
from tree import SANITIZED
from waiting import DEADLINE_S, wait_for

MIB = 1 << 20
PORT = 9000
# Of data, as tcp_host.c says, and of flows, which takes pages as they are used.
POOL_BYTES, FLOWS_BYTES = 64 * MIB, 16 * MIB
# May stay when nothing uses it any more: TCP_POOL_RESIDENT_MAX.
RESIDENT_BYTES = 32 * MIB
# Each has 64 KiB under way at its beginning. All together would need more than the pool.
N_MUTE = 1200
# Each that is under way may have 4 MiB. These too.
N_FULL = 40


def flows(path: str) -> dict[str, int]:
    return execute(path, "query_stats")["return"]["tcp_flows"]


Pairs = list[tuple[socket.socket, socket.socket]]


@contextlib.contextmanager
def connections(guest: Guest, n: int) -> Iterator[Pairs]:
    """The guest's ends, and the server's."""
    with listener(Lab.internet_netns, INTERNET4, PORT, backlog=n) as server, contextlib.ExitStack() as stack:
        yield [(stack.enter_context(guest.connect(INTERNET4, PORT)), stack.enter_context(server.accept()[0]))
               for _ in range(n)]


@contextlib.contextmanager
def poured(sources: list[socket.socket]) -> Iterator[None]:
    """Sends all that is taken, for as long as the block lasts."""
    with selectors.DefaultSelector() as selector:
        for sock in sources:
            sock.setblocking(False)
            selector.register(sock, selectors.EVENT_WRITE)

        def pour() -> None:
            for key, _ in selector.select(0.1):
                with contextlib.suppress(OSError):
                    key.fileobj.send(bytes(1 << 16))

        with repeating(pour):
            yield


def mute(guest: Guest) -> None:
    """No segment of the guest's gets through any more, and so no acknowledgement."""
    guest.run("nft", "table ip mute { chain out { type filter hook output priority 0; "
              f"oifname tap0 tcp dport {PORT} drop; }}; }}")


# How many connections, which end sends, what the data then comes to in the worker.
CASES = {
    "guest does not acknowledge": (N_MUTE, "server", 48 * MIB),
    "guest does not read": (N_FULL, "server", 0),
    "server does not read": (N_FULL, "guest", MIB),
}


@pytest.mark.parametrize("case", CASES)
def test_memory_has_a_limit_and_others_go_on(guest: Guest, tools: Callable[..., None], case: str) -> None:
    tools("nft")
    n_connections, who, n_expected = CASES[case]
    with many_files(), daemon_with_api(guest, "--enable-ipv6") as (daemon, path):
        worker = daemon.children()["slirp-worker"]
        guest.wait_ipv6()
        at_start = pss_kib([worker]) * 1024

        def pss() -> int:
            return 0 if SANITIZED else pss_kib([worker]) * 1024 - at_start
        with connections(guest, n_connections) as pairs:
            if case == "guest does not acknowledge":
                mute(guest)
            with poured([pair[who == "server"] for pair in pairs]):
                wait_for("the data is there", lambda: flows(path)["buffer_bytes"] >= n_expected)
                for address, direction in ((INTERNET6, "out"), (INTERNET6, "in"), (INTERNET4, "in")):
                    T.assert_equal(guest.netns, address, direction, 1_000_000, stall_s=DEADLINE_S)
                used = flows(path)["buffer_bytes"]
                print(f"{used / MIB:.1f} MiB of data, {pss() / MIB:.1f} MiB of memory")
                assert n_expected <= used <= POOL_BYTES
                assert pss() <= POOL_BYTES + FLOWS_BYTES
        if case == "guest does not acknowledge":
            guest.run("nft", "delete table ip mute")
        wait_for("all is given back", lambda: flows(path)["buffer_bytes"] == 0)
        wait_for("the kernel has its memory again", lambda: pss() <= RESIDENT_BYTES + FLOWS_BYTES)
