# SPDX-License-Identifier: BSD-2-Clause
"""The tarball of a release: the same bytes from any clone, and all that the commit has."""

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


def run(*argv, cwd=PROJECT, **environment):
    done = subprocess.run(
        [str(word) for word in argv], cwd=cwd, env={**os.environ, **environment},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(name="tarball", scope="module")
def fixture_tarball(tmp_path_factory):
    directory = tmp_path_factory.mktemp("first")
    run("ci/release", directory)
    (path,) = directory.glob("*.tar.gz")
    return path


def test_the_sum_of_a_release_is_beside_it(tarball):
    checked = run("sha256sum", "--check", f"{tarball.name}.sha256", cwd=tarball.parent)
    assert checked == f"{tarball.name}: OK\n"


def test_two_releases_of_a_commit_are_the_same_bytes(tarball, tmp_path):
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", PROJECT, clone)
    commit = run("git", "rev-parse", "HEAD").strip()
    for name, value in (("tar.umask", "user"), ("core.autocrlf", "true")):
        run("git", "config", name, value, cwd=clone)
    # What is not committed does not count.
    (clone / "README.md").write_text("changed\n")
    (clone / "new-file").touch()
    command = f'umask 077; exec "{PROJECT}/ci/release" "{tmp_path}/second" {commit}'
    (clone / "ci/release").write_bytes((PROJECT / "ci/release").read_bytes())
    run("bash", "-c", command.replace(f"{PROJECT}/", f"{clone}/"), cwd="/",
        TZ="Asia/Tokyo", LC_ALL="C", GZIP_OPT="-1")
    second = tmp_path / "second" / tarball.name
    assert second.read_bytes() == tarball.read_bytes()


def test_release_has_every_file_of_the_commit_and_knows_it(tarball, tmp_path):
    commit = run("git", "rev-parse", "HEAD").strip()
    root = tarball.name.removesuffix(".tar.gz")
    with tarfile.open(tarball) as archive:
        names = {member.name for member in archive if not member.isdir()}
        assert {member.uid for member in archive} == {0}
        archive.extractall(tmp_path)
    listed = run("git", "ls-tree", "-r", "--name-only", "-z", "HEAD").split("\0")
    assert names == {f"{root}/{name}" for name in listed if name}
    assert (tmp_path / root / "cmake/commit.txt").read_text() == f"{commit}\n"
    build = tmp_path / "build"
    run("cmake", "-S", tmp_path / root, "-B", build, "-DSLIRPD_TESTS=OFF",
        "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON")
    commands = json.loads((build / "compile_commands.json").read_text())
    (banner,) = [c["command"] for c in commands if c["file"].endswith("src/parent/cmdline/banner.c")]
    assert f'SLIRPD_COMMIT=\\"{commit[:12]}\\"' in banner
