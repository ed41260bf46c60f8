# SPDX-License-Identifier: BSD-2-Clause
"""The name server's address of the guest stands for the host's name servers."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator

import pytest
from commands import sh
from daemon import Slirpd
from dnsserver import DNS_PORT, dns_server, frame, question, read_frame, text_of
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from netns import family_of
from servers import listener
from waiting import DEADLINE_S, wait_for

# As the guest names the server, and addresses that a host may have it at.
NAMESERVERS = {"ipv4": "10.0.2.3", "ipv6": "fd00::3"}
STUBS = {"ipv4": "127.0.0.53", "ipv6": "::1"}
OTHERS = {"ipv4": "203.0.113.53", "ipv6": "2001:db8:1::53"}
LINK_LOCAL = "fe80::53"

both_families = pytest.mark.parametrize("family", NAMESERVERS)


@pytest.fixture(autouse=True)
def nameservers(lab: Lab) -> Iterator[None]:
    yield
    lab.set_nameservers(INTERNET4, INTERNET6)


def up(guest: Guest, *options: str) -> Slirpd:
    return Slirpd("--configure", "--enable-ipv6", *options, guest.pid, "tap0")


@contextlib.contextmanager
def internet_address(lab: Lab, address: str) -> Iterator[None]:
    """One more address of the internet."""
    length, *nodad = ("128", "nodad") if ":" in address else ("32",)
    change = [*lab.in_internet(), "ip", "addr"]
    sh(*change, "add", f"{address}/{length}", "dev", "eth0", *nodad)
    try:
        yield
    finally:
        sh(*change, "del", f"{address}/{length}", "dev", "eth0")


def ask(guest: Guest, family: str, is_tcp: bool = True) -> str:
    """The text of the server that the guest's name server stands for, or the error."""
    if family == "ipv6":
        guest.wait_ipv6()
    kind = socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM
    with guest.open_socket(family_of(NAMESERVERS[family]), kind) as client:
        try:
            client.connect((NAMESERVERS[family], DNS_PORT))
            client.sendall(frame(question()) if is_tcp else question())
            return text_of(read_frame(client) if is_tcp else client.recv(65535))
        except OSError as error:
            return errno.errorcode[error.errno]


by_both = pytest.mark.parametrize("is_tcp", (True, False), ids=("tcp", "udp"))


@both_families
@pytest.mark.parametrize("option", ((), ("--disable-host-loopback",)), ids=("open", "closed"))
@by_both
def test_server_on_the_hosts_loopback_is_reached(lab: Lab, guest: Guest, family: str,
                                                 option: tuple[str, ...], is_tcp: bool) -> None:
    lab.set_nameservers(STUBS[family])
    with dns_server(lab.host_netns, STUBS[family]), up(guest, *option):
        assert ask(guest, family, is_tcp) == STUBS[family]


@both_families
def test_only_the_port_of_dns_leads_to_the_server(lab: Lab, guest: Guest, family: str) -> None:
    lab.set_nameservers(*STUBS.values())
    with listener(lab.host_netns, STUBS[family]) as other, up(guest):
        if family == "ipv6":
            guest.wait_ipv6()
        port = other.getsockname()[1]
        with pytest.raises(ConnectionRefusedError), guest.connect(NAMESERVERS[family], port):
            pass


@both_families
def test_disable_dns_closes_the_way_to_the_server(lab: Lab, guest: Guest, family: str) -> None:
    lab.set_nameservers(*STUBS.values())
    with dns_server(lab.host_netns, STUBS[family]), up(guest, "--disable-dns"):
        for is_tcp in (True, False):
            assert ask(guest, family, is_tcp) == "ECONNREFUSED"


@pytest.mark.parametrize("sandbox", ((), ("--disable-sandbox",)), ids=("jail", "no-jail"))
@both_families
@by_both
def test_change_of_the_server_is_followed(lab: Lab, guest: Guest, family: str,
                                          sandbox: tuple[str, ...], is_tcp: bool) -> None:
    address = OTHERS[family]
    lab.set_nameservers(STUBS[family])
    with contextlib.ExitStack() as stack:
        stack.enter_context(internet_address(lab, address))
        stack.enter_context(dns_server(lab.internet_netns, address))
        stack.enter_context(dns_server(lab.host_netns, STUBS[family]))
        stack.enter_context(up(guest, *sandbox))
        assert ask(guest, family, is_tcp) == STUBS[family]
        lab.set_nameservers(address, STUBS[family])
        wait_for("the new server answers", lambda: ask(guest, family, is_tcp) == address)
        lab.set_nameservers(STUBS[family])
        wait_for("the first server answers", lambda: ask(guest, family, is_tcp) == STUBS[family])


@both_families
@by_both
def test_server_of_the_other_family_is_reached(lab: Lab, guest: Guest, family: str,
                                               is_tcp: bool) -> None:
    other = next(address for name, address in STUBS.items() if name != family)
    lab.set_nameservers(other)
    with dns_server(lab.host_netns, other), up(guest):
        assert ask(guest, family, is_tcp) == other


@by_both
def test_guest_without_ipv6_reaches_a_server_of_ipv6(lab: Lab, guest: Guest, is_tcp: bool) -> None:
    lab.set_nameservers(STUBS["ipv6"])
    with dns_server(lab.host_netns, STUBS["ipv6"]), \
            Slirpd("--configure", guest.pid, "tap0"):
        assert ask(guest, "ipv4", is_tcp) == STUBS["ipv6"]


@by_both
def test_host_without_a_server(lab: Lab, guest: Guest, is_tcp: bool) -> None:
    lab.set_nameservers()
    with up(guest):
        assert ask(guest, "ipv4", is_tcp) == "SERVFAIL"


@by_both
def test_link_local_server_is_reached_by_its_interface(lab: Lab, guest: Guest, is_tcp: bool) -> None:
    lab.set_nameservers(f"{LINK_LOCAL}%uplink")
    said = sh(*lab.in_internet(), "ip", "-o", "link", "show", "eth0").stdout
    with internet_address(lab, LINK_LOCAL), \
            dns_server(lab.internet_netns, LINK_LOCAL, scope=int(said.split(":")[0])), up(guest):
        assert ask(guest, "ipv4", is_tcp) == LINK_LOCAL
        assert ask(guest, "ipv6", is_tcp) == LINK_LOCAL


def tap_index(guest: Guest) -> int:
    return int(guest.link().partition(":")[0])


def advertised_options(guest: Guest) -> dict[int, bytes]:
    """The options of the router advertisement that answers a solicitation, by type."""
    with guest.open_socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as sock:
        sock.settimeout(DEADLINE_S)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        sock.sendto(bytes((133, *bytes(7))), ("ff02::2", 0, 0, tap_index(guest)))
        message = sock.recv(2000)
        while message[0] != 134:
            message = sock.recv(2000)
    options, at = {}, 16
    while at < len(message):
        length = 8 * message[at + 1]
        options[message[at]] = message[at:at + length]
        at += length
    return options


def dhcp6_options(guest: Guest) -> dict[int, bytes]:
    """The options of the answer to an information request for the name server, by code."""
    with guest.open_socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.settimeout(DEADLINE_S)
        sock.bind(("::", 546))
        request = bytes((11, 1, 2, 3)) + struct.pack("!HHH", 6, 2, 23)
        sock.sendto(request, ("ff02::1:2", 547, 0, tap_index(guest)))
        answer, server = sock.recvfrom(2000)
    assert (server[:2], answer[:4]) == (("fd00::2", 547), bytes((7, 1, 2, 3)))
    options, at = {}, 4
    while at < len(answer):
        code, length = struct.unpack("!HH", answer[at:at + 4])
        options[code] = answer[at + 4:at + 4 + length]
        at += 4 + length
    return options


@pytest.mark.parametrize("of_the_host", ((), (INTERNET4,), (INTERNET4, INTERNET6)),
                         ids=("none", "ipv4", "both"))
@pytest.mark.parametrize("has_dns", (True, False), ids=("dns", "no dns"))
def test_link_names_the_name_server_whatever_the_host_has(
        lab: Lab, guest: Guest, has_dns: bool, of_the_host: tuple[str, ...]) -> None:
    lab.set_nameservers(*of_the_host)
    with up(guest, *([] if has_dns else ["--disable-dns"])):
        guest.wait_ipv6()
        rdnss = advertised_options(guest).get(25)
        dns = dhcp6_options(guest).get(23)
    address = socket.inet_pton(socket.AF_INET6, NAMESERVERS["ipv6"])
    assert dns == (address if has_dns else None)
    assert rdnss == (struct.pack("!BBHI", 25, 3, 0, 1800) + address if has_dns else None)
