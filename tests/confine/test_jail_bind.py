# SPDX-License-Identifier: BSD-2-Clause
"""The jail of a connector whose caller has CAP_NET_BIND_SERVICE over the host's network.

Runs through `outer-ns --as-root`: a capability of a file, and one over a network that is not in
the user namespace of its user, need the machine's root. slirpd itself runs as an ordinary user.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import clients
import kernel
import pytest
import test_jail_daemon as D
from api_client import daemon_with_api, execute
from commands import needs, sh
from daemon import Slirpd, SlirpdRun
from forwarding import check_conversation, from_internet, serving
from guest import AS_ORDINARY_ID, ORDINARY_ID, Guest, OrdinaryGuest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from lab import HOST4, Lab
from waiting import DEADLINE_S

CAPABILITY = 1 << 10
PORT = 80
SYSCTL = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
AMBIENT = ["setpriv", f"--reuid={ORDINARY_ID}", f"--regid={ORDINARY_ID}", "--clear-groups",
           "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service", "--"]
WITH_IT = ("ambient", "file")


@pytest.fixture
def guest(lab: Lab) -> Iterator[Guest]:
    with OrdinaryGuest() as made:
        yield made


@pytest.fixture
def directory() -> Iterator[Path]:
    """One on the way to which nobody is kept out."""
    with tempfile.TemporaryDirectory(dir="/run/lab") as made:
        os.chmod(made, 0o755)
        yield Path(made)


@pytest.fixture
def installed(directory: Path) -> Path:
    clients.install("slirpd", directory)
    return directory / "prefix/bin/slirpd"


@pytest.fixture
def daemon_args(installed: Path) -> dict[str, object]:
    """As an ordinary user without any capability."""
    return {"program": str(installed), "prefix": AS_ORDINARY_ID, "as_ordinary": False}


def give(way: str, daemon_args: dict[str, object]) -> None:
    """Gives the capability to the next start."""
    if way == "ambient":
        daemon_args["prefix"] = AMBIENT
    else:
        needs("setcap")
        sh("setcap", "cap_net_bind_service=+ep", str(daemon_args["program"]))


def add(path: str, port: int = PORT, **more: object) -> dict[str, object]:
    return execute(path, "add_hostfwd", proto="tcp", host_addr="0.0.0.0", host_port=port,
                   guest_port=port, **more)


def assert_carries(guest: Guest) -> None:
    with serving(guest, 4, PORT) as sock, from_internet(HOST4, PORT) as client:
        accepted, _ = sock.accept()
        with accepted:
            check_conversation(client, accepted)


def assert_keeps_it(daemon: Slirpd) -> None:
    """The connector has this capability and no other, and all stages but two; the others have
    their whole jails."""
    for role in ("slirp-worker", "connector", "resolver"):
        pid = daemon.children()[role]
        kept = CAPABILITY if role == "connector" else 0
        status = D.status_of(pid)
        expected = D.expected_status(role) | {"CapEff": f"{kept:016x}", "CapPrm": f"{kept:016x}"}
        if kept:  # no_new_privs makes it harmless
            del expected["CapBnd"]
        assert {key: status[key] for key in expected} == expected
        assert set(status["Uid"].split()) == {str(ORDINARY_ID)}
        assert D.foreign_namespaces(pid) == (set() if kept else D.own_namespaces(role))
        D.assert_limits(pid, D.LIMITS_OF_ZERO[role])
        missed = D.Said(daemon.stderr, role).missed
        assert missed == kernel.MISSING_STAGES | ({"namespaces", "root"} if kept else set())
    assert "jail stages namespaces and root: left out" in daemon.stderr
    assert D.status_of(daemon.pid)["CapEff"] == D.NO_CAPABILITY


def assert_whole_jail(daemon: Slirpd) -> None:
    pid = daemon.children()["connector"]
    expected = D.expected_status("connector")
    status = D.status_of(pid)
    assert {key: status[key] for key in expected} == expected
    assert D.foreign_namespaces(pid) == D.own_namespaces("connector")
    assert D.tree(f"/proc/{pid}/root") == set()


@pytest.mark.parametrize("way", WITH_IT)
def test_capability_of_the_caller_reaches_the_connector_alone(
        guest: Guest, daemon_args: dict[str, object], way: str) -> None:
    give(way, daemon_args)
    with daemon_with_api(guest, **daemon_args) as (daemon, path):
        assert add(path)["return"]
        assert_carries(guest)
        assert_keeps_it(daemon)


@pytest.mark.parametrize("way", WITH_IT)
def test_published_port(guest: Guest, daemon_args: dict[str, object], way: str) -> None:
    give(way, daemon_args)
    with Slirpd("--configure", f"--publish={PORT}:{PORT}", guest.pid, "tap0", **daemon_args) as daemon:
        assert_carries(guest)
        assert_keeps_it(daemon)


@pytest.mark.parametrize("way", WITH_IT)
def test_without_the_sandbox(guest: Guest, daemon_args: dict[str, object], way: str) -> None:
    give(way, daemon_args)
    with Slirpd("--configure", "--disable-sandbox", f"--publish={PORT}:{PORT}", guest.pid, "tap0",
                **daemon_args):
        assert_carries(guest)


def test_run_of_a_program_with_the_capability(lab: Lab, daemon_args: dict[str, object],
                                              installed: Path) -> None:
    """Its command has the namespace's capabilities, and not this one of the host's."""
    give("file", daemon_args)
    inner = "setpriv --dump | grep Ambient; exec sleep 1000"
    with SlirpdRun(f"--publish={PORT}:{PORT}", "--log-level=debug", "sh", "-euc", inner,
                   as_ordinary=False, prefix=[*AS_ORDINARY_ID],
                   slirpd=str(installed)) as daemon:
        daemon.wait_command("sleep")
        assert "net_bind_service" not in daemon.stdout
        assert D.status_of(daemon.children()["connector"])["CapEff"] == f"{CAPABILITY:016x}"
        daemon.terminate()


@pytest.mark.parametrize("way", WITH_IT)
def test_without_forwards_the_jail_is_whole(guest: Guest, daemon_args: dict[str, object],
                                            way: str) -> None:
    give(way, daemon_args)
    with Slirpd("--configure", guest.pid, "tap0", **daemon_args) as daemon:
        assert_whole_jail(daemon)


def test_sysctl_is_enough_and_the_jail_is_whole(guest: Guest,
                                                daemon_args: dict[str, object]) -> None:
    give("ambient", daemon_args)
    before = SYSCTL.read_text()
    SYSCTL.write_text("0\n")
    try:
        with daemon_with_api(guest, **daemon_args) as (daemon, path):
            assert add(path)["return"]
            assert_carries(guest)
            assert_whole_jail(daemon)
    finally:
        SYSCTL.write_text(before)


@pytest.mark.parametrize("way", ("no capability", "other user namespace", "helper"))
def test_refusal_says_what_would_help(guest: Guest, daemon_args: dict[str, object],
                                      way: str) -> None:
    """A capability over a user namespace of one's own is not one over the host's network, and
    no_new_privs takes that of a helper's file away."""
    if way == "other user namespace":
        daemon_args["prefix"] = [*AS_ORDINARY_ID, "nsenter", "--preserve-credentials", "-U",
                                 "-t", str(guest.pid), "--"]
    elif way == "helper":
        needs("setcap")
        for program in (Path(daemon_args["program"]).parents[1] / "libexec/slirpd").iterdir():
            sh("setcap", "cap_net_bind_service=+ep", str(program))
    with daemon_with_api(guest, **daemon_args) as (daemon, path):
        said = add(path)["error"]
        assert said["class"] == "PermissionDenied", said
        assert "ip_unprivileged_port_start has to be at most 80, or slirpd needs " \
            "CAP_NET_BIND_SERVICE over the host's network" in str(said), said
        assert add(path, 8080)["return"]
        assert D.status_of(daemon.children()["connector"])["CapEff"] == D.NO_CAPABILITY


@pytest.mark.parametrize("what", ("program", "directory"))
def test_programs_of_the_caller_do_not_get_the_capability(installed: Path, what: str) -> None:
    """The file gives it to slirpd, whoever starts it."""
    needs("setcap")
    libexec = installed.parents[1] / "libexec/slirpd"
    os.chown(libexec if what == "directory" else libexec / "slirpd-connector", ORDINARY_ID, -1)
    argv = [*AS_ORDINARY_ID, str(installed), "--version"]

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE_S)

    assert run().returncode == 0
    sh("setcap", "cap_net_bind_service=+ep", str(installed))
    done = run()
    assert done.returncode == 1
    assert f"belongs to uid {ORDINARY_ID}" in done.stderr
