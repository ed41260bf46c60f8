# SPDX-License-Identifier: BSD-2-Clause
"""A guest that writes frames that no kernel would: the daemon stays alive, small and useful."""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
import socket
from collections.abc import Callable, Iterator

import frames as F
import pytest
from daemon import Slirpd
from guest import Guest
from lab import ECHO_PORT, HTTP_PORT, INTERNET4, INTERNET6, Lab, http_url
from processes import pss_kib
from servers import listener, recv_all, serve, udp_socket
from tree import SANITIZED
from waiting import DEADLINE_S, wait_for

GUEST4, GUEST6 = "10.0.2.100", "fd00::1234"
INTERNET = {"ipv4": INTERNET4, "ipv6": INTERNET6}
FRAMES = 100_000
# Well below the 29 MB of a flood. A sanitizer's allocator keeps what was freed.
GROWTH_KIB = 32_768 if SANITIZED else 16_384
# Frames that came before need up to 1.3 MiB more; a leak of half of the frames (152 bytes each on
# average) and of what an allocator adds would need 4 MiB more. As above with a sanitizer.
LEAK_KIB = GROWTH_KIB if SANITIZED else 4096
SIZE = 4000
PIECE = 512


@contextlib.contextmanager
def raw_port(guest: Guest) -> Iterator[F.RawPort]:
    sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
    with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
        yield port


def assert_works(guest: Guest) -> None:
    out = guest.run("curl", "--silent", "--fail", "-m", "20", http_url(INTERNET4, "hello"))
    assert out.stdout == "hello\n"
    out = guest.run("ping", "-c", "1", "-W", "10", "10.0.2.2")
    assert "1 received" in out.stdout


# --- malformed frames -------------------------------------------------------------------------


def frames_taken(guest: Guest) -> int:
    """How many frames the daemon has read; the kernel counts what it dropped elsewhere."""
    out = guest.run("ip", "-j", "-s", "link", "show", "dev", "tap0").stdout
    return json.loads(out)[0]["stats64"]["tx"]["packets"]


def good_frames(port: F.RawPort) -> list[bytes]:
    return F.samples(port.mac, GUEST4, GUEST6, INTERNET4, INTERNET6)


@pytest.mark.parametrize("options", ((), ("--disable-host-loopback",),
                                     ("--disable-dns", "--mtu=65520")))
def test_each_right_frame_cut_at_each_byte_is_survived(guest: Guest,
                                                       options: tuple[str, ...]) -> None:
    with Slirpd("--configure", "--enable-ipv6", *options, guest.pid, "tap0") as daemon:
        with raw_port(guest) as port:
            good = good_frames(port)
            port.send(*good)
            port.send(*F.truncations(good))
            port.send(*(frame.ljust(1514, b"\0") for frame in good))
        assert daemon.process.poll() is None
        assert_works(guest)


def test_100_000_malformed_frames_leave_it_alive_and_small(guest: Guest, network: Slirpd) -> None:
    """The first half opens all that its frames can open; the same frames again need little more."""
    pids = network.pids()
    taken = frames_taken(guest)
    with raw_port(guest) as port:
        frames = list(F.malformed(good_frames(port), FRAMES // 2, seed=1))
        port.send(*frames)
        half_way = pss_kib(pids)
        port.send(*frames)
        growth = pss_kib(pids) - half_way
    assert frames_taken(guest) - taken >= port.n_sent
    assert network.pids() == pids
    assert growth < LEAK_KIB, f"{growth} KiB more after the second half than {half_way} KiB"
    assert_works(guest)


def frames_that_no_guest_needs() -> dict[str, bytes]:
    """By the reason for which each is dropped."""
    internet4, internet6 = INTERNET4, INTERNET6
    data = F.udp(GUEST4, internet4, 40000, ECHO_PORT, b"data")
    data6 = F.udp(GUEST6, internet6, 40000, ECHO_PORT, b"data")
    tftp = F.udp(GUEST4, "10.0.2.2", 40000, 69, b"\0\1hostname\0octet\0")
    return {
        "ip4_header": F.ip4(GUEST4, internet4, F.UDP, data)[:-1],
        "ip4_options": F.ip4(GUEST4, internet4, F.UDP, data, options=bytes([1, 1, 1, 0])),
        "ip6_extension": F.ip6(GUEST6, internet6, 0, bytes([F.UDP, 0, 1, 4, 0, 0, 0, 0]) + data6),
        "tftp": F.ip4(GUEST4, "10.0.2.2", F.UDP, tftp),
    }


def test_frames_that_no_guest_needs_are_dropped_and_counted(guest: Guest, network: Slirpd) -> None:
    """Each for a reason of its own. The guest's kernel sends a few with extension headers, too:
    reports of multicast groups."""
    frames = frames_that_no_guest_needs()
    with raw_port(guest) as port:
        before = network.counters()
        for frame in frames.values():
            for _ in range(50):
                port.send_ip(frame)
        after = network.counters()
    counted = {reason: after.get(reason, 0) - before.get(reason, 0) for reason in frames}
    assert all(50 <= n < 100 for n in counted.values()), counted


def test_oversized_frames_are_survived(guest: Guest) -> None:
    """A guest may give its TAP any MTU, whatever the daemon was told."""
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0") as daemon:
        guest.run("ip", "link", "set", "tap0", "mtu", "65521")
        with raw_port(guest) as port:
            for size in (1501, 1515, 2048, 4096, 16384, 65000, 65521):
                for frame in good_frames(port):
                    port.send((frame + bytes(size))[:size])
            for size in (1501, 9000, 65000):
                data = F.udp(GUEST4, INTERNET4, 40000, ECHO_PORT, bytes(size))
                port.send_ip(F.ip4(GUEST4, INTERNET4, F.UDP, data))
        assert daemon.process.poll() is None
        assert_works(guest)


# --- fragments --------------------------------------------------------------------------------


class Sink:
    """A UDP port in the internet that tells which datagrams came, in what state."""

    def __init__(self, address: str) -> None:
        self._sock = udp_socket(Lab.internet_netns, address)
        self._sock.settimeout(DEADLINE_S)
        self.address, self.port = address, self._sock.getsockname()[1]

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def up_to(self, marker: bytes) -> list[bytes]:
        """Everything that came before the marker, which is a datagram as well."""
        came = []
        while (data := self._sock.recv(65536)) != marker:
            came.append(data)
        return came


@pytest.fixture(params=INTERNET)
def sink(request: pytest.FixtureRequest, lab: Lab) -> Iterator[Sink]:
    with Sink(INTERNET[request.param]) as made:
        yield made


def datagram(seed: int, size: int = SIZE) -> bytes:
    return hashlib.shake_128(b"%d" % seed).digest(size)


def source_of(sink: Sink) -> str:
    return GUEST6 if ":" in sink.address else GUEST4


def cut(sink: Sink, data: bytes, ident: int, piece: int = PIECE) -> list[bytes]:
    """The fragments of a UDP datagram to the sink."""
    source = source_of(sink)
    whole = F.udp(source, sink.address, 40000, sink.port, data)
    how = F.fragments6 if ":" in sink.address else F.fragments4
    return how(source, sink.address, F.UDP, whole, piece, ident)


def came(guest: Guest, sink: Sink, packets: list[bytes]) -> list[bytes]:
    """What reaches the sink of these packets, proven by a marker that follows them.

    The daemon takes packets in order, and so does the way from it to the sink.
    """
    marker = b"marker"
    source = source_of(sink)
    last = F.packet(source, sink.address, F.UDP,
                    F.udp(source, sink.address, 40000, sink.port, marker))[0]
    with raw_port(guest) as port:
        ethertype = F.ETH_IP6 if ":" in sink.address else F.ETH_IP4
        port.send(*(F.ethernet(packet, ethertype, port.mac) for packet in (*packets, last)))
    return sink.up_to(marker)


def shuffled(pieces: list[bytes], seed: int) -> list[bytes]:
    pieces = list(pieces)
    random.Random(seed).shuffle(pieces)
    return pieces


ORDERS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "as sent": lambda pieces: pieces,
    "backwards": lambda pieces: pieces[::-1],
    "last first": lambda pieces: [pieces[-1], *pieces[:-1]],
    "first last": lambda pieces: [*pieces[1:], pieces[0]],
    "odd then even": lambda pieces: pieces[1::2] + pieces[::2],
    **{f"shuffled {seed}": (lambda pieces, seed=seed: shuffled(pieces, seed))
       for seed in range(5)},
}


@pytest.mark.parametrize("order", ORDERS)
def test_fragments_in_any_order_make_the_datagram(guest: Guest, network: Slirpd, sink: Sink,
                                                  order: str) -> None:
    data = datagram(1)
    assert came(guest, sink, ORDERS[order](cut(sink, data, 9))) == [data]


@pytest.mark.parametrize("size,piece", ((8, 8), (9, 8), (1000, 8), (4000, 1448), (60000, 1448),
                                        (60000, 1024)))
def test_fragments_of_any_size_make_the_datagram(guest: Guest, network: Slirpd, sink: Sink,
                                                 size: int, piece: int) -> None:
    data = datagram(2, size)
    assert came(guest, sink, cut(sink, data, 10, piece)) == [data]


def test_interleaved_datagrams_stay_apart(guest: Guest, network: Slirpd, sink: Sink) -> None:
    first, second = cut(sink, datagram(3), 11), cut(sink, datagram(4), 12)
    mixed = [piece for pair in zip(first, second) for piece in pair]
    assert came(guest, sink, mixed) == [datagram(3), datagram(4)]


def test_doubled_fragments_never_make_another_datagram(guest: Guest, network: Slirpd,
                                                       sink: Sink) -> None:
    """An exact copy may be ignored (RFC 8200) or may spoil the datagram (RFC 5722)."""
    data = datagram(5)
    pieces = cut(sink, data, 13)
    for number in range(len(pieces)):
        doubled = pieces[:number + 1] + pieces[number:]
        assert came(guest, sink, doubled) in ([], [data])


def test_missing_fragment_makes_no_datagram(guest: Guest, network: Slirpd, sink: Sink) -> None:
    for number in range(len(cut(sink, datagram(6), 0))):
        pieces = cut(sink, datagram(6), 20 + number)
        del pieces[number]
        assert came(guest, sink, pieces) == []


def overlaps(sink: Sink, shift: int) -> list[bytes]:
    """A datagram with one piece more, of other bytes, that lies over two others."""
    source = source_of(sink)
    whole = F.udp(source, sink.address, 40000, sink.port, datagram(7))
    pieces = cut(sink, datagram(7), 1000 + shift)
    other = bytes(PIECE)
    at = 2 * PIECE + shift
    if ":" in sink.address:
        extra = F.ip6(source, sink.address, F.FRAGMENT6,
                      F.fragment6(F.UDP, other, ident=1000 + shift, offset=at, more=True))
    else:
        extra = F.ip4(source, sink.address, F.UDP, other, ident=1000 + shift, offset=at, more=True)
    assert len(whole) > at + PIECE
    return [*pieces[:3], extra, *pieces[3:]]


@pytest.mark.parametrize("shift", (-504, -256, -8, 8, 256, 504))
def test_overlapping_fragments_make_no_datagram(guest: Guest, network: Slirpd, sink: Sink,
                                                shift: int) -> None:
    assert came(guest, sink, overlaps(sink, shift)) == []
    # The daemon goes on to put others together.
    assert came(guest, sink, cut(sink, datagram(8), 700)) == [datagram(8)]


def beyond_the_end(sink: Sink) -> list[bytes]:
    """A last fragment that ends behind the largest packet there is: the ping of death."""
    source = source_of(sink)
    if ":" in sink.address:
        return [F.ip6(source, sink.address, F.FRAGMENT6,
                      F.fragment6(F.UDP, bytes(1400), ident=60, offset=65528, more=False))]
    return [F.ip4(source, sink.address, F.UDP, bytes(1400), ident=60, offset=65528)]


def test_fragments_beyond_the_largest_packet_make_none(guest: Guest, network: Slirpd,
                                                       sink: Sink) -> None:
    pieces = cut(sink, datagram(9, 60000), 60, 1024)[:-1]
    assert came(guest, sink, pieces + beyond_the_end(sink)) == []


def test_two_last_fragments_make_no_second_length(guest: Guest, network: Slirpd,
                                                  sink: Sink) -> None:
    """Two ends of one datagram: whichever is believed, nothing of a mixed length comes out."""
    long, short = cut(sink, datagram(10), 61), cut(sink, datagram(10)[:1000], 61)
    came_out = came(guest, sink, [long[0], short[-1], *long[1:]])
    assert came_out in ([], [datagram(10)])


def flood(sink: Sink, count: int) -> Iterator[bytes]:
    """First fragments of `count` datagrams that nothing follows."""
    for ident in range(1000, 1000 + count):
        yield cut(sink, bytes(1448 * 2), ident, 1448)[0]


def test_flood_of_first_fragments_is_bounded(guest: Guest, network: Slirpd, sink: Sink) -> None:
    """20,000 of them are 29 MB; a datagram that comes whole is put together all the same."""
    pids = network.pids()
    before = pss_kib(pids)
    assert came(guest, sink, list(flood(sink, 20_000))) == []
    assert pss_kib(pids) - before < GROWTH_KIB
    assert_works(guest)
    idents = iter(range(90_000 & 0xFFFF, 65536))
    wait_for("a fragmented datagram comes through again", lambda: came(
        guest, sink, cut(sink, datagram(11), next(idents))) == [datagram(11)], deadline_s=60)


# --- too much of a good thing -----------------------------------------------------------------


def flow_flood(port: F.RawPort, protocol: int) -> Iterator[bytes]:
    """First packets of ten times as many flows as slirpd may open descriptors."""
    for sport in range(20000, 30000):
        payload = F.l4(GUEST4, INTERNET4, protocol, sport, HTTP_PORT)
        yield F.ethernet(F.ip4(GUEST4, INTERNET4, protocol, payload), F.ETH_IP4, port.mac)


@pytest.mark.parametrize("protocol", (F.TCP, F.UDP), ids=("tcp", "udp"))
def test_flood_of_flows_leaves_open_connections_alone(guest: Guest, network: Slirpd,
                                                      protocol: int) -> None:
    pids = network.pids()
    before = pss_kib(pids)
    with listener(Lab.internet_netns, INTERNET4) as server:
        serve(server, lambda connection: connection.sendall(recv_all(connection)))
        with guest.connect(INTERNET4, server.getsockname()[1]) as client:
            with raw_port(guest) as port:
                port.send(*flow_flood(port, protocol))
            client.sendall(b"still there")
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == b"still there"
    assert network.pids() == pids
    assert pss_kib(pids) - before < GROWTH_KIB


def test_room_comes_back_after_a_flood_of_connections(guest: Guest, network: Slirpd) -> None:
    """The guest's kernel resets what it knows nothing of. UDP flows only age, in minutes."""
    with raw_port(guest) as port:
        port.send(*flow_flood(port, F.TCP))
    wait_for("a new connection gets through", lambda: guest.run(
        "curl", "-s", "-m", "5", http_url(INTERNET4, "hello"), check=False
    ).stdout == "hello\n", deadline_s=150)


def test_guest_that_reads_nothing_stops_nothing(guest: Guest, network: Slirpd) -> None:
    """A TAP whose queue is full and a peer that goes on sending; other connections go on."""
    def pour(connection: socket.socket) -> None:
        while True:
            connection.sendall(bytes(1 << 16))

    with listener(Lab.internet_netns, INTERNET4) as server:
        serve(server, pour)
        silent = [guest.connect(INTERNET4, server.getsockname()[1]) for _ in range(20)]
        try:
            assert_works(guest)
        finally:
            for client in silent:
                client.close()
    assert_works(guest)
