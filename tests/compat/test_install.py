"""What an installation consists of, and that it works from where it was put.

The build that is tested has SLIRPD_INSTALL_SLIRP4NETNS, as the preset debug sets it.
SLIRPD names the program under test, in its build tree.
"""

import os
import pathlib
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SLIRPD = pathlib.Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()
BUILD = SLIRPD.parents[1]

DEADLINE_S = 60


def output(*argv, **kwargs):
    done = subprocess.run(
        [str(word) for word in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        **kwargs,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    path = tmp_path_factory.mktemp("installed")
    output("cmake", "--install", BUILD, "--prefix", path)
    return path


def test_slirp4netns_is_a_link_beside_slirpd(prefix):
    link = prefix / "bin/slirp4netns"
    assert os.readlink(link) == "slirpd"
    assert os.readlink(SLIRPD.parent / "slirp4netns") == "slirpd"
    for name in ("slirpd", "slirp4netns"):
        # It finds the other programs: the version of libslirp comes from one of them.
        lines = output(prefix / "bin" / name, "--version").splitlines()
        assert lines[0].startswith(f"{name} version ")
        assert any(line.startswith("libslirp: ") for line in lines)


def test_slirp4netns_has_the_manual_of_slirpd(prefix):
    page = prefix / "share/man/man1/slirp4netns.1"
    assert page.read_text() == ".so man1/slirpd.1\n"
    # Names in a .so begin at the top of the manual.
    shown, own = (
        output("mandoc", "-T", "ascii", f"man1/{name}.1", cwd=prefix / "share/man")
        for name in ("slirp4netns", "slirpd")
    )
    assert shown == own and "--configure" in own


def test_every_page_of_the_manual_is_installed(prefix):
    pages = [path.name for path in (PROJECT / "man").glob("*.[1-9]")]
    assert len(pages) > 5
    for page in pages:
        assert (prefix / f"share/man/man{page[-1]}" / page).is_file(), page


WORKER = "libexec/slirpd/slirpd-slirp-worker"


@pytest.mark.parametrize("name, mode, said", (
    (WORKER, 0o757, "program {} can be written by others (mode 0757, gid "),
    ("libexec/slirpd", 0o777, "directory {} can be written by others (mode 0777, gid "),
    ("libexec", 0o777, "a directory above {} can be written by others (mode 0777, gid "),
    ("bin", 0o777, "directory {} can be written by others (mode 0777, gid "),
    (".", 0o777, "a directory above {} can be written by others (mode 0777, gid "),
))
def test_programs_that_others_could_exchange_are_refused(prefix, name, mode, said):
    changed = prefix / name
    was = changed.stat().st_mode & 0o7777
    changed.chmod(mode)
    try:
        done = subprocess.run([prefix / "bin/slirpd", "--version"], capture_output=True,
                              text=True, timeout=DEADLINE_S)
        shown = {"libexec": "bin/../libexec/slirpd", "libexec/slirpd": "bin/../libexec/slirpd",
                 WORKER: f"bin/../{WORKER}", ".": "bin"}.get(name, name)
        assert done.returncode == 1 and done.stdout == ""
        assert f"slirpd: {said.format(prefix / shown)}" in done.stderr
        assert "chmod go-w" in done.stderr
        if changed.is_dir():
            # As /tmp is: nobody exchanges there what others own.
            changed.chmod(mode | 0o1000)
            output(prefix / "bin/slirpd", "--version")
    finally:
        changed.chmod(was)
    output(prefix / "bin/slirpd", "--version")
