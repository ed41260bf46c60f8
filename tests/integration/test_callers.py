# SPDX-License-Identifier: BSD-2-Clause
"""Callers that hand down strange things: a start works all the same, or fails in order."""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from api_client import connect
from commands import ORDINARY
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import Lab, works
from limits import limited
from netns import make_tap
from processes import fds_of, holdings, proc_stat
from test_lifecycle import assert_tap_is_gone
from waiting import DEADLINE_S, read_to_eof, wait_for

# The api and the spawner, and two files that are to be removed.
PLACED = ("--api-socket=api", "--pidfile=pid")

# A sanitizer needs more at its end: /proc, a thread, addresses.
not_sanitized = pytest.mark.no_sanitizer


def python(code: str) -> list[str]:
    """A command prefix that runs some code before it becomes the program behind it."""
    return [sys.executable, "-B", "-c", f"import os, signal, sys\n{code}\n"
            "os.execvp(sys.argv[1], sys.argv[1:])"]


def shell(code: str) -> list[str]:
    return ["bash", "-c", f'{code}; exec "$@"', "bash"]


def asks_for_rules(path: str) -> bytes:
    with connect(path) as client:
        client.sendall(b'{"execute":"list_hostfwd"}')
        return client.recv(2048)


@contextmanager
def start(guest: Guest, *argv: object, in_directory: Path, prefix: Iterable[str] = (),
          **kwargs: object) -> Iterator[Slirpd]:
    """A daemon that has written to its ready-fd, or has closed it, in a directory of its own of
    which nothing is left."""
    daemon = Slirpd("--configure", *argv, guest.pid, "tap0",
                    prefix=["env", f"--chdir={in_directory}", *prefix], **kwargs)
    before = holdings()
    daemon.start()
    try:
        yield daemon
        daemon.wait()
    finally:
        daemon.__exit__()
    assert os.listdir(in_directory) == []
    assert_tap_is_gone(guest)
    # The kernel ends the children of one that has ended by itself.
    wait_for("all is as it was", lambda: holdings() == before)


def works_or_says(guest: Guest, directory: Path, prefix: list[str]) -> str:
    """Empty where the start succeeds and the network works, else the last line of the failure."""
    with start(guest, *PLACED, in_directory=directory, prefix=prefix) as daemon:
        if read_to_eof(daemon.ready_read) == b"1":
            assert works(guest.netns)
            assert b'"entries":[]' in asks_for_rules(str(directory / "api"))
            assert daemon.terminate() == 0
            return ""
        assert daemon.wait() == 1
        assert daemon.stdout == ""
        said = daemon.stderr.splitlines()
        assert said and said[-1].startswith("slirpd: ") and "(null)" not in daemon.stderr
        return said[-1]


# --- limits -----------------------------------------------------------------------------------


@not_sanitized
def test_any_limit_on_open_files(guest: Guest, tmp_path: Path) -> None:
    """From the number that the dynamic loader takes to what a start takes at once."""
    said = {n: works_or_says(guest, tmp_path, limited("nofile", n)) for n in range(4, 32)}
    assert said[4] and not said[31]
    # Where it begins to be enough depends on how soon children end.
    for text in filter(None, said.values()):
        # ETOOMANYREFS counts the descriptors in messages against the same limit.
        assert re.search("Too many (open files|references)|limit on open files", text), said


@pytest.mark.parametrize("mib", (6, 8, 10, 12, 14, 16, 24, 64))
@not_sanitized
def test_any_limit_on_memory(guest: Guest, tmp_path: Path, mib: int) -> None:
    said = works_or_says(guest, tmp_path, limited("as", mib << 20))
    assert "Cannot allocate memory" in said if mib < 8 else not said or "memory" in said, said
    assert mib < 64 or not said


@pytest.mark.parametrize("name", ("core", "memlock", "sigpending", "msgqueue", "locks", "rtprio"))
def test_limits_of_nothing_are_no_obstacle(guest: Guest, tmp_path: Path, name: str) -> None:
    assert works_or_says(guest, tmp_path, limited(name, 0)) == ""


@not_sanitized
@pytest.mark.parametrize("kib", (32, 64, 128, 192, 255))
def test_stack_that_is_too_small_for_packets(guest: Guest, tmp_path: Path, kib: int) -> None:
    assert works_or_says(guest, tmp_path, limited("stack", kib << 10)) == \
        f"slirpd: RLIMIT_STACK allows {kib << 10} bytes, and the worker needs {256 << 10}"


@not_sanitized
@pytest.mark.parametrize("soft,hard", ((32 << 10, 256 << 10), (256 << 10, 256 << 10)))
def test_stack_that_can_be_made_large_enough(guest: Guest, tmp_path: Path, soft: int,
                                             hard: int) -> None:
    assert works_or_says(guest, tmp_path, limited("stack", soft, hard)) == ""


@not_sanitized
def test_limit_on_processes(guest: Guest, tmp_path: Path) -> None:
    said = works_or_says(guest, tmp_path, limited("nproc", 1))
    assert said == "slirpd: fork for netns-helper: Resource temporarily unavailable"


def test_limit_on_file_sizes(guest: Guest, tmp_path: Path) -> None:
    """No file may have a byte then: the start needs none, unless an option asks for one."""
    with Slirpd("--configure", guest.pid, "tap0", prefix=limited("fsize", 0)):
        assert works(guest.netns)
    assert works_or_says(guest, tmp_path, limited("fsize", 4096)) == ""


# --- signals, mask, environment, names --------------------------------------------------------


STRANGE = {
    "all signals blocked": python(
        "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())"),
    "all signals ignored": python(
        "for n in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:\n"
        "    signal.signal(n, signal.SIG_IGN)"),
    "umask 0777": python("os.umask(0o777)"),
    "umask 0": python("os.umask(0)"),
    "no environment": ["env", "-i"],
    "strange environment": [
        "env", "PATH=::.:/nonexistent", "LC_ALL=tr_TR.UTF-99", "TMPDIR=/nonexistent", "HOME=",
        "GCONV_PATH=/nonexistent", "POSIXLY_CORRECT=1", "G_DEBUG=fatal-warnings",
        "G_MESSAGES_DEBUG=all", "SLIRP_DEBUG=all", "NOTIFY_SOCKET=", "LISTEN_FDS=3"],
    "no name": ["bash", "-c", 'exec -a "" "$@"', "bash"],
    "no new privileges": ["setpriv", "--no-new-privs", "--"],
    "a full disk for standard output": shell("exec >/dev/full"),
    "a full disk for both outputs": shell("exec >/dev/full 2>&1"),
    "standard streams of the wrong directions": shell("exec >/dev/null 1</dev/null 2</dev/null"),
    "a directory for standard input": shell("exec </"),
    "a child that has ended": python("os.fork() or os._exit(3)"),
    "the lowest priority": ["chrt", "--idle", "0"],
}


@pytest.mark.parametrize("what", STRANGE)
def test_strange_caller(guest: Guest, tmp_path: Path, what: str) -> None:
    assert works_or_says(guest, tmp_path, STRANGE[what]) == ""


@pytest.mark.parametrize("mask", (0, 0o777))
def test_socket_is_the_user_s_under_any_umask(guest: Guest, tmp_path: Path, mask: int) -> None:
    with start(guest, *PLACED, in_directory=tmp_path, prefix=python(f"os.umask({mask})")) as daemon:
        assert daemon.wait_ready() == b"1"
        assert (tmp_path / "api").stat().st_mode & 0o7777 == 0o600
        assert daemon.terminate() == 0


def test_name_with_control_characters_is_escaped(guest: Guest, tmp_path: Path) -> None:
    name = r"os.execv(sys.argv[1], ['/x/a\nb\x1b[1m', *sys.argv[2:]])"
    with start(guest, "--bogus", in_directory=tmp_path, prefix=python(name)) as daemon:
        assert read_to_eof(daemon.ready_read) == b""
        assert daemon.wait() == 2
        assert daemon.stderr == ("a\\x0ab\\x1b[1m: unrecognized option '--bogus'; see slirpd "
                                 "--help\n")


def test_command_line_of_a_megabyte(guest: Guest, tmp_path: Path) -> None:
    with Slirpd("--configure", guest.pid, "tap0", *["x" * 100_000] * 12) as daemon:
        assert works(guest.netns)
        assert daemon.stderr.count("too many arguments") == 1
        assert len(daemon.stderr) < 4096


def test_error_with_nobody_to_tell_has_its_status(lab: Lab, tmp_path: Path) -> None:
    """No death by SIGPIPE, nor by SIGXFSZ."""
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    try:
        with Slirpd("--mtu=x", ready=False, stderr=write_fd) as daemon:
            assert daemon.wait() == 2
    finally:
        os.close(write_fd)
    with Slirpd(f"--log-file={tmp_path}/log", "--no-host-loopback", "2147483647", "tap0",
                ready=False, prefix=limited("fsize", 0)) as daemon:
        assert daemon.wait() == 1


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGHUP))
def test_what_the_caller_ignores_for_us_does_not_end_it(guest: Guest, number: int) -> None:
    """A job in the background, and nohup(1)."""
    with Slirpd("--configure", guest.pid, "tap0",
                prefix=python(f"signal.signal({number:d}, signal.SIG_IGN)")) as daemon:
        daemon.process.send_signal(number)
        daemon.counters()  # by a signal that comes after that one
        assert works(guest.netns)
        assert daemon.terminate() == 0


@pytest.mark.parametrize("number", (0, 1, 2))
def test_ready_fd_that_is_a_standard_stream_gets_one_byte(guest: Guest, number: int) -> None:
    """And no descriptor of slirpd's own gets that number, which it would write its log to."""
    read_fd, write_fd = os.pipe()
    prefix = shell(f"exec {number}>&{write_fd} {write_fd}>&-")
    with Slirpd("--configure", f"--ready-fd={number}", guest.pid, "tap0", ready=False,
                prefix=prefix, pass_fds=(write_fd,)) as daemon:
        os.close(write_fd)
        assert read_to_eof(read_fd) == b"1"
        os.close(read_fd)
        assert works(guest.netns)
        assert fds_of(daemon.pid)[number] == "/dev/null"


# --- where it runs ----------------------------------------------------------------------------


def test_relative_paths(guest: Guest, tmp_path: Path) -> None:
    """Of all that is made, also at the end, and in a directory that moved meanwhile."""
    (tmp_path / "a").mkdir()
    with Slirpd("--configure", *PLACED, "--log-file=log", guest.pid, "tap0",
                prefix=["env", f"--chdir={tmp_path}/a"]) as daemon:
        assert sorted(os.listdir(tmp_path / "a")) == ["api", "log", "log.1", "pid"]
        (tmp_path / "a").rename(tmp_path / "b")
        assert b'"entries":[]' in asks_for_rules(str(tmp_path / "b/api"))
        assert daemon.terminate() == 0
    assert sorted(os.listdir(tmp_path / "b")) == ["log", "log.1"]


def test_relative_path_of_bess(lab: Lab, tmp_path: Path) -> None:
    with Slirpd("--target-type=bess", "--api-socket=./api", "frames",
                prefix=["env", f"--chdir={tmp_path}"]) as daemon:
        assert sorted(os.listdir(tmp_path)) == ["api", "frames"]
        assert daemon.terminate() == 0
    assert os.listdir(tmp_path) == []


def test_directory_that_is_gone(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    gone = python(f"os.chdir('{tmp_path}/gone'); os.rmdir('{tmp_path}/gone')")
    with Slirpd("--configure", f"--api-socket={tmp_path}/api", guest.pid, "tap0", prefix=gone):
        assert works(guest.netns)
    (tmp_path / "gone").mkdir()
    with start(guest, *PLACED, in_directory=tmp_path, prefix=gone) as daemon:
        assert read_to_eof(daemon.ready_read) == b""
        assert daemon.wait() == 1
        assert "API socket api: make a socket in its directory: No such file" in daemon.stderr


def in_own_mounts(*commands: str) -> dict[str, object]:
    return {"as_ordinary": False, "prefix": [
        "unshare", "--mount", *shell("set -e; " + "; ".join(commands)), *ORDINARY]}


def test_nothing_can_be_written(guest: Guest) -> None:
    """/tmp and all others are read-only, as in many a container."""
    only_read = in_own_mounts(
        "for at in /tmp /var/tmp /run /run/tmp /dev/shm; do mount --bind $at $at; "
        "mount -o remount,bind,ro $at; done; "
        "for at in / /tmp /var/tmp /run /run/tmp /dev/shm; do "
        "if touch $at/x 2>/dev/null; then exit 9; fi; done")
    with Slirpd("--configure", guest.pid, "tap0", **only_read):
        assert works(guest.netns)


@not_sanitized
@pytest.mark.parametrize("target", ("pid", "tapfd"))
def test_no_proc(guest: Guest, target: str) -> None:
    """Then neither the guest can be named by its number, nor is this a build tree; the installed
    programs, which there are none of, would be found."""
    tap = make_tap(guest.netns, "tap0")
    argv = [guest.pid, "tap0"] if target == "pid" else ["--netns-type=tapfd", tap]
    daemon = Slirpd(*argv, pass_fds=(tap,), **in_own_mounts("mount -t tmpfs none /proc")).start()
    try:
        assert daemon.wait() == 1
        assert ": No such file or directory" in daemon.stderr
        assert daemon.stderr.startswith(
            "slirpd: open network namespace /proc/" if target == "pid" else "slirpd: open program /")
    finally:
        os.close(tap)
        daemon.__exit__()


# More than slirpd waits for in one turn: ORPHANS_MAX of src/parent/supervise_children.c.
ORPHANS_N = 200
# Orphans of somebody else become children of slirpd, as all do of PID 1 of a container. They are
# there before slirpd is.
SUBREAPER = python("""
import ctypes
PR_SET_CHILD_SUBREAPER = 36
assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
pid = os.fork()
if pid == 0:
    numbers = open(os.environ["ORPHANS"], "w")
    for _ in range(int(os.environ["ORPHANS_N"])):
        orphan = os.fork()
        if orphan == 0:
            os.closerange(0, 1024)
            signal.pause()
        print(orphan, file=numbers)
    numbers.close()
    os._exit(0)
os.waitpid(pid, 0)
""")


@pytest.mark.parametrize("options", ((), ("--api-socket=api",)), ids=("plain", "api"))
def test_orphans_of_others_are_no_zombies(guest: Guest, tmp_path: Path,
                                       options: tuple[str, ...]) -> None:
    numbers = tmp_path / "orphans"
    directory = tmp_path / "own"
    directory.mkdir()
    with start(guest, *options, in_directory=directory,
               prefix=["env", f"ORPHANS={numbers}", f"ORPHANS_N={ORPHANS_N}",
                       *SUBREAPER]) as daemon:
        assert daemon.wait_ready() == b"1"
        orphans = [int(line) for line in numbers.read_text().split()]
        assert len(orphans) == ORPHANS_N
        # They are all there when slirpd looks, and one signal tells of them.
        os.kill(daemon.pid, signal.SIGSTOP)
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
        for orphan in orphans:
            wait_for("it has ended", lambda orphan=orphan: proc_stat(orphan)[0] == "Z")
        os.kill(daemon.pid, signal.SIGCONT)
        wait_for("the orphans are gone",
                 lambda: not any(Path(f"/proc/{orphan}").exists() for orphan in orphans))
        if options:
            # The api's own death is told by its number, which only the spawner knows at first.
            api = daemon.children()["api"]
            os.kill(api, signal.SIGKILL)
            wait_for("another api", lambda: daemon.children().get("api", api) != api)
            wait_for("it answers", lambda: b"return" in asks_for_rules(f"{directory}/api"))
        assert daemon.terminate() == 0
