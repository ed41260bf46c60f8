# SPDX-License-Identifier: BSD-2-Clause
"""TCP of a container in the guest, behind a wire that loses, doubles, reorders, delays and limits
frames."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import transfer as T
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6
from places import place_in
from wire import Conditions, Wire

# Each timeout is twice as long as the one before, if what is sent again is lost as well.
STALL_S = 30
RATE_MBIT = 20

# Conditions of both ways, the bytes of each of two streams, and what the wire then counts. One frame has 1448
# bytes: 8 MB are lossless at 0.1 % once in 60,000 times.
CASES = {
    "delay": (Conditions(delay_ms=30, jitter_ms=40), 300_000, "overtaken"),
    "duplicate": (Conditions(duplicate=0.05), 1_000_000, "doubled"),
    "reorder": (Conditions(reorder=0.1, reorder_gap=5), 1_000_000, "overtaken"),
    "loss 0.1%": (Conditions(loss=0.001), 8_000_000, "lost"),
    "loss 1%": (Conditions(loss=0.01), 1_000_000, "lost"),
    "loss 5%": (Conditions(loss=0.05), 300_000, "lost"),
    "rate": (Conditions(rate_mbit=RATE_MBIT, queue_frames=100), 1_000_000, "taken"),
}


@pytest.mark.parametrize("direction", ("out", "in"))
@pytest.mark.parametrize("place", ("routed", "bridged"))
@pytest.mark.parametrize("name", CASES)
def test_bytes_are_equal_behind_a_bad_wire(guest: Guest, tools: Callable[..., None], name: str,
                                           place: str, direction: str) -> None:
    """A stream of each family, at once."""
    tools("nft")
    conditions, n_bytes, effect = CASES[name]
    wires: list[Wire] = []

    def bad(netns: str) -> Wire:
        wires.append(Wire((guest.netns, "veth0"), (netns, "eth0"), to_one=conditions, to_two=conditions))
        return wires[0]
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"), place_in(guest, place, link=bad) as there, \
            ThreadPoolExecutor(2) as pool:
        begin = time.monotonic()
        for done in [pool.submit(T.assert_equal, there.netns, address, direction, n_bytes, stall_s=STALL_S)
                     for address in (INTERNET4, INTERNET6)]:
            done.result()
        duration_s = time.monotonic() - begin
        counts = wires[0].end()["to_one" if direction == "out" else "to_two"]
    print(counts, f"{duration_s:.2f} s")
    assert counts[effect] > 0
    if conditions.rate_mbit:
        assert duration_s > 2 * n_bytes * 8 / (RATE_MBIT * 1e6)
