# SPDX-License-Identifier: BSD-2-Clause
"""Many connections at once, and many one after the other."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import crowd
import frames as F
import pytest
import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from limits import limited, many_files
from nowhere import ABSENT4, SILENT_PORT, nowhere
from places import PLACES, Place, place_in
from servers import listener, serve
from tree import SANITIZED
from waiting import DEADLINE_S

# A deadline says that something hangs: a lost SYN costs a second, and thousands would be lost.
CROWD_S = 120
BACKLOG = 4096


@contextlib.contextmanager
def up(guest: Guest, place: str = "own", *, nofile: int = 0) -> Iterator[tuple[Slirpd, Place]]:
    prefix = limited("nofile", nofile) if nofile else ()
    with many_files(), Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0", prefix=prefix) as daemon, \
            place_in(guest, place) as made:
        yield daemon, made


@contextlib.contextmanager
def crowd_of(place: Place, what: str, to: tuple[str, int], *words: object) -> Iterator[subprocess.Popen[str]]:
    argv = [*place.enter(), sys.executable, "-B", str(Path(crowd.__file__)), what, to[0], str(to[1]),
            *map(str, words)]
    with subprocess.Popen(argv, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_crowd(place: Place, what: str, server: socket.socket, n: int, *words: object) -> None:
    with crowd_of(place, what, server.getsockname()[:2], n, *words) as process:
        out, _ = process.communicate(timeout=CROWD_S)
    assert out == f"{{'ok': {n}}}\n"


@contextlib.contextmanager
def echoing(address: str) -> Iterator[socket.socket]:
    with listener(Lab.internet_netns, address, backlog=BACKLOG) as server:
        thread = threading.Thread(target=crowd.echo_to_all, args=(server,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextlib.contextmanager
def answering(address: str) -> Iterator[socket.socket]:
    with listener(Lab.internet_netns, address, backlog=BACKLOG) as server:
        serve(server, crowd.answer)
        yield server


# --- at once ------------------------------------------------------------------------------------

N_BULK, BULK_BYTES = 1000, 20_000 if SANITIZED else 100_000


@pytest.mark.parametrize("place", PLACES)
def test_1000_streams_at_once(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """Each has other bytes, and gets its own back."""
    tools("nft")
    with up(guest, place) as (_, there), echoing(INTERNET4) as server:
        assert_crowd(there, "bulk", server, N_BULK, BULK_BYTES)


# Both ends take descriptors of this process and the crowd, of 20,000 that a machine may allow.
N_IDLE = 2400 if SANITIZED else 10_000


def test_thousands_of_idle_connections_beside_one_that_goes_on(guest: Guest) -> None:
    """They neither stop the others nor are forgotten: each is used afterwards."""
    with up(guest) as (_, there), echoing(INTERNET4) as server, \
            crowd_of(there, "hold", server.getsockname()[:2], N_IDLE) as idle:
        assert idle.stdout.readline() == f"{N_IDLE}\n"
        for direction in ("out", "in"):
            T.assert_equal(there.netns, INTERNET6, direction, stall_s=DEADLINE_S)
        with answering(INTERNET6) as other:
            assert_crowd(there, "connect", other, 400, "first")
        out, _ = idle.communicate(timeout=CROWD_S)
        assert out == f"{{'ok': {N_IDLE}}}\n"


# --- one after the other ------------------------------------------------------------------------

N_CONNECTS = 2000 if SANITIZED else 10_000


@pytest.mark.parametrize("who", ("first", "last"))
def test_thousands_of_short_connections_need_few_descriptors(guest: Guest, who: str) -> None:
    """As fast as they go, the client closes before the server or after it. None is kept for
    TIME_WAIT: a process has 1,024 by default."""
    with up(guest, nofile=1024) as (_, there), answering(INTERNET4) as server:
        assert_crowd(there, "connect", server, N_CONNECTS, who)


@pytest.mark.parametrize("place", ("routed", "bridged"))
def test_short_connections_of_a_container(guest: Guest, tools: Callable[..., None], place: str) -> None:
    tools("nft")
    with up(guest, place) as (_, there), answering(INTERNET6) as server:
        assert_crowd(there, "connect", server, 800, "first")
        assert_crowd(there, "connect", server, 800, "last")


# By hand, for a minute: SLIRPD_REUSES=10000.
N_REUSED, N_REUSED_LONG = int(os.environ.get("SLIRPD_REUSES", 1000)), 50
LONG_BYTES = 4_000_000  # sequence numbers pass by more quickly than those of new connections grow


@pytest.mark.parametrize("how", ("close", "reset"))
@pytest.mark.parametrize("place", PLACES)
def test_port_is_used_again_at_once(guest: Guest, tools: Callable[..., None], place: str, how: str) -> None:
    """After the server has closed the connection, or the client has reset it."""
    tools("nft")
    with up(guest, place) as (_, there), answering(INTERNET4) as server:
        assert_crowd(there, "reuse", server, N_REUSED, how, 0)
        assert_crowd(there, "reuse", server, N_REUSED_LONG, how, LONG_BYTES)


# --- SYN floods ---------------------------------------------------------------------------------

N_SYNS = 10_000
N_BESIDE = 6
# At most 100,000 a second: of more, the TAP's queue loses what others send too.
BURST, BURST_PAUSE_S = 100, 0.01 if SANITIZED else 0.001


def syns(place: Place, mac: str, gateway_mac: str, flood: str) -> Iterator[bytes]:
    sources, to = FLOODS[flood]
    for i in range(N_SYNS):
        source = sources[i % len(sources)] if sources else place.address4
        syn = F.tcp(source, to[0], 10_000 + i, to[1], seq=i * 1000)
        yield F.ethernet(F.ip4(source, to[0], F.TCP, syn), F.ETH_IP4, mac, gateway_mac)


# Sources, none for the own address, and to whom.
FLOODS = {
    "own address": ([], (INTERNET4, SILENT_PORT)),
    "other addresses": ([f"10.0.2.{i}" for i in range(16, 250) if i not in (100, 101)], (INTERNET4, SILENT_PORT)),
    "to an absent host": ([f"10.0.2.{i}" for i in range(16, 250) if i not in (100, 101)], (ABSENT4, 80)),
}


@pytest.mark.parametrize("place,flood", [
    *(("own", flood) for flood in FLOODS), ("routed", "own address"), ("bridged", "own address"),
    ("bridged", "other addresses")])
def test_flood_of_syns_stops_nobody_else(guest: Guest, lab: Lab, tools: Callable[..., None], place: str,
                                         flood: str) -> None:
    """What is open goes on, and new connections to another host are made, from the same place, while
    SYNs come all the time."""
    tools("nft")
    with nowhere(lab), up(guest, place) as (daemon, there):
        gateway_mac = F.GATEWAY_MAC
        if place == "routed":
            gateway_mac = json.loads(guest.run("ip", "-j", "link", "show", "dev", "veth0").stdout)[0]["address"]
        inside, outside = T.connected(there.netns, INTERNET4)
        with inside, outside, there.open_socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((there.device, 0))
            mac = ":".join(f"{b:02x}" for b in raw.getsockname()[4])

            frames = list(syns(there, mac, gateway_mac, flood))
            is_over = threading.Event()

            def pour() -> None:
                for i, syn in enumerate(itertools.cycle(frames)):
                    if i % BURST == 0 and is_over.wait(BURST_PAUSE_S):
                        return
                    raw.send(syn)

            def go_on() -> None:
                try:
                    for i in range(N_BESIDE):
                        T.assert_equal(there.netns, INTERNET6, ("out", "in")[i % 2], 1_000_000,
                                       stall_s=DEADLINE_S)
                        inside.sendall(bytes([i]))
                        assert outside.recv(1) == bytes([i])
                finally:
                    is_over.set()
            T.both(pour, go_on)
        # The flood is a tenth for a sanitizer's worker, which may answer all of it.
        assert SANITIZED or daemon.counters()["tcp syn_dropped"] > 0
