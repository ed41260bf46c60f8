# SPDX-License-Identifier: BSD-2-Clause
"""Limits that a test sets for a process or a namespace."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
from collections.abc import Iterator
from pathlib import Path


def limited(name: str, soft: int, hard: int | None = None) -> list[str]:
    """A command prefix: prlimit(1), with the same limit for both unless two are given."""
    return ["prlimit", f"--{name}={soft}:{soft if hard is None else hard}", "--"]


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """For a test that holds both ends of many connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def nofile_soft_1024() -> None:
    """Children get the usual soft limit: the lab itself needs more, and would hide a need."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def limit_namespaces(more: int) -> None:
    """Lets this user namespace hold only so many more of each kind: a leak becomes ENOSPC."""
    for kind in ("net", "user", "mnt", "pid", "ipc", "uts", "cgroup"):
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text(f"{more}\n")


def fill_pipe() -> tuple[int, int]:
    """A pipe (read end, write end) that takes not one byte more."""
    read_fd, write_fd = os.pipe()
    flags = fcntl.fcntl(write_fd, fcntl.F_GETFL)
    fcntl.fcntl(write_fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_fd, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_fd, b"x")
    fcntl.fcntl(write_fd, fcntl.F_SETFL, flags)
    return read_fd, write_fd
