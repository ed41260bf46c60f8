# SPDX-License-Identifier: BSD-2-Clause
"""What the guest may reach: each attempt is seen at three places. The guest's program gets its error,
and a packet socket on the host's link sees that nothing left, or that it did.

The last packet of each attempt is one that the policy allows: what was sent before it, a packet
socket has seen before it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import egress
import frames as F
import pytest
from api_client import daemon_with_api, execute
from daemon import DEADLINE_S, Slirpd, run_slirpd
from egress import (
    AT_ONCE_S, METADATA, Refusals, Uplink, address_on, counted, host_length, in_the_internet, is_ipv6, limited,
    prohibited,
)
from guest import Guest
from lab import HOST4, HOST6, HTTP_PORT, INTERNET4, INTERNET6, WORD_NAME, Lab
from netns import family_of
from processes import taken_over
from servers import listener, serve_udp_echo, udp_socket
from test_hostile_worker import TO_CONNECTOR, Channel
from waiting import wait_for

# Addresses of the internet that no registry calls special: the lab's are for documentation.
PUBLIC4, OTHER4 = "198.51.99.1", "198.51.98.1"
PUBLIC6, OTHER6 = "2a00:99::1", "2a00:98::1"
PRIVATE4, PRIVATE6 = "10.66.0.1", "fd66::1"
FAR = (PUBLIC4, OTHER4, PUBLIC6, OTHER6, PRIVATE4, PRIVATE6, *METADATA)
# Of the host, in networks of the internet.
OWN4, OWN6 = "198.51.97.2", "2a00:97::2"
OWN_BROADCAST = "198.51.97.255"
OWN = (OWN4, OWN6, HOST4, HOST6)
# Each is routed to the internet, and nobody has it.
EMBEDDED = ("64:ff9b::a42:1", "64:ff9b::a9fe:a9fe", "2002:a42:1::1", "2001::1", "64:ff9b:1::1")

PORT, OTHER_PORT = 4433, 4434
GUEST4, GUEST6 = "10.0.2.100", "fd00::1234"
DENIED = {4: errno.EHOSTUNREACH, 6: errno.EACCES}
TCP, UDP, ICMP = F.TCP, F.UDP, F.ICMP


@pytest.fixture(scope="module")
def world(lab: Lab) -> Iterator[None]:
    """Servers at all the addresses, on both ports, for TCP and UDP."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(in_the_internet(*FAR))
        stack.enter_context(address_on([], "uplink", f"{OWN4}/24", f"{OWN6}/64"))
        for netns, addresses in ((Lab.internet_netns, (*FAR, INTERNET4, INTERNET6)), (Lab.host_netns, OWN)):
            for address in addresses:
                for port in (PORT, OTHER_PORT):
                    stack.enter_context(listener(netns, address, port))
                    serve_udp_echo(stack.enter_context(udp_socket(netns, address, port)))
        yield


@contextlib.contextmanager
def attacker(guest: Guest, policy: str, *options: str) -> Iterator[tuple[Channel, str]]:
    """A worker that was taken over, with its channel to the connector; and the path of the control socket."""
    with egress.live(guest, policy, "--enable-ipv6", "--restart=no", *options) as (daemon, api), taken_over(
            daemon.children()["slirp-worker"], TO_CONNECTOR) as sock:
        yield Channel(sock), api


def tcp(guest: Guest, address: str, port: int = PORT) -> int:
    """0, or the errno of a connection, which comes at once."""
    began = time.monotonic()
    try:
        with guest.connect(address, port) as sock:
            sock.getpeername()
    except OSError as error:
        # Linux 6.18 loses the error of one in some thousand connections, if it comes while connect(2)
        # runs: connect(2) then reports success on a socket that is closed.
        if error.errno == errno.ENOTCONN:
            egress.retries.append((TCP, address, port))
            return tcp(guest, address, port)
        assert time.monotonic() - began < AT_ONCE_S
        return error.errno or -1
    return 0


def udp(guest: Guest, address: str, port: int = PORT) -> int:
    """0 if a datagram comes back, or the errno."""
    with guest.connect(address, port, socket.SOCK_DGRAM) as sock:
        try:
            sock.send(b"x")
            assert sock.recv(10) == b"x"
        except OSError as error:
            return error.errno or -1
    return 0


def echo(guest: Guest, address: str) -> bool:
    return guest.run("ping", "-c1", f"-W{AT_ONCE_S}", address, check=False).returncode == 0


def denied(address: str) -> int:
    return DENIED[6 if is_ipv6(address) else 4]


ALL_OF_ONE = f"allow to {PUBLIC4}, {PUBLIC6}\n"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address,other", ((PUBLIC4, OTHER4), (PUBLIC6, OTHER6)))
def test_unlisted_address_port_and_protocol_are_denied(guest: Guest, address: str, other: str) -> None:
    with limited(guest, f"one: allow tcp {PORT} to {address}\n") as api, Uplink() as uplink, \
            Refusals(guest) as refusals, counted(api, allowed=1, denied=4, one=1):
        assert tcp(guest, other) == denied(other)
        assert tcp(guest, address, OTHER_PORT) == denied(address)
        assert udp(guest, address) == denied(address)
        assert not echo(guest, address)
        refusals.assert_came(*prohibited((TCP, other, PORT), (TCP, address, OTHER_PORT), (UDP, address, PORT),
                                         (ICMP, address, 0)))
        assert tcp(guest, address) == 0
        assert uplink.sent() == {(TCP, address, PORT)}


@pytest.mark.usefixtures("world")
def test_echo_requests_are_judged(guest: Guest) -> None:
    closed = (OTHER4, OTHER6, PRIVATE4, METADATA[0])
    with limited(guest, f"one: allow icmp to {PUBLIC4}, {PUBLIC6}\n") as api, Uplink() as uplink, \
            Refusals(guest) as refusals, counted(api, allowed=2, denied=len(closed) + 4, one=2):
        for address in closed:
            assert not echo(guest, address)
        refusals.assert_came(*prohibited(*((ICMP, address, 0) for address in closed)))
        for address in (PUBLIC4, PUBLIC6):
            assert tcp(guest, address) == udp(guest, address) == denied(address)
            assert echo(guest, address)
        # The gateway answers itself.
        assert echo(guest, "10.0.2.2")
        assert uplink.sent() == {(ICMP, PUBLIC4, 0), (ICMP, PUBLIC6, 0)}


@pytest.mark.usefixtures("world")
def test_without_a_policy_nothing_is_denied(guest: Guest) -> None:
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"):
        guest.wait_ipv6()
        for address in (*FAR, *OWN):
            assert tcp(guest, address) == 0
        assert udp(guest, PRIVATE4) == 0
        assert echo(guest, PUBLIC4)


@pytest.mark.usefixtures("world")
def test_profile_internet(guest: Guest) -> None:
    closed = (PRIVATE4, PRIVATE6, *OWN, *METADATA, *EMBEDDED, "10.0.2.2")
    with limited(guest, "internet") as api, Uplink() as uplink, Uplink("lo") as loopback, \
            counted(api, allowed=3, denied=2 * len(closed)):
        for address in closed:
            assert tcp(guest, address) == denied(address), address
            assert udp(guest, address) == denied(address), address
        assert tcp(guest, PUBLIC4) == tcp(guest, PUBLIC6) == udp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(TCP, PUBLIC4, PORT), (TCP, PUBLIC6, PORT), (UDP, PUBLIC4, PORT)}
        assert not {where for _, where, _ in loopback.sent()} & set(OWN)


@pytest.mark.usefixtures("world")
def test_profile_closed_and_open(guest: Guest) -> None:
    with limited(guest, "closed") as api, Uplink() as uplink, counted(api, allowed=0, denied=3):
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4) == errno.EHOSTUNREACH
        assert not echo(guest, PUBLIC4)
        assert uplink.sent() == set()
    with limited(guest, "open") as api, counted(api, allowed=2, denied=0):
        assert tcp(guest, PRIVATE4) == udp(guest, PRIVATE4) == 0


@pytest.mark.usefixtures("world")
def test_forbid_beats_an_allow_before_it(guest: Guest) -> None:
    with limited(guest, "all: allow to any\nmeta: forbid to metadata\n") as api, Uplink() as uplink, \
            counted(api, allowed=1, denied=2 * len(METADATA), all=1, meta=2 * len(METADATA)):
        for address in METADATA:
            assert tcp(guest, address) == udp(guest, address) == denied(address)
        assert tcp(guest, PRIVATE4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PRIVATE4}


each_other = pytest.mark.parametrize("address", (OTHER4, OTHER6))


@pytest.mark.usefixtures("world")
@each_other
def test_address_of_the_host_that_appears_is_denied(guest: Guest, address: str) -> None:
    with limited(guest, "internet") as api:
        assert tcp(guest, address) == 0
        with address_on([], "lo", host_length(address)):
            wait_for("it is the host's", lambda: tcp(guest, address) == denied(address), AT_ONCE_S)
            with Uplink("lo") as loopback, counted(api, allowed=0, denied=3):
                assert tcp(guest, address) == udp(guest, address) == denied(address)
                assert not echo(guest, address)
                assert address not in {where for _, where, _ in loopback.sent()}
        wait_for("the address is of the internet again", lambda: tcp(guest, address) == 0, AT_ONCE_S)


@pytest.mark.usefixtures("world")
@each_other
def test_new_address_of_the_host_is_denied_to_a_taken_over_worker(guest: Guest, address: str) -> None:
    flows = iter(range(1000000))

    def opens(proto: int) -> bool:
        got = worker.ask(next(flows), address, PORT, proto)
        if got.sock:
            got.sock.close()
        return got.sock is not None

    with attacker(guest, "internet") as (worker, api):
        assert opens(TCP)
        with address_on([], "lo", host_length(address)):
            wait_for("it is the host's", lambda: not opens(TCP), AT_ONCE_S)
            with Uplink("lo") as loopback, counted(api, allowed=0, denied=3):
                assert not any(map(opens, (TCP, UDP, ICMP)))
                assert address not in {where for _, where, _ in loopback.sent()}
        wait_for("the address is of the internet again", lambda: opens(TCP), AT_ONCE_S)


# POLICY_HOST_ADDRS_MAX of src/model/policy/class.h.
HOST_ADDRS_MAX = 1024


@contextlib.contextmanager
def host_with_many_addresses() -> Iterator[None]:
    """They are added and removed at one go; the kernel lists the first one first."""
    addresses = [OTHER4, *(f"198.51.{n >> 8}.{n & 255}" for n in range(80 << 8, (80 << 8) + HOST_ADDRS_MAX))]

    def change(verb: str) -> None:
        lines = "".join(f"addr {verb} {address}/32 dev lo\n" for address in addresses)
        subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)

    change("add")
    try:
        yield
    finally:
        change("del")


@pytest.mark.usefixtures("world")
def test_host_with_too_many_addresses(guest: Guest) -> None:
    """A start is refused. A network that is there goes on, and the log says which addresses it does not know."""
    with host_with_many_addresses():
        done = run_slirpd("--configure", "--policy=internet", guest.pid, "tap0")
        assert done.returncode == 1
        assert re.fullmatch(r"slirpd: the host has (\d+) addresses, and a policy knows only 1024 of them: "
                            r"start slirpd in a network namespace with fewer", done.stderr.splitlines()[-1])
        assert guest.links() == {"lo"}
        # Nothing asks for the class.
        with Slirpd("--configure", guest.pid, "tap0"):
            assert tcp(guest, PRIVATE4) == 0
    warning = r"policy: the host has \d+ addresses now, of which class host has 1024: the guest may reach the others"
    with egress.live(guest, "internet") as (daemon, api):
        for n_times in (1, 2):
            with host_with_many_addresses():
                wait_for("the log has it", lambda n=n_times: len(re.findall(warning, daemon.stderr)) == n)
                with counted(api, allowed=1, denied=2):
                    assert tcp(guest, OTHER4) == tcp(guest, METADATA[0]) == errno.EHOSTUNREACH
                    assert tcp(guest, PUBLIC4) == 0
            wait_for("it is of the internet again", lambda: tcp(guest, OTHER4) == 0)


@pytest.mark.usefixtures("world")
def test_rule_does_not_open_the_closed_loopback(guest: Guest, lab: Lab) -> None:
    rule = "allow to gateway, 10.0.2.2, any\n"
    with listener(lab.host_netns, "127.0.0.1") as there:
        port = there.getsockname()[1]
        with limited(guest, rule, "--disable-host-loopback"):
            assert tcp(guest, "10.0.2.2", port) in (errno.ENETUNREACH, errno.ECONNREFUSED)
        with limited(guest, rule):
            assert tcp(guest, "10.0.2.2", port) == 0
        # A private network is not the gateway.
        with limited(guest, "allow to private, 10.0.0.0/8\n") as api, counted(api, allowed=1, denied=1):
            assert tcp(guest, "10.0.2.2", port) == errno.EHOSTUNREACH
            assert tcp(guest, PRIVATE4) == 0
        with attacker(guest, rule, "--disable-host-loopback") as (worker, _), Uplink("lo") as loopback:
            for number, (address, proto) in enumerate(itertools.product(
                    ("10.0.2.2", "10.0.2.77", "fd00::2", "fd00::77"), (TCP, UDP, ICMP))):
                got = worker.ask(number, address, port, proto)
                assert (got.row, got.error, got.sock) == ("flow_refused", errno.ENETUNREACH, None), address
            assert loopback.sent() == set()


@pytest.mark.usefixtures("world")
def test_audit_lets_pass(guest: Guest) -> None:
    with limited(guest, ALL_OF_ONE, "--policy-mode=audit") as api, counted(api, allowed=0, denied=3):
        assert tcp(guest, OTHER4) == udp(guest, OTHER4) == tcp(guest, PRIVATE6) == 0


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("refusal,seen", (("reset", errno.ECONNREFUSED), ("drop", errno.ETIMEDOUT)))
def test_kinds_of_refusal(guest: Guest, refusal: str, seen: int) -> None:
    with limited(guest, f"refuse {refusal}\n" + ALL_OF_ONE) as api, Uplink() as uplink, Refusals(guest) as refusals:
        with guest.open_socket(socket.AF_INET, socket.SOCK_STREAM) as one, \
                guest.open_socket(socket.AF_INET6, socket.SOCK_STREAM) as two:
            for sock, address in ((one, OTHER4), (two, OTHER6)):
                # The kernel gives up after two SYNs, in seconds.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
                sock.setblocking(False)
                assert sock.connect_ex((address, PORT)) == errno.EINPROGRESS
            for sock in (one, two):
                assert select.select([], [sock], [], DEADLINE_S)[1]
                assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == seen
        assert tcp(guest, PUBLIC4) == 0
        refusals.assert_came()
        # A SYN that nobody answers comes again.
        n_allowed, n_denied, _ = egress.counts(api)
        assert n_allowed == 1 and (n_denied == 2 if refusal == "reset" else n_denied >= 2)
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


# By family, the type and code of the ICMP error that each kind of refusal is.
ERRORS = {"prohibited": {4: (3, 13), 6: (1, 1)}, "reset": {4: (3, 3), 6: (1, 4)}, "drop": {}}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("refusal", ERRORS)
def test_kinds_of_refusal_of_datagrams_and_echo(guest: Guest, refusal: str) -> None:
    """Twice, for the first refusal must not change the second one."""
    with limited(guest, f"refuse {refusal}\n" + ALL_OF_ONE), Uplink() as uplink:
        for other, address, own in ((OTHER4, PUBLIC4, GUEST4), (OTHER6, PUBLIC6, "::")):
            family = 6 if is_ipv6(address) else 4
            proto, offset = (F.ICMP6, 0) if family == 6 else (F.ICMP, 20)
            seen = []
            with guest.open_socket(family_of(address), socket.SOCK_RAW, proto) as raw:
                for _ in range(2):
                    raw.sendto(F.l4(own, other, proto, 0, 0), (other, 0))
                    with guest.open_socket(family_of(address), socket.SOCK_DGRAM) as sock:
                        sock.sendto(b"x", (other, PORT))
                    # It follows all answers to what was sent before.
                    assert udp(guest, address) == 0
                raw.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        message = raw.recv(2048)[offset:]
                        if message[0] in (1, 3):
                            seen.append(tuple(message[:2]))
            assert seen == 4 * [ERRORS[refusal][family]] if ERRORS[refusal] else not seen
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4, PUBLIC6}


@pytest.mark.usefixtures("world")
def test_port_that_is_open_to_one_peer_is_not_open_to_others(guest: Guest) -> None:
    with limited(guest, "one: " + ALL_OF_ONE) as api, Uplink() as uplink, Refusals(guest) as refusals, \
            counted(api, allowed=1, denied=1, one=1):
        with guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for address in (PUBLIC4, OTHER4, PUBLIC4):
                sock.sendto(b"x", (address, PORT))
            for _ in range(2):
                assert sock.recvfrom(10) == (b"x", (PUBLIC4, PORT))
        refusals.assert_came(*prohibited((UDP, OTHER4, PORT)))
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


def pieces(dst: str, protocol: int, payload: bytes, ident: int) -> list[bytes]:
    cut = F.fragments6 if is_ipv6(dst) else F.fragments4
    return cut(source_for(dst), dst, protocol, payload, 24, ident)


def source_for(dst: str) -> str:
    return GUEST6 if is_ipv6(dst) else GUEST4


@contextlib.contextmanager
def raw(guest: Guest) -> Iterator[F.RawPort]:
    guest.run("ip", "addr", "replace", f"{GUEST6}/64", "dev", "tap0", "nodad")
    # The kernel makes the address at once, and its route in a queue.
    wait_for("it is the guest's", lambda: guest.run("ip", "route", "get", GUEST6).stdout.startswith("local"))
    with F.RawPort(guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW), "tap0", GUEST4, "10.0.2.2") as port:
        yield port


FLAGS = (0, F.PSH, F.ECE | F.CWR, F.URG, F.PSH | F.URG | F.ECE | F.CWR)
# A segment that has one of them beside SYN opens nothing, whatever the policy.
NO_OPENINGS = (F.FIN, F.RST, F.FIN | F.PSH | F.URG)


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address,allowed", ((OTHER4, PUBLIC4), (OTHER6, PUBLIC6)))
def test_forged_segments_are_judged_as_openings(guest: Guest, address: str, allowed: str) -> None:
    """Flags beside SYN, and data in a SYN: whole, in fragments, and in fragments whose first comes last."""
    ports = iter(range(2000, 3000))
    with limited(guest, "one: " + ALL_OF_ONE) as api, Uplink() as uplink, Refusals(guest) as refusals, \
            counted(api, allowed=2, denied=3 * len(FLAGS), one=2):
        with raw(guest) as port:
            for ident, more in enumerate((*NO_OPENINGS, *FLAGS)):
                for order in (0, 1, -1):
                    segment = F.tcp(source_for(address), address, next(ports), PORT, F.SYN | more,
                                    b"secret" * bool(more) + bytes(64))
                    sent = pieces(address, TCP, segment, 3 * ident + order + 10)[::order] if order else [
                        F.packet(source_for(address), address, TCP, segment)[0]]
                    for packet in sent:
                        port.send_ip(packet)
        refusals.assert_came(*prohibited((TCP, address, PORT)))
        assert tcp(guest, allowed) == udp(guest, allowed) == 0
        assert {where for _, where, _ in uplink.sent()} == {allowed}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address,allowed", ((OTHER4, PUBLIC4), (OTHER6, PUBLIC6)))
def test_segments_without_a_handshake_are_reset(guest: Guest, address: str, allowed: str) -> None:
    """To a denied address and to an allowed one; a reset is not answered (RFC 9293 3.10.7.1)."""
    wanted = {(dst, 3000 + flags) for flags in (F.ACK, F.ACK | F.PSH, F.FIN | F.ACK) for dst in (address, allowed)}
    with limited(guest, "one: " + ALL_OF_ONE) as api, Uplink() as uplink, \
            guest.open_socket(family_of(address), socket.SOCK_RAW, TCP) as resets, \
            counted(api, allowed=1, denied=0, one=1):
        with raw(guest) as port:
            for dst, sport in sorted(wanted) + [(address, 3000 + F.RST), (allowed, 3000 + F.RST)]:
                segment = F.tcp(source_for(dst), dst, sport, PORT, sport - 3000, b"data", ack=77)
                port.send_ip(F.packet(source_for(dst), dst, TCP, segment)[0])
        assert uplink.sent() == set()
        assert udp(guest, allowed) == 0
        seen: set[tuple[str, int]] = set()
        # A kernel with several processors may bring the answer of the server first.
        while select.select([resets], [], [], 0 if seen >= wanted else AT_ONCE_S)[0]:
            packet, where = resets.recvfrom(2048)
            head = packet[0 if is_ipv6(address) else 20:]
            dport, seq = struct.unpack_from(">2xHI", head)
            if head[13] & F.RST:
                assert seq == 77
                seen.add((where[0], dport))
        assert seen == wanted
        assert uplink.sent() == {(UDP, allowed, PORT)}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address", (PUBLIC4, PUBLIC6))
@pytest.mark.parametrize("proto", (TCP, UDP), ids=("tcp", "udp"))
def test_fragments_that_overlap_lead_nowhere(guest: Guest, address: str, proto: int) -> None:
    """The first fragment comes twice, to the open port and to a closed one; in both orders."""
    with limited(guest, f"one: allow to {OTHER4}\ntwo: allow tcp {PORT} to {address}\n"
                        f"three: allow udp {PORT} to {address}\n") as api, Uplink() as uplink, \
            counted(api, allowed=1, denied=0, one=1):
        before = execute(api, "query_stats")["return"]["drops"]["fragment_overlap"]
        with raw(guest) as port:
            for ident, (first, second) in enumerate(((PORT, OTHER_PORT), (OTHER_PORT, PORT))):
                one, two = (pieces(address, proto, F.l4(source_for(address), address, proto, 2000, dport,
                                                        payload=bytes(48)), ident + 1) for dport in (first, second))
                for packet in (one[0], two[0], *one[1:]):
                    port.send_ip(packet)
        assert tcp(guest, OTHER4) == 0
        assert execute(api, "query_stats")["return"]["drops"]["fragment_overlap"] == before + 2
        assert uplink.sent() == {(TCP, OTHER4, PORT)}


@pytest.mark.usefixtures("world")
def test_worker_that_was_taken_over_is_denied_too(guest: Guest) -> None:
    tries = [(address, port) for address in (*FAR, *EMBEDDED, *OWN, "10.0.2.2", "10.0.2.3")
             for port in (PORT, OTHER_PORT) if (address, port) != (PUBLIC4, PORT)]
    # No policy is asked about the name server. One address of a translator is of metadata.
    n_denied, n_meta = 2 * (len(tries) - 2) + 1, 4 * (len(METADATA) + 1)
    policy = f"one: allow tcp {PORT} to {PUBLIC4}\nmeta: forbid to metadata\n"
    with attacker(guest, policy) as (worker, api), Uplink() as uplink, Uplink("lo") as loopback, \
            counted(api, allowed=1, denied=n_denied, one=1, meta=n_meta):
        for number, (address, port) in enumerate(tries):
            for at, proto in enumerate((TCP, UDP)):
                got = worker.ask(2 * number + at + 1000, address, port, proto)
                assert (got.row, got.sock) == ("flow_refused", None), (address, port)
        assert worker.ask(2, PUBLIC4, PORT, UDP).error == errno.EACCES
        sock = worker.ask(1, PUBLIC4, PORT).sock
        assert sock is not None
        with sock:
            assert select.select([], [sock], [], DEADLINE_S)[1]
        assert uplink.sent() == {(TCP, PUBLIC4, PORT)}
        assert loopback.sent() == set()


@pytest.mark.usefixtures("world")
def test_other_protocols_do_not_leave(guest: Guest) -> None:
    with limited(guest, f"one: allow tcp to {PUBLIC4}\n") as api, Uplink() as uplink, \
            counted(api, allowed=1, denied=2, one=1):
        with raw(guest) as port:
            for protocol in (4, 41, 47, 50, 132):
                port.send_ip(F.ip4(GUEST4, PUBLIC4, protocol, bytes(40)))
            for tunnel in (4789, 51820):
                port.send_ip(F.ip4(GUEST4, PUBLIC4, F.UDP, F.udp(GUEST4, PUBLIC4, 5000, tunnel, b"x" * 40)))
        assert tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(TCP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_resolvers_elsewhere_are_denied(guest: Guest) -> None:
    policy = "dns any exclusive\none: allow to internet\n"
    with limited(guest, policy) as api, Uplink() as uplink, counted(api, allowed=1, denied=8, one=1):
        for port in (53, 853):
            for address in (PUBLIC4, PUBLIC6):
                assert tcp(guest, address, port) == udp(guest, address, port) == denied(address)
        assert tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(TCP, PUBLIC4, PORT)}
    with attacker(guest, policy) as (worker, api), Uplink() as uplink, counted(api, allowed=0, denied=8):
        for number, (address, port, proto) in enumerate(itertools.product((PUBLIC4, PUBLIC6), (53, 853), (TCP, UDP))):
            assert worker.ask(number, address, port, proto).row == "flow_refused"
        assert uplink.sent() == set()


def test_queries_leave_only_if_the_policy_opens_the_internet(guest: Guest) -> None:
    for policy, is_open in (("closed", False), ("internet", True)):
        with Slirpd("--configure", f"--policy={policy}", guest.pid, "tap0"), Uplink(dns=True) as uplink:
            for kind in ((), ("+tcp",)):
                done = guest.run("dig", *kind, "+tries=1", "+time=5", "@10.0.2.3", WORD_NAME, check=False)
                assert (INTERNET4 in done.stdout) == is_open
            assert bool(uplink.sent()) == is_open


@pytest.mark.usefixtures("world")
def test_peer_of_a_forward_is_not_limited(guest: Guest, lab: Lab) -> None:
    with listener(guest.netns, "0.0.0.0", 8000):
        with limited(guest, "", "--publish=18000:8000") as api, counted(api, allowed=0, denied=1):
            with socket.create_connection(("127.0.0.1", 18000), DEADLINE_S) as sock:
                assert sock.getpeername()[1] == 18000
            assert tcp(guest, PUBLIC4) == errno.EHOSTUNREACH


@pytest.mark.usefixtures("world")
def test_options_of_the_command_line(guest: Guest) -> None:
    options = (f"--allow-out={PUBLIC4}:{PORT}", f"--allow-out={PUBLIC4}:{OTHER_PORT}/udp")
    with daemon_with_api(guest, *options) as (_, api), counted(api, allowed=2, denied=2):
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4, OTHER_PORT) == 0
        assert tcp(guest, PUBLIC4, OTHER_PORT) == tcp(guest, OTHER4) == errno.EHOSTUNREACH
    with daemon_with_api(guest, f"--deny-out={PUBLIC4}:1-{PORT}") as (_, api), counted(api, allowed=3, denied=1):
        assert tcp(guest, PUBLIC4) == errno.EHOSTUNREACH
        assert tcp(guest, PUBLIC4, OTHER_PORT) == tcp(guest, PRIVATE4) == udp(guest, PUBLIC4) == 0


def test_largest_policy(guest: Guest, tmp_path: Path) -> None:
    rules = [f"allow tcp {n % 60000 + 1} to " + ", ".join(
        f"11.{n >> 2}.{(n & 3) * 16 + i}.0/24" for i in range(15)) + f", {INTERNET4}" for n in range(1024)]
    path = tmp_path / "large"
    path.write_text("policy 1\n" + "\n".join(rules))
    with Slirpd("--configure", f"--policy={path}", guest.pid, "tap0"):
        assert tcp(guest, INTERNET4, HTTP_PORT) == 0
        assert tcp(guest, INTERNET4, 2000) == errno.EHOSTUNREACH


BAD_POLICIES = (
    ("policy 1\ndefault allow\ndns-types a\n", ":3: dns-types needs a rule with a name, or \"dns listed\""),
    ("policy 1\nallow tcp 70000 to any\n", ":2:11: port 70000 is not in 1-65535"),
    ("", ":1:1: a policy begins with \"policy 1\""),
    ("policy 1\nexpect allow tcp 443 to 192.0.2.1\n",
     ":2:1: expected allow tcp 443 to 192.0.2.1, but the default denies it"),
)


@pytest.mark.parametrize("text,error", BAD_POLICIES)
def test_bad_policy_does_not_start(guest: Guest, tmp_path: Path, text: str, error: str) -> None:
    path = tmp_path / "p"
    path.write_text(text)
    done = run_slirpd("--configure", f"--policy={path}", guest.pid, "tap0")
    assert done.returncode == 2
    assert done.stderr == f"slirpd: {path.name}{error}\n"
    assert "tap0" not in guest.links()


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGSYS), ids=lambda it: it.name)
def test_start_without_its_policy_reader_fails(guest: Guest, number: signal.Signals) -> None:
    """The reader waits for the end of a text; test_hangs.py has one that stands still."""
    text, end = os.pipe()
    with os.fdopen(end, "w") as writer:
        daemon = Slirpd("--configure", f"--policy=/dev/fd/{text}", guest.pid, "tap0", pass_fds=(text,)).start()
        os.close(text)
        try:
            writer.write("policy 1\nallow to any\n")
            writer.flush()
            reader = wait_for("the reader is there", lambda: daemon.children().get("policy"))
            os.kill(reader, number)
            assert daemon.wait() == 1
            assert re.search(rf"^slirpd: policy-reader .*{number.name}.*; ending$", daemon.stderr, re.M), daemon.stderr
            assert not os.read(daemon.ready_read, 1)
        finally:
            daemon.__exit__()
        assert guest.links() == {"lo"}


def test_check_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("./p")
    path.write_text("policy 1\nallow tcp 443 to pypi.org, *.github.io\nexpect allow tcp 443 to pypi.org\n")
    done = run_slirpd("--check-policy", "--policy=./p")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "slirpd: warning: ./p:2: *.github.io: anybody can have a name there\n"
    done = run_slirpd("--check-policy", "--policy=./p", "--disable-dns")
    assert done.returncode == 2
    assert done.stderr == "slirpd: ./p: names need the name server, which --disable-dns switches off\n"
    done = run_slirpd("--check-policy", "--policy=ci.policy")
    assert done.returncode == 2
    assert done.stderr == ("slirpd: --policy=ci.policy: no profile of this name; a file is given with a "
                           "slash: ./ci.policy\n")
    done = run_slirpd("--check-policy", "--policy=/dev/null/x")
    assert done.returncode == 2
    assert "/dev/null/x" in done.stderr
    # Each byte is escaped once.
    path.write_text("policy 1\nallow tcp 443 to b\xfccher.example\n")
    done = run_slirpd("--check-policy", "--policy=./p")
    assert (done.returncode, done.stderr) == (
        2, 'slirpd: ./p:2:18: "b\\xc3\\xbccher.example": write it as xn--bcher-kva.example\n')
    assert run_slirpd("--check-policy").returncode == 2
    assert run_slirpd("--check-policy", "--policy=open", "1").returncode == 2


def test_policy_from_a_pipe(tmp_path: Path) -> None:
    program = os.environ["SLIRPD"]
    done = subprocess.run(["bash", "-c", f"{program} --check-policy --policy=<(echo policy 1; sleep 0.1; echo x)"],
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 2
    assert ":2:1: unknown word \"x\"" in done.stderr

