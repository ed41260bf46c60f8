# SPDX-License-Identifier: BSD-2-Clause
"""TCP through a TAP with offloads where more lies behind the guest's interface than a socket:
networks of its own, losses, and receivers with little room."""

from __future__ import annotations

import array
import contextlib
import fcntl
import random
import socket
import struct
import termios
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from nested import Nested
from netns import socket_in
from servers import listener

# linux/ethtool.h, linux/sockios.h
SIOCETHTOOL, ETHTOOL_STSO, ETHTOOL_SGSO = 0x8946, 0x1F, 0x24


def set_offload(netns: str, device: str, what: int, *, on: bool) -> None:
    """What `ethtool -K DEVICE tso on` does."""
    value = array.array("B", struct.pack("II", what, on))
    with socket_in(netns, socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", device.encode(), value.buffer_info()[0]))


@pytest.mark.parametrize("direction", ("out", "in"))
@pytest.mark.parametrize("address", (INTERNET4, INTERNET6))
@pytest.mark.parametrize("outer_mtu,inner_mtu", ((1500, 1280), (1500, 1500), (65520, 1500), (1500, 9000)))
@pytest.mark.parametrize("cut", (False, True))
def test_container_behind_the_guest(guest: Guest, tools: Callable[..., None], outer_mtu: int,
                                    inner_mtu: int, address: str, direction: str, cut: bool) -> None:
    """With a smaller MTU, or a larger one; handed on whole, or cut by the guest's kernel."""
    tools("nft")
    with Slirpd("--configure", "--enable-ipv6", f"--mtu={outer_mtu}", guest.pid, "tap0") as daemon, \
            Nested(guest, inner_mtu) as nested:
        if cut:
            for what in (ETHTOOL_STSO, ETHTOOL_SGSO):
                set_offload(guest.netns, "veth0", what, on=False)
        T.assert_equal(nested.netns, address, direction, 16_000_000)
        if cut and direction == "in":
            assert nested.longest_frame("in") <= inner_mtu + 14
        counters = daemon.counters()
        assert counters["oversize_to_guest"] == counters["tap_write_failed"] == 0


N_LOST = 5
# A frame that is lost can cost a timeout, so streams wait for theirs side by side.
N_LOSSY_STREAMS = 8
LOSSY_STREAM_BYTES = 3_000_000
# Each timeout is twice as long as the one before, if what is sent again is lost as well.
LOSSY_STALL_S = 30
# Frames are 64 KiB at most: N_LOST are lost in twice as many streams at the latest.
LOSSY_ROUNDS_MAX = 3


def lose_frames(guest: Guest) -> Callable[[str], int]:
    """One frame in a hundred, counted in each direction. Returns what says how many are lost."""
    chains = "".join(f"chain {way} {{ type filter hook {hook} priority 0; {side} tap0 "
                     "numgen inc mod 100 == 50 counter drop; }; "
                     for way, hook, side in (("in", "input", "iifname"), ("out", "output", "oifname")))
    guest.run("nft", f"table inet lossy {{ {chains} }}")

    def n_lost(way: str) -> int:
        text = guest.run("nft", "list", "chain", "inet", "lossy", way).stdout
        return int(text.split("counter packets ")[1].split()[0])
    return n_lost


@pytest.mark.parametrize("direction", ("out", "in"))
def test_guest_that_loses_one_frame_in_a_hundred(guest: Guest, network: Slirpd,
                                                 tools: Callable[..., None], direction: str) -> None:
    """Slower, since what is lost is sent again after a second or more, but right."""
    tools("nft")
    n_lost = lose_frames(guest)

    def stream(number: int) -> None:
        T.assert_equal(guest.netns, (INTERNET4, INTERNET6)[number % 2], direction,
                       LOSSY_STREAM_BYTES, stall_s=LOSSY_STALL_S)
    for _ in range(LOSSY_ROUNDS_MAX):
        with ThreadPoolExecutor(N_LOSSY_STREAMS) as pool:
            list(pool.map(stream, range(N_LOSSY_STREAMS)))
        if n_lost(direction) >= N_LOST:
            return
    pytest.fail(f"only {n_lost(direction)} frames were lost")


# --- little room --------------------------------------------------------------------------------
#
# Sender and receiver can wait for each other: the worker with less than a segment to send into a
# window that it finds small, the guest's kernel with a window that it finds not worth telling.
# Nothing here waits for long.


def queued(sock: socket.socket) -> int:
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, bytes(4)))[0]


# The peer is the same machine: what may be sent arrives in much less.
REST_S = 0.002


def queued_once_it_rests(sock: socket.socket) -> int:
    """How much waits to be read once nothing more comes: what the window takes."""
    last = -1
    while (now := queued(sock)) != last:
        last = now
        time.sleep(REST_S)
    return last


RMEM = ("4096 4096 4096", "4096 8192 8192", "4096 16384 16384", "4096 32768 65536",
        "4096 65536 65536", "4096 87380 6291456", "4096 131072 131072", "4096 131072 6291456")


@pytest.mark.parametrize("mtu,address", [(mtu, INTERNET4) for mtu in (576, 1280, 1500, 9000, 65520, 65521)]
                         + [(mtu, INTERNET6) for mtu in (1280, 1500, 65521)])
@pytest.mark.parametrize("rmem", RMEM)
def test_no_stall_whatever_room_receivers_have(guest: Guest, mtu: int, address: str, rmem: str) -> None:
    """Opens the window by a part of what waits there, lets the sender think about it, and reads
    all the rest, again and again."""
    with Slirpd("--configure", "--enable-ipv6", f"--mtu={mtu}", guest.pid, "tap0"):
        guest.run("sysctl", "-qw", f"net.ipv4.tcp_rmem={rmem}")
        inside, outside = T.connected(guest.netns, address)
        rng = random.Random(7)
        n_bytes = 20 * min(int(rmem.split()[1]), 131072)

        def hesitant() -> Iterator[bytes]:
            inside.settimeout(T.STALL_S)
            while piece := inside.recv(1):
                yield piece
                part = int(queued_once_it_rests(inside) * rng.uniform(0.3, 0.7))
                if part:
                    yield inside.recv(part)
                    queued_once_it_rests(inside)
                while n_waiting := queued(inside):
                    yield inside.recv(n_waiting)
        hashes: list[str] = []
        with inside, outside:
            T.both(lambda: hashes.append(T.hash_of(hesitant())),
                   lambda: T.send(outside, n_bytes))
        assert hashes == [T.digest(n_bytes)]


@pytest.mark.parametrize("mtu", (1500, 65520))
@pytest.mark.parametrize("size", (20, 100, 300))
def test_no_stall_after_many_small_messages(guest: Guest, mtu: int, size: int) -> None:
    """They take more of the guest's memory than of its window, and it takes the window back."""
    with Slirpd("--configure", f"--mtu={mtu}", guest.pid, "tap0"):
        inside, outside = T.connected(
            guest.netns, INTERNET4,
            lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384))
        with inside, outside:
            outside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            outside.setblocking(False)
            n_sent = 0
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                with contextlib.suppress(BlockingIOError):
                    n_sent += outside.send(bytes(size))
                time.sleep(0.0002)

            def rest() -> None:
                outside.settimeout(T.STALL_S)
                outside.sendall(bytes(1_000_000))
                outside.shutdown(socket.SHUT_WR)
            lengths: list[int] = []
            T.both(lambda: lengths.extend(map(len, T.received(inside))), rest)
        assert sum(lengths) == n_sent + 1_000_000


# Stalls are rare: of a hundred tries at random a few meet one, where there are any to be met.
N_TRIES = 250


@pytest.mark.parametrize("mtu", (1500, 9000, 65520))
def test_no_stall_at_windows_of_all_sizes(guest: Guest, lab: Lab, mtu: int) -> None:
    rng = random.Random(1)
    with Slirpd("--configure", f"--mtu={mtu}", guest.pid, "tap0"), \
            listener(lab.internet_netns, INTERNET4) as server:
        for _ in range(N_TRIES):
            room = int(rng.choice((4000, 10_000, 20_000, 30_000, 50_000, 65_536)) * rng.uniform(0.8, 1.2))
            with guest.open_socket(socket.AF_INET, socket.SOCK_STREAM) as inside:
                inside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
                inside.connect(server.getsockname()[:2])
                with server.accept()[0] as outside:
                    meet_windows(inside, outside, room, rng)


def meet_windows(inside: socket.socket, outside: socket.socket, room: int, rng: random.Random) -> None:
    """Some small writes, then more than there is room for; read in parts."""
    outside.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    outside.settimeout(T.STALL_S)
    inside.settimeout(T.STALL_S)
    outside.sendall(b"x")
    n_received = len(inside.recv(1))
    n_writes = rng.choice((1, 1, 2, 5, 20))
    size = int(room * rng.uniform(0.1, 1.0)) // n_writes
    for _ in range(n_writes):
        outside.sendall(bytes(size))
    if rng.random() < 0.5:
        queued_once_it_rests(inside)
    outside.setblocking(False)
    n_sent = 1 + n_writes * size + outside.send(bytes(300_000))
    for _ in range(4):
        part = int(queued_once_it_rests(inside) * rng.random())
        if part:
            n_received += len(inside.recv(part))
        queued_once_it_rests(inside)
        while n_waiting := queued(inside):
            n_received += len(inside.recv(n_waiting))
        if n_received >= n_sent:
            return
        n_received += len(inside.recv(1))
