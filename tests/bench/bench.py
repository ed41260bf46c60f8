#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Measures slirpd side by side with slirp4netns and pasta, in one run.

Run it through ci/bench, which puts it into namespaces of its own (tests/lib/outer-ns). The
scene is that of the tests (tests/lib/lab.py), with iperf3 and bench_load on the internet's
side; each measurement has a fresh guest namespace of an ordinary user. In every round, each
scene is played by all subjects one after the other, and their order changes from round to
round, so that a slow minute of the machine hits all of them. Absolute figures belong to the
machine; the ratios are what counts.

Exit status: 0, or 1 if slirpd could not be measured, or with --check if a target was not met.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from typing import Any

# Makes tests/lib/lab.py reachable.
from subjects import NotReached, NotSupported, Problem, Subject, find_subjects

from commands import require_tools
from lab import INTERNET4, Lab
from waiting import Timeout
import measure
import report
from noise import Noise, machine
import scenes
from rows import ROWS, SETS, SLIRPD, TARGETS
from stats import Results

# What one failed measurement may raise; anything else is a defect of the benchmark.
FAILURES = (Problem, Timeout, subprocess.SubprocessError, OSError, KeyError, ValueError)

# Of each transfer in --quick.
QUICK_S = 0.3
# To open all idle connections. Some subjects would need minutes for 10,000.
HOLD_LIMIT_S, QUICK_HOLD_LIMIT_S = 60, 10


def say(text: str) -> None:
    print(text, flush=True)


class OutOfTime(BaseException):
    """Not an Exception, so that it ends the run and not just one measurement."""


def out_of_time(_signal: int, _frame: object) -> None:
    raise OutOfTime


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog="rows: " + " ".join([*SETS, *(row.name for row in ROWS)]))
    parser.add_argument("--quick", action="store_true",
                        help="one round, much too short for a figure: does it work")
    parser.add_argument("--rounds", type=int, metavar="N", help="default 5")
    parser.add_argument("--seconds", type=int, metavar="N", help="of each transfer; default 3")
    parser.add_argument("--starts", type=int, metavar="N",
                        help="per subject and round, for the time to ready; default 10")
    parser.add_argument("--rows", metavar="NAME,...",
                        help="only these; * and ? are wildcards, @tcp is all rows that TCP has "
                        "targets for")
    parser.add_argument("--subjects", metavar="NAME,...", help="only these")
    parser.add_argument("--targets-only", action="store_true",
                        help="in each scene only slirpd and the subjects that a target compares "
                        "it to; no scene without a target")
    parser.add_argument("--max-minutes", type=float, default=90, metavar="N",
                        help="then the run ends with what it has; default 90")
    parser.add_argument("--check", action="store_true",
                        help="exit with status 1 if a target of these rows is not met")
    parser.add_argument("--json", metavar="FILE", help="write all values there")
    parser.add_argument("--json-fd", type=int, metavar="FD", help="or there, if already open")
    parser.add_argument("--slirpd", metavar="PROGRAM",
                        default=os.environ.get("SLIRPD") or "build/release/bin/slirpd")
    parser.add_argument("--slirp4netns", default="slirp4netns", metavar="PROGRAM")
    parser.add_argument("--pasta", default="pasta", metavar="PROGRAM")
    parser.add_argument("--load", metavar="PROGRAM", default=os.environ.get("BENCH_LOAD")
                        or "build/release/tests/bench/bench_load")
    args = parser.parse_args()
    for name, quick, usual in (("rounds", 1, 5), ("seconds", QUICK_S, 3), ("starts", 3, 10)):
        if getattr(args, name) is None:
            setattr(args, name, quick if args.quick else usual)
        elif getattr(args, name) < 1:
            parser.error(f"--{name} has to be at least 1")
    return args


def choose_rows(wanted: str | None) -> set[str]:
    """The names of the rows that the value of --rows stands for."""
    names = [row.name for row in ROWS]
    chosen: set[str] = set()
    for word in wanted.split(",") if wanted else ["*"]:
        for pattern in SETS.get(word, (word,)):
            found = fnmatch.filter(names, pattern)
            if not found:
                sys.exit(f"bench: no row is called {pattern}; there are "
                         f"{' '.join([*SETS, *names])}")
            chosen.update(found)
    return chosen


def turns(subjects: list[Subject], number: int) -> list[Subject]:
    """The order of a round: another one is first each time, and every second round runs
    backwards, so that neighbours come before each other equally often."""
    first = number // 2 % len(subjects)
    order = subjects[first:] + subjects[:first]
    return order[::-1] if number % 2 else order


class Run:
    """The rounds, and what went wrong in them."""

    def __init__(self, args: argparse.Namespace, subjects: list[Subject]) -> None:
        self.args = args
        self.subjects = subjects
        self.results = Results()
        self.problems: list[str] = []
        self.n_rounds = 0
        hold_limit_s = QUICK_HOLD_LIMIT_S if args.quick else HOLD_LIMIT_S
        self.bench = measure.Bench(args.load, args.seconds, args.starts, hold_limit_s,
                                   choose_rows(args.rows), self.results)
        self.noise = Noise()
        # What a subject can't do in one round it can't do in a later one.
        self.hopeless: set[tuple[str, str]] = set()

    def takes_part(self, scene: str, subject: Subject) -> bool:
        """Whether a subject can give a figure of a scene that is wanted."""
        rows = [row.name for row in ROWS if row.scene == scene and self.bench.wants(row.name)]
        judged = any(target.row in rows and subject.name in (SLIRPD, target.against)
                     for target in TARGETS)
        return subject.takes_part(scene) and bool(rows) and (judged or not self.args.targets_only)

    def play(self, scene: str, subject: Subject) -> None:
        """One scene with one subject; what fails is noted in its rows, and the run goes on."""
        rows = [row.name for row in ROWS if row.scene == scene and self.bench.wants(row.name)]
        if (scene, subject.name) in self.hopeless:
            return
        self.bench.found = {}
        outcome = ""
        try:
            scenes.SCENES[scene](self.bench, subject)
        except (NotSupported, NotReached) as reason:
            outcome = f"{reason.outcome}: {reason}"
            self.hopeless.add((scene, subject.name))
        except FAILURES as reason:
            outcome = f"failed: {reason}"
            self.problems.append(f"round {self.bench.round_number}: {scene}: {subject.name}: "
                                 f"{reason}")
        if outcome:
            for row in rows:
                if row not in self.bench.found:
                    self.results.note(row, subject.name, outcome.splitlines()[0])
        found = [f"{row} {report.number(statistics.median(values))}"
                 for row, values in self.bench.found.items()]
        say(f"  {scene}: {subject.name}: {'; '.join([*found, *([outcome] if outcome else [])])}")

    def round(self, number: int) -> None:
        began = time.monotonic()
        self.bench.round_number = number + 1
        say(f"round {number + 1} of {self.args.rounds}")
        self.noise.add_veth(measure.stream(self.bench, None, []).gbit_per_s)
        for scene in scenes.SCENES:
            takers = [subject for subject in turns(self.subjects, number)
                      if self.takes_part(scene, subject)]
            for subject in takers:
                self.play(scene, subject)
            if takers:
                self.noise.calibrate()
        self.n_rounds += 1
        say(f"round {number + 1}: {time.monotonic() - began:.0f} s")

    def rounds(self) -> None:
        """All rounds, or as many as there is time for."""
        signal.signal(signal.SIGALRM, out_of_time)
        signal.setitimer(signal.ITIMER_REAL, self.args.max_minutes * 60)
        try:
            for number in range(self.args.rounds):
                self.round(number)
        except OutOfTime:
            text = (f"out of time after {self.args.max_minutes:g} minutes and {self.n_rounds} "
                    "whole rounds: what follows is what was measured until then")
            say(text)
            self.problems.append(text)
        signal.setitimer(signal.ITIMER_REAL, 0)

    def outcome(self) -> dict[str, Any]:
        return {"machine": machine(), "noise": self.noise.report(),
                "versions": {subject.name: subject.version for subject in self.subjects},
                "rounds": self.n_rounds, "seconds": self.args.seconds,
                "rows": self.results.summary(),
                "targets": [target for target in self.results.verdicts()
                            if self.bench.wants(target["row"])],
                "problems": self.problems}


def print_outcome(outcome: dict[str, Any]) -> None:
    say("")
    say(report.table(outcome["rows"], outcome["targets"]))
    say("")
    say("CPU s/GB: user and system time of all processes of the subject for each 10^9 bytes of "
        "payload; of all: with client and server; soft interrupts of the kernel may be missing")
    say("kept: the rate in or beside something, divided by the rate without")
    say("memory: proportional set size of all processes of the subject; MB is 2^20 bytes, kB 1000")
    say(f"noise: {report.noise_text(outcome['noise'])}")
    if outcome["noise"]["reasons"]:
        say(f"THE MACHINE WAS NOISY: {'; '.join(outcome['noise']['reasons'])}; "
            "these figures are not to be quoted")
    judged = [target for target in outcome["targets"] if target["met"] is not None]
    say(f"targets: {sum(target['met'] for target in judged)} met of {len(judged)} measured, "
        f"{len(outcome['targets'])} in all")
    for problem in outcome["problems"]:
        say(f"problem: {problem}")


def exit_status(outcome: dict[str, Any], check: bool) -> int:
    ours = any("median" not in row["subjects"][SLIRPD] and
               row["subjects"][SLIRPD]["note"].startswith("failed")
               for row in outcome["rows"] if SLIRPD in row["subjects"])
    missed = check and not all(target["met"] for target in outcome["targets"])
    return int(ours or missed or not outcome["rows"])


def main() -> int:
    args = parse_arguments()
    if os.environ.get("SLIRPD_OUTER_NS") != "1":
        sys.exit("bench: to be run by ci/bench or tests/lib/outer-ns, in namespaces of its own")
    absent = require_tools("iperf3", "ip", "nsenter", "unshare", "setpriv", "nginx",
                           "dnsmasq", "nft", "sysctl", args.load)
    if absent:
        sys.exit(f"bench: not installed: {', '.join(absent)}; see ci/deps bench")
    subjects, missing = find_subjects(args.slirpd, args.slirp4netns, args.pasta,
                                      args.subjects.split(",") if args.subjects else None)
    for line in [*missing, *(f"{subject.name}: {subject.version}" for subject in subjects)]:
        say(line)
    if not subjects:
        sys.exit("bench: nothing to measure")
    try:
        with Lab() as scene, \
                scene.server(measure.SERVE_PORT, args.load, "serve", INTERNET4,
                             str(measure.SERVE_PORT)):
            run = Run(args, subjects)
            run.rounds()
    except (RuntimeError, Problem) as problem:
        sys.exit(f"bench: {problem}")
    outcome = run.outcome()
    print_outcome(outcome)
    if args.json or args.json_fd is not None:
        with open(args.json or args.json_fd, "w", encoding="utf-8") as file:
            json.dump(outcome, file, indent=1)
            file.write("\n")
    return exit_status(outcome, args.check)


if __name__ == "__main__":
    sys.exit(main())
