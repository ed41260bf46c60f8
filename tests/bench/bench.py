#!/usr/bin/python3
"""Measures slirpd side by side with slirp4netns and pasta, in one run.

Run it through ci/bench, which puts it into namespaces of its own (tests/lib/outer-ns). The
scene is that of the tests (tests/lib/lab.py), with an iperf3 server on the internet's side;
each measurement has a fresh guest namespace of an ordinary user. The subjects take turns
within a round, and the first to go changes from round to round, so that a slow minute of the
machine hits all of them. Absolute figures belong to the machine; the ratios are what counts.
"""

import argparse
import contextlib
import ctypes
import json
import os
import platform
import select
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import lab  # noqa: E402

REFERENCE = "slirp4netns"
# Ready, iperf3's connect, a process's end: each takes milliseconds when all is well.
DEADLINE_S = 15
# Not counted by iperf3: TCP's slow start, and the first touch of buffers.
WARM_UP_S = 1
# From linux/prctl.h.
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4
# The highest capability that any kernel can have: one bit each in 64.
CAPS_MAX = 64

DIRECTIONS = {"out": [], "in": ["--reverse"]}


class Problem(Exception):
    """A measurement that did not come about."""


def say(text):
    print(text, flush=True)


@contextlib.contextmanager
def ended(process):
    """Ends the process with the block."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def ordinary():
    """What is started in this block is an ordinary user's, without a capability over the
    scene. The lab does it with setpriv, whose own start would be a third of what is measured
    here."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0):
        raise Problem(f"prctl: {os.strerror(ctypes.get_errno())}")
    try:
        yield
    finally:
        for cap in range(CAPS_MAX):
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0)


# The subjects.

class Subject:
    """slirpd and slirp4netns, which share their command line."""

    def __init__(self, name, program):
        self.name = name
        self.program = program
        self.version = lab.sh(program, "--version").stdout.splitlines()[0]

    @contextlib.contextmanager
    def serving(self, guest_pid, mtu):
        """Serves the guest within the block; gives (PID, seconds until ready)."""
        ready, theirs = os.pipe()
        try:
            with ordinary():
                began = time.monotonic()
                process = subprocess.Popen(
                    [self.program, "--configure", f"--mtu={mtu}", f"--ready-fd={theirs}",
                     str(guest_pid), "tap0"],
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    pass_fds=[theirs])
            os.close(theirs)
            theirs = -1
            with ended(process):
                select.select([ready], [], [], DEADLINE_S)
                took = time.monotonic() - began
                os.set_blocking(ready, False)
                if os.read(ready, 1) != b"1":
                    process.kill()
                    raise Problem(f"{self.name}: not ready: {process.stderr.read().decode()}")
                yield process.pid, took
            process.stderr.close()
        finally:
            os.close(ready)
            if theirs >= 0:
                os.close(theirs)


# What pasta's time to ready is measured with; it has no descriptor to wait for.
PASTA_POLL_S = 0.001


class Pasta(Subject):
    """pasta, which says that it is ready by its PID file and not by a descriptor."""

    @contextlib.contextmanager
    def serving(self, guest_pid, mtu):
        pid_file = os.path.join(os.environ.get("TMPDIR", "/tmp"), "bench-pasta.pid")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(pid_file)
        with ordinary():
            began = time.monotonic()
            process = subprocess.Popen(
                [self.program, "--foreground", "--quiet", "--config-net", "--ipv4-only",
                 "--pid", pid_file, "--mtu", str(mtu), "--interface", "uplink",
                 "--ns-ifname", "tap0", "--address", "10.0.2.100", "--netmask", "255.255.255.0",
                 "--gateway", "10.0.2.2", "--tcp-ports", "none", "--udp-ports", "none",
                 "--tcp-ns", "none", "--udp-ns", "none", str(guest_pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with ended(process):
            def ready():
                if process.poll() is not None:
                    raise Problem(f"{self.name}: ended with status {process.returncode}")
                return os.path.exists(pid_file) and os.path.getsize(pid_file) > 0
            while not ready():
                if time.monotonic() - began > DEADLINE_S:
                    raise Problem(f"{self.name}: not ready after {DEADLINE_S} s")
                time.sleep(PASTA_POLL_S)
            yield process.pid, time.monotonic() - began


def find_subjects(args):
    subjects = []
    for kind, name, program in ((Subject, "slirpd", args.slirpd),
                                (Subject, REFERENCE, args.slirp4netns),
                                (Pasta, "pasta", args.pasta)):
        path = shutil.which(program)
        if args.only and name not in args.only.split(","):
            continue
        if not path:
            say(f"{name}: there is no program {program}: left out")
            continue
        subjects.append(kind(name, path))
        say(f"{name}: {subjects[-1].version}")
    if not subjects:
        raise Problem("nothing to measure")
    return subjects


# Measurements.

def iperf3(prefix, seconds, options):
    """Gbit/s that the receiving end counted."""
    warm_up = WARM_UP_S if seconds > WARM_UP_S else 0
    result = subprocess.run(
        [*prefix, "iperf3", "--client", lab.INTERNET4, "--port", str(lab.IPERF_PORT), "--json",
         "--time", str(seconds), "--omit", str(warm_up), "--connect-timeout", "5000", *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=seconds + warm_up + DEADLINE_S)
    answer = json.loads(result.stdout)
    if "error" in answer:
        raise Problem(f"iperf3: {answer['error']}")
    return answer["end"]["sum_received"]["bits_per_second"] / 1e9


def resident_mb(pid):
    """Proportional set size of all processes of a subject, in MB (2^20)."""
    return lab.pss_kib([pid, *lab.descendants(pid)]) / 1024


class Results:
    """Values by (figure, subject), and what went wrong."""

    def __init__(self):
        self.figures = {}
        self.problems = []

    def add(self, figure, unit, goal, subject, value):
        entry = self.figures.setdefault(figure, {"unit": unit, "goal": goal, "values": {}})
        entry["values"].setdefault(subject, []).append(value)

    def summary(self):
        result = {}
        for figure, entry in self.figures.items():
            subjects = {}
            for subject, values in entry["values"].items():
                subjects[subject] = {"median": statistics.median(values), "min": min(values),
                                     "max": max(values), "n": len(values), "values": values}
            reference = subjects.get(REFERENCE, {}).get("median")
            for numbers in subjects.values():
                numbers["ratio"] = numbers["median"] / reference if reference else None
            result[figure] = {"unit": entry["unit"], "goal": entry["goal"], "subjects": subjects}
        return result


def measure_transfers(subject, args, results):
    for mtu in args.mtu:
        with lab.Guest() as guest, subject.serving(guest.pid, mtu) as (subject_pid, _):
            for direction, options in DIRECTIONS.items():
                speed = iperf3(guest.enter(), args.seconds, options)
                results.add(f"TCP {direction}, MTU {mtu}", "Gbit/s", "at least 1", subject.name, speed)
            results.add(f"resident, MTU {mtu}", "MB", "at most 3", subject.name,
                        resident_mb(subject_pid))


def measure_ready(subject, args, results):
    for _ in range(args.starts):
        with lab.Guest() as guest, subject.serving(guest.pid, 1500) as (_, took):
            results.add("time to ready", "ms", "at most 4", subject.name, took * 1000)


def measure(subjects, args, results):
    for number in range(args.rounds):
        began = time.monotonic()
        # The veth pair itself, without any subject: how steady the machine is.
        baseline = iperf3([], args.seconds, [])
        results.add("veth alone", "Gbit/s", None, "machine", baseline)
        turn = number % len(subjects)
        for subject in subjects[turn:] + subjects[:turn]:
            try:
                measure_ready(subject, args, results)
                measure_transfers(subject, args, results)
            except (Problem, subprocess.TimeoutExpired, OSError, KeyError, ValueError) as problem:
                say(f"{subject.name}: {problem}")
                results.problems.append(f"round {number + 1}: {subject.name}: {problem}")
        say(f"round {number + 1} of {args.rounds}: {time.monotonic() - began:.0f} s")


# The report.

def cell(numbers, is_reference):
    text = f"{numbers['median']:.2f}"
    if numbers["n"] > 1:
        text += f" ({numbers['min']:.2f} to {numbers['max']:.2f})"
    if numbers["ratio"] is not None and not is_reference:
        text += f" x{numbers['ratio']:.2f}"
    return text


def print_table(summary, subjects):
    names = [subject.name for subject in subjects]
    rows = [["figure", "unit", *names, "wanted of slirpd"]]
    for figure, entry in summary.items():
        if "machine" in entry["subjects"]:
            continue
        cells = [cell(entry["subjects"][name], name == REFERENCE)
                 if name in entry["subjects"] else "-" for name in names]
        rows.append([figure, entry["unit"], *cells, f"x {entry['goal']}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    say("")
    say(f"median (min to max) xRATIO to {REFERENCE}")
    for row in rows:
        say("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def print_noise(summary):
    noise = summary.get("veth alone", {}).get("subjects", {}).get("machine")
    if noise and noise["n"] > 1:
        spread = (noise["max"] - noise["min"]) / noise["median"] * 100
        say(f"noise: the veth pair alone carried {noise['median']:.1f} Gbit/s, "
            f"with a spread of {spread:.0f} % between the rounds")
    elif noise:
        say(f"noise: the veth pair alone carried {noise['median']:.1f} Gbit/s; "
            "one round says nothing about the spread")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slirpd", metavar="PROGRAM",
                        default=os.environ.get("SLIRPD") or "build/release/bin/slirpd")
    parser.add_argument("--slirp4netns", default="slirp4netns", metavar="PROGRAM")
    parser.add_argument("--pasta", default="pasta", metavar="PROGRAM")
    parser.add_argument("--only", metavar="NAME,...", help="only these subjects")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each transfer")
    parser.add_argument("--starts", type=int, default=20, help="per subject and round")
    parser.add_argument("--mtu", default="1500,65520", metavar="BYTES,...")
    parser.add_argument("--quick", action="store_true", help="one short round: does it work")
    parser.add_argument("--limit", type=int, default=900, metavar="SECONDS", help="of the run")
    parser.add_argument("--json", metavar="FILE", help="write all values there")
    parser.add_argument("--json-fd", type=int, metavar="FD", help="or there, if already open")
    args = parser.parse_args()
    args.mtu = [int(mtu) for mtu in args.mtu.split(",")]
    if args.quick:
        args.rounds, args.seconds, args.starts = 1, 1, 3
    return args


class OutOfTime(BaseException):
    """Not an Exception, so that it ends the run and not just one measurement."""


def out_of_time(_signal, _frame):
    raise OutOfTime("out of time: what follows is what was measured until then")


def main():
    args = parse_arguments()
    if os.environ.get("SLIRPD_OUTER_NS") != "1":
        sys.exit("bench: to be run by ci/bench or tests/lib/outer-ns, in namespaces of its own")
    absent = lab.require_tools("iperf3", "ip", "nsenter", "unshare", "setpriv", "nginx", "dnsmasq")
    if absent:
        sys.exit(f"bench: not installed: {', '.join(absent)}; see ci/deps bench")
    status = 0
    results = Results()
    try:
        subjects = find_subjects(args)
        with lab.Lab() as scene, \
                scene.server(lab.IPERF_PORT, "iperf3", "--server", "--port", str(lab.IPERF_PORT)):
            signal.signal(signal.SIGALRM, out_of_time)
            signal.alarm(args.limit)
            try:
                measure(subjects, args, results)
            except OutOfTime as reason:
                say(str(reason))
                results.problems.append(str(reason))
            signal.alarm(0)
    except (Problem, RuntimeError) as problem:
        sys.exit(f"bench: {problem}")
    summary = results.summary()
    print_table(summary, subjects)
    print_noise(summary)
    if results.problems:
        say(f"measurements that failed, see above: {len(results.problems)}")
        status = 1
    if args.json or args.json_fd is not None:
        with open(args.json or args.json_fd, "w", encoding="utf-8") as file:
            json.dump({"machine": {"kernel": platform.release(), "n_cpus": os.cpu_count(),
                                   "architecture": platform.machine()},
                       "versions": {subject.name: subject.version for subject in subjects},
                       "rounds": args.rounds, "seconds": args.seconds, "figures": summary,
                       "problems": results.problems}, file, indent=2)
            file.write("\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
