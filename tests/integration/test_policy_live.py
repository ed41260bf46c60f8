# SPDX-License-Identifier: BSD-2-Clause
"""A policy while slirpd runs: what clients of the control socket see of it."""

from __future__ import annotations

import contextlib
import errno
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import daemon_with_api, execute
from daemon import Slirpd
from guest import Guest
from slirpctl import REFUSED, assert_ok, ctl
from test_policy import OTHER4, OTHER_PORT, PORT, PUBLIC4, tcp, udp, world  # noqa: F401


@contextlib.contextmanager
def live(guest: Guest, policy: str, *options: str) -> Iterator[tuple[Slirpd, str]]:
    """A daemon with this policy in a file, and the path of its control socket."""
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file:
        file.write(f"policy 1\n{policy}")
        file.flush()
        with daemon_with_api(guest, f"--policy={file.name}", *options) as (daemon, path):
            yield daemon, path


def state(path: str) -> dict[str, Any]:
    return execute(path, "query_policy")["return"]


def rules(path: str) -> list[dict[str, Any]]:
    return execute(path, "policy_get")["return"]["rules"]


def lines(path: str) -> list[str]:
    return [rule["line"] for rule in rules(path)]


@pytest.mark.usefixtures("world")
def test_hits_of_rules_are_counted(guest: Guest) -> None:
    policy = (f"refuse reset\nset one = {PUBLIC4}\n"
              f"web: allow tcp {PORT} to @one, 192.0.2.0/24\n\ndeny udp to any\n")
    with live(guest, policy) as (_, path):
        assert [rule["hits"] for rule in rules(path)] == [0, 0]
        for _ in range(3):
            assert tcp(guest, PUBLIC4) == 0
        assert udp(guest, PUBLIC4) == tcp(guest, OTHER4) == errno.ECONNREFUSED
        text = execute(path, "policy_get")["return"]
        assert text["settings"] == ["refuse reset"]
        assert [(rule["line"], rule["hits"], rule["where"].split(":")[-1]) for rule in text["rules"]] == [
            (f"web: allow tcp {PORT} to {PUBLIC4}, 192.0.2.0/24", 3, "4"), ("deny udp to any", 1, "6")]
        seen = state(path)
        assert (seen["generation"], seen["mode"], seen["default"], seen["locked"]) == (
            1, "enforce", "deny", False)
        assert (seen["rules"], seen["prefixes"], seen["names"], seen["pins"]) == (2, 2, 0, 0)
        assert (seen["allowed"], seen["denied"], seen["by_default"]) == (3, 2, 1)
        shown = assert_ok(ctl("-a", path, "policy", "show")).splitlines()
        assert shown[:4] == [
            "policy generation 1, mode enforce, default deny",
            "flows 3 allowed, 2 denied, 1 without a rule", "pins 0", "refuse reset"]
        assert shown[4].split() == ["HITS", "WHERE", "ID", "RULE"]
        assert shown[5].split()[0] == "3" and shown[5].endswith(text["rules"][0]["line"])


@pytest.mark.usefixtures("world")
def test_audit_counts_what_it_would_deny(guest: Guest) -> None:
    with live(guest, f"allow tcp {PORT} to {PUBLIC4}\n", "--policy-mode=audit") as (_, path):
        assert tcp(guest, OTHER4) == tcp(guest, PUBLIC4) == tcp(guest, PUBLIC4, OTHER_PORT) == 0
        seen = state(path)
        assert (seen["mode"], seen["allowed"], seen["denied"]) == ("audit", 1, 2)


def test_largest_policy_is_shown(guest: Guest, tmp_path: Any) -> None:
    text = [f"allow tcp {n + 1} to " + ", ".join(f"11.{n >> 2}.{(n & 3) * 16 + i}.0/24" for i in range(16))
            for n in range(1024)]
    path = tmp_path / "large"
    path.write_text("policy 1\n" + "\n".join(text) + "\n")
    with daemon_with_api(guest, f"--policy={path}") as (_, sock):
        assert lines(sock) == text
        seen = state(sock)
        assert (seen["rules"], seen["prefixes"]) == (1024, 16384)
        assert len({rule["id"] for rule in rules(sock)}) == 1024


def test_without_a_policy_there_is_none_to_show(guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        for verb in ("query_policy", "policy_get"):
            assert execute(path, verb)["error"]["class"] == "NotSupported"
        done = ctl("-a", path, "policy", "show")
        assert done.returncode == REFUSED and "started without a policy" in done.stderr
        done = ctl("-a", path, "policy", "sing")
        assert done.returncode == 2 and "usage: slirpctl policy" in done.stderr
