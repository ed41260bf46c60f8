# SPDX-License-Identifier: BSD-2-Clause
"""The jails of api and spawner in a running slirpd, from outside; see test_jail_daemon.py."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import kernel
import pytest
from api_client import execute
from commands import ORDINARY, sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from processes import borrowed, fd_table, fds_of, proc_stat
from test_jail_daemon import (
    BARRED,
    BARRED_IDS,
    LIMITS_OF_ZERO,
    NO_CAPABILITY,
    expected_status,
    ROOT_MOUNT,
    Said,
    assert_limits,
    barred,
    best_effort,  # noqa: F401
    foreign_namespaces,
    own_namespaces,
    n_own_filters,
    no_user_namespaces,
    not_sanitized,
    plain_netns,
    status_of,
    traffic,
    tree,
    works,
)
from tree import SANITIZED, slirpd_path
from waiting import DEADLINE_S, wait_for

API_NAMESPACES = own_namespaces("api")
CALLS_AT_MOST = 25


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.sock"


@pytest.fixture
def daemon(guest: Guest, path: Path) -> Iterator[Slirpd]:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as made:
        yield made


def roles(daemon: Slirpd) -> dict[str, int]:
    found = daemon.children()
    assert set(found) == {"slirp-worker", "connector", "resolver", "spawner", "api"}
    return found


@not_sanitized
def test_status_of_api_and_spawner(guest: Guest, daemon: Slirpd) -> None:
    with traffic(guest.netns):
        for role in ("api", "spawner"):
            status = status_of(roles(daemon)[role])
            expected = expected_status(role)
            assert {key: status[key] for key in expected} == expected, role
            assert status["PPid"] == str(daemon.pid), role


def test_namespaces(daemon: Slirpd) -> None:
    found = roles(daemon)
    assert foreign_namespaces(found["api"]) == API_NAMESPACES
    assert foreign_namespaces(found["spawner"]) == set()
    net = {os.readlink(f"/proc/{found[role]}/ns/net") for role in found}
    # Worker, resolver and api have one each.
    assert len(net) == 4
    user = {os.readlink(f"/proc/{found[role]}/ns/user") for role in found}
    assert len(user) == 5


@pytest.mark.parametrize("role", ("slirp-worker", "resolver", "api"))
def test_network_is_empty(daemon: Slirpd, role: str) -> None:
    """One interface, lo, and it is down; no address, no route."""
    pid = str(roles(daemon)[role])

    def ip(*argv: str) -> str:
        return sh("nsenter", "--preserve-credentials", "-U", "-n", "-t", pid, "--", "ip",
                  *argv).stdout

    links = ip("-o", "link")
    assert links.count("\n") == 1 and "1: lo: <LOOPBACK>" in links, links
    for argv in (("-4", "addr"), ("-6", "addr"), ("-4", "route", "show", "table", "all"),
                 ("-6", "route", "show", "table", "all")):
        assert ip(*argv) == "", argv


def test_root_of_the_api_is_empty(daemon: Slirpd) -> None:
    root = f"/proc/{roles(daemon)['api']}/root"
    mounts = Path(root).parent.joinpath("mountinfo").read_text()
    assert tree(root) == set()
    assert mounts.count("\n") == 1, mounts
    options = re.match(ROOT_MOUNT, mounts).group(1).split(",")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options)


@not_sanitized
def test_limits_with_an_api(daemon: Slirpd) -> None:
    for role, pid in {"parent": daemon.pid, **roles(daemon)}.items():
        assert_limits(pid, LIMITS_OF_ZERO[role])


@not_sanitized
def test_descriptors_of_api_and_spawner(guest: Guest, daemon: Slirpd) -> None:
    found = roles(daemon)
    with traffic(guest.netns):
        api, spawner = fds_of(found["api"]), fds_of(found["spawner"])
    # 7 is in reserve, for the channel to another process.
    assert {number for number in api if api[number] == "/dev/null"} == {0, 1, 2, 7}
    assert {number for number in api if api[number].startswith("socket:")} == {3, 4, 5, 6}
    assert set(api) == set(range(8))
    assert {number for number in spawner if spawner[number] == "/dev/null"} == {0, 1, 2}
    assert spawner[3].startswith("socket:")
    programs = [spawner[number] for number in range(4, 8)]
    assert [Path(program).name for program in programs] == [
        "slirpd-slirp-worker", "slirpd-connector", "slirpd-resolver", "slirpd-api"]
    # One in reserve, for the channel of the next service.
    assert {number: spawner[number] for number in spawner if number > 7} in (
        {}, {8: "/dev/null"})


@not_sanitized
def test_channel_of_worker_and_api_is_number_4_of_both(daemon: Slirpd) -> None:
    """And the parent has neither end once it is handed over."""
    found = roles(daemon)
    parent = set(fd_table(daemon.pid).values())

    def end_of(role: str) -> str:
        return fds_of(found[role])[4]

    # What is sent to the worker may still be on its way when slirpd is ready.
    wait_for("the worker has its end", lambda: end_of("slirp-worker") != "/dev/null")
    for role in ("api", "slirp-worker"):
        assert end_of(role).startswith("socket:")
        assert end_of(role) not in parent


@not_sanitized
@pytest.mark.parametrize("role", ("api", "spawner"))
@pytest.mark.parametrize("what", ("root/", "fd/", "maps", "mem", "environ"))
def test_the_same_user_cannot_look_into_it(daemon: Slirpd, role: str, what: str) -> None:
    tool = "ls" if what.endswith("/") else "head"
    done = subprocess.run([*ORDINARY, tool, "--", f"/proc/{roles(daemon)[role]}/{what}"],
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr


def test_capabilities_of_the_caller_are_not_the_apis(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0",
                as_ordinary=False) as daemon:
        status = status_of(roles(daemon)["api"])
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert status[kind] == NO_CAPABILITY, kind


def test_what_it_reached_is_said(daemon: Slirpd) -> None:
    api = Said(daemon.stderr, "api")
    assert api.missed == kernel.MISSING_STAGES
    assert Said(daemon.stderr, "spawner").reached == {"descriptors", "limits", "seccomp"}
    if not SANITIZED:
        assert 0 < api.n_calls <= CALLS_AT_MOST


def test_without_api_socket_there_is_no_api(network: Slirpd) -> None:
    assert set(network.children()) == {"slirp-worker", "connector", "resolver", "spawner"}
    assert "api" not in network.stderr


# A filter of the caller's on top is one more for each process.
@not_sanitized
def test_disable_seccomp(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--disable-seccomp", "--api-socket", path, guest.pid,
                "tap0") as daemon:
        found = roles(daemon)
        for role in ("api", "spawner"):
            assert "seccomp" in Said(daemon.stderr, role).missed
            assert n_own_filters(found[role]) == 0
            assert status_of(found[role])["NoNewPrivs"] == "1"
        assert foreign_namespaces(found["api"]) == API_NAMESPACES


def test_disable_sandbox(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--disable-sandbox", "--api-socket", path, guest.pid,
                "tap0") as daemon:
        assert Said(daemon.stderr, "api").reached == {"descriptors", "seccomp"}
        assert foreign_namespaces(roles(daemon)["api"]) == set()
        for pid in daemon.pids():
            assert_limits(pid, set())


def test_api_that_is_started_again_is_in_the_same_jail(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as daemon:
        first = roles(daemon)["api"]
        os.kill(first, signal.SIGKILL)
        wait_for("another api is in its jail", lambda: daemon.children().get("api", first) != first
                 and n_own_filters(daemon.children()["api"]) == 2)
        again = roles(daemon)["api"]
        assert foreign_namespaces(again) == API_NAMESPACES
        assert tree(f"/proc/{again}/root") == set()
        assert status_of(again)["CapEff"] == NO_CAPABILITY


@not_sanitized
def test_api_that_loses_the_worker_goes_on_under_its_filter(guest: Guest, daemon: Slirpd,
                                                            path: Path) -> None:
    """It ends the channel, and the number stays taken: a client must not get it."""
    found = roles(daemon)
    with borrowed(found["slirp-worker"], 4) as channel:
        channel.send(b"not a message at all")
    wait_for("it is said", lambda: "channel to slirp-worker: not a message" in daemon.stderr)
    assert execute(str(path), "query_connections")["error"]["class"] == "Busy"
    wait_for("the worker has read the end",
             lambda: fds_of(found["slirp-worker"])[4] == "/dev/null")
    assert fds_of(found["api"])[4] == "/dev/null"
    assert roles(daemon) == found
    assert works(guest.netns)


@pytest.mark.parametrize("role", ("slirp-worker", "connector", "resolver", "spawner", "api"))
def test_sigkill_of_the_parent_ends_a_child_that_does_nothing(guest: Guest, path: Path,
                                                              role: str) -> None:
    """One that sees the end of its channel would end by itself."""
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as daemon:
        pid = roles(daemon)[role]
        os.kill(pid, signal.SIGSTOP)
        wait_for("it is stopped", lambda: proc_stat(pid)[0] == "T")
        daemon.kill()
        daemon.wait_family_gone()


# --- where a jail can't be had ------------------------------------------------------------------


def test_without_user_namespaces_the_guests_is_joined(guest: Guest, path: Path) -> None:
    with no_user_namespaces(), \
            Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as daemon:
        with traffic(guest.netns):
            for n_started in (1, 2):
                api = roles(daemon)["api"]
                assert os.readlink(f"/proc/{api}/ns/user") == os.readlink(guest.userns)
                assert foreign_namespaces(api) == API_NAMESPACES
                assert tree(f"/proc/{api}/root") == set()
                assert status_of(api)["CapEff"] == NO_CAPABILITY
                if n_started == 1:
                    os.kill(api, signal.SIGKILL)
                    wait_for("another api", lambda: daemon.stderr.count("api[") >= 4
                             and daemon.children().get("api", api) != api)
                    wait_for("it is in its jail",
                             lambda: n_own_filters(daemon.children()["api"]) == 2)


def test_without_any_user_namespace_required_fails(path: Path) -> None:
    """Worker or api is the first to say so, and the socket is gone."""
    with no_user_namespaces(), plain_netns() as netns:
        done = subprocess.run(
            [slirpd_path(), "--configure", "--api-socket", path, "--netns-type=path", netns,
             "tap0"], text=True, capture_output=True, stdin=subprocess.DEVNULL,
            timeout=DEADLINE_S)
    assert done.returncode == 1
    assert "jail stage namespaces" in done.stderr
    assert list(path.parent.iterdir()) == []


def test_without_any_user_namespace_best_effort_goes_on(
        path: Path, best_effort: None) -> None:  # noqa: F811
    with no_user_namespaces(), plain_netns() as netns:
        with Slirpd("--configure", "--api-socket", path, "--netns-type=path", netns, "tap0",
                    as_ordinary=False) as daemon, traffic(netns):
            api = Said(daemon.stderr, "api")
            assert {"namespaces", "root"} <= api.missed
            assert {"limits", "capabilities", "seccomp"} <= api.reached
            assert foreign_namespaces(roles(daemon)["api"]) == set()


@pytest.mark.parametrize("rules,stage,reason,missed", BARRED, ids=BARRED_IDS)
def test_barred_stage_that_is_required_leaves_no_socket(
        guest: Guest, path: Path, rules: list[str], stage: str, reason: str,
        missed: set[str]) -> None:
    done = run_slirpd("--configure", "--api-socket", path, guest.pid, "tap0",
                      prefix=barred(*rules))
    assert done.returncode == 1
    assert re.search(rf"jail stage {stage}\b.*{reason}", done.stderr), done.stderr
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("rules,stage,reason,missed", BARRED, ids=BARRED_IDS)
def test_barred_stage_at_best_effort_is_said_and_done_without(
        guest: Guest, path: Path, best_effort: None, rules: list[str],  # noqa: F811
        stage: str, reason: str, missed: set[str]) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0",
                prefix=barred(*rules)) as daemon, traffic(guest.netns):
        assert Said(daemon.stderr, "api").missed == missed | kernel.MISSING_STAGES
        assert re.search(rf"api\[\d+\]: jail stage {stage}\b.*{reason}", daemon.stderr)


def test_root_that_cannot_be_replaced_is_hidden(guest: Guest, path: Path) -> None:
    """Under the spawner's filter, too."""
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0",
                prefix=barred("pivot_root=EINVAL")) as daemon:
        assert Said(daemon.stderr, "api").missed == kernel.MISSING_STAGES
        assert re.search(r"api\[\d+\]: jail stage root: .*; chroot hides it instead$",
                         daemon.stderr, re.M)
        assert tree(f"/proc/{roles(daemon)['api']}/root") == set()


def test_api_that_dies_of_a_signal_is_reported_by_its_name(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as daemon:
        os.kill(roles(daemon)["api"], signal.SIGSYS)
        wait_for("it is said", lambda: re.search(
            r"api was killed by SIGSYS \d+\.\d{3} s after its start, in service; "
            r"its last message was (api_ready|pong); starting it again$", daemon.stderr, re.M))
        assert works(guest.netns)
