# SPDX-License-Identifier: BSD-2-Clause
"""Datagrams of every length at every MTU of the guest: the guest cuts what is longer and puts together
what comes, and so do the worker and the host."""

from __future__ import annotations

import socket

import pytest
from daemon import Slirpd
from guest import Guest
from lab import ECHO_PORT, INTERNET4, INTERNET6

MTUS4, MTUS6 = (68, 576, 1280, 1500, 9000, 65521), (1280, 1500, 9000, 65521)
PATHS = [(mtu, INTERNET4) for mtu in MTUS4] + [(mtu, INTERNET6) for mtu in MTUS6]
HEAD4, HEAD6, FRAGMENT_HEAD = 28, 48, 8
LONGEST = 65507

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.no_sanitizer]


def sizes_around(mtu: int, head: int) -> list[int]:
    """What fits a packet of the guest or of the host, two and three fragments of each; and the ends."""
    found = {0, 1, 32767, LONGEST - 1, LONGEST}
    for each in (mtu, 1500):
        whole, piece = each - head, (each - head - FRAGMENT_HEAD) & ~7
        found |= {size + more for size in (whole, 2 * piece, 3 * piece) for more in range(-1, 10)}
    return sorted(size for size in found if 0 <= size <= LONGEST)


@pytest.mark.parametrize("mtu,address", PATHS)
def test_echo_of_datagrams_of_every_length(guest: Guest, mtu: int, address: str) -> None:
    is_ipv6 = ":" in address
    options = ["--enable-ipv6"] if is_ipv6 else []
    with Slirpd("--configure", *options, f"--mtu={mtu}", guest.pid, "tap0"):
        if is_ipv6:
            guest.wait_ipv6()
        if mtu == 68:  # the queue of the interface has to hold all fragments
            guest.run("ip", "link", "set", "tap0", "txqueuelen", "3000")
        with guest.connect(address, ECHO_PORT, socket.SOCK_DGRAM) as client:
            for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
                client.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
            for size in sizes_around(mtu, HEAD6 if is_ipv6 else HEAD4):
                data = bytes((size + number) % 251 for number in range(size))
                client.send(data)
                assert client.recv(65536) == data, size
