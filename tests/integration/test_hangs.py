# SPDX-License-Identifier: BSD-2-Clause
"""A process of slirpd stands still: slirpd notices, ends it, and goes on as after a death."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import api_client
import pytest
from daemon import Slirpd
from guest import Guest
from lab import Lab, works
from load import FORWARDED_PORT, GUEST_PORT, Load, name_is_found
from processes import stopped
from test_chaos import POLICY, is_denied
from waiting import wait_for

# Those that the spawner starts again.
AGAIN = ("slirp-worker", "connector", "resolver", "api")
# Less than any deadline of slirpd, and enough to fill queues.
SHORT_S = 1.5
# Twice the 30 s of START_TIMEOUT_MS (src/parent/supervise/start.h): the longest of all deadlines.
HANG_S = 60

One = tuple[Guest, Slirpd, Path]


@pytest.fixture
def several(lab: Lab, tmp_path: Path) -> Iterator[Callable[..., One]]:
    """Each with a guest of its own, so that all hang at the same time."""
    with contextlib.ExitStack() as stack:
        def make(name: str, start: Callable[[Slirpd], object] = Slirpd.__enter__, *options: str,
                 **kwargs: Any) -> One:
            guest = stack.enter_context(Guest())
            path = tmp_path / f"{name}.sock"
            daemon = Slirpd("--configure", f"--api-socket={path}", *options, guest.pid, "tap0", abnormal=True,
                            **kwargs)
            stack.push(daemon.__exit__)
            start(daemon)
            return guest, daemon, path

        yield make


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "rules.policy"
    path.write_text(POLICY)
    return f"--policy={path}"


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def is_ready(daemon: Slirpd) -> bool:
    return "slirpd: ready: " in daemon.stderr


def next_of(daemon: Slirpd, role: str, old: int, deadline_s: float = HANG_S) -> int:
    return wait_for(f"another {role}", lambda: {old: 0}.get(
        pid := daemon.children().get(role, old), pid), deadline_s)


def test_process_that_stands_still_is_replaced(several: Callable[..., One], policy: str) -> None:
    """In service, under a policy, and at its restart."""
    hung = []
    for role in AGAIN:
        for when in ("service", "restart"):
            made = several(f"{role}-{when}", Slirpd.__enter__, *([policy] if when == "service" else []))
            pid = made[1].children()[role]
            if when == "restart":
                os.kill(pid, signal.SIGKILL)
                pid = next_of(made[1], role, pid)
            stop(pid)
            hung.append((role, when, pid, made))
    for role, when, pid, (guest, daemon, path) in hung:
        next_of(daemon, role, pid)
        assert f"{role}[{pid}] hangs" in daemon.stderr
        assert works(guest.netns)
        wait_for("a name", lambda guest=guest: name_is_found(guest))
        assert "return" in api_client.execute(str(path), "query_connections")
        if when == "service":
            assert is_denied(guest)


def test_slirpd_ends_if_its_spawner_stands_still(several: Callable[..., One]) -> None:
    """Nothing is asked of it before a death."""
    _, daemon, _ = several("spawner")
    spawner = daemon.children()["spawner"]
    stop(spawner)
    os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
    assert daemon.wait(HANG_S) == 1
    assert f"spawner[{spawner}] hangs: no slirp-worker is ready" in daemon.stderr
    assert "without the spawner slirp-worker can't be started again; ending" in daemon.stderr


def test_start_in_which_a_process_stands_still_fails(several: Callable[..., One], policy: str) -> None:
    """The policy-reader waits for the end of a text, so that it is there to be stopped."""
    roles = ("netns-helper", "spawner", *AGAIN)

    def start_and_stop(daemon: Slirpd) -> None:
        """Stops it as soon as it is there. A helper may have ended before anybody looks."""
        daemon.start()
        pid = wait_for(f"{role} is there, or slirpd is ready", lambda: daemon.children().get(role) or
                       is_ready(daemon) and -1)
        if pid != -1:
            with contextlib.suppress(ProcessLookupError):
                stop(pid)

    started = {}
    for role in roles:
        _, started[role], path = several(role, start_and_stop, policy)
    role = "policy"
    text, end = os.pipe()
    _, started[role], path = several(role, start_and_stop, f"--policy=/dev/fd/{text}", pass_fds=(text,))
    os.close(text)
    n_failed = 0
    for role, daemon in started.items():
        # A process may have been ready before it was stopped.
        if is_ready(daemon):
            daemon.terminate()
            continue
        n_failed += 1
        assert daemon.wait(HANG_S) == 1, role
        assert re.search(r"^slirpd: not ready after 30 s; ending$", daemon.stderr, re.M), role
    os.close(end)
    assert n_failed > 0 and not is_ready(started["policy"])
    assert not any(path.parent.glob("*.sock"))


def test_short_stop_harms_nobody(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "api.sock"
    with Slirpd("--configure", f"--api-socket={path}",
                f"--publish=127.0.0.1:{FORWARDED_PORT}:{GUEST_PORT}", guest.pid, "tap0") as daemon, \
            contextlib.ExitStack() as stack:
        load = Load(guest, str(path), stack)
        load.check(False)
        before = daemon.children()
        for pid in (daemon.pid, *before.values()):
            with stopped(pid):
                time.sleep(SHORT_S)
            load.check(False)
        assert daemon.children() == before
