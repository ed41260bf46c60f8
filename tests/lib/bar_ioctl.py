# SPDX-License-Identifier: BSD-2-Clause
"""bar_ioctl.py REQUEST=ERRNO COMMAND [ARG]...: COMMAND, for which the kernel refuses this ioctl
where its argument is not 0. What an older kernel, or another program's filter, does."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

REQUESTS = {"TUNSETOFFLOAD": 0x400454D0}
IOCTL = {"x86_64": 16, "aarch64": 29}[platform.machine()]

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
# struct seccomp_data: the number, and the lower halves of the arguments.
NUMBER, ARG1, ARG2 = 0, 24, 32

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    request, error = sys.argv[1].split("=")
    program = b"".join((
        struct.pack("HBBI", LOAD, 0, 0, NUMBER),
        struct.pack("HBBI", JUMP_IF_EQUAL, 0, 5, IOCTL),
        struct.pack("HBBI", LOAD, 0, 0, ARG1),
        struct.pack("HBBI", JUMP_IF_EQUAL, 0, 3, REQUESTS[request]),
        struct.pack("HBBI", LOAD, 0, 0, ARG2),
        struct.pack("HBBI", JUMP_IF_EQUAL, 1, 0, 0),
        struct.pack("HBBI", RETURN, 0, 0, RET_ERRNO | getattr(errno, error)),
        struct.pack("HBBI", RETURN, 0, 0, RET_ALLOW)))
    code = ctypes.create_string_buffer(program)
    fprog = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code)))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, fprog, 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "install a filter")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
