# SPDX-License-Identifier: BSD-2-Clause
"""Completions of slirpd's command line: they know what --help says, and nothing else.

Those of slirpctl, which ask a daemon, are in test_slirpctl.py. SLIRPD names the program.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import shells  # noqa: E402

PROJECT = Path(__file__).resolve().parents[2]
SLIRPD = Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()
HELP = subprocess.run(
    [SLIRPD, "--help"], stdout=subprocess.PIPE, check=True, timeout=20, text=True
).stdout
# Letter, name and value of each option.
OPTIONS = re.findall(r"^(?:-(\w), |    )--([\w-]+)(?:=(\S+))? ", HELP, re.M)

# What follows help is nothing.
ENDS = {"help", "version"}


def words_of(spell, wanted):
    """The options as they are typed, each with a value where it takes one."""
    words = []
    for letter, name, value in OPTIONS:
        word = spell(letter, name)
        if word and name not in ENDS and wanted(value):
            # With another type the first argument is no file.
            words += [word, "path" if name == "netns-type" else "4"] if value else [word]
    return " ".join(words)


def long_word(_letter, name):
    return f"--{name}"


def short_word(letter, _name):
    return f"-{letter}" if letter else None


# {d} is a folder with the one file "only-file" in it.
COMPLETED = [
    ("slirpd --", {f"--{name}" for _, name, _ in OPTIONS}),
    # One that were not known to take a value would take the first argument's place.
    (f"slirpd {words_of(long_word, bool)} {{d}}/only", {"only-file"}),
    (f"slirpd --netns-type=path {words_of(short_word, bool)} {{d}}/only", {"only-file"}),
    # And one without a value would swallow it.
    (f"slirpd --netns-type=path {words_of(long_word, lambda v: not v)} {{d}}/only", {"only-file"}),
    (f"slirpd --netns-type=path {words_of(short_word, lambda v: not v)} {{d}}/only", {"only-file"}),
    ("slirpd --netns-type ", {"pid", "path", "tapfd"}),
    ("slirpd --netns-type pa", {"path"}),
    ("slirpd --target-type ", {"netns", "bess"}),
    ("slirpd --log-level ", {"error", "warning", "info", "debug"}),
    ("slirpd -m ", {"1500", "65520"}),
    ("slirpd --log-file {d}/only", {"only-file"}),
    ("slirpd --pidfile={d}/only", {"only-file"}),
    ("slirpd -a {d}/only", {"only-file"}),
    ("slirpd --userns-path {d}/only", {"only-file"}),
    ("slirpd -c --mtu=65520 1 ", {"tap0"}),
    ("slirpd -c {d}/only", set()),
    ("slirpd --netns-type=tapfd ", set()),
    ("slirpd ru", {"run"}),
    ("slirpd run only-comm", {"only-command"}),
    ("slirpd run -6 --mtu 1500 --publish=1:1 only-comm", {"only-command"}),
    ("slirpd run -- only-comm", {"only-command"}),
    ("slirpd run --keep", {"--keep-id"}),
    ("slirpd run --log-level ", {"error", "warning", "info", "debug"}),
    ("slirpd run only-command {d}/only", {"only-file"}),
    ("slirpd run -c -- only-command -x {d}/only", {"only-file"}),
]


@pytest.mark.parametrize("shell", shells.SHELLS)
@pytest.mark.parametrize(
    "typed,expected", COMPLETED, ids=[typed[:40] for typed, _ in COMPLETED])
def test_completion(shell, typed, expected, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files/only-file").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/only-command").touch(mode=0o755)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "HOME": str(tmp_path), "TERM": "dumb",
                   "LC_ALL": "C.UTF-8"}
    line = typed.format(d=tmp_path / "files")
    assert shells.complete(shell, "slirpd", line, environment) == expected


@pytest.mark.parametrize("shell", shells.SHELLS)
def test_processes_with_another_network_are_offered_as_the_guest(shell, tmp_path):
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "dumb",
                   "LC_ALL": "C.UTF-8"}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["unshare", "--user", "--net", "cat"], **pipes) as guest, \
            subprocess.Popen(["cat"], **pipes) as other:
        guest.stdin.write(b"\n")
        guest.stdin.flush()
        assert guest.stdout.read(1) == b"\n"
        offered = shells.complete(shell, "slirpd", "slirpd ", environment)
        assert str(guest.pid) in offered and str(other.pid) not in offered
        guest.stdin.close()
        other.stdin.close()


@pytest.mark.parametrize("argv", [
    ["bash", "-n", "bash/slirpd"],
    ["shellcheck", "bash/slirpd"],
    ["zsh", "-n", "zsh/_slirpd"],
    ["fish", "-n", "fish/slirpd.fish"],
], ids=lambda argv: argv[0])
def test_completion_is_well_formed(argv):
    subprocess.run(argv, cwd=shells.COMPLETIONS, check=True, timeout=20)
