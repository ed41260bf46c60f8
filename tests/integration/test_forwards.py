# SPDX-License-Identifier: BSD-2-Clause
"""Host forwards with real traffic: who the guest sees, and that every answer gets back."""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import statistics
import struct
import threading
import time

import frames as F
import pytest
from api_client import daemon_with_api, execute
from commands import sh
from forwarding import (ANY, GATEWAY, GATEWAY4, GUEST4, HOST, INTERNET, LOOPBACK, check_connection,
                        check_datagrams, check_refusal, families, forwarding, from_host, from_internet,
                        loopback_open_or_closed, plain, serving)
from guest import Guest
from lab import ECHO_PORT, HOST4, HOST6, HTTP_PORT, INTERNET4, INTERNET6, Lab, settle_loopback
from netns import socket_in
from servers import listener, recv_all, serve, udp_socket
from waiting import DEADLINE_S, wait_for

LARGE_BYTES = 20_000_000
# More than slirp4netns's backlog holds (1), fewer than a guest's listener here.
MANY = 200
QUIET_S = 0.3
# Half of what a wait for the next request takes (UDP_PORT_ASK_MS), and hundreds of times what it
# should be.
SOON_S = 0.1

IPV6_CHECKSUM = 7  # linux/in6.h

# --- TCP --------------------------------------------------------------------------------------


@families
@loopback_open_or_closed
def test_tcp_peer_keeps_its_address(lab: Lab, guest: Guest, family: int,
                                    options: tuple[str, ...]) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:80", options=options),
          serving(guest, family, 80) as server):
        check_connection(from_internet(HOST[family], 8080), server, INTERNET[family])


@families
@loopback_open_or_closed
def test_tcp_peer_on_the_loopback_is_the_gateway(lab: Lab, guest: Guest, family: int,
                                                 options: tuple[str, ...]) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:80", options=options),
          serving(guest, family, 80) as server):
        check_connection(from_host(LOOPBACK[family], 8080), server, GATEWAY[family])
        # The host's own address is no loopback.
        check_connection(from_host(HOST[family], 8080), server, HOST[family])


@families
def test_forward_of_one_address_is_not_at_another(lab: Lab, guest: Guest, family: int) -> None:
    address = LOOPBACK[family] if family == 4 else f"[{LOOPBACK[family]}]"
    with (forwarding(guest, f"{address}:8080:80"),
          serving(guest, family, 80) as server):
        check_connection(from_host(LOOPBACK[family], 8080), server, GATEWAY[family])
        with pytest.raises(ConnectionRefusedError):
            from_internet(HOST[family], 8080)


def test_ipv6_forward_takes_no_ipv4(lab: Lab, guest: Guest) -> None:
    with forwarding(guest, "[::]:8080:80"):
        with pytest.raises(ConnectionRefusedError):
            from_internet(HOST4, 8080)


def test_both_families_at_one_port(lab: Lab, guest: Guest) -> None:
    with (forwarding(guest, "8080:80", "[::]:8080:80"),
          serving(guest, 4, 80) as server4, serving(guest, 6, 80) as server6):
        check_connection(from_internet(HOST4, 8080), server4, INTERNET4)
        check_connection(from_internet(HOST6, 8080), server6, INTERNET6)


def test_guest_address_is_the_one_given(lab: Lab, guest: Guest) -> None:
    with forwarding(guest, f"8080:{GUEST4}:80", "8081:10.0.2.101:80"):
        guest.run("ip", "addr", "add", "10.0.2.101/24", "dev", "tap0")
        with listener(guest.netns, GUEST4, 80) as first:
            first.settimeout(DEADLINE_S)
            with listener(guest.netns, "10.0.2.101", 80) as second:
                second.settimeout(DEADLINE_S)
                check_connection(from_internet(HOST4, 8081), second, INTERNET4)
                check_connection(from_internet(HOST4, 8080), first, INTERNET4)


@pytest.mark.parametrize("proto", ["tcp", "udp"])
def test_range_goes_port_by_port(lab: Lab, guest: Guest, proto: str) -> None:
    ports = (8000, 8001, 8042, 8099)
    suffix = "/udp" if proto == "udp" else ""
    with forwarding(guest, f"8000-8099:9000{suffix}"):
        for port in ports:
            if proto == "tcp":
                with serving(guest, 4, port + 1000) as server:
                    check_connection(from_internet(HOST4, port), server, INTERNET4)
            else:
                with (udp_socket(guest.netns, "0.0.0.0", port + 1000) as server,
                      udp_socket(Lab.internet_netns, INTERNET4) as client):
                    check_datagrams(client, (HOST4, port), server, INTERNET4)
        with pytest.raises(ConnectionRefusedError):
            from_internet(HOST4, 8100)


def test_many_connections_wait_for_a_slow_guest(lab: Lab, guest: Guest) -> None:
    """All are made before the guest accepts the first."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, "8080:80"))
        server = stack.enter_context(serving(guest, 4, 80))
        clients = [stack.enter_context(from_internet(HOST4, 8080)) for _ in range(MANY)]
        for number, client in enumerate(clients):
            client.sendall(number.to_bytes(2, "big"))
        seen = set()
        for _ in clients:
            accepted = stack.enter_context(server.accept()[0])
            accepted.settimeout(DEADLINE_S)
            number = accepted.recv(2)
            seen.add(number)
            accepted.sendall(number)
        assert len(seen) == MANY
        for number, client in enumerate(clients):
            assert client.recv(2) == number.to_bytes(2, "big")


def test_burst_of_connections(lab: Lab, guest: Guest) -> None:
    """Begun all at once, without waiting: a backlog of 1 would lose most of them for a second
    and more."""
    def retransmits() -> int:
        return int(sh("nsenter", f"--net={Lab.internet_netns}", "nstat", "-asz",
                      "TcpRetransSegs").stdout.split("TcpRetransSegs")[1].split()[0])

    before = retransmits()
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, "8080:80"))
        serve(stack.enter_context(serving(guest, 4, 80)), lambda sock: sock.sendall(b"here"))
        clients = []
        for _ in range(MANY):
            client = stack.enter_context(
                socket_in(Lab.internet_netns, socket.AF_INET, socket.SOCK_STREAM))
            client.setblocking(False)
            client.connect_ex((HOST4, 8080))
            clients.append(client)
        for client in clients:
            client.settimeout(DEADLINE_S)
            select.select([], [client], [], DEADLINE_S)
            assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
            assert recv_all(client) == b"here"
        assert retransmits() == before


@families
def test_large_transfer_both_ways_at_once(lab: Lab, guest: Guest, family: int) -> None:
    data = {name: hashlib.shake_128(name.encode()).digest(LARGE_BYTES) for name in ("in", "out")}
    with (forwarding(guest, f"{ANY[family]}:8080:80"),
          serving(guest, family, 80) as server,
          from_internet(HOST[family], 8080) as client, server.accept()[0] as accepted):
        accepted.settimeout(DEADLINE_S)
        got = {}

        def read(name: str, sock: socket.socket) -> None:
            got[name] = recv_all(sock)

        def write(name: str, sock: socket.socket) -> None:
            sock.sendall(data[name])
            sock.shutdown(socket.SHUT_WR)

        threads = [threading.Thread(target=target, args=args) for target, args in (
            (read, ("in", accepted)), (read, ("out", client)),
            (write, ("in", client)), (write, ("out", accepted)))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == data


@families
def test_port_that_nobody_listens_at_in_the_guest(lab: Lab, guest: Guest, family: int) -> None:
    """The worker accepts before it asks the guest, so the peer is cut off instead of refused."""
    with forwarding(guest, f"{ANY[family]}:8080:80"):
        check_refusal(HOST[family], 8080)


def test_peer_that_leaves_before_the_guest_answers(lab: Lab, guest: Guest) -> None:
    with (forwarding(guest, "8080:80") as slirpd, serving(guest, 4, 80) as server):
        for _ in range(20):
            client = from_internet(HOST4, 8080)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        # Some were accepted in the guest, and see their peer gone.
        server.settimeout(QUIET_S)
        with contextlib.suppress(socket.timeout):
            while True:
                server.accept()[0].close()
        server.settimeout(DEADLINE_S)
        check_connection(from_internet(HOST4, 8080), server, INTERNET4)
        assert slirpd.process.poll() is None


# --- UDP --------------------------------------------------------------------------------------


@families
@loopback_open_or_closed
def test_udp_peer_keeps_its_address(lab: Lab, guest: Guest, family: int,
                                    options: tuple[str, ...]) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp", options=options),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[family]) as client):
        check_datagrams(client, (HOST[family], 8080), server, INTERNET[family])


@families
@loopback_open_or_closed
def test_udp_peer_on_the_loopback_is_the_gateway(lab: Lab, guest: Guest, family: int,
                                                 options: tuple[str, ...]) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp", options=options),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.host_netns, LOOPBACK[family]) as client):
        check_datagrams(client, (LOOPBACK[family], 8080), server, GATEWAY[family])


@families
@loopback_open_or_closed
def test_udp_peers_of_every_kind_take_turns(lab: Lab, guest: Guest, family: int,
                                            options: tuple[str, ...]) -> None:
    """Whoever was answered last, the next is known by its own name, and answered."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, f"{ANY[family]}:8080:53/udp", options=options))
        server = stack.enter_context(udp_socket(guest.netns, plain(ANY[family]), 53))
        peers = []
        for _ in range(3):
            peers += [(udp_socket(Lab.internet_netns, INTERNET[family]), HOST[family],
                       INTERNET[family]),
                      (udp_socket(Lab.host_netns, LOOPBACK[family]), LOOPBACK[family],
                       GATEWAY[family]),
                      (udp_socket(Lab.host_netns, HOST[family]), HOST[family], HOST[family])]
        for client, _, _ in peers:
            stack.enter_context(client)
        for round_ in range(3):
            for number, (client, to, seen) in enumerate(peers):
                check_datagrams(client, (to, 8080), server, seen, b"%d %d" % (round_, number))
        # All ask before the first is answered.
        for number, (client, to, _) in enumerate(peers):
            client.sendto(b"%d" % number, (to, 8080))
        for _ in peers:
            server.sendto(*server.recvfrom(100))
        for number, (client, _, _) in enumerate(peers):
            assert client.recvfrom(100)[0] == b"%d" % number


@families
@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 9000, 60000])
def test_udp_of_every_size(lab: Lab, guest: Guest, family: int, size: int) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp"),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[family]) as client):
        check_datagrams(client, (HOST[family], 8080), server, INTERNET[family], b"x" * size)


@families
def test_udp_forward_opens_no_other_port_of_the_loopback(lab: Lab, guest: Guest,
                                                         family: int) -> None:
    """With the loopback closed, an answer goes to who asked, and nothing to anybody else."""
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp", options=("--disable-host-loopback",)),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.host_netns, LOOPBACK[family]) as asks,
          udp_socket(Lab.host_netns, LOOPBACK[family]) as never_asked):
        check_datagrams(asks, (LOOPBACK[family], 8080), server, GATEWAY[family])
        with contextlib.suppress(OSError):
            server.sendto(b"let me in", (GATEWAY[family], never_asked.getsockname()[1]))
        # The next answer shows that the one before would have come.
        check_datagrams(asks, (LOOPBACK[family], 8080), server, GATEWAY[family])
        settle_loopback()
        never_asked.setblocking(False)
        with pytest.raises(BlockingIOError):
            never_asked.recv(100)


def no_ports(guest: Guest) -> int:
    """Datagrams that came to a port of the guest's where nobody listens."""
    return int(guest.run("nstat", "-asz", "UdpNoPorts").stdout.split("UdpNoPorts")[1].split()[0])


def test_first_datagram_does_not_wait(lab: Lab) -> None:
    """The guest is asked for its MAC first. Its answer must set off what waits for it, and not
    whatever happens to come next, such as the timer of the next request."""
    delays = []
    for _ in range(5):
        with (Guest() as guest, forwarding(guest, "8080:53/udp"),
              udp_socket(guest.netns, "0.0.0.0", 53) as server,
              udp_socket(Lab.internet_netns, INTERNET4) as client):
            begin = time.monotonic()
            check_datagrams(client, (HOST4, 8080), server, INTERNET4)
            delays.append(time.monotonic() - begin)
    assert statistics.median(delays) < SOON_S


def test_udp_port_that_nobody_listens_at_in_the_guest(lab: Lab, guest: Guest) -> None:
    """Nothing comes back, and the forward goes on."""
    with (forwarding(guest, "8080:53/udp"),
          udp_socket(Lab.internet_netns, INTERNET4) as client):
        client.sendto(b"anybody?", (HOST4, 8080))
        wait_for("the guest's kernel has refused it", lambda: no_ports(guest) == 1)
        with udp_socket(guest.netns, "0.0.0.0", 53) as server:
            check_datagrams(client, (HOST4, 8080), server, INTERNET4)


def wrong_checksums(family: int) -> int:
    """Datagrams that the host's kernel has thrown away for it, since the lab began."""
    name = {4: "UdpInCsumErrors", 6: "Udp6InCsumErrors"}[family]
    return int(sh("nstat", "-asz", name).stdout.split(name)[1].split()[0])


@families
def test_udp_with_a_wrong_checksum(lab: Lab, guest: Guest, family: int) -> None:
    """It wakes up whoever waits for the socket, and then there is nothing to read: of a worker
    that waited for more no packet would come, and no answer by way of its socket's error."""
    ipv6 = family == 6
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp"),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          socket_in(Lab.internet_netns, socket.AF_INET6 if ipv6 else socket.AF_INET,
                    socket.SOCK_RAW, socket.IPPROTO_UDP) as raw,
          udp_socket(Lab.internet_netns, INTERNET[family]) as client):
        if ipv6:
            raw.setsockopt(socket.IPPROTO_IPV6, IPV6_CHECKSUM, -1)
        for _ in range(10):
            raw.sendto(struct.pack("!HHHH", 4000, 8080, 12, 0xbad) + b"text", (HOST[family], 0))
        wait_for("the host's kernel has looked at them", lambda: wrong_checksums(family) >= 10)
        check_datagrams(client, (HOST[family], 8080), server, INTERNET[family])


@families
def test_udp_from_the_unspecified_address(lab: Lab, guest: Guest, family: int) -> None:
    """A host without an address sends it, as for DHCP. Nobody can answer."""
    nobody, to = {4: ("0.0.0.0", "255.255.255.255"), 6: ("::", HOST6)}[family]
    kind = {4: F.ETH_IP4, 6: F.ETH_IP6}[family]
    packet, _ = F.packet(nobody, to, F.UDP, F.udp(nobody, to, 68, 8080, b"discover"))
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp") as daemon,
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[family]) as client,
          socket_in(Lab.internet_netns, socket.AF_PACKET, socket.SOCK_DGRAM) as wire):
        check_datagrams(client, (HOST[family], 8080), server, INTERNET[family])
        worker = daemon.children()["slirp-worker"]
        wire.sendto(packet, ("eth0", kind, 0, 0, F.mac(F.BROADCAST_MAC)))
        check_datagrams(client, (HOST[family], 8080), server, INTERNET[family])
        assert daemon.children()["slirp-worker"] == worker


def test_guest_goes_on_to_use_the_port_for_its_own(lab: Lab, guest: Guest) -> None:
    """A datagram of the guest's to somebody else, by the forwarded port."""
    with (forwarding(guest, "8080:53/udp"),
          udp_socket(guest.netns, "0.0.0.0", 53) as server,
          udp_socket(Lab.internet_netns, INTERNET4) as client):
        check_datagrams(client, (HOST4, 8080), server, INTERNET4)
        server.sendto(b"echo", (INTERNET4, ECHO_PORT))
        data, source = server.recvfrom(100)
        assert (data, source) == (b"echo", (INTERNET4, ECHO_PORT))
        check_datagrams(client, (HOST4, 8080), server, INTERNET4)


# --- the host's ports -------------------------------------------------------------------------


def test_another_program_cannot_share_a_udp_port(lab: Lab, guest: Guest) -> None:
    """socket(7): SO_REUSEADDR on both sides would let it."""
    with forwarding(guest, "8080:53/udp"), socket.socket(type=socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(("0.0.0.0", 8080))


def test_listening_port_is_free_again_at_once_after_the_end(lab: Lab, guest: Guest) -> None:
    with (forwarding(guest, "8080:80"), serving(guest, 4, 80) as server):
        check_connection(from_internet(HOST4, 8080), server, INTERNET4)
    with (forwarding(guest, "8080:80"), serving(guest, 4, 80) as server):
        check_connection(from_internet(HOST4, 8080), server, INTERNET4)


def test_backlog_is_4096(lab: Lab, guest: Guest) -> None:
    with forwarding(guest, "8080:80"):
        wait_for("the port", lambda: "4096" in sh("ss", "-Hltn", "sport = :8080").stdout)


PORT_FOR_ROOT = 80


@pytest.mark.parametrize("proto", ["tcp", "udp"])
@pytest.mark.parametrize(("refused", "error_class", "words"), [
    ({"host_port": PORT_FOR_ROOT}, "PermissionDenied", ("80",)),
    ({"host_addr": "192.0.2.77"}, "AddressNotAvailable", ("192.0.2.77",)),
    ({"host_addr": "127.0.0.1", "host_port": 8090}, "AddressInUse", ("8090",)),
    ({"host_addr": "127.0.0.1", "host_port": "8082-8095"}, "AddressInUse", ("8090",)),
    ({"host_addr": "127.0.0.1", "host_port": 8081}, "AddressInUse", ("8081", "forward 1")),
    ({"host_addr": "0.0.0.0", "host_port": "8070-8089"}, "AddressInUse", ("8081", "forward 1")),
    ({"guest_addr": GATEWAY4}, "BadArgument", ("guest's network",)),
    ({"guest_addr": "192.0.2.1"}, "BadArgument", ("guest's network",)),
])
def test_refusal_names_its_cause(lab: Lab, guest: Guest, proto: str, refused: dict[str, object],
                                 error_class: str, words: tuple[str, ...]) -> None:
    kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
    with daemon_with_api(guest, "--enable-ipv6") as (_, path), socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", 8090))
        if proto == "tcp":
            other.listen()
        wanted = {"proto": proto, "host_addr": "127.0.0.1", "host_port": 8080, "guest_port": 80}
        assert execute(path, "add_hostfwd", **{**wanted, "host_port": 8081})["return"]["id"] == 1
        error = execute(path, "add_hostfwd", **{**wanted, **refused})["error"]
        assert error["class"] == error_class
        for word in words:
            assert word in error["detail"]
        # Nothing of it is left.
        assert len(execute(path, "list_hostfwd")["return"]["entries"]) == 1
        for port in (8070, 8080, 8082):
            assert "return" in execute(path, "add_hostfwd", **{**wanted, "host_port": port})


@families
def test_removal_leaves_connections_alone(lab: Lab, guest: Guest, family: int) -> None:
    with daemon_with_api(guest, "--enable-ipv6") as (_, path), serving(guest, family, 80) as server:
        forward = {"proto": "tcp", "host_addr": plain(ANY[family]), "host_port": 8080,
                "guest_port": 80}
        number = execute(path, "add_hostfwd", **forward)["return"]["id"]
        with (from_internet(HOST[family], 8080) as client, server.accept()[0] as accepted):
            accepted.settimeout(DEADLINE_S)
            assert execute(path, "remove_hostfwd", id=number) == {"return": {}}
            with pytest.raises(ConnectionRefusedError):
                from_internet(HOST[family], 8080)
            client.sendall(b"still there?")
            assert accepted.recv(100) == b"still there?"
            # The port can be had again while they go on.
            assert execute(path, "add_hostfwd", **forward)["return"]["id"] == number + 1
            check_connection(from_internet(HOST[family], 8080), server, INTERNET[family])
            accepted.sendall(b"yes")
            assert client.recv(100) == b"yes"


def is_refused(client: socket.socket) -> bool:
    try:
        client.send(b"anybody?")
        return bool(select.select([client], [], [], 1)[0]) and not client.recv(100)
    except ConnectionRefusedError:
        return True


def test_removal_ends_a_udp_forward(lab: Lab, guest: Guest) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          udp_socket(guest.netns, "0.0.0.0", 53) as server,
          udp_socket(Lab.internet_netns, INTERNET4) as client):
        number = execute(path, "add_hostfwd", proto="udp", host_port=8080,
                         guest_port=53)["return"]["id"]
        check_datagrams(client, (HOST4, 8080), server, INTERNET4)
        execute(path, "remove_hostfwd", id=number)
        client.connect((HOST4, 8080))
        # The sockets of the forward and of its peer are closed by the worker a moment later.
        wait_for("the port refuses", lambda: is_refused(client))


# --- what is told of connections --------------------------------------------------------------


def test_connections_are_listed(lab: Lab, guest: Guest) -> None:
    with contextlib.ExitStack() as stack:
        _, path = stack.enter_context(daemon_with_api(guest, "--enable-ipv6"))
        made = {}
        for family in (4, 6):
            execute(path, "add_hostfwd", proto="tcp", host_addr=plain(ANY[family]),
                    host_port=8080, guest_port=8000)
            server = stack.enter_context(serving(guest, family, 8000))
            for name, client in (("outside", from_internet(HOST[family], 8080)),
                                 ("loopback", from_host(LOOPBACK[family], 8080))):
                made[name, family] = stack.enter_context(client)
                stack.enter_context(server.accept()[0])
            made["out", family] = stack.enter_context(
                guest.connect(INTERNET[family], HTTP_PORT))
        listed = execute(path, "query_connections")["return"]["connections"]

        def find(**wanted: object) -> dict[str, object]:
            found = [entry for entry in listed
                     if all(entry[key] == value for key, value in wanted.items())]
            assert len(found) == 1, (wanted, listed)
            return found[0]

        for family, own in ((4, GUEST4), (6, guest_address6(guest))):
            for name, peer in (("outside", INTERNET[family]), ("loopback", LOOPBACK[family])):
                find(proto="tcp", state="ESTABLISHED", hostfwd=True, source_addr=peer,
                     source_port=made[name, family].getsockname()[1], dest_addr=own,
                     dest_port=8000)
            find(proto="tcp", state="LISTEN", hostfwd=True, source_addr=plain(ANY[family]),
                 source_port=8080, dest_addr=own, dest_port=8000)
            find(proto="tcp", state="ESTABLISHED", hostfwd=False,
                 source_addr=own,
                 source_port=made["out", family].getsockname()[1],
                 dest_addr=INTERNET[family], dest_port=HTTP_PORT)
        sockets = execute(path, "query_stats")["return"]["sockets"]
        assert sockets["tcp"] == 8


@families
def test_bytes_of_connections_are_counted(lab: Lab, guest: Guest, family: int) -> None:
    with (daemon_with_api(guest, "--enable-ipv6") as (_, path),
          listener(Lab.internet_netns, INTERNET[family], 9000) as server,
          serving(guest, family, 8000) as served):
        execute(path, "add_hostfwd", proto="tcp", host_addr=plain(ANY[family]), host_port=8080,
                guest_port=8000)
        with (guest.connect(INTERNET[family], 9000) as opened, server.accept()[0] as outside,
              from_internet(HOST[family], 8080) as client, served.accept()[0] as accepted):
            for source, sink, n_bytes in ((opened, outside, 30_000), (outside, opened, 7_000),
                                          (accepted, client, 20_000), (client, accepted, 5)):
                source.sendall(bytes(n_bytes))
                assert sink.makefile("rb").read(n_bytes) == bytes(n_bytes)
            listed = execute(path, "query_connections")["return"]["connections"]
            assert sorted((entry["dest_port"], entry["bytes_in"], entry["bytes_out"])
                          for entry in listed if "bytes_in" in entry) == [
                (8000, 5, 20_000), (9000, 7_000, 30_000)]


def guest_address6(guest: Guest) -> str:
    """The guest's own address, as --configure gave it."""
    text = guest.run("ip", "-6", "-o", "addr", "show", "dev", "tap0", "scope", "global").stdout
    return text.split("inet6 ")[1].split("/")[0]
