# SPDX-License-Identifier: BSD-2-Clause
"""TCP of a container in the guest, behind a wire that loses, doubles, reorders, delays and limits
frames."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Callable, Iterator

import pytest

import transfer as T
from commands import sh
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6
from wire import Conditions, Wire

INNER4, OUTER4 = "10.88.0.2", "10.88.0.1"
INNER6, OUTER6 = "fd88::2", "fd88::1"

BYTES = 1_000_000
# Each timeout is twice as long as the one before, if what is sent again is lost as well.
STALL_S = 30

CONDITIONS = {
    "delay": Conditions(delay_ms=25),
    "jitter": Conditions(delay_ms=5, jitter_ms=5),
    "duplicate": Conditions(duplicate=0.05),
    "reorder": Conditions(reorder=0.05),
    "loss": Conditions(loss=0.01),
    "rate": Conditions(rate_mbit=20, queue_frames=100),
}


@contextlib.contextmanager
def container(guest: Guest, conditions: Conditions) -> Iterator[str]:
    """A network namespace behind the guest's NAT, which a wire joins to the guest. Returns its path."""
    with guest.start("unshare", "--net", "cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        netns = f"/proc/{process.pid}/ns/net"

        def inside(*argv: str) -> None:
            sh("nsenter", "--preserve-credentials", "-U", "-n", "-t", str(process.pid), "--", *argv)

        try:
            with Wire((guest.netns, "wire0"), (netns, "eth0"), to_one=conditions, to_two=conditions):
                guest.run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
                guest.run("nft", "table inet nat { chain post { type nat hook postrouting priority 100; "
                          "oifname tap0 masquerade; }; }")
                guest.run("ip", "addr", "add", f"{OUTER4}/24", "dev", "wire0")
                guest.run("ip", "addr", "add", f"{OUTER6}/64", "dev", "wire0", "nodad")
                guest.run("ip", "link", "set", "wire0", "up")
                inside("ip", "addr", "add", f"{INNER4}/24", "dev", "eth0")
                inside("ip", "addr", "add", f"{INNER6}/64", "dev", "eth0", "nodad")
                inside("ip", "link", "set", "eth0", "up")
                inside("ip", "route", "add", "default", "via", OUTER4)
                inside("ip", "-6", "route", "add", "default", "via", OUTER6)
                yield netns
        finally:
            process.kill()


@pytest.mark.parametrize("direction", ("out", "in"))
@pytest.mark.parametrize("address", (INTERNET4, INTERNET6))
@pytest.mark.parametrize("name", CONDITIONS)
def test_bytes_are_equal_behind_a_bad_wire(guest: Guest, tools: Callable[..., None], name: str,
                                           address: str, direction: str) -> None:
    tools("nft")
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"), \
            container(guest, CONDITIONS[name]) as netns:
        T.assert_equal(netns, address, direction, BYTES, stall_s=STALL_S)
