# SPDX-License-Identifier: BSD-2-Clause
"""Host forwards between the address families: a port of one, a guest's address of the other."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import struct

import pytest
import transfer as T
from api_client import daemon_with_api, execute
from commands import sh
from daemon import Slirpd
from forwarding import (ANY, GATEWAY, GUEST4, HOST, INTERNET, LOOPBACK, check_conversation,
                        check_cut_off, check_refusal, forwarding, from_host, from_internet,
                        loopback_open_or_closed, n_fds_with_ports, plain, serving)
from guest import Guest
from lab import ECHO_PORT, HOST4, HOST6, INTERNET4, INTERNET6, WORD_NAME, Lab, settle_loopback
from limits import limited, many_files
from netns import family_of
from processes import fds_of, is_busy
from servers import recv_all, serve, udp_socket
from waiting import DEADLINE_S, wait_for

# The family of the host's port; the guest's is the other.
OTHER = {4: 6, 6: 4}
hosts = pytest.mark.parametrize("host", [4, 6], ids=["ipv4 to ipv6", "ipv6 to ipv4"])
protocols = pytest.mark.parametrize("proto", ["tcp", "udp"])

LARGE_BYTES = 20_000_000
MANY = 200
# In budget.h.
UDP_PEERS_MAX = 256
ABORT = struct.pack("ii", 1, 0)


def forward(host: int, ports: str = "8080", guest_port: int = 80, proto: str = "tcp") -> str:
    """The guest's own address is what the unspecified one stands for."""
    return f"{ANY[host]}:{ports}:{ANY[OTHER[host]]}:{guest_port}/{proto}"


def conversation(client: socket.socket, server: socket.socket, host: int) -> None:
    """The guest's peer is the gateway."""
    with client, server.accept()[0] as accepted:
        assert accepted.getpeername()[0] == GATEWAY[OTHER[host]]
        check_conversation(client, accepted)


@contextlib.contextmanager
def connection(guest: Guest, host: int, *options: str):
    """A daemon, and both ends of a connection: outside, in the guest."""
    with (forwarding(guest, forward(host), options=options) as daemon,
          serving(guest, OTHER[host], 80) as server,
          from_internet(HOST[host], 8080) as client, server.accept()[0] as accepted):
        accepted.settimeout(DEADLINE_S)
        yield daemon, client, accepted


# --- TCP --------------------------------------------------------------------------------------


@hosts
@loopback_open_or_closed
def test_tcp_both_ways(lab: Lab, guest: Guest, host: int, options: tuple[str, ...]) -> None:
    with (forwarding(guest, forward(host), options=options),
          serving(guest, OTHER[host], 80) as server):
        conversation(from_internet(HOST[host], 8080), server, host)
        conversation(from_host(LOOPBACK[host], 8080), server, host)


def test_host_in_ipv6_needs_none_in_the_guest(lab: Lab, guest: Guest) -> None:
    with (Slirpd("--configure", f"--publish={forward(6)}", guest.pid, "tap0"),
          serving(guest, 4, 80) as server):
        conversation(from_internet(HOST6, 8080), server, 6)


def test_one_port_of_the_guest_from_both_families(lab: Lab, guest: Guest) -> None:
    with (forwarding(guest, "8080:80", forward(6)), serving(guest, 4, 80) as server):
        conversation(from_internet(HOST6, 8080), server, 6)
        with from_internet(HOST4, 8080) as client, server.accept()[0] as accepted:
            assert accepted.getpeername()[0] == INTERNET4
            check_conversation(client, accepted)


@hosts
def test_large_streams_both_ways_at_once(lab: Lab, guest: Guest, host: int) -> None:
    with connection(guest, host) as (_, client, accepted):
        hashes: dict[str, str] = {}

        def carry(name: str, source: socket.socket, sink: socket.socket) -> None:
            T.both(lambda: hashes.update({name: T.hash_of(T.received(sink))}),
                   lambda: T.send(source, LARGE_BYTES))
        T.both(lambda: carry("in", client, accepted), lambda: carry("out", accepted, client))
        assert hashes == dict.fromkeys(("in", "out"), T.digest(LARGE_BYTES))


def fill(sock: socket.socket) -> int:
    """Sends until nothing is taken any more; how much was."""
    total = 0
    sock.setblocking(False)
    while select.select([], [sock], [], 1)[1]:
        with contextlib.suppress(BlockingIOError):
            total += sock.send(bytes(65536))
    sock.settimeout(DEADLINE_S)
    return total


@hosts
@pytest.mark.parametrize("direction", ["in", "out"])
def test_who_does_not_read_stops_nobody_else(lab: Lab, guest: Guest, host: int,
                                             direction: str) -> None:
    with connection(guest, host) as (daemon, client, accepted):
        source, sink = (client, accepted) if direction == "in" else (accepted, client)
        total = fill(source)
        worker = daemon.children()["slirp-worker"]
        wait_for("the worker comes to rest", lambda: not is_busy(worker))
        # The other direction of the same connection, and other connections.
        sink.sendall(b"still here")
        assert source.recv(100) == b"still here"
        with guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as other:
            other.send(b"echo")
            assert other.recv(100) == b"echo"
        # Its end comes behind all of it.
        source.shutdown(socket.SHUT_WR)
        assert len(recv_all(sink)) == total


@hosts
@pytest.mark.parametrize("length", [3, 200_000])
def test_urgent_data_arrives_in_line(lab: Lab, guest: Guest, host: int, length: int) -> None:
    head = bytes(next(T.pieces(length)))
    with connection(guest, host) as (_, client, accepted):
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)

        def pour() -> None:
            client.sendall(head)
            client.send(b"!", socket.MSG_OOB)
            client.sendall(b"rest")
            client.shutdown(socket.SHUT_WR)
        got: list[bytes] = []
        T.both(lambda: got.append(recv_all(accepted)), pour)
        assert got == [head + b"!rest"]


@hosts
@pytest.mark.parametrize("who", ["client", "guest"])
def test_reset_ends_both_sides(lab: Lab, guest: Guest, host: int, who: str) -> None:
    with connection(guest, host) as (_, client, accepted):
        gone, other = (client, accepted) if who == "client" else (accepted, client)
        gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        gone.close()
        if who == "client":
            with pytest.raises(ConnectionResetError):
                other.recv(1)
        else:
            check_cut_off(other)
            other.close()


@hosts
def test_port_that_nobody_listens_at_in_the_guest(lab: Lab, guest: Guest, host: int) -> None:
    with forwarding(guest, forward(host)):
        check_refusal(HOST[host], 8080)


@hosts
@pytest.mark.parametrize("how", ["refuses", "resets"])
def test_peers_that_stay_when_the_guest_has_gone(lab: Lab, guest: Guest, host: int, how: str) -> None:
    """Of such a peer's direction nobody has the other end, so it holds no descriptors."""
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(forwarding(guest, forward(host)))
        worker = daemon.children()["slirp-worker"]
        before = n_fds_with_ports(daemon)
        server = stack.enter_context(serving(guest, OTHER[host], 80)) if how == "resets" else None
        for _ in range(5):
            if not server:
                client = check_refusal(HOST[host], 8080)
                if client:
                    stack.enter_context(client)
                continue
            client = stack.enter_context(from_internet(HOST[host], 8080))
            client.settimeout(DEADLINE_S)
            accepted = server.accept()[0]
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            accepted.close()
            check_cut_off(client)
        wait_for("nothing is left of them", lambda: len(fds_of(worker)) == before)


@hosts
def test_peers_that_leave_at_once(lab: Lab, guest: Guest, host: int) -> None:
    with forwarding(guest, forward(host)), serving(guest, OTHER[host], 80) as server:
        for _ in range(20):
            client = from_internet(HOST[host], 8080)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            client.close()
        last = from_internet(HOST[host], 8080)
        last.sendall(b"last")
        # Those before it may have been accepted in the guest, and see their peer gone.
        while True:
            accepted = server.accept()[0]
            accepted.settimeout(DEADLINE_S)
            with accepted, contextlib.suppress(ConnectionResetError):
                if accepted.recv(100):
                    break
        last.close()


@hosts
def test_burst_of_connections(lab: Lab, guest: Guest, host: int) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, forward(host)))
        serve(stack.enter_context(serving(guest, OTHER[host], 80)),
              lambda sock: sock.sendall(sock.recv(100)))
        clients = [stack.enter_context(from_internet(HOST[host], 8080)) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            assert recv_all(client) == b"%d" % number


def test_connections_wait_for_descriptors(lab: Lab, guest: Guest) -> None:
    hard, n_clients = 128, 100
    with many_files(), contextlib.ExitStack() as stack:
        daemon = stack.enter_context(Slirpd(
            "--configure", f"--publish={forward(6)}", guest.pid, "tap0",
            prefix=limited("nofile", hard)))
        serve(stack.enter_context(serving(guest, 4, 80)),
              lambda sock: sock.sendall(sock.recv(100)))
        clients = [stack.enter_context(from_internet(HOST6, 8080)) for _ in range(n_clients)]
        # Who has a place says nothing yet; names still get their answers, from
        # what is theirs.
        answer = guest.run("dig", "+short", "+tries=1", "+time=5", "@10.0.2.3", WORD_NAME).stdout
        assert answer.strip() == INTERNET4
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            client.settimeout(DEADLINE_S)
            assert recv_all(client) == b"%d" % number
            client.close()
        assert daemon.process.poll() is None


# --- UDP --------------------------------------------------------------------------------------


def exchange(client: socket.socket, to: tuple[str, int], server: socket.socket, host: int,
             text: bytes = b"datagram") -> tuple[str, int]:
    """There and back; how the guest sees the peer."""
    client.sendto(text, to)
    data, source = server.recvfrom(65536)
    assert data == text and source[0] == GATEWAY[OTHER[host]]
    server.sendto(b"re: " + data, source)
    answer, answered_by = client.recvfrom(65536)
    assert (answer, answered_by[:2]) == (b"re: " + text, to)
    return source[:2]


@hosts
@loopback_open_or_closed
def test_udp_peers_take_turns(lab: Lab, guest: Guest, host: int, options: tuple[str, ...]) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, forward(host, proto="udp", guest_port=53), options=options))
        server = stack.enter_context(udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53))
        peers = []
        for _ in range(3):
            peers += [(udp_socket(Lab.internet_netns, INTERNET[host]), (HOST[host], 8080)),
                      (udp_socket(Lab.host_netns, LOOPBACK[host]), (LOOPBACK[host], 8080))]
        for client, _ in peers:
            stack.enter_context(client)
        seen = [[exchange(client, to, server, host, b"%d" % number)
                 for number, (client, to) in enumerate(peers)] for _ in range(3)]
        assert seen[0] == seen[1] == seen[2] and len(set(seen[0])) == len(peers)
        # All ask before the first is answered.
        for number, (client, to) in enumerate(peers):
            client.sendto(b"%d" % number, to)
        for _ in peers:
            server.sendto(*server.recvfrom(100))
        for number, (client, _) in enumerate(peers):
            assert client.recvfrom(100)[0] == b"%d" % number


@hosts
@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 9000, 60000])
def test_udp_of_every_size(lab: Lab, guest: Guest, host: int, size: int) -> None:
    with (forwarding(guest, forward(host, proto="udp", guest_port=53)),
          udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[host]) as client):
        exchange(client, (HOST[host], 8080), server, host, b"x" * size)


@hosts
def test_more_udp_peers_than_are_remembered(lab: Lab, guest: Guest, host: int) -> None:
    """The one that has been silent longest is a new one afterwards; all are answered."""
    with contextlib.ExitStack() as stack:
        daemon = stack.enter_context(forwarding(guest, forward(host, proto="udp", guest_port=53)))
        server = stack.enter_context(udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53))
        clients = [stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[host]))
                   for _ in range(UDP_PEERS_MAX + 10)]
        for number, client in enumerate(clients):
            exchange(client, (HOST[host], 8080), server, host, b"%d" % number)
        for client in (clients[0], clients[-1]):
            exchange(client, (HOST[host], 8080), server, host)
        text = sh("ss", "-Hun", "state", "connected", "sport", "=", ":8080").stdout
        assert len(text.splitlines()) == UDP_PEERS_MAX
        assert daemon.process.poll() is None


@hosts
def test_another_program_cannot_share_a_udp_port(lab: Lab, guest: Guest, host: int) -> None:
    """Also with the option that shares (socket(7))."""
    with forwarding(guest, forward(host, proto="udp", guest_port=53)):
        ports = [line.removeprefix("udp ").rpartition(":") for line in listening() if "udp" in line]
        assert [address for address, _, _ in ports] == [ANY[host]]
        for address, _, port in ports:
            with socket.socket(family_of(address), socket.SOCK_DGRAM) as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with pytest.raises(OSError, match="in use"):
                    other.bind((plain(address), int(port)))


@contextlib.contextmanager
def nothing_arrives_at(number: int, host: int, guest: Guest):
    """Somebody else on the host has the port of the loopback now."""
    with (udp_socket(Lab.host_netns, LOOPBACK[OTHER[host]], number) as next_one,
          guest.connect(INTERNET[4], ECHO_PORT, socket.SOCK_DGRAM) as echo):
        yield
        # The worker has dealt with what the guest sent before.
        echo.send(b"behind it")
        assert echo.recv(100) == b"behind it"
        settle_loopback()
        next_one.setblocking(False)
        with pytest.raises(BlockingIOError):
            next_one.recv(100)


@hosts
def test_guest_does_not_reach_who_gets_a_forgotten_peers_port(lab: Lab, guest: Guest, host: int) -> None:
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, forward(host, proto="udp", guest_port=53),
                                       options=("--disable-host-loopback",)))
        server = stack.enter_context(udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53))
        seen = [exchange(stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[host])),
                         (HOST[host], 8080), server, host)
                for _ in range(2 * UDP_PEERS_MAX)]
        free = [source for source in seen[:UDP_PEERS_MAX] if source not in seen[UDP_PEERS_MAX:]]
        with nothing_arrives_at(free[-1][1], host, guest):
            server.sendto(b"for the peer", free[-1])


@hosts
def test_guest_does_not_reach_who_gets_a_port_after_removal(lab: Lab, guest: Guest, host: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6", "--disable-host-loopback") as (_, path),
          udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[host]) as client):
        number = execute(path, "add_hostfwd", proto="udp", host_addr=plain(ANY[host]), host_port=8080,
                         guest_addr=plain(ANY[OTHER[host]]), guest_port=53)["return"]["id"]
        source = exchange(client, (HOST[host], 8080), server, host)
        execute(path, "remove_hostfwd", id=number)
        with nothing_arrives_at(source[1], host, guest):
            server.sendto(b"for the peer", source)


def test_udp_peers_leave_descriptors_for_names(lab: Lab, guest: Guest) -> None:
    """They are as many as somebody outside likes."""
    hard, n_clients = 128, 60
    with many_files(), contextlib.ExitStack() as stack:
        daemon = stack.enter_context(Slirpd(
            "--configure", f"--publish={forward(6)}", f"--publish={forward(6, proto='udp', guest_port=53)}",
            guest.pid, "tap0", prefix=limited("nofile", hard)))
        stack.enter_context(serving(guest, 4, 80))
        server = stack.enter_context(udp_socket(guest.netns, "0.0.0.0", 53))
        for _ in range(n_clients):
            stack.enter_context(from_internet(HOST6, 8080))
        for _ in range(n_clients):
            client = stack.enter_context(udp_socket(Lab.internet_netns, INTERNET6))
            exchange(client, (HOST6, 8080), server, 6)
        answer = guest.run("dig", "+short", "+tries=1", "+time=5", "@10.0.2.3", WORD_NAME).stdout
        assert answer.strip() == INTERNET4
        assert daemon.process.poll() is None


# --- forwards ---------------------------------------------------------------------------------


@hosts
@protocols
def test_range_goes_port_by_port(lab: Lab, guest: Guest, host: int, proto: str) -> None:
    with forwarding(guest, forward(host, "8000-8099", 9000, proto)):
        for port in (8000, 8042, 8099):
            if proto == "tcp":
                with serving(guest, OTHER[host], port + 1000) as server:
                    conversation(from_internet(HOST[host], port), server, host)
            else:
                with (udp_socket(guest.netns, plain(ANY[OTHER[host]]), port + 1000) as server,
                      udp_socket(Lab.internet_netns, INTERNET[host]) as client):
                    exchange(client, (HOST[host], port), server, host)


def listening() -> set[str]:
    """All ports of the host that somebody has, but for those of clients."""
    text = sh("ss", "-Htuln").stdout
    return {" ".join(line.split()[i] for i in (0, 4)) for line in text.splitlines()}


@hosts
@protocols
def test_removal_closes_the_port(lab: Lab, guest: Guest, host: int, proto: str) -> None:
    with daemon_with_api(guest, "--enable-ipv6") as (_, path):
        before = listening()
        wanted = {"proto": proto, "host_addr": plain(ANY[host]), "host_port": 8080,
                  "guest_addr": plain(ANY[OTHER[host]]), "guest_port": 80}
        number = execute(path, "add_hostfwd", **wanted)["return"]["id"]
        added = listening() - before
        assert len(added) == 1
        error = execute(path, "add_hostfwd", **wanted)["error"]
        assert error["class"] == "AddressInUse" and f"forward {number}" in error["detail"]
        assert execute(path, "remove_hostfwd", id=number) == {"return": {}}
        assert listening() == before
        number = execute(path, "add_hostfwd", **wanted)["return"]["id"]
        assert len(listening() - before) == 1


@hosts
def test_removal_leaves_connections_alone(lab: Lab, guest: Guest, host: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          serving(guest, OTHER[host], 80) as server):
        number = execute(path, "add_hostfwd", proto="tcp", host_addr=plain(ANY[host]), host_port=8080,
                         guest_addr=plain(ANY[OTHER[host]]), guest_port=80)["return"]["id"]
        with (from_internet(HOST[host], 8080) as client, server.accept()[0] as accepted):
            assert execute(path, "remove_hostfwd", id=number) == {"return": {}}
            with pytest.raises(ConnectionRefusedError):
                from_internet(HOST[host], 8080)
            check_conversation(client, accepted)


@hosts
def test_removal_ends_a_udp_forward(lab: Lab, guest: Guest, host: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[host]) as client):
        number = execute(path, "add_hostfwd", proto="udp", host_addr=plain(ANY[host]), host_port=8080,
                         guest_addr=plain(ANY[OTHER[host]]), guest_port=53)["return"]["id"]
        exchange(client, (HOST[host], 8080), server, host)
        execute(path, "remove_hostfwd", id=number)
        client.connect((HOST[host], 8080))
        # The worker ends the peer's flow after the reply, and the kernel limits its errors.
        client.setblocking(False)
        with pytest.raises(ConnectionRefusedError):
            wait_for("it is refused", lambda: client.send(b"anybody?") == 0)


def mapped(address: str) -> str:
    """RFC 4291 2.5.5.2, as inet_ntop(3) writes it."""
    return address if ":" in address else f"::ffff:{address}"


@hosts
def test_connections_are_listed_as_they_are_outside(lab: Lab, guest: Guest, host: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          serving(guest, OTHER[host], 8000) as server):
        for proto in ("tcp", "udp"):
            execute(path, "add_hostfwd", proto=proto, host_addr=plain(ANY[host]), host_port=8080,
                    guest_addr=plain(ANY[OTHER[host]]), guest_port=8000)
        own = execute(path, "list_hostfwd")["return"]["entries"][0]["guest_addr"]
        assert own == GUEST4 or own.startswith("fd00::")
        with (from_internet(HOST[host], 8080) as client, server.accept()[0] as accepted):
            for source, sink, data in ((client, accepted, b"five."), (accepted, client, b"seven..")):
                source.sendall(data)
                assert sink.makefile("rb").read(len(data)) == data
            listed = execute(path, "query_connections")["return"]["connections"]
            ports = [entry for entry in listed if entry["source_port"] == 8080]
            assert [(entry["proto"], entry["hostfwd"], entry["source_addr"], entry["dest_addr"],
                     entry["dest_port"]) for entry in ports] == [
                (proto, True, mapped(plain(ANY[host])), mapped(own), 8000) for proto in ("tcp", "udp")]
            made = [entry for entry in listed if entry.get("state") == "ESTABLISHED"]
            assert [(entry["hostfwd"], entry["source_addr"], entry["source_port"], entry["dest_addr"],
                     entry["dest_port"], entry["bytes_in"], entry["bytes_out"]) for entry in made] == [
                (True, mapped(INTERNET[host]), client.getsockname()[1], mapped(own), 8000, 5, 7)]
