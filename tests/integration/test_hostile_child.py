# SPDX-License-Identifier: BSD-2-Clause
"""A child of slirpd that was taken over: what it can make the parent write, and hide."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator

import ipc
from api_client import execute
from daemon import ABNORMAL_END, Slirpd
from guest import Guest
from lab import works
from processes import borrowed, is_traced, proc_stat
from waiting import DEADLINE_S, wait_for

# Of a child at once: CHILD_LOG_BURST of src/parent/supervise/spawn.c.
LINES_MAX = 64
# In which a sender fills the queue again; and 4096 messages take a few seconds.
READ_DELAY_US = 500


@contextlib.contextmanager
def in_the_name_of(daemon: Slirpd, role: str) -> Iterator[socket.socket]:
    """The child's end of its channel to the parent."""
    with borrowed(daemon.children()[role], ipc.TO_PARENT) as channel:
        yield channel


def say(daemon: Slirpd, role: str, level: int, *texts: bytes) -> None:
    with in_the_name_of(daemon, role) as channel:
        channel.setblocking(True)
        for text in texts:
            channel.send(ipc.log(level, text))


# --- its lines ----------------------------------------------------------------------------------


def test_lines_of_a_child_are_escaped(api: tuple[Slirpd, str]) -> None:
    daemon, _ = api
    say(daemon, "api", ipc.INFO, b"a\nslirpd: b\x1b[2J\x9b\xff\x7f\\c")
    wait_for("the line", lambda: "]: a" in daemon.stderr)
    line = daemon.stderr.partition("]: a")[2].partition("\n")[0]
    assert line == r"\x0aslirpd: b\x1b[2J\x9b\xff\x7f\x5cc"


def test_lines_of_a_child_are_bounded(api: tuple[Slirpd, str]) -> None:
    daemon, path = api
    say(daemon, "api", ipc.INFO, *(b"chatter %d" % number for number in range(10 * LINES_MAX)))
    # The parent reads the question behind the lines.
    execute(path, "query_status")
    assert daemon.stderr.count("chatter") == LINES_MAX
    # Last words are heard, once.
    say(daemon, "api", ipc.FATAL, b"last words", b"more last words")
    execute(path, "query_status")
    assert daemon.stderr.count("last words") == 1


# --- its death ----------------------------------------------------------------------------------


def hide_death(daemon: Slirpd, role: str) -> None:
    """It uses up its lines, gives a reason of its own, and breaks its filter."""
    pid = daemon.children()[role]
    say(daemon, role, ipc.INFO, *(b"chatter" for _ in range(2 * LINES_MAX)))
    say(daemon, role, ipc.FATAL, b"all is well")
    wait_for("the reason", lambda: "all is well" in daemon.stderr)
    os.kill(pid, signal.SIGSYS)


def test_worker_can_not_hide_that_it_broke_its_filter(api: tuple[Slirpd, str]) -> None:
    daemon, _ = api
    hide_death(daemon, "slirp-worker")
    wait_for("its death is told", lambda: re.search(
        r"^slirpd: slirp-worker was killed by SIGSYS .*; starting it again$", daemon.stderr, re.M))


def test_api_can_not_hide_that_it_broke_its_filter(api: tuple[Slirpd, str]) -> None:
    daemon, path = api
    for number in range(1, 4):
        hide_death(daemon, "api")
        assert execute(path, "query_status")["return"]["restarts"]["api"] == number
        wait_for("its death is told", lambda: number == len(re.findall(
            r"^slirpd: api was killed by SIGSYS .*; starting it again$", daemon.stderr, re.M)))


def test_api_that_changes_a_policy_that_is_not_there_is_ended(api: tuple[Slirpd, str],
                                                              guest: Guest) -> None:
    daemon, path = api
    with in_the_name_of(daemon, "api") as channel:
        channel.send(ipc.message("change_policy", bytes(8)))
    wait_for("it is ended", lambda: re.search(
        r"^slirpd: api\[\d+\] broke the protocol: policy: change_policy without its rows; ending it$",
        daemon.stderr, re.M))
    wait_for("another one answers", lambda: "return" in execute(path, "query_status"))
    assert works(guest.netns)


def test_worker_that_says_that_the_tap_is_gone_does_not_hide_its_death(guest: Guest) -> None:
    """slirpd ends of what it said, and tells of its death all the same."""
    with Slirpd("--configure", guest.pid, "tap0", abnormal=True) as daemon:
        worker = daemon.children()["slirp-worker"]
        # All that follows is there when the parent looks.
        os.kill(daemon.pid, signal.SIGSTOP)
        with in_the_name_of(daemon, "slirp-worker") as channel:
            channel.send(ipc.message("tap_gone", bytes(8)))
        os.kill(worker, signal.SIGSYS)
        wait_for("it has ended", lambda: proc_stat(worker)[0] == "Z")
        os.kill(daemon.pid, signal.SIGCONT)
        assert daemon.wait() == 1
        assert "the TAP device is gone" in daemon.stderr
        assert "slirp-worker was killed by SIGSYS" in daemon.stderr


def test_child_that_does_not_end_in_order_is_told_at_the_end(guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0", abnormal=True) as daemon:
        worker = daemon.children()["slirp-worker"]
        os.kill(daemon.pid, signal.SIGSTOP)
        daemon.process.terminate()
        os.kill(worker, signal.SIGABRT)
        wait_for("it has ended", lambda: proc_stat(worker)[0] == "Z")
        os.kill(daemon.pid, signal.SIGCONT)
        assert daemon.wait() == 1
        assert re.search(rf"^slirpd: slirp-worker was killed by SIGABRT .*{ABNORMAL_END}",
                         daemon.stderr, re.M)


def flood(channel: socket.socket) -> None:
    """Questions of the api's, until the parent hangs up."""
    question = ipc.message("get_status", bytes(8))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        while True:
            channel.send(question)


def test_channel_of_a_dead_child_keeps_nobody_busy(api: tuple[Slirpd, str],
                                                   tools: Callable) -> None:
    """The api can have handed its end of the channel to somebody who goes on sending, and faster
    than the parent reads: a tracer slows it down."""
    tools("strace")
    daemon, path = api
    pid = daemon.children()["api"]
    strace = ["strace", "-q", "-o", "/dev/null", "-p", str(daemon.pid),
              "-e", f"inject=recvmsg:delay_exit={READ_DELAY_US}"]
    with in_the_name_of(daemon, "api") as channel, \
            subprocess.Popen(strace, stderr=subprocess.DEVNULL) as tracer:
        wait_for("it is traced", lambda: is_traced(daemon.pid))
        # It would end itself of the answers.
        os.kill(pid, signal.SIGSTOP)
        # Who waits for room in the queue is quick to fill it again.
        channel.setblocking(True)
        flooders = [multiprocessing.Process(target=flood, args=(channel,), daemon=True)
                    for _ in range(3)]
        for flooder in flooders:
            flooder.start()
        try:
            os.kill(pid, signal.SIGKILL)
            for flooder in flooders:
                flooder.join(DEADLINE_S)
            assert [flooder.exitcode for flooder in flooders] == [0, 0, 0]
        finally:
            for flooder in flooders:
                flooder.kill()
                flooder.join()
            tracer.terminate()
    assert execute(path, "query_status")["return"]["restarts"]["api"] == 1, daemon.stderr
