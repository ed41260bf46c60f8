# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from typing import Any

# Generous: a deadline says "this hangs", never "this is slow".
DEADLINE_S = 20.0
POLL_S = 0.01


class Timeout(AssertionError):
    """A condition did not come true before its deadline."""


def wait_for(what: str, condition: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Polls until condition() is true and returns its value; names `what` when it never is."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"after {deadline_s:g} s still not: {what}")
        time.sleep(POLL_S)


def read_to_eof(fd: int, deadline_s: float = DEADLINE_S) -> bytes:
    """All bytes up to end-of-file, which has to come before the deadline."""
    said = b""
    end = time.monotonic() + deadline_s
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0, end - time.monotonic())):
                raise Timeout(f"after {deadline_s:g} s neither byte nor end on fd {fd}: {said!r}")
            piece = os.read(fd, 4096)
            if not piece:
                return said
            said += piece
