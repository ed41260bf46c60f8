# SPDX-License-Identifier: BSD-2-Clause
"""Errors of datagrams as a program in the guest sees them: from the host, from routers and from
the peer."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator
from typing import NamedTuple

import frames as F
import pytest
from daemon import Slirpd
from forwarding import GATEWAY, INTERNET, families
from guest import Guest
from lab import CLOSED_PORT, Lab
from netns import family_of
from nowhere import FAR4, FAR6, FAR_NETNS, TARGETS, narrow_far_away, nowhere
from servers import udp_socket

FAR = {4: FAR4, 6: FAR6}
NARROW_MTU = 1280
LEVEL = {4: socket.IPPROTO_IP, 6: socket.IPPROTO_IPV6}
# linux/in.h and linux/in6.h: TTL, receive errors, forbid to fragment, and ask for the path's MTU.
TTL, RECVERR = {4: 2, 6: 16}, {4: 11, 6: 25}
MTU_DISCOVER, MTU = {4: 10, 6: 23}, {4: 14, 6: 24}
WANT, DO, PROBE = 1, 2, 3
MSG_ERRQUEUE = 0x2000
# The ICMP errors, by type and code.
TIME_EXCEEDED, CLOSED, TOO_BIG = {4: (11, 0), 6: (3, 0)}, {4: (3, 3), 6: (1, 4)}, {4: (3, 4), 6: (2, 0)}

NEIGHBOURS = {4: (), 6: range(133, 138)}

pytestmark = pytest.mark.usefixtures("lab")


class Error(NamedTuple):
    """struct sock_extended_err of linux/errqueue.h, for an ICMP error."""
    number: int
    kind: tuple[int, int]
    mtu: int
    router: str
    data: bytes


@contextlib.contextmanager
def client_of(guest: Guest, family: int, address: str, port: int, *,
              discover: int = WANT) -> Iterator[socket.socket]:
    with guest.connect(address, port, socket.SOCK_DGRAM) as client:
        client.setsockopt(LEVEL[family], RECVERR[family], 1)
        client.setsockopt(LEVEL[family], MTU_DISCOVER[family], discover)
        yield client


def error_of(client: socket.socket, family: int) -> Error:
    """Waits for the error of what was sent."""
    with pytest.raises(OSError) as failed:
        client.recv(100)
    assert not isinstance(failed.value, TimeoutError)
    data, control, _, _ = client.recvmsg(2048, 500, MSG_ERRQUEUE)
    [(_, _, error)] = control
    number, _, kind, code, _, info, _ = struct.unpack_from("IBBBBII", error)
    assert number == failed.value.errno
    router = socket.inet_ntop(family_of(FAR[family]), error[20:24] if family == 4 else error[24:40])
    return Error(number, (kind, code), info, router, data)


@families
def test_place_that_nobody_is_at(lab: Lab, guest: Guest, network: Slirpd, family: int) -> None:
    """As TCP tells it. (A port that drops datagrams tells nothing, as on the host.)"""
    if family == 6:
        guest.wait_ipv6()
    with nowhere(lab):
        for target, (name, *places) in TARGETS.items():
            if target == "silent host":
                continue
            with client_of(guest, family, *places[family == 6]) as client:
                client.send(b"is anybody there")
                assert error_of(client, family).number == getattr(errno, name), target


@families
@pytest.mark.usefixtures("far_away")
def test_each_router_of_a_path_is_told(guest: Guest, network: Slirpd, family: int) -> None:
    """What traceroute(8) makes of it: the gateway, the routers, and the peer."""
    if family == 6:
        guest.wait_ipv6()
    hops = ((TIME_EXCEEDED, GATEWAY), (TIME_EXCEEDED, INTERNET), (CLOSED, FAR), (CLOSED, FAR))
    with client_of(guest, family, FAR[family], CLOSED_PORT) as client:
        for ttl, (kind, router) in enumerate(hops, 1):
            client.setsockopt(LEVEL[family], TTL[family], ttl)
            client.send(b"how far %d" % ttl)
            error = error_of(client, family)
            assert (error.kind, error.router, error.data) == (
                kind[family], router[family], b"how far %d" % ttl)


# --- path MTU discovery -------------------------------------------------------------------------

@families
@pytest.mark.usefixtures("far_away")
def test_path_mtu_is_found(guest: Guest, network: Slirpd, family: int) -> None:
    """By a router's error. The guest's kernel then refuses what is longer, or fragments it."""
    if family == 6:
        guest.wait_ipv6()
    narrow_far_away(NARROW_MTU)
    with (udp_socket(FAR_NETNS, FAR[family]) as server,
          client_of(guest, family, *server.getsockname()[:2], discover=DO) as client):
        client.send(b"x" * 1400)
        error = error_of(client, family)
        assert (error.number, error.kind, error.mtu, error.router) == (
            errno.EMSGSIZE, TOO_BIG[family], NARROW_MTU, INTERNET[family])
        assert client.getsockopt(LEVEL[family], MTU[family]) == NARROW_MTU
        with pytest.raises(OSError) as failed:
            client.send(b"x" * 1400)
        assert failed.value.errno == errno.EMSGSIZE
        client.send(b"short")
        assert server.recv(2048) == b"short"
        client.setsockopt(LEVEL[family], MTU_DISCOVER[family], WANT)
        client.send(b"y" * 1400)
        assert server.recv(2048) == b"y" * 1400


@families
@pytest.mark.usefixtures("far_away")
def test_program_that_looks_for_the_path_mtu_itself(guest: Guest, network: Slirpd, family: int) -> None:
    """As QUIC does: its guest sends what is too long again and again. The host knows the path by
    then, and must not fragment it; from a further port neither."""
    if family == 6:
        guest.wait_ipv6()
    narrow_far_away(NARROW_MTU)
    with udp_socket(FAR_NETNS, FAR[family]) as server:
        for source in (INTERNET[family], GATEWAY[family]):
            with client_of(guest, family, *server.getsockname()[:2], discover=PROBE) as client:
                for _ in range(3):
                    client.send(b"x" * 1400)
                    error = error_of(client, family)
                    assert (error.number, error.kind, error.mtu, error.router) == (
                        errno.EMSGSIZE, TOO_BIG[family], NARROW_MTU, source)
                    assert set(error.data) == set(b"x")
                    source = GATEWAY[family]
                client.send(b"short")
                assert server.recv(2048) == b"short"


@families
@pytest.mark.usefixtures("far_away")
def test_echo_that_looks_for_the_path_mtu(guest: Guest, network: Slirpd, family: int) -> None:
    if family == 6:
        guest.wait_ipv6()
    narrow_far_away(NARROW_MTU)
    protocol = F.ICMP6 if family == 6 else F.ICMP
    with guest.open_socket(family_of(FAR[family]), socket.SOCK_RAW, protocol) as client:
        client.setsockopt(LEVEL[family], MTU_DISCOVER[family], PROBE)
        for number, size in enumerate((1400, 1400, 1400, 1200), 1):
            echo = F.icmp_echo(bytes(size), seq=number) if family == 4 else F.icmp6(
                "::", FAR6, 128, struct.pack("!HH", 7, number) + bytes(size))
            client.sendto(echo, (FAR[family], 0))
            message = client.recv(2048)[0 if family == 6 else 20:]
            while message[0] in NEIGHBOURS[family]:
                message = client.recv(2048)
            if size == 1200:
                assert message[0] in (0, 129) and len(message) == 8 + size
            else:
                assert tuple(message[:2]) == TOO_BIG[family]
                assert struct.unpack_from("!HH", message, 4)[1] == NARROW_MTU
