# SPDX-License-Identifier: BSD-2-Clause
"""slirpctl, for the tests that run it, and a peer with fixed replies. SLIRPCTL names the program
under test."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from commands import sh
from processes import no_process_left
from tree import REPO
from waiting import DEADLINE_S

SLIRPCTL = os.environ.get("SLIRPCTL") or str(REPO / "build/debug/bin/slirpctl")
OK, REFUSED, USAGE, NO_REPLY = range(4)


NETWORK = {
    "network_addr": "10.0.2.0", "prefix_len": 24, "host_addr": "10.0.2.2",
    "nameserver_addr": "10.0.2.3", "guest_addr": "10.0.2.100", "ipv6_enabled": False,
    "mtu_bytes": 1500, "dns_enabled": False, "host_loopback_allowed": True}
FORWARD = {"id": 1, "proto": "tcp", "host_addr": "127.0.0.1", "host_port": 8080,
           "guest_addr": "10.0.2.100", "guest_port": 80}
CONNECTION = {"proto": "tcp", "state": "ESTABLISHED", "source_addr": "10.0.2.100",
              "source_port": 40000, "dest_addr": "192.0.2.1", "dest_port": 443,
              "recv_queue_bytes": 0, "send_queue_bytes": 5, "hostfwd": False,
              "bytes_in": 3 << 20, "bytes_out": 5, "retransmitted_bytes": 1448,
              "round_trip_us": 250, "age_ms": 61000}
# The reply to each request. A function is called for its reply.
VALUES = {
    # The time of the start depends on the clock; this one has no year of four digits.
    "query_status": {"uptime_ms": 10**18, "tap_name": "tapé", "pids": {"parent": 7},
                     "restarts": {"slirp_worker": 0, "connector": 0, "resolver": 0, "api": 1}, "network": NETWORK,
                     "confinement": {"parent": {"missing": []}}},
    "query_version": {"slirpd": "0.1.0", "libslirp": "4.7.0"},
    "list_hostfwd": {"entries": [FORWARD]},
    "query_stats": {"counters": {"frames_from_guest": 7, "bytes_from_guest": 3 << 20, "x": 0},
                    "tcp": {"timeouts": 2, "gaps": 0}},
    "query_connections": {"connections": [CONNECTION]},
    "query_policy": {"generation": 1, "mode": "enforce", "default": "deny", "locked": False, "rules": 1,
                     "prefixes": 0, "names": 1, "allowed": 12, "denied": 3, "by_default": 1,
                     "flows_limited": 7, "names_denied": 5, "names_limited": 4, "addrs_cut": 6, "pins": 2},
    "policy_get": {"generation": 1, "settings": ["refuse reset"], "rules": [
        {"id": "9f31c2d07a55e1b4", "where": "ci.policy:2", "line": "allow tcp 443 to pypi.org", "hits": 12}]},
    "query_pins": {"generation": 1, "pins": [
        {"addr": "198.51.99.1", "name": "pypi.org", "life_s": 299},
        {"addr": "2a00:99::1", "name": "*.pypi.org", "life_s": 12}]},
    "query_denied": {"generation": 1, "denied": [
        {"proto": "tcp", "port": 443, "addr": "2a00:99::1", "classes": ["any", "internet"], "name": "pypi.org",
         "denied_by": "default", "count": 12},
        {"proto": "icmp", "addr": "169.254.169.254", "classes": ["any", "link-local", "metadata"],
         "denied_by": "forbid", "count": 1},
        {"classes": [], "name": "evil.test", "denied_by": "default", "count": 2}]},
    "add_hostfwd": {"id": 2},
    "remove_hostfwd": {},
    "qmp_capabilities": {},
    "subscribe": {},
}
# They follow the reply to "subscribe".
EVENTS = [
    {"event": name, "data": data, "timestamp": {"seconds": 1795302000, "microseconds": 250000}}
    for name, data in (("HOSTFWD_ADDED", FORWARD), ("SHUTDOWN", {}))]


def assert_ok(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stderr) == (OK, ""), result
    return result.stdout


@pytest.fixture(autouse=True, scope="session")
def loopback() -> None:
    assert os.environ.get("SLIRPD_OUTER_NS"), "run these tests through tests/lib/outer-ns"
    sh("ip", "link", "set", "lo", "up")


@pytest.fixture(autouse=True)
def leaves_no_process() -> Iterator[None]:
    with no_process_left():
        yield


@pytest.fixture(autouse=True)
def runtime(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """$XDG_RUNTIME_DIR of slirpd and slirpctl; no path of a socket."""
    monkeypatch.delenv("SLIRPD_API_SOCKET", raising=False)
    monkeypatch.setenv("TZ", "UTC0")
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    return tmp_path / "run" / "slirpd"


def ctl(*args: object) -> subprocess.CompletedProcess[str]:
    """Runs slirpctl, without a socket's path, to its end."""
    return subprocess.run([SLIRPCTL, *map(str, args)], stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=DEADLINE_S, check=False)


def answer(connection: socket.socket, values: Mapping[str, object]) -> None:
    """Serves one request, or the lines of a session."""
    for line in connection.makefile("rb"):
        verb = json.loads(line)["execute"]
        value = values[verb]
        messages = [{"return": value() if callable(value) else value}]
        if verb == "subscribe":
            messages += EVENTS
        for message in messages:
            connection.sendall(json.dumps(message).encode() + b"\n")
        if verb == "subscribe":
            return


@contextlib.contextmanager
def peer(path: Path, serve: Callable[[socket.socket], object], backlog: int = 8) -> Iterator[None]:
    """A socket whose connections are served, one after the other."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(backlog)

        def loop() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(DEADLINE_S)
                        serve(connection)

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(DEADLINE_S)
            assert not thread.is_alive()


def answering(path: Path, values: Mapping[str, object]) -> AbstractContextManager[None]:
    """A peer with a value for each request."""
    return peer(path, lambda connection: answer(connection, values))
