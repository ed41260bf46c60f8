# SPDX-License-Identifier: BSD-2-Clause
"""ci/check-includes: the project's tree passes, and each rule is seen to fail when broken."""

import os
import pathlib
import shutil
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
CHECK = PROJECT / "ci" / "check-includes"

GOOD = {
    "src/base/log.h": "#pragma once\n#include <stddef.h>\n",
    "src/base/text.h": '#pragma once\n#include "base/log.h"\n',
    "src/slirp-worker/tap/tapio.h": "#pragma once\n",
    "src/parent/main.h": "#pragma once\n",
    "src/base/log.c": '#include "base/log.h"\n#include <stdio.h>\n',
    "src/ipc/channel.h": '#pragma once\n#include "base/log.h"\n',
    "src/ipc/channel.c": '#include "ipc/channel.h"\n#include "channel.h"\n',
    "src/confine/caps.c": '#include "ipc/channel.h"\n#include <cap-ng.h>\n',
    "src/parent/main.c": '#include "confine/caps.h"\n#include "ipc/channel.h"\n#include "supervise/spawn.h"\n',
    "src/parent/supervise/spawn.h": "#pragma once\n",
    "src/netns-helper/tap.c": '#include <linux/if_tun.h>\n#include "base/log.h"\n',
    "src/slirp-worker/engine/link/stack.c": "#include <libslirp.h>\n#include <glib.h>\n",
    "src/slirp-worker/gate/gate.h": "#pragma once\n",
    "src/slirp-worker/tap/tapio.c": '#include <linux/virtio_net.h>\n#include "slirp-worker/gate/gate.h"\n',
    "src/api/request/request.c": "#include <jansson.h>\n",
    "src/slirpctl/main.c": '#include <jansson.h>\n#include "base/log.h"\n',
    "src/slirpctl/ask.h": "#pragma once\n",
    "src/slirpctl/view/show.h": "#pragma once\n",
    "seccomp/policyc.c": '#include <seccomp.h>\n#include "base/log.h"\n',
}

# What is added to which file, and the violation that must be reported.
BROKEN = [
    ("src/base/log.c", '#include "ipc/channel.h"', "base may include base, not ipc"),
    ("src/base/log.c", '#include "../parent/supervise/spawn.h"', "base may include base, not parent"),
    ("src/ipc/channel.c", '#include "parent/supervise/spawn.h"', "ipc may include base ipc, not parent"),
    ("src/ipc/channel.c", '#  include "confine/caps.h"', "ipc may include base ipc, not confine"),
    ("src/confine/caps.c", '#include "slirp-worker/gate/gate.h"', "not slirp-worker"),
    ("src/parent/main.c", '#include "slirp-worker/gate/gate.h"', "role parent includes role slirp-worker"),
    ("src/parent/main.c", '#include "../slirp-worker/gate/gate.h"', "role parent includes role slirp-worker"),
    ("src/parent/main.c", '#include "gate.h"', "role parent includes role slirp-worker"),
    ("src/api/request/request.c", '#include "parent/supervise/spawn.h"', "role api includes role parent"),
    ("src/slirp-worker/tap/tapio.c", "#include <libslirp.h>", "only src/slirp-worker/engine/link/stack*.*"),
    ("src/slirp-worker/tap/tapio.c", "#include <slirp/libslirp.h>", "only src/slirp-worker/engine/link/stack*.*"),
    ("src/parent/main.c", "#include <glib.h>", "only src/slirp-worker/ may include"),
    ("src/parent/main.c", "#include <glib-object.h>", "only src/slirp-worker/ may include"),
    ("src/parent/main.c", "#include <jansson.h>", "only src/api/ src/slirpctl/ may include"),
    ("src/slirp-worker/gate/gate.h", "#include <jansson.h>", "only src/api/ src/slirpctl/ may include"),
    ("src/slirpctl/main.c", '#include "ipc/channel.h"', "slirpctl may include base model slirpctl, not ipc"),
    ("src/slirpctl/main.c", '#include "parent/supervise/spawn.h"', "not parent"),
    ("src/slirpctl/main.c", "#include <glib.h>", "only src/slirp-worker/ may include"),
    ("src/parent/main.c", "#include <cap-ng.h>", "only src/confine/caps.* may include"),
    ("src/parent/main.c", "#include <seccomp.h>", "only seccomp/policyc.c may include"),
    ("src/slirp-worker/tap/tapio.c", "#include <linux/if_tun.h>", "only src/netns-helper/tap.c"),
    ("src/parent/main.c", "#include HEADER", "an include that cannot be checked"),
    ("src/slirp-worker/gate/gate.h", '#include "slirp-worker/tap/tapio.h"',
     "slirp-worker/gate/ comes before slirp-worker/tap/ in ORDER"),
    ("src/parent/supervise/spawn.h", '#include "parent/main.h"', "parent/supervise/ comes before parent/"),
    ("src/slirpctl/view/show.h", '#include "slirpctl/ask.h"',
     "slirpctl/view/ comes before slirpctl/ask. in ORDER"),
    ("src/base/log.h", '#include "base/text.h"', "part of a circle of headers"),
    ("seccomp/policyc.c", '#include "parent/supervise/spawn.h"', "seccomp may include base, not parent"),
]


def write_tree(root):
    for name, text in GOOD.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "src/confine/caps.h").write_text("#pragma once\n")


def check(*args):
    return subprocess.run([CHECK, *args], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)


def test_the_projects_own_tree_has_no_violation():
    result = check()
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


def test_good_tree_passes(tmp_path):
    write_tree(tmp_path)
    result = check("--root", tmp_path)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout


@pytest.mark.parametrize("name,line,reason", BROKEN, ids=[f"{n}:{l}" for n, l, _ in BROKEN])
def test_one_bad_line_is_reported_with_its_place(tmp_path, name, line, reason):
    write_tree(tmp_path)
    path = tmp_path / name
    path.write_text(path.read_text() + line + "\n")
    result = check("--root", tmp_path)
    assert result.returncode == 1
    violation = result.stdout.splitlines()[0]
    # Each header of a circle is named.
    if "circle" not in reason:
        assert result.stdout.count("\n") == 1
        assert violation.startswith(f"{name}:{len(path.read_text().splitlines())}: ")
    assert reason in violation


def test_a_tree_without_sources_is_an_error(tmp_path):
    assert check("--root", tmp_path).returncode == 2
    (tmp_path / "src").mkdir()
    assert check("--root", tmp_path).returncode == 2


@pytest.fixture(name="link")
def fixture_link(tmp_path):
    """Links an empty program with the libraries given, at its place in a build tree."""
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler")
    source = tmp_path / "empty.c"
    source.write_text("int main(void) { return 0; }\n")

    def link(program, *libraries):
        path = tmp_path / "build" / program
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([compiler, "-o", path, source, "-Wl,--no-as-needed",
                        *(f"-l{library}" for library in libraries)], check=True, timeout=60)
        return tmp_path / "build"
    return link


@pytest.mark.parametrize("program,library", [
    ("bin/slirpd", "glib-2.0"),
    ("bin/slirpd", "jansson"),
    ("bin/slirpd", "slirp"),
    ("bin/slirpctl", "slirp"),
    ("bin/slirpctl", "cap-ng"),
    ("libexec/slirpd/slirpd-netns-helper", "glib-2.0"),
    ("libexec/slirpd/slirpd-netns-helper", "jansson"),
    ("libexec/slirpd/slirpd-netns-helper", "slirp"),
    ("libexec/slirpd/slirpd-slirp-worker", "jansson"),
    ("libexec/slirpd/slirpd-api", "slirp"),
])
def test_a_wrong_library_is_reported(link, program, library):
    link("bin/slirpd", "bsd")
    build = link("libexec/slirpd/slirpd-slirp-worker", "bsd", "slirp", "glib-2.0")
    result = check("--binaries", build)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    link(program, "bsd", library)
    result = check("--binaries", build)
    assert result.returncode == 1
    (violation,) = result.stdout.splitlines()
    assert violation.startswith(f"{program}:0: linked with lib{library}.so")


def test_a_program_that_the_table_does_not_know_is_reported(link):
    link("bin/slirpd", "bsd")
    build = link("libexec/slirpd/slirpd-other")
    result = check("--binaries", build)
    assert result.returncode == 1
    assert result.stdout.startswith("libexec/slirpd/slirpd-other:0: ")


def test_a_directory_without_a_build_is_an_error(tmp_path):
    assert check("--binaries", tmp_path).returncode == 2
