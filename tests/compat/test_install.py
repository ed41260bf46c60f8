# SPDX-License-Identifier: BSD-2-Clause
"""What an installation consists of, and that it works from where it was put.

The build that is tested has SLIRPD_INSTALL_SLIRP4NETNS, as the preset debug sets it.
SLIRPD names the program under test, in its build tree.
"""

import os
import pathlib
import re
import struct
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


def test_examples_are_installed(prefix):
    sources = sorted((PROJECT / "examples").iterdir())
    installed = prefix / "share/doc/slirpd/examples"
    assert sorted(path.name for path in installed.iterdir()) == [path.name for path in sources]
    for source in sources:
        assert (installed / source.name).read_bytes() == source.read_bytes()
        assert not os.access(installed / source.name, os.X_OK)


def test_schema_of_the_control_socket_is_installed(prefix):
    name = "share/slirpd/api.schema.json"
    assert (prefix / name).read_bytes() == (BUILD / name).read_bytes()


WORKER = "libexec/slirpd/slirpd-slirp-worker"

# acl(5), as the kernel has it in an attribute (linux/posix_acl_xattr.h): version, then kind,
# rights and id of each entry.
ACL_ATTRIBUTE, ACL_VERSION, ACL_NO_ID = "system.posix_acl_access", 2, 0xFFFFFFFF
ACL_OWNER, ACL_USER, ACL_GROUP, ACL_MASK, ACL_OTHER = 0x01, 0x02, 0x04, 0x10, 0x20


def refusal(slirpd, *prefix):
    done = subprocess.run([*prefix, slirpd, "--version"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == 1 and done.stdout == ""
    return done.stderr


def as_id(uid, gid):
    """As a user of these numbers, who owns the files."""
    return ("unshare", "--user", f"--map-user={uid}", f"--map-group={gid}")


@pytest.fixture
def changed(prefix, name):
    """A file or directory of the installation, which is as before after the test."""
    path = prefix / name
    before = path.stat()
    yield path
    os.chown(path, before.st_uid, before.st_gid)
    path.chmod(before.st_mode & 0o7777)
    output(prefix / "bin/slirpd", "--version")


@pytest.mark.parametrize("name", (WORKER, "libexec/slirpd", "libexec", "bin", "."))
@pytest.mark.parametrize("mode, who, letters", (
    (0o757, "others", "o"),
    (0o775, "its group", "g"),
    (0o777, "others", "go"),
), ids=("others", "group", "both"))
def test_programs_that_others_could_exchange_are_refused(prefix, name, changed, mode, who, letters):
    """In words that say what to do, which is enough."""
    changed.chmod(mode)
    what = "directory" if changed.is_dir() else "program"
    remedy = f"chmod {letters}-w {changed}"
    assert refusal(prefix / "bin/slirpd", *as_id(1000, 1001)) == (
        f"slirpd: {what} {changed} can be written by {who} (mode {mode:04o}, gid 1001): "
        f"{remedy}\n")
    if changed.is_dir():
        # As /tmp is: nobody exchanges there what others own.
        changed.chmod(mode | 0o1000)
        output(prefix / "bin/slirpd", "--version")
        changed.chmod(mode)
    output(*remedy.split())
    output(prefix / "bin/slirpd", "--version")


@pytest.mark.parametrize("uid, gid", ((1000, 1001), (0, 1000)))
def test_group_of_another_number_is_not_the_users_own(prefix, uid, gid):
    worker = prefix / WORKER
    worker.chmod(0o775)
    assert f"by its group (mode 0775, gid {gid}): " in refusal(
        prefix / "bin/slirpd", *as_id(uid, gid))
    worker.chmod(0o755)


@pytest.mark.parametrize("name", (WORKER, "libexec/slirpd"))
@pytest.mark.parametrize("number", (0, 1000), ids=("root", "user"))
def test_own_group_may_write_but_not_whom_an_acl_names(prefix, number, name, changed):
    as_owner = as_id(number, number)
    changed.chmod(0o775)
    output(*as_owner, prefix / "bin/slirpd", "--version")
    entries = ((ACL_OWNER, 7, ACL_NO_ID), (ACL_USER, 7, os.getuid()), (ACL_GROUP, 5, ACL_NO_ID),
               (ACL_MASK, 7, ACL_NO_ID), (ACL_OTHER, 5, ACL_NO_ID))
    os.setxattr(changed, ACL_ATTRIBUTE, struct.pack("<I", ACL_VERSION) + b"".join(
        struct.pack("<HHI", *entry) for entry in entries))
    try:
        assert changed.stat().st_mode & 0o7777 == 0o775
        said = refusal(prefix / "bin/slirpd", *as_owner)
        assert ("can be written by users that its access control list may name "
                f"(mode 0775, gid {number}): chmod g-w {changed}\n") in said
        # It takes the right away from those that the list names.
        output("chmod", "g-w", changed)
        output(*as_owner, prefix / "bin/slirpd", "--version")
    finally:
        os.removexattr(changed, ACL_ATTRIBUTE)


@pytest.mark.parametrize("name", ("libexec/slirpd",))
def test_group_of_root_may_not_write_where_acls_cannot_be_asked_for(prefix, name, changed):
    """Without /proc; then the programs are where they are installed."""
    cache = (BUILD / "CMakeCache.txt").read_text()
    installed = re.search("^CMAKE_INSTALL_PREFIX:PATH=(.*)$", cache, re.M)[1]
    without_proc = (
        "unshare", "--user", "--map-root-user", "--mount", "sh", "-ec",
        'mount -t tmpfs -o mode=0755 none "$1"; mkdir -p "$1/$3"; '
        'mount --bind "$2" "$1/$3"; mount -t tmpfs none /proc; shift 3; exec "$@"',
        "sh", installed, changed, name)
    output(*without_proc, prefix / "bin/slirpd", "--version")
    changed.chmod(0o775)
    assert f"/{name} can be written by users " in refusal(prefix / "bin/slirpd", *without_proc)


def test_program_that_is_a_link_is_refused_as_one(prefix):
    program = prefix / WORKER
    aside = program.with_name("aside")
    program.rename(aside)
    program.symlink_to(aside)
    try:
        assert f"/{WORKER} is a symbolic link, which is not followed" in refusal(
            prefix / "bin/slirpd")
    finally:
        aside.rename(program)
    output(prefix / "bin/slirpd", "--version")
