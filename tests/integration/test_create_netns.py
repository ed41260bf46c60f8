# SPDX-License-Identifier: BSD-2-Clause
"""--create-netns: a namespace that slirpd makes, pins on a file, serves, and unpins."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_operation
from commands import sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import INTERNET4, Lab, http_url
from netns import network_addresses
from processes import borrowed, fds_of, holdings
from test_traffic import lease_of
from tree import REPO, slirpd_path
from waiting import DEADLINE_S, read_to_eof, wait_for

OPTIONS = ("--create-netns", "--netns-type=path")


class PinnedGuest(Guest):
    """A network namespace that a file stands for; there is no process to name it by."""

    def __init__(self, path: Path, before: tuple[str, ...] = ()) -> None:
        self.path = path
        self._before = before

    @property
    def netns(self) -> str:
        return str(self.path)

    def enter(self) -> list[str]:
        return [*self._before, "nsenter", f"--net={self.path}", "--"]


@pytest.fixture
def path(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "guest"
    assert not is_pinned(tmp_path / "guest"), "the test leaves a mount behind"


def is_pinned(path: Path) -> bool:
    return f" {path} " in Path("/proc/self/mountinfo").read_text()


def up(path: Path, *options: object, **kwargs: object) -> Slirpd:
    """By a caller with CAP_SYS_ADMIN over its mount namespace, as the lab is."""
    return Slirpd(*OPTIONS, *options, path, "tap0", as_ordinary=False, **kwargs)


@pytest.mark.parametrize("cidr", ("10.0.2.0/24", "192.168.77.0/24"))
@pytest.mark.parametrize("client", ("udhcpc", "dhclient"))
def test_dhcp_client_gets_lease_router_and_dns(path: Path, tools: Callable, tmp_path: Path,
                                               client: str, cidr: str) -> None:
    tools(client)
    want = network_addresses(cidr)
    with up(path, f"--cidr={cidr}"):
        got = lease_of(tmp_path, PinnedGuest(path), client)
    first, last = (ipaddress.ip_address(want[key]) for key in ("dhcp_first", "dhcp_last"))
    assert first <= ipaddress.ip_address(got["ip"]) <= last
    assert (got["router"], got["dns"]) == (want["gateway"], want["dns"])


def test_namespace_has_the_network(path: Path) -> None:
    guest = PinnedGuest(path)
    with up(path, "--configure"):
        assert guest.links() == {"lo", "tap0"}
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout
        assert "uplink" not in guest.links()


@pytest.mark.parametrize("end", ("sigterm", "exit-fd"))
def test_exit_unpins_and_removes_the_file_that_was_made(path: Path, end: str) -> None:
    with up(path, exit_fd=True) as daemon:
        assert is_pinned(path)
        if end == "sigterm":
            assert daemon.terminate() == 0
        else:
            daemon.hang_up()
            assert daemon.wait() == 0
        assert not is_pinned(path) and not path.exists()


def test_existing_empty_file_stays(path: Path) -> None:
    path.touch(mode=0o640)
    before = path.stat()
    with up(path) as daemon:
        assert is_pinned(path)
        assert daemon.terminate() == 0
    assert not is_pinned(path)
    assert (path.stat().st_ino, path.stat().st_mode) == (before.st_ino, before.st_mode)


def test_path_is_that_of_the_start(path: Path, tmp_path: Path) -> None:
    """Relative, and by a link that leads elsewhere at the end."""
    (tmp_path / "real").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "link").symlink_to("real")
    with Slirpd(*OPTIONS, "link/guest", "tap0", as_ordinary=False,
                prefix=["env", f"--chdir={tmp_path}"]) as daemon:
        assert is_pinned(tmp_path / "real" / "guest")
        (tmp_path / "link").unlink()
        (tmp_path / "link").symlink_to("other")
        assert daemon.terminate() == 0
    assert not is_pinned(tmp_path / "real" / "guest")
    assert list((tmp_path / "real").iterdir()) == []


def test_whoever_unmounts_it_ends_slirpd(path: Path) -> None:
    with up(path) as daemon:
        sh("umount", str(path))
        assert daemon.wait() == 0
        assert "nobody uses the network namespace any more" in daemon.stderr
    assert not path.exists()


def test_another_mount_on_the_path_is_left_alone(path: Path, tmp_path: Path) -> None:
    with up(path) as daemon:
        sh("mount", "--bind", "/proc/self/ns/uts", str(path))
        assert daemon.terminate() == 0
    assert is_pinned(path) and path.stat().st_ino == os.stat("/proc/self/ns/uts").st_ino
    sh("umount", str(path))
    sh("umount", str(path))
    path.unlink()


def test_sigkill_leaves_the_namespace_pinned_and_usable(path: Path) -> None:
    """The kernel ends the processes, and nobody is left to unmount."""
    with up(path) as daemon:
        daemon.kill()
        daemon.wait_family_gone()
        assert is_pinned(path)
    done = run_slirpd(*OPTIONS, path, "tap0")
    assert done.returncode == 1 and "a namespace is pinned there" in done.stderr
    with Slirpd("--netns-type=path", "--configure", path, "tap0", as_ordinary=False):
        assert PinnedGuest(path).links() == {"lo", "tap0"}
    sh("umount", str(path))
    path.unlink()


def test_root_of_a_user_namespace_can_do_it(path: Path, tools: Callable,
                                            tmp_path: Path) -> None:
    """An ordinary user, in a user and a mount namespace of his own."""
    tools("udhcpc")
    prefix = ["unshare", "--user", "--map-root-user", "--mount"]
    with Slirpd(*OPTIONS, path, "tap0", prefix=prefix) as daemon:
        assert not is_pinned(path), "it is in the mount namespace of its own"
        inside = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(daemon.pid), "--")
        got = lease_of(tmp_path, PinnedGuest(path, inside), "udhcpc")
        assert got["router"] == "10.0.2.2"
        assert daemon.terminate() == 0
    assert not path.exists()


def test_command_of_the_unit(lab: Lab, tmp_path: Path) -> None:
    """In namespaces as Podman has them, which is what `podman unshare` enters."""
    unit = (REPO / "systemd/slirpd-netns@.service.in").read_text()
    command = re.search(r"^ExecStart=podman unshare \S+/slirpd (.*)$", unit, re.M)[1]
    words = {"$SLIRPD_OPTIONS": "--publish=8080:80", "%t": str(tmp_path), "%i": "web"}
    for word, value in words.items():
        assert word in command
        command = command.replace(word, value)
    (tmp_path / "slirpd").mkdir()
    address = str(tmp_path / "notify")
    prefix = ["env", f"NOTIFY_SOCKET={address}", "unshare", "--user", "--map-root-user", "--mount"]
    with test_operation.manager(address) as told, \
            Slirpd(*command.split(), ready=False, prefix=prefix) as daemon:
        while not told.recv(4096).startswith(b"READY=1\n"):
            pass
        inside = ("nsenter", "--preserve-credentials", "-U", "-m", "-t", str(daemon.pid), "--")
        guest = PinnedGuest(tmp_path / "slirpd/web.netns", inside)
        assert guest.links() == {"lo", "tap0"}
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout
        daemon.process.terminate()
        assert told.recv(4096).startswith(b"STOPPING=1\n")
        assert daemon.process.wait(timeout=DEADLINE_S) == 0
    assert os.listdir(tmp_path / "slirpd") == []


@pytest.mark.parametrize("what, text", (
    ("ordinary", "make a network namespace: Operation not permitted; --create-netns needs "
                 "CAP_SYS_ADMIN: be root, or in a user and mount namespace"),
    ("full file", "it is not an empty file"),
    ("directory", "it is not an empty file"),
    ("no directory", "open its directory: No such file or directory"),
    ("link", "it is a symbolic link"),
    ("dangling link", "it is a symbolic link"),
    ("namespace", "a namespace is pinned there"),
))
def test_what_can_not_be_done_is_a_failed_start(path: Path, what: str, text: str) -> None:
    if what == "full file":
        path.write_text("precious")
    elif what == "directory":
        path.mkdir()
    elif what == "namespace":
        path.touch()
        sh("mount", "--bind", "/proc/self/ns/net", str(path))
    elif what.endswith("link"):
        path.symlink_to("elsewhere")
        if what == "link":
            path.with_name("elsewhere").touch()
    target = path / "none" / "guest" if what == "no directory" else path
    existed = path.exists()
    with Slirpd(*OPTIONS, target, "tap0", ready=False, as_ordinary=what == "ordinary") as daemon:
        assert daemon.wait() == 1
        assert text in daemon.stderr and daemon.stdout == ""
        assert f"--create-netns: {target}: " in daemon.stderr
    if what == "namespace":
        sh("umount", str(path))
    assert path.exists() == existed and path.is_symlink() == what.endswith("link")
    assert what != "full file" or path.read_text() == "precious"


def run(path: Path, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """By a caller with CAP_SYS_ADMIN, as up() starts it; where it is expected to end."""
    return subprocess.run([*prefix, slirpd_path(), *OPTIONS, path, "tap0"], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)


def test_limit_on_namespaces_is_named(path: Path) -> None:
    sysctl = Path("/proc/sys/user/max_net_namespaces")
    before = sysctl.read_text()
    sysctl.write_text("0\n")
    try:
        done = run(path)
    finally:
        sysctl.write_text(before)
    assert done.returncode == 1
    assert done.stderr == (
        f"slirpd: --create-netns: {path}: make a network namespace: No space left on device; "
        "switched off by sysctl user.max_net_namespaces=0\n")


def test_filter_that_refuses_is_not_taken_for_a_missing_capability(path: Path) -> None:
    """The caller has CAP_SYS_ADMIN, so to ask for it would not help."""
    done = run(path, (sys.executable, "-B", str(REPO / "tests/confine/bar_call.py"),
                      "unshare=EPERM"))
    assert done.returncode == 1
    assert done.stderr == (f"slirpd: --create-netns: {path}: make a network namespace: "
                           "Operation not permitted\n")


def test_directory_that_is_exchanged_before_the_exit_costs_nobody_a_mount(path: Path,
                                                                          tmp_path: Path) -> None:
    """Its owner moves it away, and puts a link there to a place with a file of that name."""
    mine, theirs, moved = (tmp_path / name for name in ("mine", "theirs", "moved"))
    mine.mkdir()
    theirs.mkdir()
    (theirs / "guest").write_text("precious")
    with up(mine / "guest") as daemon:
        sh("mount", "--bind", str(mine / "guest"), str(theirs / "guest"))
        mine.rename(moved)
        mine.symlink_to("theirs")
        assert daemon.terminate() == 0
    assert is_pinned(theirs / "guest") and not is_pinned(moved / "guest")
    assert list(moved.iterdir()) == []
    sh("umount", str(theirs / "guest"))
    assert (theirs / "guest").read_text() == "precious"


# In the order of a start.
FAILURES = (
    (("--outbound-addr=none0",), "--outbound-addr=none0: the host has no such interface"),
    (("--api-socket=none/api",), "API socket none/api: open its directory"),
    (("--mtu=67",), "set the MTU of tap0 to 67: Invalid argument"),
    (("--runas=4711", "--publish=203.0.113.77:8000:80"), "--publish=203.0.113.77:8000:80: "),
    (("--publish=8000:80", "--publish=8000:81"), "--publish=8000:81: port 8000: a forward has"),
    (("--publish=8000:10.0.2.2:80", "--enable-ipv6"),
     "--publish=8000:10.0.2.2:80: "),
    (("--publish=[::1]:8000:80",), "--publish=[::1]:8000:80: "),
    (("--pidfile=none/pid",), "PID file none/pid: open its directory"),
)


@pytest.mark.parametrize("options,text", FAILURES, ids=[failure[0][0] for failure in FAILURES])
def test_start_that_fails_later_leaves_nothing(path: Path, tmp_path: Path,
                                               options: tuple[str, ...], text: str) -> None:
    """Neither namespace, socket and file, nor a word on ready-fd."""
    before = holdings()
    made = {"--pidfile": "--pidfile=pid", "--api-socket": "--api-socket=api"}
    made = [made[name] for name in made if not any(text.startswith(name) for text in options)]
    daemon = up(path, "--configure", *made, *options,
                prefix=["env", f"--chdir={tmp_path}"]).start()
    try:
        assert read_to_eof(daemon.ready_read) == b""
        assert daemon.wait() == 1
        assert text in daemon.stderr
    finally:
        daemon.__exit__()
    assert os.listdir(tmp_path) == [] and not is_pinned(path)
    # The kernel ends the children of one that has ended by itself.
    wait_for("all is as it was", lambda: holdings() == before)


def break_channel(daemon: Slirpd, role: str) -> None:
    """Sends something that is not a message from the parent's end of the channel to a child."""
    inode = re.fullmatch(r"socket:\[(\d+)\]", fds_of(daemon.children()[role])[3])[1]
    line = re.search(rf"^.* {inode} +\* (\d+) *$", sh("ss", "-xnH").stdout, re.M)
    number = {name: fd for fd, name in fds_of(daemon.pid).items()}[f"socket:[{line[1]}]"]
    with borrowed(daemon.pid, number) as end:
        end.send(b"x")


def test_children_of_the_daemon_do_not_unpin(path: Path, tmp_path: Path) -> None:
    """The spawner is forked from the parent and has its exit handlers. It runs them when it ends
    by exit(3), here without a jail that would stop them."""
    with up(path, "--disable-sandbox", "--disable-seccomp",
            f"--api-socket={tmp_path}/api.sock") as daemon:
        break_channel(daemon, "spawner")
        wait_for("the spawner has ended with fatalx()", lambda: (
            "spawner exited with status 1" in daemon.stderr))
        assert is_pinned(path)
