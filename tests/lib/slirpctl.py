# SPDX-License-Identifier: BSD-2-Clause
"""slirpctl, for the tests that run it. SLIRPCTL names the program under test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from commands import sh
from processes import no_process_left
from tree import REPO

SLIRPCTL = os.environ.get("SLIRPCTL") or str(REPO / "build/debug/bin/slirpctl")
OK, REFUSED, USAGE, NO_REPLY = range(4)


def assert_ok(result: subprocess.CompletedProcess[str]) -> str:
    assert (result.returncode, result.stderr) == (OK, ""), result
    return result.stdout


@pytest.fixture(autouse=True, scope="session")
def loopback() -> None:
    assert os.environ.get("SLIRPD_OUTER_NS"), "run these tests through tests/lib/outer-ns"
    sh("ip", "link", "set", "lo", "up")


@pytest.fixture(autouse=True)
def leaves_no_process() -> Iterator[None]:
    with no_process_left():
        yield
