# SPDX-License-Identifier: BSD-2-Clause
"""Work that goes on beside a test."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def repeating(*works: Callable[[], Any]) -> Iterator[None]:
    """Each is done again and again during the block, in a thread of its own. One that raises fails the
    test."""
    is_over = threading.Event()
    failures: list[BaseException] = []

    def run(work: Callable[[], Any]) -> None:
        try:
            while not is_over.is_set():
                work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
