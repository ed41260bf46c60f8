# SPDX-License-Identifier: BSD-2-Clause
"""How slirpd starts, ends, and what it leaves: nothing, whoever dies first."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import frames
import pytest
from commands import sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab, works
from limits import fill_pipe, limit_namespaces
from processes import all_pids, cpu_ticks, descendants, fd_table, holdings, proc_stat
from tree import SANITIZED
from waiting import read_to_eof, wait_for

STARTS = 100
# Far above what one start holds, far below what a leak of one per start would need.
NAMESPACES_AT_ONCE = 40
NO_LIMIT = 2**31 - 1


def assert_tap_is_gone(guest: Guest) -> None:
    """Nobody holds the TAP any more, so the kernel has taken it away."""
    wait_for("the TAP is gone", lambda: guest.links() == {"lo"})


# --- ready-fd and exit-fd ---------------------------------------------------------------------


def test_ready_fd_says_1_then_end_of_file(guest: Guest) -> None:
    daemon = Slirpd("--configure", guest.pid, "tap0")
    daemon.start()
    try:
        assert daemon.wait_ready() == b"1"
        assert works(guest.netns)
    finally:
        daemon.__exit__()


def test_failed_start_says_nothing_on_ready_fd(guest: Guest) -> None:
    daemon = Slirpd("--configure", guest.pid, "a-name-of-16-chr")
    daemon.start()
    try:
        assert read_to_eof(daemon.ready_read) == b""
        assert daemon.wait() == 2
    finally:
        daemon.__exit__()


def test_exit_fd_hang_up_ends_with_0(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0", exit_fd=True) as daemon:
        assert works(guest.netns)
        daemon.hang_up()
        assert daemon.wait() == 0
        assert_tap_is_gone(guest)


def test_data_on_exit_fd_is_ignored(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0", exit_fd=True) as daemon:
        for _ in range(5):
            os.write(daemon.exit_write, b"x" * 1000)
            assert works(guest.netns)
        assert daemon.process.poll() is None
        os.write(daemon.exit_write, b"x")
        daemon.hang_up()
        assert daemon.wait() == 0


def test_unread_data_on_exit_fd_makes_nothing_spin(guest: Guest) -> None:
    """Level-triggered data that is never read would wake a loop for ever."""
    with Slirpd("--configure", guest.pid, "tap0", exit_fd=True) as daemon:
        os.write(daemon.exit_write, b"x" * 1000)
        before = cpu_ticks(daemon.pid)
        for _ in range(300):
            assert works(guest.netns)
        used = cpu_ticks(daemon.pid) - before
        # A parent that is on no packet path has nothing to do meanwhile.
        assert used <= 10, f"the parent used {used} ticks"


def at_fds(numbers: dict[int, int]) -> list[str]:
    """A command prefix that moves descriptors to fixed numbers: {wanted: given}."""
    moves = " ".join(f"{want}<&{have} {have}<&-" for want, have in numbers.items())
    return ["bash", "-c", f'exec "$@" {moves}', "bash"]


@contextmanager
def high_pipe() -> Iterator[tuple[int, int]]:
    """A pipe well above the numbers that a test assigns."""
    low = os.pipe()
    high = tuple(fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in low)
    for fd in low:
        os.close(fd)
    try:
        yield high
    finally:
        for fd in high:
            try:
                os.close(fd)
            except OSError:
                pass  # the test has closed it


@pytest.mark.parametrize("ready_number,exit_number", ((3, 4), (4, 3), (0, 1), (9, 200)))
def test_any_two_numbers_serve_as_ready_and_exit_fd(guest: Guest, ready_number: int,
                                                    exit_number: int) -> None:
    with high_pipe() as (ready_read, ready_write), high_pipe() as (exit_read, exit_write):
        prefix = at_fds({ready_number: ready_write, exit_number: exit_read})
        daemon = Slirpd("-c", "-r", ready_number, "-e", exit_number, guest.pid, "tap0",
                        ready=False, prefix=prefix, pass_fds=(ready_write, exit_read))
        with daemon:
            os.close(ready_write)
            os.close(exit_read)
            assert read_to_eof(ready_read) == b"1"
            assert works(guest.netns)
            os.close(exit_write)
            assert daemon.wait() == 0


# --- signals ----------------------------------------------------------------------------------


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
def test_signal_ends_with_0_and_leaves_nothing(guest: Guest, number: signal.Signals) -> None:
    before = holdings()
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        daemon.process.send_signal(number)
        assert daemon.wait() == 0
        assert_tap_is_gone(guest)
    wait_for("all is as it was", lambda: holdings() == before)


def test_sigkill_of_the_parent_frees_everything(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        daemon.kill()
        daemon.wait_family_gone()
        assert_tap_is_gone(guest)


def test_sigkill_of_the_parent_before_ready_frees_everything(guest: Guest) -> None:
    """At many moments of the start; what has been begun by then must not go on alone."""
    for _ in range(20):
        before = all_pids()
        daemon = Slirpd("--configure", guest.pid, "tap0").start()
        wait_for("a child or ready", lambda: descendants(daemon.pid) or daemon.stdout)
        daemon.kill()
        wait_for("nothing is left of the start", lambda: not all_pids() - before)
        daemon.__exit__()
    assert_tap_is_gone(guest)


ROLES = ("slirp-worker", "connector", "resolver")


@pytest.mark.parametrize("role", ROLES)
def test_sigkill_of_a_child_that_is_not_started_again_ends_the_daemon(guest: Guest,
                                                                      role: str) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        os.kill(daemon.children()[role], signal.SIGKILL)
        assert daemon.wait() == 1
        assert re.search(f"^slirpd: {role} was killed by SIGKILL .*; ending$", daemon.stderr, re.M)
        assert_tap_is_gone(guest)


@pytest.mark.parametrize("role", ROLES)
def test_child_that_stands_still_does_not_keep_the_daemon(guest: Guest, role: str) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        os.kill(daemon.children()[role], signal.SIGSTOP)
        daemon.terminate()
        assert re.search(rf"{role}\[\d+\] does not end by itself; killing it", daemon.stderr)
        assert_tap_is_gone(guest)


def test_every_long_lived_child_is_in_the_table_above(network: Slirpd) -> None:
    assert set(network.children()) == {*ROLES, "spawner"}


# --- the namespace goes away ------------------------------------------------------------------

NOBODY = "nobody uses the network namespace any more; ending"


@contextmanager
def little_cpu() -> Iterator[None]:
    """Whatever ends within the block has used less than half a second of CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 0.5, f"{used:.2f} s of CPU time"


def test_target_that_dies_ends_the_daemon(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        with little_cpu():
            guest.end()
            assert daemon.wait() == 0
        assert NOBODY in daemon.stderr


def test_another_process_in_the_namespace_keeps_the_daemon(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        other = guest.start("cat", stdin=-1, stdout=-1)
        with other:
            other.stdin.write(b"\n")
            other.stdin.flush()
            other.stdout.read(1)  # from here on it is in the namespace
            guest.end()
            for _ in range(20):
                assert works(f"/proc/{other.pid}/ns/net")
            assert daemon.process.poll() is None
            other.kill()
        assert daemon.wait() == 0
        assert NOBODY in daemon.stderr


def test_deleted_tap_ends_the_daemon_without_spinning(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        with little_cpu():
            guest.run("ip", "link", "del", "tap0")
            assert daemon.wait() == 1
        assert "the TAP device is gone: No such device; ending" in daemon.stderr


def test_tap_that_is_down_makes_nothing_spin(guest: Guest) -> None:
    """A TAP that is down is not gone: the daemon waits, and goes on when it is up again."""
    with Slirpd("--configure", guest.pid, "tap0") as daemon:
        guest.run("ip", "link", "set", "tap0", "down")
        before = sum(map(cpu_ticks, daemon.pids()))
        for _ in range(50):
            guest.run("ip", "link")
        used = sum(map(cpu_ticks, daemon.pids())) - before
        assert used <= 5, f"{used} ticks of CPU time with the TAP down"
        guest.run("ip", "link", "set", "tap0", "up")
        guest.run("ip", "route", "replace", "default", "via", "10.0.2.2")
        assert works(guest.netns)


# --- output and descriptors -------------------------------------------------------------------


def spoilt_frames(guest: Guest, count: int) -> list[bytes]:
    return list(frames.malformed(
        frames.samples("02:00:00:00:00:01", "10.0.2.100", "fd00::100", INTERNET4,
                       INTERNET6), count, seed=3))


def test_stderr_that_nobody_reads_stops_nothing(guest: Guest) -> None:
    read_fd, write_fd = fill_pipe()
    try:
        with Slirpd("--configure", guest.pid, "tap0", stderr=write_fd) as daemon:
            with raw_port(guest) as port:
                port.send(*spoilt_frames(guest, 5000))  # whatever it has to say about these
            assert works(guest.netns)
            assert daemon.terminate() == 0
    finally:
        os.close(read_fd)
        os.close(write_fd)


def test_stderr_whose_reader_is_gone_stops_nothing(guest: Guest) -> None:
    read_fd, write_fd = os.pipe()
    os.close(read_fd)
    try:
        with Slirpd("--configure", guest.pid, "tap0", stderr=write_fd) as daemon:
            assert works(guest.netns)
            assert daemon.terminate() == 0
    finally:
        os.close(write_fd)


def raw_port(guest: Guest) -> frames.RawPort:
    sock = guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW)
    return frames.RawPort(sock, "tap0", "10.0.2.100", "10.0.2.2")


@pytest.mark.parametrize("closed", ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"))
def test_closed_stdio_is_no_obstacle(guest: Guest, closed: str) -> None:
    prefix = ["bash", "-c", f'exec "$@" {closed}', "bash"]
    with Slirpd("--configure", guest.pid, "tap0", exit_fd=True, prefix=prefix) as daemon:
        assert works(guest.netns)
        daemon.hang_up()
        assert daemon.wait() == 0


def test_children_hold_no_descriptor_of_the_caller(guest: Guest) -> None:
    """Neither those that slirpd was told about nor one that the caller forgot to close."""
    with high_pipe() as (_, surplus):
        with Slirpd("--configure", "--disable-sandbox", guest.pid, "tap0", exit_fd=True,
                    pass_fds=(surplus,)) as daemon:
            children = daemon.children()
            assert children, "no children"
            callers = {os.readlink(f"/proc/self/fd/{fd}")
                       for fd in (surplus, daemon.ready_read, daemon.exit_write)}
            if not SANITIZED:
                callers.add(os.readlink(f"/proc/{daemon.pid}/fd/2"))
            for role, pid in children.items():
                held = set(fd_table(pid).values()) & callers
                assert not held, f"{role} holds {held}"


# What a role may hold besides sockets, by the text of the link in /proc/PID/fd.
MAY_HOLD = {
    "parent": r"socket:|pipe:|anon_inode:\[?(pidfd|signalfd|eventpoll|timerfd|eventfd|inotify)"
              r"|/dev/net/tun|/dev/null|.*slirpd-|(net|user):\[|/tmp/#\d+|/run/tmp/#\d+|pidfd:",
    "slirp-worker": r"socket:|anon_inode:\[?(eventfd|eventpoll|timerfd)|/dev/net/tun|/dev/null"
                    + (r"|/run/tmp/#\d+" if SANITIZED else ""),
    "spawner": r"socket:|/dev/null|.*/slirpd-" + (r"|/run/tmp/#\d+" if SANITIZED else ""),
    "resolver": r"socket:|/dev/null" + (r"|/run/tmp/#\d+" if SANITIZED else ""),
    "connector": r"socket:|/dev/null" + (r"|/run/tmp/#\d+" if SANITIZED else ""),
}


def test_processes_hold_only_what_their_role_needs(guest: Guest) -> None:
    """Without the sandbox, in which nobody may look at a process's descriptors."""
    with Slirpd("--configure", "--disable-sandbox", guest.pid, "tap0") as daemon:
        for role, pid in {"parent": daemon.pid, **daemon.children()}.items():
            surplus = {fd: what for fd, what in fd_table(pid).items()
                       if not re.match(MAY_HOLD[role], what)}
            assert not surplus, f"{role} holds {surplus}"


# --- many times -------------------------------------------------------------------------------


def new_guest() -> Guest | None:
    """A guest, or None while the namespaces of earlier ones are still being taken down."""
    try:
        return Guest().__enter__()
    except OSError:
        return None


def start_and_stop(stop: Callable[[Slirpd], object], status: int) -> None:
    guest = wait_for("room for another namespace", new_guest)
    try:
        with Slirpd("--configure", guest.pid, "tap0", exit_fd=True) as daemon:
            stop(daemon)
            assert daemon.wait() == status
    finally:
        guest.end()


def test_100_starts_and_stops_leave_nothing(lab: Lab) -> None:
    """A namespace that leaked would use up the few that this test allows itself."""
    ways = (
        (Slirpd.terminate, 0),
        (Slirpd.hang_up, 0),
        (Slirpd.kill, -signal.SIGKILL),
    )
    before = holdings()
    limit_namespaces(NAMESPACES_AT_ONCE)
    try:
        for number in range(STARTS):
            start_and_stop(*ways[number % len(ways)])
    finally:
        limit_namespaces(NO_LIMIT)
    wait_for("as before", lambda: holdings() == before)


# --- found by attacking it --------------------------------------------------------------------


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
def test_signal_to_the_whole_group_during_the_start_is_an_end_in_order(guest: Guest,
                                                                       number: int) -> None:
    """As ^C or a service manager sends it. Before main() has begun the signal itself ends the
    process; from then on the status is 0, however far the children are."""
    for _ in range(40):
        daemon = Slirpd("--configure", guest.pid, "tap0", prefix=["setsid"])
        daemon.start()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(daemon.pid, number)
        if daemon.process.poll() is None:
            wait_for("slirpd has begun or ended", lambda: daemon.process.poll() is not None
                     or descendants(daemon.pid))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(daemon.pid, number)
        status = daemon.wait()
        assert status in (0, -number), daemon.stderr
        daemon.__exit__()


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
def test_signal_to_the_whole_group_in_service_ends_no_child(guest: Guest, number: int) -> None:
    """The parent is stopped meanwhile, so nothing but the signal can end them."""
    with Slirpd("--configure", guest.pid, "tap0", prefix=["setsid"]) as daemon:
        children = daemon.children()
        os.kill(daemon.pid, signal.SIGSTOP)
        try:
            wait_for("the parent is stopped", lambda: proc_stat(daemon.pid)[0] == "T")
            os.killpg(daemon.pid, number)
            # A packet is answered after the signal is there.
            assert works(guest.netns)
            assert daemon.children() == children
        finally:
            os.kill(daemon.pid, signal.SIGCONT)
        assert daemon.wait() == 0, daemon.stderr


def test_terminal_that_nobody_reads_stops_nothing(guest: Guest) -> None:
    """A terminal can block where a pipe would not, and it is the caller's to keep."""
    reader, terminal = os.openpty()
    try:
        with Slirpd("--configure", guest.pid, "tap0", stderr=terminal) as daemon:
            for _ in range(300):
                daemon.process.send_signal(signal.SIGUSR1)
                assert works(guest.netns)
            assert daemon.terminate() == 0
        assert not fcntl.fcntl(terminal, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        os.close(reader)
        os.close(terminal)


@pytest.mark.parametrize("length", (60, 600, 700, 100_000))
def test_long_name_of_the_program_is_cut(length: int) -> None:
    done = run_slirpd("--mtu=0", "1", "tap0",
                      prefix=["bash", "-c", f'exec -a "$(printf %{length}s x)" "$@"', "bash"])
    assert done.returncode == 2
    assert done.stderr.endswith(': --mtu: "0" is not a number from 1 to 65521\n')
    assert len(done.stderr) < 200


def test_ready_fd_that_takes_nothing_is_a_failed_start(guest: Guest) -> None:
    """Whoever waits for that byte would wait for ever."""
    read_fd, write_fd = os.pipe()
    try:
        done = run_slirpd("--configure", f"--ready-fd={read_fd}", guest.pid, "tap0",
                          pass_fds=(read_fd,))
    finally:
        os.close(read_fd)
        os.close(write_fd)
    assert done.returncode == 1
    assert "--ready-fd" in done.stderr


def test_namespace_that_only_a_descriptor_holds_counts_as_used(guest: Guest) -> None:
    """Nothing tells of its end, and a change of the mount table tells nothing about it."""
    with open(guest.netns, "rb") as held:
        guest.end()
        path = f"/proc/self/fd/{held.fileno()}"
        with Slirpd("--configure", "--netns-type=path", path, "tap0",
                    pass_fds=(held.fileno(),)) as daemon:
            for _ in range(5):
                sh("mount", "-t", "tmpfs", "none", "/mnt")
                sh("umount", "/mnt")
            assert works(path)
            assert daemon.process.poll() is None


def test_sigusr1_prints_the_counters(guest: Guest, network: Slirpd) -> None:
    assert works(guest.netns)
    network.process.send_signal(signal.SIGUSR1)

    def counted(name: str) -> re.Match[str] | None:
        return re.search(rf"^slirpd: stats: {name} (\d+)$", network.stderr, re.M)

    for name in ("frames_from_guest", "bytes_to_guest"):
        assert int(wait_for(f"{name} is printed", lambda: counted(name))[1]) > 0
