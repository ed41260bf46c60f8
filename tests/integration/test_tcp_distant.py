# SPDX-License-Identifier: BSD-2-Clause
"""TCP to a peer that is far from the host: a stream needs large windows."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import frames as F
import pytest
import transfer as T
from capture import captured, tcp_segments
from commands import sh
from daemon import Slirpd
from guest import Guest
from lab import Lab
from netns import family_of, up_without_dad
from places import place_in
from waiting import DEADLINE_S
from wire import Conditions, Wire

FAR_NETNS, DEVICE = "/run/netns/far", "far0"
NEAR4, FAR4 = "192.0.2.1", "192.0.2.2"
NEAR6, FAR6 = "2001:db8:7::1", "2001:db8:7::2"

# A round trip of 50 ms: with 64 KiB under way, a stream has 10 Mbit/s.
DISTANCE = Conditions(delay_ms=25, rate_mbit=80, queue_frames=1000)
# Half of the time goes by at the full rate.
BYTES = 3_000_000
WSCALE = 3  # RFC 7323 2.2


@pytest.fixture
def distant(lab: Lab) -> Iterator[None]:
    """A network behind a long wire at the host."""
    with contextlib.ExitStack() as undo:
        sh("ip", "netns", "add", "far")
        undo.callback(sh, "ip", "netns", "del", "far")
        undo.enter_context(Wire((Lab.host_netns, DEVICE), (FAR_NETNS, DEVICE), to_one=DISTANCE, to_two=DISTANCE))
        for inside, address4, address6 in (((), NEAR4, NEAR6),
                                           (("nsenter", f"--net={FAR_NETNS}", "--"), FAR4, FAR6)):
            sh(*inside, "ip", "addr", "add", f"{address4}/24", "dev", DEVICE)
            up_without_dad(inside, DEVICE, f"{address6}/64")
        yield


def duration_s(netns: str, address: str, direction: str) -> float:
    begin = time.monotonic()
    T.assert_equal(netns, address, direction, BYTES, stall_s=DEADLINE_S, server_netns=FAR_NETNS)
    return time.monotonic() - begin


def options_of(tcp: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and value of each option (RFC 9293 3.1)."""
    at = 20
    while at < len(tcp) and tcp[at] != 0:
        length = 1 if tcp[at] == 1 else tcp[at + 1]
        yield tcp[at], tcp[at + 2:at + length]
        at += length


def may_be_syn(frame: bytes) -> bool:
    """The headers of other frames may change while they are captured: a veth joins segments of TCP."""
    flags = {b"\x08\x00": 14 + 20 + 13, b"\x86\xdd": 14 + 40 + 13}.get(frame[12:14])
    return flags is not None and flags < len(frame) and bool(frame[flags] & F.SYN)


@pytest.mark.parametrize("address,place,direction", (
    (FAR4, "own", "out"), (FAR6, "own", "in"), (FAR6, "routed", "out"), (FAR4, "bridged", "in")))
def test_stream_is_as_fast_as_the_hosts_own(guest: Guest, distant: None, tools: Callable[..., None],
                                            address: str, place: str, direction: str) -> None:
    """At least half as fast: the socket that the guest's data goes through has the same windows."""
    tools("nft")
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"), place_in(guest, place) as there:
        hosts_s = duration_s(Lab.host_netns, address, direction)
        with captured(guest) as frames:
            guests_s = duration_s(there.netns, address, direction)
    print(f"host {hosts_s:.2f} s, guest {guests_s:.2f} s")
    assert guests_s <= 2 * hosts_s
    said = [dict(options_of(tcp)) for _ip, tcp, _data in tcp_segments(list(filter(may_be_syn, frames)))
            if tcp[13] & F.SYN]
    assert len(said) == 2 and all(options[WSCALE] > b"\0" for options in said)
