# SPDX-License-Identifier: BSD-2-Clause
"""Servers of a test, in any network namespace."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from netns import family_of, socket_in
from waiting import DEADLINE_S

TCP_LISTEN = "0A"  # of /proc/net/tcp


def serve(sock: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    """Calls handle(connection) in a thread of its own for each connection, until closed. The
    connection has no deadline: its client may be idle for longer while a test goes on elsewhere,
    and has one itself."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            handle(connection)

    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = sock.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    sock.settimeout(None)
    threading.Thread(target=loop, daemon=True).start()


@contextlib.contextmanager
def listener(netns: str, address: str, port: int = 0, backlog: int = 1024) -> Iterator[socket.socket]:
    """A listening TCP socket in a namespace."""
    with socket_in(netns, family_of(address), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family_of(address) == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(backlog)
        try:
            yield sock
        finally:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that sits in accept()


def listens(pid: int, port: int) -> bool:
    """Whether something listens on a TCP port of that process's network, in either family. To
    connect would tell as well, but a server may take that for its client."""
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == TCP_LISTEN and int(local.split(":")[1], 16) == port:
                return True
    return False


def recv_all(sock: socket.socket) -> bytes:
    """Everything up to end-of-file."""
    pieces = []
    while piece := sock.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def udp_socket(netns: str, address: str, port: int = 0) -> socket.socket:
    """A bound UDP socket with room for a burst."""
    sock = socket_in(netns, family_of(address), socket.SOCK_DGRAM)
    if family_of(address) == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((address, port))
    return sock


def serve_udp_echo(sock: socket.socket) -> None:
    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = sock.recvfrom(65536)
                sock.sendto(data, peer)

    sock.settimeout(None)
    threading.Thread(target=loop, daemon=True).start()
