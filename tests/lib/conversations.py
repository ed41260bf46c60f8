# SPDX-License-Identifier: BSD-2-Clause
"""Short conversations of two programs over TCP, and what the programs see of each other's end.

Each takes the two ends and what is said, and returns what was seen, in words.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Callable

import transfer as T
from netns import family_of, socket_in
from waiting import wait_for

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
