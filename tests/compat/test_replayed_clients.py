# SPDX-License-Identifier: BSD-2-Clause
"""slirp4netns and slirpd, started as their clients start them: replay.py plays the clients.

For clients and versions that Debian does not have, or not in this form. Runs inside outer-ns.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import (  # noqa: E402, F401
    Container,
    Subject,
    lab,
    leaves_no_process,
    port_is_free,
    subject,
    tcp_peer_seen,
    udp_peer_seen,
)
from commands import ORDINARY, needs, sh  # noqa: E402
from guest import Guest  # noqa: E402
from lab import HOST4, INTERNET4, INTERNET6, WORD_NAME, Lab, http_url  # noqa: E402
from limits import nofile_soft_1024  # noqa: E402
from netns import make_tap  # noqa: E402
from tree import slirpd_path  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402

REPLAY = Path(__file__).with_name("replay.py")
GUEST4 = "10.0.2.100"
PYTHON = [sys.executable, "-B"]

# A directory of one's own with a network namespace that is pinned on a file in it.
PINNED_NETNS = """
set -e
mount -t tmpfs pinned "$1"
: >"$1/netns"
unshare --net="$1/netns" true
shift
exec "$@"
"""


def in_user_and_mount_namespace(directory: Path) -> list[str]:
    """The command that runs a program as uid 0 of a user namespace, with such a directory."""
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", PINNED_NETNS, "sh",
            str(directory)]


class Replay:
    """A client that runs, in the way that replay.py plays it."""

    def __init__(self, client: str, subject: Subject, *arguments: object,
                 prefix: tuple[object, ...] = (), pass_fds: tuple[int, ...] = (),
                 env: dict[str, str] | None = None) -> None:
        self.subject = subject
        self._argv = [*ORDINARY, *map(str, prefix), *PYTHON, str(REPLAY), client,
                      str(subject.path), *map(str, arguments)]
        self._kwargs = {"pass_fds": pass_fds, "env": os.environ | (env or {})}
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Replay:
        self.process = subprocess.Popen(
            self._argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=nofile_soft_1024, **self._kwargs)
        said = self.process.stdout.readline().split()
        if said[:1] != [b"ready"]:
            raise AssertionError(f"the client has ended with {self.end()}")
        self.holder = int(said[1])
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> int:
        """The client ends what it has started, and itself; gives its status."""
        self.process.stdin.close()
        self.process.wait(timeout=DEADLINE_S)
        self.process.stdout.close()
        self.subject.wait_gone()
        return self.process.returncode


def in_netns(netns: str, *argv: str) -> str:
    return sh("nsenter", f"--net={netns}", "--", *argv).stdout


def assert_network_works(netns: str) -> None:
    got = in_netns(netns, "curl", "-sS", "--max-time", "10", http_url(INTERNET4, "hello"))
    assert got == "hello\n"
    assert in_netns(netns, "dig", "+short", "@10.0.2.3", WORD_NAME) == f"{INTERNET4}\n"


class NestedContainer(Guest):
    """bubblewrap's, where the network belongs to the user namespace above the process's own."""

    def __init__(self) -> None:
        super().__init__()
        self._argv += ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


class DetachedChild(Guest):
    """A process in the host's network that has another one pinned."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._argv = [*ORDINARY, *in_user_and_mount_namespace(directory)]
        self.pinned = directory / "netns"

    @property
    def netns(self) -> str:
        return f"/proc/{self.pid}/root{self.pinned}"


@pytest.fixture(autouse=True)
def tools() -> None:
    needs("nsenter", "unshare", "setpriv", "dig", "curl")


@pytest.fixture
def directory() -> Iterator[Path]:
    """Of a short name, since there will be a socket in it."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


@pytest.fixture
def container(lab: Lab) -> Iterator[Container]:  # noqa: F811
    with Container() as made:
        yield made


# --- Podman -----------------------------------------------------------------------------------


def test_podman_5(subject: Subject, directory: Path) -> None:  # noqa: F811
    """The daemon outlives the podman that started it, in a process group of its own, and ends
    with conmon."""
    api = directory / "api"
    with Replay("podman_5", subject, directory / "netns", api,
                prefix=in_user_and_mount_namespace(directory)) as client:
        assert client.process.wait(timeout=DEADLINE_S) == 0
        netns = f"/proc/{client.holder}/root{directory}/netns"
        assert_network_works(netns)
        assert "mtu 65520" in in_netns(netns, "ip", "link", "show", "tap0")
        wait_for("an address of fd00::/64", lambda: "inet6 fd00::" in in_netns(
            netns, "ip", "-6", "addr", "show", "dev", "tap0", "-tentative"))
        in_netns(netns, "curl", "-sS", "--max-time", "10", http_url(INTERNET6, "hello"))
        assert os.getpgid(subject.daemon()) == subject.daemon()
        assert tcp_peer_seen(netns, ("0.0.0.0", 80), Lab.internet_netns,
                             (HOST4, 8080)) == INTERNET4
        assert udp_peer_seen(netns, ("0.0.0.0", 53), Lab.internet_netns,
                             (HOST4, 5353)) == INTERNET4
        if subject.is_slirpd:
            assert Path(f"/proc/{client.holder}/root{api}").is_socket()
    wait_for("the ports are given back", lambda: port_is_free(8080) and port_is_free(
        5353, socket.SOCK_DGRAM))


def test_podman_5_for_bridge_networks(subject: Subject, directory: Path) -> None:  # noqa: F811
    with Replay("podman_5_rootless_netns", subject, directory / "netns",
                prefix=in_user_and_mount_namespace(directory)) as client:
        assert client.process.wait(timeout=DEADLINE_S) == 0
        assert_network_works(f"/proc/{client.holder}/root{directory}/netns")


def test_podman_1(subject: Subject, container: Container) -> None:  # noqa: F811
    prefix = ("nsenter", "--preserve-credentials", "-U", "-t", container.pid, "--", "unshare",
              "--mount", "--")
    with Replay("podman_1", subject, container.pid, prefix=prefix) as client:
        assert client.process.wait(timeout=DEADLINE_S) == 0
        assert_network_works(container.netns)


def test_conmon_that_is_killed_ends_the_network(subject: Subject,  # noqa: F811
                                                directory: Path) -> None:
    with Replay("podman_5", subject, directory / "netns", directory / "api",
                prefix=in_user_and_mount_namespace(directory)) as client:
        os.kill(client.holder, signal.SIGKILL)
        subject.wait_gone()


# --- RootlessKit and Buildah ------------------------------------------------------------------


def test_rootlesskit_3(subject: Subject, container: Container) -> None:  # noqa: F811
    with Replay("rootlesskit_3", subject, container.pid) as client:
        assert_network_works(container.netns)
        assert client.end() == 0


def test_rootlesskit_3_detach_netns(subject: Subject, directory: Path) -> None:  # noqa: F811
    with DetachedChild(directory) as child:
        with Replay("rootlesskit_3_detach_netns", subject, child.pid, child.pinned) as client:
            assert_network_works(child.netns)
            assert client.end() == 0


def test_buildah(subject: Subject, container: Container) -> None:  # noqa: F811
    with Replay("buildah", subject, container.pid) as client:
        assert_network_works(container.netns)
        assert client.end() == 0


def test_buildah_runs_one_after_the_other(subject: Subject,  # noqa: F811
                                          container: Container) -> None:
    """One network for each RUN of a build. The TAP of a daemon that was killed is not in the way
    of the next one."""
    for _ in range(5):
        with Replay("buildah", subject, container.pid):
            assert_network_works(container.netns)


@pytest.mark.parametrize("name", ("rootlesskit_3", "buildah"))
def test_client_that_is_killed_takes_the_network_along(  # noqa: F811
        subject: Subject, container: Container, name: str) -> None:
    with Replay(name, subject, container.pid) as client:
        client.process.kill()
        subject.wait_gone()


# --- bubblejail -------------------------------------------------------------------------------


def test_bubblejail(subject: Subject, lab: Lab) -> None:  # noqa: F811
    with NestedContainer() as container:
        with Replay("bubblejail", subject, container.pid) as client:
            assert_network_works(container.netns)
            assert client.end() == 0


# --- guix-daemon ------------------------------------------------------------------------------


@contextlib.contextmanager
def guix_daemon(container: Container, directory: Path, **env: str) -> Iterator[Replay]:
    """With slirpd alone: slirp4netns takes a TAP since 1.3, which Debian does not have yet. Not
    a copy of it, which would be in /run, and that is empty there."""
    tap = make_tap(container.netns, "tap0")
    try:
        slirpd = Subject("slirpd", Path(slirpd_path()).resolve())
        yield Replay("guix_daemon", slirpd, directory, tap, pass_fds=(tap,), env=env)
    finally:
        os.close(tap)


def test_guix_daemon(container: Container, directory: Path) -> None:
    with guix_daemon(container, directory) as client:
        for argv in (("addr", "add", f"{GUEST4}/24", "dev", "tap0"),
                     ("link", "set", "tap0", "up"),
                     ("route", "add", "default", "via", "10.0.2.2")):
            in_netns(container.netns, "ip", *argv)
        with client:
            assert_network_works(container.netns)
            status = Path(f"/proc/{client.subject.daemon()}/status").read_text()
            assert re.search(r"^NSpid:.*\t1$", status, re.M)
            assert client.end() == 0


def test_guix_daemon_with_its_filter_is_told_why(container: Container, directory: Path,
                                                 capfd: pytest.CaptureFixture[str]) -> None:
    """It leaves the daemon no sockets but those of IP, and slirpd's processes speak by others."""
    with guix_daemon(container, directory, GUIX_FILTER="1") as client:
        with pytest.raises(AssertionError, match="has ended with 1"), client:
            pass
    assert "make a channel to netns-helper: Function not implemented" in capfd.readouterr().err
