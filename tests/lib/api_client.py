# SPDX-License-Identifier: BSD-2-Clause
"""A daemon with a control socket, and clients of it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import api_schema
from daemon import Slirpd
from guest import Guest
from servers import recv_all
from waiting import DEADLINE_S


@contextlib.contextmanager
def daemon_with_api(guest: Guest, *options: str,
                    **kwargs: Any) -> Iterator[tuple[Slirpd, str]]:
    """slirpd for the guest, and the path of its control socket; kwargs as of Slirpd."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o777)
        path = str(Path(directory) / "api.sock")
        with Slirpd("--configure", f"--api-socket={path}", *options, guest.pid, "tap0",
                    **kwargs) as daemon:
            yield daemon, path


def connect(path: str) -> api_schema.CheckedSocket:
    """What is read from it has to fit the schema."""
    sock = api_schema.CheckedSocket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(DEADLINE_S)
    try:
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def ask(path: str, request: bytes, *, half_close: bool = False) -> bytes:
    """One request, and all of the reply up to end-of-file."""
    with connect(path) as sock:
        sock.sendall(request)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        return recv_all(sock)


def execute(path: str, verb: str, **arguments: Any) -> dict[str, Any]:
    """The decoded reply to a command."""
    request = {"execute": verb, **({"arguments": arguments} if arguments else {})}
    with connect(path) as sock:
        sock.sendall(json.dumps(request).encode())
        reply = json.loads(recv_all(sock))
        sock.check_reply(reply, verb)
    return reply


class Session:
    """A connection that has become a session."""

    def __init__(self, path: str) -> None:
        self.sock = connect(path)
        self.file = self.sock.makefile("rb")
        self.first = self.ask('{"execute":"qmp_capabilities"}')

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.sock.close()

    def ask(self, text: str) -> str:
        self.sock.sendall(text.encode() + b"\n")
        return self.line()

    def line(self) -> str:
        line = self.file.readline().decode()
        assert line.endswith("\n"), f"the session ended after {line!r}"
        return line[:-1]
