# SPDX-License-Identifier: BSD-2-Clause
"""The scenes: each starts one subject for a fresh guest and takes the figures of its rows."""

from __future__ import annotations

import contextlib
import json
import resource
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

# subjects.py has made these reachable.
from guest import Guest
from lab import HOST4, INTERNET4, IPERF_PORT, Lab
from servers import listens
from waiting import wait_for
from rows import API_CLIENTS, API_REQUESTS_PER_S, IDLE_COUNTS, MTUS, PLAIN_MTU, ROWS
from stats import Results
from subjects import DEADLINE_S, NotReached, Problem, Running, Subject, Wants, ended, ordinary

# bench_load serves on this and some more (LOAD_N_TCP_PORTS).
SERVE_PORT = 7100
SINK_PORT = 7200
FORWARD_PORT = 5202
FLOOD_BYTES = 1400
# Not in the rate: TCP's slow start, and the first touch of buffers. A --quick run, whose rates
# are not looked at, does without.
WARM_UP_S = 1
# Connections are opened one after the other; a subject that looks each frame's up in a list
# gets slower with each.
HOLD_LIMIT_S = 60
# Descriptors that a subject needs beside its connections, with room to spare.
SPARE_FILES = 100
# A client that means to send at a rate, and is held up by more than this, does not.
RATE_REACHED_MIN = 0.9
LIST_REQUEST = json.dumps({"execute": "list_hostfwd"})

WAYS = {"out": (), "in": ("--reverse",)}


@dataclass
class Bench:
    """One run: how long, which rows, and where its values go."""

    load: str
    seconds: int
    starts: int
    wanted_rows: set[str]
    results: Results
    round_number: int = 0
    # What the latest scene found, by row, for the line of progress.
    found: dict[str, list[float]] = field(default_factory=dict)

    @property
    def warm_up_s(self) -> int:
        return WARM_UP_S if self.seconds > WARM_UP_S else 0

    def wants(self, row: str) -> bool:
        return row in self.wanted_rows

    def put(self, row: str, subject: Subject, value: float,
            cpu_s_per_gb: float | None = None) -> None:
        if self.wants(row):
            self.results.add(row, subject.name, self.round_number, value, cpu_s_per_gb)
            self.found.setdefault(row, []).append(value)

    def run_load(self, prefix: list[str], *argv: object) -> float:
        """Runs a load to its end; the number that it prints."""
        done = subprocess.run([*prefix, self.load, *map(str, argv)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              timeout=self.seconds + DEADLINE_S)
        if done.returncode:
            raise Problem(f"{argv[0]}: {done.stderr.strip()}")
        return float(done.stdout)


@dataclass(frozen=True)
class Stream:
    """What iperf3 saw of one TCP stream."""

    gbit_per_s: float
    cpu_s_per_gb: float | None


@contextlib.contextmanager
def iperf3_server(guest: Guest | None, port: int) -> Iterator[None]:
    """In the guest or in the internet. One for each stream: while one still ends a stream it
    refuses the next, and after that it does not listen for a moment."""
    prefix = guest.enter() if guest else Lab.in_internet()
    server = subprocess.Popen(
        [*prefix, "iperf3", "--server", "--one-off", "--port", str(port)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with ended(server):
        wait_for("iperf3 listens", lambda: listens(
            guest.pid if guest else server.pid, port))
        yield


def stream(bench: Bench, running: Running | None, prefix: list[str],
           server: Guest | None = None, address: str = INTERNET4,
           port: int = IPERF_PORT, options: tuple[str, ...] = ()) -> Stream:
    """The rate that the receiving end counted, and the subject's time for each 10^9 bytes."""
    with iperf3_server(server, port):
        cpu_s = running.cpu_s() if running else 0
        done = subprocess.run(
            [*prefix, "iperf3", "--client", address, "--port", str(port), "--json",
             "--time", str(bench.seconds), "--omit", str(bench.warm_up_s),
             "--connect-timeout", "5000", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=bench.seconds + bench.warm_up_s + DEADLINE_S)
        cpu_s = running.cpu_s() - cpu_s if running else 0
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise Problem(f"iperf3: {answer['error']}")
    # The warm-up is in the intervals, as it is in the time.
    n_bytes = sum(interval["sum"]["bytes"] for interval in answer["intervals"])
    return Stream(answer["end"]["sum_received"]["bits_per_second"] / 1e9,
                  cpu_s / n_bytes * 1e9 if running and n_bytes else None)


def read_line(process: subprocess.Popen[bytes], what: str, deadline_s: float) -> str:
    """The next line that a process prints."""
    if not select.select([process.stdout], [], [], deadline_s)[0]:
        raise Problem(f"{what}: silent for {deadline_s:g} s")
    line = process.stdout.readline().decode()
    if not line:
        raise Problem(f"{what}: ended without a word")
    return line.strip()


# The scenes.


def scene_tcp(bench: Bench, subject: Subject, mtu: int) -> None:
    with Guest() as guest, subject.serving(guest.pid, mtu) as running:
        for way, options in WAYS.items():
            if bench.wants(f"tcp_{way}_{mtu}"):
                seen = stream(bench, running, guest.enter(), options=options)
                bench.put(f"tcp_{way}_{mtu}", subject, seen.gbit_per_s, seen.cpu_s_per_gb)


def scene_forward(bench: Bench, subject: Subject) -> None:
    wants = Wants(forward_port=FORWARD_PORT)
    with Guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        # The client is outside, so what it sends by default comes in.
        for row, options in (("forward_in", ()), ("forward_out", ("--reverse",))):
            if bench.wants(row):
                seen = stream(bench, running, Lab.in_internet(), guest, HOST4,
                              FORWARD_PORT, options)
                bench.put(row, subject, seen.gbit_per_s, seen.cpu_s_per_gb)


def flood(bench: Bench, running: Running, guest: Guest) -> Stream:
    """Datagrams as fast as the guest can send them; what arrives counts."""
    with subprocess.Popen(
            [*Lab.in_internet(), bench.load, "sink", INTERNET4, str(SINK_PORT),
             str(bench.seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sink, ended(sink):
        read_line(sink, "sink", DEADLINE_S)
        cpu_s, began = running.cpu_s(), time.monotonic()
        bench.run_load(guest.enter(), "flood", INTERNET4, SINK_PORT, FLOOD_BYTES,
                       bench.seconds)
        cpu_s, took_s = running.cpu_s() - cpu_s, time.monotonic() - began
        gbit_per_s = float(read_line(sink, "sink", DEADLINE_S))
    # The flood outlasts the sink, at the same rate.
    n_bytes = gbit_per_s / 8 * 1e9 * took_s
    return Stream(gbit_per_s, cpu_s / n_bytes * 1e9 if n_bytes else None)


def scene_small(bench: Bench, subject: Subject) -> None:
    with Guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
        for row, load in (("rr", "rr"), ("connect", "one-shot"), ("udp_echo", "echo")):
            if bench.wants(row):
                bench.put(row, subject, bench.run_load(
                    guest.enter(), load, INTERNET4, SERVE_PORT, bench.seconds))
        if bench.wants("udp_flood"):
            seen = flood(bench, running, guest)
            bench.put("udp_flood", subject, seen.gbit_per_s, seen.cpu_s_per_gb)


@contextlib.contextmanager
def held(bench: Bench, guest: Guest, count: int) -> Iterator[None]:
    """That many idle connections through the subject within the block."""
    with guest.start(bench.load, "hold", INTERNET4, str(SERVE_PORT), str(count),
                     str(HOLD_LIMIT_S), stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE) as process, ended(process):
        n_open = int(read_line(process, "hold", HOLD_LIMIT_S + DEADLINE_S))
        if n_open < count:
            raise NotReached(f"{n_open:,} of {count:,} connections after {HOLD_LIMIT_S} s")
        yield


def scene_idle(bench: Bench, subject: Subject, count: int) -> None:
    wants = Wants(many_files=count > IDLE_COUNTS[0])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + SPARE_FILES:
        raise NotReached(f"RLIMIT_NOFILE is at most {hard} here")
    row = f"idle_{count}"
    with Guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        alone = stream(bench, running, guest.enter()) if bench.wants(f"{row}_kept") else None
        with held(bench, guest, count):
            bench.put(f"{row}_pss", subject, running.pss_mb())
            if bench.wants(f"{row}_stream") or alone:
                beside = stream(bench, running, guest.enter())
                bench.put(f"{row}_stream", subject, beside.gbit_per_s, beside.cpu_s_per_gb)
                if alone:
                    bench.put(f"{row}_kept", subject, beside.gbit_per_s / alone.gbit_per_s)
            if bench.wants(f"{row}_rr"):
                bench.put(f"{row}_rr", subject, bench.run_load(
                    guest.enter(), "rr", INTERNET4, SERVE_PORT, bench.seconds))


def scene_ready(bench: Bench, subject: Subject) -> None:
    times = []
    for _ in range(bench.starts):
        with Guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
            times.append(running.ready_s * 1000)
            pss_mb = running.pss_mb()
    for time_ms in times:
        bench.put("ready", subject, time_ms)
    bench.put("pss", subject, pss_mb)


@contextlib.contextmanager
def requests(bench: Bench, path: str) -> Iterator[None]:
    """A client that asks at a steady rate, for as long as a stream takes."""
    seconds = bench.seconds + bench.warm_up_s
    with ordinary():
        client = subprocess.Popen(
            [bench.load, "api", path, LIST_REQUEST, str(seconds),
             str(API_REQUESTS_PER_S), "1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with client, ended(client):
        yield
        rate = float(read_line(client, "api client", DEADLINE_S))
    if rate < RATE_REACHED_MIN * API_REQUESTS_PER_S:
        raise NotReached(f"{rate:.0f} of {API_REQUESTS_PER_S} requests/s beside a stream")


def scene_api(bench: Bench, subject: Subject) -> None:
    wants = Wants(api=True)
    with Guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        for row, n_clients in (("api_rate", 1), ("api_rate_many", API_CLIENTS)):
            if bench.wants(row):
                with ordinary():
                    rate = bench.run_load([], "api", running.api_path, LIST_REQUEST,
                                          bench.seconds, 0, n_clients)
                bench.put(row, subject, rate)
        if bench.wants("api_kept"):
            without, beside = 0.0, 0.0
            # In this order a machine that gets steadily faster or slower cancels out.
            for asks in (False, True, True, False):
                with requests(bench, running.api_path) if asks else contextlib.nullcontext():
                    speed = stream(bench, running, guest.enter()).gbit_per_s
                if asks:
                    beside += speed
                else:
                    without += speed
            bench.put("api_kept", subject, beside / without)


SCENES: dict[str, Callable[[Bench, Subject], None]] = {
    "ready": scene_ready,
    **{f"tcp_{mtu}": lambda bench, subject, mtu=mtu: scene_tcp(bench, subject, mtu)
       for mtu in MTUS},
    "forward": scene_forward,
    "small": scene_small,
    **{f"idle_{count}": lambda bench, subject, count=count: scene_idle(bench, subject, count)
       for count in IDLE_COUNTS},
    "api": scene_api,
}
assert {row.scene for row in ROWS} == SCENES.keys()
