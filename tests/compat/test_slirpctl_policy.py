# SPDX-License-Identifier: BSD-2-Clause
"""Policies without a daemon: slirpctl checks, tests and compares files.

SLIRPCTL and SLIRPD name the programs under test.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from daemon import run_slirpd  # noqa: E402
from slirpctl import OK, REFUSED, SLIRPCTL, USAGE  # noqa: E402
from waiting import DEADLINE_S  # noqa: E402

CI = """policy 1
set python = pypi.org, files.pythonhosted.org
forbid to metadata
packages: allow tcp 443 to @python
allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test
deny icmp to any
expect allow tcp 443 to pypi.org
"""


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Policies in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    # No socket of another test answers.
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("SLIRPD_API_SOCKET", raising=False)
    Path("ci.policy").write_text(CI)


def policy(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SLIRPCTL, "policy", *args], capture_output=True, text=True, timeout=DEADLINE_S,
                          check=False)


@pytest.mark.parametrize("text", (
    CI,
    "",
    "policy 2\n",
    "policy 1\nallow tcp 70000 to any\n",
    "policy 1\nallow to @none\n",
    "policy 1\nallow tcp 443 to b\xfccher.example\n",
    "policy 1\nallow to any\nallow tcp to pypi.org\ndeny to 192.0.2.1\nallow tcp 443 to *.github.io\n",
    "policy 1\nexpect allow tcp 443 to pypi.org\n",
    "policy 1\nmode audit\nmode enforce\n",
    "policy 1\ndns any\ndns-types txt\n",
    "policy 1\ndns listed\ndns-types txt\n",
    "policy 1\n" + "allow to internet\n" * 1025,
    "policy 1\n#" + "x" * 1100,
    "policy 1\n" + "#\n" * (1 << 19),
), ids=lambda text: text[:50])
def test_check_says_what_slirpd_says(text: str) -> None:
    """The same lines and status, whether there are faults or remarks."""
    Path("p").write_text(text)
    mine = policy("check", "./p")
    its = run_slirpd("--check-policy", "--policy=./p")
    assert mine.stderr == its.stderr.replace("slirpd: ", "slirpctl: ")
    assert (mine.returncode, mine.stdout) == (its.returncode, "")
    assert mine.returncode in (OK, USAGE)


def test_check_goes_on_behind_a_fault() -> None:
    Path("bad").write_text("policy 1\nallow\n")
    Path("odd").write_text("policy 1\nallow to any\n")
    done = policy("check", "bad", "none", "ci.policy", "odd")
    assert done.returncode == USAGE
    lines = done.stderr.splitlines()
    assert [line.split(":")[1] for line in lines[:3]] == [" bad", " none", " warning"]
    assert lines[2].startswith("slirpctl: warning: odd:2: any includes ")
    assert lines[1] == "slirpctl: none: read it: No such file or directory"
    assert policy("check", "ci.policy", "ci.policy").returncode == OK


@pytest.mark.parametrize("flow,cause", (
    ("tcp 443 pypi.org", "rule ./ci.policy:4: packages: allow tcp 443 to pypi.org, files.pythonhosted.org"),
    ("tcp 443 PyPI.org.", "rule ./ci.policy:4: packages: allow tcp 443 to pypi.org, files.pythonhosted.org"),
    ("tcp 100 192.0.2.255", "rule ./ci.policy:5: allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test"),
    ("tcp 443 a.b.wild.test", "rule ./ci.policy:5: allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test"),
))
def test_allowed_flows(flow: str, cause: str) -> None:
    proto, port, host = flow.split()
    done = policy("test", proto, port, host, "--policy=./ci.policy")
    assert (done.returncode, done.stderr) == (OK, "")
    assert done.stdout == f"allow {proto} {port} to {host.lower().rstrip('.')}: {cause}\n"


@pytest.mark.parametrize("flow,cause", (
    ("tcp 80 pypi.org", "the default"),
    ("udp 443 pypi.org", "the default"),
    ("tcp 443 www.pypi.org", "the default"),
    ("tcp 443 wild.test", "the default"),
    ("tcp 101 192.0.2.1", "the default"),
    ("tcp 443 169.254.169.254", "rule ./ci.policy:3: forbid to metadata"),
    ("icmp 192.0.2.1", "rule ./ci.policy:6: deny icmp to any"),
))
def test_denied_flows(flow: str, cause: str) -> None:
    done = policy("test", *flow.split(), "-p", "./ci.policy")
    assert (done.returncode, done.stderr) == (REFUSED, "")
    what, host = flow.rsplit(" ", 1)
    assert done.stdout == f"deny {what} to {host}: {cause}\n"


def test_several_policies_and_profiles() -> None:
    """As slirpd puts them together: in their order."""
    Path("last").write_text("policy 1\nallow to 10.0.0.1\n")
    flow = ("test", "tcp", "22", "10.0.0.1")
    assert policy(*flow, "-p", "./last", "-p", "internet").returncode == OK
    done = policy(*flow, "-p", "internet", "-p", "./last")
    assert done.stdout == "deny tcp 22 to 10.0.0.1: rule internet:3: deny to private, link-local, host\n"
    assert policy("test", "icmp", "8.8.8.8", "-p", "closed").returncode == REFUSED
    assert policy("test", "icmp", "8.8.8.8", *["-p", "open"] * 17).returncode == USAGE


def test_verdict_as_json() -> None:
    Path("p").write_text("policy 1\nmode audit\nallow udp 53 to 192.0.2.1\n")
    done = policy("test", "udp", "53", "192.0.2.1", "--policy=./p", "--json")
    assert json.loads(done.stdout) == {"verdict": "allow", "cause": "rule ./p:3", "audit": True,
                                       "rule": "allow udp 53 to 192.0.2.1"}
    done = policy("test", "udp", "53", "192.0.2.2", "--policy=./p", "--json")
    assert json.loads(done.stdout) == {"verdict": "deny", "cause": "the default", "audit": True}
    assert policy("test", "udp", "53", "192.0.2.2", "--policy=./p").stdout.endswith(" (audit: it passes)\n")


@pytest.mark.parametrize("args,error", (
    (("test", "tcp", "443", "pypi.org"), "no slirpd of this user has a control socket that can be found"),
    (("test", "tcp", "0", "pypi.org"), "policy test: port 0 is not in 1-65535"),
    (("test", "tcp", "443", "pypi.org", "-p", "ci.policy"),
     "--policy=ci.policy: no profile of this name; a file is given with a slash: ./ci.policy"),
    (("test", "tcp", "443", "pypi.org", "-p", "./none"), "./none: read it: No such file or directory"),
    (("test", "tcp", "70000", "pypi.org", "-p", "open"), "policy test: port 70000 is not in 1-65535"),
    (("test", "tcp", "pypi.org", "-p", "open"),
     "policy test needs tcp or udp with one port, or icmp"),
    (("test", "tcp", "443", "*.a.b", "-p", "open"),
     'policy test needs one address or one name, not "*.a.b"'),
    (("test", "tcp", "443", "a.b\nallow to any", "-p", "closed"), "policy test: not PROTO [PORT] HOST"),
    (("test", "tcp", "443", "a.b#", "-p", "closed"), "policy test: not PROTO [PORT] HOST"),
    (("check", "ci.policy", "-n"), "policy check does not take --dry-run"),
    (("show", "-p", "open"), "policy show does not take --policy"),
    (("diff",), "policy: usage: slirpctl policy show|load FILE|"),
    (("diff", "none"), "none: read it: No such file or directory"),
    (("diff", "ci.policy"), "no slirpd of this user has a control socket that can be found"),
    (("load", "ci.policy"), "no slirpd of this user has a control socket that can be found"),
))
def test_wrong_use(args: tuple[str, ...], error: str) -> None:
    done = policy(*args)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith(f"slirpctl: {error}")


def test_help_has_each_action() -> None:
    done = subprocess.run([SLIRPCTL, "help", "policy"], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode, done.stderr) == (OK, "")
    actions = [line.split()[0] for line in done.stdout.partition("Actions:\n")[2].splitlines()]
    usage = policy("nothing").stderr.partition("slirpctl policy ")[2]
    assert actions == [words.split()[0] for words in usage.split("|")]


def test_diff() -> None:
    assert (policy("diff", "ci.policy", "ci.policy").returncode) == OK
    # Another text of the same rules.
    Path("same").write_text("\n\npolicy 1 # one\nforbid any to metadata\n"
                            "packages: allow tcp 443 to pypi.org,\\\n files.pythonhosted.org\n"
                            "allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test\ndeny icmp to any\n")
    done = policy("diff", "ci.policy", "same")
    assert (done.returncode, done.stdout, done.stderr) == (OK, "", "")
    Path("other").write_text("policy 1\nmode audit\nforbid to metadata\ndeny icmp to any\n"
                             "allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test\nallow tcp 22 to any\n")
    done = policy("diff", "same", "other")
    assert done.returncode == REFUSED
    assert sorted(done.stdout.splitlines()) in [sorted([
        "+mode audit", "-packages: allow tcp 443 to pypi.org, files.pythonhosted.org", f"-{moved}", f"+{moved}",
        "+allow tcp 22 to any"]) for moved in ("deny icmp to any", "allow tcp 60-100,443 to 192.0.2.0/24, *.wild.test")]
    Path("bad").write_text("policy 1\nallow\n")
    done = policy("diff", "ci.policy", "bad")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith("slirpctl: bad:2:")


def test_diff_of_the_largest() -> None:
    for name, first in (("old", 0), ("new", 1)):
        Path(name).write_text("policy 1\ndefault allow\n" + "".join(
            f"deny tcp {n + 1} to 192.0.2.1\n" for n in range(first, 1024 + first)))
    done = policy("diff", "old", "new")
    assert done.stdout == "-deny tcp 1 to 192.0.2.1\n+deny tcp 1025 to 192.0.2.1\n"
