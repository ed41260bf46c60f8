# SPDX-License-Identifier: BSD-2-Clause
"""The units for the service manager of a user, as systemd-analyze judges them.

SLIRPD names the program under test, in its build tree.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SLIRPD = Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()
BUILD = SLIRPD.parents[1]


@pytest.fixture(name="units")
def fixture_units(tmp_path):
    """The units as they are installed, for the program of the build tree."""
    subprocess.run(["cmake", "--install", BUILD, "--prefix", tmp_path / "root"], check=True,
                   timeout=60, stdout=subprocess.DEVNULL)
    paths = sorted((tmp_path / "root/lib/systemd/user").iterdir())
    for path in paths:
        text, n = re.subn(r"^(ExecStart=.*?)/\S*/slirpd ", rf"\1{SLIRPD} ", path.read_text(), flags=re.M)
        assert n == 1
        path.write_text(text)
    return paths


def analyze(unit, *argv):
    return subprocess.run(
        ["systemd-analyze", "--user", "--no-pager", *argv, unit],
        env={"PATH": os.environ["PATH"], "HOME": str(unit.parent), "LC_ALL": "C.UTF-8",
             "XDG_RUNTIME_DIR": str(unit.parent)},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def test_units_are_well_formed(units):
    assert [unit.name for unit in units] == ["slirpd-netns@.service", "slirpd@.service"]
    for unit in units:
        done = analyze(unit, "verify", "--man=no")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        # That it would be told: an unknown setting.
        unit.write_text(unit.read_text().replace("UMask=", "UMasks="))
        assert "Unknown key" in analyze(unit, "verify", "--man=no").stderr


def test_exposure_level_is_the_documented_one_or_better(units):
    manual = " ".join((PROJECT / "man/slirpd.1").read_text().split())
    documented = float(re.search(r"exposure level of (\d+\.\d)", manual)[1])
    done = analyze(units[-1], "security", "--offline=true")
    level = re.search(r"Overall exposure level for slirpd@\S*: (\d+\.\d) ", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) <= documented
