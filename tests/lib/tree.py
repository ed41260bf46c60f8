# SPDX-License-Identifier: BSD-2-Clause
"""The source tree and the build that are tested."""

from __future__ import annotations

import os
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
# A build with sanitizers: slower, with a standard error in every process, and its own memory.
SANITIZED = os.environ.get("SLIRPD_SANITIZED") == "1"


def slirpd_path() -> str:
    """The daemon under test: $SLIRPD, or the debug build."""
    return os.environ.get("SLIRPD") or str(REPO / "build/debug/bin/slirpd")
