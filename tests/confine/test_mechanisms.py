# SPDX-License-Identifier: BSD-2-Clause
"""Runs the program test_mechanisms in every kind of caller that slirpd has.

Its path, and that of bar_unshare, come from the environment (TEST_MECHANISMS, BAR_UNSHARE).
An ordinary user's settings are made by tests/lib/outer-ns; those of real root only exist where
these tests are started by it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

OUTER_NS = str(Path(__file__).resolve().parents[1] / "lib" / "outer-ns")
PROGRAM = os.environ.get("TEST_MECHANISMS", "test_mechanisms")
BAR_UNSHARE = os.environ.get("BAR_UNSHARE", "bar_unshare")

# For one run of the program; it takes about a second, more with a sanitizer.
LIMIT_S = 60

# outer-ns gives capabilities over its namespaces; these take them away again.
NO_CAPS = ("setpriv", "--ambient-caps=-all", "--inh-caps=-all")
NO_BOUNDING = ("setpriv", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all")
ROOT_INSIDE = ("unshare", "--user", "--map-root-user")

# The caller, and how it makes the jail.
ORDINARY = {
    "user-with-capabilities-over-its-namespaces": ((), "own-userns"),
    "user-without-own-userns": ((), "privileged"),
    "user-without-capability": (NO_CAPS, "own-userns"),
    "user-with-empty-bounding-set": (NO_BOUNDING, "own-userns"),
    "uid-0-of-a-user-namespace": (ROOT_INSIDE, "own-userns"),
    "uid-0-of-a-user-namespace-without-own-userns": (ROOT_INSIDE, "privileged"),
    "parent-in-a-mount-namespace": (("unshare", "--mount"), "own-userns"),
}

# Tests mount as they like, so never where the machine would notice.
PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "private")
REAL_ROOT = {
    "real-root": (PRIVATE_MOUNTS, "privileged"),
    "real-root-with-own-userns": (PRIVATE_MOUNTS, "own-userns"),
}

# What makes user namespaces impossible, and what the program must say about it: a shell
# command that ends by running "$@".
BARRED = {
    "sysctl-0": (
        f'echo 0 >/proc/sys/user/max_user_namespaces; exec {" ".join(NO_CAPS)} "$@"',
        "ENOSPC", "user.max_user_namespaces=0"),
    # The namespace exists before the one around it is closed.
    "sysctl-0-of-an-outer-namespace": (
        'export DIR; DIR=$(mktemp -d); mkfifo "$DIR/up" "$DIR/closed"; '
        '{ read -r _ <"$DIR/up"; echo 0 >/proc/sys/user/max_user_namespaces; '
        'echo >"$DIR/closed"; rm -rf "$DIR"; } & '
        'exec unshare --user --map-user=1000 --map-group=1000 '
        'bash -c \'echo >"$DIR/up"; read -r _ <"$DIR/closed"; exec "$@"\' bash "$@"',
        "ENOSPC", "limit of user.max_user_namespaces"),
    "seccomp-filter": (f'exec {BAR_UNSHARE} {" ".join(NO_CAPS)} "$@"', "EPERM", "filter"),
}


def is_real_root() -> bool:
    uid_map = Path("/proc/self/uid_map").read_text(encoding="ascii").split()
    return os.geteuid() == 0 and uid_map == ["0", "0", "4294967295"]


def outer_ns() -> list[str]:
    """An ordinary user with capabilities over namespaces that this command has to itself."""
    if os.environ.get("SLIRPD_OUTER_NS"):
        return ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps",
                "--mount", "--propagation", "private", "--net"]
    return [OUTER_NS]


def run(*command: str) -> str:
    """Runs the program; fails with its output. Nothing of it may be left when it ends."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=LIMIT_S, text=True,
                              check=False)
    except subprocess.TimeoutExpired as late:
        pytest.fail(f"{command} did not end:\n{late.output}", pytrace=False)
    print(done.stdout)
    if done.returncode != 0:
        pytest.fail(f"{command}: status {done.returncode}:\n{done.stdout}", pytrace=False)
    assert "[  PASSED  ]" in done.stdout
    return done.stdout


@pytest.mark.parametrize("caller", ORDINARY)
def test_mechanisms_of_an_ordinary_user(caller: str) -> None:
    prefix, setting = ORDINARY[caller]
    output = run(*outer_ns(), *prefix, PROGRAM, setting)
    assert "real root 0" in output


if is_real_root():
    # Nobody else has these settings, and a skip would say that something is missing.
    @pytest.mark.parametrize("caller", REAL_ROOT)
    def test_mechanisms_of_real_root(caller: str) -> None:
        prefix, setting = REAL_ROOT[caller]
        output = run(*prefix, PROGRAM, setting)
        assert "real root 1" in output


@pytest.mark.parametrize("environment", BARRED)
def test_mechanisms_where_user_namespaces_are_barred(environment: str) -> None:
    script, error, why = BARRED[environment]
    output = run(*outer_ns(), "bash", "-c", script, "bash", PROGRAM, "barred", error, why)
    assert why in output


def test_barring_is_what_bars() -> None:
    """The control: without it the same caller does get its user namespace."""
    done = subprocess.run([*outer_ns(), *NO_CAPS, PROGRAM, "barred", "EPERM", "filter"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=LIMIT_S, check=False)
    assert done.returncode == 1
    assert "[  FAILED  ] test_barred_is_told_and_changes_nothing" in done.stdout
