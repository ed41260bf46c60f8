# SPDX-License-Identifier: BSD-2-Clause
"""The bad wire of the tests itself: each condition has its effect, and no other one."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from guest import Guest
from netns import socket_in
from wire import COUNTS, Conditions, Direction, Wire

ONE, TWO = "10.99.0.1", "10.99.0.2"
MAC = {ONE: "02:00:00:00:00:01", TWO: "02:00:00:00:00:02"}
PORT = 7000
# A burst fits the receiver's buffer.
N_SENT = 100


@contextlib.contextmanager
def joined(to_two: Conditions, to_one: Conditions = Conditions()) -> Iterator[tuple[Wire, Guest, Guest]]:
    """Two namespaces whose interfaces are joined by a wire that carries the test's frames only."""
    with Guest() as one, Guest() as two:
        for guest in (one, two):
            guest.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        with Wire((one.netns, "wire0"), (two.netns, "wire0"), to_one=to_one, to_two=to_two) as wire:
            for guest, own, peer in ((one, ONE, TWO), (two, TWO, ONE)):
                guest.run("ip", "link", "set", "wire0", "address", MAC[own], "up")
                guest.run("ip", "addr", "add", f"{own}/24", "dev", "wire0")
                guest.run("ip", "neigh", "add", peer, "lladdr", MAC[peer], "dev", "wire0")
            yield wire, one, two


def burst(to_two: Conditions) -> tuple[list[int], dict[str, int]]:
    """Sends numbered datagrams at once. Returns the numbers in the order in which they arrived, and
    what the wire counted."""
    with joined(to_two) as (wire, one, two), \
            socket_in(two.netns, socket.AF_INET, socket.SOCK_DGRAM) as receiver, \
            socket_in(one.netns, socket.AF_INET, socket.SOCK_DGRAM) as sender:
        receiver.bind((TWO, PORT))
        for number in range(N_SENT):
            sender.sendto(number.to_bytes(4, "big") + bytes(100), (TWO, PORT))
        counts = wire.end()["to_two"]
        assert counts["taken"] == N_SENT
        receiver.setblocking(False)
        arrived = []
        with contextlib.suppress(BlockingIOError):
            while True:
                arrived.append(int.from_bytes(receiver.recv(4), "big"))
        return arrived, counts


def n_overtaken(arrived: list[int]) -> int:
    return sum(number < newest for number, newest in zip(arrived, itertools.accumulate(arrived, max)))


def test_good_wire_changes_nothing(lab: object) -> None:
    arrived, counts = burst(Conditions())
    assert arrived == list(range(N_SENT))
    assert counts == {**dict.fromkeys(COUNTS, 0), "taken": N_SENT}


def test_wire_loses(lab: object) -> None:
    arrived, counts = burst(Conditions(loss=0.3))
    assert N_SENT * 0.05 < counts["lost"] < N_SENT * 0.7
    assert len(arrived) == N_SENT - counts["lost"]
    assert arrived == sorted(set(arrived))


def test_wire_doubles(lab: object) -> None:
    arrived, counts = burst(Conditions(duplicate=0.3))
    assert N_SENT * 0.05 < counts["doubled"] < N_SENT * 0.7
    assert len(arrived) == N_SENT + counts["doubled"]
    assert arrived == sorted(arrived)
    assert set(arrived) == set(range(N_SENT))


def test_wire_reorders(lab: object) -> None:
    arrived, counts = burst(Conditions(reorder=0.2))
    assert counts["reordered"] > 0
    assert counts["overtaken"] == n_overtaken(arrived) > 0
    assert sorted(arrived) == list(range(N_SENT))


def test_jitter_reorders(lab: object) -> None:
    arrived, counts = burst(Conditions(delay_ms=5, jitter_ms=20))
    assert counts["overtaken"] == n_overtaken(arrived) > 0
    assert sorted(arrived) == list(range(N_SENT))


def test_burst_is_more_than_the_queue_of_a_slow_wire(lab: object) -> None:
    """104 bytes take 8 ms each with their headers, and no burst is as slow."""
    arrived, counts = burst(Conditions(rate_mbit=0.1, queue_frames=10))
    assert counts["overflowed"] > 0
    assert len(arrived) == N_SENT - counts["overflowed"] >= 10


@pytest.mark.parametrize("to_one,to_two", ((30, 0), (0, 30), (20, 20)))
def test_wire_delays(lab: object, to_one: float, to_two: float) -> None:
    with joined(Conditions(delay_ms=to_two), Conditions(delay_ms=to_one)) as (_, one, two), \
            socket_in(two.netns, socket.AF_INET, socket.SOCK_DGRAM) as server, \
            socket_in(one.netns, socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.bind((TWO, PORT))
        begin = time.monotonic()
        client.sendto(b"?", (TWO, PORT))
        _, peer = server.recvfrom(9)
        there = time.monotonic()
        server.sendto(b"!", peer)
        assert client.recv(9) == b"!"
        assert there - begin >= to_two / 1000
        assert time.monotonic() - there >= to_one / 1000


def test_tcp_goes_through_a_bad_wire(lab: object) -> None:
    bad = Conditions(loss=0.03, duplicate=0.05, reorder=0.05, delay_ms=1, jitter_ms=2, rate_mbit=100)
    data = random.Random(1).randbytes(400_000)
    with joined(bad, bad) as (wire, one, two), \
            socket_in(two.netns, socket.AF_INET, socket.SOCK_STREAM) as server:
        server.bind((TWO, PORT))
        server.listen()
        with socket_in(one.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
            client.connect((TWO, PORT))
            peer, _ = server.accept()
            sha = hashlib.sha256()
            with peer, ThreadPoolExecutor(1) as pool:
                sent = pool.submit(lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
                while piece := peer.recv(65536):
                    sha.update(piece)
                sent.result()
        assert sha.digest() == hashlib.sha256(data).digest()
        assert wire.end()["to_two"]["lost"] + wire.counts["to_one"]["lost"] > 0


def carried(seed: int) -> tuple[list[bytes], dict[str, int]]:
    """The order in which a hundred frames come out of a wire that does everything."""
    direction = Direction(Conditions(0.1, 0.1, 0.1, 3, 5, 5, 10, 20), seed)
    out = []
    for number in range(100):
        direction.take(bytes([number]) * 500, number / 1000)
        out += direction.give(number / 1000)
    out += direction.give(1000)
    assert direction.next_s() is None
    return out, direction.counts


def test_same_seed_does_the_same() -> None:
    assert carried(1) == carried(1)
    assert carried(1)[0] != carried(2)[0]


def test_frames_leave_at_the_rate() -> None:
    direction = Direction(Conditions(rate_mbit=1, queue_frames=8), 1)
    for number in range(10):
        direction.take(bytes([number]) * 125, 5)
    assert [frame[0] for frame in direction.give(5.0035)] == [0, 1, 2]
    direction.take(bytes([10]) * 125, 5.0035)
    assert [frame[0] for frame in direction.give(6)] == [3, 4, 5, 6, 7, 10]
    assert direction.counts["overflowed"] == 2


def test_reordered_frame_waits_for_others_or_a_time() -> None:
    direction = Direction(Conditions(reorder=1, reorder_gap=3), 1)
    direction.take(b"first", 0)
    assert direction.give(0) == []
    direction.conditions = Conditions()
    for number in range(3):
        direction.take(bytes([number]), 0)
    assert direction.give(0) == [b"\0", b"\1", b"\2", b"first"]
    direction.conditions = Conditions(reorder=1)
    direction.take(b"alone", 1)
    at = direction.next_s()
    assert at is not None and at > 1
    assert direction.give(at) == [b"alone"]
