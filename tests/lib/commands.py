# SPDX-License-Identifier: BSD-2-Clause
"""Programs that a test runs: whether they are installed, and who runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from waiting import DEADLINE_S

# An ordinary user: no capability left to lose, none to regain by exec.
ORDINARY = ["setpriv", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all", "--"]


def require_tools(*names: str) -> list[str]:
    """The names of those tools that are missing."""
    return [name for name in names if shutil.which(name) is None]


def needs(*tools: str) -> None:
    """Skips the test without these tools; where a skip would hide a gap, fails it."""
    import pytest  # the benchmark has this file, and no pytest

    missing = require_tools(*tools)
    if not missing:
        return
    text = f"not installed: {', '.join(missing)}"
    if os.environ.get("CI") or os.environ.get("SLIRPD_REQUIRE_ALL") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def sh(*argv: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Runs a set-up command; its stderr becomes the error, so that a broken lab says why."""
    done = subprocess.run(argv, text=True, capture_output=True, timeout=DEADLINE_S, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done
