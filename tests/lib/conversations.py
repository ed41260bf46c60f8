# SPDX-License-Identifier: BSD-2-Clause
"""Short conversations of two programs over TCP, and what the programs see of each other's end.

Each takes the two ends and what is said, and returns what was seen, in words.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

import transfer as T
from netns import family_of, socket_in
from waiting import DEADLINE_S, wait_for

LINGER_ZERO = struct.pack("ii", 1, 0)  # close(2) then sends a reset


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
    sock.close()


def send(sock: socket.socket, data: bytes) -> None:
    sock.sendall(data)
    sock.shutdown(socket.SHUT_WR)


def send_until_full(sock: socket.socket) -> None:
    """All that the buffers on the way hold at this moment."""
    timeout_s = sock.gettimeout()
    sock.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(bytes(1 << 16))
    sock.settimeout(timeout_s)


def read(sock: socket.socket, data: bytes) -> str:
    """How much of the data arrives, and how the stream ends."""
    got = b""
    try:
        while piece := sock.recv(1 << 20):
            got += piece
        end = "end of file"
    except socket.timeout:
        end = "silence"
    except OSError as error:
        end = errno.errorcode[error.errno]
    return f"{'all' if got == data else 'part' if data.startswith(got) else 'else'}, {end}"


def take(sock: socket.socket, data: bytes) -> str:
    """Reads so much, and no further."""
    got = b""
    while len(got) < len(data) and (piece := sock.recv(len(data) - len(got))):
        got += piece
    return "all" if got == data else "else"


def _beside(ours: Callable[[], object], theirs: Callable[[], str]) -> str:
    seen: list[str] = []
    T.both(ours, lambda: seen.append(theirs()))
    return seen[0]


def one_ends_first(first: socket.socket, second: socket.socket, data: bytes) -> list[str]:
    """The second answers after the end of the first's stream."""
    return [_beside(lambda: send(first, data), lambda: read(second, data)),
            _beside(lambda: send(second, data), lambda: read(first, data))]


def both_end_at_once(one: socket.socket, two: socket.socket, data: bytes) -> list[str]:
    seen: list[str] = []

    def speak(sock: socket.socket) -> None:
        seen.append(_beside(lambda: send(sock, data), lambda: read(sock, data)))
    T.both(lambda: speak(one), lambda: speak(two))
    return seen


def one_resets(first: socket.socket, second: socket.socket, data: bytes) -> list[str]:
    """After the data has arrived."""
    seen = [_beside(lambda: first.sendall(data), lambda: take(second, data))]
    reset(first)
    return [*seen, read(second, b"")]


def one_resets_in_the_middle(first: socket.socket, second: socket.socket, _data: bytes) -> list[str]:
    """With data under way, which may be lost: a part is no whole."""
    send_until_full(first)
    reset(first)
    return [read(second, b"").split(", ")[1]]


def one_ends_and_the_other_resets(first: socket.socket, second: socket.socket, data: bytes) -> list[str]:
    seen = [_beside(lambda: send(first, data), lambda: read(second, data)),
            _beside(lambda: second.sendall(data), lambda: take(first, data))]
    reset(second)
    return [*seen, read(first, b"")]


def one_ends_and_resets(first: socket.socket, second: socket.socket, data: bytes) -> list[str]:
    """The other sees it when it writes."""
    seen = [_beside(lambda: send(first, data), lambda: read(second, data))]
    reset(first)

    def fails() -> bool:
        try:
            second.send(b"x")
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False
    wait_for("a write fails", fails)
    return seen


# With what a program sees of the other on the same machine.
CONVERSATIONS = {
    one_ends_first: ["all, end of file", "all, end of file"],
    both_end_at_once: ["all, end of file", "all, end of file"],
    one_resets: ["all", "all, ECONNRESET"],
    one_resets_in_the_middle: ["ECONNRESET"],
    one_ends_and_the_other_resets: ["all, end of file", "all", "all, ECONNRESET"],
    one_ends_and_resets: ["all, end of file"],
}


# The last is more than a socket takes before its peer reads.
SIZES = (0, 1, 1 << 20)
N_AT_ONCE = 4


def assert_conversations(connect: Callable[[str], tuple[socket.socket, socket.socket]],
                         addresses: Iterable[str]) -> None:
    """The half-close matrix: all conversations, of all sizes, with each of both ends as the first.
    connect() makes the two ends of a connection; it is called with each of the addresses."""
    def converse(address: str, size: int, conversation: Callable[..., list[str]], *,
                 is_reversed: bool) -> list[str]:
        ends = connect(address)[::-1] if is_reversed else connect(address)
        with ends[0], ends[1]:
            for sock in ends:
                sock.settimeout(DEADLINE_S)
            return conversation(*ends, b"".join(T.pieces(size)))

    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        seen = {(conversation, is_reversed, size, address): pool.submit(
            converse, address, size, conversation, is_reversed=is_reversed)
            for address in addresses for size in SIZES for conversation in CONVERSATIONS
            for is_reversed in (False, True)}
        assert {key: done.result() for key, done in seen.items()} == {
            key: CONVERSATIONS[key[0]] for key in seen}


def failure_to_connect(netns: str, to: tuple[str, int], timeout_ms: int) -> str:
    """The errno of connect(2) in a namespace."""
    with socket_in(netns, family_of(to[0]), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, timeout_ms)
        sock.settimeout(None)
        try:
            sock.connect(to)
        except OSError as error:
            return errno.errorcode[error.errno]
    return "connected"
