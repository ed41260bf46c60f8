# SPDX-License-Identifier: BSD-2-Clause
"""The results as a table of text."""

from __future__ import annotations

from typing import Any

from rows import NONE, PASTA, REFERENCE, SLIRP4NETNS_OPEN, SLIRPD, SLIRPD_OPEN
from stats import COSTS

ORDER = (SLIRPD, SLIRPD_OPEN, REFERENCE, SLIRP4NETNS_OPEN, PASTA, NONE)


def number(value: float) -> str:
    """Three digits that matter, and no more than a reader can use."""
    if value >= 100:
        return f"{value:,.0f}"
    for least, digits in ((10, 1), (0.1, 2), (0.01, 3)):
        if value >= least:
            return f"{value:.{digits}f}"
    return f"{value:.4f}"


def verdict_text(verdict: dict[str, Any]) -> str:
    bound = (f"{'at least' if verdict['at_least'] else 'at most'} {verdict['bound']:g}"
             + (f" x {verdict['against']}" if verdict["against"] else ""))
    if verdict["met"] is None:
        return f"wanted {bound}: not measured"
    return f"wanted {bound}: {verdict['value']:.2f}, {'met' if verdict['met'] else 'NOT MET'}"


def _line(name: str, entry: dict[str, Any], verdicts: list[dict[str, Any]]) -> list[str]:
    if "median" not in entry:
        return [name, entry["note"]]
    return [name, number(entry["median"]),
            f"{number(entry['min'])} to {number(entry['max'])}",
            f"x {entry['ratio']:.2f}" if "ratio" in entry else "",
            *(f"{entry[cost]:.2f}" if cost in entry else "" for cost in COSTS),
            "; ".join(verdict_text(verdict) for verdict in verdicts)
            or (f"({entry['note']})" if "note" in entry else "")]


def table(rows: list[dict[str, Any]], verdicts: list[dict[str, Any]]) -> str:
    """One block for each row, one line for each subject."""
    lines = [["", "median", "min to max", f"x {REFERENCE}", "CPU s/GB", "of all", ""]]
    for row in rows:
        less = "" if row["more_is_better"] else ", less is better"
        unit = f", {row['unit']}" if row["unit"] else ""
        lines.append([f"{row['group']}: {row['title']}{unit}{less}"])
        for name in ORDER:
            if name in row["subjects"]:
                lines.append(_line("  " + name, row["subjects"][name], [
                    verdict for verdict in verdicts
                    if name == SLIRPD and verdict["row"] == row["name"]]))
    # A line of one or two cells is a heading or a note, and may be of any length.
    widths = [max(len(line[column]) for line in lines if len(line) > 2) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def noise_text(noise: dict[str, Any]) -> str:
    veth = (f"; the bare network carried {noise['veth_gbit_per_s']:.1f} Gbit/s, "
            f"spread {noise['veth_spread']:.0%}" if noise["veth_gbit_per_s"] else "")
    return (f"calibration loop, {noise['n_calibrations']} times: speed spread "
            f"{noise['speed_spread']:.0%}, {noise['cpu_share']:.0%} of the processors ours "
            f"(at worst {noise['cpu_share_min']:.0%}); steal time {noise['steal']:.1%}; "
            f"load average {noise['load_average_before']:.1f} before, "
            f"{noise['load_average_after']:.1f} after{veth}")
