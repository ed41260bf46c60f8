# SPDX-License-Identifier: BSD-2-Clause
"""Processes as /proc shows them, their descriptors, and what they may have left behind."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from commands import sh
from waiting import POLL_S, wait_for

# The same number on every architecture, as of all calls since Linux 5.1.
SYS_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)


def proc_stat(pid: int) -> list[str] | None:
    """/proc/PID/stat from the state field on (index 0), or None when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rsplit(")", 1)[1].split()


def all_pids() -> set[int]:
    """Every live process of this PID namespace; zombies are not live."""
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    stats = ((pid, proc_stat(pid)) for pid in pids)
    return {pid for pid, stat in stats if stat and stat[0] not in "ZX"}


def descendants(pid: int) -> list[int]:
    """All live processes below pid, parents first."""
    children: dict[int, list[int]] = {}
    for other in all_pids():
        stat = proc_stat(other)
        if stat:
            children.setdefault(int(stat[1]), []).append(other)
    found: list[int] = []
    queue = [pid]
    while queue:
        below = sorted(children.get(queue.pop(), []))
        found += below
        queue += below
    return found


def program_of(pid: int) -> str:
    """The file name of the program that pid runs, '' when it is gone."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""


def comm_of(pid: int) -> str:
    """What ps calls pid, '' when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def is_busy(pid: int) -> bool:
    """Whether it runs, or wants to, whenever one looks; a timer may go off once."""
    states = []
    for _ in range(20):
        states.append(proc_stat(pid)[0])
        time.sleep(POLL_S)
    return states.count("R") > 2


def is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def cpu_ticks(pid: int) -> int:
    """User and system time of pid, in clock ticks (1/100 s)."""
    stat = proc_stat(pid)
    return int(stat[11]) + int(stat[12]) if stat else 0


def pss_kib(pids: Iterable[int]) -> int:
    """Proportional set size of some processes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
    return total


def fd_table(pid: int) -> dict[int, str]:
    """What each descriptor of pid is."""
    table = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            table[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return table


def fds_of(pid: int, n_max: int = 1024) -> dict[int, str]:
    """Like fd_table, for a process whose /proc/PID/fd nobody but real root may list:
    borrows one descriptor after the other."""
    pidfd = os.pidfd_open(pid)
    table = {}
    try:
        for number in range(n_max):
            fd = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
            if fd == -1:
                assert ctypes.get_errno() == errno.EBADF, os.strerror(ctypes.get_errno())
                continue
            table[number] = os.readlink(f"/proc/self/fd/{fd}")
            os.close(fd)
    finally:
        os.close(pidfd)
    return table


@contextlib.contextmanager
def borrowed(pid: int, number: int) -> Iterator[socket.socket]:
    """A socket of another process, to speak in its name. Waits until the process has it."""
    pidfd = os.pidfd_open(pid)

    def borrow() -> int:
        fd = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
        assert fd != -1
        if stat.S_ISSOCK(os.fstat(fd).st_mode):
            return fd
        os.close(fd)
        return 0

    try:
        with socket.socket(fileno=wait_for(f"descriptor {number} is a socket", borrow)) as sock:
            yield sock
    finally:
        os.close(pidfd)


@contextlib.contextmanager
def taken_over(pid: int, number: int) -> Iterator[socket.socket]:
    """A process that stands still from now on, and its end of a channel: what it would do, the
    caller does. It has read the greeting."""
    parent = int(proc_stat(pid)[1])

    def is_greeted() -> bool:
        # The parent has sent the other end of the channel, and whoever got it has nothing left to do.
        return all((proc_stat(it) or "S")[0] in "ST" for it in (parent, *descendants(parent))) and (
            not first_unread(sock))

    with borrowed(pid, number) as sock:
        wait_for("the greeting is read", is_greeted)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield sock
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def first_unread(sock: socket.socket) -> bytes:
    """The message stays where it is."""
    try:
        return sock.recv(1 << 16, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """What comes meanwhile comes all at once for the process."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def no_process_left() -> Iterator[None]:
    """No test leaves a process behind, whoever started it."""
    before = all_pids()
    yield
    wait_for("no process is left of the test", lambda: not all_pids() - before)


def holdings() -> dict[str, Any]:
    """What a daemon could leave behind: processes, sockets, mounts, interfaces, files."""
    unix = Path("/proc/net/unix").read_text().count("\n")
    inet = sum(Path(f"/proc/net/{name}").read_text().count("\n")
               for name in ("udp", "udp6", "raw", "raw6", "icmp", "icmp6", "packet"))
    return {
        "processes": all_pids(),
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "sockets": (unix, inet),
        "links": sh("ip", "-o", "link").stdout.count("\n"),
        "files": sorted(os.listdir("/run")) + sorted(os.listdir(tempfile.gettempdir())),
    }
