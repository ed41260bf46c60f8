#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""In the place of slirpd: the program under test, with every system call written down.

TRACED_PROGRAM is the program, TRACED_DIRECTORY where strace(1) writes, a file for each start.
strace comes from a process of its own that holds none of the caller's descriptors and is no
child of slirpd's, so that tests see the same process tree, and the same ends of files, as
without it.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from pathlib import Path

PR_SET_PTRACER, PR_SET_PTRACER_ANY = 0x59616D61, ctypes.c_ulong(-1)
POLL_S = 0.001


def start_strace(pid: int) -> None:
    if os.fork() > 0:
        os._exit(0)
    null = os.open("/dev/null", os.O_RDWR)
    for fd in range(3):
        os.dup2(null, fd)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    trace = f"{os.environ['TRACED_DIRECTORY']}/{pid}.{time.monotonic_ns()}"
    # Arguments as the kernel gets them, and each process by its name.
    os.execvp("strace", ["strace", "-q", "-f", "--decode-pids=comm", "-e", "raw=all", "-o", trace,
                         "-p", str(pid)])


def is_traced() -> bool:
    return "TracerPid:\t0\n" not in Path("/proc/self/status").read_text()


def main() -> None:
    # Where Yama lets a process trace its own children only (ptrace_scope 1).
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    child = os.fork()
    if child == 0:
        start_strace(os.getppid())
    os.waitpid(child, 0)
    end = time.monotonic() + 20
    while not is_traced():
        if time.monotonic() > end:
            sys.exit("strace does not come")
        time.sleep(POLL_S)
    program = os.environ["TRACED_PROGRAM"]
    # A link of another name is what the caller wants slirpd to be called by.
    called = Path(sys.argv[0] if os.path.islink(sys.argv[0]) else program).name
    os.execv(program, [called, *sys.argv[1:]])


main()
