# SPDX-License-Identifier: BSD-2-Clause
"""What slirpd tells of its TCP connections: lists, counters, reasons of ends."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from api_client import daemon_with_api, execute
from commands import sh
from conversations import failure_to_connect
from forwarding import INTERNET, families
from guest import Guest
from lab import Lab
from nowhere import TARGETS, TOLD_MS, nowhere
from servers import listener
from waiting import DEADLINE_S, wait_for

PORT = 9000
# Entries of five messages.
N_LISTED = 100
RESET = struct.pack("ii", 1, 0)


def stats(path: str) -> dict[str, Any]:
    return execute(path, "query_stats")["return"]


def ended(path: str) -> dict[str, int]:
    """How many connections have ended for each reason."""
    return {reason: n for reason, n in stats(path)["tcp_ends"].items() if n}


def listed(path: str) -> list[dict[str, Any]]:
    return execute(path, "query_connections")["return"]["connections"]


def only(path: str) -> dict[str, Any]:
    """The only connection that there is."""
    [entry] = listed(path)
    return entry


def wait_state(path: str, state: str) -> None:
    wait_for(f"the connection is in {state}", lambda: only(path)["state"] == state)


@contextlib.contextmanager
def pair(guest: Guest, family: int) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection that the guest opens: its socket, and the peer's."""
    with (listener(Lab.internet_netns, INTERNET[family], PORT) as server,
          guest.connect(INTERNET[family], PORT) as client, server.accept()[0] as peer):
        yield client, peer


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


def send(source: socket.socket, sink: socket.socket, n_bytes: int) -> None:
    source.sendall(bytes(n_bytes))
    assert sink.makefile("rb").read(n_bytes) == bytes(n_bytes)


@families
def test_both_ends_and_exact_bytes_are_listed(lab: Lab, guest: Guest, family: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          pair(guest, family) as (client, peer)):
        own, own_port = client.getsockname()[:2]
        entry = only(path)
        assert {key: entry[key] for key in (
            "proto", "state", "hostfwd", "source_addr", "source_port", "dest_addr", "dest_port")} == {
                "proto": "tcp", "state": "ESTABLISHED", "hostfwd": False, "source_addr": own,
                "source_port": own_port, "dest_addr": INTERNET[family], "dest_port": PORT}
        assert (entry["bytes_in"], entry["bytes_out"]) == (0, 0)
        send(client, peer, 30_000)
        send(peer, client, 100_001)
        send(client, peer, 1)
        entry = only(path)
        assert (entry["bytes_in"], entry["bytes_out"]) == (100_001, 30_001)
        assert entry["recv_queue_bytes"] == 0
        wait_for("the guest has acknowledged all", lambda: only(path)["send_queue_bytes"] == 0)
        later = only(path)
        assert later["round_trip_us"] > 0 and later["retransmitted_bytes"] >= 0
        assert later["age_ms"] >= entry["age_ms"] >= 0


def fill(sock: socket.socket) -> int:
    """Sends as much as can be sent without a wait; returns how much."""
    n_sent = 0
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            n_sent += sock.send(bytes(65536))
    sock.settimeout(DEADLINE_S)
    return n_sent


@families
def test_queues_are_what_nobody_takes(lab: Lab, guest: Guest, family: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          pair(guest, family) as (client, peer)):
        for source, sink, queue, counter in ((client, peer, "recv_queue_bytes", "bytes_out"),
                                             (peer, client, "send_queue_bytes", "bytes_in")):
            n_sent = fill(source)
            # The kernel's buffers grow for a while.
            while only(path)[queue] == 0:
                n_sent += fill(source)
            assert 0 < only(path)[counter] <= n_sent
            assert len(sink.makefile("rb").read(n_sent)) == n_sent
            wait_for("all is there", lambda queue=queue: only(path)[queue] == 0)
            assert only(path)[counter] == n_sent


def test_states_have_the_names_of_rfc_9293(lab: Lab, guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        with pair(guest, 4) as (client, peer):
            client.shutdown(socket.SHUT_WR)
            wait_state(path, "CLOSE_WAIT")
            send(peer, client, 5)
            assert (only(path)["bytes_in"], only(path)["state"]) == (5, "CLOSE_WAIT")
            peer.close()
            wait_for("the connection is over", lambda: not listed(path))
        with pair(guest, 4) as (client, peer):
            peer.shutdown(socket.SHUT_WR)
            wait_state(path, "FIN_WAIT_2")
            send(client, peer, 5)
            assert (only(path)["bytes_out"], only(path)["state"]) == (5, "FIN_WAIT_2")
            client.close()
            # It ends soon after.
            wait_for("the connection is over, or as good as over", lambda: [
                entry for entry in listed(path) if entry["state"] != "TIME_WAIT"] == [])
        wait_for("every connection is over", lambda: not listed(path))


def test_a_list_of_several_messages_has_each_connection_once(lab: Lab, guest: Guest) -> None:
    with (daemon_with_api(guest) as (_, path), contextlib.ExitStack() as stack):
        execute(path, "add_hostfwd", proto="udp", host_port=8080, guest_port=53)
        server = stack.enter_context(listener(Lab.internet_netns, INTERNET[4], PORT))
        ports = set()
        for _ in range(N_LISTED):
            client = stack.enter_context(guest.connect(INTERNET[4], PORT))
            stack.enter_context(server.accept()[0])
            ports.add(client.getsockname()[1])
        entries = listed(path)
        assert len(entries) == N_LISTED + 1
        assert {entry["source_port"] for entry in entries if entry["proto"] == "tcp"} == ports


@families
def test_ends_are_counted_by_reason(lab: Lab, guest: Guest, family: int) -> None:
    with daemon_with_api(guest, "--enable-ipv6") as (daemon, path):
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


@families
def test_failures_are_counted_by_reason(lab: Lab, guest: Guest, tools: Callable[..., None],
                                        family: int) -> None:
    tools("nft")
    forbidden = (INTERNET[family], PORT)
    expected = {"refused": 1, "unreachable": 3, "prohibited": 1}
    # Its own attempt goes on until the host's times out.
    del (targets := dict(TARGETS))["silent host"]
    address = f"[{forbidden[0]}]" if family == 6 else forbidden[0]
    with (daemon_with_api(guest, "--enable-ipv6", f"--deny-out={address}:{PORT}") as (_, path),
          nowhere(lab)):
        for seen, *to in targets.values():
            assert failure_to_connect(guest.netns, to[family == 6], TOLD_MS) == seen
        failure_to_connect(guest.netns, forbidden, TOLD_MS)
        wait_for("every connection is over", lambda: stats(path)["tcp_flows"]["all"] == 0)
        assert ended(path) == expected


def test_socket_that_the_host_aborts_is_no_reset_of_its_peer(lab: Lab, guest: Guest,
                                                             tools: Callable[..., None]) -> None:
    tools("ss")
    with daemon_with_api(guest) as (_, path), pair(guest, 4) as (client, _):
        done = sh("ss", "-K", "-tn", "state", "established", f"dport = :{PORT}").stdout
        if str(PORT) not in done:
            pytest.skip("the kernel cannot abort sockets (CONFIG_INET_DIAG_DESTROY)")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert ended(path) == {"host_error": 1}


def test_flows_are_counted_while_they_exist(lab: Lab, guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        with pair(guest, 4) as (client, peer):
            while stats(path)["tcp_flows"]["buffer_bytes"] == 0:
                fill(peer)
            now = stats(path)
            assert now["sockets"]["tcp"] == now["tcp_flows"]["all"] == 1
            assert now["tcp_flows"]["half_open"] == now["tcp_flows"]["time_wait"] == 0
            assert now["tcp_flows"]["buffer_bytes"] > 0
            reset(client)
        wait_for("the connection is over", lambda: stats(path)["tcp_flows"]["all"] == 0)
        now = stats(path)
        assert now["tcp_flows"]["buffer_bytes"] == now["sockets"]["tcp"] == 0
