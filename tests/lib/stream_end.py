#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""One end of a stream as a process, which a test can stop and continue.

stream_end.py send FD: sends the stream of transfer.py to a socket until the end of stdin, then the
stream's end. stream_end.py receive FD: reads to the end. Both print the length and the hash.
"""

from __future__ import annotations

import hashlib
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator

from transfer import pieces

FOREVER = 1 << 62
# Several times longer than a pipe or a socket holds: the end of stdin is noticed soon.
STEP = 65536


def start(what: str, sock: socket.socket) -> subprocess.Popen[str]:
    """The process has the socket too; wait for it with finish()."""
    return subprocess.Popen([sys.executable, "-B", __file__, what, str(sock.fileno())], text=True,
                            pass_fds=(sock.fileno(),), stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def finish(process: subprocess.Popen[str], deadline_s: float) -> str:
    """What the process prints, after the end of its stdin."""
    out, _ = process.communicate(timeout=deadline_s)
    assert process.returncode == 0
    return out


def parts_of(sock: socket.socket, what: str) -> Iterator[bytes | memoryview]:
    if what == "receive":
        while piece := sock.recv(1 << 20):
            yield piece
        return
    with selectors.DefaultSelector() as stdin:
        stdin.register(0, selectors.EVENT_READ)
        stream = pieces(FOREVER, iter(lambda: STEP, 0))
        while not stdin.select(0):
            piece = next(stream)
            sock.sendall(piece)
            yield piece
    sock.shutdown(socket.SHUT_WR)


def main() -> None:
    digest, n_bytes = hashlib.sha256(), 0
    with socket.socket(fileno=int(sys.argv[2])) as sock:
        sock.setblocking(True)
        for part in parts_of(sock, sys.argv[1]):
            digest.update(part)
            n_bytes += len(part)
    print(n_bytes, digest.hexdigest())


if __name__ == "__main__":
    main()
