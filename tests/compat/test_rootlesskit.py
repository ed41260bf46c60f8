# SPDX-License-Identifier: BSD-2-Clause
"""RootlessKit, which Docker rootless, nerdctl and k3s run in, with slirp4netns and with slirpd.

Debian's package, as an ordinary user with subordinate ids. Runs inside outer-ns --as-root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import (  # noqa: E402, F401
    Account,
    Subject,
    account,
    documented_link,
    lab,
    leaves_no_process,
    port_is_free,
    subject,
    tcp_peer_seen,
    udp_peer_seen,
)
from commands import needs  # noqa: E402
from documents import blocks, typed  # noqa: E402
from lab import HOST4, INTERNET4, INTERNET6, WORD_NAME, Lab  # noqa: E402
from netns import socket_in  # noqa: E402
from servers import listener  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402

GUEST4 = "10.0.2.100"
TCP_PORT, UDP_PORT = 8080, 5353
PUBLISH = ("--publish", f"0.0.0.0:{TCP_PORT}:80/tcp", "--publish", f"0.0.0.0:{UDP_PORT}:53/udp")


class RootlessKit:
    """A running `rootlesskit --net=slirp4netns OPTION... cat`, or another command that ends with a
    shell, of which cat takes the place."""

    def __init__(self, account: Account, subject: Subject, *options: str, command: str = "") -> None:
        self.account = account
        self.subject = subject
        self.state = account.runtime / "rootlesskit"
        self._argv = ("sh", "-c", f"exec {command.removesuffix(' bash')} --state-dir={self.state} cat") \
            if command else (
                "rootlesskit", f"--state-dir={self.state}", "--net=slirp4netns",
                f"--slirp4netns-binary={subject.path}", "--copy-up=/etc", *options, "cat")
        self.process: subprocess.Popen[bytes]
        self.child = 0

    def __enter__(self) -> RootlessKit:
        self.process = self.account.start(
            *self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            # cat is started when the network works; the ports and these files come beside it.
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
            assert self.process.stdout.read(1) == b"\n", "rootlesskit has ended"
            wait_for("rootlesskit serves its API", (self.state / "api.sock").exists)
            self.child = int((self.state / "child_pid").read_text())
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        """The program inside ends, and rootlesskit with it; says with what status."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
        return self.process.returncode

    @property
    def netns(self) -> str:
        return f"/proc/{self.child}/ns/net"

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs a program inside."""
        done = subprocess.run(
            ["nsenter", "--preserve-credentials", "-U", "-m", "-n", "-t", str(self.child), "--",
             *argv], text=True, capture_output=True, timeout=DEADLINE_S)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}")
        return done

    def control(self, *argv: str) -> str:
        return self.account.run("rootlessctl", f"--socket={self.state}/api.sock", *argv).stdout


@pytest.fixture
def kit(account: Account, subject: Subject) -> Callable[..., RootlessKit]:
    needs("rootlesskit", "rootlessctl")
    return lambda *options, **kwargs: RootlessKit(account, subject, *options, **kwargs)


@pytest.fixture(autouse=True)
def leaves_nothing(subject: Subject, account: Account) -> Iterator[None]:
    yield
    subject.wait_gone()
    # The directory of links to control sockets stays. RootlessKit kills slirpd, whose link the
    # next one removes: two are left if a test has two.
    assert set(os.listdir(account.runtime)) <= {"slirpd"}
    assert len(list(account.runtime.glob("slirpd/*"))) <= 2
    wait_for("the ports are given back", lambda: port_is_free(TCP_PORT) and port_is_free(
        UDP_PORT, socket.SOCK_DGRAM))


def assert_network_works(inside: RootlessKit) -> None:
    """By name, so that it takes the resolver, the built-in DNS and a connection."""
    got = inside.run("curl", "-sS", "--max-time", "10", f"http://{WORD_NAME}/hello")
    assert got.stdout == "hello\n"


def test_command_of_the_documents(kit: Callable[..., RootlessKit], documented_link: None) -> None:
    command, = blocks("docs/containers.md", "RootlessKit")
    assert command.endswith(" bash")
    with kit(command=typed(command)) as inside:
        assert_network_works(inside)
        assert {"--disable-host-loopback", "--enable-sandbox", "--enable-seccomp"} <= set(
            inside.subject.argv())
        assert tcp_peer_seen(inside.netns, ("0.0.0.0", 80), Lab.internet_netns,
                             (HOST4, TCP_PORT)) == INTERNET4


@pytest.mark.parametrize("driver", ("slirp4netns", "builtin"))
def test_published_ports(kit: Callable[..., RootlessKit], driver: str) -> None:
    """The first driver asks the daemon to forward, and the guest sees who connects; the second
    does without it, and the guest sees one of its own addresses."""
    with kit(f"--port-driver={driver}", *PUBLISH) as inside:
        assert_network_works(inside)
        inside.subject.assert_confined()
        assert ("--api-socket" in inside.subject.argv()) == (driver == "slirp4netns")
        for seen, guest_port, host_port in ((tcp_peer_seen, 80, TCP_PORT),
                                            (udp_peer_seen, 53, UDP_PORT)):
            peer = seen(inside.netns, ("0.0.0.0", guest_port), Lab.internet_netns,
                        (HOST4, host_port))
            assert peer == (INTERNET4 if driver == "slirp4netns" else "127.0.0.1")


@pytest.mark.parametrize("driver", ("slirp4netns", "builtin"))
def test_ports_while_running(kit: Callable[..., RootlessKit], driver: str) -> None:
    with kit(f"--port-driver={driver}") as inside:
        assert inside.control("add-ports", f"0.0.0.0:{TCP_PORT}:80/tcp") == "1\n"
        assert inside.control("add-ports", f"0.0.0.0:{UDP_PORT}:53/udp") == "2\n"
        assert not port_is_free(TCP_PORT)
        tcp_peer_seen(inside.netns, ("0.0.0.0", 80), Lab.internet_netns, (HOST4, TCP_PORT))
        inside.control("remove-ports", "1")
        wait_for("the port is given back", lambda: port_is_free(TCP_PORT))
        assert not port_is_free(UDP_PORT, socket.SOCK_DGRAM)
        listed = inside.control("list-ports").splitlines()[1:]
        assert [line.split()[:4] for line in listed] == [["2", "udp", "0.0.0.0", str(UDP_PORT)]]


SWITCHES = ("true", "auto", "false")


@pytest.mark.parametrize("seccomp", SWITCHES)
@pytest.mark.parametrize("sandbox", SWITCHES)
def test_sandbox_and_seccomp(kit: Callable[..., RootlessKit], sandbox: str, seccomp: str) -> None:
    with kit(f"--slirp4netns-sandbox={sandbox}", f"--slirp4netns-seccomp={seccomp}") as inside:
        assert ("--enable-sandbox" in inside.subject.argv()) == (sandbox != "false")
        assert ("--enable-seccomp" in inside.subject.argv()) == (seccomp != "false")
        inside.subject.assert_confined()
        assert_network_works(inside)


@pytest.mark.parametrize("mtu", (1500, 65520))
def test_mtu(kit: Callable[..., RootlessKit], mtu: int) -> None:
    with kit(f"--mtu={mtu}") as inside:
        assert f" mtu {mtu} " in inside.run("ip", "link", "show", "tap0").stdout
        assert_network_works(inside)


def test_cidr(kit: Callable[..., RootlessKit]) -> None:
    with kit("--cidr=10.77.0.0/24", "--port-driver=slirp4netns", *PUBLISH) as inside:
        assert "inet 10.77.0.100/24 " in inside.run("ip", "addr", "show", "tap0").stdout
        assert "default via 10.77.0.2 " in inside.run("ip", "route").stdout
        assert inside.run("cat", "/etc/resolv.conf").stdout == "nameserver 10.77.0.3\n"
        assert_network_works(inside)
        assert tcp_peer_seen(inside.netns, ("10.77.0.100", 80), Lab.internet_netns,
                             (HOST4, TCP_PORT)) == INTERNET4


def test_ifname(kit: Callable[..., RootlessKit]) -> None:
    with kit("--ifname=net7") as inside:
        assert f"inet {GUEST4}/24 " in inside.run("ip", "addr", "show", "net7").stdout
        assert_network_works(inside)


def test_ipv6(kit: Callable[..., RootlessKit]) -> None:
    with kit("--ipv6") as inside:
        assert "--enable-ipv6" in inside.subject.argv()
        # rootlesskit has made the interface, so its address comes by router advertisements.
        wait_for("an address in fd00::/64", lambda: "inet6 fd00::" in inside.run(
            "ip", "-6", "addr", "show", "dev", "tap0", "scope", "global", "-tentative").stdout)
        got = inside.run("curl", "-sS", "--max-time", "10", f"http://[{INTERNET6}]/hello")
        assert got.stdout == "hello\n"


@pytest.mark.parametrize("options", ((), ("--disable-host-loopback",)), ids=("open", "closed"))
def test_host_loopback(kit: Callable[..., RootlessKit], options: tuple[str, ...]) -> None:
    with listener("/proc/self/ns/net", "127.0.0.1") as server:
        port = server.getsockname()[1]
        with kit(*options) as inside, \
                socket_in(inside.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
            error = client.connect_ex(("10.0.2.2", port))
            assert (error == 0) == (not options), os.strerror(error)
            assert_network_works(inside)


@pytest.mark.parametrize("ends", ("rootlesskit", "child"))
def test_sigkill_leaves_nothing(kit: Callable[..., RootlessKit], ends: str) -> None:
    with kit("--port-driver=slirp4netns", *PUBLISH) as inside:
        os.kill(inside.child if ends == "child" else inside.process.pid, signal.SIGKILL)
        assert inside.end() != 0
    # What a killed rootlesskit can't remove is for the next one to find.
    if ends == "rootlesskit":
        shutil.rmtree(inside.state)


def test_path_is_where_the_daemon_is_found(account: Account, subject: Subject,
                                           kit: Callable[..., RootlessKit]) -> None:
    """As for Docker's script: slirp4netns by name, the first in PATH."""
    path = f"{subject.path.parent}:{account.env['PATH']}"
    done = account.run("rootlesskit", "--net=slirp4netns", "--copy-up=/etc", "curl", "-sS",
                       "--max-time", "10", f"http://{WORD_NAME}/hello", env={"PATH": path})
    assert done.stdout == "hello\n"


def test_10_in_a_row(kit: Callable[..., RootlessKit]) -> None:
    """Each finds the ports free that the one before had."""
    for _ in range(10):
        with kit("--port-driver=slirp4netns", *PUBLISH) as inside:
            assert not port_is_free(TCP_PORT)
        inside.subject.wait_gone()
