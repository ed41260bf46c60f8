# SPDX-License-Identifier: BSD-2-Clause
"""Control groups of version 2, for tests that run as real root."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands import sh
from guest import ORDINARY_ID
from waiting import wait_for

ROOT = Path("/sys/fs/cgroup")
# What systemd gives to the user of a delegated control group.
DELEGATED = (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads")


@contextlib.contextmanager
def cgroup2() -> Iterator[Path]:
    """Control groups of the new kind alone, in our mount namespace, on a machine that has both
    kinds. It has no controllers then."""
    if (ROOT / "cgroup.controllers").exists():
        yield ROOT
        return
    sh("mount", "-t", "cgroup2", "none", str(ROOT))
    try:
        yield ROOT
    finally:
        sh("umount", str(ROOT))


def cgroup_of(pid: int | str) -> Path:
    """The control group of a process, as a directory."""
    path = Path(f"/proc/{pid}/cgroup").read_text().splitlines()[-1].removeprefix("0::/")
    return ROOT / path


def enter(group: Path) -> list[str]:
    """The command prefix that runs a program in the control group."""
    return ["sh", "-c", 'echo 0 >"$0" && exec "$@"', str(group / "cgroup.procs")]


def _is_removed(group: Path) -> bool:
    """The kernel refuses while a process is in it, also one that nobody has waited for."""
    with contextlib.suppress(OSError):
        for directory, *_ in os.walk(group, topdown=False):
            os.rmdir(directory)
    return not group.exists()


@contextlib.contextmanager
def delegated_cgroup(*below: str) -> Iterator[Path]:
    """A control group in our own that belongs to the ordinary user, and others below it."""
    group = Path(tempfile.mkdtemp(prefix="slirpd-test-", dir=cgroup_of("self")))
    try:
        for each in (group, *(group / name for name in below)):
            each.mkdir(exist_ok=True)
            for name in DELEGATED:
                os.chown(each / name, ORDINARY_ID, ORDINARY_ID)
        yield group
    finally:
        wait_for("the control group is removed", lambda: _is_removed(group))
