# SPDX-License-Identifier: BSD-2-Clause
"""The jails where slirpd is started by uid 0 of the machine.

Runs through `outer-ns --as-root`: mounts, network and PIDs are the test's own, all the rest is
the machine's, so nothing here may write to it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import clients
import kernel
import pytest
import test_jail_daemon as D
from commands import sh
from daemon import Slirpd, SlirpdRun
from guest import ORDINARY_ID, Guest, OrdinaryGuest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from lab import INTERNET4, INTERNET6, Lab, http_url, works
from load import name_is_found
from processes import all_pids, holdings, proc_stat
from test_jail_helper import held_helper, is_in_the_guest
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

NOBODY = 65534

CAP_DAC_OVERRIDE, CAP_KILL, CAP_NET_BIND_SERVICE = 1, 5, 10
CAP_SYS_PTRACE, CAP_SYS_ADMIN = 19, 21


def caps(*numbers: int) -> str:
    return f"{sum(1 << number for number in numbers):016x}"


@pytest.fixture(autouse=True)
def real_root() -> None:
    assert os.getuid() == 0
    assert Path("/proc/self/uid_map").read_text().split() == ["0", "0", "4294967295"]


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with OrdinaryGuest() as made:
        yield made


def daemon_of(*argv: object, **kwargs: bool) -> Slirpd:
    return Slirpd("--configure", *argv, as_ordinary=False, **kwargs)


@contextlib.contextmanager
def named_netns() -> Iterator[str]:
    """One that root made and pinned, with no user namespace of its own."""
    sh("ip", "netns", "add", "guest")
    try:
        yield "/run/netns/guest"
    finally:
        sh("ip", "netns", "del", "guest")


# The capabilities of each role.
KEPT = {"slirp-worker": (), "connector": (CAP_NET_BIND_SERVICE,), "resolver": ()}
STAYING = {*KEPT, "spawner"}


def assert_jailed(daemon: Slirpd, uid: int = NOBODY, gid: int = NOBODY) -> None:
    found = daemon.children()
    assert set(found) == STAYING
    for role in KEPT:
        pid = found[role]
        status = D.status_of(pid)
        assert status["Uid"].split() == [str(uid)] * 4
        assert status["Gid"].split() == [str(gid)] * 4
        assert status["Groups"] == ""
        expected = D.expected_status(role)
        assert {key: status[key] for key in expected} == expected | {
            "CapEff": caps(*KEPT[role]), "CapPrm": caps(*KEPT[role])}
        assert D.foreign_namespaces(pid) == D.own_namespaces(role) - {"user"}
        assert D.tree(f"/proc/{pid}/root") == set()
        D.assert_limits(pid, D.LIMITS_OF_ZERO[role])
        assert D.Said(daemon.stderr, role).missed == kernel.MISSING_STAGES


def assert_parent_keeps(daemon: Slirpd, *kept: int) -> None:
    status = D.status_of(daemon.pid)
    assert status["CapEff"] == status["CapPrm"] == caps(*kept)
    assert status["CapBnd"] == status["CapInh"] == status["CapAmb"] == D.NO_CAPABILITY
    assert status["NoNewPrivs"] == "1" and D.n_own_filters(daemon.pid) == 1
    D.assert_limits(daemon.pid, D.LIMITS_OF_ZERO["parent"])
    assert set(status["Uid"].split()) == {"0"}


def test_guest_of_an_ordinary_user_under_traffic(guest: Guest) -> None:
    with daemon_of(guest.pid, "tap0") as daemon, D.traffic(guest.netns):
        assert_jailed(daemon)
        assert_parent_keeps(daemon, CAP_KILL, CAP_SYS_PTRACE)


def test_services_are_started_again_in_the_same_jail(guest: Guest) -> None:
    with daemon_of(guest.pid, "tap0") as daemon:
        for role in ("slirp-worker", "resolver"):
            old = daemon.children()[role]
            os.kill(old, signal.SIGKILL)
            wait_for(f"another {role} is ready", lambda role=role, old=old: daemon.children().get(
                role, old) != old and works(guest.netns) and name_is_found(guest))
        assert_jailed(daemon)
        assert_parent_keeps(daemon, CAP_KILL, CAP_SYS_PTRACE)


def test_namespace_of_root_by_path_under_traffic(lab: Lab) -> None:
    with named_netns() as netns, daemon_of("--netns-type=path", netns, "tap0") as daemon:
        with D.traffic(netns):
            assert_jailed(daemon)
            assert_parent_keeps(daemon, CAP_KILL, CAP_SYS_PTRACE)
        assert daemon.terminate() == 0


def test_with_an_exit_fd_the_parent_keeps_less(guest: Guest) -> None:
    with daemon_of(guest.pid, "tap0", exit_fd=True) as daemon:
        assert_parent_keeps(daemon, CAP_KILL)
        assert D.works(guest.netns)
        daemon.hang_up()
        assert daemon.wait() == 0


def test_namespace_that_is_made_is_unmounted_again(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "guest"
    with daemon_of("--create-netns", "--netns-type=path", path, "tap0") as daemon:
        assert_jailed(daemon)
        assert_parent_keeps(daemon, CAP_DAC_OVERRIDE, CAP_KILL, CAP_SYS_PTRACE, CAP_SYS_ADMIN)
        assert D.works(str(path))
        assert daemon.terminate() == 0
    assert not path.exists()
    assert str(path) not in Path("/proc/self/mountinfo").read_text()


@pytest.mark.parametrize("runas", ("daemon", "54321", "daemon:54321"))
def test_runas_is_whom_the_worker_becomes(guest: Guest, runas: str) -> None:
    name = pwd.getpwnam("daemon")
    ids = {"daemon": (name.pw_uid, name.pw_gid), "54321": (54321, 54321),
           "daemon:54321": (name.pw_uid, 54321)}[runas]
    with daemon_of(f"--runas={runas}", guest.pid, "tap0") as daemon:
        with D.traffic(guest.netns):
            assert_jailed(daemon, *ids)
        assert "--runas" not in daemon.stderr


def test_sigterm_is_a_clean_end(guest: Guest) -> None:
    with daemon_of(guest.pid, "tap0") as daemon:
        assert D.works(guest.netns)
        assert daemon.terminate() == 0
        assert "killing it" not in daemon.stderr
        D.assert_nothing_left(guest)


def test_worker_that_does_not_end_is_killed(guest: Guest) -> None:
    """It has another uid, so the parent needs a capability for that."""
    with daemon_of(guest.pid, "tap0") as daemon:
        os.kill(daemon.children()["slirp-worker"], signal.SIGSTOP)
        assert daemon.terminate() == 0
        assert "slirp-worker" in daemon.stderr and "killing it" in daemon.stderr
        D.assert_nothing_left(guest)


@pytest.mark.parametrize("role", ("slirp-worker", "connector", "resolver", "spawner", "api"))
def test_sigkill_of_the_parent_ends_a_child_that_does_nothing(guest: Guest, tmp_path: Path,
                                                              role: str) -> None:
    """The kernel sends the signal in the name of the parent, with what that may do."""
    with daemon_of("--api-socket", tmp_path / "api", guest.pid, "tap0") as daemon:
        pid = daemon.children()[role]
        os.kill(pid, signal.SIGSTOP)
        wait_for("it is stopped", lambda: proc_stat(pid)[0] == "T")
        daemon.kill()
        daemon.wait_family_gone()
        D.assert_nothing_left(guest)


def test_sigkill_of_the_parent_ends_a_helper_that_does_nothing(guest: Guest) -> None:
    """It has become the guest's user, and with that the kernel has forgotten what it asked for
    at its start (prctl(2))."""
    with held_helper(guest, as_ordinary=False) as (daemon, helper):
        assert is_in_the_guest(helper, guest)
        D.assert_limits(helper, D.LIMITS_OF_ZERO["netns-helper"])
        daemon.kill()
        wait_for("the helper is gone", lambda: helper not in all_pids())


def watched(pid: int) -> set[int]:
    """Processes that a process holds descriptors of (pidfd_open)."""
    texts = []
    for file in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            texts.append(file.read_text())
    return {int(number) for text in texts for number in re.findall(r"^Pid:\t(\d+)$", text, re.M)}


def test_end_of_the_namespace_is_noticed(guest: Guest) -> None:
    """Under its filter, and with the one capability for looking, as others' processes are
    what it looks at."""
    with daemon_of(guest.pid, "tap0") as daemon:
        with guest.start("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as second:
            second.stdin.write(b"\n")
            second.stdin.flush()
            assert second.stdout.read(1) == b"\n"
            netns = f"/proc/{second.pid}/ns/net"
            guest.process.kill()
            guest.process.wait()
            wait_for("the other process is watched", lambda: second.pid in watched(daemon.pid))
            assert D.works(netns)
            second.stdin.close()
            assert daemon.wait() == 0
            assert "nobody uses the network namespace any more" in daemon.stderr


def test_command_of_root_has_the_network_and_the_parent_keeps_less(lab: Lab) -> None:
    with SlirpdRun("--log-level=info", "sh", "-euc",
                   f"id -u; cat /proc/self/uid_map /etc/resolv.conf; curl -sf {http_url(INTERNET4, 'hello')};"
                   "exec sleep 1000", as_ordinary=False) as daemon:
        pid = daemon.wait_command("sleep")
        assert daemon.stdout.split() == ["0", "0", "0", "1", "nameserver", "10.0.2.3", "hello"]
        wait_for("the worker", lambda: "slirp-worker" in daemon.children())
        status = D.status_of(daemon.children()["slirp-worker"])
        assert status["Uid"].split() == [str(NOBODY)] * 4
        assert_parent_keeps(daemon, CAP_KILL)
        assert set(D.status_of(pid)["Uid"].split()) == {"0"}
        assert "user" in D.foreign_namespaces(pid) and "net" in D.foreign_namespaces(pid)
        assert daemon.terminate() == 128 + signal.SIGTERM
    before = Path("/proc/self/mountinfo").read_text()
    with SlirpdRun("sleep", "1000", as_ordinary=False) as daemon:
        pid = daemon.wait_command("sleep")
        assert Path("/proc/self/mountinfo").read_text() == before
        daemon.kill()
        wait_for("the command is gone", lambda: pid not in all_pids())


def test_report_of_real_root() -> None:
    done = subprocess.run([slirpd_path(), "--print-confinement"], text=True,
                          capture_output=True, timeout=DEADLINE_S, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert f'"uid": {NOBODY}' in done.stdout
    assert '"capabilities": {"effective": ["CAP_NET_BIND_SERVICE"], "bounding": []}' in done.stdout


def test_nothing_is_left(lab: Lab) -> None:
    before = holdings()
    with OrdinaryGuest() as guest, daemon_of(guest.pid, "tap0"):
        assert D.works(guest.netns)
    after = holdings()
    before["sockets"] = after["sockets"] = None  # the lab's own connections may linger
    assert after == before


@pytest.mark.parametrize("what", ("program", "directory", "group", "all"))
def test_programs_of_another_user_are_not_executed(tmp_path: Path, what: str) -> None:
    """Unless the running program is that user's as well: then nothing is won by another."""
    slirpd = clients.install("slirpd", tmp_path)
    libexec = slirpd.parent.parent / "libexec/slirpd"
    changed = {"program": [libexec / "slirpd-slirp-worker"], "directory": [libexec]}
    changed["all"], changed["group"] = slirpd.parent.parent.rglob("*"), []
    for path in changed[what]:
        os.chown(path, ORDINARY_ID, -1, follow_symlinks=False)
    if what == "group":
        worker = libexec / "slirpd-slirp-worker"
        os.chown(worker, 0, ORDINARY_ID)
        worker.chmod(0o775)
    done = subprocess.run([slirpd, "--version"], capture_output=True, text=True,
                          timeout=DEADLINE_S)
    if what == "all":
        assert done.returncode == 0
        return
    assert done.returncode == 1
    said = (f"can be written by its group (mode 0775, gid {ORDINARY_ID})" if what == "group"
            else f"belongs to uid {ORDINARY_ID}: it must belong to root")
    assert said in done.stderr
