# SPDX-License-Identifier: BSD-2-Clause
"""Echo requests to hosts beyond the gateway: answers, errors, hop limits, many at a time."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Callable, Iterator

import frames as F
import pytest
from commands import ORDINARY, sh
from daemon import Slirpd
from guest import Guest
from lab import HOST4, HOST6, INTERNET4, INTERNET6, UNREACHABLE4, UNREACHABLE6, Lab
from netns import family_of, socket_in, up_without_dad
from nowhere import narrow_far_away
from processes import fds_of
from waiting import DEADLINE_S, wait_for

ADDRESSES = {"ipv4": INTERNET4, "ipv6": INTERNET6}
UNREACHABLE = {"ipv4": UNREACHABLE4, "ipv6": UNREACHABLE6}
GATEWAYS = {"ipv4": "10.0.2.2", "ipv6": "fd00::2"}
ECHO, ECHO_REPLY = {"ipv4": 8, "ipv6": 128}, {"ipv4": 0, "ipv6": 129}
PINGS_MAX = 256

# Between two requests of which the first is not answered.
INTERVAL_S = 0.2

both_families = pytest.mark.parametrize("family", ADDRESSES)


def ping(guest: Guest, *argv: str, check: bool = True) -> str:
    return guest.run("ping", *argv, check=check).stdout


def requests_seen(lab: Lab, family: str) -> socket.socket:
    """A socket that gets a copy of each ICMP message that arrives in the internet."""
    protocol = socket.IPPROTO_ICMPV6 if family == "ipv6" else socket.IPPROTO_ICMP
    return socket_in(lab.internet_netns, family_of(ADDRESSES[family]), socket.SOCK_RAW,
                     protocol)


PING_SIZES = (0, 56, 1400, 1452, 1453, 9000, 60000)


@pytest.mark.parametrize("size", PING_SIZES)
@pytest.mark.parametrize("mtu", (1500, 65520))
@both_families
def test_every_size_is_answered(guest: Guest, tools: Callable, family: str, mtu: int,
                                size: int) -> None:
    tools("ping")
    with Slirpd("--configure", "--enable-ipv6", f"--mtu={mtu}", guest.pid, "tap0"):
        out = ping(guest, "-c", "2", "-i", "0.1", "-W", "10", "-s", str(size),
                   ADDRESSES[family])
    assert "2 received" in out and "corrupt" not in out and "DUP" not in out


@both_families
def test_several_pings_at_once_get_their_own_answers(guest: Guest, network: Slirpd,
                                                     tools: Callable, family: str) -> None:
    """To the same host with different identifiers; ping(8) tells others' answers by data."""
    tools("ping")
    running = [guest.start("ping", "-c", "5", "-i", "0.05", "-W", "10", "-p", f"{n:02x}",
                           ADDRESSES[family], stdout=-1, text=True) for n in range(8)]
    for process in running:
        with process:
            out = process.communicate(timeout=DEADLINE_S)[0]
        assert "5 received" in out and "wrong data byte" not in out


@both_families
def test_hop_limit_is_the_guest_s_less_one(lab: Lab, guest: Guest, network: Slirpd,
                                           tools: Callable, family: str) -> None:
    tools("ping")
    with requests_seen(lab, family) as raw:
        if family == "ipv6":
            raw.setsockopt(socket.IPPROTO_IPV6, 51, 1)  # IPV6_RECVHOPLIMIT
        ping(guest, "-c", "1", "-W", "10", "-t", "37", ADDRESSES[family])
        while True:
            packet, control, _, _ = raw.recvmsg(2048, 64)
            if family == "ipv4" and packet[20] == ECHO[family]:
                assert packet[8] == 36
                return
            if family == "ipv6" and packet[0] == ECHO[family]:
                assert struct.unpack("i", control[0][2])[0] == 36
                return


@both_families
def test_hop_limit_of_one_ends_at_the_gateway(guest: Guest, network: Slirpd, tools: Callable,
                                              family: str) -> None:
    tools("ping")
    out = ping(guest, "-n", "-c", "1", "-W", "5", "-t", "1", ADDRESSES[family], check=False)
    assert re.search(rf"From {GATEWAYS[family]} icmp_seq=1 Time (to live )?exceeded", out), out


@both_families
def test_errors_of_routers_reach_the_guest(lab: Lab, guest: Guest, network: Slirpd,
                                           far_away: dict[str, str], tools: Callable,
                                           family: str) -> None:
    """What traceroute is made of: each router's own address, for the request that it had."""
    tools("ping")
    assert "1 received" in ping(guest, "-c", "1", "-W", "10", far_away[family])
    out = ping(guest, "-n", "-c", "2", "-i", "0.1", "-W", "5", "-t", "2", far_away[family],
               check=False)
    for number in (1, 2):
        assert re.search(rf"From {ADDRESSES[family]} icmp_seq={number} Time (to live )?exceeded",
                         out), out
    # After errors the same flow goes on.
    out = ping(guest, "-c", "3", "-i", "0.1", "-W", "10", far_away[family])
    assert "3 received" in out


@both_families
def test_path_mtu_is_told_to_the_guest(lab: Lab, guest: Guest, network: Slirpd,
                                       far_away: dict[str, str], tools: Callable, family: str) -> None:
    """By the router that has the narrow link. Then the host knows, and cuts what comes."""
    tools("ping")
    narrow_far_away(1280)
    out = ping(guest, "-n", "-c", "2", "-i", "0.1", "-W", "10", "-s", "1400", "-M", "do", far_away[family],
               check=False)
    assert re.search(rf"From {ADDRESSES[family]} icmp_seq=1 .*mtu ?= ?1280", out), out
    assert "1 received" in ping(guest, "-c", "1", "-W", "10", "-s", "1400", "-M", "dont",
                                far_away[family])


@pytest.fixture
def router_without_address(lab: Lab) -> Iterator[str]:
    """An address behind a router that has nothing but its link-local one, and no route to it."""
    router = ["ip", "netns", "exec", "router"]
    sh("ip", "netns", "add", "router")
    try:
        sh("ip", "link", "add", "to-router", "type", "veth", "peer", "name", "eth0", "netns", "router")
        sh(*router, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding")
        up_without_dad((), "to-router", "2001:db8:8::1/128")
        up_without_dad(router, "eth0", "fe80::9/64")
        sh("ip", "addr", "add", "fe80::8/64", "dev", "to-router", "nodad")
        sh("ip", "route", "add", "2001:db8:9::/64", "via", "fe80::9", "dev", "to-router",
           "src", "2001:db8:8::1")
        sh(*router, "ip", "route", "add", "2001:db8:8::1", "via", "fe80::8", "dev", "eth0")
        yield "2001:db8:9::1"
    finally:
        sh("ip", "netns", "del", "router")


def test_router_s_link_local_address_is_the_gateway_for_the_guest(
        lab: Lab, guest: Guest, network: Slirpd, router_without_address: str, tools: Callable) -> None:
    """It means nothing on the guest's link."""
    tools("ping")
    out = ping(guest, "-n", "-c", "1", "-W", "10", router_without_address, check=False)
    assert f"From {GATEWAYS['ipv6']} icmp_seq=1 Destination unreachable: No route" in out, out


@both_families
def test_no_route_on_the_host_is_told_at_once(guest: Guest, network: Slirpd, tools: Callable,
                                              family: str) -> None:
    tools("ping")
    out = ping(guest, "-n", "-c", "1", "-W", "5", UNREACHABLE[family], check=False)
    assert f"From {GATEWAYS[family]} icmp_seq=1 Destination" in out and "unreachable" in out.lower()
    assert "0 received, +1 errors" in out


@both_families
def test_answer_of_another_host_is_not_taken(lab: Lab, guest: Guest, network: Slirpd,
                                             family: str) -> None:
    """An echo reply with the right number, from an address that nobody asked."""
    other = {"ipv4": "203.0.113.9", "ipv6": "2001:db8:1::9"}[family]
    inside = [*lab.in_internet(), "ip", "addr"]
    length = 64 if family == "ipv6" else 24
    sh(*inside, "add", f"{other}/{length}", "dev", "eth0", *(["nodad"] if length == 64 else []))
    protocol = socket.IPPROTO_ICMPV6 if family == "ipv6" else socket.IPPROTO_ICMP
    offset = 0 if family == "ipv6" else 20
    sh(*lab.in_internet(), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
    sh(*lab.in_internet(), "sh", "-c", "echo 1 > /proc/sys/net/ipv6/icmp/echo_ignore_all")
    try:
        with requests_seen(lab, family) as raw, \
                socket_in(lab.internet_netns, family_of(other), socket.SOCK_RAW,
                          protocol) as liar, \
                guest.open_socket(family_of(other), socket.SOCK_RAW, protocol) as client:
            raw.bind((ADDRESSES[family], 0))
            liar.bind((other, 0))
            client.settimeout(DEADLINE_S)
            body = struct.pack("!HH", 77, 1) + b"question"
            request = bytes((ECHO[family], 0, 0, 0)) + body
            if family == "ipv4":
                request = request[:2] + struct.pack("!H", F.checksum(request)) + body
            client.sendto(request, (ADDRESSES[family], 0))
            packet, peer = raw.recvfrom(2048)
            while packet[offset] != ECHO[family]:
                packet, peer = raw.recvfrom(2048)
            number = packet[offset + 4:offset + 6]

            def answer(sock: socket.socket, data: bytes) -> None:
                reply = bytes((ECHO_REPLY[family], 0, 0, 0)) + number + b"\0\1" + data
                if family == "ipv4":
                    reply = reply[:2] + struct.pack("!H", F.checksum(reply)) + reply[4:]
                sock.sendto(reply, (peer[0], 0))

            answer(liar, b"a lie")
            answer(raw, b"truth")
            while True:
                got = client.recv(2048)[offset:]
                if got[0] == ECHO_REPLY[family]:
                    break
            assert got[4:] == struct.pack("!HH", 77, 1) + b"truth"
    finally:
        sh(*lab.in_internet(), "sh", "-c", "echo 0 > /proc/sys/net/ipv4/icmp_echo_ignore_all")
        sh(*lab.in_internet(), "sh", "-c", "echo 0 > /proc/sys/net/ipv6/icmp/echo_ignore_all")
        sh(*inside, "del", f"{other}/{length}", "dev", "eth0")


@both_families
def test_guest_that_pings_with_many_numbers_takes_a_bounded_number_of_sockets(
        guest: Guest, network: Slirpd, tools: Callable, family: str) -> None:
    tools("ping")
    worker = network.children()["slirp-worker"]
    protocol = socket.IPPROTO_ICMPV6 if family == "ipv6" else socket.IPPROTO_ICMP
    before = len(fds_of(worker))
    with guest.open_socket(family_of(ADDRESSES[family]), socket.SOCK_RAW, protocol) as client:
        for number in range(2 * PINGS_MAX):
            request = bytes((ECHO[family], 0, 0, 0)) + struct.pack("!HH", number, 1)
            if family == "ipv4":
                request = request[:2] + struct.pack("!H", F.checksum(request)) + request[4:]
            client.sendto(request, (ADDRESSES[family], 0))
            client.recv(2048)
        wait_for("the flows are there", lambda: len(fds_of(worker)) > before)
        assert len(fds_of(worker)) <= before + PINGS_MAX
    assert "1 received" in ping(guest, "-c", "1", "-W", "10", ADDRESSES[family])


SECOND = {"ipv4": "203.0.113.78/24", "ipv6": "2001:db8:1::78/64"}


@contextlib.contextmanager
def source_of_the_host(family: str) -> Iterator[str]:
    """A second address of the host, which it uses towards the internet."""
    address = SECOND[family].partition("/")[0]
    sh("ip", "addr", "add", SECOND[family], "dev", "uplink", *(["nodad"] if family == "ipv6" else []))
    try:
        sh("ip", "route", "add", ADDRESSES[family], "dev", "uplink", "src", address)
        yield address
    finally:
        sh("ip", "addr", "del", SECOND[family], "dev", "uplink")
        sh("ip", "route", "flush", ADDRESSES[family])


@both_families
def test_ping_goes_on_after_its_source_address_has_left_the_host(
        lab: Lab, guest: Guest, network: Slirpd, family: str) -> None:
    """IPv6 still sends from it: the worker notices that no answer comes."""
    protocol = socket.IPPROTO_ICMPV6 if family == "ipv6" else socket.IPPROTO_ICMP
    offset = 0 if family == "ipv6" else 20
    with requests_seen(lab, family) as raw, \
            guest.open_socket(family_of(ADDRESSES[family]), socket.SOCK_RAW, protocol) as client:
        raw.settimeout(DEADLINE_S)
        client.settimeout(INTERVAL_S)

        def source_of_echo() -> str | None:
            """The source of the request, if it is answered."""
            request = bytes((ECHO[family], 0, 0, 0)) + struct.pack("!HH", 78, 1)
            if family == "ipv4":
                request = request[:2] + struct.pack("!H", F.checksum(request)) + request[4:]
            client.sendto(request, (ADDRESSES[family], 0))
            packet, peer = raw.recvfrom(2048)
            while packet[offset] != ECHO[family]:
                packet, peer = raw.recvfrom(2048)
            with contextlib.suppress(TimeoutError):
                while client.recv(2048)[offset] != ECHO_REPLY[family]:
                    pass
                return peer[0]
            return None

        with source_of_the_host(family) as second:
            wait_for("the second address is used", lambda: source_of_echo() == second)
        own = {"ipv4": HOST4, "ipv6": HOST6}[family]
        wait_for("the first address is used", lambda: source_of_echo() == own)


@both_families
def test_without_ping_sockets_the_guest_is_refused_and_one_line_says_why(
        guest: Guest, tools: Callable, family: str) -> None:
    tools("ping")
    # In a new network namespace the range is empty (icmp(7)).
    sh("ip", "netns", "add", "bare")
    try:
        with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0", as_ordinary=False,
                    prefix=["nsenter", "--net=/run/netns/bare", "--", *ORDINARY]) as daemon:
            for _ in range(2):
                out = ping(guest, "-n", "-c", "2", "-i", "0.1", "-W", "5", ADDRESSES[family],
                           check=False)
                assert "+2 errors" in out
                assert re.search("Packet filtered|Administratively prohibited", out), out
            line = "the guest's echo requests to the outside are refused; " \
                "net.ipv4.ping_group_range has to have the group that slirpd runs as"
            assert daemon.stderr.count(line) == 1
            assert "1 received" in ping(guest, "-c", "1", "-W", "10", GATEWAYS[family])
    finally:
        sh("ip", "netns", "del", "bare")
