# SPDX-License-Identifier: BSD-2-Clause
"""Streams of TCP, from the guest itself and from containers of it: bytes
are equal whatever the MTU, and whatever happens on the way."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import stream_end
import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from places import PLACES, Place, place_in
from servers import listener, recv_all
from tree import SANITIZED
from waiting import DEADLINE_S, wait_for

# Of each stream, and how long something stands still on the way. By hand, for hours:
# SLIRPD_STREAM_BYTES=10000000000 SLIRPD_PAUSE_S=60.
BYTES = int(os.environ.get("SLIRPD_STREAM_BYTES", 4_000_000 if SANITIZED else 1 << 24))
# Timers of both sides fire twice or more in this: they begin with 0.2 s.
PAUSE_S = float(os.environ.get("SLIRPD_PAUSE_S", 0.5))
# The guest's kernel doubles its pause each time that it hears nothing.
GO_ON_S = DEADLINE_S + 2 * PAUSE_S
IPPROTO_MPTCP = 262
MTUS = (576, 1280, 1500, 9000, 65520, 65521)


@contextlib.contextmanager
def up(guest: Guest, place: str, mtu: int = 1500) -> Iterator[tuple[Slirpd, Place]]:
    ipv6 = ("--enable-ipv6",) if mtu >= 1280 else ()
    with Slirpd("--configure", *ipv6, f"--mtu={mtu}", guest.pid, "tap0") as daemon, \
            place_in(guest, place, mtu) as made:
        yield daemon, made


def addresses(mtu: int = 1500) -> tuple[str, ...]:
    return (INTERNET4, INTERNET6) if mtu >= 1280 else (INTERNET4,)


def assert_both_ways(place: Place, address: str, n_bytes: int) -> None:
    T.assert_both_ways(T.connected(place.netns, address), n_bytes, DEADLINE_S)


@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize("place", PLACES)
def test_both_ways_and_both_families_at_once(guest: Guest, tools: Callable[..., None], place: str,
                                             mtu: int) -> None:
    tools("nft")
    with up(guest, place, mtu) as (daemon, there), ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(assert_both_ways, there, address, BYTES) for address in addresses(mtu)]:
            done.result()
        counters = daemon.counters()
    assert counters["oversize_to_guest"] == counters["tap_write_failed"] == 0


# --- what the guest's kernel makes of TCP -------------------------------------------------------

OPTIONS = {
    "no timestamps": ("net.ipv4.tcp_timestamps=0",),
    "no SACK": ("net.ipv4.tcp_sack=0",),
    "no window scaling": ("net.ipv4.tcp_window_scaling=0",),
    "no options": ("net.ipv4.tcp_timestamps=0", "net.ipv4.tcp_sack=0", "net.ipv4.tcp_window_scaling=0"),
    "ECN": ("net.ipv4.tcp_ecn=1",),
    "MTU probing": ("net.ipv4.tcp_mtu_probing=2",),
    "one reordered segment is a loss": ("net.ipv4.tcp_reordering=1", "net.ipv4.tcp_recovery=0"),
}
# Some kilobytes a round trip, in the worst case.
OPTION_BYTES = 2_000_000
EVERY = 50


@pytest.mark.parametrize("place", ("own", "routed"))
@pytest.mark.parametrize("name", OPTIONS)
def test_whatever_options_the_guest_has(guest: Guest, tools: Callable[..., None], name: str,
                                        place: str) -> None:
    """Without losses, and with some."""
    tools("nft")
    with up(guest, place) as (_, there):
        there.run("sysctl", "-qw", *OPTIONS[name])
        for address in addresses():
            assert_both_ways(there, address, OPTION_BYTES)
        lose_frames(guest, EVERY)
        for address in addresses():
            assert_both_ways(there, address, OPTION_BYTES)


SEGMENTS = (88, 536, 1000, 8000)


@pytest.mark.parametrize("place", PLACES)
def test_whatever_segments_the_guest_takes(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """The guest may ask for segments shorter than its MTU, down to what an MTU of 128 takes."""
    tools("nft")
    with up(guest, place, 9000) as (_, there):
        for size in SEGMENTS:
            for family, address in (("-4", INTERNET4), ("-6", INTERNET6)):
                gateway = there.run("ip", family, "route", "show", "default").split(" dev ")[0].split()
                there.run("ip", family, "route", "replace", *gateway, "dev", there.device, "advmss", str(size))
                assert_both_ways(there, address, OPTION_BYTES)


@pytest.mark.parametrize("place", PLACES)
def test_multipath_tcp_is_plain_tcp(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """The engine does not answer the option (RFC 8684), and the guest's kernel goes on without."""
    tools("nft")
    with up(guest, place) as (_, there), listener(Lab.internet_netns, INTERNET4) as server:
        try:
            inside = there.open_socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
        except OSError:
            pytest.skip("the kernel has no MPTCP")
        inside.connect(server.getsockname()[:2])
        outside, _ = server.accept()
        T.assert_both_ways((inside, outside), OPTION_BYTES, DEADLINE_S)


@pytest.mark.parametrize("place", PLACES)
def test_data_in_a_syn_arrives_once(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """TCP Fast Open (RFC 7413): the engine gives no cookie, and the guest sends its data again."""
    tools("nft")
    with up(guest, place) as (_, there), listener(Lab.internet_netns, INTERNET4) as server:
        # Data in the SYN without a cookie too.
        there.run("sysctl", "-qw", "net.ipv4.tcp_fastopen=0x5")
        with there.open_socket(socket.AF_INET, socket.SOCK_STREAM) as inside:
            inside.sendto(b"early", socket.MSG_FASTOPEN, server.getsockname()[:2])
            outside, _ = server.accept()
            with outside:
                outside.settimeout(DEADLINE_S)
                inside.sendall(b" and late")
                inside.shutdown(socket.SHUT_WR)
                assert recv_all(outside) == b"early and late"


# --- little at a time, and little room ----------------------------------------------------------

N_SINGLE = 10_000


@pytest.mark.parametrize("direction", ("out", "in"))
@pytest.mark.parametrize("place", PLACES)
def test_bytes_one_at_a_time(guest: Guest, tools: Callable[..., None], place: str, direction: str) -> None:
    tools("nft")
    with up(guest, place) as (_, there):
        T.assert_equal(there.netns, INTERNET4, direction, N_SINGLE, lambda: itertools.repeat(1),
                       stall_s=DEADLINE_S)


LITTLE_BYTES = 1_000_000


@pytest.mark.parametrize("mtu", (1500, 65520))
@pytest.mark.parametrize("place", PLACES)
def test_receiver_with_4_kib_of_memory(guest: Guest, tools: Callable[..., None], place: str,
                                       mtu: int) -> None:
    tools("nft")
    with up(guest, place, mtu) as (_, there):
        there.run("sysctl", "-qw", "net.ipv4.tcp_rmem=4096 4096 4096")
        T.assert_equal(there.netns, INTERNET4, "in", LITTLE_BYTES, stall_s=DEADLINE_S)


@pytest.mark.parametrize("mtu", (1500, 65520))
@pytest.mark.parametrize("place", PLACES)
def test_receiver_with_2_kib_of_buffer(guest: Guest, tools: Callable[..., None], place: str,
                                       mtu: int) -> None:
    tools("nft")
    with up(guest, place, mtu) as (_, there):
        T.assert_equal(
            there.netns, INTERNET4, "in", LITTLE_BYTES, stall_s=DEADLINE_S,
            prepare=lambda sock: sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048))


@pytest.mark.parametrize("place", PLACES)
def test_urgent_data_from_the_guest_is_in_line(guest: Guest, tools: Callable[..., None],
                                               place: str) -> None:
    """The bytes are in their place; nothing tells the server that one of them was urgent."""
    tools("nft")
    head = bytes(next(T.pieces(200_000)))
    with up(guest, place) as (_, there):
        inside, outside = T.connected(there.netns, INTERNET4)
        got: list[bytes] = []

        def pour() -> None:
            inside.sendall(head)
            inside.send(b"!", socket.MSG_OOB)
            inside.sendall(b"rest")
            inside.shutdown(socket.SHUT_WR)
        with inside, outside:
            T.both(lambda: got.extend(T.received(outside, stall_s=DEADLINE_S)), pour)
    assert b"".join(got) == head + b"!rest"


N_OPENINGS = 40
# What the host holds for the server, so that the window closes soon.
HOST_WMEM, SERVER_ROOM = "4096 16384 65536", 65536
# A guest that is not sending asks for the window after 0.2 s; some of these a busy machine needs.
N_PROBES_MAX = N_OPENINGS // 4


@pytest.fixture
def little_memory_of_the_host(lab: Lab) -> Iterator[None]:
    wmem = Path("/proc/sys/net/ipv4/tcp_wmem")
    before = wmem.read_text()
    wmem.write_text(HOST_WMEM)
    yield
    wmem.write_text(before)


def n_window_probes(place: Place) -> int:
    """TCPWinProbe of proc_net_netstat: how often this kernel has asked whether a window is open."""
    names, values = [line.split() for line in place.run("cat", "/proc/net/netstat").splitlines()
                     if line.startswith("TcpExt:")]
    return int(values[names.index("TCPWinProbe")])


# The peer is the same machine: what may be sent is sent in much less.
REST_S = 0.005


def fill(sock: socket.socket) -> int:
    """Sends until nothing is taken any more; returns how much was."""
    sock.settimeout(0)
    n_sent, n_before = 0, -1
    while n_sent > n_before:
        n_before = n_sent
        with contextlib.suppress(BlockingIOError):
            while True:
                n_sent += sock.send(bytes(1 << 16))
        time.sleep(REST_S)
    return n_sent


def test_guest_is_told_when_its_window_opens(guest: Guest, little_memory_of_the_host: None) -> None:
    """It would find out by itself, and lose a fifth of a second each time."""
    with up(guest, "own") as (_, there):
        inside, outside = T.connected(there.netns, INTERNET4)
        with inside, outside:
            outside.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SERVER_ROOM)
            outside.settimeout(DEADLINE_S)
            for _ in range(N_OPENINGS):
                left = fill(inside)
                while left:
                    left -= len(outside.recv(min(left, 1 << 20)))
        assert n_window_probes(there) <= N_PROBES_MAX


# --- something stands still ---------------------------------------------------------------------


def n_received(sock: socket.socket) -> int:
    """tcpi_bytes_received of struct tcp_info (linux/tcp.h)."""
    return struct.unpack_from("=Q", sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136), 128)[0]




class Stream:
    """A sender and a receiver, each a process, and a connection between them that goes on until
    finish()."""

    def __init__(self, place: Place, address: str, direction: str) -> None:
        self.pair = T.connected(place.netns, address)
        source, self.sink = self.pair if direction == "out" else self.pair[::-1]
        self.processes = {what: stream_end.start(what, sock)
                          for what, sock in (("send", source), ("receive", self.sink))}

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.kill()
            process.communicate()
        for sock in self.pair:
            sock.close()

    def goes_on(self) -> None:
        """Waits until more arrives than buffers on the way hold."""
        before = n_received(self.sink)
        wait_for("the stream goes on", lambda: n_received(self.sink) > before + 20_000_000, GO_ON_S)

    def finish(self) -> None:
        self.goes_on()
        sent, got = (stream_end.finish(self.processes[what], DEADLINE_S) for what in ("send", "receive"))
        assert sent == got


STEP_S = 0.1


def stand_still(streams: list[Stream]) -> bool:
    before = [n_received(stream.sink) for stream in streams]
    time.sleep(STEP_S)
    return [n_received(stream.sink) for stream in streams] == before


def pause(streams: list[Stream]) -> None:
    wait_for("the streams stand still", lambda: stand_still(streams))
    time.sleep(PAUSE_S)


@contextlib.contextmanager
def streams(place: Place) -> Iterator[list[Stream]]:
    """One out, one in, of a family each, both under way."""
    with Stream(place, INTERNET4, "out") as out, Stream(place, INTERNET6, "in") as into:
        for stream in (out, into):
            stream.goes_on()
        yield [out, into]


@pytest.mark.parametrize("stopped", ("send", "receive"))
@pytest.mark.parametrize("place", PLACES)
def test_program_that_is_stopped_and_continued(guest: Guest, tools: Callable[..., None], place: str,
                                               stopped: str) -> None:
    tools("nft")
    with up(guest, place) as (_, there), streams(there) as both:
        for stream in both:
            stream.processes[stopped].send_signal(signal.SIGSTOP)
        pause(both)
        for stream in both:
            stream.processes[stopped].send_signal(signal.SIGCONT)
        for stream in both:
            stream.finish()


OWN4, OWN6 = "10.0.2.100", "fd00::100"


def translate_to_fixed_addresses(guest: Guest) -> None:
    """What `masquerade` has translated is forgotten when the interface goes down
    (net/netfilter/nf_nat_masquerade.c)."""
    guest.run("ip", "addr", "add", f"{OWN6}/64", "dev", "tap0", "nodad")
    guest.run("nft", f"flush chain inet nat post; add rule inet nat post oifname tap0 snat ip to {OWN4}; "
              f"add rule inet nat post oifname tap0 snat ip6 to {OWN6}")


@pytest.mark.parametrize("place", PLACES)
def test_interface_that_goes_down_and_comes_up(guest: Guest, tools: Callable[..., None], place: str) -> None:
    tools("nft")
    with up(guest, place) as (_, there), contextlib.ExitStack() as stack:
        if place == "routed":
            translate_to_fixed_addresses(guest)
        both = stack.enter_context(streams(there))
        guest.run("sysctl", "-qw", "net.ipv6.conf.tap0.keep_addr_on_down=1")
        guest.run("ip", "link", "set", "tap0", "down")
        pause(both)
        guest.run("ip", "link", "set", "tap0", "up")
        if place != "bridged":  # the kernel has taken the routes away
            guest.run("ip", "route", "add", "default", "via", "10.0.2.2")
            guest.run("ip", "-6", "route", "replace", "default", "via", "fd00::2", "dev", "tap0")
        for stream in both:
            stream.finish()


# --- frames that are lost -----------------------------------------------------------------------

LOSSY_BYTES = min(BYTES, 8_000_000)
N_LOST = 5


def lose_frames(guest: Guest, every: int, family: str = "inet") -> Callable[[str], int]:
    """One frame in so many, counted in each direction, by nftables' family. Returns what says how many
    are lost."""
    chains = "".join(f"chain {way} {{ type filter hook {hook} priority 0; {side} tap0 "
                     f"numgen inc mod {every} == {every // 2} counter drop; }}; "
                     for way, hook, side in (("in", "prerouting", "iifname"),
                                             ("out", "postrouting", "oifname")))
    guest.run("nft", f"table {family} lossy {{ {chains} }}")

    def n_lost(way: str) -> int:
        text = guest.run("nft", "list", "chain", family, "lossy", way).stdout
        return int(text.split("counter packets ")[1].split()[0])
    return n_lost


@pytest.mark.parametrize("every", (1000, 50))
@pytest.mark.parametrize("place", PLACES)
def test_guest_that_loses_frames(guest: Guest, tools: Callable[..., None], place: str, every: int) -> None:
    """On the TAP's side of the guest, both ways, with a stream each way."""
    tools("nft")
    with up(guest, place) as (_, there):
        n_lost = lose_frames(guest, every, "bridge" if place == "bridged" else "inet")
        while min(n_lost(way) for way in ("in", "out")) < N_LOST:
            for address in addresses():
                assert_both_ways(there, address, LOSSY_BYTES)
