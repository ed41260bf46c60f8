# SPDX-License-Identifier: BSD-2-Clause
"""The tree under src reads like a map."""

import pathlib

SRC = pathlib.Path(__file__).resolve().parents[2] / "src"

# More than a reader takes in at a glance; a folder that grows beyond it has two subjects.
FILES_MAX = 14


def too_large(src):
    folders = [src, *(path for path in src.rglob("*") if path.is_dir())]
    return [path.relative_to(src).as_posix() for path in folders
            if len(list(path.glob("*.c"))) > FILES_MAX]


def without_subject(src):
    return [path.relative_to(src).as_posix() for path in sorted(src.rglob("*.c"))
            if not subject(path.read_text()).startswith("/*")]


def subject(text):
    """The first line, behind that of the licence."""
    lines = text.splitlines()
    return next((line for line in lines if not line.startswith("/* SPDX")), "")


def test_no_folder_has_too_many_files():
    assert too_large(SRC) == []


def test_every_c_file_says_first_what_it_is_about():
    assert without_subject(SRC) == []


def test_both_are_seen(tmp_path):
    for number in range(FILES_MAX + 1):
        path = tmp_path / f"role/{number}.c"
        path.parent.mkdir(exist_ok=True)
        path.write_text("/* SPDX-License-Identifier: none */\n/* About a number. */\nint number;\n")
    assert too_large(tmp_path) == ["role"] and without_subject(tmp_path) == []
    path.write_text("#include <stdio.h>\n/* Too late. */\n")
    assert without_subject(tmp_path) == ["role/14.c"]
    path.unlink()
    assert too_large(tmp_path) == []
