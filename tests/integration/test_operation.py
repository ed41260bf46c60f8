# SPDX-License-Identifier: BSD-2-Clause
"""What operators run slirpd with: the PID file, the log file and its level, NOTIFY_SOCKET."""

from __future__ import annotations

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from daemon import Slirpd, run_slirpd
from guest import Guest
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

# src/parent/output/logfile.h
LOG_SIZE_MAX = 1024 * 1024

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"


# --- --pidfile --------------------------------------------------------------------------------


def test_pidfile_is_there_when_ready_and_gone_after_the_end(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with Slirpd("--configure", f"--pidfile={path}", guest.pid, "tap0") as daemon:
        assert path.read_text() == f"{daemon.pid}\n"
        assert os.listdir(tmp_path) == ["pid"]
        assert daemon.terminate() == 0
        assert os.listdir(tmp_path) == []


def test_pidfile_replaces_an_old_one_and_nothing_else(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("4711\n")
    with Slirpd(f"--pidfile={path}", guest.pid, "tap0") as daemon:
        assert path.read_text() == f"{daemon.pid}\n"
    path.mkdir()
    done = run_slirpd(f"--pidfile={path}", guest.pid, "tap0")
    assert done.returncode == 1
    assert f"slirpd: PID file {path}: replace what is there: File exists\n" in done.stderr
    assert os.listdir(tmp_path) == ["pid"]


def test_pidfile_of_somebody_else_stays(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with Slirpd(f"--pidfile={path}", guest.pid, "tap0") as daemon:
        (tmp_path / "other").write_text("4711\n")
        os.rename(tmp_path / "other", path)
        assert daemon.terminate() == 0
        assert path.read_text() == "4711\n"


def test_pidfile_without_its_directory_is_a_failed_start(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "missing/pid"
    done = run_slirpd(f"--pidfile={path}", guest.pid, "tap0")
    assert done.returncode == 1
    assert (f"slirpd: PID file {path}: open its directory: No such file or directory\n"
            == done.stderr)


def test_a_start_that_fails_leaves_no_pidfile(guest: Guest, tmp_path: Path) -> None:
    done = run_slirpd(f"--pidfile={tmp_path}/pid", guest.pid, "a-name-of-16-chr")
    assert done.returncode == 2
    assert os.listdir(tmp_path) == []


# --- --log-file and --log-level ---------------------------------------------------------------


def counters(daemon: Slirpd, path: Path) -> None:
    """Has the daemon print its counters and waits for the last of them."""
    size = path.stat().st_size
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for("the counters are in the log", lambda: path.stat().st_size < size or
             b"stats: forwards" in path.read_bytes()[size:])


def test_log_file_has_the_lines_with_their_time(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Slirpd("--configure", f"--log-file={path}", guest.pid, "tap0") as daemon:
        counters(daemon, path)
        assert daemon.stderr == ""
        lines = path.read_text().splitlines()
        assert all(re.match(rf"{TIME} slirpd: \S", line) for line in lines)
        assert any(" slirpd: ready: tap0 has 10.0.2.100/24 in " in line for line in lines)
        assert path.stat().st_mode & 0o7777 == 0o600


def test_errors_go_to_standard_error_too(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "log"
    done = run_slirpd(f"--log-file={path}", guest.pid, "lo")
    assert done.returncode == 1
    reason = "slirpd: netns-helper"
    assert reason in done.stderr and reason in path.read_text()


def test_full_log_file_is_copied_under_the_jail(guest: Guest, tmp_path: Path) -> None:
    path, older = tmp_path / "log", tmp_path / "log.1"
    # Room for the lines of the start, and for the counters a few times.
    path.write_bytes(b"old\n" * ((LOG_SIZE_MAX - 20_000) // 4))
    with Slirpd("--configure", f"--log-file={path}", guest.pid, "tap0") as daemon:
        start = path.read_bytes()
        assert older.read_bytes() == b""

        def rotated() -> bool:
            counters(daemon, path)
            return older.stat().st_size > 0

        wait_for("the file is full and copied", rotated)
        wait_for("the rest is in the new one",
                 lambda: path.read_bytes().endswith(b" slirpd: stats: forwards 0\n"))
        assert older.read_bytes().startswith(start)
        assert older.stat().st_size <= LOG_SIZE_MAX
        assert path.stat().st_size < 20_000
        assert sorted(os.listdir(tmp_path)) == ["log", "log.1"]
        assert daemon.process.poll() is None


def test_log_file_has_one_writer(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with Slirpd(f"--log-file={path}", guest.pid, "tap0"):
        done = run_slirpd(f"--log-file={path}", guest.pid, "tap1")
        assert done.returncode == 1
        assert f"slirpd: log file {path}: another process logs to it" in done.stderr
    # The kernel unlocks it with the last descriptor, so also after a kill.
    with Slirpd(f"--log-file={path}", guest.pid, "tap0") as daemon:
        daemon.kill()
        daemon.wait_family_gone()
    with Slirpd(f"--log-file={path}", guest.pid, "tap0"):
        pass


@pytest.mark.parametrize("level,n_levels",
                         (("error", 1), ("warning", 2), ("info", 3), ("debug", 4)))
def test_log_level_says_what_is_logged(guest: Guest, level: str, n_levels: int) -> None:
    # --runas has no effect for an ordinary user, of which a warning tells.
    with Slirpd("--configure", f"--log-level={level}", "--runas=4711", guest.pid,
                "tap0") as daemon:
        daemon.process.send_signal(signal.SIGUSR1)
        # Who asks for counters gets them at every level.
        wait_for("the counters", lambda: "stats: forwards 0" in daemon.stderr)
        assert ("warning: --runas is without effect" in daemon.stderr) == (n_levels >= 2)
        assert (": ready: " in daemon.stderr) == (n_levels >= 3)
        assert ("slirp-worker confined: " in daemon.stderr) == (n_levels >= 4)
    done = run_slirpd(f"--log-level={level}", guest.pid, "lo")
    assert done.returncode == 1 and "slirpd: netns-helper" in done.stderr


# --- SIGUSR1 ----------------------------------------------------------------------------------


@pytest.mark.parametrize("options,reason", (([], "ip6_off"), (["--enable-ipv6"], "ip6_mld")))
def test_what_every_guest_sends_is_not_counted_as_a_fault(guest: Guest, options: list[str],
                                                          reason: str) -> None:
    """Each kernel reports its IPv6 groups, and looks for routers if nobody has switched IPv6 off."""
    with Slirpd("--configure", *options, guest.pid, "tap0") as daemon:
        wait_for(f"the kernel's frames are dropped as {reason}",
                 lambda: daemon.counters().get(reason, 0) > 0)
        assert set(re.findall(r"stats: dropped (\w+) ", daemon.stderr)) == {reason}


# --- NOTIFY_SOCKET ----------------------------------------------------------------------------


@contextmanager
def manager(address: str | bytes) -> Iterator[socket.socket]:
    """The service manager's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(address)
        if isinstance(address, str):
            os.chmod(address, 0o777)
        sock.settimeout(DEADLINE_S)
        yield sock


def started_with(address: str, *argv: object, **kwargs: object) -> Slirpd:
    kwargs.setdefault("ready", False)
    return Slirpd("--configure", *argv, prefix=["env", f"NOTIFY_SOCKET={address}"], **kwargs)


@pytest.mark.parametrize("abstract", (False, True))
def test_service_manager_is_told(guest: Guest, tmp_path: Path, abstract: bool) -> None:
    path = str(tmp_path / "notify")
    with manager(b"\0" + path.encode() if abstract else path) as told:
        with started_with("@" + path if abstract else path, guest.pid, "tap0") as daemon:
            assert told.recv(4096) == b"STATUS=Starting"
            assert told.recv(4096) == b"READY=1\nSTATUS=The guest has its network"
            os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
            assert told.recv(4096).startswith(b"STATUS=slirp-worker was killed by SIGKILL ")
            assert told.recv(4096) == b"STATUS=The guest has its network"
            # What it means.
            assert "tap0" in guest.links()
            daemon.process.terminate()
            assert told.recv(4096) == b"STOPPING=1\nSTATUS=Ending"
            assert daemon.process.wait(timeout=DEADLINE_S) == 0
            assert "NOTIFY" not in daemon.stderr


def test_watchdog_of_the_manager_is_told(guest: Guest, tmp_path: Path) -> None:
    """Twice in its time, while all processes answer. An api that does not is replaced."""
    path, api_socket = str(tmp_path / "notify"), str(tmp_path / "api")
    watchdog = ["env", f"NOTIFY_SOCKET={path}", "WATCHDOG_USEC=200000"]
    with manager(path) as told, Slirpd("--configure", "--api-socket", api_socket, guest.pid, "tap0",
                                       prefix=watchdog, ready=False) as daemon:
        assert told.recv(4096) == b"STATUS=Starting"
        assert told.recv(4096).startswith(b"READY=1")
        for _ in range(3):
            assert told.recv(4096) == b"WATCHDOG=1"
        api = daemon.children()["api"]
        os.kill(api, signal.SIGSTOP)
        wait_for("it is ended", lambda: f"api[{api}] hangs: it has not answered for 20 s"
                 in daemon.stderr, 2 * DEADLINE_S)
        wait_for("there is another one", lambda: daemon.children().get("api", api) != api)
        told.setblocking(False)
        with pytest.raises(BlockingIOError):
            while told.recv(4096):
                pass
        told.settimeout(DEADLINE_S)
        assert daemon.stderr.count("tell the service manager: ") == 1
        assert {told.recv(4096) for _ in range(4)} >= {b"WATCHDOG=1"}


def test_manager_of_the_caller_is_not_told(guest: Guest, tmp_path: Path) -> None:
    """Podman hands down what systemd gave it; its service is not ready when slirpd is."""
    path = str(tmp_path / "notify")
    link = tmp_path / "slirp4netns"
    link.symlink_to(slirpd_path())
    with manager(path) as told:
        told.setblocking(False)
        with started_with(path, guest.pid, "tap0", ready=True):
            pass
        with started_with(path, guest.pid, "tap0", program=str(link)) as daemon:
            wait_for("the network works", lambda: "MTU" in daemon.stdout)
        with pytest.raises(BlockingIOError):
            told.recv(4096)


@pytest.mark.parametrize("address,complaint", (
    ("/nonexistent/notify", "connect to NOTIFY_SOCKET: No such file or directory"),
    ("notify", "NOTIFY_SOCKET is neither a path nor an abstract name"),
    ("/" + "n" * 200, "NOTIFY_SOCKET is neither a path nor an abstract name"),
))
def test_manager_that_can_not_be_told_is_a_warning(guest: Guest, address: str,
                                                   complaint: str) -> None:
    with started_with(address, guest.pid, "tap0") as daemon:
        wait_for("the network works", lambda: "MTU" in daemon.stdout)
        assert f"slirpd: warning: {complaint}" in daemon.stderr


def test_manager_that_goes_or_does_not_read_holds_nothing_up(guest: Guest, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    with manager(path) as told:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.connect(path)
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    other.send(b"STATUS=full")
        with started_with(path, guest.pid, "tap0") as daemon:
            wait_for("the network works", lambda: "MTU" in daemon.stdout)
            wait_for("it says so", lambda: "tell the service manager: Resource" in daemon.stderr)
            told.close()
            daemon.process.terminate()
            assert daemon.process.wait(timeout=DEADLINE_S) == 0
