# SPDX-License-Identifier: BSD-2-Clause
"""What slirpd tells of the TCP connections of its own engine: lists, counters, reasons of ends."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import daemon_with_api, execute
from forwarding import INTERNET, families
from guest import Guest
from lab import Lab
from servers import listener
from waiting import wait_for

OWN_ENGINE = "--engine=own"
PORT = 9000
RESET = struct.pack("ii", 1, 0)


def stats(path: str) -> dict[str, Any]:
    return execute(path, "query_stats")["return"]


def ended(path: str) -> dict[str, int]:
    """How many connections have ended for each reason."""
    return {reason: n for reason, n in stats(path)["tcp_ends"].items() if n}


@contextlib.contextmanager
def pair(guest: Guest, family: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection that the guest opens: its socket, and the peer's."""
    with (listener(Lab.internet_netns, INTERNET[family], PORT) as server,
          guest.connect(INTERNET[family], PORT) as client, server.accept()[0] as peer):
        yield client, peer


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


@families
def test_ends_are_counted_by_reason(lab: Lab, guest: Guest, family: int) -> None:
    with daemon_with_api(guest, "--enable-ipv6", OWN_ENGINE) as (daemon, path):
        assert ended(path) == {}
        with pair(guest, family) as (client, peer):
            peer.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
            client.close()
            assert peer.recv(1) == b""
        with pair(guest, family) as (client, peer):
            reset(client)
            with pytest.raises(ConnectionResetError):
                peer.recv(1)
        with pair(guest, family) as (client, peer):
            reset(peer)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        with pytest.raises(ConnectionRefusedError):
            guest.connect(INTERNET[family], PORT)
        # The first may wait for old segments.
        wait_for("every connection is over", lambda: stats(path)["tcp_flows"]["all"] == 0)
        expected = {"closed": 1, "reset_by_guest": 1, "reset_by_host": 1, "refused": 1}
        assert ended(path) == expected
        shown = daemon.counters()
        assert {name: shown[f"tcp ended {name}"] for name in expected} == expected


def test_flows_are_counted_while_they_exist(lab: Lab, guest: Guest) -> None:
    with daemon_with_api(guest, OWN_ENGINE) as (_, path):
        with pair(guest, 4) as (client, peer):
            # More than the guest's and the host's buffers take: the rest is the worker's.
            peer.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    peer.send(bytes(65536))
            now = stats(path)
            assert now["sockets"]["tcp"] == now["tcp_flows"]["all"] == 1
            assert now["tcp_flows"]["half_open"] == now["tcp_flows"]["time_wait"] == 0
            assert now["tcp_flows"]["buffer_bytes"] > 0
            reset(client)
        wait_for("the connection is over", lambda: stats(path)["tcp_flows"]["all"] == 0)
        now = stats(path)
        assert now["tcp_flows"]["buffer_bytes"] == now["sockets"]["tcp"] == 0
