# SPDX-License-Identifier: BSD-2-Clause
"""slirpd --print-confinement: that it is JSON, and that it is what /proc shows of a daemon."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import kernel
import pytest
import test_jail_daemon as D
from commands import ORDINARY, sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from processes import no_process_left
from test_jail_daemon import best_effort  # noqa: F401
from tree import REPO, SANITIZED, slirpd_path
from waiting import DEADLINE_S

CAPABILITIES = Path("/usr/include/linux/capability.h")
POLICIES = REPO / "seccomp"


def report(*options: str, prefix: list[str] = [], as_ordinary: bool = True) -> dict[str, Any]:
    done = run(*options, prefix=prefix, as_ordinary=as_ordinary)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(*options: str, prefix: list[str] = [],
        as_ordinary: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*(ORDINARY if as_ordinary else []), *prefix, slirpd_path(), "--print-confinement",
         *options], text=True, capture_output=True, timeout=DEADLINE_S,
        stdin=subprocess.DEVNULL)


def capability_set(names: list[str]) -> str:
    """As /proc prints a set that has these names."""
    numbers = dict(re.findall(r"^#define (CAP_\w+)\s+(\d+)$", CAPABILITIES.read_text(), re.M))
    return f"{sum(1 << int(numbers[name]) for name in names):016x}"


def calls_of(role: str) -> set[str]:
    """Names that the policy allows on this machine."""
    machine = os.uname().machine
    calls = set()
    for line in (POLICIES / f"{role}.policy").read_text().splitlines():
        match = re.match(r"(\w+)(?:\s+\[([\w,]+)\])?", line.partition("#")[0].strip())
        if match and "->" not in line.partition("#")[0] and machine in (match[2] or machine).split(","):
            calls.add(match[1])
    return calls


def assert_is(role: dict[str, Any], pid: int) -> None:
    """What the report says of a role is what /proc shows of a process of that role."""
    status = D.status_of(pid)
    assert role["uid"] == int(status["Uid"].split()[1])
    assert role["gid"] == int(status["Gid"].split()[1])
    assert role["proc"] == {"CapEff": status["CapEff"], "CapBnd": status["CapBnd"],
                            "NoNewPrivs": int(status["NoNewPrivs"]),
                            "Seccomp": int(status["Seccomp"])}
    assert capability_set(role["capabilities"]["effective"]) == status["CapEff"]
    assert capability_set(role["capabilities"]["bounding"]) == status["CapBnd"]
    is_filtered = D.n_own_filters(pid) > 0
    assert role["stages"]["seccomp"] == is_filtered
    assert (role["system_calls"] is not None) == is_filtered
    own = {name for name, whose in role["namespaces"].items() if whose == "own"}
    assert own == D.foreign_namespaces(pid)
    assert {whose for whose in role["namespaces"].values()} <= {"own", "caller"}
    if role["root"] is None:
        assert os.path.exists(f"/proc/{pid}/root/proc/self")
    else:
        root = f"/proc/{pid}/root"
        assert role["root"] == sorted(path for path in D.tree(root)
                                      if not os.path.isdir(f"{root}{path}"))


@pytest.mark.parametrize("options", (
    (), ("--enable-sandbox", "--enable-seccomp"), ("--disable-sandbox",), ("--disable-seccomp",),
    ("--disable-sandbox", "--disable-seccomp")), ids=" ".join)
def test_report_is_what_proc_shows_of_a_daemon(guest: Guest, tmp_path: Path,
                                               options: tuple[str, ...]) -> None:
    said = report(*options)
    assert set(said["roles"]) == {*D.STAGES, "cgroup-mover", "policy-reader"}
    assert said["roles"]["cgroup-mover"] is said["roles"]["policy-reader"] is None
    with Slirpd(*options, "--configure", "--api-socket", tmp_path / "api.sock", guest.pid,
                "tap0") as daemon:
        for role, pid in {"parent": daemon.pid, **daemon.children()}.items():
            assert_is(said["roles"][role], pid)
        for role in D.STAGES:
            stages = said["roles"][role]["stages"]
            assert list(stages) == list(D.ALL_STAGES)
            assert {name for name in stages if stages[name]} == D.Said(daemon.stderr, role).reached


def test_report_of_a_whole_jail() -> None:
    said = report()
    version = run_slirpd("--version").stdout
    assert f"slirpd version {said['slirpd']}\n" in version
    assert f"libslirp: {said['libslirp']}\n" in version
    assert said["kernel"] == os.uname().release
    assert (said["sandbox"], said["seccomp"], said["no_guest"]) == ("required", "required", None)
    for role, stages in D.STAGES.items():
        entry = said["roles"][role]
        assert {name for name, reached in entry["stages"].items() if reached} == (
            stages - kernel.MISSING_STAGES)
        if not SANITIZED:
            # Services inherit the spawner's filter, which therefore allows what theirs do.
            inherited_by = {"api", "connector", "resolver", "slirp-worker"} if role == "spawner" else set()
            assert set(entry["system_calls"]) == calls_of(role).union(
                *(calls_of(heir) for heir in inherited_by))
    worker, helper = said["roles"]["slirp-worker"], said["roles"]["netns-helper"]
    assert said["roles"]["api"]["root"] == []
    assert worker["landlock_abi"] == min(kernel.LANDLOCK_ABI, kernel.LANDLOCK_ABI_KNOWN)
    assert {name for name, whose in helper["namespaces"].items() if whose == "guest"} == {
        "user", "net"}
    # Those over the guest alone.
    assert "CAP_NET_ADMIN" in helper["capabilities"]["effective"]
    assert helper["proc"]["Seccomp"] == 2


def test_report_of_uid_0_in_a_user_namespace(guest: Guest) -> None:
    with D.BelowGuest(guest) as below, Slirpd(
            "--configure", below.pid, "tap0", as_ordinary=False,
            prefix=D.into(guest)) as daemon:
        said = report(prefix=D.into(guest), as_ordinary=False)
        worker = said["roles"]["slirp-worker"]
        status = D.status_of(daemon.children()["slirp-worker"])
        # The report has the ids as that user namespace has them.
        assert worker["uid"] == worker["gid"] == 0
        assert worker["proc"]["CapEff"] == status["CapEff"] == D.NO_CAPABILITY
        assert {name for name, whose in worker["namespaces"].items()
                if whose == "own"} == D.own_namespaces("slirp-worker")
        assert {name for name, reached in worker["stages"].items()
                if not reached} == kernel.MISSING_STAGES


def test_report_without_user_namespaces_fails_where_the_jail_is_required() -> None:
    with D.no_user_namespaces():
        done = run()
    assert done.returncode == 1
    assert done.stdout == ""
    assert "jail stage namespaces: unshare: No space left on device" in done.stderr
    assert "user.max_user_namespaces=0" in done.stderr


@pytest.mark.usefixtures("best_effort")
def test_report_without_user_namespaces_tells_the_level() -> None:
    with D.no_user_namespaces():
        said = report()
    assert said["sandbox"] == "best-effort"
    assert "user.max_user_namespaces=0" in said["no_guest"]
    assert said["roles"]["netns-helper"] is None
    worker = said["roles"]["slirp-worker"]
    assert {name for name, reached in worker["stages"].items() if not reached} == {
        "namespaces", "root"} | kernel.MISSING_STAGES
    assert worker["root"] is None
    assert set(worker["namespaces"].values()) == {"caller"}


def test_report_where_the_guests_user_namespace_is_shared() -> None:
    """A caller with capabilities needs no user namespace for the guest; the worker does."""
    with D.no_user_namespaces():
        done = run(as_ordinary=False)
        assert done.returncode == 1
        assert "jail stage namespaces" in done.stderr
        said = report("--disable-sandbox", as_ordinary=False)
    assert said["no_guest"] is None
    assert said["roles"]["netns-helper"]["namespaces"]["net"] == "guest"


def test_nothing_is_left_of_a_report() -> None:
    links = sh("ip", "-o", "link").stdout
    with no_process_left():
        report()
    assert sh("ip", "-o", "link").stdout == links


def test_report_that_nobody_takes_is_a_failure() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*ORDINARY, slirpd_path(), "--print-confinement"], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1
    assert "write the report: No space left on device" in done.stderr
