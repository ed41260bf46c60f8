# SPDX-License-Identifier: BSD-2-Clause
"""UDP on bad ways: links that are slower than the guest, and datagrams that arrive broken."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator

import frames as F
import pytest
from commands import sh
from daemon import Slirpd
from guest import Guest
from lab import ECHO_PORT, HOST4, HOST6, INTERNET4, INTERNET6, Lab
from netns import family_of, socket_in
from repeating import repeating
from servers import udp_socket
from waiting import wait_for

ADDRESSES = {"ipv4": (HOST4, INTERNET4), "ipv6": (HOST6, INTERNET6)}
# More than what a forward waits for the guest's MAC.
LATE_S = 1.3
both_families = pytest.mark.parametrize("family", ADDRESSES)


@contextlib.contextmanager
def slow_uplink() -> Iterator[None]:
    """A link of 1 Mbit/s that holds more than a socket's send buffer may."""
    sh("tc", "qdisc", "add", "dev", "uplink", "root", "tbf", "rate", "1mbit", "burst", "4kb",
       "limit", "4mb")
    try:
        yield
    finally:
        sh("tc", "qdisc", "del", "dev", "uplink", "root")


@contextlib.contextmanager
def flood(sock: socket.socket) -> Iterator[Callable[[], int]]:
    """Sends some 20 Mbit/s, which leaves room in the TAP's queue; hands out how many went."""
    n_sent = 0

    def send() -> None:
        nonlocal n_sent
        time.sleep(0.005)
        for _ in range(10):
            with contextlib.suppress(OSError):
                sock.send(bytes(1400))
                n_sent += 1

    with repeating(send):
        yield lambda: n_sent


@both_families
def test_flood_into_a_slow_link_does_not_stop_others(guest: Guest, network: Slirpd,
                                                     tools: Callable, family: str) -> None:
    """One connection fills its send buffer; the worker has to go on with all others."""
    tools("tc", "ping")
    with slow_uplink(), guest.connect(ADDRESSES[family][1], 9, socket.SOCK_DGRAM) as sock, \
            flood(sock) as n_sent:
        wait_for("more has been sent than the buffer holds", lambda: n_sent() > 500)
        out = guest.run("ping", "-c", "20", "-i", "0.1", "-W", "10", "10.0.2.2").stdout
    n_answers = int(re.search(r"(\d+) received", out)[1])
    # The flood may still push some out of the TAP's queue.
    assert n_answers >= 10, out


def broken_datagram(family: str, source_port: int, to: tuple[str, int]) -> None:
    """Sends a datagram from the internet whose checksum is wrong, and too long for the kernel to
    verify it when it comes in."""
    data = bytes(500)
    header = struct.pack(">HHHH", source_port, to[1], 8 + len(data), 0xBAD0)
    with socket_in(Lab.internet_netns, family_of(to[0]), socket.SOCK_RAW,
                   socket.IPPROTO_UDP) as raw:
        raw.sendto(header + data, (to[0], 0))


@both_families
def test_broken_datagram_is_no_error_for_the_guest(lab: Lab, guest: Guest, network: Slirpd,
                                                   family: str) -> None:
    address = ADDRESSES[family][1]
    with udp_socket(lab.internet_netns, address) as server, \
            guest.connect(address, server.getsockname()[1], socket.SOCK_DGRAM) as client:
        client.send(b"hello")
        peer = server.recvfrom(64)[1]
        for _ in range(5):
            broken_datagram(family, server.getsockname()[1], peer[:2])
        server.sendto(b"whole", peer)
        assert client.recv(64) == b"whole"


class Neighbor:
    """A guest whose kernel does nothing: the test answers for it."""

    addresses = {"ipv4": "10.0.2.100", "ipv6": "fd00::100"}

    def __init__(self, guest: Guest, family: str) -> None:
        # ETH_P_ALL
        self.sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.bind(("tap0", 3))
        self.mac = ":".join(f"{octet:02x}" for octet in self.sock.getsockname()[4])
        self.family = family

    def __enter__(self) -> Neighbor:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def wait(self, of_interest: Callable[[bytes], bool]) -> None:
        while not of_interest(self.sock.recv(2048)):
            pass

    def is_asked_for(self, frame: bytes) -> bool:
        """By ARP, or by a neighbour solicitation (RFC 4861)."""
        address = F.addr(self.addresses[self.family])
        if self.family == "ipv4":
            return frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\1" and frame[38:42] == address
        return frame[20] == F.ICMP6 and frame[54] == 135 and frame[62:78] == address

    def answer(self) -> None:
        address = self.addresses[self.family]
        if self.family == "ipv4":
            packet, kind = F.arp(self.mac, address, "10.0.2.2", operation=2), F.ETH_ARP
        else:
            body = b"\x60\0\0\0" + F.addr(address) + b"\2\1" + F.mac(self.mac)
            packet = F.ip6(address, "fe80::2", F.ICMP6, F.icmp6(address, "fe80::2", 136, body), 255)
            kind = F.ETH_IP6
        self.sock.send(F.ethernet(packet, kind, self.mac))


@both_families
def test_first_datagram_is_not_lost_while_the_worker_has_no_processor(lab: Lab, guest: Guest,
                                                                     family: str) -> None:
    """A forward drops after a while what waits for the guest's MAC. The answer is there in time; a
    worker that only looks at it later has to look before it drops anything."""
    host, server = {"ipv4": (HOST4, "0.0.0.0"), "ipv6": (HOST6, "[::]")}[family]
    forward = f"{server}:8080:{Neighbor.addresses[family].join('[]' if family == 'ipv6' else ('', ''))}:53/udp"
    with Slirpd("--enable-ipv6", f"--publish={forward}", guest.pid, "tap0") as daemon:
        worker = daemon.children()["slirp-worker"]
        guest.run("sysctl", "-qw", "net.ipv6.conf.tap0.disable_ipv6=1")
        guest.run("ip", "link", "set", "tap0", "arp", "off", "up")
        with Neighbor(guest, family) as neighbor, \
                udp_socket(lab.internet_netns, ADDRESSES[family][1]) as client:
            client.sendto(b"the first one", (host, 8080))
            neighbor.wait(neighbor.is_asked_for)
            os.kill(worker, signal.SIGSTOP)
            try:
                neighbor.answer()
                time.sleep(LATE_S)
            finally:
                os.kill(worker, signal.SIGCONT)
            neighbor.wait(lambda frame: b"the first one" in frame)


def test_uptime_of_seven_weeks(lab: Lab, guest: Guest, tools: Callable) -> None:
    """Two minutes before the machine's milliseconds run over 32 bits, which libslirp counts in: it
    answers ARP and the gateway's echo."""
    tools("unshare", "ping")
    ahead_s = int((2**32 - 120_000) / 1000 - time.monotonic())
    with Slirpd("--configure", guest.pid, "tap0", as_ordinary=False,
                prefix=["unshare", "--time", f"--monotonic={ahead_s}"]) as daemon, \
            guest.connect(INTERNET4, ECHO_PORT, socket.SOCK_DGRAM) as client:
        worker = daemon.children()["slirp-worker"]
        assert os.readlink(f"/proc/{worker}/ns/time") != os.readlink("/proc/self/ns/time")
        for i in range(3):
            client.send(b"%d" % i)
            assert client.recv(100) == b"%d" % i
        assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", "10.0.2.2").stdout


# --- fragments to the guest ---------------------------------------------------------------------

N_DATAGRAMS = 3
LARGE = 4000  # three fragments at an MTU of 1500


def fragment_of(frame: bytes) -> tuple[bytes, bool] | None:
    """The identification and whether it is the last, of a frame that is a fragment."""
    if frame[12:14] == b"\x08\x00" and int.from_bytes(frame[20:22], "big") & 0x3FFF:
        return frame[18:20], not frame[20] & 0x20
    if frame[12:14] == b"\x86\xdd" and frame[20] == socket.IPPROTO_FRAGMENT:
        return frame[58:62], not frame[57] & 1
    return None


def ids_of_datagrams(sock: socket.socket) -> list[set[bytes]]:
    """The identifications in the fragments of each datagram, until so many have come in."""
    ids: list[set[bytes]] = [set()]
    while len(ids) <= N_DATAGRAMS:
        frame, where = sock.recvfrom(2048)
        if where[2] == socket.PACKET_OUTGOING or not (found := fragment_of(frame)):
            continue
        ids[-1].add(found[0])
        if found[1]:
            ids.append(set())
    return ids[:-1]


def large_echoes(guest: Guest, protocol: str, address: str) -> None:
    if protocol == "ping":
        guest.run("ping", "-c", str(N_DATAGRAMS), "-i", "0.01", "-s", str(LARGE), address)
        return
    with guest.connect(address, ECHO_PORT, socket.SOCK_DGRAM) as client:
        for _ in range(N_DATAGRAMS):
            client.send(bytes(LARGE))
            assert len(client.recv(65536)) == LARGE


@both_families
@pytest.mark.parametrize("protocol", ("udp", "ping"))
def test_each_datagram_s_fragments_have_an_id_of_their_own(guest: Guest, network: Slirpd,
                                                           tools: Callable, family: str,
                                                           protocol: str) -> None:
    """Otherwise a fragment that is late completes another datagram (RFC 8200 4.5)."""
    tools("ping")
    if family == "ipv6":
        guest.wait_ipv6()
    with socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("tap0", 3))  # ETH_P_ALL
        large_echoes(guest, protocol, ADDRESSES[family][1])
        ids = ids_of_datagrams(sock)
    assert [len(each) for each in ids] == [1] * N_DATAGRAMS
    assert len(set.union(*ids)) == N_DATAGRAMS
