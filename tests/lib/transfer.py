# SPDX-License-Identifier: BSD-2-Clause
"""Streams of bytes whose every part differs from its neighbours, sent and hashed."""

from __future__ import annotations

import functools
import hashlib
import random
import socket
import threading
from collections.abc import Callable, Iterable, Iterator

from lab import Lab
from netns import family_of, socket_in
from servers import listener
from tree import SANITIZED

# What one transfer carries, where nothing else is said.
TRANSFER_BYTES = 24_000_000
# Longer than what is in flight by thousands of times. A sanitizer's build is slower by as much as this
# is longer.
LONG_TRANSFER_BYTES = 24_000_000 if SANITIZED else 1_000_000_000

# A prime: no buffer of a power of two, and no multiple of a segment's length, hides a piece
# that is lost or comes twice.
_BLOCK = random.Random(5).randbytes(1_048_573)

# Long enough for a loaded machine; a stall that only a late timer ends is longer.
STALL_S = 3.5


def pieces(n_bytes: int, sizes: Iterable[int] = ()) -> Iterator[memoryview]:
    """The first n_bytes of the stream in pieces of these sizes, then in large ones."""
    block = memoryview(_BLOCK)
    at = 0
    wanted = iter(sizes)
    while at < n_bytes:
        start = at % len(block)
        size = min(next(wanted, len(block)), n_bytes - at, len(block) - start)
        yield block[start:start + size]
        at += size


@functools.cache
def digest(n_bytes: int) -> str:
    return hash_of(pieces(n_bytes))


def hash_of(parts: Iterable[bytes | memoryview]) -> str:
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part)
    return sha.hexdigest()


def received(sock: socket.socket, size: int = 1 << 20, stall_s: float = STALL_S) -> Iterator[bytes]:
    """All that comes up to the end; fails when it stands still."""
    sock.settimeout(stall_s)
    while piece := sock.recv(size):
        yield piece


def send(sock: socket.socket, n_bytes: int, sizes: Iterable[int] = (),
         stall_s: float = STALL_S) -> None:
    """Sends the stream and its end."""
    sock.settimeout(stall_s)
    for piece in pieces(n_bytes, sizes):
        sock.sendall(piece)
    sock.shutdown(socket.SHUT_WR)


def both(ours: Callable[[], object], theirs: Callable[[], object]) -> None:
    """Runs the second beside the first; an error of either is raised."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            theirs()
        except BaseException as error:  # told to the one who waits
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        ours()
    finally:
        thread.join()
    if errors:
        raise errors[0]


def connected(netns: str, address: str,
              prepare: Callable[[socket.socket], None] = lambda _sock: None,
              server_netns: str = Lab.internet_netns) -> tuple[socket.socket, socket.socket]:
    """A TCP connection from a namespace to the internet, or to another namespace: its end
    there, and the server's. prepare() is called with the first before it connects."""
    with listener(server_netns, address) as server:
        client = socket_in(netns, family_of(address), socket.SOCK_STREAM)
        try:
            prepare(client)
            client.connect(server.getsockname()[:2])
            return client, server.accept()[0]
        except BaseException:
            client.close()
            raise


def assert_equal(netns: str, address: str, direction: str, n_bytes: int = 0,
                 sizes: Callable[[], Iterable[int]] = tuple, stall_s: float = STALL_S,
                 **kwargs: object) -> None:
    """Carries the stream out of the namespace, or into it, and compares hashes; kwargs as of
    connected()."""
    n_bytes = n_bytes or TRANSFER_BYTES
    inside, outside = connected(netns, address, **kwargs)
    source, sink = (inside, outside) if direction == "out" else (outside, inside)
    hashes: list[str] = []
    with inside, outside:
        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        both(lambda: hashes.append(hash_of(received(sink, stall_s=stall_s))),
             lambda: send(source, n_bytes, sizes(), stall_s))
    assert hashes == [digest(n_bytes)]


def assert_both_ways(pair: tuple[socket.socket, socket.socket], n_bytes: int,
                     stall_s: float = STALL_S) -> None:
    """Both ends send the stream at the same time, and get what the other sends. Closes both."""
    hashes: list[str] = []

    def carry(sock: socket.socket) -> None:
        both(lambda: hashes.append(hash_of(received(sock, stall_s=stall_s))),
             lambda: send(sock, n_bytes, stall_s=stall_s))
    with pair[0], pair[1]:
        both(lambda: carry(pair[0]), lambda: carry(pair[1]))
    assert hashes == 2 * [digest(n_bytes)]
