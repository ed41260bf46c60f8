# SPDX-License-Identifier: BSD-2-Clause
"""Values of rounds to medians, ratios and verdicts; knows nothing of how they were measured."""

from __future__ import annotations

import statistics
from typing import Any

from rows import REFERENCE, ROWS, SLIRPD, TARGETS


COSTS = ("cpu_s_per_gb", "all_cpu_s_per_gb")


class Results:
    """Values by row, subject and round, and why some are missing."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], dict[int, list[float]]] = {}
        self._costs: dict[tuple[str, str, str], list[float]] = {}
        self._notes: dict[tuple[str, str], str] = {}

    def add(self, row: str, subject: str, number: int, value: float,
            cpu_s_per_gb: float | None = None, all_cpu_s_per_gb: float | None = None) -> None:
        """A value of round `number`, and what it cost: the subject's processor time, and that
        with the time of client and server. A round may have several values of a row."""
        self._values.setdefault((row, subject), {}).setdefault(number, []).append(value)
        for name, cost in zip(COSTS, (cpu_s_per_gb, all_cpu_s_per_gb)):
            if cost is not None:
                self._costs.setdefault((row, subject, name), []).append(cost)

    def note(self, row: str, subject: str, text: str) -> None:
        """Why a value is missing; the latest reason stays."""
        self._notes[row, subject] = text

    def summary(self) -> list[dict[str, Any]]:
        """The rows that something is known of, in the order of ROWS."""
        result = []
        for row in ROWS:
            names = {name for known in (self._values, self._notes)
                     for row_name, name in known if row_name == row.name}
            if names:
                result.append({
                    "name": row.name, "group": row.group, "title": row.title,
                    "unit": row.unit, "more_is_better": row.more_is_better,
                    "subjects": {name: self._of_subject(row.name, name)
                                 for name in sorted(names)}})
        return result

    def _of_subject(self, row: str, subject: str) -> dict[str, Any]:
        entry: dict[str, Any] = {}
        rounds = self._values.get((row, subject), {})
        if rounds:
            values = [value for number in sorted(rounds) for value in rounds[number]]
            entry = {"median": statistics.median(values), "min": min(values),
                     "max": max(values), "values": values}
        for name in COSTS:
            if (row, subject, name) in self._costs:
                entry[name] = statistics.median(self._costs[row, subject, name])
        if (row, subject) in self._notes:
            entry["note"] = self._notes[row, subject]
        if subject != REFERENCE and (ratio := self.ratio(row, subject, REFERENCE)) is not None:
            entry["ratio"] = ratio
        return entry

    def ratio(self, row: str, subject: str, against: str) -> float | None:
        """The median of the rounds' ratios. Both values of a round were taken within a minute
        of each other, so this is steadier than the ratio of the medians."""
        ours, theirs = (self._values.get((row, name), {}) for name in (subject, against))
        ratios = [statistics.median(ours[number]) / statistics.median(theirs[number])
                  for number in ours.keys() & theirs.keys()
                  if statistics.median(theirs[number]) > 0]
        return statistics.median(ratios) if ratios else None

    def verdicts(self) -> list[dict[str, Any]]:
        """Each target, with what was reached (None: not measured) and whether that is enough."""
        result = []
        for target in TARGETS:
            if target.against is None:
                rounds = self._values.get((target.row, SLIRPD), {})
                value = statistics.median(sum(rounds.values(), [])) if rounds else None
            else:
                value = self.ratio(target.row, SLIRPD, target.against)
            result.append({
                "row": target.row, "against": target.against, "bound": target.bound,
                "at_least": target.at_least, "value": value,
                "met": None if value is None else target.is_met(value)})
        return result
