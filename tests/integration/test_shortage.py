# SPDX-License-Identifier: BSD-2-Clause
"""Descriptors run out, because a guest or a client uses them up: nobody else is to pay for it."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import frames as F
from api_client import daemon_with_api, execute
from daemon import Slirpd
from guest import Guest
from lab import ECHO_PORT, INTERNET4
from processes import fds_of, is_busy, is_traced
from test_bess import ask_for_gateway, arp, connect
from tree import REPO
from waiting import wait_for

GUEST4 = "10.0.2.100"
# Few, so that a guest has used them up soon.
FILES = 96
FEW_FILES = ["prlimit", f"--nofile={FILES}", "--"]


def flows(mac: str) -> list[bytes]:
    """First packets of more UDP flows than the worker can have."""
    return [F.ethernet(F.ip4(GUEST4, INTERNET4, F.UDP, F.udp(
        GUEST4, INTERNET4, port, ECHO_PORT, b"x")), F.ETH_IP4, mac)
        for port in range(20000, 20000 + 2 * FILES)]


def lowest_free(pid: int) -> int:
    held = fds_of(pid)
    return next((number for number in range(FILES) if number not in held), FILES)


def take_the_rest(pid: int) -> None:
    """What the worker spares for others is gone too: it can't open one descriptor more."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(pid), FILES))


def test_api_that_dies_is_back_when_the_guest_has_all_descriptors(guest: Guest) -> None:
    with daemon_with_api(guest, prefix=FEW_FILES) as (daemon, path):
        worker = daemon.children()["slirp-worker"]
        with guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as flow:
            flow.send(b"before")
            assert flow.recv(100) == b"before"
            sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
            with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
                port.send(*flows(port.mac))
            take_the_rest(worker)
            for number in range(1, 4):
                os.kill(daemon.children()["api"], signal.SIGKILL)
                assert execute(path, "query_status")["return"]["restarts"]["api"] == number
                # The worker answers this.
                assert execute(path, "list_hostfwd")["return"]["entries"] == []
                flow.send(b"%d" % number)
                assert flow.recv(100) == b"%d" % number
        assert daemon.children()["slirp-worker"] == worker


def test_bess_client_is_served_when_one_before_it_has_all_descriptors(tmp_path: Path) -> None:
    path = tmp_path / "bess.sock"
    mac = "02:00:00:00:00:aa"
    with Slirpd("--target-type=bess", path, prefix=FEW_FILES) as daemon:
        worker = daemon.children()["slirp-worker"]
        with connect(path) as client:
            for frame in flows(mac):
                client.send(frame)
            assert arp(client)
        wait_for("it has left", lambda: "the client has left" in daemon.stderr)
        take_the_rest(worker)
        for _ in range(3):
            with connect(path) as client:
                assert arp(client)


def test_bess_client_that_can_not_be_accepted_makes_nothing_spin(tmp_path: Path) -> None:
    path = tmp_path / "bess.sock"
    barred = [sys.executable, "-B", str(REPO / "tests/confine/bar_call.py"), "accept=ENFILE"]
    with Slirpd("--target-type=bess", path, prefix=barred) as daemon:
        with connect(path) as client:
            ask_for_gateway(client)
            assert not is_busy(daemon.children()["slirp-worker"])


def test_lines_on_bess_clients_are_bounded(tmp_path: Path) -> None:
    path = tmp_path / "bess.sock"
    with Slirpd("--target-type=bess", path) as daemon:
        for _ in range(50):
            with connect(path) as client:
                assert arp(client)
        # The worker's other lines, which the parent limits, are still heard.
        assert 0 < daemon.stderr.count("slirp-worker[") <= 32, daemon.stderr


def test_parent_that_can_not_look_does_not_take_the_namespace_for_gone(
        guest: Guest, tools: Callable, tmp_path: Path) -> None:
    tools("strace")
    trace = tmp_path / "trace"
    # Of these too it has fewer than poll(2) is asked about, which fails above the limit.
    prefix = ["bash", "-c", 'for n in {3..17}; do [[ -e /proc/self/fd/$n ]] || eval "exec $n</dev/null"; done;'
              'exec "$@"', "bash"]
    with Slirpd("--configure", guest.pid, "tap0", prefix=prefix) as daemon:
        other = guest.start("cat", stdin=-1, stdout=-1)
        with other:
            other.stdin.write(b"\n")
            other.stdin.flush()
            other.stdout.read(1)  # from here on it is in the namespace
            watched = next(number for number, what in fds_of(daemon.pid).items()
                           if "pidfd" in what)
            soft, hard = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
            # Nor can it have again what it closes.
            less = min(watched, lowest_free(daemon.pid))
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (less, hard))
            strace = ["strace", "-q", "-o", str(trace), "-p", str(daemon.pid)]
            with subprocess.Popen(strace, stderr=subprocess.DEVNULL) as tracer:
                wait_for("it is traced", lambda: is_traced(daemon.pid))
                guest.end()
                wait_for("it could not look for others", lambda: re.search(
                    r'"/proc", .* EMFILE ', trace.read_text()))
                tracer.terminate()
            daemon.process.send_signal(signal.SIGUSR1)
            wait_for("the parent goes on", lambda: "stats: forwards" in daemon.stderr)
            assert daemon.process.poll() is None
            resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (soft, hard))
            other.kill()
        assert daemon.wait() == 0
