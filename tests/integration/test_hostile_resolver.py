# SPDX-License-Identifier: BSD-2-Clause
"""A worker that was taken over, towards the resolver; and a resolver, towards worker and connector.

The test speaks in the name of the process, which is stopped."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import socket
import struct
from collections.abc import Iterator

import ipc
import pytest
from daemon import Slirpd
from dnsserver import DNS_PORT, dns_server, question, text_of
from guest import Guest
from lab import HTTP_PORT, INTERNET4, INTERNET6, Lab
from processes import borrowed, fds_of, is_busy, taken_over
from test_hostile_worker import TOO_MANY, Channel, inaddr
from waiting import DEADLINE_S, wait_for

# src/ipc/fdtable.h: of the worker, and of the resolver.
TO_RESOLVER = 6
TO_WORKER, TO_CONNECTOR = 4, 5
QUERY_MAX, ANSWER_MAX = 1472, 4096
SERVER = "127.0.0.53"


@pytest.fixture(autouse=True)
def nameservers(lab: Lab) -> Iterator[None]:
    lab.set_nameservers(SERVER)
    yield
    lab.set_nameservers(INTERNET4, INTERNET6)


def query(number: int, message: bytes, size: int | None = None) -> bytes:
    """struct ipc_dns_query."""
    return ipc.message("dns_query", struct.pack("=QH6x", number, len(message) if size is None else size)
                       + message.ljust(QUERY_MAX, b"\0"))


def answer(number: int, message: bytes) -> bytes:
    """struct ipc_dns_answer."""
    return ipc.message("dns_answer", struct.pack("=QH6x", number, len(message))
                       + message.ljust(ANSWER_MAX, b"\0"))


def wish(number: int, address: str, scope: int = 0, is_tcp: int = 0) -> bytes:
    """struct ipc_dns_open."""
    return ipc.message("dns_open", struct.pack("=Q17s3xIB7x", number, inaddr(address), scope, is_tcp))


@contextlib.contextmanager
def taken(guest: Guest, role: str, number: int) -> Iterator[tuple[Slirpd, Channel]]:
    """A daemon of which this role was taken over, and its channel of that number."""
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        with taken_over(daemon.children()[role], number) as sock:
            yield daemon, Channel(sock)


def receive(channel: Channel) -> tuple[str, bytes, list[int]]:
    assert select.select([channel.sock], [], [], DEADLINE_S)[0], "no answer"
    data, fds, _, _ = socket.recv_fds(channel.sock, 1 << 16, 2, socket.MSG_DONTWAIT)
    return ipc.ROWS[struct.unpack_from("=I", data)[0]], data[8:], fds


def test_control_worker_is_answered(lab: Lab, guest: Guest) -> None:
    with dns_server(lab.host_netns, SERVER), taken(guest, "slirp-worker", TO_RESOLVER) as (_, worker):
        worker.send(query(7, question()))
        row, data, _ = receive(worker)
        number, size = struct.unpack_from("=QH", data)
        assert (row, number) == ("dns_answer", 7)
        assert text_of(data[16:16 + size]) == SERVER


@pytest.mark.parametrize("message,reason", (
    (query(1, b"x" * 11), "dns_query: len"),
    (query(1, b"x" * 12, QUERY_MAX + 1), "dns_query: len"),
    (query(1, b"x" * 13, 12), "dns_query: bytes after the last"),
    (query(1, question())[:-1], "message: not a message"),
    (answer(1, question()), "dns_answer: wrong direction"),
    (ipc.message("nameservers", bytes(76)), "nameservers: wrong direction"),
    (b"x" * 8192, "message: too long"),
), ids=lambda value: value if isinstance(value, str) else "")
def test_worker_out_of_form_ends_slirpd(guest: Guest, message: bytes, reason: str) -> None:
    with taken(guest, "slirp-worker", TO_RESOLVER) as (daemon, worker):
        worker.send(message)
        os.kill(daemon.children()["slirp-worker"], signal.SIGCONT)
        assert daemon.wait() == 1
        assert f"]: message from slirp-worker: {reason}" in daemon.stderr


def test_worker_that_never_reads_costs_the_resolver_little(lab: Lab, guest: Guest) -> None:
    with dns_server(lab.host_netns, SERVER), taken(guest, "slirp-worker", TO_RESOLVER) as (
            daemon, worker):
        resolver = daemon.children()["resolver"]
        n_sent = 0
        for n_sent in range(1, TOO_MANY + 1):
            assert select.select([], [worker.sock], [], DEADLINE_S)[1]
            with contextlib.suppress(BlockingIOError):
                worker.send(query(n_sent, question(number=n_sent)))
        wait_for("it waits", lambda: not is_busy(resolver))
        assert len(fds_of(resolver)) <= 256 + 16
        # It goes on once it is read.
        numbers = set()
        while select.select([worker.sock], [], [], 1)[0]:
            numbers.add(struct.unpack_from("=Q", receive(worker)[1])[0])
        assert numbers
        worker.send(query(TOO_MANY + 1, question()))
        assert struct.unpack_from("=Q", receive(worker)[1])[0] == TOO_MANY + 1


@pytest.mark.parametrize("is_tcp", (0, 1), ids=("udp", "tcp"))
def test_resolver_gets_sockets_to_the_host_s_servers(lab: Lab, guest: Guest, is_tcp: int) -> None:
    with dns_server(lab.host_netns, SERVER), taken(guest, "resolver", TO_CONNECTOR) as (_, resolver):
        resolver.send(wish(7, SERVER, is_tcp=is_tcp))
        row, data, fds = receive(resolver)
        assert (row, struct.unpack("=Q", data)) == ("dns_opened", (7,))
        with socket.socket(fileno=fds[0]) as sock:
            assert sock.getpeername() == (SERVER, DNS_PORT)
            assert sock.type == (socket.SOCK_STREAM if is_tcp else socket.SOCK_DGRAM)


@pytest.mark.parametrize("address", ("127.0.0.1", "127.0.0.54", "::1", "0.0.0.0", "224.0.0.1",
                                     "255.255.255.255", "10.0.2.2", INTERNET4, INTERNET6,
                                     "::ffff:127.0.0.53", "fe80::1"))
@pytest.mark.parametrize("is_tcp", (0, 1), ids=("udp", "tcp"))
def test_resolver_gets_no_other_socket(guest: Guest, address: str, is_tcp: int) -> None:
    with taken(guest, "resolver", TO_CONNECTOR) as (_, resolver):
        resolver.send(wish(7, address, is_tcp=is_tcp))
        row, data, fds = receive(resolver)
        assert (row, fds) == ("dns_refused", [])
        assert struct.unpack("=QII", data)[:2] == (7, errno.ENETUNREACH)


@pytest.mark.parametrize("message,reason", (
    (wish(1, SERVER, is_tcp=2), "dns_open: flag neither 0 nor 1"),
    (wish(1, SERVER, scope=1), "dns_open: scope_id"),
    (wish(1, SERVER) + b"x", "message: not a message"),
    (ipc.message("dns_opened", bytes(8)), "dns_opened: wrong direction"),
    (ipc.message("dns_client", b""), "dns_client: wrong direction"),
), ids=lambda value: value if isinstance(value, str) else "")
def test_resolver_out_of_form_ends_slirpd(guest: Guest, message: bytes, reason: str) -> None:
    with taken(guest, "resolver", TO_CONNECTOR) as (daemon, resolver):
        resolver.send(message)
        assert daemon.wait() == 1
        assert re.search(rf"connector dropped resolver\[\d+\]: {re.escape(reason)}", daemon.stderr)


def test_resolver_that_never_reads_costs_the_connector_nothing(guest: Guest) -> None:
    with taken(guest, "resolver", TO_CONNECTOR) as (daemon, resolver):
        connector = daemon.children()["connector"]
        n_sent = 0
        with contextlib.suppress(BlockingIOError):
            for n_sent in range(TOO_MANY):  # noqa: B007
                resolver.send(wish(n_sent, SERVER))
        assert n_sent < TOO_MANY
        wait_for("it waits", lambda: not is_busy(connector))
        assert len(fds_of(connector)) <= 9
        # The guest's connections are made all the same.
        with guest.connect(INTERNET4, HTTP_PORT):
            pass
        # The resolver itself has asked nothing.
        os.kill(daemon.children()["resolver"], signal.SIGCONT)
        assert daemon.wait() == 1
        assert "]: message from connector: dns_opened: an answer to no question" in daemon.stderr


def test_answers_that_nobody_has_asked_for_are_nobody_s(guest: Guest) -> None:
    with taken(guest, "resolver", TO_WORKER) as (daemon, resolver), \
            guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("", DNS_PORT))
        for number in (0, 1, 2, 511, 512, 513, 2**64 - 1):
            resolver.send(answer(number, question()))
        guest.run("ping", "-c", "1", "-W", "10", "10.0.2.2")
        assert not select.select([client], [], [], 0)[0]
        assert daemon.children()["slirp-worker"]


@pytest.mark.parametrize("message,reason", (
    (answer(1, b"x" * 11), "dns_answer: len"),
    (query(1, question()), "dns_query: wrong direction"),
), ids=lambda value: value if isinstance(value, str) else "")
def test_answer_out_of_form_ends_slirpd(guest: Guest, message: bytes, reason: str) -> None:
    with taken(guest, "resolver", TO_WORKER) as (daemon, resolver):
        resolver.send(message)
        assert daemon.wait() == 1
        assert re.search(rf"slirp-worker dropped resolver\[\d+\]: {re.escape(reason)}", daemon.stderr)


def test_connector_that_answers_no_wish_ends_slirpd(guest: Guest) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        with borrowed(daemon.children()["connector"], TO_RESOLVER) as sock:
            Channel(sock).send(ipc.message("dns_refused", struct.pack("=QII", 1, errno.EPERM, 0)))
        assert daemon.wait() == 1
        assert "]: message from connector: dns_refused: an answer to no question" in daemon.stderr
