# SPDX-License-Identifier: BSD-2-Clause
"""hold_tap.py FD COMMAND [ARG]...: COMMAND, in which whoever makes or attaches to a TAP waits in
that call until the last copy of a descriptor is closed, which is sent over the UNIX socket FD, or
until a signal ends it. The descriptor can be read from once somebody waits (seccomp_unotify(2))."""

from __future__ import annotations

import ctypes
import os
import platform
import socket
import struct
import sys

SYS_SECCOMP, SYS_IOCTL = {"x86_64": (317, 16), "aarch64": (277, 29)}[platform.machine()]
TUNSETIFF = 0x400454CA

PR_SET_NO_NEW_PRIVS = 38
SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER = 1, 8
RET_ALLOW, RET_USER_NOTIF = 0x7FFF0000, 0x7FC00000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER_AT, ARG1_AT = 0, 24  # in struct seccomp_data, the lower half of the argument

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    program = [struct.pack("HBBI", *instruction) for instruction in (
        (LOAD, 0, 0, NUMBER_AT),
        (JUMP_IF_EQUAL, 0, 3, SYS_IOCTL),
        (LOAD, 0, 0, ARG1_AT),
        (JUMP_IF_EQUAL, 0, 1, TUNSETIFF),
        (RETURN, 0, 0, RET_USER_NOTIF),
        (RETURN, 0, 0, RET_ALLOW),
    )]
    code = ctypes.create_string_buffer(b"".join(program))
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "set no_new_privs")
    listener = libc.syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                            fprog)
    if listener == -1:
        raise OSError(ctypes.get_errno(), "install a filter")
    with socket.socket(fileno=int(sys.argv[1])) as to_test:
        socket.send_fds(to_test, [b"x"], [listener])
    os.close(listener)
    os.execvp(sys.argv[2], sys.argv[2:])


main()
