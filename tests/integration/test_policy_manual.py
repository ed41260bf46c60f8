# SPDX-License-Identifier: BSD-2-Clause
"""The examples of slirpd-policy(5): all are right, and the first one limits a guest as the page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import dnsserver
import dnszone
import pytest
from api_client import daemon_with_api
from guest import Guest
from lab import Lab
from manual import Terminal, examples
from servers import listener
from slirpctl import assert_ok, ctl
from test_manual_examples import terminal  # noqa: F401
from test_policy_names import DENIED, OTHER, PUBLIC, ask, server, tcp, world  # noqa: F401

PAGE = "slirpd-policy.5"
HTTPS = 443
FILE = "ci.policy"


def policies() -> list[list[str]]:
    found = [block for title in ("DESCRIPTION", "EXAMPLES") for block in examples(PAGE, title)]
    return [block for block in found if block[0] == "policy 1"]


def job() -> list[str]:
    return next(block for block in examples(PAGE, "EXAMPLES") if block[0] == "policy 1")


def test_policies_are_right(tmp_path: Path) -> None:
    assert len(policies()) == 7
    for number, lines in enumerate(policies()):
        path = tmp_path / f"{number}"
        path.write_text("\n".join(lines))
        assert_ok(ctl("policy", "check", path))


def test_commands_of_a_job(terminal: Terminal) -> None:  # noqa: F811
    """Which are typed until one would need the internet."""
    session = next(block for block in examples(PAGE, "EXAMPLES") if block[0].startswith("$"))
    first = [line.startswith("$ slirpd run ") for line in session].index(True)
    assert session[first + 1:] == ["$ slirpctl policy show"]
    text = "\n".join(job())
    terminal.type(f"cat >{FILE} <<'END'\n{text}\nEND")
    for command, printed in zip(session[:first], session[1:first + 1]):
        if command.startswith("$ "):
            shown = terminal.type(command.removeprefix("$ ") + " || true").splitlines()
            assert shown == ([] if printed.startswith("$ ") else [printed])


@pytest.fixture
def web(lab: Lab, world: None) -> Iterator[None]:  # noqa: F811
    with listener(Lab.internet_netns, PUBLIC, HTTPS), listener(Lab.internet_netns, OTHER, HTTPS):
        yield


@pytest.mark.usefixtures("web")
def test_job_reaches_pip_and_git_only(guest: Guest, server: dnszone.Zone, tmp_path: Path) -> None:  # noqa: F811
    lines = job()
    assert len(lines) == 4, "four lines are enough"
    path = tmp_path / FILE
    path.write_text("\n".join(lines))
    names = ("pypi.org", "files.pythonhosted.org", "github.com", "raw.githubusercontent.com", "gist.github.com",
             "doh.example")
    for name in names:
        server.records[name] = [dnszone.address(name, PUBLIC)]
    server.records["gist.github.com"] = [dnszone.address("gist.github.com", OTHER)]
    with daemon_with_api(guest, f"--policy={path}") as (_, sock):
        for name in names[:4]:
            assert ask(guest, name).addresses == [PUBLIC]
            assert ctl("-a", sock, "policy", "test", "tcp", HTTPS, name).returncode == 0
        assert ask(guest, "gist.github.com").rcode == dnsserver.NXDOMAIN
        # A resolver of DNS over HTTPS at the address of a listed name is open; what it answers is not.
        assert ask(guest, "doh.example").rcode == dnsserver.NXDOMAIN
        assert tcp(guest, PUBLIC, HTTPS) == 0 and tcp(guest, OTHER, HTTPS) == tcp(guest, PUBLIC, 22) == DENIED
        shown = assert_ok(ctl("-a", sock, "policy", "show"))
        assert "flows 1 allowed, 2 denied, 2 without a rule" in shown
        hits = {rule: int(n) for n, rule in re.findall(r"^ *(\d+) .* (pip|git): ", shown, re.M)}
        assert hits == {"pip": 1, "git": 0}
