# SPDX-License-Identifier: BSD-2-Clause
"""--outbound-addr and --outbound-addr6, seen from the other side: which source a server sees."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator

import frames as F
import pytest
from commands import sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import HOST4, HOST6, HTTP_PORT, INTERNET4, INTERNET6, Lab
from netns import family_of, socket_in
from servers import listener, udp_socket
from waiting import DEADLINE_S, wait_for

# More addresses of the host, on the interface that leads out and on one that leads nowhere.
SECOND4, SECOND6 = "203.0.113.3", "2001:db8:1::3"
FAR4, FAR6 = "203.0.113.4", "2001:db8:1::4"
OTHER4, OTHER6 = "203.0.113.5", "2001:db8:1::5"
FAR = "far0"
# Any: the kernel makes the checksum of ICMPv6.
GUEST6 = "fd00::1234"

FAMILIES = {
    "ipv4": ("--outbound-addr", INTERNET4, HOST4, SECOND4, FAR4, OTHER4),
    "ipv6": ("--outbound-addr6", INTERNET6, HOST6, SECOND6, FAR6, OTHER6),
}


def link_add(name: str) -> None:
    """An interface that leads nowhere; any kind will do, and this one every kernel has."""
    sh("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-peer")


def address_add(address: str, device: str) -> None:
    if ":" not in address:
        sh("ip", "addr", "add", f"{address}/32", "dev", device)
        return
    # One that is deprecated is there for those who ask for it, and the host chooses another.
    lifetime = ["preferred_lft", "0"] if device == "uplink" else []
    sh("ip", "addr", "add", f"{address}/128", "dev", device, "nodad", *lifetime)


@pytest.fixture(autouse=True)
def addresses(lab: Lab) -> Iterator[None]:
    with contextlib.ExitStack() as undo:
        for address in (SECOND4, SECOND6):
            address_add(address, "uplink")
            undo.callback(sh, "ip", "addr", "del", address + ("/128" if ":" in address else "/32"),
                          "dev", "uplink")
        link_add(FAR)
        undo.callback(lambda: subprocess.run(["ip", "link", "del", FAR], capture_output=True))
        sh("ip", "link", "set", FAR, "up")
        for address in (FAR4, FAR6):
            address_add(address, FAR)
        # The internet asks for these at uplink, where IPv6 answers for its own alone.
        for address in (SECOND6, FAR6, OTHER6):
            sh(*lab.in_internet(), "ip", "-6", "route", "replace", f"{address}/128",
               "via", HOST6)
            undo.callback(sh, *lab.in_internet(), "ip", "-6", "route", "del", f"{address}/128")
        yield


def tcp_source(lab: Lab, guest: Guest, address: str) -> str:
    """Who a server takes the guest's connection for."""
    with listener(lab.internet_netns, address) as server:
        server.settimeout(DEADLINE_S)
        with guest.connect(address, server.getsockname()[1]):
            connection, peer = server.accept()
            connection.close()
    return peer[0]


def udp_source(lab: Lab, guest: Guest, address: str) -> str:
    with udp_socket(lab.internet_netns, address) as server:
        server.settimeout(DEADLINE_S)
        with guest.connect(address, server.getsockname()[1], socket.SOCK_DGRAM) as client:
            client.send(b"who am I?")
            peer = server.recvfrom(64)[1]
            server.sendto(b"you", peer)
            assert client.recv(64) == b"you"
    return peer[0]


def ping_source(lab: Lab, guest: Guest, address: str) -> str:
    """Whose echo requests arrive, and that the guest gets the answer."""
    protocol = socket.IPPROTO_ICMPV6 if ":" in address else socket.IPPROTO_ICMP
    with socket_in(lab.internet_netns, family_of(address), socket.SOCK_RAW,
                   protocol) as raw:
        out = guest.run("ping", "-c", "1", "-W", "10", address).stdout
        assert "1 received" in out
        while True:
            packet, peer = raw.recvfrom(2048)
            header = 0 if ":" in address else 20
            if packet[header] in (8, 128):
                return peer[0]


SOURCES = {"tcp": tcp_source, "udp": udp_source, "ping": ping_source}
KINDS = [(kind, family) for kind in SOURCES for family in FAMILIES]


def up(guest: Guest, *options: str) -> Slirpd:
    return Slirpd("--configure", "--enable-ipv6", *options, guest.pid, "tap0")


@pytest.mark.parametrize("by", ("address", "interface"))
@pytest.mark.parametrize("kind, family", KINDS)
def test_server_sees_the_outbound_address(lab: Lab, guest: Guest, tools: Callable, kind: str,
                                          family: str, by: str) -> None:
    tools("ping")
    option, server, usual, second, far, _ = FAMILIES[family]
    value, wanted = (second, second) if by == "address" else (FAR, far)
    with up(guest, f"{option}={value}") as daemon:
        assert SOURCES[kind](lab, guest, server) == wanted
        label = "* Outbound IPv4:" if family == "ipv4" else "* Outbound IPv6:"
        assert f"{label.ljust(19)}{wanted}\n" in daemon.stdout


@pytest.mark.parametrize("kind, family", KINDS)
def test_without_the_option_the_host_chooses(lab: Lab, guest: Guest, network: Slirpd,
                                             kind: str, family: str) -> None:
    _, server, usual, *_ = FAMILIES[family]
    assert SOURCES[kind](lab, guest, server) == usual


def test_one_family_leaves_the_other_alone(lab: Lab, guest: Guest) -> None:
    with up(guest, f"--outbound-addr={SECOND4}") as daemon:
        assert tcp_source(lab, guest, INTERNET4) == SECOND4
        assert tcp_source(lab, guest, INTERNET6) == HOST6
        assert "* Outbound IPv6:" not in daemon.stdout


def test_host_loopback_works_with_an_outbound_address(lab: Lab, guest: Guest) -> None:
    with up(guest, f"--outbound-addr={SECOND4}"), \
            listener(lab.host_netns, "127.0.0.1") as server:
        server.settimeout(DEADLINE_S)
        with guest.connect("10.0.2.2", server.getsockname()[1]):
            connection, peer = server.accept()
            connection.close()
    assert peer[0] == SECOND4


@pytest.mark.parametrize("option, text", (
    ("--outbound-addr=203.0.113.77", "the host has no such address"),
    ("--outbound-addr6=2001:db8:1::77", "the host has no such address"),
    ("--outbound-addr=nowhere0", "the host has no such interface"),
    ("--outbound-addr6=nowhere0", "the host has no such interface"),
    ("--outbound-addr6=bare0", "or the interface none of this family"),
))
def test_what_the_host_does_not_have_is_a_failed_start(guest: Guest, option: str,
                                                       text: str) -> None:
    link_add("bare0")
    try:
        done = run_slirpd("--configure", "--enable-ipv6", option, guest.pid, "tap0")
    finally:
        sh("ip", "link", "del", "bare0")
    assert done.returncode == 1 and done.stdout == ""
    assert option in done.stderr and text in done.stderr
    assert guest.links() == {"lo"}


def log_has(daemon: Slirpd, text: str) -> None:
    wait_for(f"a line with {text!r}", lambda: text in daemon.stderr)


@pytest.mark.parametrize("family", FAMILIES)
def test_new_address_of_the_interface_is_followed(lab: Lab, guest: Guest, family: str) -> None:
    option, server, _, _, far, other = FAMILIES[family]
    length = "128" if family == "ipv6" else "32"
    with up(guest, f"{option}={FAR}") as daemon:
        assert tcp_source(lab, guest, server) == far
        address_add(other, FAR)
        sh("ip", "addr", "del", f"{far}/{length}", "dev", FAR)
        log_has(daemon, f"address {other} now: new connections leave by it")
        wait_for("connections leave by the new address",
                 lambda: tcp_source(lab, guest, server) == other)
        assert udp_source(lab, guest, server) == other
        assert ping_source(lab, guest, server) == other


def echo(client: socket.socket, raw: socket.socket, server: str, number: int, ident: int = 77) -> str:
    """An echo request, answered; whose it is for the server. A flow has one ident."""
    is_ipv6 = ":" in server
    header = 0 if is_ipv6 else 20
    message = F.icmp6(GUEST6, server, 128, struct.pack("!HH", ident, number) + b"x" * 16) \
        if is_ipv6 else F.icmp_echo(ident=ident, seq=number)
    client.sendto(message, (server, 0))
    answer = client.recv(2048)[header:]
    while (answer[0], answer[4:8]) != (129 if is_ipv6 else 0, struct.pack("!HH", ident, number)):
        answer = client.recv(2048)[header:]
    while True:
        packet, peer = raw.recvfrom(2048)
        if packet[header] in (8, 128) and packet[header + 6:header + 8] == struct.pack("!H", number):
            return peer[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_change_in_the_middle_of_what_is_open(lab: Lab, guest: Guest, family: str) -> None:
    """Connections, UDP flows and pings keep their address as long as the host has it; new ones
    leave by the new one."""
    option, server, _, _, far, other = FAMILIES[family]
    length, protocol = ("128", socket.IPPROTO_ICMPV6) if family == "ipv6" else ("32", socket.IPPROTO_ICMP)
    with (up(guest, f"{option}={FAR}") as daemon, contextlib.ExitStack() as stack,
          listener(lab.internet_netns, server) as tcp_server,
          udp_socket(lab.internet_netns, server) as udp_server,
          socket_in(lab.internet_netns, family_of(server), socket.SOCK_RAW, protocol) as raw,
          guest.open_socket(family_of(server), socket.SOCK_RAW, protocol) as pings):
        tcp = stack.enter_context(guest.connect(server, tcp_server.getsockname()[1]))
        accepted, tcp_peer = tcp_server.accept()
        stack.enter_context(accepted)
        udp = stack.enter_context(guest.connect(server, udp_server.getsockname()[1], socket.SOCK_DGRAM))
        udp.send(b"before")
        udp_peer = udp_server.recvfrom(64)[1]
        assert (tcp_peer[0], udp_peer[0], echo(pings, raw, server, 1)) == (far, far, far)

        address_add(far, "uplink")
        stack.callback(sh, "ip", "addr", "del", f"{far}/{length}", "dev", "uplink")
        address_add(other, FAR)
        sh("ip", "addr", "del", f"{far}/{length}", "dev", FAR)
        log_has(daemon, f"address {other} now: new connections leave by it")
        wait_for("connections leave by the new address",
                 lambda: tcp_source(lab, guest, server) == other)
        assert echo(pings, raw, server, 2) == far
        assert echo(pings, raw, server, 3, ident=78) == other
        udp.send(b"after")
        assert udp_server.recvfrom(64) == (b"after", udp_peer)
        udp_server.sendto(b"answer", udp_peer)
        assert udp.recv(64) == b"answer"
        tcp.sendall(b"after")
        accepted.settimeout(DEADLINE_S)
        assert accepted.recv(64) == b"after"
        accepted.sendall(b"answer")
        assert tcp.recv(64) == b"answer"


def test_interface_that_vanishes_and_comes_back(lab: Lab, guest: Guest, tools: Callable) -> None:
    tools("ping")
    with up(guest, f"--outbound-addr={FAR}") as daemon:
        assert tcp_source(lab, guest, INTERNET4) == FAR4
        sh("ip", "link", "del", FAR)
        log_has(daemon, f"interface {FAR} is gone: the guest's new IPv4 connections fail")
        with guest.open_socket(socket.AF_INET, socket.SOCK_STREAM) as client:
            # With IP_RECVERR an ICMP error ends a connect() at once.
            client.setsockopt(socket.IPPROTO_IP, 11, 1)
            with pytest.raises(OSError) as refused:
                client.connect((INTERNET4, HTTP_PORT))
        assert refused.value.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH)
        assert guest.run("ping", "-c", "1", "-W", "1", INTERNET4, check=False).returncode == 1
        assert tcp_source(lab, guest, INTERNET6) == HOST6
        # Another interface of that name, with another number.
        link_add(FAR)
        sh("ip", "link", "set", FAR, "up")
        address_add(FAR4, FAR)
        log_has(daemon, f"interface {FAR} has its IPv4 address again")
        assert tcp_source(lab, guest, INTERNET4) == FAR4


def test_interface_that_loses_its_address(guest: Guest) -> None:
    with up(guest, f"--outbound-addr={FAR}") as daemon:
        sh("ip", "addr", "del", f"{FAR4}/32", "dev", FAR)
        log_has(daemon, f"interface {FAR} has lost its address")


def test_interfaces_that_come_and_go_do_not_fill_the_log(lab: Lab, guest: Guest) -> None:
    """Only what is followed is news; hosts with containers make interfaces all day."""
    with up(guest, f"--outbound-addr={FAR}") as daemon:
        for _ in range(50):
            link_add("passing0")
            sh("ip", "link", "del", "passing0")
        assert tcp_source(lab, guest, INTERNET4) == FAR4
        assert "outbound:" not in daemon.stderr
