#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Draws a result of ci/bench as an SVG bar chart: chart.py RESULT.json CHART.svg

One file without scripts, fonts or links. It draws its own background, light or dark as the
reader's system has it, so that it can be read on a page of either kind.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from report import number
from rows import PASTA, REFERENCE, SLIRPD
from subjects import NotReached

# The variants without a jail are in the table; three bars a row can be told apart at a glance.
SERIES = (SLIRPD, REFERENCE, PASTA)

WIDTH = 860
MARGIN = 20
# Room for the longest title of a row, and for "12.3 Gbit/s  x 10.00" beside a full bar.
TITLE_WIDTH = 320
LABEL_WIDTH = 170
BAR_LEFT = MARGIN + TITLE_WIDTH
BAR_MAX = WIDTH - MARGIN - LABEL_WIDTH - BAR_LEFT
BAR_HEIGHT = 11
BAR_STEP = 14
ROW_GAP = 10
GROUP_HEIGHT = 30
LINE_HEIGHT = 17
HEAD_HEIGHT = 84

# A stream that carries less than this of the reference's bytes stands still most of the time. Its
# figure would be read as a speed.
STALLED_RATIO = 0.05

# Each pair of colours has a contrast of at least 3 to its background, the texts of 4.5.
STYLE = """
.page { fill: #ffffff } .text { fill: #1f2328 } .soft { fill: #59636e } .rule { stroke: #d1d9e0 }
.s0 { fill: #0969da } .s1 { fill: #8c6a1e } .s2 { fill: #7a828c } .range { stroke: #1f2328 }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117 } .text { fill: #f0f6fc } .soft { fill: #9198a1 } .rule { stroke: #3d444d }
.s0 { fill: #58a6ff } .s1 { fill: #d0a13a } .s2 { fill: #8b949e } .range { stroke: #f0f6fc }
}
text { font-family: system-ui, -apple-system, 'Segoe UI', 'Liberation Sans', sans-serif;
font-size: 12px } .h1 { font-size: 18px; font-weight: 600 } .h2 { font-size: 13px;
font-weight: 600 } .ours { font-weight: 600 }
"""


class Drawing:
    """Collects elements from top to bottom."""

    def __init__(self) -> None:
        self.elements: list[str] = []
        self.y = 0.0

    def text(self, x: float, y: float, text: str, classes: str = "text") -> None:
        self.elements.append(f'<text x="{x:g}" y="{y:g}" class="{classes}">{escape(text)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, classes: str) -> None:
        self.elements.append(f'<rect x="{x:g}" y="{y:g}" width="{width:.1f}" '
                             f'height="{height:g}" class="{classes}"/>')

    def line(self, x1: float, y1: float, x2: float, y2: float, classes: str) -> None:
        self.elements.append(f'<line x1="{x1:.1f}" y1="{y1:g}" x2="{x2:.1f}" y2="{y2:g}" '
                             f'class="{classes}"/>')

    def document(self, title: str) -> str:
        height = self.y + MARGIN
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
            f'width="{WIDTH}" height="{height:g}" role="img" aria-labelledby="title">',
            f'<title id="title">{escape(title)}</title>', f"<style>{STYLE}</style>",
            f'<rect width="{WIDTH}" height="{height:g}" class="page"/>',
            *self.elements, "</svg>", ""])


def label(entry: dict[str, Any], unit: str) -> str:
    """A bar's figure, and its ratio where it is not the reference itself."""
    text = number(entry["median"]) + (f" {unit}" if unit and unit != "/s" else unit)
    return text + (f"  × {entry['ratio']:.2f}" if "ratio" in entry else "")


def has_stalled(entry: dict[str, Any], row: dict[str, Any]) -> bool:
    return row["more_is_better"] and entry.get("ratio", 1) < STALLED_RATIO


def why_missing(note: str) -> str:
    """How far it got where that is the reason; else whose fault it is will do."""
    outcome, _, detail = note.partition(": ")
    return detail if outcome == NotReached.outcome else outcome


def draw_head(drawing: Drawing) -> None:
    drawing.text(MARGIN, 32, "slirpd beside slirp4netns and pasta", "text h1")
    x = MARGIN
    for index, (name, words) in enumerate((
            (SLIRPD, "slirpd, every process in its jail"),
            (REFERENCE, "slirp4netns, with sandbox and seccomp"), (PASTA, "pasta"))):
        drawing.rect(x, 47, BAR_HEIGHT, BAR_HEIGHT, f"s{index}")
        drawing.text(x + 17, 57, words, "text ours" if name == SLIRPD else "text")
        x += 270
    drawing.text(MARGIN, 77, f"Medians; the thin line is minimum to maximum; × is the ratio to "
                 f"{REFERENCE}. Bars compare within a row.", "soft")
    drawing.y = HEAD_HEIGHT


def draw_row(drawing: Drawing, row: dict[str, Any]) -> None:
    entries = [(index, name, row["subjects"][name]) for index, name in enumerate(SERIES)
               if name in row["subjects"]]
    longest = max((entry["max"] for _, _, entry in entries if "max" in entry), default=0)
    scale = BAR_MAX / longest if longest else 0
    middle = drawing.y + len(entries) * BAR_STEP / 2
    less = not row["more_is_better"]
    drawing.text(MARGIN, middle - 2 if less else middle + 4, row["title"])
    if less:
        drawing.text(MARGIN, middle + 12, "less is better", "soft")
    for index, name, entry in entries:
        baseline = drawing.y + BAR_HEIGHT - 1.5
        if has_stalled(entry, row):
            drawing.text(BAR_LEFT + 3, baseline, f"{name}: stalled", "soft")
        elif "median" in entry:
            drawing.rect(BAR_LEFT, drawing.y, entry["median"] * scale, BAR_HEIGHT, f"s{index}")
            centre = drawing.y + BAR_HEIGHT / 2
            drawing.line(BAR_LEFT + entry["min"] * scale, centre,
                         BAR_LEFT + entry["max"] * scale, centre, "range")
            drawing.text(BAR_LEFT + entry["max"] * scale + 7, baseline,
                         label(entry, row["unit"]), "text ours" if name == SLIRPD else "text")
        else:
            drawing.text(BAR_LEFT + 3, baseline, f"{name}: {why_missing(entry['note'])}", "soft")
        drawing.y += BAR_STEP
    drawing.y += ROW_GAP


def footer(result: dict[str, Any]) -> list[str]:
    machine, noise = result["machine"], result["noise"]
    versions = "; ".join(result["versions"][name] for name in SERIES
                         if name in result["versions"])
    return [
        f"{machine['cpu']}, {machine['n_cpus']} cores for client, subject and server together, "
        f"Linux {machine['kernel']}, {machine['date']}",
        versions,
        f"Rounds: {result['rounds']}; transfers of {result['seconds']} s; MTU 1500 where none is "
        "named; memory: proportional set size of all processes",
        ("The machine was quiet: " if not noise["reasons"] else "THE MACHINE WAS NOISY: ")
        + f"its speed varied by {noise['speed_spread']:.0%}, "
        f"{noise['cpu_share']:.0%} of it was ours, steal time {noise['steal']:.1%}",
    ]


def draw(result: dict[str, Any]) -> str:
    """The chart of what bench.py writes as JSON."""
    drawing = Drawing()
    draw_head(drawing)
    group = None
    for row in result["rows"]:
        # Without a unit it is a subject's ratio to itself, for the table and the targets.
        if not row["unit"] or not any(name in row["subjects"] for name in SERIES):
            continue
        if row["group"] != group:
            group = row["group"]
            drawing.y += GROUP_HEIGHT
            drawing.text(MARGIN, drawing.y - 10, group, "text h2")
            drawing.line(MARGIN, drawing.y - 5, WIDTH - MARGIN, drawing.y - 5, "rule")
            drawing.y += 4
        draw_row(drawing, row)
    drawing.y += 6
    for text in footer(result):
        drawing.y += LINE_HEIGHT
        drawing.text(MARGIN, drawing.y, text, "soft")
    return drawing.document("Benchmark of slirpd, slirp4netns and pasta")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} RESULT.json CHART.svg")
    result = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Path(sys.argv[2]).write_text(draw(result), encoding="utf-8")


if __name__ == "__main__":
    main()
