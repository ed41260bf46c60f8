# SPDX-License-Identifier: BSD-2-Clause
"""How TCP connections begin and end: each end of a program is seen by the
other side as the end that it was, and a failure to connect has the errno that the host has."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import stream_end
import transfer as T
from conversations import assert_conversations, failure_to_connect, send_until_full
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from nowhere import TARGETS, TOLD_MS, nowhere, timeout_ms
from places import PLACES, Place, place_in
from servers import listener, recv_all
from tree import SANITIZED
from waiting import DEADLINE_S

ADDRESSES = (INTERNET4, INTERNET6)
# A guest that is not told sends its SYN again after a second.
LATE_MAX_S = 3.0 if SANITIZED else 0.9


@contextlib.contextmanager
def up(guest: Guest, place: str, *options: str) -> Iterator[Place]:
    with Slirpd("--configure", "--enable-ipv6", *options, guest.pid, "tap0"), \
            place_in(guest, place) as made:
        yield made


# --- half-close ---------------------------------------------------------------------------------

@pytest.mark.parametrize("place", PLACES)
def test_ends_of_a_connection(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """Each end first, with data of three sizes, of both families."""
    tools("nft")
    with up(guest, place) as there:
        assert_conversations(lambda address: T.connected(there.netns, address), ADDRESSES)


# How long it waits beside what others do meanwhile. By hand: SLIRPD_PAUSE_S=100.
PAUSE_S = float(os.environ.get("SLIRPD_PAUSE_S", 0))


@pytest.mark.parametrize("patient", ("guest", "server"))
def test_half_closed_connection_waits_for_a_patient_end(guest: Guest, patient: str) -> None:
    """Each direction has its own end: nothing ends the other for it."""
    with up(guest, "own") as there:
        ends = T.connected(there.netns, INTERNET4)
        with ends[0], ends[1]:
            asks, answers = ends if patient == "server" else ends[::-1]
            asks.sendall(b"question")
            asks.shutdown(socket.SHUT_WR)
            assert recv_all(answers) == b"question"
            for address in ADDRESSES * 10:  # others come and go in the meantime
                T.assert_equal(there.netns, address, "out", 1000, stall_s=DEADLINE_S)
            time.sleep(PAUSE_S)
            answers.sendall(b"answer")
            answers.close()
            assert recv_all(asks) == b"answer"


# --- programs that die --------------------------------------------------------------------------


@pytest.mark.parametrize("dies", ("guest", "server"))
@pytest.mark.parametrize("place", PLACES)
def test_program_that_is_killed_in_the_middle_is_a_reset(guest: Guest, tools: Callable[..., None],
                                                         place: str, dies: str) -> None:
    """It has not read all, so its kernel sends a reset: a cut transfer must not look complete."""
    tools("nft")
    with up(guest, place) as there:
        inside, outside = T.connected(there.netns, INTERNET4)
        ours, theirs = (outside, inside) if dies == "guest" else (inside, outside)
        with ours:
            with stream_end.start("receive", theirs) as process:
                process.send_signal(signal.SIGSTOP)
                theirs.close()
                send_until_full(ours)
                process.kill()
            ours.settimeout(DEADLINE_S)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                while True:
                    ours.sendall(bytes(1 << 16))


@pytest.mark.parametrize("place", PLACES)
def test_ss_kills_a_connection_of_the_guest(guest: Guest, tools: Callable[..., None], place: str) -> None:
    """`ss -K` as in the guest: the kernel there aborts the socket and tells the peer."""
    tools("ss", "nft")
    with up(guest, place) as there:
        inside, outside = T.connected(there.netns, INTERNET4)
        with inside, outside:
            outside.settimeout(DEADLINE_S)
            killed = there.run("ss", "-HKnt", "dport", "=", f":{outside.getsockname()[1]}")
            if not killed.strip():
                pytest.skip("the kernel has no INET_DIAG_DESTROY")
            with pytest.raises(ConnectionResetError):
                outside.recv(1)


# --- connections that fail ----------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_failure_to_connect_has_the_errno_of_the_host(guest: Guest, lab: Lab, tools: Callable[..., None],
                                                      place: str) -> None:
    """And the guest is told as soon as the host, or its own kernel gives up as the host's would."""
    tools("nft")

    def failure(name: str, netns: str, to: tuple[str, int]) -> tuple[str, float]:
        begin = time.monotonic()
        return failure_to_connect(netns, to, timeout_ms(name)), time.monotonic() - begin
    with nowhere(lab), up(guest, place) as there, ThreadPoolExecutor(20) as pool:
        seen = {(name, where, to[0]): pool.submit(failure, name, netns, to)
                for name, (_, *targets) in TARGETS.items() for to in targets
                for where, netns in (("host", Lab.host_netns), ("guest", there.netns))}
        ends = {key: done.result() for key, done in seen.items()}
    assert {key: error for key, (error, _) in ends.items()} == {key: TARGETS[key[0]][0] for key in ends}
    late = {key: took_s - ends[key[0], "host", key[2]][1] for key, (_, took_s) in ends.items()}
    assert all(abs(late_s) < LATE_MAX_S for late_s in late.values()), late


def test_failed_connections_leave_room_for_others(guest: Guest, lab: Lab) -> None:
    """More fail at once than may be half-open to one address; each releases its place."""
    names = ("closed port", "unreachable host")
    with nowhere(lab), up(guest, "own") as there, ThreadPoolExecutor(20) as pool:
        seen = pool.map(lambda name: failure_to_connect(there.netns, TARGETS[name][1], TOLD_MS), names * 300)
        assert set(seen) == {"ECONNREFUSED", "EHOSTUNREACH"}
        with listener(Lab.internet_netns, INTERNET4) as server:
            there.connect(*server.getsockname()[:2]).close()
