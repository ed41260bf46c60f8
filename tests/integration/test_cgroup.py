# SPDX-License-Identifier: BSD-2-Clause
"""Children follow slirpd into the control group that the caller moves it into.

Podman does so after ready, through systemd. Here real root stands for systemd, and slirpd runs
as an ordinary user, to whom the control groups belong.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import api_client
import kernel
import pytest
from cgroups import cgroup2, cgroup_of, delegated_cgroup, enter
from daemon import Slirpd
from guest import AS_ORDINARY_ID, ORDINARY_ID, Guest, OrdinaryGuest
from lab import Lab, works
from processes import borrowed, fds_of, first_unread
from tree import SANITIZED, slirpd_path
from waiting import DEADLINE_S, wait_for

FOLLOW = "slirpd's processes follow it into control group {}"


@pytest.fixture(scope="module", autouse=True)
def root() -> Iterator[Path]:
    assert os.getuid() == 0
    with cgroup2() as made:
        yield made


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with OrdinaryGuest() as made:
        yield made


@pytest.fixture
def groups() -> Iterator[Path]:
    """Two that belong to the ordinary user, and one that does not."""
    with delegated_cgroup("a", "b") as made:
        (made / "foreign").mkdir()
        yield made


def started_in(group: Path, *argv: object) -> Slirpd:
    return Slirpd("--configure", *argv, as_ordinary=False, prefix=[*enter(group), *AS_ORDINARY_ID])


@pytest.fixture
def daemon(groups: Path, guest: Guest) -> Iterator[Slirpd]:
    with started_in(groups / "a", guest.pid, "tap0") as made:
        yield made


def name_of(group: Path) -> str:
    """As /proc/PID/cgroup has it."""
    return str(group).removeprefix("/sys/fs/cgroup")


def move(daemon: Slirpd, group: Path) -> None:
    """As systemd does: the process that the caller knows, and no other."""
    (group / "cgroup.procs").write_text(str(daemon.pid))


def wake(daemon: Slirpd) -> bool:
    """slirpd looks whenever it is awake, at most once a second."""
    daemon.process.send_signal(signal.SIGUSR1)
    return True


def are_in(daemon: Slirpd, group: Path) -> bool:
    return {cgroup_of(pid) for pid in daemon.pids()} == {group}


def test_children_follow_a_caller_moved_at_once(groups: Path, guest: Guest,
                                                daemon: Slirpd) -> None:
    """With the jails and filters of an ordinary start, which the mover reports too."""
    move(daemon, groups / "b")
    assert set(daemon.children()) == {
        "slirp-worker", "connector", "resolver", "spawner", "cgroup"}
    wait_for("all are there", lambda: are_in(daemon, groups / "b"))
    wait_for("it is said", lambda: FOLLOW.format(name_of(groups / "b")) in daemon.stderr)
    assert "cgroup-mover confined: descriptors capabilities limits" in daemon.stderr
    for pid in daemon.pids():
        assert "Seccomp:\t2\n" in Path(f"/proc/{pid}/status").read_text()
    assert works(guest.netns)


def test_children_follow_later_and_again(groups: Path, guest: Guest, daemon: Slirpd) -> None:
    for group in (groups / "b", groups / "a", groups):
        move(daemon, group)
        wait_for("all are there", lambda group=group: wake(daemon) and are_in(daemon, group))
    assert works(guest.netns)


def test_children_stay_if_nothing_moves(groups: Path, daemon: Slirpd) -> None:
    wait_for("slirpd has looked", lambda: wake(daemon) and daemon.stderr.count("stats:") > 0)
    assert are_in(daemon, groups / "a")
    assert "control group" not in daemon.stderr


def test_api_that_dies_is_started_again_in_the_new_group(groups: Path, guest: Guest) -> None:
    with tempfile.TemporaryDirectory() as directory:
        os.chown(directory, ORDINARY_ID, ORDINARY_ID)
        path = Path(directory) / "api.sock"
        with started_in(groups / "a", "--api-socket", path, guest.pid, "tap0") as daemon:
            first, mover = daemon.children()["api"], daemon.children()["cgroup"]
            # The order to the mover does not have the next api, which the spawner starts in the
            # old group.
            os.kill(mover, signal.SIGSTOP)
            move(daemon, groups / "b")
            with borrowed(mover, 3) as channel:
                wait_for("the mover has its order", lambda: first_unread(channel))
            os.kill(first, signal.SIGKILL)
            wait_for("another api", lambda: daemon.children().get("api", first) != first)
            assert cgroup_of(daemon.children()["api"]) == groups / "a"
            os.kill(mover, signal.SIGCONT)
            wait_for("all are there", lambda: are_in(daemon, groups / "b"))
            assert set(daemon.children()) == {
                "slirp-worker", "connector", "resolver", "spawner", "api", "cgroup"}
            second = daemon.children()["api"]
            os.kill(second, signal.SIGKILL)
            wait_for("a third api", lambda: daemon.children().get("api", second) != second)
            assert cgroup_of(daemon.children()["api"]) == groups / "b"
            status = api_client.execute(str(path), "query_status")["return"]
            assert status["confinement"]["cgroup_mover"]["seccomp"] is True


def test_refusal_is_said_and_the_network_goes_on(groups: Path, guest: Guest,
                                                 daemon: Slirpd) -> None:
    move(daemon, groups / "foreign")
    refused = (f"cgroup-mover[{daemon.children()['cgroup']}]: move slirpd's processes: Permission "
               "denied; those that stay in their control group end with it; slirpd is in "
               f"{name_of(groups / 'foreign')}\n")
    wait_for("it is said", lambda: refused in daemon.stderr)
    assert {cgroup_of(pid) for pid in daemon.children().values()} == {groups / "a"}
    assert works(guest.netns)
    move(daemon, groups / "b")
    wait_for("all are there", lambda: wake(daemon) and are_in(daemon, groups / "b"))
    assert daemon.stderr.count(refused) == 1


def test_process_that_cannot_be_moved_holds_up_no_other(groups: Path, daemon: Slirpd) -> None:
    """The worker is where the user may move nothing from."""
    worker, mover = daemon.children()["slirp-worker"], daemon.children()["cgroup"]
    (groups.parent / "cgroup.procs").write_text(str(worker))
    move(daemon, groups / "b")
    wait_for("the mover is there", lambda: cgroup_of(mover) == groups / "b")
    wait_for("it is said", lambda: "move slirpd's processes: Permission denied" in daemon.stderr)
    assert cgroup_of(worker) == groups.parent


def test_without_a_right_to_move_there_is_no_mover(groups: Path, guest: Guest) -> None:
    """As in a session that the system's own systemd has made."""
    with started_in(groups / "foreign", guest.pid, "tap0") as daemon:
        assert set(daemon.children()) == {"slirp-worker", "connector", "resolver", "spawner"}
        assert f"group, which is not this user's: {name_of(groups / 'foreign')}\n" in daemon.stderr
        move(daemon, groups / "b")
        wait_for("it is said", lambda: (
            "slirpd alone was moved; its other processes stay in their control group, and end "
            f"with it; slirpd is in {name_of(groups / 'b')}\n" in daemon.stderr))
        assert works(guest.netns)


def test_killed_mover_is_said_and_the_network_goes_on(groups: Path, guest: Guest,
                                                      daemon: Slirpd) -> None:
    os.kill(daemon.children()["cgroup"], signal.SIGKILL)
    wait_for("it is said", lambda: re.search(
        r"cgroup-mover was killed by SIGKILL .*; the network goes on, but its processes can't "
        r"follow slirpd into another control group$", daemon.stderr, re.M))
    move(daemon, groups / "b")
    wait_for("it is said", lambda: wake(daemon) and "slirpd alone was moved" in daemon.stderr)
    assert works(guest.netns)
    assert daemon.terminate() == 0


def test_mover_holds_its_channel_and_the_root_of_cgroup2(daemon: Slirpd) -> None:
    held = fds_of(daemon.children()["cgroup"])
    # A sanitizer's reports go to the caller's standard error.
    assert {number for number in held if held[number] == "/dev/null"} == (
        {0, 1} if SANITIZED else {0, 1, 2})
    assert held[3].startswith("socket:")
    assert held[4] == "/sys/fs/cgroup"
    assert set(held) == set(range(5))


def test_report_of_confinement_has_the_mover(groups: Path) -> None:
    done = subprocess.run(
        [*enter(groups / "a"), *AS_ORDINARY_ID, slirpd_path(), "--print-confinement"], text=True,
        capture_output=True, timeout=DEADLINE_S, stdin=subprocess.DEVNULL, check=True)
    mover = json.loads(done.stdout)["roles"]["cgroup-mover"]
    assert {name for name, reached in mover["stages"].items() if reached} == {
        "descriptors", "capabilities", "limits", "landlock", "seccomp"} - kernel.MISSING_STAGES
    assert mover["capabilities"]["effective"] == []
    assert set(mover["namespaces"].values()) == {"caller"}


def test_real_root_has_no_mover(groups: Path, guest: Guest) -> None:
    with Slirpd("--configure", guest.pid, "tap0", as_ordinary=False,
                prefix=enter(groups / "a")) as daemon:
        assert set(daemon.children()) == {"slirp-worker", "connector", "resolver", "spawner"}
