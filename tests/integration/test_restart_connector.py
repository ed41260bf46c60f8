# SPDX-License-Identifier: BSD-2-Clause
"""The connector dies and is started again: open connections and forwards go on, the policy holds."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import threading

import api_client
import pytest
from api_client import daemon_with_api
from commands import sh
from daemon import Slirpd
from guest import Guest
from lab import HTTP_PORT, INTERNET4, WORD_NAME, Lab, works
from load import echoing
from netns import socket_in
from processes import fd_table
from repeating import repeating
from servers import listener, recv_all, serve_udp_echo, udp_socket
from waiting import DEADLINE_S, wait_for

PORT, GUEST_PORT = 8080, 8000
# More than a queue between two processes holds, and in many turns of both.
FIRST_PORT, LAST_PORT = 20000, 20599
# The delay before a start doubles with each death; these take 6 seconds.
KILLS = 7
BLOCK = 1 << 16
BLOCKS = 64
SECOND4 = "203.0.113.3"


def kill(daemon: Slirpd, *roles: str) -> dict[str, int]:
    roles = roles or ("connector",)
    wait_for("all are there", lambda: set(roles) <= set(daemon.children()), 4 * DEADLINE_S)
    before = daemon.children()
    for role in roles:
        os.kill(before[role], signal.SIGKILL)
    return before


def wait_for_others(daemon: Slirpd, before: dict[str, int], *roles: str) -> None:
    wait_for("all are back", lambda: all(
        daemon.children().get(role, before[role]) != before[role]
        for role in roles or ("connector",)), 4 * DEADLINE_S)


def kill_and_wait(daemon: Slirpd, *roles: str) -> None:
    wait_for_others(daemon, kill(daemon, *roles), *roles)


def is_echoed(address: str, port: int) -> bool:
    with socket.create_connection((address, port), DEADLINE_S) as client:
        client.sendall(b"hello")
        return client.recv(100) == b"hello"


def add(path: str, proto: str, first: int, guest_port: int, last: int | None = None) -> int:
    return api_client.execute(path, "add_hostfwd", proto=proto, host_addr="127.0.0.1",
                              host_port=first if last is None else f"{first}-{last}",
                              guest_port=guest_port)["return"]["id"]


def forwards(path: str) -> list[dict]:
    return wait_for("the list", lambda: api_client.execute(path, "list_hostfwd").get(
        "return"))["entries"]


def remove(path: str, number: int) -> None:
    assert "return" in api_client.execute(path, "remove_hostfwd", id=number)


def is_bindable(kind: int, port: int) -> bool:
    """Nobody has the port any more, but for connections that have ended."""
    with socket.socket(socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError as error:
            assert error.errno == errno.EADDRINUSE
            return False
        return True


def test_stream_goes_on_without_loss(lab: Lab, guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon, \
            echoing(lab.internet_netns, INTERNET4) as port, \
            guest.connect(INTERNET4, port) as client:
        client.settimeout(DEADLINE_S)
        sent = os.urandom(BLOCK) * BLOCKS

        def send() -> None:
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        got = client.recv(BLOCK)
        kill_and_wait(daemon)
        got += recv_all(client)
        sender.join()
        assert got == sent


def test_flow_of_udp_goes_on_from_its_port(lab: Lab, guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon, \
            udp_socket(lab.internet_netns, INTERNET4) as server, \
            guest.connect(INTERNET4, server.getsockname()[1], socket.SOCK_DGRAM) as client:
        server.settimeout(DEADLINE_S)
        client.settimeout(DEADLINE_S)
        client.send(b"before")
        _, peer = server.recvfrom(64)
        kill_and_wait(daemon)
        client.send(b"after")
        assert server.recvfrom(64) == (b"after", peer)
        server.sendto(b"back", peer)
        assert client.recv(64) == b"back"


def test_new_connections_and_names_wait_for_it(lab: Lab, guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        for _ in range(KILLS):
            assert works(guest.netns)
            before = kill(daemon)
            assert works(guest.netns)
            wait_for_others(daemon, before)
        assert guest.run("dig", "+short", "@10.0.2.3", WORD_NAME, "A", "+tries=5").stdout


def test_client_of_a_forward_waits_in_the_queue(guest: Guest) -> None:
    with Slirpd("--configure", f"--publish=127.0.0.1:{PORT}:{GUEST_PORT}", guest.pid,
                "tap0") as daemon, echoing(guest.netns, "0.0.0.0", GUEST_PORT):
        with socket.create_connection(("127.0.0.1", PORT), DEADLINE_S) as before:
            before.sendall(b"one")
            assert before.recv(64) == b"one"
            # Both gone: nobody accepts, and yet nobody is refused.
            for roles in (("connector",), ("connector", "slirp-worker"), ("connector",)):
                children = kill(daemon, *roles)
                assert is_echoed("127.0.0.1", PORT)
                wait_for_others(daemon, children, *roles)


def test_connection_of_a_forward_goes_on(guest: Guest) -> None:
    with Slirpd("--configure", f"--publish=127.0.0.1:{PORT}:{GUEST_PORT}", guest.pid,
                "tap0") as daemon, echoing(guest.netns, "0.0.0.0", GUEST_PORT), \
            socket.create_connection(("127.0.0.1", PORT), DEADLINE_S) as client:
        for _ in range(3):
            client.sendall(b"hello")
            assert client.recv(64) == b"hello"
            kill_and_wait(daemon)
        client.sendall(b"hello")
        assert client.recv(64) == b"hello"


def test_peer_of_a_udp_forward_keeps_its_port_in_the_guest(guest: Guest) -> None:
    with Slirpd("--configure", f"--publish=127.0.0.1:{PORT}:{GUEST_PORT}/udp", guest.pid,
                "tap0") as daemon, udp_socket(guest.netns, "0.0.0.0", GUEST_PORT) as server, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        server.settimeout(DEADLINE_S)
        client.settimeout(DEADLINE_S)
        client.connect(("127.0.0.1", PORT))

        def asks() -> tuple[str, int]:
            client.send(b"hello")
            data, peer = server.recvfrom(64)
            server.sendto(data, peer)
            assert client.recv(64) == b"hello"
            return peer

        before = asks()
        kill_and_wait(daemon)
        assert asks() == before
        assert works(guest.netns)
        assert asks() == before


def test_rules_keep_their_ids_and_can_be_removed(guest: Guest) -> None:
    with daemon_with_api(guest) as (daemon, path), \
            echoing(guest.netns, "0.0.0.0", GUEST_PORT), \
            udp_socket(guest.netns, "0.0.0.0", GUEST_PORT) as udp:
        serve_udp_echo(udp)
        first = add(path, "tcp", PORT, GUEST_PORT)
        second = add(path, "udp", PORT, GUEST_PORT)
        third = add(path, "tcp", PORT + 1, GUEST_PORT)
        remove(path, third)
        before = forwards(path)
        kill_and_wait(daemon)
        wait_for("the same forwards", lambda: forwards(path) == before)
        assert is_echoed("127.0.0.1", PORT)
        # The worker has duplicates of its sockets from the connector before.
        remove(path, first)
        remove(path, second)
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            wait_for("the port is free", lambda kind=kind: is_bindable(kind, PORT))
        # No id is used twice, and the ports can be opened again.
        assert add(path, "tcp", PORT, GUEST_PORT) == third + 1
        assert add(path, "udp", PORT, GUEST_PORT) == third + 2
        assert is_echoed("127.0.0.1", PORT)
        kill_and_wait(daemon)
        wait_for("both", lambda: [entry["id"] for entry in forwards(path)] == [
            third + 1, third + 2])


def test_range_of_ports_is_kept(guest: Guest) -> None:
    with daemon_with_api(guest) as (daemon, path), \
            echoing(guest.netns, "0.0.0.0", FIRST_PORT), \
            echoing(guest.netns, "0.0.0.0", LAST_PORT):
        def n_sockets() -> int:
            return sum(name.startswith("socket:") for name in fd_table(daemon.pid).values())

        at_first = n_sockets()
        number = add(path, "tcp", FIRST_PORT, FIRST_PORT, LAST_PORT)
        wait_for("the parent has all",
                 lambda: n_sockets() == at_first + LAST_PORT - FIRST_PORT + 1)
        for _ in range(2):
            before = kill(daemon)
            assert is_echoed("127.0.0.1", FIRST_PORT)
            assert is_echoed("127.0.0.1", LAST_PORT)
            wait_for_others(daemon, before)
        wait_for("the forward", lambda: [entry["id"] for entry in forwards(path)] == [number])
        kill_and_wait(daemon, "connector", "slirp-worker")
        assert is_echoed("127.0.0.1", LAST_PORT)
        remove(path, number)
        wait_for("the parent has none", lambda: n_sockets() == at_first)
        for port in (FIRST_PORT, LAST_PORT):
            wait_for("the port is free", lambda port=port: is_bindable(socket.SOCK_STREAM, port))


@pytest.mark.parametrize("n_rules", (1, 1000), ids=("small", "large"))
def test_policy_holds_at_every_time(lab: Lab, guest: Guest, tmp_path, n_rules: int) -> None:
    text = "policy 1\n" + "".join(
        f"deny tcp {1000 + i} to 198.51.100.{i % 250}\n" for i in range(n_rules))
    path = tmp_path / "policy"
    path.write_text(f"{text}allow tcp {HTTP_PORT} to {INTERNET4}\n")
    path.chmod(0o644)
    with Slirpd("--configure", f"--policy={path}", guest.pid, "tap0") as daemon, \
            socket_in(lab.internet_netns, socket.AF_INET, socket.SOCK_STREAM) as denied:
        denied.bind((INTERNET4, 0))
        denied.listen()
        came = []

        def try_it() -> None:
            with contextlib.suppress(OSError), socket_in(
                    guest.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
                client.settimeout(1)
                client.connect(denied.getsockname())
                came.append(client.getsockname())

        with repeating(try_it):
            for _ in range(4):
                before = kill(daemon)
                assert works(guest.netns)
                wait_for_others(daemon, before)
        assert not came


def test_rules_of_the_command_line_hold(lab: Lab, guest: Guest) -> None:
    sh("ip", "addr", "add", f"{SECOND4}/32", "dev", "uplink")
    try:
        with Slirpd("--configure", "--disable-host-loopback", f"--outbound-addr={SECOND4}",
                    guest.pid, "tap0") as daemon, \
                listener(lab.internet_netns, INTERNET4) as server, \
                listener(f"/proc/{os.getpid()}/ns/net", "127.0.0.1") as loopback:
            server.settimeout(DEADLINE_S)
            for _ in range(2):
                with guest.connect(INTERNET4, server.getsockname()[1]):
                    connection, peer = server.accept()
                    connection.close()
                assert peer[0] == SECOND4
                with pytest.raises(OSError, match="unreachable|refused"):
                    guest.connect("10.0.2.2", loopback.getsockname()[1])
                kill_and_wait(daemon)
    finally:
        sh("ip", "addr", "del", f"{SECOND4}/32", "dev", "uplink")
