# SPDX-License-Identifier: BSD-2-Clause
"""Messages between slirpd's processes, for a test that speaks in the name of one of them."""

from __future__ import annotations

import re
import struct

from tree import REPO

# The lists of rows stand in the order of their arrows, so a row's place is its number.
ROWS = re.findall(r"^\s+ROW\((\w+),", (REPO / "src/ipc/messages.h").read_text(), re.M)
# enum ipc_role: 0 is none.
ROLES = ["", *re.findall(r'^\s+ROLE\(\w+, "([\w-]+)",', (REPO / "src/ipc/roles.h").read_text(),
                        re.M)]
# The descriptor of every child's channel to the parent: src/ipc/fdtable.h.
TO_PARENT = 3
# src/base/log.h, the levels in order; IPC_LOG_TEXT_SIZE of messages.h.
FATAL, ERROR, WARNING, INFO = range(4)
LOG_TEXT_SIZE = 480


def message(row: str, payload: bytes) -> bytes:
    """As src/ipc/channel.c has it: two numbers in host order, then the payload."""
    return struct.pack("=II", ROWS.index(row), len(payload)) + payload


def log(level: int, text: bytes) -> bytes:
    return message("log", struct.pack(f"=B7x{LOG_TEXT_SIZE}s", level, text))
