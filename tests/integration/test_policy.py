# SPDX-License-Identifier: BSD-2-Clause
"""What the guest may reach: each attempt is seen at three places. The guest's program gets its error,
and a packet socket on the host's link sees that nothing left, or that it did.

The last packet of each attempt is one that the policy allows: what was sent before it, a packet
socket has seen before it.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import select
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import frames as F
import pytest
from commands import sh
from daemon import DEADLINE_S, Slirpd, run_slirpd
from guest import Guest
from lab import HOST4, HOST6, HTTP_PORT, INTERNET4, INTERNET6, WORD_NAME, Lab
from netns import family_of
from servers import listener, serve_udp_echo, udp_socket
from test_hostile_worker import taken
from waiting import wait_for

# Addresses of the internet that no registry calls special: the lab's are for documentation.
PUBLIC4, OTHER4 = "198.51.99.1", "198.51.98.1"
PUBLIC6, OTHER6 = "2a00:99::1", "2a00:98::1"
PRIVATE4, PRIVATE6 = "10.66.0.1", "fd66::1"
METADATA = ("169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16", "192.0.0.192",
            "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254")
FAR = (PUBLIC4, OTHER4, PUBLIC6, OTHER6, PRIVATE4, PRIVATE6, *METADATA)
# Each is routed to the internet, and nobody has it.
EMBEDDED = ("64:ff9b::a42:1", "64:ff9b::a9fe:a9fe", "2002:a42:1::1", "2001::1", "64:ff9b:1::1")

PORT, OTHER_PORT = 4433, 4434
GUEST4, GUEST6 = "10.0.2.100", "fd00::1234"
DENIED = {4: errno.EHOSTUNREACH, 6: errno.EACCES}
ETH_P_ALL = 3
# A program notices a refusal at once; a connection to nobody takes minutes.
AT_ONCE_S = 5


def is_ipv6(address: str) -> bool:
    return ":" in address


@pytest.fixture(scope="module")
def world(lab: Lab) -> Iterator[None]:
    """Servers at all the addresses, on both ports, for TCP and UDP."""
    with contextlib.ExitStack() as stack:
        for address in FAR:
            where = (*Lab.in_internet(), "ip", "addr")
            bits = 128 if is_ipv6(address) else 32
            sh(*where, "add", f"{address}/{bits}", "dev", "lo")
            stack.callback(sh, *where, "del", f"{address}/{bits}", "dev", "lo")
        for address in (*FAR, INTERNET4, INTERNET6):
            for port in (PORT, OTHER_PORT):
                stack.enter_context(listener(Lab.internet_netns, address, port))
                echo = stack.enter_context(udp_socket(Lab.internet_netns, address, port))
                serve_udp_echo(echo)
        yield


class Uplink:
    """The packets that leave the host by its link, as (protocol, destination, port)."""

    def __init__(self, *, dns: bool = False) -> None:
        self._dns = dns

    def __enter__(self) -> Uplink:
        self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._sock.bind(("uplink", ETH_P_ALL))
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def sent(self) -> set[tuple[int, str, int]]:
        """All since the last call, without neighbour discovery."""
        seen = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                packet, where = self._sock.recvfrom(2048, socket.MSG_DONTWAIT)
                if where[2] == socket.PACKET_OUTGOING:
                    seen |= described(packet, where[1])
        return seen if self._dns else {
            it for it in seen if it[1:] not in ((INTERNET4, 53), (INTERNET6, 53))}


def described(packet: bytes, ethertype: int) -> set[tuple[int, str, int]]:
    if ethertype == 0x0800:
        head = (packet[0] & 15) * 4
        protocol, dst = packet[9], str(ipaddress.ip_address(packet[16:20]))
    elif ethertype == 0x86DD:
        head, protocol = 40, packet[6]
        dst = str(ipaddress.ip_address(packet[24:40]))
        if protocol == 0:  # hop by hop: the host's own reports on its groups
            return set()
        if protocol == socket.IPPROTO_ICMPV6 and packet[40] not in (128, 3):
            return set()
    else:
        return set()
    port = 0
    if protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        port = struct.unpack_from(">H", packet, head + 2)[0]
    return {(protocol, dst, port)}


@contextlib.contextmanager
def limited(guest: Guest, policy: str, *options: str) -> Iterator[Slirpd]:
    """A daemon with this policy in a file."""
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file:
        file.write(f"policy 1\n{policy}")
        file.flush()
        with Slirpd("--configure", "--enable-ipv6", f"--policy={file.name}", *options, guest.pid,
                    "tap0") as daemon:
            guest.wait_ipv6()
            yield daemon


def tcp(guest: Guest, address: str, port: int = PORT) -> int:
    """0, or the errno of a connection."""
    try:
        with guest.connect(address, port) as sock:
            sock.getpeername()
    except OSError as error:
        # Linux 6.18 loses the error of one in some thousand connections, if it comes while connect(2)
        # runs: connect(2) then reports success on a socket that is closed.
        return tcp(guest, address, port) if error.errno == errno.ENOTCONN else error.errno or -1
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
    with limited(guest, f"allow tcp {PORT} to {address}\n"), Uplink() as uplink:
        assert tcp(guest, other) == denied(other)
        assert tcp(guest, address, OTHER_PORT) == denied(address)
        assert udp(guest, address) == denied(address)
        assert not echo(guest, address)
        assert tcp(guest, address) == 0
        assert uplink.sent() == {(socket.IPPROTO_TCP, address, PORT)}


@pytest.mark.usefixtures("world")
def test_echo_requests_are_judged(guest: Guest) -> None:
    with limited(guest, f"allow icmp to {PUBLIC4}, {PUBLIC6}\n"), Uplink() as uplink:
        for address in (OTHER4, OTHER6, PRIVATE4, METADATA[0]):
            assert not echo(guest, address)
        for address in (PUBLIC4, PUBLIC6):
            assert tcp(guest, address) == udp(guest, address) == denied(address)
            assert echo(guest, address)
        # The gateway answers itself.
        assert echo(guest, "10.0.2.2")
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4, PUBLIC6}


@pytest.mark.usefixtures("world")
def test_without_a_policy_nothing_is_denied(guest: Guest) -> None:
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"):
        guest.wait_ipv6()
        for address in (*FAR, HOST4):
            assert tcp(guest, address) == (errno.ECONNREFUSED if address == HOST4 else 0)
        assert udp(guest, PRIVATE4) == 0
        assert echo(guest, PUBLIC4)


@pytest.mark.usefixtures("world")
def test_profile_internet(guest: Guest) -> None:
    with Slirpd("--configure", "--enable-ipv6", "--policy=internet", guest.pid, "tap0"):
        guest.wait_ipv6()
        with Uplink() as uplink:
            for address in (PRIVATE4, PRIVATE6, HOST4, HOST6, *METADATA, *EMBEDDED, "10.0.2.2"):
                assert tcp(guest, address) == denied(address), address
                assert udp(guest, address) == denied(address), address
            assert tcp(guest, PUBLIC4) == tcp(guest, PUBLIC6) == udp(guest, PUBLIC4) == 0
            assert {where for _, where, _ in uplink.sent()} == {PUBLIC4, PUBLIC6}


@pytest.mark.usefixtures("world")
def test_profile_closed_and_open(guest: Guest) -> None:
    with Slirpd("--configure", "--policy=closed", guest.pid, "tap0"), Uplink() as uplink:
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4) == errno.EHOSTUNREACH
        assert not echo(guest, PUBLIC4)
        assert uplink.sent() == set()
    with Slirpd("--configure", "--policy=open", guest.pid, "tap0"):
        assert tcp(guest, PRIVATE4) == udp(guest, PRIVATE4) == 0


@pytest.mark.usefixtures("world")
def test_forbid_beats_an_allow_before_it(guest: Guest) -> None:
    with limited(guest, "allow to any\nforbid to metadata\n"), Uplink() as uplink:
        for address in METADATA:
            assert tcp(guest, address) == udp(guest, address) == denied(address)
        assert tcp(guest, PRIVATE4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PRIVATE4}


@pytest.mark.usefixtures("world")
def test_address_of_the_host_that_appears_is_denied(guest: Guest) -> None:
    with Slirpd("--configure", "--policy=internet", guest.pid, "tap0"):
        assert tcp(guest, OTHER4) == 0
        sh("ip", "addr", "add", f"{OTHER4}/32", "dev", "lo")
        try:
            wait_for("the new address is the host's", lambda: tcp(guest, OTHER4) == errno.EHOSTUNREACH)
        finally:
            sh("ip", "addr", "del", f"{OTHER4}/32", "dev", "lo")
        wait_for("the address is of the internet again", lambda: tcp(guest, OTHER4) == 0)


@pytest.mark.usefixtures("world")
def test_rule_does_not_open_the_closed_loopback(guest: Guest, lab: Lab) -> None:
    with listener(lab.host_netns, "127.0.0.1") as there:
        port = there.getsockname()[1]
        rule = "allow to gateway, 10.0.2.2, any\n"
        with limited(guest, rule, "--disable-host-loopback"):
            assert tcp(guest, "10.0.2.2", port) in (errno.ENETUNREACH, errno.ECONNREFUSED)
        with limited(guest, rule):
            assert tcp(guest, "10.0.2.2", port) == 0
        # A private network is not the gateway.
        with limited(guest, "allow to private, 10.0.0.0/8\n"):
            assert tcp(guest, "10.0.2.2", port) == errno.EHOSTUNREACH
            assert tcp(guest, PRIVATE4) == 0


@pytest.mark.usefixtures("world")
def test_audit_lets_pass(guest: Guest) -> None:
    with limited(guest, ALL_OF_ONE, "--policy-mode=audit"):
        assert tcp(guest, OTHER4) == udp(guest, OTHER4) == tcp(guest, PRIVATE6) == 0


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("refusal,seen", (("reset", errno.ECONNREFUSED), ("drop", errno.ETIMEDOUT)))
def test_kinds_of_refusal(guest: Guest, refusal: str, seen: int) -> None:
    with limited(guest, f"refuse {refusal}\n" + ALL_OF_ONE), Uplink() as uplink:
        for address in (OTHER4, OTHER6):
            with guest.open_socket(family_of(address), socket.SOCK_STREAM) as sock:
                # The kernel gives up after two SYNs, in seconds.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
                assert sock.connect_ex((address, PORT)) in (seen, errno.EAGAIN)
        assert tcp(guest, PUBLIC4) == 0
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
    with limited(guest, ALL_OF_ONE), Uplink() as uplink:
        with guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for address in (PUBLIC4, OTHER4, PUBLIC4):
                sock.sendto(b"x", (address, PORT))
            for _ in range(2):
                assert sock.recvfrom(10) == (b"x", (PUBLIC4, PORT))
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


@pytest.mark.usefixtures("world")
def test_forged_segments_are_judged_as_openings(guest: Guest) -> None:
    """Flags beside SYN, data in a SYN, fragments; and no packet without a handshake."""
    with limited(guest, ALL_OF_ONE), Uplink() as uplink:
        sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
        with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
            for more in (0, F.PSH, F.ECE | F.CWR, F.URG, F.PSH | F.URG | F.ECE | F.CWR):
                segment = F.tcp(GUEST4, OTHER4, 2000 + more, PORT, F.SYN | more, b"secret" * bool(more))
                port.send_ip(F.ip4(GUEST4, OTHER4, F.TCP, segment))
                for piece in F.fragments4(GUEST4, OTHER4, F.TCP, segment + bytes(64), 24, ident=more + 1):
                    port.send_ip(piece)
            for flags in (F.ACK, F.ACK | F.PSH, F.FIN | F.ACK, F.RST):
                port.send_ip(F.ip4(GUEST4, OTHER4, F.TCP,
                                   F.tcp(GUEST4, OTHER4, 3000 + flags, PORT, flags, b"data")))
            for source in ("10.0.2.55", "192.0.2.9"):
                port.send_ip(F.ip4(source, OTHER4, F.TCP, F.tcp(source, OTHER4, 4000, PORT)))
                port.send_ip(F.ip4(source, OTHER4, F.UDP, F.udp(source, OTHER4, 4000, PORT, b"x")))
            port.send_ip(F.ip4(GUEST4, OTHER4, F.ICMP, F.icmp_echo()))
            port.sync()
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4) == 0
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}


@pytest.mark.usefixtures("world")
def test_worker_that_was_taken_over_is_denied_too(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_text(f"policy 1\nallow tcp {PORT} to {PUBLIC4}\nforbid to metadata\n")
    tries = [(address, port) for address in (*FAR, *EMBEDDED, HOST4, HOST6, "10.0.2.2", "10.0.2.3")
             for port in (PORT, OTHER_PORT) if (address, port) != (PUBLIC4, PORT)]
    with taken(guest, f"--policy={path}") as it, Uplink() as uplink:
        for number, (address, port) in enumerate(tries):
            for at, proto in enumerate((socket.IPPROTO_TCP, socket.IPPROTO_UDP)):
                got = it.worker.ask(2 * number + at + 1000, address, port, proto)
                assert (got.row, got.sock) == ("flow_refused", None), (address, port)
        assert it.worker.ask(2, PUBLIC4, PORT, socket.IPPROTO_UDP).error == errno.EACCES
        sock = it.worker.ask(1, PUBLIC4, PORT).sock
        assert sock is not None
        with sock:
            assert select.select([], [sock], [], DEADLINE_S)[1]
        assert uplink.sent() == {(socket.IPPROTO_TCP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_other_protocols_do_not_leave(guest: Guest) -> None:
    with limited(guest, f"allow tcp to {PUBLIC4}\n"), Uplink() as uplink:
        sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
        with F.RawPort(sock, "tap0", GUEST4, "10.0.2.2") as port:
            for protocol in (4, 41, 47, 50, 132):
                port.send_ip(F.ip4(GUEST4, PUBLIC4, protocol, bytes(40)))
            for tunnel in (4789, 51820):
                port.send_ip(F.ip4(GUEST4, PUBLIC4, F.UDP, F.udp(GUEST4, PUBLIC4, 5000, tunnel, b"x" * 40)))
            port.sync()
        assert tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(socket.IPPROTO_TCP, PUBLIC4, PORT)}


@pytest.mark.usefixtures("world")
def test_resolvers_elsewhere_are_denied(guest: Guest) -> None:
    policy = "dns any exclusive\nallow to internet\n"
    with limited(guest, policy), Uplink() as uplink:
        for port in (53, 853):
            for address in (PUBLIC4, PUBLIC6):
                assert tcp(guest, address, port) == udp(guest, address, port) == denied(address)
        assert tcp(guest, PUBLIC4) == 0
        assert uplink.sent() == {(socket.IPPROTO_TCP, PUBLIC4, PORT)}


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
        with limited(guest, "", "--publish=18000:8000"):
            with socket.create_connection(("127.0.0.1", 18000), DEADLINE_S) as sock:
                assert sock.getpeername()[1] == 18000
            assert tcp(guest, PUBLIC4) == errno.EHOSTUNREACH


@pytest.mark.usefixtures("world")
def test_options_of_the_command_line(guest: Guest) -> None:
    with Slirpd("--configure", f"--allow-out={PUBLIC4}:{PORT}", f"--allow-out={PUBLIC4}:{OTHER_PORT}/udp",
                guest.pid, "tap0"):
        assert tcp(guest, PUBLIC4) == udp(guest, PUBLIC4, OTHER_PORT) == 0
        assert tcp(guest, PUBLIC4, OTHER_PORT) == tcp(guest, OTHER4) == errno.EHOSTUNREACH
    with Slirpd("--configure", f"--deny-out={PUBLIC4}:1-{PORT}", guest.pid, "tap0"):
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
    assert done.returncode == 1
    assert done.stderr == f"slirpd: {path.name}{error}\n"
    assert "tap0" not in guest.links()


def test_check_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("./p")
    path.write_text("policy 1\nallow tcp 443 to pypi.org, *.github.io\nexpect allow tcp 443 to pypi.org\n")
    done = run_slirpd("--check-policy", "--policy=./p")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "slirpd: warning: ./p:2: *.github.io: anybody can have a name there\n"
    done = run_slirpd("--check-policy", "--policy=./p", "--disable-dns")
    assert done.returncode == 1
    assert done.stderr == "slirpd: ./p: names need the name server, which --disable-dns switches off\n"
    done = run_slirpd("--check-policy", "--policy=ci.policy")
    assert done.returncode == 1
    assert done.stderr == ("slirpd: --policy=ci.policy: no profile of this name; a file is given with a "
                           "slash: ./ci.policy\n")
    done = run_slirpd("--check-policy", "--policy=/dev/null/x")
    assert done.returncode == 1
    assert "/dev/null/x" in done.stderr
    assert run_slirpd("--check-policy").returncode == 2
    assert run_slirpd("--check-policy", "--policy=open", "1").returncode == 2


def test_policy_from_a_pipe(tmp_path: Path) -> None:
    program = os.environ["SLIRPD"]
    done = subprocess.run(["bash", "-c", f"{program} --check-policy --policy=<(echo policy 1; sleep 0.1; echo x)"],
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1
    assert ":2:1: unknown word \"x\"" in done.stderr

