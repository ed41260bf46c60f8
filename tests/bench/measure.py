# SPDX-License-Identifier: BSD-2-Clause
"""The tools that the scenes measure with: one run's settings, and the loads."""

from __future__ import annotations

import contextlib
import json
import resource
import select
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

# subjects.py has made these reachable.
from guest import Guest
from lab import INTERNET4, IPERF_PORT, Lab
from servers import listens
from waiting import wait_for
from rows import API_REQUESTS_PER_S
from stats import Results
from subjects import DEADLINE_S, NotReached, Problem, Running, Subject, ended, ordinary

# bench_load serves on this and some more (LOAD_N_TCP_PORTS).
SERVE_PORT = 7100
SINK_PORT = 7200
FLOOD_BYTES = 1400
# Not in the rate: TCP's slow start, and the first touch of buffers. A --quick run, whose rates
# are not looked at, does without.
WARM_UP_S = 1
# iperf3 counts whole seconds. A shorter transfer has this many bytes instead: less than a second
# of the slowest subject here.
BRIEF_BYTES = 8_000_000
# A client that means to send at a rate, and is held up by more than this, does not.
RATE_REACHED_MIN = 0.9
LIST_REQUEST = json.dumps({"execute": "list_hostfwd"})

WAY_OPTIONS = {"out": (), "in": ("--reverse",)}


@dataclass(frozen=True)
class Stream:
    """What the receiving end saw of one TCP stream, or of several at once, and what it cost."""

    gbit_per_s: float
    cpu_s_per_gb: float | None
    # With the time of client and server.
    all_cpu_s_per_gb: float | None = None
    # The slowest stream's share of the fastest one's rate.
    evenness: float = 1.0


@dataclass
class Bench:
    """One run: how long, which rows, and where its values go."""

    load: str
    seconds: float
    starts: int
    # Connections are opened one after the other; a subject that looks each frame's up in a list
    # gets slower with each.
    hold_limit_s: int
    wanted_rows: set[str]
    results: Results
    round_number: int = 0
    # What the latest scene found, by row, for the line of progress.
    found: dict[str, list[float]] = field(default_factory=dict)

    @property
    def warm_up_s(self) -> int:
        return WARM_UP_S if self.seconds > WARM_UP_S else 0

    def wants(self, *rows: str) -> bool:
        """Whether one of them is wanted."""
        return not self.wanted_rows.isdisjoint(rows)

    def put(self, row: str, subject: Subject, value: float,
            cpu_s_per_gb: float | None = None, all_cpu_s_per_gb: float | None = None) -> None:
        if self.wants(row):
            self.results.add(row, subject.name, self.round_number, value, cpu_s_per_gb,
                             all_cpu_s_per_gb)
            self.found.setdefault(row, []).append(value)

    def put_stream(self, row: str, subject: Subject, seen: Stream) -> None:
        self.put(row, subject, seen.gbit_per_s, seen.cpu_s_per_gb, seen.all_cpu_s_per_gb)

    def put_kept(self, row: str, subject: Subject, beside: float, without: float) -> None:
        if without:
            self.put(row, subject, beside / without)

    def run_load(self, prefix: list[str], *argv: object) -> float:
        """Runs a load to its end; the number that it prints."""
        done = subprocess.run([*prefix, self.load, *map(str, argv)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False,
                              timeout=self.seconds + DEADLINE_S)
        if done.returncode:
            raise Problem(f"{argv[0]}: {done.stderr.strip()}")
        return float(done.stdout)


class Meter:
    """The time that a subject, and the loads that have ended, spend from now on."""

    def __init__(self, running: Running | None) -> None:
        self._running = running if running and running.process else None
        self._loads_s = self._loads()
        self._subject_s = self._running.cpu_s() if self._running else 0.0

    @staticmethod
    def _loads() -> float:
        ended_ones = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended_ones.ru_utime + ended_ones.ru_stime

    def stop(self) -> None:
        """While the subject serves still, and idles."""
        self._subject_s = (self._running.cpu_s() - self._subject_s) if self._running else 0.0

    def stream(self, gbit_per_s: float, n_bytes: float, evenness: float = 1.0) -> Stream:
        """To be called after stop(), and when all loads have ended."""
        gb = n_bytes / 1e9
        all_s = self._subject_s + self._loads() - self._loads_s
        return Stream(gbit_per_s, self._subject_s / gb if self._running and gb else None,
                      all_s / gb if gb else None, evenness)


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


def evenness_of(streams: list[dict]) -> float:
    """The least of the streams' rates at the receiver, as part of the greatest."""
    rates = [stream["receiver"]["bits_per_second"] for stream in streams]
    return min(rates) / max(rates) if max(rates) else 0.0


def stream(bench: Bench, running: Running | None, prefix: list[str],
           server: Guest | None = None, address: str = INTERNET4, port: int = IPERF_PORT,
           options: tuple[str, ...] = (), seconds: float | None = None) -> Stream:
    """The rate that the receiving end counted, and what the transfer cost for each 10^9 bytes.
    `seconds` is for a transfer that needs another time than all others."""
    seconds = bench.seconds if seconds is None else seconds
    length = (["--time", str(int(seconds)), "--omit", str(bench.warm_up_s)] if seconds >= 1
              else ["--bytes", str(BRIEF_BYTES)])
    meter = Meter(running)
    with iperf3_server(server, port):
        done = subprocess.run(
            [*prefix, "iperf3", "--client", address, "--port", str(port), "--json", *length,
             "--connect-timeout", "5000", *options],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=seconds + bench.warm_up_s + DEADLINE_S)
        meter.stop()
    answer = json.loads(done.stdout)
    if "error" in answer:
        raise Problem(f"iperf3: {answer['error']}")
    # The warm-up is in the intervals, as it is in the time.
    n_bytes = sum(interval["sum"]["bytes"] for interval in answer["intervals"])
    return meter.stream(answer["end"]["sum_received"]["bits_per_second"] / 1e9, n_bytes,
                        evenness_of(answer["end"]["streams"]))


def read_line(process: subprocess.Popen[bytes], what: str, deadline_s: float) -> str:
    """The next line that a process prints."""
    if not select.select([process.stdout], [], [], deadline_s)[0]:
        raise Problem(f"{what}: silent for {deadline_s:g} s")
    line = process.stdout.readline().decode()
    if not line:
        raise Problem(f"{what}: ended without a word")
    return line.strip()


@contextlib.contextmanager
def waiting_load(*argv: object) -> Iterator[subprocess.Popen[bytes]]:
    """A load on the internet's side that has said that it is ready."""
    with subprocess.Popen([*Lab.in_internet(), *map(str, argv)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as process, ended(process):
        read_line(process, str(argv[1]), DEADLINE_S)
        yield process


def flood_out(bench: Bench, running: Running, guest: Guest) -> Stream:
    """Datagrams as fast as the guest can send them; what arrives counts."""
    meter = Meter(running)
    with waiting_load(bench.load, "sink", INTERNET4, SINK_PORT, bench.seconds) as sink:
        began = time.monotonic()
        bench.run_load(guest.enter(), "flood", INTERNET4, SINK_PORT, FLOOD_BYTES, bench.seconds)
        meter.stop()
        took_s = time.monotonic() - began
        gbit_per_s = float(read_line(sink, "sink", DEADLINE_S))
    # The flood outlasts the sink, at the same rate.
    return meter.stream(gbit_per_s, gbit_per_s / 8 * 1e9 * took_s)


def flood_in(bench: Bench, running: Running, guest: Guest) -> Stream:
    """The same, sent by the internet to a socket of the guest that asked for it."""
    meter = Meter(running)
    with waiting_load(bench.load, "pour", INTERNET4, SINK_PORT, FLOOD_BYTES, bench.seconds):
        gbit_per_s = bench.run_load(guest.enter(), "draw", INTERNET4, SINK_PORT, bench.seconds)
        meter.stop()
    return meter.stream(gbit_per_s, gbit_per_s / 8 * 1e9 * bench.seconds)


@contextlib.contextmanager
def held(bench: Bench, guest: Guest, count: int) -> Iterator[None]:
    """That many idle connections through the subject within the block."""
    with guest.start(bench.load, "hold", INTERNET4, str(SERVE_PORT), str(count),
                     str(bench.hold_limit_s), stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE) as process, ended(process):
        n_open = int(read_line(process, "hold", bench.hold_limit_s + DEADLINE_S))
        if n_open < count:
            raise NotReached(f"{n_open:,} of {count:,} connections after {bench.hold_limit_s} s")
        yield


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
