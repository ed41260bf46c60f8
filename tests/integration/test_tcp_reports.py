# SPDX-License-Identifier: BSD-2-Clause
"""Faults that users of other networks in user space have reported:
ends and ports of connections to forwards, and programs of the guest that are gone."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import crowd
import pytest
from daemon import Slirpd
from forwarding import from_host, from_internet
from guest import Guest
from lab import HOST4, HOST6, INTERNET4, Lab
from limits import limited, many_files
from servers import listener, serve
from tree import SANITIZED
from waiting import DEADLINE_S, wait_for

PORT, GUEST_PORT = 8080, 80
ANY = {4: "0.0.0.0", 6: "::"}
# Who connects, and the guest's family at the other end of the forward.
FORWARDS = {
    "ipv4": (from_internet, HOST4, 4),
    "ipv6": (from_internet, HOST6, 6),
    "ipv6-to-ipv4": (from_internet, HOST6, 4),
    "loopback": (from_host, "127.0.0.1", 4),
}
CROWD_S = 100 if SANITIZED else 50

each_forward = pytest.mark.parametrize("forward", FORWARDS)


@contextlib.contextmanager
def forwarding(guest: Guest, forward: str, nofile: int = 0) -> Iterator[socket.socket]:
    """A daemon with that forward, and a listener in the guest that it leads to."""
    _, address, guest_family = FORWARDS[forward]
    host = f"[{ANY[6]}]" if ":" in address else ANY[4]
    to = "10.0.2.100" if guest_family == 4 else "[fd00::100]"
    prefix = limited("nofile", nofile) if nofile else ()
    with many_files(), Slirpd(
            "--configure", "--enable-ipv6", f"--publish={host}:{PORT}:{to}:{GUEST_PORT}", guest.pid, "tap0",
            prefix=prefix), contextlib.ExitStack() as stack:
        if guest_family == 6:
            guest.run("ip", "addr", "add", "fd00::100/64", "dev", "tap0", "nodad")
        server = stack.enter_context(listener(guest.netns, ANY[guest_family], GUEST_PORT, 4096))
        server.settimeout(DEADLINE_S)
        yield server


def assert_crowd(forward: str, what: str, n: int, *words: object) -> None:
    """A crowd (tests/lib/crowd.py) of clients at the forward's port."""
    connect, address, _ = FORWARDS[forward]
    where = Lab.in_internet() if connect is from_internet else []
    done = subprocess.run(
        [*where, sys.executable, "-B", str(Path(crowd.__file__)), what, address, str(PORT), str(n),
         *map(str, words)], text=True, stdout=subprocess.PIPE, timeout=CROWD_S)
    assert done.stdout == f"{{'ok': {n}}}\n"


# --- forwards -----------------------------------------------------------------------------------


@each_forward
@pytest.mark.parametrize("who", ("guest", "peer"))
def test_abort_is_seen_as_a_reset_behind_all_data(lab: Lab, guest: Guest, forward: str, who: str) -> None:
    """A transfer that was cut must not look complete."""
    connect, address, _ = FORWARDS[forward]
    with forwarding(guest, forward) as server:
        with connect(address, PORT) as client, server.accept()[0] as accepted:
            aborts, sees = (accepted, client) if who == "guest" else (client, accepted)
            sees.settimeout(DEADLINE_S)
            aborts.sendall(bytes(100_000))
            n_left = 100_000
            while n_left and (piece := sees.recv(n_left)):
                n_left -= len(piece)
            assert n_left == 0
            aborts.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, crowd.LINGER_ZERO)
            aborts.close()
            with pytest.raises(ConnectionResetError):
                sees.recv(1)


N_REUSED, N_REUSED_LONG = 300, 20
LONG_BYTES = 4_000_000  # sequence numbers pass by more quickly than those of new connections grow


@each_forward
def test_clients_port_is_used_again_at_once(lab: Lab, guest: Guest, forward: str) -> None:
    """The guest has the connection before in TIME_WAIT."""
    with forwarding(guest, forward) as server:
        serve(server, crowd.answer)
        assert_crowd(forward, "reuse", N_REUSED, "close", 0)
        assert_crowd(forward, "reuse", N_REUSED_LONG, "close", LONG_BYTES)
        assert_crowd(forward, "reuse", N_REUSED, "reset", 0)


N_CONNECTS = 2000 if SANITIZED else 4000


@pytest.mark.parametrize("who", ("first", "last"))
def test_thousands_of_short_connections_to_a_forward(lab: Lab, guest: Guest, who: str) -> None:
    """No descriptor is kept for TIME_WAIT, whoever closes first: a process has 1,024 by default."""
    with forwarding(guest, "ipv4", nofile=1024) as server:
        serve(server, crowd.answer)
        assert_crowd("ipv4", "connect", N_CONNECTS, who)


# --- programs of the guest that are gone --------------------------------------------------------

FEW_FILES = 192


def try_to_connect(guest: Guest, to: tuple[str, int]) -> list[socket.socket]:
    """The connection, or none."""
    with contextlib.suppress(ConnectionRefusedError):
        return [guest.connect(*to)]
    return []


def test_connections_of_a_dead_program_give_way(lab: Lab, guest: Guest, tools: Callable[..., None]) -> None:
    """Its kernel has sent the ends and forgotten the connections. Their server never says anything, so
    each takes a descriptor, until the guest is asked: at once if they are nearly used up. A patient
    program has them too, and keeps its connection."""
    with many_files(), listener(lab.internet_netns, INTERNET4, backlog=4096) as silent, Slirpd(
            "--configure", guest.pid, "tap0", prefix=limited("nofile", FEW_FILES)):
        to = silent.getsockname()[:2]
        guest.run("sysctl", "-qw", "net.ipv4.tcp_fin_timeout=1")
        with guest.connect(*to) as patient, silent.accept()[0] as server:
            patient.shutdown(socket.SHUT_WR)
            with guest.start(sys.executable, "-B", str(Path(crowd.__file__)), "hold", to[0], str(to[1]),
                             str(FEW_FILES), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
                n_held = int(program.stdout.readline())
                program.kill()
            assert FEW_FILES // 4 < n_held < FEW_FILES
            with contextlib.ExitStack() as stack:
                for _ in range(n_held):
                    stack.enter_context(silent.accept()[0])
                for _ in range(n_held // 2):
                    new = wait_for("a new connection finds room", lambda: try_to_connect(guest, to))
                    stack.enter_context(new[0])
                server.sendall(b"late")
                server.shutdown(socket.SHUT_WR)
                assert patient.recv(100) == b"late" and patient.recv(1) == b""
