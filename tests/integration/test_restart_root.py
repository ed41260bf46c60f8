# SPDX-License-Identifier: BSD-2-Clause
"""Real root's slirpd: the connector that is started again has the rules and the ports of the first, also those
below 1024. The guest is a network namespace without a user namespace of its own."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, Lab, works
from netns import socket_in
from servers import listener, serve
from waiting import DEADLINE_S, wait_for

SECOND4 = "203.0.113.3"
LOW_PORT, GUEST_PORT = 81, 8000


class RootGuest(Guest):
    """A network namespace of real root's."""

    def __init__(self) -> None:
        super().__init__()
        self._argv = ["unshare", "--net"]


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with RootGuest() as made:
        yield made


@pytest.fixture
def second_address(lab: Lab) -> Iterator[str]:
    change = ["ip", "addr", "add", f"{SECOND4}/32", "dev", "uplink"]
    subprocess.run(change, check=True)
    yield SECOND4
    subprocess.run([*change[:2], "del", *change[3:]], check=True)


def caps(pid: int) -> str:
    return re.search(r"^CapEff:\s+(\w+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]


def kill_and_wait(daemon: Slirpd) -> int:
    old = daemon.children()["connector"]
    os.kill(old, signal.SIGKILL)
    return wait_for("the next connector", lambda: {old: 0}.get(
        pid := daemon.children().get("connector", old), pid))


def test_rules_and_low_ports_hold(lab: Lab, guest: Guest, second_address: str) -> None:
    def echo(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := connection.recv(4096):
                connection.sendall(data)

    def is_echoed() -> bool:
        with socket.create_connection(("127.0.0.1", LOW_PORT), DEADLINE_S) as client:
            client.sendall(b"hello")
            return client.recv(64) == b"hello"

    with Slirpd("--configure", "--disable-host-loopback", f"--outbound-addr={second_address}",
                f"--publish=127.0.0.1:{LOW_PORT}:{GUEST_PORT}", guest.pid, "tap0",
                as_ordinary=False) as daemon, \
            listener(guest.netns, "0.0.0.0", GUEST_PORT) as inside, \
            listener(lab.internet_netns, INTERNET4) as server, \
            listener(f"/proc/{os.getpid()}/ns/net", "127.0.0.1") as loopback:
        serve(inside, echo)
        server.settimeout(DEADLINE_S)
        assert works(guest.netns)
        first = caps(daemon.children()["connector"])
        for _ in range(3):
            with socket_in(guest.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
                client.connect(server.getsockname())
                connection, peer = server.accept()
                connection.close()
            assert peer[0] == second_address
            with socket_in(guest.netns, socket.AF_INET, socket.SOCK_STREAM) as client, \
                    pytest.raises(OSError, match="unreachable|refused"):
                client.connect(("10.0.2.2", loopback.getsockname()[1]))
            assert is_echoed()
            pid = kill_and_wait(daemon)
            assert works(guest.netns)
            assert caps(pid) == first
