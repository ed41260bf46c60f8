# SPDX-License-Identifier: BSD-2-Clause
"""Every way to name a namespace, and every way for that to go wrong."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import ORDINARY, sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import HTTP_PORT, INTERNET4, http_url
from netns import (
    IFF_NO_PI, TUNSETIFF, TUNSETOFFLOAD, TUNSETPERSIST, TUN_F_ALL, make_tap, socket_in,
)
from servers import recv_all
from tree import slirpd_path
from waiting import DEADLINE_S


def assert_works(guest: Guest) -> None:
    out = guest.run("curl", "--silent", "--fail", "-m", "20", http_url(INTERNET4, "hello"))
    assert out.stdout == "hello\n"


@contextmanager
def open_fd(path: str) -> Iterator[int]:
    fd = os.open(path, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


@contextmanager
def pinned(netns: str, path: Path) -> Iterator[str]:
    """A namespace kept by a bind mount, as podman and `ip netns` do it."""
    path.touch()
    sh("mount", "--bind", netns, str(path))
    try:
        yield str(path)
    finally:
        sh("umount", str(path))


# --- ways to name it --------------------------------------------------------------------------


def test_pid(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0"):
        assert_works(guest)


def test_pid_of_a_guest_without_a_mapped_user() -> None:
    with Guest(as_root=False) as guest, Slirpd("--configure", guest.pid, "tap0"):
        assert_works(guest)


def test_path_of_a_process_s_namespace(guest: Guest) -> None:
    with Slirpd("--configure", "--netns-type=path", guest.netns, "tap0"):
        assert_works(guest)


def test_path_with_userns_path(guest: Guest) -> None:
    with Slirpd("--configure", f"--userns-path={guest.userns}", "--netns-type=path",
                guest.netns, "tap0"):
        assert_works(guest)


def test_pid_with_userns_path(guest: Guest) -> None:
    """As bubblejail calls it."""
    with Slirpd("--configure", f"--userns-path={guest.userns}", guest.pid, "tap0"):
        assert_works(guest)


def test_path_of_an_inherited_descriptor(guest: Guest) -> None:
    with open_fd(guest.netns) as net, open_fd(guest.userns) as user:
        with Slirpd("--configure", f"--userns-path=/proc/self/fd/{user}", "--netns-type=path",
                    f"/proc/self/fd/{net}", "tap0", pass_fds=(net, user)):
            assert_works(guest)


def test_path_of_another_process_s_descriptor(guest: Guest) -> None:
    with open_fd(guest.netns) as net, open_fd(guest.userns) as user:
        where = f"/proc/{os.getpid()}/fd"
        # Only the lab itself may look into its own descriptors, so slirpd is not ordinary here.
        with Slirpd("--configure", f"--userns-path={where}/{user}", "--netns-type=path",
                    f"{where}/{net}", "tap0", as_ordinary=False):
            assert_works(guest)


def test_pinned_namespace_of_the_user(guest: Guest, tmp_path: Path) -> None:
    with pinned(guest.netns, tmp_path / "netns") as path:
        with Slirpd("--configure", "--netns-type=path", path, "tap0"):
            assert_works(guest)


def test_pinned_namespace_without_a_process(guest: Guest, tmp_path: Path) -> None:
    """What podman hands over: nothing runs in the namespace, and the pin is its only life."""
    with pinned(guest.netns, tmp_path / "netns") as path:
        guest.end()
        with Slirpd("--configure", "--netns-type=path", path, "tap0") as daemon:
            with socket_in(path, socket.AF_INET, socket.SOCK_STREAM) as client:
                client.connect((INTERNET4, HTTP_PORT))
                client.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
                assert recv_all(client).endswith(b"hello\n")
            assert daemon.process.poll() is None


class RootGuest(Guest):
    """A network namespace made by uid 0 of a user namespace, as RootlessKit and podman do."""

    def __init__(self, owner: Guest) -> None:
        super().__init__()
        self._argv = [*into_userns(owner), "unshare", "--net"]


def into_userns(owner: Guest) -> list[str]:
    return ["nsenter", "--preserve-credentials", "-U", "-t", str(owner.pid), "--"]


def test_uid_0_of_a_user_namespace_by_pid(guest: Guest) -> None:
    """slirpd is in the user namespace already and must not need to join it."""
    with RootGuest(guest) as inner:
        with Slirpd("--configure", inner.pid, "tap0", prefix=into_userns(guest)):
            assert_works(inner)


def test_uid_0_of_a_user_namespace_by_path(guest: Guest) -> None:
    with RootGuest(guest) as inner:
        with Slirpd("--configure", "--netns-type=path", inner.netns, "tap0",
                    prefix=into_userns(guest)):
            assert_works(inner)


def test_uid_0_of_a_user_namespace_with_userns_path(guest: Guest) -> None:
    with RootGuest(guest) as inner:
        with Slirpd("--configure", f"--userns-path={inner.userns}", "--netns-type=path",
                    inner.netns, "tap0", prefix=into_userns(guest)):
            assert_works(inner)


def test_capabilities_of_the_host_are_no_obstacle(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0", as_ordinary=False):
        assert_works(guest)


# --- taps -------------------------------------------------------------------------------------


def configure_by_hand(guest: Guest) -> None:
    for argv in (("link", "set", "tap0", "up"), ("addr", "add", "10.0.2.100/24", "dev", "tap0"),
                 ("route", "add", "default", "via", "10.0.2.2")):
        guest.run("ip", *argv)


def test_attaches_to_a_tap_that_is_there(guest: Guest) -> None:
    """As RootlessKit does it; the TAP is not slirpd's, so it outlives slirpd."""
    guest.run("ip", "tuntap", "add", "tap0", "mode", "tap")
    configure_by_hand(guest)
    address = re.search(r"link/ether (\S+)", guest.link()).group(1)
    with Slirpd("--mtu=65520", guest.pid, "tap0") as daemon:
        assert_works(guest)
        assert address in guest.link()
        assert daemon.terminate() == 0
    assert "tap0" in guest.links()


def test_configures_a_tap_that_is_there(guest: Guest) -> None:
    guest.run("ip", "tuntap", "add", "tap0", "mode", "tap")
    with Slirpd("--configure", guest.pid, "tap0"):
        assert_works(guest)


def test_comes_back_to_a_tap_that_is_there(guest: Guest) -> None:
    guest.run("ip", "tuntap", "add", "tap0", "mode", "tap")
    configure_by_hand(guest)
    for _ in range(3):
        with Slirpd(guest.pid, "tap0"):
            assert_works(guest)


def test_tapfd_takes_an_inherited_tap(guest: Guest) -> None:
    tap = make_tap(guest.netns, "tap0")
    try:
        configure_by_hand(guest)
        with Slirpd("--netns-type=tapfd", tap, pass_fds=(tap,)):
            assert_works(guest)
    finally:
        os.close(tap)


def test_tapfd_needs_no_tun_device(guest: Guest) -> None:
    """As guix-daemon calls it, in a root with few files."""
    tap = make_tap(guest.netns, "tap0")
    hide = 'mount -t tmpfs none /dev/net && exec "$@"'
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", hide, "sh"]
    try:
        configure_by_hand(guest)
        with Slirpd("--netns-type=tapfd", tap, pass_fds=(tap,), prefix=prefix) as daemon:
            in_its_mounts = ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(daemon.pid)]
            assert sh(*in_its_mounts, "ls", "/dev/net").stdout == ""
            assert_works(guest)
    finally:
        os.close(tap)


# --- errors -----------------------------------------------------------------------------------


def assert_one_line(done: subprocess.CompletedProcess[str], *patterns: str,
                    status: int = 1) -> None:
    """This exit status and one line on stderr that says all of it."""
    assert done.returncode == status, done
    assert done.stderr.count("\n") == 1 and done.stderr.endswith("\n"), done.stderr
    for pattern in patterns:
        assert re.search(pattern, done.stderr), f"{pattern!r} not in {done.stderr!r}"


def assert_nothing_created(guest: Guest, *names: str) -> None:
    assert guest.links() == {"lo", *names}


def test_no_such_process() -> None:
    assert_one_line(run_slirpd("--configure", 4194303, "tap0"), "there is no process 4194303$")


def test_process_in_a_namespace_of_somebody_else() -> None:
    """PID 1 of the lab has more rights than slirpd, and no namespace of its own for it."""
    assert_one_line(run_slirpd("--configure", 1, "tap0"), r"\b1\b",
                    "(Permission denied|Operation not permitted)")


def test_own_namespace_is_refused() -> None:
    """A TAP on the host itself would be no network for anybody."""
    done = run_slirpd("--configure", "--netns-type=path", "/proc/self/ns/net", "tap0")
    assert_one_line(done, "/proc/self/ns/net is the one that slirpd itself is in")
    assert not Path("/sys/class/net/tap0").exists()


def test_missing_path() -> None:
    done = run_slirpd("--configure", "--netns-type=path", "/run/nowhere", "tap0")
    assert_one_line(done, "existing path expected when --netns-type=path: \"/run/nowhere\": "
                          "No such file or directory$", status=2)


def test_path_that_is_no_namespace(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    done = run_slirpd("--configure", "--netns-type=path", plain, "tap0")
    assert_one_line(done, f"open network namespace {re.escape(str(plain))}: "
                          "not a network namespace$")


def test_path_of_the_wrong_kind_of_namespace(guest: Guest) -> None:
    done = run_slirpd("--configure", "--netns-type=path", guest.userns, "tap0")
    assert_one_line(done, f"{re.escape(guest.userns)}: not a network namespace$")
    assert_nothing_created(guest)


def test_missing_userns_path(guest: Guest) -> None:
    done = run_slirpd("--configure", "--userns-path=/run/nowhere", guest.pid, "tap0")
    assert_one_line(done, '--userns-path: "/run/nowhere": No such file or directory$', status=2)
    assert_nothing_created(guest)


def test_userns_path_of_the_wrong_kind(guest: Guest) -> None:
    done = run_slirpd("--configure", f"--userns-path={guest.netns}", guest.pid, "tap0")
    assert_one_line(done, f"{re.escape(guest.netns)}: not a user namespace$")
    assert_nothing_created(guest)


def test_user_namespace_that_does_not_own_the_network(guest: Guest) -> None:
    with Guest() as other:
        done = run_slirpd("--configure", f"--userns-path={other.userns}", "--netns-type=path",
                          guest.netns, "tap0")
    assert_one_line(done, f"join network namespace {re.escape(guest.netns)}: "
                          "Operation not permitted")
    assert_nothing_created(guest)


@pytest.mark.parametrize("name", ("a-name-of-16-chr", "a" * 200, "", "tap/0", ".", "..", "ta p"))
def test_tap_name_that_the_kernel_does_not_take(guest: Guest, name: str) -> None:
    done = run_slirpd("--configure", guest.pid, name)
    assert_one_line(done, re.escape(name[:100]), status=2)
    assert_nothing_created(guest)


def test_tap_name_taken_by_a_bridge(guest: Guest) -> None:
    guest.run("ip", "link", "add", "tap0", "type", "bridge")
    assert_one_line(run_slirpd("--configure", guest.pid, "tap0"), "tap0", "Invalid argument")
    assert_nothing_created(guest, "tap0")
    assert "state DOWN" in guest.link()


def test_tap_taken_by_another_daemon(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0"):
        done = run_slirpd("--configure", guest.pid, "tap0")
        assert_one_line(done, "tap0", "Device or resource busy")
        assert_works(guest)


def in_own_mounts(script: str) -> list[str]:
    """A prefix that changes mounts for slirpd alone, and then is an ordinary user again."""
    return ["unshare", "--mount", "bash", "-ec", f'{script}; exec "$@"', "bash", *ORDINARY]


def run_with_mounts(script: str, *argv: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*in_own_mounts(script), slirpd_path(), *map(str, argv)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)


def test_no_dev_net_tun(guest: Guest) -> None:
    done = run_with_mounts("mount -t tmpfs none /dev/net", "--configure", guest.pid, "tap0")
    assert_one_line(done, "/dev/net/tun", "No such file or directory")
    assert_nothing_created(guest)


def test_no_permission_for_dev_net_tun(guest: Guest) -> None:
    script = ("mount --bind /dev/net/tun /dev/net/tun && "
              "mount -o remount,bind,nodev /dev/net/tun")
    done = run_with_mounts(script, "--configure", guest.pid, "tap0")
    assert_one_line(done, "/dev/net/tun", "Permission denied")
    assert_nothing_created(guest)


def test_dev_net_tun_that_is_something_else(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    done = run_with_mounts(f"mount --bind {tmp_path}/plain /dev/net/tun", "--configure",
                           guest.pid, "tap0")
    assert_one_line(done, "tap0|/dev/net/tun", "Inappropriate ioctl for device")
    assert_nothing_created(guest)


def test_api_path_that_is_a_directory(guest: Guest, tmp_path: Path) -> None:
    done = run_slirpd("--configure", f"--api-socket={tmp_path}", guest.pid, "tap0")
    assert_one_line(done, "api-socket|" + re.escape(str(tmp_path)), status=2)
    assert list(tmp_path.iterdir()) == []
    assert_nothing_created(guest)


@pytest.mark.parametrize("text", ("99", "2", "x", "-1", ""))
def test_tapfd_that_is_no_tap(text: str) -> None:
    """99 is not open, 2 is no TAP, the others are no numbers."""
    done = run_slirpd("--netns-type=tapfd", "--", text)
    assert_one_line(done, re.escape(text) or "tapfd", status=1 if text == "2" else 2)


def test_tapfd_that_is_a_tun() -> None:
    """A device of the same driver, whose frames have no Ethernet header."""
    iff_tun = 0x0001
    fd = os.open("/dev/net/tun", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"tun7", iff_tun | IFF_NO_PI))
        done = run_slirpd("--netns-type=tapfd", fd, pass_fds=(fd,))
        assert_one_line(done, "tun7 is not a TAP")
    finally:
        os.close(fd)


def test_ready_or_exit_fd_that_is_not_open(guest: Guest) -> None:
    for option in ("--ready-fd", "--exit-fd"):
        done = run_slirpd("--configure", f"{option}=199", guest.pid, "tap0")
        assert_one_line(done, option.strip("-"), "Bad file descriptor", status=2)
        assert_nothing_created(guest)


def test_ipv6_that_the_guest_has_switched_off_is_no_failure(guest: Guest) -> None:
    """Podman asks for IPv6 always, and slirp4netns goes on without."""
    guest.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
              "net.ipv6.conf.default.disable_ipv6=1")
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0") as daemon:
        assert "tap0 stays without IPv6" in daemon.stderr
        assert guest.run("ping", "-c1", "-W5", "10.0.2.2")


def test_tap_that_somebody_left_with_offloads_carries_traffic(guest: Guest) -> None:
    """With them the kernel would hand over frames without checksums, and larger than the MTU."""
    tap_fd = make_tap(guest.netns, "tap0")
    try:
        fcntl.ioctl(tap_fd, TUNSETOFFLOAD, TUN_F_ALL)
        fcntl.ioctl(tap_fd, TUNSETPERSIST, 1)
    finally:
        os.close(tap_fd)
    with Slirpd("--configure", guest.pid, "tap0"):
        assert_works(guest)
