# SPDX-License-Identifier: BSD-2-Clause
"""The worker's loop: it sleeps when there is nothing to do, is not slowed down much by idle
connections, and outlives its limit on open files."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import frames as F
import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import ECHO_PORT, HOST4, INTERNET4, WORD_NAME, Lab
from limits import limited, many_files
from netns import socket_in
from processes import is_busy
from servers import listener
from waiting import DEADLINE_S, wait_for

HARD_LIMIT = 200
# As budget.c divides them: 168 without what the worker has open itself, less 21 for UDP and 5 each
# for pings and peers of forwards; of the 137 left, an eighth is for forwarded ports alone.
N_CONNECTIONS = 120


class Connections:
    """Open connections from the guest to the internet, both ends."""

    def __init__(self, guest: Guest, lab: Lab) -> None:
        self.guest = guest
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.stack = contextlib.ExitStack()
        self.server = self.stack.enter_context(
            listener(lab.internet_netns, INTERNET4, backlog=4096))

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        self.close(len(self.pairs))
        self.stack.close()

    def open(self) -> None:
        client = self.guest.connect(*self.server.getsockname()[:2])
        self.pairs.append((client, self.server.accept()[0]))

    def close(self, n: int) -> None:
        """One end after the other."""
        for client, _server in self.pairs[:n]:
            client.close()
        for _client, server in self.pairs[:n]:
            with server, contextlib.suppress(OSError):
                server.recv(1)
        del self.pairs[:n]

    def open_until_refused(self, n_max: int) -> None:
        with pytest.raises(ConnectionRefusedError):
            for _ in range(n_max):
                self.open()

    def assert_alive(self) -> None:
        for i, (client, server) in enumerate(self.pairs):
            client.sendall(bytes([i % 256]))
            server.sendall(bytes([i % 251]))
        for i, (client, server) in enumerate(self.pairs):
            assert server.recv(1) == bytes([i % 256])
            assert client.recv(1) == bytes([i % 251])


def test_soft_limit_on_open_files_is_raised(guest: Guest, lab: Lab) -> None:
    with many_files(), Slirpd("--configure", guest.pid, "tap0", prefix=limited("nofile", 32, 1024)), \
            Connections(guest, lab) as connections:
        for _ in range(300):
            connections.open()
        connections.assert_alive()


def test_beyond_the_limit_connections_are_refused_and_the_others_live(guest: Guest, lab: Lab) -> None:
    with many_files(), \
            Slirpd("--configure", guest.pid, "tap0", prefix=limited("nofile", 32, HARD_LIMIT)) as daemon, \
            Connections(guest, lab) as connections:
        connections.open_until_refused(HARD_LIMIT)
        assert len(connections.pairs) == N_CONNECTIONS
        for _ in range(20):
            connections.open_until_refused(1)
        connections.assert_alive()
        # Names have descriptors of their own.
        answer = guest.run("dig", "+short", "+tries=1", "+time=5", "@10.0.2.3", WORD_NAME).stdout
        assert answer.strip() == INTERNET4
        assert daemon.counters()["descriptors"] >= 21
        lines = re.findall("all connections that 200 descriptors allow", daemon.stderr)
        assert len(lines) == 1, daemon.stderr


def test_room_for_connections_comes_back_one_by_one(guest: Guest, lab: Lab) -> None:
    with many_files(), \
            Slirpd("--configure", guest.pid, "tap0", prefix=limited("nofile", 32, HARD_LIMIT)), \
            Connections(guest, lab) as connections:
        connections.open_until_refused(HARD_LIMIT)

        def opened() -> bool:
            try:
                connections.open()
            except ConnectionRefusedError:
                return False
            return True
        # Each that ends makes room for one, not for more.
        for n_closed in (1, 1, 1, 5, 50, 100):
            connections.close(n_closed)
            for _ in range(n_closed):
                wait_for("there is room again", opened)
            connections.open_until_refused(1)
            assert len(connections.pairs) == N_CONNECTIONS
        connections.assert_alive()


def test_forwarded_connections_wait_for_room(guest: Guest, lab: Lab) -> None:
    """What can't be accepted must not keep the loop busy."""
    n_clients = HARD_LIMIT + 50
    with many_files(), contextlib.ExitStack() as stack:
        daemon = stack.enter_context(Slirpd("--configure", "--publish=8080:80", guest.pid, "tap0",
                                            prefix=limited("nofile", 32, HARD_LIMIT)))
        server = stack.enter_context(listener(guest.netns, "0.0.0.0", 80, backlog=1024))
        server.settimeout(DEADLINE_S)
        clients = [socket_in(lab.internet_netns, socket.AF_INET, socket.SOCK_STREAM)
                   for _ in range(n_clients)]
        for number, client in enumerate(clients):
            stack.enter_context(client)
            client.connect((HOST4, 8080))
            client.sendall(number.to_bytes(2, "big"))
        accepted: list[socket.socket] = []
        for _ in range(N_CONNECTIONS):
            accepted.append(stack.enter_context(server.accept()[0]))
        worker = daemon.children()["slirp-worker"]
        wait_for("the worker comes to rest", lambda: not is_busy(worker))
        # The others come as those end.
        numbers = set()
        while len(numbers) < n_clients:
            if not accepted:
                accepted.append(stack.enter_context(server.accept()[0]))
            sock = accepted.pop(0)
            sock.settimeout(DEADLINE_S)
            number = sock.recv(2)
            numbers.add(number)
            sock.sendall(number)
            sock.close()
            client = clients[int.from_bytes(number, "big")]
            client.settimeout(DEADLINE_S)
            assert client.recv(2) == number
            client.close()


def switches(pid: int) -> int:
    """How often a process has gone to sleep by itself."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", text, re.M).group(1))


def no_ipv6(guest: Guest) -> None:
    """The guest's kernel would look for routers."""
    guest.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")


def test_datagram_that_is_the_first_frame_of_all_is_answered(guest: Guest) -> None:
    """Before the first turn the worker's time is as old as it can be."""
    no_ipv6(guest)
    with Slirpd("--configure", guest.pid, "tap0"):
        guest.run("ip", "neigh", "add", "10.0.2.2", "lladdr", F.GATEWAY_MAC, "dev", "tap0")
        with guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as client:
            client.send(b"anybody there?")
            assert client.recv(100) == b"anybody there?"


def test_idle_daemon_sleeps(guest: Guest) -> None:
    """Not even once a second: no engine has a timer when there is no connection."""
    no_ipv6(guest)
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        worker = daemon.children()["slirp-worker"]
        guest.run("ping", "-c1", "-W5", "10.0.2.2")
        before = wait_for("the worker has come to rest", lambda: rests(worker))
        # There is no other way to see that nothing happens.
        time.sleep(2.5)
        assert switches(worker) == before


def rests(pid: int) -> int:
    before = switches(pid)
    time.sleep(0.5)
    return before if switches(pid) == before else 0


def test_idle_connections_do_not_starve_a_new_one(guest: Guest, lab: Lab) -> None:
    """In a large set the busy ones are looked at first; the others are not forgotten."""
    n_idle = 300
    with many_files(), Slirpd("--configure", guest.pid, "tap0", prefix=limited("nofile", 1024, 4096)), \
            Connections(guest, lab) as connections:
        for _ in range(n_idle):
            connections.open()
        inside, outside = T.connected(guest.netns, INTERNET4)

        def idle_ones() -> None:
            for _ in range(10):
                connections.assert_alive()
        hashes: list[str] = []
        with inside, outside:
            T.both(lambda: hashes.append(T.hash_of(T.received(inside))),
                   lambda: T.both(lambda: T.send(outside, T.TRANSFER_BYTES), idle_ones))
        assert hashes == [T.digest(T.TRANSFER_BYTES)]
