"""Descriptors run out, because a guest or a client uses them up: nobody else is to pay for it."""

from __future__ import annotations

import os
import resource
import signal
import socket

import frames as F
import lab as L
from api_client import daemon_with_api, execute
from lab import Guest

GUEST4 = "10.0.2.100"
# Few, so that a guest has used them up soon.
FILES = 96
FEW_FILES = ["prlimit", f"--nofile={FILES}", "--"]


def flows(mac: str) -> list[bytes]:
    """First packets of more UDP flows than the worker can have."""
    return [F.ethernet(F.ip4(GUEST4, L.INTERNET4, F.UDP, F.udp(
        GUEST4, L.INTERNET4, port, L.ECHO_PORT, b"x")), F.ETH_IP4, mac)
        for port in range(20000, 20000 + 2 * FILES)]


def lowest_free(pid: int) -> int:
    held = L.fds_of(pid)
    return next((number for number in range(FILES) if number not in held), FILES)


def take_the_rest(pid: int) -> None:
    """What the worker spares for others is gone too: it can't open one descriptor more."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free(pid), FILES))


def test_api_that_dies_is_back_when_the_guest_has_all_descriptors(guest: Guest) -> None:
    with daemon_with_api(guest, prefix=FEW_FILES) as (daemon, path):
        worker = daemon.children()["slirp-worker"]
        with guest.connect(L.INTERNET4, L.ECHO_PORT, socket.SOCK_DGRAM) as flow:
            flow.send(b"before")
            assert flow.recv(100) == b"before"
            sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
            with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
                port.send(*flows(port.mac))
            take_the_rest(worker)
            for number in range(1, 4):
                os.kill(daemon.children()["api"], signal.SIGKILL)
                assert execute(path, "query_status")["return"]["n_api_restarts"] == number
                # The worker answers this.
                assert execute(path, "list_hostfwd")["return"]["entries"] == []
                flow.send(b"%d" % number)
                assert flow.recv(100) == b"%d" % number
        assert daemon.children()["slirp-worker"] == worker
