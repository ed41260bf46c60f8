# SPDX-License-Identifier: BSD-2-Clause
"""A guest that uses UDP to reach the host's loopback, or to take what the host or others need."""

from __future__ import annotations

import contextlib
import itertools
import select
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import frames as F
import pytest
from api_client import daemon_with_api, execute
from commands import sh
from daemon import Slirpd
from forwarding import (ANY, GATEWAY, HOST, INTERNET, LOOPBACK, check_datagrams, check_echoes, families,
                        forwarding, plain)
from guest import Guest
from lab import (
    CLOSED_PORT, ECHO_PORT, HOST6, HTTP_PORT, INTERNET4, INTERNET6, WORD_NAME, Lab, http_url, settle_loopback,
)
from limits import limited, many_files
from netns import family_of, socket_in
from processes import stopped
from repeating import repeating
from servers import udp_socket
from waiting import DEADLINE_S, wait_for

# The family of the host's port; the guest's is the other.
OTHER = {4: 6, 6: 4}
hosts = pytest.mark.parametrize("host", [4, 6], ids=["ipv4 to ipv6", "ipv6 to ipv4"])

HARD_LIMIT = 512
# More than a guest may have, and all but a few of what the limit on descriptors allows.
N_FLOWS = HARD_LIMIT - 32
# As many as the TAP's queue and a socket's buffer hold while the worker is stopped.
N_PEERS = 200
GUEST4, GUEST6 = "10.0.2.100", "fd00::1234"
CLOSED = ("--disable-host-loopback",)


def open_flows(stack: contextlib.ExitStack, guest: Guest, count: int) -> None:
    """Each by a socket of the guest's that stays."""
    for _ in range(count):
        stack.enter_context(guest.connect(INTERNET4, CLOSED_PORT, socket.SOCK_DGRAM)).send(b"")


def peers_of(server: socket.socket) -> set[int]:
    """The ports of all peers whose datagrams reach the guest, until no more come."""
    ports = {server.recvfrom(100)[1][1] for _ in range(10)}
    while select.select([server], [], [], 0.5)[0]:
        ports.add(server.recvfrom(100)[1][1])
    return ports


def reached(victims: list[socket.socket]) -> list[tuple]:
    """The sockets of the host's loopback at which something has arrived."""
    settle_loopback()
    seen = []
    for victim in victims:
        victim.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            seen.append((victim.getsockname(), victim.recv(100)))
    return seen


def behind(guest: Guest) -> None:
    """Returns when the worker has dealt with what the guest sent before. A buffer of ping(8) that is
    full of errors about that loses an answer."""
    wait_for("an answer of the gateway", lambda: guest.run(
        "ping", "-c", "1", "-W", "1", "10.0.2.2", check=False).returncode == 0)


@hosts
@pytest.mark.parametrize("accomplice", [True, False], ids=["accomplice", "hairpin"])
def test_forgotten_peer_of_a_forward_opens_nothing(lab: Lab, guest: Guest, tools: Callable, host: int,
                                                   accomplice: bool) -> None:
    """A forward remembers few peers. Whoever has the port by which the guest knew a forgotten one
    has not sent anything to the guest."""
    tools("ping")
    with many_files(), contextlib.ExitStack() as stack:
        daemon = stack.enter_context(forwarding(
            guest, f"{ANY[host]}:8080:{ANY[OTHER[host]]}:53/udp", options=CLOSED,
            prefix=limited("nofile", HARD_LIMIT)))
        worker = daemon.children()["slirp-worker"]
        server = stack.enter_context(udp_socket(guest.netns, plain(ANY[OTHER[host]]), 53))
        # With the hairpin, flows of the guest's own are the peers.
        netns, address = (Lab.internet_netns, INTERNET[host]) if accomplice else (
            guest.netns, plain(ANY[host]))
        peers = [stack.enter_context(udp_socket(netns, address)) for _ in range(N_PEERS)]
        if accomplice:
            open_flows(stack, guest, N_FLOWS)
        behind(guest)
        with stopped(worker):
            for peer in peers:
                peer.sendto(b"x", (HOST[host], 8080))
        ports = peers_of(server)
        victims = []
        for port in ports:
            with contextlib.suppress(OSError):  # another has it
                victims.append(stack.enter_context(
                    udp_socket(Lab.host_netns, LOOPBACK[OTHER[host]], port)))
        assert len(victims) >= 10
        for victim in victims:
            server.sendto(b"let me in", (GATEWAY[OTHER[host]], victim.getsockname()[1]))
        behind(guest)
        assert reached(victims) == []


@families
def test_answer_to_a_peer_on_the_loopback_ends_with_the_forward(lab: Lab, guest: Guest, tools: Callable,
                                                                family: int) -> None:
    tools("ping")
    with (daemon_with_api(guest, "--enable-ipv6", *CLOSED) as (_, path),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.host_netns, LOOPBACK[family]) as peer):
        ids = [execute(path, "add_hostfwd", proto="udp", host_addr=plain(ANY[family]), host_port=port,
                       guest_addr=plain(ANY[family]), guest_port=53)["return"]["id"]
               for port in (8080, 8081)]
        check_datagrams(peer, (LOOPBACK[family], 8080), server, GATEWAY[family])
        to = (GATEWAY[family], peer.getsockname()[1])
        # That of another forward is nothing to it.
        execute(path, "remove_hostfwd", id=ids[1])
        server.sendto(b"still", to)
        assert peer.recv(100) == b"still"
        execute(path, "remove_hostfwd", id=ids[0])
        server.sendto(b"too late", to)
        behind(guest)
        assert reached([peer]) == []


@families
def test_peer_that_has_gone_leaves_the_guest_nothing(lab: Lab, guest: Guest, tools: Callable,
                                                     family: int) -> None:
    """Whoever gets its port next has not sent anything to the guest."""
    tools("ping")
    with (forwarding(guest, f"{ANY[family]}:8080:{ANY[family]}:53/udp", options=CLOSED),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server):
        with udp_socket(Lab.host_netns, LOOPBACK[family]) as peer:
            check_datagrams(peer, (LOOPBACK[family], 8080), server, GATEWAY[family])
            to = (GATEWAY[family], peer.getsockname()[1])
        server.sendto(b"anybody there?", to)
        behind(guest)
        with udp_socket(Lab.host_netns, LOOPBACK[family], to[1]) as victim:
            for _ in range(3):
                server.sendto(b"let me in", to)
            behind(guest)
            assert reached([victim]) == []
            # But it may ask, and be answered.
            victim.settimeout(DEADLINE_S)
            check_datagrams(victim, (LOOPBACK[family], 8080), server, GATEWAY[family])


def is_free(address: str, port: int) -> bool:
    """Whether a program of the host can have the UDP port."""
    with contextlib.suppress(OSError):
        udp_socket(Lab.host_netns, address, port).close()
        return True
    return False


@families
def test_removed_forward_leaves_the_guest_no_port(lab: Lab, guest: Guest, family: int) -> None:
    """The guest's own flows from that port had it too, those to a group for anybody."""
    wanted = {"proto": "udp", "host_addr": plain(ANY[family]), "host_port": 8080,
              "guest_addr": plain(ANY[family]), "guest_port": 53}
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server):
        number = execute(path, "add_hostfwd", **wanted)["return"]["id"]
        if family == 4:
            server.sendto(b"to a group", ("239.1.2.3", 9999))
        server.sendto(b"echo", (INTERNET[family], ECHO_PORT))
        assert server.recv(100) == b"echo"
        execute(path, "remove_hostfwd", id=number)
        # The worker ends its flows when it is told, which nobody waits for.
        wait_for("the port is free", lambda: is_free(plain(ANY[family]), 8080))
        assert "return" in execute(path, "add_hostfwd", **wanted)


def test_ports_that_wait_for_one_guest_ask_once(lab: Lab, guest: Guest, tools: Callable) -> None:
    """Whoever tries all ports of the host must not flood the guest with requests for a MAC."""
    tools("ping")
    n_ports = 100
    with (many_files(), forwarding(guest, f"20000-{19999 + n_ports}:10.0.2.77:20000-{19999 + n_ports}/udp"),
          guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW) as wire,
          udp_socket(Lab.internet_netns, INTERNET4) as peer):
        wire.bind(("tap0", F.ETH_ARP))
        for port in range(20000, 20000 + n_ports):
            peer.sendto(b"x", (HOST[4], port))
        behind(guest)
        wire.settimeout(DEADLINE_S)
        n_requests = 0
        while n_requests == 0 or select.select([wire], [], [], 0.5)[0]:
            n_requests += F.addr("10.0.2.77") in wire.recv(2048)
        assert n_requests < n_ports / 2


# --- what a guest may not take ----------------------------------------------------------------

# The host's ephemeral ports, for the test; a quarter of them is for a guest's UDP.
FIRST_PORT, LAST_PORT = 40000, 40799
N_QUARTER = 200
# QUESTIONS_MAX of resolver/question.h.
N_QUESTIONS = 256


@contextlib.contextmanager
def few_ports() -> Iterator[None]:
    path = Path("/proc/sys/net/ipv4/ip_local_port_range")
    before = path.read_text()
    path.write_text(f"{FIRST_PORT} {LAST_PORT}\n")
    try:
        yield
    finally:
        path.write_text(before)


def flood(guest: Guest, to: str, count: int) -> None:
    """First datagrams of so many flows, of a guest that needs no sockets for them."""
    source = GUEST6 if ":" in to else GUEST4
    with raw_port(guest) as port:
        kind = F.ETH_IP6 if ":" in to else F.ETH_IP4
        port.send(*(F.ethernet(F.packet(source, to, F.UDP, F.udp(source, to, sport, CLOSED_PORT))[0],
                               kind, port.mac) for sport in range(20000, 20000 + count)))


@contextlib.contextmanager
def raw_port(guest: Guest) -> Iterator[F.RawPort]:
    sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
    with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
        yield port


@contextlib.contextmanager
def flooding_new_ports(guest: Guest) -> Iterator[None]:
    """First datagrams of new flows during the block, as fast as a thread can send them."""
    with raw_port(guest) as port:
        frame = bytearray(F.ethernet(F.ip4(GUEST4, INTERNET4, F.UDP, F.udp(GUEST4, INTERNET4, 1, 1)), F.ETH_IP4,
                                     port.mac))

    numbers = itertools.count()
    with guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind(("tap0", 0))

        def send() -> None:
            number = next(numbers)
            # Ports, length, and no checksum.
            struct.pack_into("!4H", frame, 14 + 20, 20000 + number % 40000, 20000 + number // 40000, 8, 0)
            with contextlib.suppress(OSError):
                sock.send(frame)

        with repeating(send):
            yield


def udp_ports_of_the_host() -> int:
    text = sh("ss", "-Huan", "sport", ">=", f":{FIRST_PORT}", "and", "sport", "<=",
              f":{LAST_PORT}").stdout
    return len(text.splitlines())


@pytest.mark.parametrize("address", INTERNET.values(), ids=["ipv4", "ipv6"])
def test_guest_leaves_the_host_its_ephemeral_udp_ports(lab: Lab, guest: Guest, address: str) -> None:
    with many_files(), few_ports(), Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0") as daemon:
        flood(guest, address, LAST_PORT - FIRST_PORT + 200)
        assert N_QUARTER / 2 < udp_ports_of_the_host() <= N_QUARTER
        # The host sends on, and is one line wiser.
        with socket_in(Lab.host_netns, family_of(address), socket.SOCK_DGRAM) as sock:
            sock.sendto(b"from the host", (address, ECHO_PORT))
            assert sock.recv(100) == b"from the host"
        assert daemon.stderr.count("UDP flows that it may have: each new one ends one") == 1


def test_flood_of_flows_ends_none_that_was_answered(lab: Lab, guest: Guest) -> None:
    """And new ones go on."""
    with (many_files(), few_ports(), Slirpd("--configure", guest.pid, "tap0"),
          guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as early,
          guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as late):
        early.send(b"early")
        assert early.recv(100) == b"early"
        flood(guest, INTERNET4, LAST_PORT - FIRST_PORT)
        check_echoes([late])
        early.send(b"goes on")
        assert early.recv(100) == b"goes on"


def test_sustained_flood_of_new_udp_ports_refuses_no_connection_and_no_ping(
        lab: Lab, guest: Guest, tools: Callable) -> None:
    """Questions of the flood for sockets take no place of others."""
    tools("ping")
    with many_files(), Slirpd("--configure", guest.pid, "tap0") as daemon, flooding_new_ports(guest):
        wait_for("flows that end for new ones", lambda: daemon.counters()["udp_flows_gave_way"] > 0)
        for _ in range(20):
            guest.connect(INTERNET4, HTTP_PORT).close()
        assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", INTERNET4).stdout
        counters = daemon.counters()
    assert "descriptors" not in counters


def test_udp_flood_takes_nothing_from_other_kinds(lab: Lab, guest: Guest, tools: Callable) -> None:
    """Connections, names, pings, forwards, and what comes by these."""
    tools("ping", "dig", "curl")
    options = ("--enable-ipv6", f"--publish={ANY[6]}:8080:{ANY[4]}:53/udp")
    with (many_files(), daemon_with_api(guest, *options, prefix=limited("nofile", HARD_LIMIT)) as (_, path),
          udp_socket(guest.netns, "0.0.0.0", 53) as server,
          udp_socket(Lab.internet_netns, INTERNET6) as client):
        flood(guest, INTERNET4, 2 * HARD_LIMIT)
        out = guest.run("dig", "+short", "+tries=1", "+time=10", "@10.0.2.3", WORD_NAME).stdout
        assert out.strip() == INTERNET4
        assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", INTERNET4).stdout
        out = guest.run("curl", "-s", "-m", "20", http_url(INTERNET4, "hello")).stdout
        assert out == "hello\n"
        for port in range(9000, 9050):
            reply = execute(path, "add_hostfwd", proto="udp", host_port=port, guest_port=port)
            assert "return" in reply, reply
        client.sendto(b"to the other family", (HOST6, 8080))
        data, source = server.recvfrom(100)
        server.sendto(data, source)
        assert client.recv(100) == b"to the other family"


def test_names_that_a_guest_asks_for_leave_room_for_udp(lab: Lab, guest: Guest) -> None:
    """They have no UDP flows: the resolver asks for a bounded number at a time."""
    with (many_files(), few_ports(), Slirpd("--configure", guest.pid, "tap0") as daemon,
          raw_port(guest) as port):
        port.send(*(F.ethernet(F.ip4(GUEST4, "10.0.2.3", F.UDP,
                                     F.udp(GUEST4, "10.0.2.3", sport, 53, F.dns_query())),
                               F.ETH_IP4, port.mac) for sport in range(20000, 20800)))
        assert udp_ports_of_the_host() <= N_QUESTIONS
        with guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            client.send(b"beside")
            assert client.recv(100) == b"beside"
        assert "udp_flows" not in daemon.counters()
