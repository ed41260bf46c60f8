# SPDX-License-Identifier: BSD-2-Clause
"""Configurations that a packager makes: without test tools, for other directories, to cross build.

Nothing is compiled but policyc, in one of them.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE_S = 60


def run(*argv, status=0, **environment):
    done = subprocess.run(
        [str(word) for word in argv], env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=DEADLINE_S, check=False)
    assert (done.returncode == 0) == (status == 0), done.stdout
    return done.stdout


def configure(build, *options, **kwargs):
    return run("cmake", "-S", PROJECT, "-B", build, *options, **kwargs)


def summary(said):
    """The last lines, by their first words."""
    return dict(re.findall(r"^--   (\S.*?)  +(\S.*)$", said, re.M))


def n_tests(build):
    return int(re.search(r"^Total Tests: (\d+)$", run("ctest", "--test-dir", build, "-N"), re.M)[1])


@pytest.fixture(name="without_cmocka")
def fixture_without_cmocka(tmp_path):
    """Directories of pkg-config that have everything else."""
    found = tmp_path / "pkgconfig"
    found.mkdir()
    for directory in run("pkg-config", "--variable=pc_path", "pkg-config").strip().split(":"):
        for path in Path(directory).glob("*.pc"):
            if path.name != "cmocka.pc" and not (found / path.name).exists():
                (found / path.name).symlink_to(path)
    return {"PKG_CONFIG_LIBDIR": str(found), "PKG_CONFIG_PATH": ""}


def test_protocol_hash_covers_every_header_of_the_messages():
    source = PROJECT / "src/ipc"
    rule = run("cc", "-MM", "-I", PROJECT / "src", source / "messages.h").replace("\\\n", " ")
    listed = re.search(r"^set\(protocol_files ([^)]*)\)", (source / "CMakeLists.txt").read_text(), re.M)[1]
    assert {(source / name).resolve() for name in listed.split()} == {
        Path(name).resolve() for name in rule.partition(":")[2].split()}


def test_plain_build_needs_no_cmocka(tmp_path, without_cmocka):
    build = tmp_path / "build"
    said = configure(build, **without_cmocka)
    assert summary(said)["tests"] == "off: not found: cmocka"
    assert n_tests(build) == 0


def test_plain_build_needs_no_pytest(tmp_path):
    said = configure(tmp_path / "build", "-DSLIRPD_PYTHON=/bin/false")
    assert summary(said)["tests"] == "off: not found: pytest of /usr/bin/python3"


def test_build_that_asks_for_tests_needs_cmocka(tmp_path, without_cmocka):
    said = configure(tmp_path / "build", "-DSLIRPD_TESTS=ON", status=1, **without_cmocka)
    assert "SLIRPD_TESTS is ON, but this is not found: cmocka" in said


def test_options_decide_about_tests(tmp_path):
    build = tmp_path / "build"
    for testing, ours, tests in (
        ("ON", "AUTO", "on"),
        ("ON", "OFF", "off: SLIRPD_TESTS is off"),
        ("OFF", "AUTO", "off: BUILD_TESTING is off"),
    ):
        said = configure(build, f"-DBUILD_TESTING={testing}", f"-DSLIRPD_TESTS={ours}")
        assert summary(said)["tests"] == tests
        assert (n_tests(build) > 0) == (tests == "on")


# What is installed there, below a root.
DIRECTORIES = {
    "SYSTEMD_USER_UNIT": "slirpd@.service",
    "BASH_COMPLETION": "slirpd",
    "ZSH_COMPLETION": "_slirpd",
    "FISH_COMPLETION": "slirpd.fish",
}


def installed(build, root):
    for folder in ("completions", "systemd"):
        run("cmake", "-P", build / folder / "cmake_install.cmake", DESTDIR=str(root))
    return {path.name: f"/{path.parent.relative_to(root)}"
            for path in root.rglob("*") if path.is_file()}


def test_directories_can_be_chosen(tmp_path):
    chosen = {"SYSTEMD_USER_UNIT": "/etc/units", "BASH_COMPLETION": "share/b",
              "ZSH_COMPLETION": "/z", "FISH_COMPLETION": "share/f"}
    said = configure(tmp_path / "build", "-DBUILD_TESTING=OFF", "-DCMAKE_INSTALL_PREFIX=/opt/s",
                     *(f"-DSLIRPD_{name}_DIR={path}" for name, path in chosen.items()))
    files = installed(tmp_path / "build", tmp_path / "root")
    for name, path in chosen.items():
        full = path if path.startswith("/") else f"/opt/s/{path}"
        assert files[DIRECTORIES[name]] == full
        assert re.search(f"^--   .*  {full}$", said, re.M), name


def looked_in(shell, home):
    """The directories where a shell looks for completions, as a user without a session has them."""
    environment = ["env", "-i", f"HOME={home}", f"PATH={os.environ['PATH']}"]
    command = {"zsh": ["zsh", "-fc", "print -l $fpath"],
               "fish": ["fish", "-c", "printf '%s\\n' $fish_complete_path"]}[shell]
    return run(*environment, *command).splitlines()


@pytest.mark.parametrize("prefix, option", (
    ("/usr", "-DBUILD_TESTING=OFF"),
    # As docs/building.md says for Debian.
    ("/usr/local", "-DSLIRPD_FISH_COMPLETION_DIR=/etc/fish/completions"),
))
def test_shells_look_where_completions_are(tmp_path, prefix, option):
    said = configure(tmp_path / "build", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-DBUILD_TESTING=OFF",
                     option)
    files = installed(tmp_path / "build", tmp_path / "root")
    assert files["_slirpd"] in looked_in("zsh", tmp_path)
    assert files["slirpd.fish"] in looked_in("fish", tmp_path)
    assert "fish may not look there" not in said
    assert option in (PROJECT / "docs/building.md").read_text()


def test_directory_that_fish_does_not_look_in_is_named(tmp_path):
    said = configure(tmp_path / "build", "-DCMAKE_INSTALL_PREFIX=/opt/s", "-DBUILD_TESTING=OFF")
    assert "-DSLIRPD_FISH_COMPLETION_DIR=/etc/fish/completions" in said


def test_cross_build_makes_a_policyc_for_this_machine(tmp_path):
    """The other machine is this one, and the environment's compiler is of no use for it."""
    build = tmp_path / "build"
    configure(build, "-DCMAKE_SYSTEM_NAME=Linux", "-DBUILD_TESTING=OFF",
              f"-DCMAKE_SYSTEM_PROCESSOR={os.uname().machine}", "-DCMAKE_C_COMPILER=cc")
    run("cmake", "--build", build, "--target", "policy_api", CC="/bin/false", CFLAGS="-false")
    run(build / "native/tools/policyc", "--dump", PROJECT / "seccomp/api.policy")
    assert (build / "seccomp/api_policy.h").stat().st_size > 0
    assert not (build / "seccomp/policyc").exists()


def test_installed_documents_lead_nowhere_else(tmp_path):
    build = tmp_path / "build"
    configure(build, "-DBUILD_TESTING=OFF", "-DCMAKE_INSTALL_PREFIX=/usr")
    documents = tmp_path / "documents"
    run("cmake", "--install", build, "--component", "documents", DESTDIR=str(documents))
    pages = list(documents.rglob("*.md"))
    assert len(pages) > 5
    broken = [f"{page.relative_to(documents)}: {target}" for page in pages
              for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
              if not (page.parent / target).exists()]
    assert broken == []


def news(text, kind, tmp_path, status=0):
    (tmp_path / "NEWS.md").write_text(text)
    return run("awk", "-v", f"format={kind}", "-v", "name=slirpd", "-v", "contact=A <a@example.org>",
               "-v", "date=2026-12-01", "-f", PROJECT / "packaging/changelog.awk",
               tmp_path / "NEWS.md", status=status)


NEWS = """# News

A version is a number.

## 0.2.0 (unreleased, begun 2026-11-30)

Repairs.

- `a` of [b](b.md),
  100 % of it.
""" + f"- {'word ' * 20}\n" + """
## 0.1.0 (2024-02-29)

- First.
"""


def test_changelog_of_a_deb(tmp_path):
    text = news(NEWS, "deb", tmp_path)
    assert text == f"""slirpd (0.2.0) unstable; urgency=medium

  * Repairs.
  * `a` of b, 100 % of it.
  * {' '.join(['word'] * 15)}
    {' '.join(['word'] * 5)}

 -- A <a@example.org>  Tue, 01 Dec 2026 00:00:00 +0000

slirpd (0.1.0) unstable; urgency=medium

  * First.

 -- A <a@example.org>  Thu, 29 Feb 2024 00:00:00 +0000

"""


def test_changelog_of_an_rpm(tmp_path):
    text = news(NEWS, "rpm", tmp_path)
    assert "* Tue Dec 01 2026 A <a@example.org> 0.2.0-1\n- Repairs.\n" in text
    assert "- `a` of b, 100 %% of it.\n" in text
    assert text.endswith("* Thu Feb 29 2024 A <a@example.org> 0.1.0-1\n- First.\n\n")


def test_news_without_a_version_are_no_changelog(tmp_path):
    assert news("# News\n\n## Soon\n\n- A version.\n", "deb", tmp_path, status=1) == ""


def test_news_begin_with_the_version_of_the_tree():
    version = re.search(r"^project\(slirpd VERSION (\S+)", (PROJECT / "CMakeLists.txt").read_text(),
                        re.M)[1]
    headings = re.findall(r"^## (.*)$", (PROJECT / "NEWS.md").read_text(), re.M)
    assert headings[0].startswith(f"{version} (")
    for heading in headings:
        assert re.fullmatch(r"\d+\.\d+\.\d+ \((unreleased, begun )?\d{4}-\d\d-\d\d\)", heading)
