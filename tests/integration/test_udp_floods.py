# SPDX-License-Identifier: BSD-2-Clause
"""A guest that floods with datagrams, or is flooded, goes on with all else."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterator

import pytest
from forwarding import forwarding
from gaps import disturb, flooding, flow, pings
from guest import Guest
from lab import HOST4, INTERNET4, Lab
from servers import udp_socket

LASTS_S = 1
# Some 200 Mbit/s: a TAP holds 1,000 packets, and loses those of all flows if the worker has to wait for
# a processor meanwhile.
SIZE, PAUSE_S = 1400, 0.005

pytestmark = [pytest.mark.usefixtures("lab"), pytest.mark.no_sanitizer]


@pytest.mark.parametrize("direction", ("from the guest", "to the guest"))
def test_flood_leaves_no_gap_in_other_flows(guest: Guest, tools: Callable, direction: str) -> None:
    """Of TCP, UDP and ping. Nobody reads what the flood brings."""
    tools("ping")
    with (forwarding(guest, "8080:53/udp"), udp_socket(Lab.internet_netns, INTERNET4) as there,
          udp_socket(guest.netns, "0.0.0.0", 53)):

        @contextlib.contextmanager
        def flood() -> Iterator[None]:
            inside, to = ((guest.enter(), there.getsockname()) if direction == "from the guest" else
                          (Lab.in_internet(), (HOST4, 8080)))
            with flooding(inside, *to, SIZE, PAUSE_S):
                time.sleep(LASTS_S)
                yield

        disturb(guest, flood, (flow, functools.partial(flow, over="-tcp"), pings))
