# SPDX-License-Identifier: BSD-2-Clause
"""The kernel that the tests run on: parts that a kernel may lack, asked for before any jail."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

SYS_LANDLOCK_CREATE_RULESET = 444
LANDLOCK_CREATE_RULESET_VERSION = 1

# 0 without Landlock: not built, or not in the list of security modules that the machine booted with.
LANDLOCK_ABI = max(0, ctypes.CDLL(None).syscall(SYS_LANDLOCK_CREATE_RULESET, None, 0,
                                                LANDLOCK_CREATE_RULESET_VERSION))
LANDLOCK_ABI_KNOWN = 7  # CONFINE_LANDLOCK_ABI_KNOWN
LANDLOCK_SCOPES = 6  # the ABI with limits on signals and abstract UNIX sockets

# Stages of a jail that this kernel cannot give.
MISSING_STAGES = set() if LANDLOCK_ABI > 0 else {"landlock"}

# Filters that these tests run under, such as a container's. Each process inherits them.
N_SECCOMP_FILTERS = int(re.search(r"^Seccomp_filters:\t(\d+)$",
                                  Path("/proc/self/status").read_text(), re.M)[1])

_VERSION = tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
# A TAP takes frames with several UDP datagrams (drivers/net/tun.c).
HAS_USO = _VERSION >= (6, 2)
# And frames of more than 65535 bytes (src/slirp-worker/setup.c).
HAS_BIG_FRAMES = _VERSION >= (6, 6)
