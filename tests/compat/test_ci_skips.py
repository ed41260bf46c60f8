# SPDX-License-Identifier: BSD-2-Clause
"""ci/test: a skipped test has not passed, whether pytest, cmocka or a whole program skips."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SKIPPED_STATUS = 77
DEADLINE_S = 60

SKIPS = """
import pytest

def test_runs():
    pass

def test_skips():
    pytest.skip("nothing to see here")
"""
FAILS = SKIPS + """
def test_fails():
    assert False
"""
RUNS = """
def test_runs():
    pass
"""


@pytest.mark.parametrize("source, require_all, status", [
    (RUNS, "1", 0), (SKIPS, "", 0), (SKIPS, "1", SKIPPED_STATUS), (FAILS, "1", 1),
], ids=["runs", "by-hand", "skips", "fails"])
def test_pytest_tells_of_a_skip(tmp_path: Path, source: str, require_all: str,
                                status: int) -> None:
    (tmp_path / "test_one.py").write_text(source)
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-c", PROJECT / "tests/pytest.ini", "-q",
         "-p", "no:cacheprovider", "-p", "conftest", tmp_path / "test_one.py"],
        env={**os.environ, "PYTHONPATH": str(PROJECT / "tests"),
             "SLIRPD_REQUIRE_ALL": require_all},
        cwd=tmp_path, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert ("nothing to see here" in done.stdout) == (source != RUNS)


def ctest_report(directory: Path, *tests: str) -> tuple[int, str]:
    """The status and the output of ci/ctest-report for a project with these tests."""
    cmocka_skipped = re.search(r"^set\(cmocka_skipped .*\)$",
                               (PROJECT / "tests/CMakeLists.txt").read_text(), re.M)[0]
    (directory / "CMakeLists.txt").write_text("\n".join((
        "cmake_minimum_required(VERSION 3.16)", "project(one NONE)", "enable_testing()",
        cmocka_skipped, *tests, "")))
    for argv in (["cmake", "-S", ".", "-B", "build"],
                 ["ctest", "--test-dir", "build", "--output-junit", directory / "ctest.xml"]):
        subprocess.run(argv, cwd=directory, capture_output=True, timeout=DEADLINE_S, check=False)
    done = subprocess.run([PROJECT / "ci/ctest-report", directory / "ctest.xml"],
                          capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    return done.returncode, done.stdout


def echo(name: str, text: str, status: int, *properties: str) -> str:
    test = f'add_test(NAME {name} COMMAND sh -c "echo \'{text}\'; exit {status}")\n'
    return test + f"set_tests_properties({name} PROPERTIES {' '.join(properties)} TIMEOUT 60)"


def test_report_is_empty_if_all_pass(tmp_path: Path) -> None:
    assert ctest_report(tmp_path, echo("one", "said", 0)) == (0, "")


@pytest.mark.parametrize("test", [
    echo("bad", "the reason", 1),
    echo("bad", "the reason", 77, "SKIP_RETURN_CODE 77"),
    echo("bad", "[  SKIPPED ] the reason", 0, 'FAIL_REGULAR_EXPRESSION "${cmocka_skipped}"'),
], ids=["fails", "skips", "cmocka-skips"])
def test_report_names_a_test_that_has_not_passed(tmp_path: Path, test: str) -> None:
    status, text = ctest_report(tmp_path, echo("good", "said", 0), test)
    assert status == 1
    assert text.startswith("bad: ") and "    " in text and "the reason" in text
    assert "good" not in text


def test_report_names_a_test_that_has_no_program(tmp_path: Path) -> None:
    status, text = ctest_report(tmp_path, "add_test(NAME bad COMMAND ./no-such-program)")
    assert (status, text.splitlines()[0].split(" ")[0]) == (1, "bad:")


def test_report_fails_without_any_test(tmp_path: Path) -> None:
    assert ctest_report(tmp_path)[0] == 1
