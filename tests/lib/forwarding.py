# SPDX-License-Identifier: BSD-2-Clause
"""Host forwards: a daemon that has them, servers in the guest, clients at the host's ports."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterable, Iterator

import pytest
from daemon import Slirpd
from guest import Guest
from lab import HOST4, HOST6, INTERNET4, INTERNET6, Lab
from netns import family_of, socket_in
from processes import fds_of
from servers import listener, recv_all
from waiting import DEADLINE_S, wait_for

GUEST4, GATEWAY4, GATEWAY6 = "10.0.2.100", "10.0.2.2", "fd00::2"
ANY = {4: "0.0.0.0", 6: "[::]"}
LOOPBACK = {4: "127.0.0.1", 6: "::1"}
GATEWAY = {4: GATEWAY4, 6: GATEWAY6}
HOST = {4: HOST4, 6: HOST6}
INTERNET = {4: INTERNET4, 6: INTERNET6}

loopback_open_or_closed = pytest.mark.parametrize(
    "options", [(), ("--disable-host-loopback",)], ids=["open", "closed"])
families = pytest.mark.parametrize("family", [4, 6], ids=["ipv4", "ipv6"])


def forwarding(guest: Guest, *forwards: str, options: tuple[str, ...] = (),
               prefix: Iterable[str] = ()) -> Slirpd:
    """A daemon with these forwards, as --publish takes them."""
    return Slirpd("--configure", "--enable-ipv6", *options,
                  *(f"--publish={forward}" for forward in forwards), guest.pid, "tap0",
                  prefix=prefix)


def n_fds_with_ports(daemon: Slirpd) -> int:
    """The descriptors of the worker, once it has a duplicate of each port of the connector."""
    worker, connector = (daemon.children()[role] for role in ("slirp-worker", "connector"))
    # src/ipc/fdtable.h: the channels come first.
    ports = {name for number, name in fds_of(connector).items()
             if number > 6 and name.startswith("socket:")}
    wait_for("the worker has the ports", lambda: ports <= set(fds_of(worker).values()))
    return len(fds_of(worker))


def plain(address: str) -> str:
    return address.strip("[]")


@contextlib.contextmanager
def serving(guest: Guest, family: int, port: int, backlog: int = 1024) -> Iterator[socket.socket]:
    """A listener in the guest."""
    with listener(guest.netns, plain(ANY[family]), port, backlog) as sock:
        sock.settimeout(DEADLINE_S)
        yield sock


def from_internet(address: str, port: int) -> socket.socket:
    """A connection to the host from another machine."""
    sock = socket_in(Lab.internet_netns, family_of(address), socket.SOCK_STREAM)
    sock.connect((address, port))
    return sock


def from_host(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), timeout=DEADLINE_S)


def check_conversation(client: socket.socket, accepted: socket.socket) -> None:
    """Both directions work, and each ends by itself."""
    accepted.settimeout(DEADLINE_S)
    client.sendall(b"to the guest")
    assert accepted.recv(100) == b"to the guest"
    accepted.sendall(b"from the guest")
    assert client.recv(100) == b"from the guest"
    client.shutdown(socket.SHUT_WR)
    assert accepted.recv(1) == b""
    accepted.sendall(b"after the end")
    accepted.shutdown(socket.SHUT_WR)
    assert recv_all(client) == b"after the end"


def check_cut_off(client: socket.socket) -> None:
    """The guest has refused or reset the connection."""
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def check_refusal(address: str, port: int) -> socket.socket | None:
    """The guest refuses a peer of a forward; returns its socket, unless the reset came before
    the peer saw itself connected."""
    try:
        client = from_internet(address, port)
    except ConnectionResetError:
        return None
    check_cut_off(client)
    return client


def check_connection(client: socket.socket, server: socket.socket, peer: str) -> None:
    """The guest's end sees that peer with its own port."""
    with client, server.accept()[0] as accepted:
        assert accepted.getpeername()[:2] == (peer, client.getsockname()[1])
        check_conversation(client, accepted)


def check_datagrams(client: socket.socket, to: tuple[str, int], server: socket.socket,
                    peer: str, text: bytes = b"datagram") -> None:
    """There and back, and the guest sees that peer with its own port."""
    client.sendto(text, to)
    data, source = server.recvfrom(65536)
    assert data == text
    assert source[:2] == (peer, client.getsockname()[1])
    server.sendto(b"re: " + data, source)
    assert client.recvfrom(65536)[0] == b"re: " + text


def check_echoes(clients: Iterable[socket.socket]) -> None:
    """Each is answered, if it asks again after a second: flows of a guest that has all that it may have
    end for new ones only if they were silent for so long."""
    waiting = {client: b"%d" % number for number, client in enumerate(clients)}

    def are_answered() -> bool:
        for client, data in waiting.items():
            client.send(data)
        while ready := select.select(waiting, [], [], 1 if waiting else 0)[0]:
            for client in ready:
                assert client.recv(100) == waiting.pop(client)
        return not waiting

    wait_for("answers to all", are_answered)
