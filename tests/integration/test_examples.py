# SPDX-License-Identifier: BSD-2-Clause
"""The clients in examples/ do what they say."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_client import execute
from daemon import Slirpd
from guest import Guest
from tree import REPO
from waiting import DEADLINE_S

# -I -S: nothing but the standard library.
SESSION = (sys.executable, "-I", "-S", "-B", str(REPO / "examples/session.py"))
FORWARD = str(REPO / "examples/forward.sh")


@contextlib.contextmanager
def session(path: str, host_port: int) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([*SESSION, path, str(host_port), "80"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[bytes]) -> str:
    """The next line; byte by byte, so that none waits in a buffer where select() misses it."""
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([process.stdout], [], [], DEADLINE_S)[0], f"no line after {line!r}"
        byte = os.read(process.stdout.fileno(), 1)
        assert byte, f"no more after {line!r}"
        line += byte
    return line.decode()[:-1]


def test_python_follows_the_forwards_to_the_end(api: tuple[Slirpd, str]) -> None:
    daemon, path = api
    with session(path, 8080) as client:
        assert line_of(client) == "forwards: tcp/8080"
        execute(path, "add_hostfwd", proto="udp", host_port=5353, guest_port=53)
        assert line_of(client) == "forwards: tcp/8080 udp/5353"
        os.kill(daemon.children()["api"], signal.SIGKILL)
        assert line_of(client) == "connected again"
        assert line_of(client) == "forwards: tcp/8080 udp/5353"
        execute(path, "remove_hostfwd", id=1)
        assert line_of(client) == "forwards: udp/5353"
        daemon.process.terminate()
        assert line_of(client) == "slirpd ends"
        assert client.wait(timeout=DEADLINE_S) == 0 and client.stderr.read() == b""


def test_python_tells_of_a_refusal(api: tuple[Slirpd, str]) -> None:
    _, path = api
    execute(path, "add_hostfwd", proto="tcp", host_port=8080, guest_port=80)
    with session(path, 8080) as client:
        assert client.wait(timeout=DEADLINE_S) == 1
        assert client.stderr.read().startswith(
            b"session.py: choose another port than 8080: a forward has the port already: ")


def forward(*argv: object) -> tuple[int, str, str]:
    done = subprocess.run([FORWARD, *map(str, argv)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE_S)
    return done.returncode, done.stdout, done.stderr


def test_shell_adds_lists_and_removes(api: tuple[Slirpd, str], tools: Callable[..., None]) -> None:
    tools("nc", "jq")
    _, path = api
    assert forward(path, "list") == (0, "", "")
    assert forward(path, "add", "tcp", 8080, 80) == (0, "1\n", "")
    assert forward(path, "add", "udp", "9000-9003", 9000) == (0, "2\n", "")
    assert forward(path, "list") == (
        0, "1 tcp 127.0.0.1:8080 -> 10.0.2.100:80\n2 udp 127.0.0.1:9000 -> 10.0.2.100:9000\n", "")
    assert forward(path, "remove", 1) == (0, "", "")
    assert [forward["id"] for forward in execute(path, "list_hostfwd")["entries"]] == [2]


def test_shell_talks_to_slirp4netns(guest: Guest, tools: Callable[..., None], tmp_path: Path) -> None:
    tools("nc", "jq", "slirp4netns")
    path = tmp_path / "api"
    with Slirpd("-c", f"--api-socket={path}", guest.pid, "tap0",
                program=shutil.which("slirp4netns")):
        assert forward(path, "add", "tcp", 8080, 80) == (0, "1\n", "")
        assert forward(path, "list") == (0, "1 tcp 127.0.0.1:8080 -> 10.0.2.100:80\n", "")
        assert forward(path, "remove", 1) == (0, "", "")
        assert forward(path, "remove", 1) == (1, "", "bad request: remove_hostfwd: bad arguments.id\n")


@pytest.mark.parametrize("argv, why", (
    (("add", "tcp", "http", 80), "host_port: wanted a whole number from 1 to 65535, "
                                 'or a string "FIRST-LAST"'),
    (("add", 'tcp","more":"', 8080, 80), "proto: wanted one of tcp, udp, tcp4, udp4, tcp6, udp6"),
    (("remove", 7), "forward 7: there is no forward with this id"),
), ids=("port", "quotes", "id"))
def test_shell_tells_of_a_refusal(api: tuple[Slirpd, str], tools: Callable[..., None],
                                  argv: tuple[object, ...], why: str) -> None:
    tools("nc", "jq")
    _, path = api
    assert forward(path, *argv) == (1, "", f"{why}\n")


def test_shell_tells_wrong_usage_and_no_daemon() -> None:
    for argv in ((), ("/nonexistent",), ("/nonexistent", "add", "tcp"), ("/nonexistent", "list", 1)):
        status, said, complaint = forward(*argv)
        assert (status, said) == (2, "") and "forward.sh SOCKET list" in complaint
    status, said, complaint = forward("/nonexistent", "list")
    assert (status, said) == (2, "")
    assert complaint.endswith("forward.sh: no reply from /nonexistent\n")
