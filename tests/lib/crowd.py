#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many TCP clients in one process of a guest, and the server that they need.

crowd.py connect ADDRESS PORT N first|last: N connections one after the other in several threads,
each with a question and an answer; the client closes before the server, or after it.
crowd.py reuse ADDRESS PORT N close|reset SIZE: N connections from one port that carry so many bytes,
each at once after the server has closed the one before, or the client has reset it. None may be slow.
crowd.py hold ADDRESS PORT N: N connections that are idle until the end of stdin, and then used.
crowd.py bulk ADDRESS PORT N SIZE: N connections at once, each with a stream of its own that comes
back.

Each prints how many connections did what they should, and fails if some did not.
"""

from __future__ import annotations

import collections
import contextlib
import errno
import hashlib
import selectors
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

from tree import SANITIZED

LINGER_ZERO = struct.pack("ii", 1, 0)
N_THREADS = 8
TIMEOUT_S = 20
OWN_PORT = 3001
POLL_S = 0.0001
# A SYN or an end that is lost costs a second or more.
SLOW_S = 3.0 if SANITIZED else 0.9
QUESTION, STATEMENT, ANSWER = b"?", b".", b"!"


# --- the server ---------------------------------------------------------------------------------


def answer(connection: socket.socket) -> None:
    """At the end of a question, which is to be the client's last word, or of a statement, after
    which the client is to close first."""
    connection.settimeout(TIMEOUT_S)
    piece = connection.recv(1 << 20)
    while piece and piece[-1:] not in (QUESTION, STATEMENT):
        piece = connection.recv(1 << 20)
    connection.sendall(ANSWER)
    if piece[-1:] == STATEMENT:
        connection.recv(1)


def echo_to_all(server: socket.socket) -> None:
    """Sends everything back, for thousands of connections at once, until the server is closed."""
    waiting: dict[socket.socket, bytearray] = {}
    server.setblocking(False)
    with selectors.DefaultSelector() as selector, contextlib.ExitStack() as stack:
        selector.register(server, selectors.EVENT_READ)
        while True:
            for key, events in selector.select():
                sock = key.fileobj
                if sock is server:
                    try:
                        connection = stack.enter_context(server.accept()[0])
                    except BlockingIOError:
                        continue
                    except OSError:
                        return
                    connection.setblocking(False)
                    waiting[connection] = bytearray()
                    selector.register(connection, selectors.EVENT_READ)
                elif not _echo_one(selector, sock, waiting[sock], events):
                    selector.unregister(sock)
                    sock.close()
                    del waiting[sock]


def _echo_one(selector: selectors.BaseSelector, sock: socket.socket, waiting: bytearray,
              events: int) -> bool:
    """Returns whether the connection goes on."""
    try:
        if events & selectors.EVENT_READ:
            piece = sock.recv(1 << 16)
            if not piece:
                return False
            waiting += piece
        del waiting[:sock.send(waiting)]
    except BlockingIOError:
        pass
    except OSError:
        return False
    # It reads no more before all is sent: what a client sends is bounded by what it reads.
    selector.modify(sock, selectors.EVENT_WRITE if waiting else selectors.EVENT_READ)
    return True


# --- clients ------------------------------------------------------------------------------------


def connected(to: tuple[str, int]) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET)
    sock.settimeout(TIMEOUT_S)
    try:
        sock.connect(to)
    except BaseException:
        sock.close()
        raise
    return sock


def many(n: int, one: Callable[[], None]) -> collections.Counter[str]:
    """Calls it so many times in several threads; returns how the calls ended."""
    ends: collections.Counter[str] = collections.Counter()
    lock = threading.Lock()

    def work() -> None:
        for _ in range(n // N_THREADS):
            try:
                one()
                end = "ok"
            except OSError as error:
                end = errno.errorcode.get(error.errno or 0, "timeout")
            with lock:
                ends[end] += 1
    threads = [threading.Thread(target=work) for _ in range(N_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def connect(to: tuple[str, int], n: int, who: str) -> collections.Counter[str]:
    def one() -> None:
        with connected(to) as sock:
            sock.sendall(STATEMENT if who == "first" else QUESTION)
            if sock.recv(1) != ANSWER or (who == "last" and sock.recv(1)):
                raise OSError(errno.EPROTO, "another answer")
    return many(n, one)


def connect_once_free(sock: socket.socket, to: tuple[str, int]) -> None:
    """The kernel here has the connection before until its end is acknowledged."""
    end = time.monotonic() + TIMEOUT_S
    while True:
        try:
            return sock.connect(to)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > end:
                raise
            time.sleep(POLL_S)


def reuse(to: tuple[str, int], n: int, how: str, size: int) -> collections.Counter[str]:
    ends: collections.Counter[str] = collections.Counter()
    data = bytes(size)
    for _ in range(n):
        begin = time.monotonic()
        with socket.socket(socket.AF_INET6 if ":" in to[0] else socket.AF_INET) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("", OWN_PORT))
            sock.settimeout(TIMEOUT_S)
            try:
                connect_once_free(sock, to)
                sock.sendall(data + (QUESTION if how == "close" else STATEMENT))
                good = sock.recv(1) == ANSWER and (how == "reset" or not sock.recv(1))
                if how == "reset":
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
                end = "ok" if good else "another answer"
            except OSError as error:
                end = errno.errorcode.get(error.errno or 0, "timeout")
        is_slow = time.monotonic() - begin > SLOW_S
        ends["slow" if end == "ok" and is_slow else end] += 1
    return ends


def hold(to: tuple[str, int], n: int) -> collections.Counter[str]:
    held: list[socket.socket] = []
    ends = many(n, lambda: held.append(connected(to)))
    print(ends["ok"], flush=True)
    sys.stdin.read()
    for i, sock in enumerate(held):
        sock.sendall(struct.pack("!I", i))
    return collections.Counter(
        "ok" if sock.recv(4, socket.MSG_WAITALL) == struct.pack("!I", i) else "another answer"
        for i, sock in enumerate(held))


def bulk(to: tuple[str, int], n: int, size: int) -> collections.Counter[str]:
    """All are open before the first sends."""
    streams: dict[socket.socket, tuple[memoryview, bytearray]] = {}
    opened: list[socket.socket] = []
    many(n, lambda: opened.append(connected(to)))
    good = 0
    with selectors.DefaultSelector() as selector:
        for i, sock in enumerate(opened):
            sock.setblocking(False)
            data = hashlib.shake_128(struct.pack("!I", i)).digest(size)
            streams[sock] = memoryview(data), bytearray()
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, memoryview(data))
        while selector.get_map():
            ready = selector.select(TIMEOUT_S)
            if not ready:
                return +collections.Counter({"ok": good, "stalled": n - good})
            for key, events in ready:
                sock = key.fileobj
                data, got = streams[sock]
                if events & selectors.EVENT_WRITE:
                    with contextlib.suppress(BlockingIOError):
                        left = key.data[sock.send(key.data):]
                        both = selectors.EVENT_READ | selectors.EVENT_WRITE
                        selector.modify(sock, both if left else selectors.EVENT_READ, left)
                if events & selectors.EVENT_READ:
                    with contextlib.suppress(BlockingIOError):
                        piece = sock.recv(1 << 16)
                        got += piece
                        if not piece or len(got) == size:
                            good += got == data
                            selector.unregister(sock)
                            sock.close()
    return +collections.Counter({"ok": good, "else": n - good})


def main() -> None:
    what, address, port, n, *more = sys.argv[1:]
    clients = {"connect": connect, "reuse": reuse, "hold": hold, "bulk": bulk}
    ends = clients[what]((address, int(port)), int(n),
                         *(int(word) if word.isdigit() else word for word in more))
    print(dict(ends))
    sys.exit(set(ends) != {"ok"})


if __name__ == "__main__":
    main()
