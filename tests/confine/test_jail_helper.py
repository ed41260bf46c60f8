# SPDX-License-Identifier: BSD-2-Clause
"""The jail of the netns-helper from outside, while it makes the TAP: a filter on top of its own
holds it in that call, as its whole life takes some milliseconds; see test_jail_daemon.py."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import test_jail_daemon as D
from commands import ORDINARY
from daemon import Slirpd
from guest import Guest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from processes import all_pids
from waiting import DEADLINE_S, wait_for

HOLD_TAP = str(Path(__file__).parent / "hold_tap.py")


@contextlib.contextmanager
def held_helper(guest: Guest, *, as_ordinary: bool = True) -> Iterator[tuple[Slirpd, int]]:
    """A daemon that is starting, and its helper, in its jail and about to make the TAP."""
    ours, theirs = socket.socketpair()
    with contextlib.ExitStack() as stack:
        stack.enter_context(ours)
        stack.enter_context(theirs)
        prefix = [sys.executable, "-B", HOLD_TAP, str(theirs.fileno())]
        daemon = stack.enter_context(Slirpd(
            "--configure", guest.pid, "tap0", ready=False, prefix=prefix,
            pass_fds=(theirs.fileno(),), as_ordinary=as_ordinary))
        ours.settimeout(DEADLINE_S)
        _, (listener,), _, _ = socket.recv_fds(ours, 1, 1)
        # Before the daemon is ended: a helper that outlives it goes on, and fails.
        stack.callback(daemon.kill)
        stack.callback(os.close, listener)
        readable, _, _ = select.select([listener], [], [], DEADLINE_S)
        assert readable, f"nobody makes a TAP:\n{daemon.stderr}"
        yield daemon, daemon.children()["netns-helper"]


def is_in_the_guest(pid: int, guest: Guest) -> bool:
    return D.namespaces_of(pid)["user"] == os.readlink(guest.userns)


def test_limits_of_the_helper(guest: Guest) -> None:
    with held_helper(guest) as (_, helper):
        D.assert_limits(helper, D.LIMITS_OF_ZERO["netns-helper"])


def test_status_of_the_helper(guest: Guest) -> None:
    with held_helper(guest) as (daemon, helper):
        status = D.status_of(helper)
        assert status["NoNewPrivs"] == status["Threads"] == "1"
        assert D.n_own_filters(helper) == 2  # one holds it
        assert is_in_the_guest(helper, guest)
        assert D.foreign_namespaces(daemon.pid) == set()


@pytest.mark.parametrize("what", ("root/", "fd/", "maps", "mem", "environ"))
def test_the_same_user_cannot_look_into_the_helper(guest: Guest, what: str) -> None:
    tool = "ls" if what.endswith("/") else "head"
    with held_helper(guest) as (_, helper):
        done = subprocess.run([*ORDINARY, tool, "--", f"/proc/{helper}/{what}"],
                              capture_output=True, text=True)
        assert done.returncode != 0
        assert "Permission denied" in done.stderr


def test_sigkill_of_the_parent_ends_a_helper_that_does_nothing(guest: Guest) -> None:
    """It would not see the end of its channel."""
    with held_helper(guest) as (daemon, helper):
        assert is_in_the_guest(helper, guest)
        daemon.kill()
        wait_for("the helper is gone", lambda: helper not in all_pids())
