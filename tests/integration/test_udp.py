"""UDP on bad ways: links that are slower than the guest, and datagrams that arrive broken."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator

import lab as L
import pytest
from lab import Guest, Lab, Slirpd, sh, wait_for

ADDRESSES = {"ipv4": (L.HOST4, L.INTERNET4), "ipv6": (L.HOST6, L.INTERNET6)}
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
    ends = threading.Event()

    def loop() -> None:
        nonlocal n_sent
        while not ends.wait(0.005):
            for _ in range(10):
                with contextlib.suppress(OSError):
                    sock.send(bytes(1400))
                    n_sent += 1

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield lambda: n_sent
    finally:
        ends.set()
        thread.join()


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
    with L.socket_in(L.Lab.internet_netns, L.family_of(to[0]), socket.SOCK_RAW,
                     socket.IPPROTO_UDP) as raw:
        raw.sendto(header + data, (to[0], 0))


@both_families
def test_broken_datagram_is_no_error_for_the_guest(lab: Lab, guest: Guest, network: Slirpd,
                                                   family: str) -> None:
    address = ADDRESSES[family][1]
    with L.udp_socket(lab.internet_netns, address) as server, \
            guest.connect(address, server.getsockname()[1], socket.SOCK_DGRAM) as client:
        client.send(b"hello")
        peer = server.recvfrom(64)[1]
        for _ in range(5):
            broken_datagram(family, server.getsockname()[1], peer[:2])
        server.sendto(b"whole", peer)
        assert client.recv(64) == b"whole"


def test_uptime_of_seven_weeks(lab: Lab, guest: Guest, tools: Callable) -> None:
    """libslirp keeps the time in 32 bits. Two minutes before the machine's milliseconds run over
    them, sockets would expire as they are made."""
    tools("unshare")
    ahead_s = int((2**32 - 120_000) / 1000 - time.monotonic())
    with Slirpd("--configure", guest.pid, "tap0", as_ordinary=False,
                prefix=["unshare", "--time", f"--monotonic={ahead_s}"]) as daemon, \
            guest.connect(L.INTERNET4, L.ECHO_PORT, socket.SOCK_DGRAM) as client:
        worker = daemon.children()["slirp-worker"]
        assert os.readlink(f"/proc/{worker}/ns/time") != os.readlink("/proc/self/ns/time")
        for i in range(3):
            client.send(b"%d" % i)
            assert client.recv(100) == b"%d" % i
