# SPDX-License-Identifier: BSD-2-Clause
"""Processes of slirpd die in any order, at any moment, under load: what is promised holds.

SLIRPD_SEED repeats a run, and SLIRPD_KILLS makes it longer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import re
import signal
import socket
import time
from pathlib import Path

import api_client
import pytest
from daemon import Slirpd
from guest import Guest
from lab import HTTP_PORT, INTERNET4, Lab
from load import FORWARDED_PORT, GUEST_PORT, Load
from netns import socket_in
from processes import all_pids, comm_of, descendants, fd_table
from tree import SANITIZED
from waiting import DEADLINE_S, read_to_eof, wait_for

SEED = int(os.environ.get("SLIRPD_SEED", random.SystemRandom().randrange(1 << 32)))
# In service, in all lives of slirpd together.
KILLS = int(os.environ.get("SLIRPD_KILLS", 64))
# Of one role in one life: the delay before a start doubles each time, and the tenth death of a worker
# in a minute ends slirpd.
DEATHS_MAX = 4
STEPS_PER_LIFE = 8
# Of processes that are starting, as many as the kills in service.
STARTS = KILLS

# Those that the spawner starts again.
AGAIN = ("slirp-worker", "connector", "resolver", "api")
SIGNALS = (signal.SIGKILL, signal.SIGSYS,
           # A sanitizer takes these for errors of the program, and ends that by an exit.
           *(() if SANITIZED else (signal.SIGSEGV, signal.SIGBUS)))
# A start takes some tens of milliseconds, and that of one process a few.
START_S, STEP_S = (1.0, 0.3) if SANITIZED else (0.06, 0.02)
# After an end nobody answers, and a connection takes minutes to fail.
ATTEMPT_S = 0.5
# The descriptors and the log's buffer do not grow with deaths; a page here and there may.
RSS_MORE_KIB = 512

# A destination that only the policy keeps the guest from.
DENIED_PORT = 81
POLICY = f"policy 1\ndeny tcp {DENIED_PORT} to any\nallow to any\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.sock"


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    print(f"SLIRPD_SEED={SEED}")
    return random.Random(f"{SEED} {request.node.name}")


def serving(guest: Guest, path: Path, *options: object, **kwargs: object) -> Slirpd:
    return Slirpd("--configure", f"--api-socket={path}",
                  f"--publish=127.0.0.1:{FORWARDED_PORT}:{GUEST_PORT}", *options, guest.pid, "tap0",
                  abnormal=True, **kwargs)


def kill(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def rss_kib(pid: int) -> int:
    return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1])


def held(daemon: Slirpd) -> list[str]:
    return sorted(re.sub(r"\d+", "N", what) for what in fd_table(daemon.pid).values())


# --- in service -----------------------------------------------------------------------------------


def is_denied(guest: Guest) -> bool:
    """Whether POLICY keeps the guest from a port."""
    try:
        guest.connect(INTERNET4, DENIED_PORT).close()
    except OSError as error:
        return error.errno == errno.EHOSTUNREACH
    return False


class Life:
    """One slirpd under load, and what has been done to it."""

    def __init__(self, daemon: Slirpd, load: Load, dice: random.Random, limited: bool) -> None:
        self.daemon, self.load, self.dice, self.limited = daemon, load, dice, limited
        self.deaths = dict.fromkeys(AGAIN, 0)

    def step(self) -> None:
        """Ends one process or two, some of them while they are starting, and looks at the rest."""
        able = [role for role in AGAIN if self.deaths[role] < DEATHS_MAX]
        roles = self.dice.sample(able, min(len(able), self.dice.choice((1, 1, 2))))
        before = self.daemon.children()
        ended = []
        for role in roles:
            ended.append((role, self.end(role, before[role])))
            if self.dice.random() < 0.3 and self.deaths[role] < DEATHS_MAX:
                ended.append((role, self.end_next(role, before[role])))
        print(*(f"{role} {number.name}" for role, number in ended))
        self.wait_back(before, roles)
        self.check("slirp-worker" in roles)
        after = self.daemon.children()
        assert {role: pid for role, pid in after.items() if role not in roles} == {
            role: pid for role, pid in before.items() if role not in roles}
        assert sorted(after) == sorted(before)

    def check(self, worker_died: bool) -> None:
        self.load.check(worker_died)
        assert not self.limited or is_denied(self.load.guest)

    def end(self, role: str, pid: int) -> signal.Signals:
        number = self.dice.choice(SIGNALS)
        self.deaths[role] += 1
        kill(pid, number)
        return number

    def end_next(self, role: str, old: int) -> signal.Signals:
        """In any phase of its start."""
        pid = wait_for(f"another {role}", lambda: {old: 0}.get(
            new := self.daemon.children().get(role, old), new))
        time.sleep(self.dice.random() * STEP_S)
        return self.end(role, pid)

    def wait_back(self, before: dict[str, int], roles: list[str]) -> None:
        wait_for("as many deaths are told", lambda: all(
            len(re.findall(rf"^slirpd: {role} (?:was killed|exited|program).*; starting it again$",
                           self.daemon.stderr, re.M)) == self.deaths[role] for role in AGAIN))
        wait_for("all are back", lambda: all(
            self.daemon.children().get(role, before[role]) != before[role] for role in roles))


VARIANTS = {
    "plain": ("--enable-ipv6",),
    "policy": (),
    "offload": ("--mtu=65520", "--disable-host-loopback"),
}


@pytest.mark.parametrize("number", range(max(1, KILLS // STEPS_PER_LIFE)))
def test_deaths_in_service(guest: Guest, path: Path, tmp_path: Path, dice: random.Random,
                           number: int) -> None:
    variant = list(VARIANTS)[number % len(VARIANTS)]
    options = VARIANTS[variant]
    if variant == "policy":
        (tmp_path / "rules.policy").write_text(POLICY)
        options = (f"--policy={tmp_path / 'rules.policy'}",)
    with serving(guest, path, *options) as daemon:
        with contextlib.ExitStack() as stack:
            life = Life(daemon, Load(guest, str(path), stack), dice, variant == "policy")
            life.check(False)
            at_rest, rss = held(daemon), rss_kib(daemon.pid)
            for _ in range(STEPS_PER_LIFE):
                life.step()
        wait_for("the parent holds the same", lambda: held(daemon) == at_rest)
        assert rss_kib(daemon.pid) <= rss + RSS_MORE_KIB
        counts = api_client.execute(str(path), "query_status")["return"]["restarts"]
        assert {role: counts.get(role.replace("-", "_"), 0) for role in AGAIN} == life.deaths, counts
        assert daemon.terminate() == 0
    with socket.create_server(("127.0.0.1", FORWARDED_PORT)):
        pass


# --- at the start ---------------------------------------------------------------------------------


def wait_for_end_or_service(guest: Guest, daemon: Slirpd) -> None:
    """slirpd may become ready in the turn in which it hears of a death."""
    def serves() -> bool:
        with socket_in(guest.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
            client.settimeout(ATTEMPT_S)
            with contextlib.suppress(OSError):
                client.connect((INTERNET4, HTTP_PORT))
                return True
        return False

    wait_for("service, or an end", lambda: daemon.process.poll() is not None or serves(),
             2 * DEADLINE_S)


def test_deaths_at_the_start(guest: Guest, path: Path, tmp_path: Path, dice: random.Random) -> None:
    """slirpd ends and says why, or gives the guest its network. Every other start has a policy, which then
    is in force."""
    policy = tmp_path / "rules.policy"
    policy.write_text(POLICY)
    n_ready = 0
    ended: dict[str, int] = {}
    for number in range(STARTS):
        limited = number % 2
        daemon = serving(guest, path, *([f"--policy={policy}"] if limited else []))
        daemon.start()
        try:
            time.sleep(dice.random() * START_S)
            below = descendants(daemon.pid)
            victims = dice.sample(below, min(len(below), dice.choice((1, 1, 2))))
            names = [comm_of(pid) for pid in victims]
            numbers = [dice.choice(SIGNALS) for _ in victims]
            for pid, number in zip(victims, numbers, strict=True):
                kill(pid, number)
            for name in names:
                ended[name] = ended.get(name, 0) + 1
            if is_ready := bool(read_to_eof(daemon.ready_read)):
                n_ready += 1
                wait_for_end_or_service(guest, daemon)
                assert not limited or is_denied(guest) or daemon.process.poll() is not None
                daemon.process.terminate()
            status = daemon.wait()
            if not is_ready or status:
                assert status == 1
                assert re.search(r"^slirpd: .*; (ending|its work was done)$", daemon.stderr, re.M)
        finally:
            daemon.__exit__()
        wait_for("the TAP is gone", lambda: guest.links() == {"lo"})
        assert not path.exists()
    print(f"{n_ready} of {STARTS} became ready; ended: {ended}")


# --- the end, while a process is started again ----------------------------------------------------


@pytest.mark.parametrize("how", ("exit-fd", "SIGTERM", "SIGKILL", "guest"))
def test_end_during_a_restart(lab: Lab, path: Path, dice: random.Random, how: str) -> None:
    """It is as orderly as any other, and leaves nothing."""
    for _ in range(max(1, KILLS // 8)):
        with Guest() as guest, serving(guest, path, exit_fd=how == "exit-fd") as daemon:
            family = set(daemon.pids())
            for role in dice.sample(AGAIN, dice.choice((1, 2, 3))):
                kill(daemon.children()[role], dice.choice(SIGNALS))
            time.sleep(dice.random() * STEP_S)
            family |= set(daemon.pids())
            match how:
                case "exit-fd":
                    daemon.hang_up()
                case "SIGTERM":
                    daemon.process.terminate()
                case "SIGKILL":
                    daemon.kill()
                case "guest":
                    guest.end()
            if how == "SIGKILL":
                wait_for("nobody is left", lambda: not family & all_pids())
                path.unlink()
            else:
                status = daemon.wait()
                # One that was killed when it was to end is told.
                assert status == (1 if "; its work was done" in daemon.stderr else 0), daemon.stderr
                assert not path.exists()
        with socket.create_server(("127.0.0.1", FORWARDED_PORT)):
            pass
