# SPDX-License-Identifier: BSD-2-Clause
"""Two ends of UDP, each behind an address translator, find each other by a server that tells each
of them the other's address: programs of two hosts, and guests behind slirpd on these hosts.

One translator lies: after it has shown a port to the server, it has another one for the peer.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
from collections.abc import Callable, Iterator

import pytest
from commands import ORDINARY, sh
from daemon import Slirpd
from guest import Guest
from lab import HOST4, INTERNET4, Lab
from netns import socket_in
from nowhere import FAR, FAR4, FAR_NETNS
from servers import udp_socket

HERE, THERE = ("uplink", HOST4, ()), ("eth0", FAR4, FAR)
N_DATAGRAMS = 20
RECVERR = 11  # linux/in.h
# The kernel remembers for a while which ports a translator has had.
new_port = itertools.count(40001)

Address = tuple[str, int]
pytestmark = pytest.mark.usefixtures("far_away")


class Translator:
    """Of a host: all that leaves it has this port, and what nobody has asked for is refused."""

    def __init__(self, place: tuple[str, str, tuple[str, ...]]) -> None:
        self.device, self.address, self.inside = place
        self.port = next(new_port)

    def __enter__(self) -> Translator:
        self._nft("table ip lies { chain post { type nat hook postrouting priority 100; }; "
                  "chain in { type filter hook input priority 0; }; }")
        self.change()
        return self

    def __exit__(self, *_: object) -> None:
        self._nft("delete table ip lies")

    def _nft(self, command: str) -> None:
        sh(*self.inside, "nft", command)

    def change(self) -> Address:
        """Another port for all that is new."""
        self.port = next(new_port)
        self._nft("flush chain ip lies post; add rule ip lies post "
                  f"oifname {self.device} meta l4proto udp snat to {self.address}:{self.port}; "
                  f"add rule ip lies in ct state new udp dport {self.port} reject")
        return self.shown

    @property
    def shown(self) -> Address:
        return self.address, self.port

    def ports_to(self, peer: Address) -> list[int]:
        """The host's own ports that are connected there (proc(5), /proc/net/udp)."""
        wanted = f"{int.from_bytes(socket.inet_aton(peer[0]), 'little'):08X}:{peer[1]:04X}"
        lines = sh(*self.inside, "cat", "/proc/net/udp").stdout.splitlines()[1:]
        return [int(line.split()[1][9:], 16) for line in lines if line.split()[2] == wanted]


def ask(client: socket.socket, server: socket.socket) -> Address:
    """The address that the server sees."""
    client.sendto(b"where am I", server.getsockname())
    return server.recvfrom(100)[1]


def error_of(client: socket.socket, to: Address) -> int:
    client.sendto(b"too early", to)
    with pytest.raises(OSError) as failed:
        client.recv(100)
    client.recvmsg(100, 500, 0x2000)  # MSG_ERRQUEUE
    return failed.value.errno or -1


def get_together(one: socket.socket, other: socket.socket, here: Translator,
                 there: Translator) -> Address:
    """Returns a server's address that both have sent to."""
    with udp_socket(Lab.internet_netns, INTERNET4) as server, \
            udp_socket(Lab.internet_netns, INTERNET4) as second:
        for sock in (one, other):
            sock.setsockopt(socket.IPPROTO_IP, RECVERR, 1)
        lie, shown = ask(one, server), ask(other, server)
        assert (lie, shown) == (here.shown, there.shown)
        here.change()
        assert error_of(other, lie) == error_of(one, shown) == errno.ECONNREFUSED
        truth = ask(one, second)
        assert ask(other, second) == shown and truth == here.shown != lie
        other.sendto(b"from the other", truth)
        assert one.recvfrom(100) == (b"from the other", shown)
        for number in range(N_DATAGRAMS):
            one.sendto(b"there %d" % number, shown)
            other.sendto(b"back %d" % number, truth)
        for number in range(N_DATAGRAMS):
            assert one.recvfrom(100) == (b"back %d" % number, shown)
            assert other.recvfrom(100) == (b"there %d" % number, truth)
        return second.getsockname()


@contextlib.contextmanager
def translators() -> Iterator[tuple[Translator, Translator]]:
    with Translator(HERE) as here, Translator(THERE) as there:
        yield here, there


def test_programs_of_two_hosts_find_each_other(tools: Callable) -> None:
    """What the guests are compared with."""
    tools("nft")
    with translators() as (here, there), socket_in(Lab.host_netns, socket.AF_INET, socket.SOCK_DGRAM) as one, \
            socket_in(FAR_NETNS, socket.AF_INET, socket.SOCK_DGRAM) as other:
        get_together(one, other, here, there)


def test_guests_of_two_hosts_find_each_other(guest: Guest, tools: Callable) -> None:
    """And nobody else gets in, also if a translator lets everybody through."""
    tools("nft")
    with (Guest() as behind, translators() as (here, there), Slirpd("--configure", guest.pid, "tap0"),
          Slirpd("--configure", behind.pid, "tap0", as_ordinary=False,
                 prefix=["nsenter", f"--net={FAR_NETNS}", "--", *ORDINARY]),
          guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
          behind.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
          udp_socket(Lab.internet_netns, INTERNET4) as stranger):
        server = get_together(one, other, here, there)
        for end in (here, there):
            [port] = end.ports_to(server)
            stranger.sendto(b"let me in", (end.address, port))
            stranger.sendto(b"let me in", end.shown)
        one.sendto(b"still there", there.shown)
        other.sendto(b"still here", here.shown)
        assert one.recvfrom(100) == (b"still here", there.shown)
        assert other.recvfrom(100) == (b"still there", here.shown)
