# SPDX-License-Identifier: BSD-2-Clause
"""bar_call.py CALL=ERRNO[,CALL=ERRNO]... COMMAND [ARG]...: COMMAND, for which the kernel refuses
these system calls. What a container's own seccomp filter does, made for real."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"unshare": 272, "mount": 165, "pivot_root": 155, "capset": 126, "prlimit64": 302, "seccomp": 317,
               "accept": 43},
    "aarch64": {"unshare": 97, "mount": 40, "pivot_root": 41, "capset": 91, "prlimit64": 261, "seccomp": 277,
                "accept": 202},
}[platform.machine()] | {"landlock_create_ruleset": 444}

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
RET_ALLOW, RET_ERRNO = 0x7FFF0000, 0x00050000
LOAD_NUMBER, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    rules = [word.split("=") for word in sys.argv[1].split(",")]
    program = [struct.pack("HBBI", LOAD_NUMBER, 0, 0, 0)]
    for call, error in rules:
        program += [struct.pack("HBBI", JUMP_IF_EQUAL, 0, 1, NUMBERS[call]),
                    struct.pack("HBBI", RETURN, 0, 0, RET_ERRNO | getattr(errno, error))]
    program += [struct.pack("HBBI", RETURN, 0, 0, RET_ALLOW)]
    code = ctypes.create_string_buffer(b"".join(program))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            or libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, fprog, 0, 0) != 0):
        raise OSError(ctypes.get_errno(), "install a filter")
    os.execvp(sys.argv[2], sys.argv[2:])


main()
