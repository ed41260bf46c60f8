# SPDX-License-Identifier: BSD-2-Clause
"""Code blocks of the project's Markdown, for tests that do what a reader would do."""

from __future__ import annotations

import re

from tree import REPO


def blocks(document: str, title: str = "") -> list[str]:
    """The indented blocks of a document, or of what is below a heading (##)."""
    text = (REPO / document).read_text()
    if title:
        text = text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = [re.sub(r"^    ", "", block, flags=re.M).strip("\n")
             for block in re.findall(r"(?:^(?:    .*)?\n)+", text, re.M) if block.strip()]
    assert found, f"{document} has no block below {title!r}"
    return found


def typed(block: str) -> str:
    """A block as it is typed: without prompts of an ordinary user."""
    return re.sub(r"^\$ ", "", block, flags=re.M)
