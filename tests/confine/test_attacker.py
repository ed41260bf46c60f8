# SPDX-License-Identifier: BSD-2-Clause
"""A worker that was taken over, in the worker's jail, with the worker's channel to a real connector.

attacker.c stands in for the worker and tries to send something to two places that the connector leads
nothing to: a listener on the host's loopback, and an address that a policy denies. Each attempt is made
  in the worker's jail: the filter kills it, and neither `lo` nor the host's link sees a packet;
  without a jail: it succeeds, so the attempt is sound, and the packet sockets would see it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from daemon import Slirpd
from egress import Uplink
from guest import Guest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from lab import HTTP_PORT, INTERNET4, INTERNET6, Lab
from loopback import Loopback
from processes import taken_over
from tree import REPO, SANITIZED
from waiting import DEADLINE_S

ATTACKER = os.environ.get("SLIRPD_ATTACKER") or str(REPO / "build/debug/tests/confine/attacker")
# src/ipc/fdtable.h.
TO_CONNECTOR = 5
TCP, UDP = 6, 17
# Of the internet; nobody has them.
DENIED4, DENIED6 = "198.51.98.1", "2a00:98::1"
PORT = 4433

pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's own calls are in the filter of its build")


class Try(NamedTuple):
    """An attempt, and what comes of it without a jail: the outcome, and whether the target gets a
    packet."""

    name: str
    control: str = "ok"
    is_seen: bool = False
    families: tuple[int, ...] = (4, 6)


ATTEMPTS = (
    Try("new_tcp", is_seen=True),
    Try("new_udp", is_seen=True),
    Try("new_ping", is_seen=True),
    Try("new_raw", is_seen=True, families=(4,)),
    Try("redirect_udp", is_seen=True),
    Try("redirect_ping", is_seen=True),
    Try("dissolve_tcp", is_seen=True),
    Try("dissolve_udp", is_seen=True),
    Try("dissolve_ping", is_seen=True),
    Try("port_tcp"),
    # EINVAL: the kernel is asked, and refuses for what the connector has done with the socket.
    Try("port_udp", "EINVAL"),
    Try("bind", "EINVAL"),
    Try("listen", "EINVAL"),
    Try("sendto", is_seen=True),
    Try("sendto_ping", is_seen=True),
    Try("sendto_fastopen"),  # the kernel takes no notice of the address
    Try("send_more"),  # the datagram waits for its end
    Try("sendmsg", is_seen=True),
    Try("sendmmsg", is_seen=True),
    Try("as_channel_to_api", is_seen=True),
    Try("as_channel_to_connector", is_seen=True),
    Try("as_channel_to_resolver", is_seen=True),
    Try("join"),
    Try("source_route", is_seen=True, families=(4,)),
    Try("routing_header", families=(6,)),
    Try("bind_to_device"),
    Try("mark"),
    Try("transparent"),
    Try("multicast_loop"),
    Try("reuse_address"),
    Try("detach_filter", "ENOENT"),
)


class Target(NamedTuple):
    led: str
    address: str
    port: int


def targets(loopback: Loopback, family: int) -> tuple[Target, Target]:
    led, local, denied = ((INTERNET4, "127.0.0.1", DENIED4) if family == 4
                          else (INTERNET6, "::1", DENIED6))
    return Target(led, local, loopback.ports[0]), Target(led, denied, PORT)


Attack = Callable[[str, str, Target], str]


@pytest.fixture(scope="module")
def loopback(lab: Lab) -> Iterator[Loopback]:
    with Loopback() as made:
        yield made


@pytest.fixture(scope="module")
def uplink(lab: Lab) -> Iterator[Uplink]:
    with Uplink() as made:
        yield made


@pytest.fixture(scope="module")
def connector(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    """Runs the attacker against a connector whose worker stands still."""
    policy = tmp_path_factory.mktemp("attacker") / "policy"
    policy.write_text(f"policy 1\nallow to {INTERNET4}, {INTERNET6}\n")
    flows = itertools.count(step=2)
    with contextlib.ExitStack() as stack:
        guest = stack.enter_context(Guest())
        daemon = stack.enter_context(Slirpd(
            "--configure", "--enable-ipv6", "--disable-host-loopback", f"--policy={policy}",
            guest.pid, "tap0"))
        worker = daemon.children()["slirp-worker"]
        stack.enter_context(taken_over(worker, TO_CONNECTOR))

        def attack(mode: str, name: str, target: Target) -> str:
            done = subprocess.run(
                [ATTACKER, mode, mode, *map(str, (worker, next(flows), name, target.led, HTTP_PORT,
                                                  target.address, target.port))],
                text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
            assert not done.stderr
            if done.returncode < 0:
                assert not done.stdout
                return signal.Signals(-done.returncode).name
            assert done.returncode == 0
            said = done.stdout.strip()
            return errno.errorcode[int(said)] if said.isdigit() else said

        yield attack


def arrived(loopback: Loopback, uplink: Uplink) -> list[str]:
    """All that neither the connector's own connections nor the attacker may send."""
    led = {(TCP, INTERNET4, HTTP_PORT), (TCP, INTERNET6, HTTP_PORT)}
    return loopback.arrivals() + [str(packet) for packet in uplink.sent() - led]


@pytest.mark.parametrize("family", (4, 6))
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda it: it.name)
def test_filter_kills_the_attempt_and_nothing_is_sent(
        connector: Attack, loopback: Loopback, uplink: Uplink, attempt: Try, family: int) -> None:
    for target in targets(loopback, family):
        assert connector("required", attempt.name, target) == "SIGSYS"
        assert arrived(loopback, uplink) == []


@pytest.mark.parametrize("attempt,family", [
    pytest.param(it, family, id=f"{it.name}-{family}") for it in ATTEMPTS for family in it.families])
def test_control_without_a_jail_the_attempt_succeeds(
        connector: Attack, loopback: Loopback, uplink: Uplink, attempt: Try, family: int) -> None:
    for target in targets(loopback, family):
        assert connector("off", attempt.name, target) == attempt.control
        seen = arrived(loopback, uplink)
        if attempt.is_seen:
            assert any(target.address in line or line.startswith("on lo") for line in seen)


@pytest.mark.parametrize("family", (4, 6))
def test_control_worker_sends_where_the_connector_leads(
        connector: Attack, loopback: Loopback, uplink: Uplink, family: int) -> None:
    """In its jail, by the same channel and on such a socket."""
    target = targets(loopback, family)[0]
    assert connector("required", "send_where_led", target) == "ok"
    assert uplink.sent() == {(UDP, target.led, HTTP_PORT)}


def test_the_table_has_every_attempt_of_the_attacker() -> None:
    source = (Path(__file__).parent / "attacker.c").read_text()
    in_attacker = {line.split("(")[1].split(",")[0] for line in source.splitlines()
                   if line.startswith("\tTRY(")}
    assert in_attacker == {attempt.name for attempt in ATTEMPTS} | {"send_where_led"}
