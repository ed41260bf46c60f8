# SPDX-License-Identifier: BSD-2-Clause
"""TCP through a TAP with offloads and through one without: nothing is lost, doubled or changed,
and nothing that the guest can see differs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import frames as F
import netns
import transfer as T
from capture import captured, mss_of, tcp_segments
from daemon import Slirpd
from guest import Guest
from kernel import HAS_BIG_FRAMES
from lab import INTERNET4, INTERNET6, Lab
from netns import TUNSETPERSIST, socket_in
from places import place_in
from servers import udp_socket
from waiting import DEADLINE_S, wait_for

MTUS = (576, 1280, 1500, 9000, 65520, 65521)
# An IPv6 interface has at least 1280 (RFC 8200 section 5).
PATHS = [(mtu, INTERNET4) for mtu in MTUS] + [(mtu, INTERNET6) for mtu in MTUS if mtu >= 1280]

IFF_VNET_HDR, IFF_MULTI_QUEUE, TUNSETVNETHDRSZ = 0x4000, 0x0100, 0x400454D8
TUNSETVNETLE, TUNGETVNETLE, TUNSETVNETBE = 0x400454DC, 0x800454DD, 0x400454DE
TUNSETOFFLOAD, TUN_F_CSUM, TUN_F_TSO4, TUN_F_TSO6 = 0x400454D0, 1, 2, 4
SOL_PACKET, PACKET_VNET_HDR = 263, 15
NEEDS_CSUM, GSO_TCP4, GSO_TCP6, GSO_UDP = 1, 1, 4, 3

BAR_OFFLOADS = ["/usr/bin/python3", str(Path(__file__).parents[1] / "lib" / "bar_ioctl.py"),
                "TUNSETOFFLOAD=EINVAL"]


def sizes_of_all_sorts() -> Iterator[int]:
    """Small and odd writes, with long ones in between."""
    rng = random.Random(3)
    for _ in range(4000):
        yield rng.choice((1, 2, 3, 7, 100, 535, 537, 1459, 1461, rng.randint(1, 9000)))


@contextlib.contextmanager
def served(guest: Guest, mtu: int = 1500, *options: object, **kwargs: object) -> Iterator[Slirpd]:
    with Slirpd("--configure", "--enable-ipv6", f"--mtu={mtu}", *options, guest.pid, "tap0",
                **kwargs) as daemon:
        yield daemon


def mean_frame(daemon: Slirpd, before: dict[str, int], way: str) -> float:
    now = daemon.counters()
    n_frames = now[f"frames_{way}"] - before[f"frames_{way}"]
    return (now[f"bytes_{way}"] - before[f"bytes_{way}"]) / n_frames


def assert_nothing_lost(daemon: Slirpd) -> None:
    counters = daemon.counters()
    lost = {name: n for name, n in counters.items()
            if name in ("oversize_to_guest", "tap_write_failed") or name.startswith("offload_")}
    assert not any(lost.values()), lost


@pytest.mark.parametrize("direction", ("out", "in"))
@pytest.mark.parametrize("mtu,address", PATHS)
def test_stream_arrives_as_it_was_sent(guest: Guest, mtu: int, address: str, direction: str) -> None:
    with served(guest, mtu) as daemon:
        T.assert_equal(guest.netns, address, direction, T.LONG_TRANSFER_BYTES)
        assert_nothing_lost(daemon)


@pytest.mark.parametrize("address", (INTERNET4, INTERNET6))
@pytest.mark.parametrize("direction", ("out", "in"))
def test_small_and_odd_writes_arrive(guest: Guest, network: Slirpd, address: str, direction: str) -> None:
    T.assert_equal(guest.netns, address, direction, 16_000_000, sizes_of_all_sorts)


@pytest.mark.parametrize("direction", ("out", "in"))
def test_bytes_one_at_a_time_arrive(guest: Guest, network: Slirpd, direction: str) -> None:
    T.assert_equal(guest.netns, INTERNET4, direction, 5000, lambda: [1] * 5000)


@pytest.mark.parametrize("direction", ("out", "in"))
def test_all_ones_arrive(guest: Guest, network: Slirpd, direction: str) -> None:
    """The largest sums that a checksum can meet."""
    data = b"\xff" * 4_000_000
    inside, outside = T.connected(guest.netns, INTERNET4)
    source, sink = (inside, outside) if direction == "out" else (outside, inside)
    with inside, outside:
        hashes: list[str] = []

        def pour() -> None:
            source.sendall(data)
            source.shutdown(socket.SHUT_WR)
        T.both(lambda: hashes.append(T.hash_of(T.received(sink))), pour)
    assert hashes == [T.hash_of([data])]


@pytest.mark.parametrize("direction", ("out", "in"))
def test_connections_side_by_side_do_not_mix(guest: Guest, network: Slirpd, direction: str) -> None:
    with contextlib.ExitStack() as stack:
        pairs = [T.connected(guest.netns, INTERNET4) for _ in range(20)]
        for pair in pairs:
            for sock in pair:
                stack.enter_context(sock)
        lengths = [1_000_000 + 4099 * i for i in range(len(pairs))]
        hashes: dict[int, str] = {}

        def carry(i: int) -> None:
            inside, outside = pairs[i]
            source, sink = (inside, outside) if direction == "out" else (outside, inside)
            T.both(lambda: hashes.update({i: T.hash_of(T.received(sink))}),
                   lambda: T.send(source, lengths[i]))

        def carry_from(i: int) -> None:
            if i + 1 < len(pairs):
                T.both(lambda: carry(i), lambda: carry_from(i + 1))
            else:
                carry(i)
        carry_from(0)
    assert hashes == {i: T.digest(length) for i, length in enumerate(lengths)}


# --- urgent data --------------------------------------------------------------------------------


@pytest.mark.parametrize("before,after", ((3, 0), (50_000, 0), (200_000, 70_000)))
def test_urgent_data_to_the_guest_is_in_its_place(guest: Guest, network: Slirpd, before: int,
                                                  after: int) -> None:
    inside, outside = T.connected(guest.netns, INTERNET4)
    head, tail = bytes(T.pieces(before).__next__()), bytes(after)
    with inside, outside:
        inside.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)

        def pour() -> None:
            outside.settimeout(T.STALL_S)
            outside.sendall(head)
            outside.send(b"!", socket.MSG_OOB)
            outside.sendall(tail)
            outside.shutdown(socket.SHUT_WR)
        got: list[bytes] = []
        T.both(lambda: got.extend(T.received(inside)), pour)
    assert b"".join(got) == head + b"!" + tail


@pytest.mark.parametrize("length", (3, 200_000))
def test_urgent_data_from_the_guest_arrives_in_line(guest: Guest, network: Slirpd, length: int) -> None:
    """The gate takes the mark away, in frames without a checksum too."""
    inside, outside = T.connected(guest.netns, INTERNET4)
    head = bytes(T.pieces(length).__next__())
    with inside, outside:
        got: list[bytes] = []

        def pour() -> None:
            inside.settimeout(T.STALL_S)
            inside.sendall(head)
            inside.send(b"!", socket.MSG_OOB)
            inside.sendall(b"rest")
            inside.shutdown(socket.SHUT_WR)
        T.both(lambda: got.extend(T.received(outside)), pour)
    assert b"".join(got) == head + b"!rest"


# --- with and without offloads ------------------------------------------------------------------


def carry_both_ways(guest: Guest, daemon: Slirpd) -> tuple[float, float]:
    """The mean length of frames from and to the guest, data and acknowledgements together."""
    means = []
    for direction, way in (("out", "from_guest"), ("in", "to_guest")):
        before = daemon.counters()
        T.assert_equal(guest.netns, INTERNET4, direction, 8_000_000)
        means.append(mean_frame(daemon, before, way))
    return means[0], means[1]


def assert_offloads(guest: Guest, daemon: Slirpd, *, on: bool) -> None:
    means = carry_both_ways(guest, daemon)
    if on:
        assert min(means) > 4000, means
    else:
        assert max(means) <= 1514, means
    assert_nothing_lost(daemon)


def add_tap(guest: Guest, *flags: str) -> None:
    guest.run("ip", "tuntap", "add", "tap0", "mode", "tap", *flags)


def test_our_own_tap_has_offloads(guest: Guest) -> None:
    with served(guest) as daemon:
        assert_offloads(guest, daemon, on=True)


@pytest.mark.parametrize("flags", ((), ("vnet_hdr",), ("pi",)))
def test_attached_tap_gets_offloads_however_it_was_made(guest: Guest, flags: tuple[str, ...]) -> None:
    add_tap(guest, *flags)
    with served(guest) as daemon:
        assert_offloads(guest, daemon, on=True)


def test_attached_tap_with_another_header_and_byte_order_gets_offloads(guest: Guest) -> None:
    """Only kernels with CONFIG_TUN_VNET_CROSS_LE let a little-endian machine have the other byte
    order. So the device is asked, too, for the byte order that slirpd has chosen."""
    fd = make_tap(guest, IFF_VNET_HDR)
    fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack("i", 12))
    fcntl.ioctl(fd, TUNSETVNETLE, struct.pack("i", 0))
    with contextlib.suppress(OSError):
        fcntl.ioctl(fd, TUNSETVNETBE, struct.pack("i", 1))
    assert tap_is_little_endian(fd) == 0
    fcntl.ioctl(fd, TUNSETPERSIST, 1)
    os.close(fd)
    with served(guest) as daemon:
        assert_offloads(guest, daemon, on=True)
    fd = make_tap(guest, IFF_VNET_HDR)
    try:
        assert tap_is_little_endian(fd) == 1
    finally:
        os.close(fd)


def tap_is_little_endian(fd: int) -> int:
    return struct.unpack("i", fcntl.ioctl(fd, TUNGETVNETLE, bytes(4)))[0]


def make_tap(guest: Guest, flags: int = 0) -> int:
    """With the offloads on, as a virtual machine's."""
    fd = netns.make_tap(guest.netns, "tap0", flags)
    fcntl.ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)
    return fd


@pytest.mark.parametrize("flags", (0, IFF_VNET_HDR))
def test_tap_that_others_read_from_stays_without(guest: Guest, flags: int) -> None:
    """A queue of a multi-queue TAP has the header that its first user chose. That one stops to
    read here, and its queue is taken out of use, or it would get half of the frames."""
    fd = make_tap(guest, flags | IFF_MULTI_QUEUE)
    fcntl.ioctl(fd, TUNSETPERSIST, 1)
    try:
        # TUNSETQUEUE with IFF_DETACH_QUEUE
        fcntl.ioctl(fd, 0x400454D9, struct.pack("16sH22x", b"", 0x0400))
        with served(guest) as daemon:
            assert_offloads(guest, daemon, on=False)
    finally:
        os.close(fd)


@pytest.mark.parametrize("flags", (0, IFF_VNET_HDR))
@pytest.mark.parametrize("header_len", (10, 12))
def test_inherited_tap_stays_without(guest: Guest, flags: int, header_len: int) -> None:
    fd = make_tap(guest, flags)
    try:
        if flags:
            fcntl.ioctl(fd, TUNSETVNETHDRSZ, struct.pack("i", header_len))
        for argv in (["link", "set", "tap0", "up"], ["addr", "add", "10.0.2.100/24", "dev", "tap0"],
                     ["route", "add", "default", "via", "10.0.2.2"]):
            guest.run("ip", *argv)
        with Slirpd("--netns-type=tapfd", fd, pass_fds=(fd,)) as daemon:
            assert_offloads(guest, daemon, on=False)
    finally:
        os.close(fd)


def test_kernel_that_refuses_offloads_is_done_without(guest: Guest) -> None:
    with served(guest, prefix=BAR_OFFLOADS) as daemon:
        assert_offloads(guest, daemon, on=False)


@pytest.mark.parametrize("mtu", (576, 65520))
def test_without_offloads_streams_arrive_at_any_mtu(guest: Guest, mtu: int) -> None:
    with served(guest, mtu, prefix=BAR_OFFLOADS) as daemon:
        for address in (INTERNET4, INTERNET6)[:1 if mtu < 1280 else 2]:
            T.assert_equal(guest.netns, address, "out", 8_000_000)
            T.assert_equal(guest.netns, address, "in", 8_000_000)
        assert_nothing_lost(daemon)


# --- what the guest sees ------------------------------------------------------------------------


# As much as the queue of a packet socket holds, so that it misses nothing.
SEEN_BYTES = 150_000


@pytest.mark.parametrize("mtu,address", PATHS)
def test_guest_sees_the_mtu_that_it_has(guest: Guest, mtu: int, address: str) -> None:
    with served(guest, mtu), captured(guest) as frames:
        T.assert_equal(guest.netns, address, "in", SEEN_BYTES)
    segments = list(tcp_segments(frames))
    overhead = 60 if ":" in address else 40
    said = {mss_of(tcp) for _ip, tcp, _data in segments if tcp[13] & F.SYN}
    assert said == {mtu - overhead}, "what both sides announce"
    assert guest_mtu(guest) in (mtu, None)
    # One stream without a hole: its data in the order of its numbers.
    from_peer = [(int.from_bytes(tcp[4:8], "big"), data) for _ip, tcp, data in segments
                 if data and tcp[13] & F.ACK]
    expected = from_peer[0][0]
    for number, data in from_peer:
        assert number == expected
        expected = (number + len(data)) % (1 << 32)
    assert T.hash_of(data for _number, data in from_peer) == T.digest(SEEN_BYTES)


BIG_BYTES = 30_000_000
LONG_FRAME, LONGEST_OF_IP = 60_000, 14 + 65535


@pytest.mark.parametrize("place,address", (
    ("own", INTERNET4), ("own", INTERNET6), ("routed", INTERNET4), ("bridged", INTERNET4)))
def test_frames_beyond_64_kib_are_for_the_guests_own_interface(guest: Guest, tools: Callable[..., None],
                                                               place: str, address: str) -> None:
    """Of IPv4 alone. A guest would cut them in software for a container."""
    tools("nft")
    is_big = HAS_BIG_FRAMES and (place, address) == ("own", INTERNET4)
    with served(guest) as daemon, place_in(guest, place) as there:
        def longest() -> int:
            with captured(guest) as frames:
                T.assert_equal(there.netns, address, "in", BIG_BYTES)
            return max(map(len, frames))
        # A peer that is no faster than the guest makes short frames.
        seen = wait_for("a stream has long frames", lambda: (n := longest()) > (
            LONGEST_OF_IP if is_big else LONG_FRAME) and n)
        assert is_big or seen <= LONGEST_OF_IP
        assert_nothing_lost(daemon)


def guest_mtu(guest: Guest) -> int | None:
    link = guest.run("ip", "-o", "link", "show", "dev", "tap0", check=False).stdout
    return int(link.split(" mtu ")[1].split()[0]) if " mtu " in link else None


@pytest.mark.parametrize("offloads", (True, False))
def test_tcpdump_in_the_guest_sees_sane_frames(guest: Guest, tools: Callable[..., None],
                                               offloads: bool) -> None:
    """Without offloads all checksums are there and right; with them the kernel has still to make
    those of TCP, as with any network card."""
    tools("tcpdump")
    # Not in the guest's user namespace, which has no user for it to change to.
    with served(guest, prefix=() if offloads else BAR_OFFLOADS), \
            tempfile.TemporaryFile() as said, \
            subprocess.Popen(["nsenter", f"--net={guest.netns}", "--", "tcpdump", "-Z", "root", "-l",
                              "-nn", "-vv", "-i", "tap0", "tcp"],
                             stdout=said, stderr=subprocess.PIPE) as process:
        def text() -> str:
            return os.pread(said.fileno(), 64 << 20, 0).decode()
        first_line = process.stderr.readline()
        assert b"listening" in first_line, first_line
        for address in (INTERNET4, INTERNET6):
            T.assert_equal(guest.netns, address, "in", SEEN_BYTES)
            T.assert_equal(guest.netns, address, "out", SEEN_BYTES)
        wait_for("both ends of four connections end", lambda: text().count("Flags [F") >= 8)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=DEADLINE_S)
        # A number or an address may spell a word: 0x6bad, fd00::bad5. Older tcpdumps do not know
        # packets of more than 65535 bytes.
        words = re.sub(r"0x[0-9a-f]+|([0-9a-f]*:){2,}[0-9a-f]*|bad-len 0", "", text())
        for complaint in ("bad", "trunc", "invalid", "malformed"):
            assert complaint not in words, text()
        if not offloads:
            assert "(correct)" in words and "incorrect" not in words, text()


# --- a guest that lies --------------------------------------------------------------------------


def header(flags: int = NEEDS_CSUM, gso: int = 0, hdr_len: int = 0, gso_size: int = 0,
           start: int = 34, offset: int = 16) -> bytes:
    return struct.pack("<BBHHHH", flags, gso, hdr_len, gso_size, start, offset)


# By where the checksum is to begin and to go.
CHECKSUM_LIES = {(start, offset): header(start=start, offset=offset)
                 for start in (0, 13, 14, 20, 33, 34, 35, 50, 54, 60, 1000, 65535)
                 for offset in (0, 6, 10, 16, 17, 1000, 65535)}
OTHER_LIES = [header(gso=gso, hdr_len=hdr_len, gso_size=gso_size, start=start)
              for gso in (GSO_TCP4, GSO_TCP6, GSO_UDP, 5, 0x81, 0xFF)
              for hdr_len in (0, 1, 53, 54, 100, 65535)
              for gso_size in (0, 1, 8, 1460, 65535)
              for start in (34, 35, 65535)]
OTHER_LIES += [header(flags=flags) for flags in range(2, 256)]


@contextlib.contextmanager
def lying_port(guest: Guest) -> Iterator[Callable[[bytes, bytes], bool]]:
    """Sends a frame with a virtio header of one's own; false where the kernel refuses it."""
    with socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, 0) as sock:
        sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        sock.bind(("tap0", 0))

        def send(virtio: bytes, frame: bytes) -> bool:
            try:
                sock.send(virtio + frame)
            except OSError:
                return False
            return True
        yield send


def frames_to_lie_about(mac: bytes) -> list[tuple[bytes, tuple[int, int] | None]]:
    """With the truth, if there is a checksum that could be left to do."""
    four = ("10.0.2.100", INTERNET4)
    six = ("fd00::100", INTERNET6)
    frames = [(F.ethernet(F.ip4(*four, F.TCP, F.tcp(*four, 5000, 80, F.ACK, bytes(length))),
                          F.ETH_IP4, mac), (34, 16)) for length in (0, 60, 1400)]
    frames.append((F.ethernet(F.ip4(*four, F.UDP, F.udp(*four, 5000, 80, bytes(900))),
                              F.ETH_IP4, mac), (34, 6)))
    frames.append((F.ethernet(F.ip4(*four, F.ICMP, F.icmp_echo(bytes(900))), F.ETH_IP4, mac), None))
    frames.append((F.ethernet(F.ip6(*six, F.TCP, F.tcp(*six, 5000, 80, F.ACK, bytes(900))),
                              F.ETH_IP6, mac), (54, 16)))
    return frames


def may_be_of_a_tunnel(frame: bytes, truth: tuple[int, int] | None, lie: tuple[int, int]) -> bool:
    """The checksum of what a datagram carries can be anywhere in it."""
    start, offset = lie
    return truth is not None and truth[1] == 6 and offset in (6, 16) \
        and start >= truth[0] + 8 and start + offset + 2 <= len(frame)


def test_lies_in_virtio_headers_are_dropped_and_counted(guest: Guest, network: Slirpd) -> None:
    """The kernel passes most of them on: it knows no more than that they point into the frame."""
    raw = socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, 0)
    with F.RawPort(raw, "tap0", "10.0.2.100", "10.0.2.2") as port, lying_port(guest) as send:
        n_sent = n_wrong = 0
        for frame, truth in frames_to_lie_about(port.mac):
            for lie, virtio in CHECKSUM_LIES.items():
                if send(virtio, frame):
                    n_sent += 1
                    n_wrong += lie != truth and not may_be_of_a_tunnel(frame, truth, lie)
                if n_sent % 100 == 0:
                    port.sync()
        port.sync()
        assert n_wrong > 100
        assert network.counters()["offload_checksum"] == n_wrong
        # What the kernel makes of these is its own affair, and changes with its versions.
        for frame, _truth in frames_to_lie_about(port.mac):
            for virtio in OTHER_LIES:
                n_sent += send(virtio, frame)
                if n_sent % 100 == 0:
                    port.sync()
        port.sync()
    T.assert_equal(guest.netns, INTERNET4, "out", 1_000_000)
    T.assert_equal(guest.netns, INTERNET4, "in", 1_000_000)


def test_frames_left_unfinished_by_a_raw_socket_are_finished(guest: Guest, lab: Lab,
                                                             network: Slirpd) -> None:
    """The same way, told right: the datagram arrives, so its checksum was completed."""
    with udp_socket(lab.internet_netns, INTERNET4) as server, lying_port(guest) as send:
        port = server.getsockname()[1]
        raw = socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, 0)
        with F.RawPort(raw, "tap0", "10.0.2.100", "10.0.2.2") as other:
            payload = b"finished by somebody else"
            udp = bytearray(F.udp("10.0.2.100", INTERNET4, 5001, port, payload))
            pseudo = F.addr("10.0.2.100") + F.addr(INTERNET4) + struct.pack("!HH", F.UDP, len(udp))
            udp[6:8] = struct.pack("!H", ~F.checksum(pseudo) & 0xFFFF)
            frame = F.ethernet(F.ip4("10.0.2.100", INTERNET4, F.UDP, bytes(udp)), F.ETH_IP4,
                               other.mac)
            assert send(header(offset=6), frame)
        assert server.recv(100) == payload
