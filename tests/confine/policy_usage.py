# SPDX-License-Identifier: BSD-2-Clause
"""Which lines of the policies a run uses: a line that is neither seen in use nor marked rare
is an error.

Runs a selection of the tests with the real jails under strace(1), takes from each process what
it called after its filter was loaded, and has policyc say which line of the role's policy took
it. SLIRPD and POLICYC name the programs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]

# Process names, as the programs set them, and whose policy they have.
ROLES = {"slirpd": "parent", "slirp4netns": "parent", "slirpd-netns": "netns-helper",
         "slirpd-worker": "slirp-worker", "slirpd-connect": "connector",
         "slirpd-resolver": "resolver",
         "slirpd-spawner": "spawner", "slirpd-api": "api",
         "slirpd-cgroup": "cgroup-mover", "slirpd-policy": "policy-reader"}

# Whoever inherits a role's filter, until it has its own.
HEIRS = {"spawner": ("api", "connector", "resolver", "slirp-worker")}

# Tests that together use the whole daemon, with what to take of each file (pytest -k): a few
# seconds' worth, where strace does not make them time out.
TESTS = {
    "integration/test_traffic.py":
        "closes or reset or refused or unreachable or udp or gateway or 1500-56 or dns or dhcp"
        " or resolv_conf",
    "integration/test_ping.py": "routers or at_once",
    "integration/test_udp_runs.py": "burst_goes_out",
    "integration/test_namespaces.py": "path or tapfd or comes_back",
    "integration/test_lifecycle.py":
        "exit_fd or dies or another_process or deleted or reader_is_gone or sigkill_of_a_child"
        " or sigusr1",
    "integration/test_host_loopback.py": "multicast",
    "integration/test_forwards.py": "one_address or both_families or range or refusal or removal or listed or nobody_listens",
    "integration/test_api.py": "session or events or log or silent_clients",
    "integration/test_api_process.py": "killed or publish or breaks or hang_up",
    "integration/test_policy.py": "check_policy or appears",
    "confine/test_jail_daemon.py": "resolv_conf or user_namespace or landlock or signal",
}
# The same as real root, for a role that otherwise does not run. Where root can't be had, it is
# not judged.
TESTS_AS_ROOT = {"integration/test_cgroup.py": "refusal or later"}
ROLE_AS_ROOT = "cgroup-mover"
NO_ROOT = 77  # outer-ns
PYTEST_TESTS_FAILED = 1

# strace's "PID<COMM> CALL(ARGUMENTS) = RESULT", in two lines where another process came between:
# "PID<COMM> CALL(ARGUMENTS <unfinished ...>" and "PID<COMM> <... CALL resumed>) = RESULT".
CALL = re.compile(r"(\d+)<([^>]+)> (\w+)\(([^)<]*)(?:\) += (\S+)| <unfinished)")
RESUMED = re.compile(r"(\d+)<[^>]+> <\.\.\. (\w+) resumed>.*?\) += (\S+)")
KILLED = re.compile(r"(\d+)<[^>]+> \+\+\+ killed by SIGKILL")
SECCOMP_SET_MODE_FILTER = "0x1"
FORKS = {"clone", "fork"}


def run_tests(directory: str) -> bool:
    environment = os.environ | {"TRACED_PROGRAM": os.environ["SLIRPD"],
                                "TRACED_DIRECTORY": directory,
                                "SLIRPD": str(HERE / "traced_slirpd.py")}
    # Whether they pass is judged where they run without strace, which makes them slow: here it
    # matters that they run.
    return all([subprocess.run(
        [REPO / "tests/lib/outer-ns", *option, sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--durations=3",
         "-k", selection, REPO / "tests" / file],
        env=environment, stdin=subprocess.DEVNULL).returncode in allowed
        for option, allowed, tests in (([], (0, PYTEST_TESTS_FAILED), TESTS),
                                       (["--as-root"], (0, PYTEST_TESTS_FAILED, NO_ROOT), TESTS_AS_ROOT))
        for file, selection in tests.items()])


def filtered_calls(trace: Path) -> Iterator[tuple[str, str]]:
    """Role and "PID CALL ARGUMENT..." of each call that a filter judged. Who is under two,
    its own and an inherited one, counts for its own."""
    lines = trace.read_text(errors="replace").splitlines()
    # strace finds no registers in a process that was killed at a call's entry.
    killed = {match[1] for match in map(KILLED.match, lines) if match}
    last = {match[1]: n for n, match in enumerate(map(CALL.match, lines)) if match}
    unread = {last[pid] for pid in killed & last.keys()}
    lines = [line for n, line in enumerate(lines) if n not in unread]
    parents: dict[str, str] = {}
    spawners: set[str] = set()
    for line in lines:
        match = CALL.match(line)
        if match and ROLES.get(match[2]) in HEIRS:
            spawners.add(match[1])
        if match and match[3] in FORKS and match[5] and match[5].startswith("0x"):
            parents[str(int(match[5], 16))] = match[1]
        elif (match := RESUMED.match(line)) and match[2] in FORKS and match[3].startswith("0x"):
            parents[str(int(match[3], 16))] = match[1]
    confined: set[str] = set()
    heirs: set[str] = set()
    for line in lines:
        match = CALL.match(line)
        if match:
            pid, comm, call, arguments, result = match.groups()
            ancestor = parents.get(pid)
            if ancestor in confined & spawners:
                heirs.add(pid)
            inherited = "spawner" if pid in heirs else None
            role = ROLES.get(comm) if pid in confined else inherited
            if role:
                yield role, f"{pid} {call} {arguments.replace(',', '')}\n"
            if (call, result) == ("seccomp", "0") and arguments.startswith(
                    f"{SECCOMP_SET_MODE_FILTER}, "):
                confined.add(pid)
        elif (match := RESUMED.match(line)) and match[2] == "seccomp" and match[3] == "0":
            confined.add(match[1])


def judge(role: str, calls: list[str]) -> bool:
    """Prints how the lines of a role were used. True when none is there for nothing."""
    own = f"seccomp/{role}.policy"
    inherited = [f"seccomp/{heir}.policy" for heir in HEIRS.get(role, ())]
    done = subprocess.run([os.environ["POLICYC"], "--usage", own, *inherited], cwd=REPO,
                          input="".join(calls), text=True, stdout=subprocess.PIPE)
    rows = [line.split("\t") for line in done.stdout.splitlines() if f"\t{own}:" in line]
    unused = [row for row in rows if row[0] == "0" and row[1] == "-"]
    rare = [row for row in rows if row[0] != "0" and row[1] == "rare"]
    print(f"\n{role}: {len(calls)} calls, {len(rows)} lines")
    for n, _, call, condition, reason, place in rare:
        print(f"  rare, used {n} times: {place}: {call} {condition}  # {reason}")
    for _, _, call, condition, reason, place in unused:
        print(f"  NEVER USED, and not marked rare: {place}: {call} {condition}  # {reason}")
    return done.returncode == 0 and bool(rows) and bool(calls) and not unused


def main() -> int:
    calls: dict[str, list[str]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as directory:
        # Of outer-ns's ordinary user, where this is root.
        os.chmod(directory, 0o1777)
        if not run_tests(directory):
            return 1
        for trace in Path(directory).iterdir():
            for role, call in filtered_calls(trace):
                calls[role].append(call)
    if os.getuid() != 0 and not calls[ROLE_AS_ROOT]:
        ROLES.pop("slirpd-cgroup")
    return 0 if all([judge(role, calls[role]) for role in sorted(set(ROLES.values()))]) else 1


if __name__ == "__main__":
    sys.exit(main())
