# SPDX-License-Identifier: BSD-2-Clause
"""The scenes: each starts one subject for a fresh guest and takes the figures of its rows."""

from __future__ import annotations

import contextlib
import itertools
import math
import resource
import subprocess
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

# subjects.py has made these reachable.
from commands import sh
from lab import HOST4, INTERNET4, Lab
from servers import listens
from waiting import wait_for
from measure import (
    LIST_REQUEST, SERVE_PORT, WAY_OPTIONS, Bench, flood_in, flood_out, held, requests, stream)
from paths import container, losses
from rows import (
    CLIENTS, CONTAINER_MTUS, IDLE_COUNTS, MTUS, N_STREAMS, N_UDP_PORTS, PLAIN_MTU, POLICY_NAMES,
    POLICY_PREFIXES, POLICY_RULES)
from subjects import NotReached, Problem, Running, Subject, Wants, api_request, ended, ordinary

FORWARD_PORT = 5202
# Beside the lab's own, which has few names.
NAME_SERVER = "203.0.113.53"
GUEST_NAMESERVER = "10.0.2.3"
DNS_PORT = 53
# Descriptors that a subject needs beside its connections, with room to spare.
SPARE_FILES = 100
# Also in a --quick run: so that frames enough pass for one of them to be lost, and that iperf3
# has begun all streams.
WHOLE_S_MIN = 1


def scene_tcp(bench: Bench, subject: Subject, mtu: int) -> None:
    with subject.guest() as guest, subject.serving(guest.pid, mtu) as running:
        for way, options in WAY_OPTIONS.items():
            if bench.wants(f"tcp_{way}_{mtu}"):
                bench.put_stream(f"tcp_{way}_{mtu}", subject,
                                 stream(bench, running, guest.enter(), options=options))


def scene_container(bench: Bench, subject: Subject, mtu: int) -> None:
    ways = {way: options for way, options in WAY_OPTIONS.items()
            if bench.wants(f"container_{way}_{mtu}", f"container_{way}_{mtu}_kept")}
    with subject.guest() as guest, subject.serving(guest.pid, mtu) as running:
        # Before the container: the guest's NAT would be on this way as well.
        direct = {way: stream(bench, running, guest.enter(), options=options).gbit_per_s
                  for way, options in ways.items()}
        with container(guest, mtu) as inside:
            for way, options in ways.items():
                row = f"container_{way}_{mtu}"
                seen = stream(bench, running, inside, options=options)
                bench.put_stream(row, subject, seen)
                bench.put_kept(f"{row}_kept", subject, seen.gbit_per_s, direct[way])


def scene_lossy(bench: Bench, subject: Subject) -> None:
    seconds = max(bench.seconds, WHOLE_S_MIN)
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
        for way, options in WAY_OPTIONS.items():
            row = f"lossy_{way}"
            if bench.wants(row, f"{row}_kept"):
                lossless = stream(bench, running, guest.enter(), options=options, seconds=seconds)
                with losses(guest, way):
                    seen = stream(bench, running, guest.enter(), options=options, seconds=seconds)
                bench.put_stream(row, subject, seen)
                bench.put_kept(f"{row}_kept", subject, seen.gbit_per_s, lossless.gbit_per_s)


def scene_streams(bench: Bench, subject: Subject) -> None:
    seconds = max(bench.seconds, WHOLE_S_MIN)
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
        for way, options in WAY_OPTIONS.items():
            row = f"streams_{way}"
            if not bench.wants(row, f"{row}_kept", f"{row}_even"):
                continue
            one = stream(bench, running, guest.enter(), options=options, seconds=seconds)
            seen = stream(bench, running, guest.enter(), seconds=seconds,
                          options=(*options, "--parallel", str(N_STREAMS)))
            bench.put_stream(row, subject, seen)
            bench.put_kept(f"{row}_kept", subject, seen.gbit_per_s, one.gbit_per_s)
            bench.put(f"{row}_even", subject, seen.evenness)


def scene_forward(bench: Bench, subject: Subject) -> None:
    wants = Wants(forward_port=FORWARD_PORT)
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        # The client is outside, so what it sends by default comes in.
        for row, options in (("forward_in", ()), ("forward_out", ("--reverse",))):
            if bench.wants(row):
                bench.put_stream(row, subject, stream(
                    bench, running, Lab.in_internet(), guest, HOST4, FORWARD_PORT, options))


def scene_small(bench: Bench, subject: Subject) -> None:
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
        for row, load, *arguments in (("rr", "rr"), ("connect", "one-shot", 1),
                                      ("connect_many", "one-shot", CLIENTS),
                                      ("udp_echo", "echo")):
            if bench.wants(row):
                bench.put(row, subject, bench.run_load(
                    guest.enter(), load, INTERNET4, SERVE_PORT, bench.seconds, *arguments))
        for row, flood in (("udp_flood", flood_out), ("udp_flood_in", flood_in)):
            if bench.wants(row):
                bench.put_stream(row, subject, flood(bench, running, guest))


def scene_udp_ports(bench: Bench, subject: Subject) -> None:
    for _ in range(bench.starts):
        # A subject keeps a flow for minutes, and has room for a limited number of them.
        with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU):
            bench.put("udp_ports", subject, bench.run_load(
                guest.enter(), "fresh", INTERNET4, SERVE_PORT, N_UDP_PORTS))


def scene_idle(bench: Bench, subject: Subject, count: int) -> None:
    wants = Wants(many_files=count > IDLE_COUNTS[0])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + SPARE_FILES:
        raise NotReached(f"RLIMIT_NOFILE is at most {hard} here")
    row = f"idle_{count}"
    has_stream = bench.wants(f"{row}_stream", f"{row}_kept")
    has_rr = bench.wants(f"{row}_rr", f"{row}_rr_kept")

    def rr(prefix: list[str]) -> float:
        return bench.run_load(prefix, "rr", INTERNET4, SERVE_PORT, bench.seconds)

    # Without them it is another start of the subject: memory that a stream once took would be
    # there for the connections.
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        stream_alone = stream(bench, running, guest.enter()) if has_stream else None
        rr_alone = rr(guest.enter()) if has_rr else 0.0
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        pss_mb = running.pss_mb()
        with held(bench, guest, count):
            held_pss_mb = running.pss_mb()
            bench.put(f"{row}_pss", subject, held_pss_mb)
            # Of all processes, since other subjects have their own; of slirpd's the worker grows.
            bench.put(f"{row}_each", subject, (held_pss_mb - pss_mb) * 2**20 / 1e3 / count)
            if stream_alone:
                beside = stream(bench, running, guest.enter())
                bench.put_stream(f"{row}_stream", subject, beside)
                bench.put_kept(f"{row}_kept", subject, beside.gbit_per_s, stream_alone.gbit_per_s)
            if has_rr:
                rate = rr(guest.enter())
                bench.put(f"{row}_rr", subject, rate)
                bench.put_kept(f"{row}_rr_kept", subject, rate, rr_alone)


def policy_text() -> str:
    """A policy of the sizes of rows.py. Its last rule lets the loads through."""
    def sets(word: str, items: list[str]) -> Iterator[str]:
        # As many as fit into a line, and four lines make a set: it may not have more than 256.
        for line, first in enumerate(range(0, len(items), 30)):
            yield f"set {word}{line // 4} = {', '.join(items[first:first + 30])}"

    prefixes = [f"{100 + i // 65536}.{i // 256 % 256}.{i % 256}.0/24"
                for i in range(POLICY_PREFIXES - POLICY_RULES)]
    names = [f"host-{i}.example{i % 7}.test" for i in range(POLICY_NAMES)]
    lines = [*sets("p", prefixes), *sets("n", names)]
    rules = [f"{'deny' if word[0] == 'p' else 'allow'} tcp 443 to @{word}"
             for word in dict.fromkeys(line.split()[1] for line in lines)]
    rules += [f"deny udp {port} to 203.0.113.7" for port in range(1, POLICY_RULES - len(rules))]
    return "\n".join(["policy 1", *lines, *rules, f"allow to {INTERNET4}", ""])


def scene_policy(bench: Bench, subject: Subject) -> None:
    loads = {"connect": ("one-shot", 1), "echo": ("echo",)}
    without: dict[str, float] = defaultdict(float)
    beside: dict[str, float] = defaultdict(float)
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file:
        file.write(policy_text())
        file.flush()
        free, bound = Wants(), Wants(policy=file.name)
        # In this order a machine that gets steadily faster or slower cancels out.
        for wants in (free, bound, bound, free):
            rates = beside if wants.policy else without
            with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
                if wants.policy:
                    bench.put("policy_resolver", subject, running.pss_mb("slirpd-resolver"))
                for what, (load, *arguments) in loads.items():
                    if bench.wants(f"policy_{what}_kept"):
                        rates[what] += bench.run_load(
                            guest.enter(), load, INTERNET4, SERVE_PORT, bench.seconds, *arguments)
                if bench.wants("policy_stream_kept"):
                    rates["stream"] += stream(bench, running, guest.enter()).gbit_per_s
    for what, rate in beside.items():
        bench.put_kept(f"policy_{what}_kept", subject, rate, without[what])


@contextlib.contextmanager
def replaced(subject: Subject, running: Running, paths: list[str], *options: str) -> Iterator[None]:
    """The policies are loaded, one after the other, within the block."""
    slirpctl = Path(subject.program).with_name("slirpctl")
    over = threading.Event()
    failures: list[str] = []

    def load() -> None:
        for path in itertools.cycle(paths):
            done = subprocess.run([slirpctl, "-a", running.api_path, "policy", "load", *options, path],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            if done.returncode:
                failures.append(done.stderr.strip())
            if failures or over.is_set():
                return

    with ordinary():
        thread = threading.Thread(target=load)
        thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failures:
        raise Problem(f"load a policy: {failures[0]}")


def scene_policy_gap(bench: Bench, subject: Subject) -> None:
    """Compared with texts that are sent and checked alike, and not put in force. Policies are replaced
    many times in each run, so the run with the least noise shows what a replacement does."""
    text = policy_text()
    waits: dict[bool, float] = defaultdict(lambda: math.inf)
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{folder}/{name}" for name in ("one", "other")]
        for path, setting in zip(paths, ("", "refuse reset\n")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + setting)
        wants = Wants(api=True, policy=paths[0])
        with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
            for is_dry in (True, False, False, True):
                with replaced(subject, running, paths, *(["-n"] if is_dry else [])):
                    waited_ms = bench.run_load(guest.enter(), "gap", INTERNET4, SERVE_PORT, bench.seconds)
                waits[is_dry] = min(waits[is_dry], waited_ms)
            if api_request(running.api_path, {"execute": "query_policy"})["return"]["generation"] < 3:
                raise Problem("the policy was not replaced")
    bench.put("policy_gap", subject, max(0.0, waits[False] - waits[True]))


@contextlib.contextmanager
def name_server(bench: Bench) -> Iterator[None]:
    """A name server of the host that has an address for every name."""
    address = (*Lab.in_internet(), "ip", "addr")
    sh(*address, "add", f"{NAME_SERVER}/32", "dev", "lo")
    Lab.set_nameservers(NAME_SERVER)
    with subprocess.Popen([*Lab.in_internet(), bench.load, "serve-names", NAME_SERVER, str(DNS_PORT)],
                          stdin=subprocess.DEVNULL) as process, ended(process):
        wait_for("the name server listens", lambda: listens(process.pid, DNS_PORT))
        yield
    Lab.set_nameservers(INTERNET4)
    sh(*address, "del", f"{NAME_SERVER}/32", "dev", "lo")


def scene_names(bench: Bench, subject: Subject) -> None:
    rates: dict[str, float] = defaultdict(float)
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as file, name_server(bench):
        file.write("policy 1\ndns any\nallow tcp 443 to *.bench.test\n")
        file.flush()
        free, bound = Wants(), Wants(policy=file.name)
        # In this order a machine that gets steadily faster or slower cancels out.
        for wants in (free, bound, bound, free):
            asked = {"policy_names": GUEST_NAMESERVER} if wants.policy else {
                "direct": NAME_SERVER, "names": GUEST_NAMESERVER}
            with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants):
                for what, server in asked.items():
                    rates[what] += bench.run_load(guest.enter(), "names", server, DNS_PORT, bench.seconds, CLIENTS)
    for what in ("names", "policy_names"):
        bench.put_kept(f"{what}_kept", subject, rates[what], rates["direct"])


def scene_ready(bench: Bench, subject: Subject) -> None:
    times = []
    for _ in range(bench.starts):
        with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU) as running:
            times.append(running.ready_s * 1000)
            pss_mb = running.pss_mb()
    for time_ms in times:
        bench.put("ready", subject, time_ms)
    bench.put("pss", subject, pss_mb)


def scene_api(bench: Bench, subject: Subject) -> None:
    wants = Wants(api=True)
    with subject.guest() as guest, subject.serving(guest.pid, PLAIN_MTU, wants) as running:
        for row, n_clients in (("api_rate", 1), ("api_rate_many", CLIENTS)):
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
    **{f"container_{mtu}": lambda bench, subject, mtu=mtu: scene_container(bench, subject, mtu)
       for mtu in CONTAINER_MTUS},
    "lossy": scene_lossy,
    "streams": scene_streams,
    "forward": scene_forward,
    "small": scene_small,
    "udp_ports": scene_udp_ports,
    **{f"idle_{count}": lambda bench, subject, count=count: scene_idle(bench, subject, count)
       for count in IDLE_COUNTS},
    "policy": scene_policy,
    "policy_gap": scene_policy_gap,
    "names": scene_names,
    "api": scene_api,
}
