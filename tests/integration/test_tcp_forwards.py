# SPDX-License-Identifier: BSD-2-Clause
"""Forwards of TCP: containers in the guest, peers that share a
port, guests that do not answer, and crowds."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from collections.abc import Iterator

import pytest
from commands import sh
from forwarding import (ANY, GATEWAY, GATEWAY4, HOST, INTERNET, LOOPBACK, check_connection,
                        check_conversation, check_refusal, families, forwarding, from_host, from_internet,
                        n_fds_with_ports, plain, serving)
from guest import Guest
from lab import HOST4, HTTP_PORT, INTERNET4, Lab
from limits import limited, many_files
from netns import family_of, socket_in
from places import BRIDGED4, BRIDGED6, INNER4, place_in
from processes import fds_of, is_busy
from servers import listener, recv_all, serve
from waiting import DEADLINE_S, wait_for

ABORT = struct.pack("ii", 1, 0)
BRIDGED = {4: BRIDGED4, 6: f"[{BRIDGED6}]"}
# More than wait for a MAC at a time, of one address: 64.
CROWD = 300
# In tcp_parts.h: half-open connections to one port of the guest.
HALF_OPEN = 256
LARGE_CROWD = 400


def abort(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    sock.close()


def bound_to(netns: str, address: str, port: int) -> socket.socket:
    sock = socket_in(netns, family_of(address), socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    return sock


@contextlib.contextmanager
def crowd(n: int, address: str, port: int) -> Iterator[list[socket.socket]]:
    """Clients in the internet that connect all at once."""
    with many_files(), contextlib.ExitStack() as stack:
        clients = []
        for _ in range(n):
            client = stack.enter_context(
                socket_in(Lab.internet_netns, family_of(address), socket.SOCK_STREAM))
            client.setblocking(False)
            client.connect_ex((address, port))
            clients.append(client)
        yield clients


def outcome(client: socket.socket) -> str:
    """How the attempt of a client in a crowd has ended, up to the first byte or the end."""
    client.settimeout(DEADLINE_S)
    poll = select.poll()
    poll.register(client, select.POLLIN)
    assert poll.poll(DEADLINE_S * 1000), "neither data nor an end"
    try:
        return "data" if client.recv(1) else "end"
    except ConnectionResetError:
        return "reset"


def echo(guest_listener: socket.socket) -> None:
    serve(guest_listener, lambda sock: sock.sendall(sock.recv(100)))


def ask(client: socket.socket, text: bytes) -> None:
    client.settimeout(DEADLINE_S)
    client.sendall(text)
    assert recv_all(client) == text


# --- containers in the guest ------------------------------------------------------------------


@families
def test_container_at_a_bridge(lab: Lab, guest: Guest, family: int) -> None:
    """It has an address and a MAC of its own, and has said nothing before."""
    with (forwarding(guest, f"{ANY[family]}:8080:{BRIDGED[family]}:80"),
          place_in(guest, "bridged") as place,
          listener(place.netns, plain(ANY[family]), 80) as server):
        server.settimeout(DEADLINE_S)
        check_connection(from_internet(HOST[family], 8080), server, INTERNET[family])
        check_connection(from_host(LOOPBACK[family], 8080), server, GATEWAY[family])


def test_container_behind_a_guest_that_translates(lab: Lab, guest: Guest) -> None:
    """As rootless Docker: the guest hands on what comes to its own port."""
    with (forwarding(guest, "8080:8080"), place_in(guest, "routed") as place,
          listener(place.netns, "0.0.0.0", 80) as server):
        guest.run("nft", "table ip nat { chain pre { type nat hook prerouting priority -100; "
                  f"tcp dport 8080 dnat to {INNER4}:80; }}; }}")
        server.settimeout(DEADLINE_S)
        check_connection(from_internet(HOST4, 8080), server, INTERNET4)
        check_connection(from_host("127.0.0.1", 8080), server, GATEWAY4)


# --- peers that the guest could not answer, or tell apart -------------------------------------


@pytest.mark.parametrize("address", ["10.0.2.77", "169.254.7.7"])
def test_peer_that_the_guest_could_not_answer_is_the_gateway(lab: Lab, guest: Guest,
                                                             address: str) -> None:
    """The guest would look for it at its own link."""
    sh("ip", "addr", "add", f"{address}/32", "dev", "lo")
    try:
        with forwarding(guest, "8080:80"), serving(guest, 4, 80) as server:
            client = bound_to(Lab.host_netns, address, 0)
            client.connect((HOST4, 8080))
            check_connection(client, server, GATEWAY4)
    finally:
        sh("ip", "addr", "del", f"{address}/32", "dev", "lo")


def test_peers_of_the_loopback_with_one_port(lab: Lab, guest: Guest) -> None:
    """All are the gateway to the guest: the first with its own port, others with another."""
    with (contextlib.ExitStack() as stack, forwarding(guest, "8080:80") as daemon,
          serving(guest, 4, 80) as server):
        pairs = []
        for i in range(1, 6):
            client = stack.enter_context(bound_to(Lab.host_netns, f"127.0.0.{i}", 7777))
            client.connect(("127.0.0.1", 8080))
            pairs.append((client, stack.enter_context(server.accept()[0])))
        peers = [accepted.getpeername() for _, accepted in pairs]
        assert peers[0] == (GATEWAY4, 7777)
        assert {address for address, _ in peers} == {GATEWAY4}
        assert len(set(peers)) == 5
        for client, accepted in pairs:
            check_conversation(client, accepted)
        assert daemon.counters()["tcp tuple_taken"] == 4


@families
def test_peer_with_one_port_at_two_forwards_to_one_port(lab: Lab, guest: Guest, family: int) -> None:
    with (contextlib.ExitStack() as stack,
          forwarding(guest, f"{ANY[family]}:8080:80", f"{ANY[family]}:8081:80"),
          serving(guest, family, 80) as server):
        seen, pairs = [], []
        for port in (8080, 8081):
            client = stack.enter_context(bound_to(Lab.internet_netns, INTERNET[family], 7777))
            client.connect((HOST[family], port))
            accepted = stack.enter_context(server.accept()[0])
            seen.append(accepted.getpeername()[:2])
            pairs.append((client, accepted))
        for client, accepted in pairs:
            check_conversation(client, accepted)
        assert seen[0] == (INTERNET[family], 7777)
        assert seen[1][0] == GATEWAY[family] and seen[1][1] != 7777


def test_guests_own_connection_to_the_gateway_keeps_its_ports(lab: Lab, guest: Guest) -> None:
    """The guest's port 80 talks to the gateway's port 7777; a peer at 127.0.0.2 has that port too."""
    with (forwarding(guest, "8080:80"), listener(Lab.host_netns, "127.0.0.1", 7777) as outside,
          contextlib.ExitStack() as stack):
        own = stack.enter_context(bound_to(guest.netns, "0.0.0.0", 80))
        own.connect((GATEWAY4, 7777))
        peer = stack.enter_context(outside.accept()[0])
        server = stack.enter_context(bound_to(guest.netns, "0.0.0.0", 80))
        server.listen()
        client = stack.enter_context(bound_to(Lab.host_netns, "127.0.0.2", 7777))
        client.connect(("127.0.0.1", 8080))
        accepted = stack.enter_context(server.accept()[0])
        assert accepted.getpeername()[0] == GATEWAY4 and accepted.getpeername()[1] != 7777
        check_conversation(client, accepted)
        check_conversation(peer, own)


@pytest.mark.parametrize("who", ["client", "guest"])
def test_client_uses_its_port_again_at_once(lab: Lab, guest: Guest, who: str) -> None:
    """Whoever has closed first, nobody waits until old segments are gone."""
    with forwarding(guest, "8080:80"), serving(guest, 4, 80) as server:
        for _ in range(100):
            client = bound_to(Lab.internet_netns, INTERNET4, 7777)
            client.connect((HOST4, 8080))
            with client, server.accept()[0] as accepted:
                accepted.settimeout(DEADLINE_S)
                first, second = (client, accepted) if who == "client" else (accepted, client)
                if who == "client":
                    # Its own kernel would keep the port after a close.
                    abort(first)
                    with pytest.raises(ConnectionResetError):
                        second.recv(1)
                else:
                    first.close()
                    assert second.recv(1) == b""


# --- the loopback is closed -------------------------------------------------------------------


def test_answer_to_a_peer_of_the_loopback_opens_nothing_else(lab: Lab, guest: Guest) -> None:
    with (forwarding(guest, "8080:80", options=("--disable-host-loopback",)),
          serving(guest, 4, 80) as server, listener(Lab.host_netns, "127.0.0.1", 7777) as outside,
          bound_to(Lab.host_netns, "127.0.0.2", 7777) as client):
        client.connect(("127.0.0.1", 8080))
        with server.accept()[0] as accepted:
            assert accepted.getpeername() == (GATEWAY4, 7777)
            with pytest.raises(OSError, match="unreachable"):
                guest.connect(GATEWAY4, 7777)
            check_conversation(client, accepted)
        outside.setblocking(False)
        with pytest.raises(BlockingIOError):
            outside.accept()


# --- guests that do not answer ----------------------------------------------------------------


def test_crowd_to_an_address_that_nobody_has(lab: Lab, guest: Guest) -> None:
    """All are reset; a neighbour in the guest is served meanwhile, and the address when it is
    there."""
    with (forwarding(guest, "8080:80", f"8081:{BRIDGED4}:80") as daemon,
          place_in(guest, "bridged") as place, listener(place.netns, "0.0.0.0", 80) as server):
        worker = daemon.children()["slirp-worker"]
        before = n_fds_with_ports(daemon)
        echo(server)
        with crowd(CROWD, HOST4, 8080) as clients:
            for _ in range(10):
                with from_internet(HOST4, 8081) as other:
                    ask(other, b"neighbour")
            assert {outcome(client) for client in clients} == {"reset"}
        assert daemon.counters()["tcp mac_unknown"] == CROWD
        wait_for("nothing is left of them", lambda: len(fds_of(worker)) == before)
        guest.run("ip", "addr", "add", "10.0.2.100/24", "dev", "br0")
        guest.run("ip", "route", "add", "default", "via", GATEWAY4)
        with serving(guest, 4, 80) as late:
            check_connection(from_internet(HOST4, 8080), late, INTERNET4)


def test_guest_that_refuses_a_crowd(lab: Lab, guest: Guest) -> None:
    with forwarding(guest, "8080:80") as daemon:
        worker = daemon.children()["slirp-worker"]
        before = n_fds_with_ports(daemon)
        with crowd(CROWD, HOST4, 8080) as clients:
            assert {outcome(client) for client in clients} == {"reset"}
        wait_for("nothing is left of them", lambda: len(fds_of(worker)) == before)
        assert daemon.counters()["tcp ended refused_by_guest"] == CROWD


@families
def test_guest_that_refuses_by_an_icmp_error(lab: Lab, guest: Guest, family: int) -> None:
    """As a program on the host would see it: not by the timeout of a SYN without an answer."""
    with forwarding(guest, f"{ANY[family]}:8080:80") as daemon:
        guest.run("nft", "table inet filter { chain in { type filter hook input priority 0; "
                  "tcp dport 80 reject with icmpx port-unreachable; }; }")
        with contextlib.ExitStack() as stack:
            client = check_refusal(HOST[family], 8080)
            if client:
                stack.enter_context(client)
            assert daemon.counters()["tcp ended refused_by_guest"] == 1


def test_guest_that_drops_a_crowd(lab: Lab, guest: Guest) -> None:
    """Peers that wait for it keep the guest from nothing, and each that leaves makes room."""
    with forwarding(guest, "8080:80", "8081:81") as daemon, serving(guest, 4, 81) as server:
        worker = daemon.children()["slirp-worker"]
        guest.run("nft", "table ip filter { chain in { type filter hook input priority 0; "
                  "tcp dport 80 drop; }; }")
        echo(server)
        before = n_fds_with_ports(daemon)
        with from_internet(HOST4, 8081) as other:
            ask(other, b"before")
        with crowd(LARGE_CROWD, HOST4, 8080) as clients:
            wait_for("as many as may be are half-open", lambda: len(fds_of(worker)) == before + HALF_OPEN)
            with guest.connect(INTERNET4, HTTP_PORT) as out:
                out.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
                assert recv_all(out).endswith(b"hello\n")
            with from_internet(HOST4, 8081) as other:
                ask(other, b"beside")
            wait_for("the worker comes to rest", lambda: not is_busy(worker))
            for client in clients:
                abort(client)
        wait_for("nothing is left of them", lambda: len(fds_of(worker)) == before)


@pytest.mark.parametrize("before", [0, 1], ids=["MAC unknown", "MAC known"])
def test_peer_waits_while_the_guests_interface_is_down(lab: Lab, guest: Guest, before: int) -> None:
    with forwarding(guest, "8080:80") as daemon, serving(guest, 4, 80) as server:
        for _ in range(before):
            check_connection(from_host("127.0.0.1", 8080), server, GATEWAY4)
        guest.run("ip", "link", "set", "tap0", "down")
        failed = daemon.counters()["tap_write_failed"]
        client = from_host("127.0.0.1", 8080)
        # More than the three requests for a MAC that an interface gets.
        wait_for("frames are refused", lambda: daemon.counters()["tap_write_failed"] >= failed + 5)
        guest.run("ip", "link", "set", "tap0", "up")
        check_connection(client, server, GATEWAY4)


# --- descriptors ------------------------------------------------------------------------------


def test_crowd_beyond_the_descriptors(lab: Lab, guest: Guest) -> None:
    """Those that have one go on, the others wait in the queue, and the worker sleeps."""
    hard, n_clients = 96, 150
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(forwarding(guest, "8080:80", prefix=limited("nofile", hard)))
        worker = daemon.children()["slirp-worker"]
        server = stack.enter_context(serving(guest, 4, 80))
        clients = stack.enter_context(crowd(n_clients, HOST4, 8080))
        first = stack.enter_context(server.accept()[0])
        wait_for("a port waits for room", lambda: daemon.counters().get("tcp accepts_paused"))
        wait_for("the worker comes to rest", lambda: not is_busy(worker))
        paused = daemon.counters()["tcp accepts_paused"]
        first.sendall(b"x")
        assert len(select.select(clients, [], [], DEADLINE_S)[0]) == 1
        first.close()
        echo(server)
        for number, client in enumerate(clients):
            client.settimeout(DEADLINE_S)
            if select.select([client], [], [], 0)[0]:
                assert recv_all(client) == b"x"
            else:
                ask(client, b"%d" % number)
            client.close()
        # Once for each descriptor that came free, at most: not in each turn.
        assert daemon.counters()["tcp accepts_paused"] <= paused + n_clients
