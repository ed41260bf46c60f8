# SPDX-License-Identifier: BSD-2-Clause
"""The commands of README.md, typed in as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import test_manual_examples
from documents import blocks
from lab import WORD_NAME, Lab
from manual import EXAMPLE_PID, Terminal
from test_manual_examples import terminal  # noqa: F401
from tree import REPO, slirpd_path

(RUN, GUEST, SERVE, INSIDE, INSTALL, DEMO, TEST) = range(7)

# Commands of the last three blocks that are not run here, and why.
NOT_RUN = {
    "sudo ci/deps build": "installs packages; ci/test begins with it",
    "cmake --build build --parallel": "takes minutes; ci/test builds",
    "sudo cmake --install build": "compat/test_install installs what was built",
    "ci/test": "runs this test",
}

# Commands within sentences.
INLINE = {"slirpd --print-confinement", "slirpctl policy suggest", "slirpctl status", "slirpctl add tcp 8081 80"}


def block(number: int) -> list[str]:
    found = blocks("README.md")
    assert len(found) == TEST + 1, "README.md has other blocks than these tests follow"
    return found[number].splitlines()


def at_lab(line: str) -> str:
    """With a server that is here in the place of one of the real internet."""
    return line.replace("https://example.org/", f"http://{WORD_NAME}/hello")


def test_commands_within_sentences_are_known() -> None:
    text = (REPO / "README.md").read_text()
    found = re.findall(r"`((?:slirpd|slirpctl|ci/\w+|podman|rootlesskit) [^`]*)`", text)
    assert set(found) - {"slirpd run"} == INLINE


def test_confinement_is_shown(terminal: Terminal) -> None:  # noqa: F811
    assert '"roles"' in terminal.type("slirpd --print-confinement")


def test_run(terminal: Terminal) -> None:  # noqa: F811
    fetch, serve, install = block(RUN)
    test_manual_examples.assert_run_works(terminal, at_lab(fetch), serve)
    # Its policy names places that the lab does not have.
    options, _, _ = install.partition(" -- ")
    assert "denied" in terminal.type(at_lab(fetch).replace("slirpd run", options) + " || echo denied")


def test_by_hand(lab: Lab, terminal: Terminal, tmp_path: Path) -> None:  # noqa: F811
    """Three terminals: of the guest, of slirpd, and one for slirpctl."""
    terminal.follow(block(GUEST))
    with Terminal(tmp_path) as other, Terminal(tmp_path) as third:
        other.replace(EXAMPLE_PID, terminal.replaced(EXAMPLE_PID))
        for user in (other, third):
            user.type("export XDG_RUNTIME_DIR=$HOME")
        other.follow([line.replace("slirpd ", "slirpd --api-socket=auto ") for line in block(SERVE)])
        outputs = terminal.follow([at_lab(line) for line in block(INSIDE)])
        assert outputs[-1].endswith("hello\n")
        assert "10.0.2.100" in third.type("slirpctl status")
        third.type("slirpctl add tcp 8081 80")
        assert "8081" in third.type("slirpctl list")


def test_configuration_and_demo(lab: Lab, tmp_path: Path, tools: Callable[..., None]) -> None:
    """The demo shows the program under test, and builds nothing."""
    tools("cmake", "ping", "dig", "pgrep")
    lines = [line for number in (INSTALL, DEMO, TEST) for line in block(number)]
    assert set(NOT_RUN) <= set(lines)
    for line in lines:
        if line in NOT_RUN:
            continue
        command = line.replace("-B build", f"-B {tmp_path}/build")
        done = subprocess.run(["sh", "-ec", command], cwd=REPO, text=True, capture_output=True, timeout=120,
                              env={**os.environ, "SLIRPD": slirpd_path()}, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
