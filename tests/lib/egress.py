# SPDX-License-Identifier: BSD-2-Clause
"""A guest under a policy, and where a test sees what becomes of the guest's attempts: the packets that
leave the host, the ICMP errors that reach the guest, and the counts of the connector."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import select
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from typing import Any

import dnszone
import frames as F
from api_client import daemon_with_api, execute
from commands import sh
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from tree import REPO
from waiting import wait_for

# A program notices a refusal at once; a connection to nobody takes minutes.
AT_ONCE_S = 5

Where = tuple[int, str, int]  # protocol, destination, port; the protocol of an echo is ICMP in both families
Error = tuple[int, str, int, int, int]  # of a packet to where, with type and code

# All addresses that the unit test of classes finds to be of class metadata; IPv4 comes first.
METADATA = tuple(re.findall(
    r'^\t\{ "([\da-f.:]+)", IPC_POLICY_BIT\(.*\bmetadata\) \},$',
    (REPO / "tests/unit/test_policy_match.c").read_text(), re.M))

ETH_P_ALL = 3
SOL_PACKET, PACKET_STATISTICS = 263, 6


def is_ipv6(address: str) -> bool:
    return ":" in address


# --- addresses ----------------------------------------------------------------------------------


@contextlib.contextmanager
def address_on(inside: list[str], device: str, *addresses: str) -> Iterator[None]:
    """Addresses with their lengths. No program sends from one unless it asks for it."""
    with contextlib.ExitStack() as stack:
        for address in addresses:
            # RFC 6724: the kernel prefers an address that is not deprecated.
            more = ("nodad", "preferred_lft", "0") if is_ipv6(address) else ()
            sh(*inside, "ip", "addr", "add", address, "dev", device, *more)
            stack.callback(sh, *inside, "ip", "addr", "del", address, "dev", device)
        yield


def host_length(address: str) -> str:
    return f"{address}/{128 if is_ipv6(address) else 32}"


def in_the_internet(*addresses: str) -> contextlib.AbstractContextManager[None]:
    return address_on(Lab.in_internet(), "lo", *map(host_length, addresses))


# --- a guest under a policy -----------------------------------------------------------------------


@contextlib.contextmanager
def live(guest: Guest, policy: str, *options: str, **kwargs: Any) -> Iterator[tuple[Slirpd, str]]:
    """A daemon with this policy in a file, or with the profile of this name, and the path of its control
    socket."""
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file:
        file.write(f"policy 1\n{policy}")
        file.flush()
        chosen = policy if policy.isalpha() else file.name
        with daemon_with_api(guest, f"--policy={chosen}", *options, **kwargs) as (daemon, path):
            yield daemon, path


@contextlib.contextmanager
def limited(guest: Guest, policy: str, *options: str, **kwargs: Any) -> Iterator[str]:
    """The same of a guest with IPv6; only the path."""
    with live(guest, policy, "--enable-ipv6", *options, **kwargs) as (_, path):
        guest.wait_ipv6()
        yield path


# --- what is seen ---------------------------------------------------------------------------------


class Uplink:
    """The packets that leave the host by its link, or by another one. A thread takes them out of the
    socket; none is lost unseen."""

    def __init__(self, device: str = "uplink", *, dns: bool = False) -> None:
        self._device, self._dns = device, dns
        self._seen: set[Where] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Uplink:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.bind((self._device, ETH_P_ALL))
        self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        self._end = os.eventfd(0)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.eventfd_write(self._end, 1)
        self._thread.join()
        os.close(self._end)
        self._sock.close()

    def _run(self) -> None:
        while self._end not in select.select([self._sock, self._end], [], [])[0]:
            self._take()

    def _take(self) -> None:
        with self._lock, contextlib.suppress(BlockingIOError):
            while True:
                packet, where = self._sock.recvfrom(2048, socket.MSG_DONTWAIT)
                if where[2] == socket.PACKET_OUTGOING:
                    self._seen |= described(packet, where[1])

    def sent(self) -> set[Where]:
        """All since the last call, without neighbour discovery."""
        self._take()
        with self._lock:
            seen, self._seen = self._seen, set()
        lost = struct.unpack("II", self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        assert lost == 0
        return seen if self._dns else {
            it for it in seen if it[1:] not in ((INTERNET4, 53), (INTERNET6, 53))}


def described(packet: bytes, ethertype: int) -> set[Where]:
    """A packet's protocol, destination and port; empty if a host sends it by itself."""
    if ethertype == F.ETH_IP4:
        head, protocol, dst = (packet[0] & 15) * 4, packet[9], packet[16:20]
        if protocol == socket.IPPROTO_IGMP:  # the host's own reports on its groups
            return set()
    elif ethertype == F.ETH_IP6:
        head, protocol, dst = 40, packet[6], packet[24:40]
        if protocol == 0:  # hop by hop: the same
            return set()
        if protocol == F.ICMP6 and packet[40] not in (128, 3):
            return set()
    else:
        return set()
    port = struct.unpack_from(">H", packet, head + 2)[0] if protocol in (F.TCP, F.UDP) else 0
    return {(F.ICMP if protocol == F.ICMP6 else protocol, str(ipaddress.ip_address(dst)), port)}


class Refusals:
    """The ICMP errors that reach the guest, each as the packet that it quotes, with type and code."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self.sources: set[tuple[int, str]] = set()  # of errors of each type

    def __enter__(self) -> Refusals:
        self._socks = [self._guest.open_socket(family, socket.SOCK_RAW, protocol) for family, protocol in (
            (socket.AF_INET, socket.IPPROTO_ICMP), (socket.AF_INET6, socket.IPPROTO_ICMPV6))]
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._socks:
            sock.close()

    def assert_came(self, *wanted: Error) -> None:
        """These have come since the last call, or come at once, and no others."""
        seen: set[Error] = set()
        end = time.monotonic() + AT_ONCE_S
        while not seen >= set(wanted) and time.monotonic() < end:
            for sock in select.select(self._socks, [], [], 0.01)[0]:
                seen |= self._read(sock)
        for sock in select.select(self._socks, [], [], 0)[0]:
            seen |= self._read(sock)
        assert seen == set(wanted), seen ^ set(wanted)

    def _read(self, sock: socket.socket) -> set[Error]:
        packet, where = sock.recvfrom(2048)
        if sock.family == socket.AF_INET:  # the IP header comes too
            packet, types, ethertype = packet[20:], (3, 11), F.ETH_IP4
        else:
            types, ethertype = (1, 3), F.ETH_IP6
        if packet[0] not in types:
            return set()
        self.sources.add((packet[0], where[0]))
        return {(*it, packet[0], packet[1]) for it in described(packet[8:], ethertype)}


def prohibited(*tries: Where) -> list[Error]:
    """RFC 1812 5.2.7.1 and RFC 4443 3.1: communication is administratively prohibited."""
    return [(*where, *((1, 1) if is_ipv6(where[1]) else (3, 13))) for where in tries]


# --- what the connector counts --------------------------------------------------------------------

# Attempts that a test made again (see test_policy.tcp()), so that the connector counts more of them.
retries: list[Where] = []


def counts(api: str) -> tuple[int, int, dict[str, int]]:
    """Flows that were allowed, flows that were denied, and hits of rules: of a rule without label as ""
    those of all, and of the default."""
    state = execute(api, "query_policy")["return"]
    hits = {"": state["by_default"]}
    for rule in execute(api, "policy_get")["return"]["rules"]:
        label, colon, _ = rule["line"].partition(": ")
        label = label if colon and label.isalnum() else ""
        hits[label] = hits.get(label, 0) + rule["hits"]
    return state["allowed"], state["denied"], hits


@contextlib.contextmanager
def names_counted(api: str) -> Iterator[list[dnszone.Reply]]:
    """The connector counts each reply of the list that says that the policy has refused a name. The resolver
    reports them without an answer."""
    def count() -> int:
        return execute(api, "query_policy")["return"]["names_denied"]

    seen: list[dnszone.Reply] = []
    before = count()
    yield seen
    n_blocked = sum(reply.reason == dnszone.BLOCKED for reply in seen)
    wait_for(f"the connector counts {n_blocked} names", lambda: count() - before >= n_blocked)
    assert count() - before == n_blocked


@contextlib.contextmanager
def counted(api: str, /, *, allowed: int, denied: int, **hits: int) -> Iterator[None]:
    """The connector counts so many flows meanwhile, and these are the hits of all rules that have a
    label; the other flows are of other rules, or of the default."""
    before, n_before = counts(api), len(retries)
    yield
    after, n_again = counts(api), len(retries) - n_before
    hits[""] = allowed + denied - sum(hits.values())
    more = {label: after[2][label] - before[2].get(label, 0) for label in after[2]}
    assert allowed == after[0] - before[0], (after, before)
    if not n_again:
        assert denied == after[1] - before[1], (after, before)
        assert more == {**dict.fromkeys(more, 0), **hits}, more
    assert denied <= after[1] - before[1] <= denied + n_again, (after, before)
