# SPDX-License-Identifier: BSD-2-Clause
"""What a guest's programs see: HTTP, TCP, UDP, ping, DNS, DHCP, with real servers."""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import json
import re
import selectors
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import frames as F
import pytest
from daemon import Slirpd
from guest import Guest
from lab import (
    BIG_NAME, BIG_TXT_RECORDS, CLOSED_PORT, DOWNLOAD_BYTES, ECHO_PORT, HTTP_PORT, INTERNET4,
    INTERNET6, IPERF_PORT, UNREACHABLE4, UNREACHABLE6, WORD_NAME, Lab, http_url,
)
from netns import family_of, network_addresses
from servers import listener, recv_all, serve, udp_socket
from waiting import DEADLINE_S, wait_for

MTUS = (1500, 65520)
ADDRESSES = {"ipv4": INTERNET4, "ipv6": INTERNET6}
BULK = b"0123456789abcdef" * 65536  # 1 MiB: more than the buffers on the way hold


def up(guest: Guest, *options: object) -> Slirpd:
    return Slirpd("--configure", *options, guest.pid, "tap0")


def family_options(family: str) -> list[str]:
    return ["--enable-ipv6"] if family == "ipv6" else []


def ready_for(guest: Guest, family: str) -> str:
    """The server's address of a family, once the guest has an address of that family."""
    if family == "ipv6":
        guest.wait_ipv6()
    return ADDRESSES[family]


def both_families(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.parametrize("family", ADDRESSES)(test)


# --- HTTP -------------------------------------------------------------------------------------


def sha256_of(stream: object) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while piece := stream.read(1 << 20):
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


@pytest.mark.parametrize("mtu", MTUS)
@both_families
def test_http_download_of_100_mb_arrives_unchanged(lab: Lab, guest: Guest, family: str,
                                                   mtu: int) -> None:
    lab.big_file()
    with up(guest, f"--mtu={mtu}", *family_options(family)):
        url = http_url(ready_for(guest, family), "big")
        curl = guest.start("curl", "--silent", "--fail", "--max-time", "60", url, stdout=-1)
        with curl:
            got = sha256_of(curl.stdout)
    assert curl.returncode == 0
    assert got == (lab.download_sha256, DOWNLOAD_BYTES)


@pytest.mark.parametrize("mtu", MTUS)
@both_families
def test_http_upload_of_100_mb_arrives_unchanged(lab: Lab, guest: Guest, family: str,
                                                 mtu: int) -> None:
    big = lab.big_file()
    stored = lab.www / "up" / "big"
    with up(guest, f"--mtu={mtu}", *family_options(family)):
        url = http_url(ready_for(guest, family), "up/big")
        guest.run("curl", "--silent", "--show-error", "--fail", "--max-time", "60",
                  "--upload-file", str(big), url)
    try:
        with stored.open("rb") as file:
            assert sha256_of(file) == (lab.download_sha256, DOWNLOAD_BYTES)
    finally:
        stored.unlink()


# --- TCP --------------------------------------------------------------------------------------

CROWD = 500


def answer_when_all_are_here(server: socket.socket) -> None:
    """Accepts CROWD connections and answers each only when all are open at the same time."""
    connections = [server.accept()[0] for _ in range(CROWD)]
    for connection in connections:
        connection.settimeout(DEADLINE_S)
        connection.sendall(connection.recv(64))
        connection.close()


def test_500_connections_at_the_same_time(lab: Lab, guest: Guest, network: Slirpd) -> None:
    with listener(lab.internet_netns, INTERNET4) as server:
        thread = threading.Thread(target=answer_when_all_are_here, args=(server,), daemon=True)
        thread.start()
        clients = [guest.open_socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(CROWD)]
        try:
            for client in clients:
                client.setblocking(False)
                client.connect_ex(server.getsockname())
            for number, client in enumerate(clients):
                client.settimeout(DEADLINE_S)
                wait_writable(client)
                client.sendall(b"%d" % number)
            answers = [recv_all(client) for client in clients]
        finally:
            for client in clients:
                client.close()
        thread.join(DEADLINE_S)
    assert answers == [b"%d" % number for number in range(CROWD)]


def wait_writable(sock: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(sock, selectors.EVENT_WRITE)
        assert selector.select(DEADLINE_S), "connection not established"


@both_families
def test_guest_closes_its_sending_side_first(lab: Lab, guest: Guest, network: Slirpd,
                                             family: str) -> None:
    """The server answers only after end-of-file, so the other half has to stay open."""
    address = ready_for(guest, family)
    got = []

    def handle(connection: socket.socket) -> None:
        got.append(recv_all(connection))
        connection.sendall(BULK)

    with listener(lab.internet_netns, address) as server:
        serve(server, handle)
        with guest.connect(address, server.getsockname()[1]) as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert recv_all(client) == BULK
    assert got == [b"question"]


@both_families
def test_server_closes_its_sending_side_first(lab: Lab, guest: Guest, network: Slirpd,
                                              family: str) -> None:
    address = ready_for(guest, family)
    got = []

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"greeting")
        connection.shutdown(socket.SHUT_WR)
        got.append(recv_all(connection))

    with listener(lab.internet_netns, address) as server:
        serve(server, handle)
        with guest.connect(address, server.getsockname()[1]) as client:
            assert recv_all(client) == b"greeting"
            client.sendall(BULK)
            client.shutdown(socket.SHUT_WR)
            wait_for("the server has read to the end", lambda: got)
    assert got == [BULK]


@both_families
def test_server_reset_reaches_the_guest(lab: Lab, guest: Guest, network: Slirpd,
                                        family: str) -> None:
    address = ready_for(guest, family)

    def handle(connection: socket.socket) -> None:
        connection.recv(1)
        linger_zero = b"\1\0\0\0\0\0\0\0"  # close() then sends a reset
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)

    with listener(lab.internet_netns, address) as server:
        serve(server, handle)
        with guest.connect(address, server.getsockname()[1]) as client:
            client.sendall(b"x")
            with pytest.raises(ConnectionResetError):
                client.recv(1)


@both_families
def test_refused_tcp_connection_is_refused(guest: Guest, network: Slirpd, family: str) -> None:
    with pytest.raises(ConnectionRefusedError):
        guest.connect(ready_for(guest, family), CLOSED_PORT)


@both_families
def test_closed_loopback_is_an_unreachable_network(guest: Guest, family: str) -> None:
    """The sockets do not set IP_RECVERR. Linux does not tell such a UDP socket that an IPv6
    network is unreachable; so slirpd says that the port is."""
    gateway, udp_error = {"ipv4": ("10.0.2.2", errno.ENETUNREACH),
                          "ipv6": ("fd00::2", errno.ECONNREFUSED)}[family]
    with up(guest, "--disable-host-loopback", *family_options(family)):
        ready_for(guest, family)
        with pytest.raises(OSError) as failed:
            guest.connect(gateway, CLOSED_PORT)
        assert failed.value.errno == errno.ENETUNREACH
        with guest.connect(gateway, CLOSED_PORT, socket.SOCK_DGRAM) as client:
            client.send(b"anybody there?")
            with pytest.raises(OSError) as failed:
                client.recv(64)
            assert failed.value.errno == udp_error


@both_families
def test_unreachable_address_is_unreachable(guest: Guest, network: Slirpd, family: str) -> None:
    """The host has no route. With IP_RECVERR an ICMP error ends a connect() at once."""
    ready_for(guest, family)
    level, option, address = {
        "ipv4": (socket.IPPROTO_IP, 11, UNREACHABLE4),
        "ipv6": (socket.IPPROTO_IPV6, 25, UNREACHABLE6)}[family]
    with guest.open_socket(family_of(address), socket.SOCK_STREAM) as client:
        client.setsockopt(level, option, 1)
        with pytest.raises(OSError, match="(unreachable|No route)"):
            client.connect((address, 80))


# --- UDP and ICMP -----------------------------------------------------------------------------

UDP_SIZES = (1, 2, 3, 100, 511, 512, 513, 1452, 1453, 1471, 1472, 1473, 1500, 2943, 2944, 2945,
             4096, 8191, 9000, 16384, 32767, 48000, 59999, 60000)


@pytest.mark.parametrize("mtu", MTUS)
@both_families
def test_udp_echo_of_every_size(guest: Guest, family: str, mtu: int) -> None:
    with up(guest, f"--mtu={mtu}", *family_options(family)):
        address = ready_for(guest, family)
        with guest.connect(address, ECHO_PORT, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            for size in UDP_SIZES:
                assert echoed(client, size), f"{size} bytes"


def echoed(client: socket.socket, size: int) -> bool:
    """One datagram there and back; the network in the lab loses none."""
    data = hashlib.shake_128(size.to_bytes(4, "big")).digest(size)
    client.send(data)
    try:
        return client.recv(65536) == data
    except socket.timeout:
        return False


@both_families
def test_udp_to_a_closed_port_is_refused(guest: Guest, network: Slirpd, family: str) -> None:
    address = ready_for(guest, family)
    with guest.connect(address, CLOSED_PORT, socket.SOCK_DGRAM) as client:
        client.send(b"anybody there?")
        with pytest.raises(ConnectionRefusedError):
            client.recv(64)


PING_SIZES = (0, 56, 1400, 1473, 9000, 60000)


@pytest.mark.parametrize("size", PING_SIZES)
@pytest.mark.parametrize("mtu", MTUS)
def test_ping_of_the_internet(guest: Guest, tools: Callable, mtu: int, size: int) -> None:
    tools("ping")
    with up(guest, f"--mtu={mtu}"):
        out = guest.run("ping", "-c", "2", "-i", "0.1", "-W", "10", "-s", str(size), INTERNET4)
    assert "2 received" in out.stdout and "corrupt" not in out.stdout


@pytest.mark.parametrize("address", ("10.0.2.2", "fd00::2"))
def test_ping_of_the_gateway(guest: Guest, network: Slirpd, tools: Callable,
                             address: str) -> None:
    tools("ping")
    if ":" in address:
        guest.wait_ipv6()
    assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", address).stdout


def test_ping_of_an_unreachable_address_gets_no_answer(guest: Guest, network: Slirpd,
                                                       tools: Callable) -> None:
    tools("ping")
    out = guest.run("ping", "-c", "1", "-W", "1", UNREACHABLE4, check=False)
    assert out.returncode == 1 and "0 received" in out.stdout


# --- DNS --------------------------------------------------------------------------------------


def dig(guest: Guest, server: str, *words: str) -> str:
    return guest.run("dig", "+tries=3", "+time=5", f"@{server}", *words, check=False).stdout


@pytest.mark.parametrize("transport", ("+notcp", "+tcp"))
@pytest.mark.parametrize("server", ("10.0.2.3", "fd00::3"))
def test_built_in_dns_asks_the_server_of_resolv_conf(guest: Guest, network: Slirpd,
                                                     tools: Callable, server: str,
                                                     transport: str) -> None:
    tools("dig")
    if ":" in server:
        guest.wait_ipv6()
    assert dig(guest, server, transport, "+short", WORD_NAME).strip() == INTERNET4


def test_dns_answer_too_big_for_udp_comes_over_tcp(guest: Guest, network: Slirpd,
                                                   tools: Callable) -> None:
    tools("dig")
    cut = dig(guest, "10.0.2.3", "+noedns", "+ignore", "TXT", BIG_NAME)
    assert re.search(r"flags:[^;]* tc", cut)
    whole = dig(guest, "10.0.2.3", "+noedns", "+short", "TXT", BIG_NAME)
    assert len(whole.splitlines()) == BIG_TXT_RECORDS


def test_disable_dns_leaves_no_built_in_dns(guest: Guest, tools: Callable) -> None:
    tools("dig")
    with up(guest, "--disable-dns"):
        out = guest.run("dig", "+tries=1", "+time=1", "@10.0.2.3", WORD_NAME, check=False)
        assert out.returncode == 9
        # The network itself is up: the same question goes through to the real server.
        assert dig(guest, INTERNET4, "+short", WORD_NAME).strip() == INTERNET4


def test_change_of_resolv_conf_is_followed(lab: Lab, guest: Guest, tools: Callable) -> None:
    tools("dig")
    lab.set_nameservers(UNREACHABLE4)
    try:
        with up(guest):
            before = guest.run("dig", "+tries=1", "+time=1", "+short", "@10.0.2.3", WORD_NAME,
                               check=False).stdout
            assert INTERNET4 not in before
            lab.set_nameservers(INTERNET4, INTERNET6)
            wait_for("the new nameserver answers", lambda: guest.run(
                "dig", "+tries=1", "+time=1", "+short", "@10.0.2.3", WORD_NAME,
                check=False).stdout.strip() == INTERNET4)
    finally:
        lab.set_nameservers(INTERNET4, INTERNET6)


# --- DHCP -------------------------------------------------------------------------------------

UDHCPC_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
echo "ip=$ip router=$router dns=$dns mask=$mask" > LEASE
"""

DHCLIENT_SCRIPT = """#!/bin/sh
[ "$reason" = BOUND ] || exit 0
echo "ip=$new_ip_address router=$new_routers dns=$new_domain_name_servers" \
    "mask=$new_subnet_mask" > LEASE
"""


def lease_of(tmp_path: Path, guest: Guest, client: str) -> dict[str, str]:
    """What a real DHCP client learns on tap0, without acting on it."""
    lease, script = tmp_path / "lease", tmp_path / "script"
    text = UDHCPC_SCRIPT if client == "udhcpc" else DHCLIENT_SCRIPT
    script.write_text(text.replace("LEASE", str(lease)))
    script.chmod(0o755)
    guest.run("ip", "link", "set", "tap0", "up")
    if client == "udhcpc":
        guest.run("udhcpc", "-i", "tap0", "-f", "-q", "-n", "-s", str(script))
    else:
        dhclient_until(lambda: lease.exists() and lease.read_text().endswith("\n"), guest,
                       "-cf", "/dev/null", "-lf", str(tmp_path / "leases"),
                       "-pf", str(tmp_path / "pid"), "-sf", str(script), "tap0")
    return dict(word.split("=", 1) for word in lease.read_text().split())


def dhclient_until(done: Callable[[], bool], guest: Guest, *argv: str) -> None:
    """In the foreground, as `-d` leaves no process behind, dhclient never ends by itself."""
    with guest.start("dhclient", "-d", *argv, stdout=-3, stderr=-3) as client:
        try:
            wait_for("dhclient has a lease", done)
        finally:
            client.kill()


def test_dhcp_renewal_is_answered_to_the_client_s_address(guest: Guest) -> None:
    """RFC 2131 4.1. A socket that is bound to the address does not get broadcasts."""
    with Slirpd(guest.pid, "tap0"):
        guest.run("ip", "link", "set", "tap0", "up")
        guest.run("ip", "addr", "add", "10.0.2.15/24", "dev", "tap0")
        link = json.loads(guest.run("ip", "-j", "link", "show", "tap0").stdout)[0]
        with udp_socket(guest.netns, "10.0.2.15", 68) as client:
            client.settimeout(DEADLINE_S)
            client.sendto(F.dhcp(link["address"], 3, ciaddr="10.0.2.15"), ("10.0.2.2", 67))
            reply, server = client.recvfrom(1500)
    assert server == ("10.0.2.2", 67)
    assert reply[16:20] == F.addr("10.0.2.15")  # yiaddr
    assert reply[240:243] == bytes([53, 1, 5])  # DHCPACK


@pytest.mark.parametrize("cidr", ("10.0.2.0/24", "192.168.77.0/24"))
@pytest.mark.parametrize("client", ("udhcpc", "dhclient"))
@pytest.mark.parametrize("configure", ((), ("--configure",)))
def test_dhcp_gives_lease_router_and_dns(guest: Guest, tools: Callable, tmp_path: Path,
                                         configure: tuple[str, ...], client: str, cidr: str) -> None:
    tools(client)
    want = network_addresses(cidr)
    with Slirpd(*configure, f"--cidr={cidr}", guest.pid, "tap0"):
        got = lease_of(tmp_path, guest, client)
    first, last = (ipaddress.ip_address(want[key]) for key in ("dhcp_first", "dhcp_last"))
    assert first <= ipaddress.ip_address(got["ip"]) <= last
    assert (got["router"], got["dns"]) == (want["gateway"], want["dns"])
    assert got["mask"] in ("24", "255.255.255.0")


# --- options ----------------------------------------------------------------------------------


def test_cidr6_moves_every_address(guest: Guest, tools: Callable) -> None:
    tools("ping", "dig")
    with up(guest, "--enable-ipv6", "--cidr6=fd77:1:2:3::/64"):
        addresses = guest.run("ip", "-6", "addr", "show", "dev", "tap0").stdout
        assert "inet6 fd77:1:2:3:" in addresses and "fd00:" not in addresses
        routes = guest.run("ip", "-6", "route").stdout
        assert "fd77:1:2:3::/64 dev tap0" in routes
        for gateway in ("fd77:1:2:3::2", "fd77:1:2:3::3"):
            assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", gateway).stdout
        assert dig(guest, "fd77:1:2:3::3", "+short", WORD_NAME).strip() == INTERNET4
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET6, "hello")).stdout
        # What was the gateway is an address of the outside now.
        with pytest.raises(OSError):
            guest.connect("fd00::2", HTTP_PORT).close()


def test_router_advertisement_has_the_prefix_of_cidr6(guest: Guest) -> None:
    with Slirpd("--enable-ipv6", "--cidr6=fd77:1:2:3::/64", guest.pid, "tap0"):
        guest.run("ip", "link", "set", "tap0", "up")
        guest.wait_ipv6()
        assert "inet6 fd77:1:2:3:" in guest.run("ip", "-6", "addr", "show", "dev", "tap0").stdout


def test_cidr_moves_every_address(guest: Guest, tools: Callable) -> None:
    tools("ping", "dig")
    with up(guest, "--cidr=192.168.77.0/24"):
        assert "192.168.77.100/24" in guest.run("ip", "-4", "addr", "show", "dev", "tap0").stdout
        assert "default via 192.168.77.2 dev tap0" in guest.run("ip", "route").stdout
        assert "1 received" in guest.run("ping", "-c1", "-W10", "192.168.77.2").stdout
        assert dig(guest, "192.168.77.3", "+short", WORD_NAME).strip() == INTERNET4
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout
        # ... and leaves none behind.
        for old in ("10.0.2.2", "10.0.2.3"):
            assert guest.run("ping", "-c1", "-W1", old, check=False).returncode == 1


@pytest.mark.parametrize("cidr,guest_address", (
    ("10.0.0.0/8", "10.0.0.100/8"), ("172.16.0.0/12", "172.16.0.100/12"),
    ("192.168.5.128/25", "192.168.5.228/25"), ("240.1.2.0/24", "240.1.2.100/24"),
    ("255.255.255.128/25", "255.255.255.228/25")))
def test_cidr_of_other_prefix_lengths(guest: Guest, cidr: str, guest_address: str) -> None:
    with up(guest, f"--cidr={cidr}"):
        assert guest_address in guest.run("ip", "-4", "addr", "show", "dev", "tap0").stdout
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout


def test_configure_sets_link_address_and_route(guest: Guest) -> None:
    with up(guest):
        tap = guest.link()
        assert re.search(r"<[^>]*\bUP\b", tap) and "mtu 1500" in tap
        assert re.search(r"<[^>]*\bUP\b", guest.link("lo"))
        assert "10.0.2.100/24" in guest.run("ip", "-4", "addr", "show", "dev", "tap0").stdout
        assert "default via 10.0.2.2 dev tap0" in guest.run("ip", "route").stdout


def test_without_configure_the_tap_is_left_down(guest: Guest) -> None:
    with Slirpd(guest.pid, "tap0"):
        assert "state DOWN" in guest.link()
        assert not guest.run("ip", "-4", "addr", "show", "dev", "tap0").stdout
        assert not re.search(r"<[^>]*\bUP\b", guest.link("lo"))


@pytest.mark.parametrize("mtu", (1280, 9000, 65520))
def test_mtu_is_the_link_s(guest: Guest, mtu: int) -> None:
    with up(guest, f"--mtu={mtu}"):
        assert f"mtu {mtu} " in guest.link()


def test_macaddress_is_the_link_s(guest: Guest) -> None:
    with up(guest, "--macaddress=0e:d4:18:d9:38:fb"):
        assert "link/ether 0e:d4:18:d9:38:fb" in guest.link()
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout


def test_tap_has_the_name_that_was_asked_for(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "net-of-15-chars"):
        assert guest.links() == {"lo", "net-of-15-chars"}


def test_ipv6_works_at_once_after_ready(guest: Guest) -> None:
    """No duplicate address detection on a TAP that we configure; it would take a second."""
    with up(guest, "--enable-ipv6"):
        addresses = guest.run("ip", "-6", "addr", "show", "dev", "tap0").stdout
        assert "tentative" not in addresses
        with guest.connect(INTERNET6, HTTP_PORT) as client:
            # A SYN is sent again after a second; data after less, where the machine is busy.
            assert retransmissions(client) == 0, "the first SYN was lost"
            client.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
            assert recv_all(client).endswith(b"hello\n")


def retransmissions(sock: socket.socket) -> int:
    """tcpi_total_retrans of struct tcp_info (linux/tcp.h): 8 bytes and 23 words before it."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int.from_bytes(info[100:104], "little")


def test_without_enable_ipv6_there_is_none(guest: Guest) -> None:
    with up(guest):
        guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello"))
        assert "fd00:" not in guest.run("ip", "-6", "addr", "show", "dev", "tap0").stdout
        with pytest.raises(OSError):
            guest.connect(INTERNET6, HTTP_PORT)


def test_iperf3_both_ways(lab: Lab, guest: Guest, network: Slirpd, tools: Callable) -> None:
    """Many streams at once, both directions; what speed they reach is the bench's matter."""
    tools("iperf3")
    for direction in ((), ("--reverse",), ("--bidir",)):
        # One that still ends a test refuses the next, and does not listen for a moment.
        with lab.server(IPERF_PORT, "iperf3", "-s", "-1", "-p", str(IPERF_PORT)):
            guest.run("iperf3", "-c", INTERNET4, "-p", str(IPERF_PORT), "-n", "20M",
                      "-P", "4", *direction)
