# SPDX-License-Identifier: BSD-2-Clause
"""Whether a flow of packets through a guest goes on while something happens; and floods of datagrams.
All of it runs in processes of its own (flow.py)."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import pytest
from guest import Guest
from lab import INTERNET4, Lab
from tree import REPO

SCRIPT = str(REPO / "tests/lib/flow.py")
PIPES = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
ECHO_PORT = 7017
# More than a flow's longest time without a packet may grow.
GAP_MS = 50


@contextlib.contextmanager
def flow(guest: Guest, over: str = "") -> Iterator[list[dict[str, float]]]:
    """A flow of packets through the guest during the block, of UDP or over "-tcp"; the list has its
    report after it."""
    report: list[dict[str, float]] = []
    with subprocess.Popen([*Lab.in_internet(), sys.executable, SCRIPT, f"echo{over}", INTERNET4,
                           str(ECHO_PORT)], **PIPES) as server:
        try:
            assert server.stdout.readline() == b"ready\n"
            with guest.start(sys.executable, SCRIPT, f"probe{over}", INTERNET4, str(ECHO_PORT),
                             **PIPES) as probe:
                assert probe.stdout.readline() == b"ready\n"
                yield report
                probe.stdin.close()
                report.append(json.loads(probe.stdout.read()))
        finally:
            server.kill()


@contextlib.contextmanager
def pings(guest: Guest) -> Iterator[list[dict[str, float]]]:
    """The same of echo requests."""
    report: list[dict[str, float]] = []
    with guest.start("ping", "-D", "-i", "0.01", INTERNET4, **PIPES) as ping:
        try:
            assert ping.stdout.readline().startswith(b"PING") and b"bytes from" in ping.stdout.readline()
            yield report
        finally:
            ping.send_signal(signal.SIGINT)
        times = [float(found) for found in re.findall(rb"^\[([\d.]+)\] \d+ bytes from", ping.stdout.read(), re.M)]
        longest_s = max(after - before for before, after in itertools.pairwise(times))
        report.append({"longest_ms": longest_s * 1000})


Flow = Callable[[Guest], contextlib.AbstractContextManager[list[dict[str, float]]]]


def longest_gaps(guest: Guest, flows: Sequence[Flow],
                 meanwhile: contextlib.AbstractContextManager[object]) -> list[float]:
    """The longest time without a packet of each flow, milliseconds."""
    with contextlib.ExitStack() as stack:
        reports = [stack.enter_context(each(guest)) for each in flows]
        with meanwhile:
            pass
    return [report[0]["longest_ms"] for report in reports]


@contextlib.contextmanager
def lasting(seconds: float) -> Iterator[None]:
    time.sleep(seconds)
    yield


def disturb(guest: Guest, clients: Callable[[], contextlib.AbstractContextManager[None]],
            flows: Sequence[Flow] = (flow,)) -> None:
    """Flows go on while clients come, and stay to their end. A machine with other work has
    gaps of its own, so that one of three tries has to be without; what clients do to packets,
    they do each time."""
    tries = []
    for _ in range(3):
        begin = time.monotonic()
        beside = longest_gaps(guest, flows, clients())
        # The longer one looks, the longer is the longest.
        alone = longest_gaps(guest, flows, lasting(time.monotonic() - begin))
        tries.append((alone, beside))
        if all(there < here + GAP_MS for here, there in zip(alone, beside)):
            return
    pytest.fail(f"longest gaps without and with the clients, ms: {tries}")


@contextlib.contextmanager
def flooding(inside: list[str], address: str, port: int, size: int, pause_s: float = 0) -> Iterator[None]:
    """Datagrams to there during the block: as fast as a process can send them, or with pauses after each
    hundred."""
    with subprocess.Popen([*inside, sys.executable, SCRIPT, "flood", address, str(port), str(size),
                           str(pause_s)], **PIPES) as flood:
        assert flood.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            flood.stdin.close()
