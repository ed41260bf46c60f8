# SPDX-License-Identifier: BSD-2-Clause
"""Flows of the own UDP engine: who reaches the guest, from which port and address it speaks, and
which fields and errors of IP pass."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import struct
from collections.abc import Callable, Iterator

import pytest
from api_client import daemon_with_api, execute
from commands import sh
from daemon import Slirpd
from forwarding import ANY, GATEWAY, HOST, INTERNET, check_echoes, families, forwarding, plain
from gaps import flooding
from guest import Guest
from lab import ECHO_PORT, Lab
from limits import many_files
from netns import family_of, socket_in
from servers import udp_socket
from waiting import DEADLINE_S

LEVEL = {4: socket.IPPROTO_IP, 6: socket.IPPROTO_IPV6}
# linux/in.h and linux/in6.h: set TTL and TOS, and receive them.
TTL, TOS = {4: 2, 6: 16}, {4: 1, 6: 67}
RECVTTL, RECVTOS = {4: 12, 6: 51}, {4: 13, 6: 66}
# The types of what comes: of IPv4 that of the field, of IPv6 IPV6_HOPLIMIT and IPV6_TCLASS.
GOT_TTL, GOT_TOS = {4: 2, 6: 52}, {4: 1, 6: 67}

# Flows that open while a stranger sends: some of them get something from it too early.
N_FLOWS = 2000

pytestmark = pytest.mark.usefixtures("lab")


@contextlib.contextmanager
def pair(guest: Guest, family: int) -> Iterator[tuple[socket.socket, socket.socket, tuple]]:
    """A socket of the guest's, a server in the internet, and the guest's address there."""
    with udp_socket(Lab.internet_netns, INTERNET[family]) as server, guest.connect(
            INTERNET[family], server.getsockname()[1], socket.SOCK_DGRAM) as client:
        client.send(b"first")
        yield client, server, server.recvfrom(100)[1]


def fields(sock: socket.socket, family: int) -> tuple[int, int]:
    """TTL and TOS of the next datagram."""
    for option in (RECVTTL, RECVTOS):
        sock.setsockopt(LEVEL[family], option[family], 1)
    _, control, _, _ = sock.recvmsg(100, 200)
    got = {kind: data[0] for _, kind, data in control}
    return got[GOT_TTL[family]], got[GOT_TOS[family]]


@families
def test_stranger_does_not_reach_the_guest(guest: Guest, network: Slirpd, family: int) -> None:
    with pair(guest, family) as (client, server, seen), udp_socket(
            Lab.internet_netns, INTERNET[family]) as stranger:
        stranger.sendto(b"let me in", seen)
        server.sendto(b"answer", seen)
        assert client.recv(100) == b"answer"
        # It may answer once the guest has asked.
        with guest.open_socket(family_of(INTERNET[family]), socket.SOCK_DGRAM) as other:
            other.sendto(b"hello", stranger.getsockname())
            stranger.sendto(b"now", stranger.recvfrom(100)[1])
            assert other.recv(100) == b"now"


@families
def test_stranger_does_not_get_in_while_flows_open(guest: Guest, network: Slirpd, family: int) -> None:
    """The socket of a further flow has the port before it is connected. What comes in between is not
    for the guest."""
    if family == 6:
        guest.wait_ipv6()
    with udp_socket(Lab.internet_netns, INTERNET[family]) as server, \
            udp_socket(guest.netns, plain(ANY[family])) as client:
        client.sendto(b"first", server.getsockname())
        seen = server.recvfrom(100)[1]
        with flooding(Lab.in_internet(), HOST[family], seen[1], 1):
            for port in range(20000, 20000 + N_FLOWS):
                client.sendto(b"further", (INTERNET[family], port))
                if port % 100 == 0:
                    client.sendto(b"are all open?", server.getsockname())
                    assert server.recv(100) == b"are all open?"
        server.sendto(b"answer", seen)
        assert client.recvfrom(100)[0] == b"answer"


@families
def test_one_port_of_the_guest_is_one_of_the_host(guest: Guest, network: Slirpd, family: int) -> None:
    """Hosts behind address translators find each other by it (RFC 4787 4.1)."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[family]))
                   for _ in range(5)]
        client, other = (stack.enter_context(guest.open_socket(
            family_of(INTERNET[family]), socket.SOCK_DGRAM)) for _ in range(2))
        client.settimeout(DEADLINE_S)
        seen = []
        for sock in (client, other):
            for server in servers:
                sock.sendto(b"hello", server.getsockname())
                seen.append(server.recvfrom(100)[1][1])
        assert len(set(seen[:5])) == len(set(seen[5:])) == 1 and seen[0] != seen[5]
        for number, server in enumerate(servers):
            server.sendto(b"%d" % number, (HOST[family], seen[0]))
        assert {client.recv(100) for _ in servers} == {b"0", b"1", b"2", b"3", b"4"}


@families
def test_fields_of_the_header_pass(guest: Guest, network: Slirpd, family: int) -> None:
    """Less one hop each way, for the worker is a router."""
    with pair(guest, family) as (client, server, seen):
        for ttl, tos in ((10, 0xb8), (255, 0x02), (64, 0)):
            client.setsockopt(LEVEL[family], TTL[family], ttl)
            client.setsockopt(LEVEL[family], TOS[family], tos)
            client.send(b"there")
            assert fields(server, family) == (ttl - 1, tos)
            server.setsockopt(LEVEL[family], TTL[family], ttl)
            server.setsockopt(LEVEL[family], TOS[family], tos)
            server.sendto(b"back", seen)
            assert fields(client, family) == (ttl - 1, tos)


@families
@pytest.mark.parametrize("size", [0, 65507])
def test_shortest_and_longest_datagram(guest: Guest, network: Slirpd, family: int, size: int) -> None:
    with pair(guest, family) as (client, server, seen):
        for sock in (client, server):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        client.send(b"x" * size)
        assert server.recvfrom(65536) == (b"x" * size, seen)
        server.sendto(b"y" * size, seen)
        assert client.recv(65536) == b"y" * size


@pytest.mark.parametrize("is_cut", [True, False], ids=["may be cut", "must not be cut"])
def test_dont_fragment_passes(guest: Guest, network: Slirpd, is_cut: bool) -> None:
    """IP_MTU_DISCOVER (ip(7)): of what fits the host's network, the guest decides."""
    with contextlib.ExitStack() as stack:
        client, server, _ = stack.enter_context(pair(guest, 4))
        wire = stack.enter_context(socket_in(Lab.internet_netns, socket.AF_PACKET, socket.SOCK_DGRAM,
                                             socket.htons(0x0800)))
        wire.settimeout(DEADLINE_S)
        client.setsockopt(socket.IPPROTO_IP, 10, 0 if is_cut else 1)
        client.send(b"marked")
        assert server.recv(100) == b"marked"
        frame = b""
        while not frame.endswith(b"marked"):
            frame = wire.recv(2048)
        assert bool(frame[6] & 0x40) != is_cut


# Groups of this scope, of mDNS, and of SSDP. IPv6's of a link stay on the guest's.
GROUPS = {"ipv4": ("239.1.2.3", 5000), "mdns": ("224.0.0.251", 5353), "ssdp": ("239.255.255.250", 1900),
          "ipv6 mdns": ("ff05::fb", 5353), "ipv6 ssdp": ("ff05::c", 1900)}
OF_THE_LINK = ("ff02::fb", 5354)


def index_of(device: str, inside: list[str]) -> int:
    return int(sh(*inside, "ip", "-o", "link", "show", device).stdout.partition(":")[0])


@contextlib.contextmanager
def member_of(group: str, port: int) -> Iterator[socket.socket]:
    """A socket of the internet that has joined a group."""
    with socket_in(Lab.internet_netns, family_of(group), socket.SOCK_DGRAM) as member:
        member.bind(("" if ":" not in group else "::", port))
        if family_of(group) == socket.AF_INET:
            member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                              socket.inet_aton(group) + socket.inet_aton(INTERNET[4]))
        else:
            member.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                              socket.inet_pton(socket.AF_INET6, group) + struct.pack("i", index_of("eth0", Lab.in_internet())))
        yield member


@pytest.mark.parametrize("name", GROUPS)
def test_multicast_goes_out_and_anybody_answers(guest: Guest, network: Slirpd, name: str) -> None:
    """More than one, each from a port of its own."""
    group, port = GROUPS[name]
    family = 6 if ":" in group else 4
    if family == 6:
        guest.wait_ipv6()
    with member_of(group, port) as member, \
            udp_socket(Lab.internet_netns, INTERNET[family]) as answers, \
            udp_socket(Lab.internet_netns, INTERNET[family]) as others, \
            guest.open_socket(family_of(group), socket.SOCK_DGRAM) as client, \
            guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW) as frames:
        frames.bind(("tap0", 0x0800 if family == 4 else 0x86DD))
        client.sendto(b"who is there", (group, port))
        data, seen = member.recvfrom(100)
        assert data == b"who is there"
        for sock, answer in ((answers, b"me"), (others, b"me too")):
            sock.sendto(answer, seen)
            assert client.recvfrom(100) == (answer, sock.getsockname())
        # A bridge in the guest drops frames that come from a group's MAC.
        frame = frames.recv(2048)
        while not frame.endswith(b"me"):
            frame = frames.recv(2048)
        assert frame[6] & 1 == 0


def test_groups_of_ipv6s_link_stay_on_the_guests_link(guest: Guest, network: Slirpd) -> None:
    guest.wait_ipv6()
    group, port = GROUPS["ipv6 mdns"]
    with member_of(*OF_THE_LINK) as near, member_of(group, port) as far, \
            guest.open_socket(socket.AF_INET6, socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                          index_of("tap0", guest.enter()))
        client.sendto(b"on the link", OF_THE_LINK)
        client.sendto(b"beyond", (group, port))
        assert far.recv(100) == b"beyond"
        near.setblocking(False)
        with pytest.raises(BlockingIOError):
            near.recv(100)


def test_broadcast_of_the_hosts_network_is_refused(guest: Guest, network: Slirpd) -> None:
    """The program is told, and nothing leaves: what leaves later is there first."""
    broadcast = INTERNET[4].rpartition(".")[0] + ".255"
    with udp_socket(Lab.internet_netns, "0.0.0.0") as listener, \
            guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        port = listener.getsockname()[1]
        client.connect((broadcast, port))
        client.send(b"is anybody there")
        client.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
        with pytest.raises(OSError) as failed:
            client.recv(100)
        assert failed.value.errno == errno.EHOSTUNREACH
        client.connect((INTERNET[4], port))
        client.send(b"you")
        assert listener.recv(100) == b"you"


@families
def test_flow_is_listed_with_its_bytes(guest: Guest, family: int) -> None:
    with daemon_with_api(guest, "--enable-ipv6") as (_, path):
        if family == 6:
            guest.wait_ipv6()
        with pair(guest, family) as (client, server, seen):
            server.sendto(b"0123456789", seen)
            client.recv(100)
            [entry] = execute(path, "query_connections")["return"]["connections"]
            own = client.getsockname()
            assert (entry["proto"], entry["bytes_out"], entry["bytes_in"]) == ("udp", 5, 10)
            assert (entry["source_port"], entry["dest_port"]) == (
                own[1], server.getsockname()[1])
            assert (entry["source_addr"], entry["dest_addr"]) == (own[0], INTERNET[family])


@families
def test_forward_and_its_peer_are_listed(guest: Guest, family: int) -> None:
    other = 10 - family
    with (daemon_with_api(guest, "--enable-ipv6", f"--publish={ANY[family]}:8080:{ANY[family]}:53/udp",
                          f"--publish={ANY[other]}:8081:{ANY[family]}:53/udp") as (_, path),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[family]) as client):
        client.sendto(b"12345", (HOST[family], 8080))
        server.sendto(b"123", server.recvfrom(100)[1])
        client.recv(100)
        entries = execute(path, "query_connections")["return"]["connections"]
        assert [(entry["proto"], entry["hostfwd"], entry["dest_port"]) for entry in entries] == [
            ("udp", True, 53)] * 3
        assert [entry["source_port"] for entry in entries] == [8080, 8081, client.getsockname()[1]]
        assert (entries[2]["bytes_in"], entries[2]["bytes_out"]) == (5, 3)
        assert entries[2]["source_addr"] == INTERNET[family]


# --- forwards ---------------------------------------------------------------------------------

SECOND = {4: "203.0.113.77/24", 6: "2001:db8:1::77/64"}


@contextlib.contextmanager
def second_address(family: int) -> Iterator[str]:
    nodad = ["nodad"] if family == 6 else []
    sh("ip", "addr", "add", SECOND[family], "dev", "uplink", *nodad)
    try:
        yield SECOND[family].partition("/")[0]
    finally:
        sh("ip", "addr", "del", SECOND[family], "dev", "uplink")


@families
def test_answer_leaves_from_the_address_that_was_asked(guest: Guest, family: int) -> None:
    """A client whose socket is connected takes no other."""
    with (second_address(family) as second, forwarding(guest, f"{ANY[family]}:8080:53/udp"),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server):
        for address in (second, HOST[family], second):
            with udp_socket(Lab.internet_netns, INTERNET[family]) as client:
                client.connect((address, 8080))
                for number in range(3):
                    client.send(b"%d" % number)
                    data, peer = server.recvfrom(100)
                    assert peer[:2] == client.getsockname()[:2]
                    server.sendto(b"answer " + data, peer)
                    assert client.recv(100) == b"answer %d" % number


def check_answer(server: socket.socket, netns: str, to: tuple[str, int]) -> None:
    """A client whose socket is connected there gets its answer."""
    with socket_in(netns, family_of(to[0]), socket.SOCK_DGRAM) as client:
        client.connect(to)
        client.send(b"question")
        data, peer = server.recvfrom(100)
        server.sendto(b"answer to " + data, peer)
        assert client.recv(100) == b"answer to question", to


@families
def test_answer_to_the_host_leaves_from_the_address_that_was_asked(guest: Guest, family: int) -> None:
    loopbacks = ["127.0.0.1", "127.0.0.53"] if family == 4 else ["::1"]
    with (second_address(family) as second, forwarding(guest, f"{ANY[family]}:8080:53/udp"),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server):
        for address in (*loopbacks, HOST[family], second, *loopbacks):
            check_answer(server, Lab.host_netns, (address, 8080))


def test_answer_behind_a_redirection_leaves_from_the_address_that_was_asked(
        guest: Guest, tools: Callable) -> None:
    """The host leads a low port to the forward's, on each of its addresses."""
    tools("nft")
    sh("nft", "table ip redirection { chain pre { type nat hook prerouting priority -100; "
       "udp dport 53 redirect to :8080; }; }")
    try:
        with (second_address(4) as second, forwarding(guest, "8080:53/udp"),
              udp_socket(guest.netns, "0.0.0.0", 53) as server):
            for address in (HOST[4], second, HOST[4]):
                check_answer(server, Lab.internet_netns, (address, 53))
    finally:
        sh("nft", "delete", "table", "ip", "redirection")


@families
def test_server_of_a_forward_speaks_first_from_its_port(guest: Guest, family: int) -> None:
    with (forwarding(guest, f"{ANY[family]}:8080:53/udp"),
          udp_socket(guest.netns, plain(ANY[family]), 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[family]) as peer):
        if family == 6:
            guest.wait_ipv6()
        server.sendto(b"hello", peer.getsockname())
        data, seen = peer.recvfrom(100)
        assert (data, seen[:2]) == (b"hello", (HOST[family], 8080))
        peer.sendto(b"and you", seen)
        assert server.recvfrom(100)[1][:2] == peer.getsockname()[:2]


def test_peers_of_a_server_that_sends_to_a_group(guest: Guest) -> None:
    """As those of mDNS do. The socket of that flow has the forward's port too, and the host's kernel
    gives it every other new peer. On the loopback, the guest answers peers of forwards alone."""
    with (forwarding(guest, "8080:53/udp", options=("--disable-host-loopback",)),
          udp_socket(guest.netns, "0.0.0.0", 53) as server, contextlib.ExitStack() as stack):
        server.sendto(b"to a group", ("239.1.2.3", 9999))
        for number in range(16):
            peer = stack.enter_context(udp_socket(Lab.host_netns, "127.0.0.1"))
            peer.sendto(b"%d" % number, (f"127.0.0.{number + 1}", 8080))
            data, seen = server.recvfrom(100)
            assert (data, seen) == (b"%d" % number, (GATEWAY[4], peer.getsockname()[1]))
            server.sendto(data, seen)
            assert peer.recvfrom(100) == (data, (f"127.0.0.{number + 1}", 8080))


def test_two_forwards_with_ten_peers_each(guest: Guest) -> None:
    """Interleaved, so that each answer has to find its peer."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(forwarding(guest, "8080:53/udp", "8081:54/udp"))
        servers = [stack.enter_context(udp_socket(guest.netns, "0.0.0.0", port)) for port in (53, 54)]
        peers = [(stack.enter_context(udp_socket(Lab.internet_netns, INTERNET[4])), number)
                 for _ in range(10) for number in (0, 1)]
        for turn in range(3):
            for index, (peer, number) in enumerate(peers):
                peer.sendto(struct.pack("II", turn, index), (HOST[4], 8080 + number))
            for server in servers:
                for _ in range(10):
                    data, seen = server.recvfrom(100)
                    server.sendto(data, seen)
            for index, (peer, number) in enumerate(peers):
                assert peer.recvfrom(100) == (struct.pack("II", turn, index), (HOST[4], 8080 + number))


def test_port_without_a_guest_leaves_others_alone(guest: Guest) -> None:
    """Datagrams to an address that nobody has wait for its MAC, and are lost in the end."""
    with (forwarding(guest, "8080:10.0.2.77:53/udp", "8081:53/udp"),
          udp_socket(guest.netns, "0.0.0.0", 53) as server,
          udp_socket(Lab.internet_netns, INTERNET[4]) as client):
        for _ in range(100):
            client.sendto(b"to nobody", (HOST[4], 8080))
        client.sendto(b"to somebody", (HOST[4], 8081))
        data, seen = server.recvfrom(100)
        assert data == b"to somebody"
        # The address appears.
        guest.run("ip", "addr", "add", "10.0.2.77/24", "dev", "tap0")
        guest.run("ping", "-c", "1", "-I", "10.0.2.77", "10.0.2.2")
        client.sendto(b"again", (HOST[4], 8080))
        while server.recvfrom(100)[0] != b"again":  # some of the earlier ones may arrive
            pass


def test_neighbor_of_the_flood_goes_on(guest: Guest, network: Slirpd, tools: Callable) -> None:
    """A thousand flows that nobody answers end each other; an old one goes on."""
    tools("ping")
    with pair(guest, 4) as (client, server, seen), contextlib.ExitStack() as stack:
        for _ in range(200):
            sock = stack.enter_context(guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM))
            for port in range(5):
                with contextlib.suppress(OSError):
                    sock.sendto(b"x", (INTERNET[4], 20000 + port))
        client.send(b"still")
        assert server.recvfrom(100) == (b"still", seen)
        server.sendto(b"here", seen)
        assert client.recv(100) == b"here"
        with guest.connect(INTERNET[4], ECHO_PORT, socket.SOCK_DGRAM) as another:
            check_echoes([another])


N_NEW, N_AT_ONCE, N_HELD = 10000, 500, 100


@pytest.mark.no_sanitizer
def test_ten_thousand_flows_are_answered(guest: Guest) -> None:
    """More than a guest may have: each is answered, silent ones end, and those that are in use
    go on with the port that they had."""
    with (many_files(), daemon_with_api(guest) as (daemon, path), contextlib.ExitStack() as stack,
          udp_socket(Lab.internet_netns, INTERNET[4]) as server):
        held = [stack.enter_context(guest.connect(*server.getsockname(), socket.SOCK_DGRAM)) for _ in range(N_HELD)]

        def ports() -> list[int]:
            found = []
            for sock in held:
                sock.send(b"hello")
                found.append(server.recvfrom(100)[1])
                server.sendto(b"you", found[-1])
                assert sock.recv(100) == b"you"
            return found

        before = ports()
        for _ in range(N_NEW // N_AT_ONCE):
            with contextlib.ExitStack() as batch:
                clients = [batch.enter_context(guest.connect(INTERNET[4], ECHO_PORT, socket.SOCK_DGRAM))
                           for _ in range(N_AT_ONCE)]
                check_echoes(clients)
            assert ports() == before
        [n_most] = re.findall(r"all (\d+) UDP flows that it may have", daemon.stderr)
        connections = execute(path, "query_connections")["return"]["connections"]
        assert len(connections) == int(n_most) < N_NEW
