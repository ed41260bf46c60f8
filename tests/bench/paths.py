# SPDX-License-Identifier: BSD-2-Clause
"""What a stream may meet on its way in the guest: a container's veth, and a loss of frames."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator

# subjects.py has made these reachable.
from commands import sh
from guest import Guest
from rows import LOSS_OF_FRAMES
from subjects import NotReached, NotSupported, Problem, ended

# A transfer of the slowest subject has more frames than this.
FIRST_LOSS = LOSS_OF_FRAMES // 10

INNER4, OUTER4 = "10.88.0.2", "10.88.0.1"

NAT = ("table inet nat { chain post { type nat hook postrouting priority 100; "
       "oifname tap0 masquerade; }; }")

# A frame counts as the guest's kernel gives it to the interface or gets it from there; it may hold
# many segments. The sender must not learn of the loss: it would if the rule dropped what it sends.
# So that goes to a bridge without ports, which takes it and has nobody to pass it to.
LOSE = {
    "out": "type filter hook egress device tap0 priority 0; numgen inc mod {every} == {first} "
           "counter fwd to hole;",
    "in": "type filter hook ingress device tap0 priority 0; numgen inc mod {every} == {first} "
          "counter drop;",
}


def set_up(*argv: str) -> str:
    """What the command prints. One that fails is of this kernel, and not of a subject."""
    try:
        return sh(*argv).stdout
    except RuntimeError as error:
        raise NotSupported(str(error).splitlines()[0]) from error


def enter(pid: int) -> list[str]:
    return ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(pid), "--"]


@contextlib.contextmanager
def container(guest: Guest, mtu: int) -> Iterator[list[str]]:
    """A network namespace behind a veth and the NAT of the guest, as rootless Docker has it. Gives
    the command prefix that enters it."""
    with guest.start("unshare", "--net", "cat", stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE) as process, ended(process):
        process.stdin.write(b"\n")
        process.stdin.flush()
        if process.stdout.read(1) != b"\n":
            raise Problem("no namespace for a container")
        for argv in (
                ("sysctl", "-qw", "net.ipv4.ip_forward=1"),
                ("nft", NAT),
                ("ip", "link", "add", "veth0", "mtu", str(mtu), "type", "veth",
                 "peer", "name", "eth0", "mtu", str(mtu), "netns", str(process.pid)),
                ("ip", "addr", "add", f"{OUTER4}/24", "dev", "veth0"),
                ("ip", "link", "set", "veth0", "up")):
            set_up(*guest.enter(), *argv)
        for argv in (("addr", "add", f"{INNER4}/24", "dev", "eth0"),
                     ("link", "set", "eth0", "up"),
                     ("route", "add", "default", "via", OUTER4)):
            set_up(*enter(process.pid), "ip", *argv)
        yield enter(process.pid)


@contextlib.contextmanager
def losses(guest: Guest, way: str) -> Iterator[None]:
    """One frame of LOSS_OF_FRAMES is lost within the block, in one direction of the guest's
    interface. NotReached if so few passed that none was."""
    chain = LOSE[way].format(every=LOSS_OF_FRAMES, first=FIRST_LOSS)
    set_up(*guest.enter(), "ip", "link", "add", "hole", "type", "bridge")
    set_up(*guest.enter(), "ip", "link", "set", "hole", "up")
    set_up(*guest.enter(), "nft", f"table netdev lossy {{ chain {way} {{ {chain} }}; }}")
    yield
    listed = set_up(*guest.enter(), "nft", "list", "table", "netdev", "lossy")
    set_up(*guest.enter(), "nft", "delete", "table", "netdev", "lossy")
    set_up(*guest.enter(), "ip", "link", "del", "hole")
    if int(re.search(r"counter packets (\d+)", listed).group(1)) == 0:
        raise NotReached(f"fewer than {FIRST_LOSS} frames passed")
