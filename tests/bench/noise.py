# SPDX-License-Identifier: BSD-2-Clause
"""How steady the machine was, and which machine it is."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import statistics
import threading
import time
from pathlib import Path
from typing import Any

# Work of one thread in one calibration: some 50 ms on a machine that has an instruction for
# SHA-256, half a second on one that has not.
BLOCK_BYTES = 1 << 20
N_BLOCKS = 64

# A quiet machine is better than these by far. Figures of a worse one are not to be quoted.
SPREAD_MAX = 0.15
SHARE_MIN = 0.90
STEAL_MAX = 0.01

N_CPUS = len(os.sched_getaffinity(0))


def _hash() -> None:
    block = bytes(BLOCK_BYTES)
    digest = hashlib.sha256()
    for _ in range(N_BLOCKS):
        digest.update(block)


def _calibrate() -> tuple[float, float]:
    """The same work on all processors at once: MB/s, and the share of them that we got."""
    threads = [threading.Thread(target=_hash) for _ in range(N_CPUS)]
    wall, cpu = time.monotonic(), time.process_time()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    return N_CPUS * N_BLOCKS * BLOCK_BYTES / 1e6 / wall, cpu / wall / N_CPUS


def _cpu_times() -> list[int]:
    """user nice system idle iowait irq softirq steal, of all processors together."""
    first = Path("/proc/stat").read_text().splitlines()[0]
    return [int(word) for word in first.split()[1:9]]


def _load() -> float:
    return float(Path("/proc/loadavg").read_text().split()[0])


class Noise:
    """Watches the machine from when it is made until report()."""

    def __init__(self) -> None:
        self._speeds: list[float] = []
        self._shares: list[float] = []
        self._veth: list[float] = []
        self._times = _cpu_times()
        self._load = _load()
        self.calibrate()

    def calibrate(self) -> None:
        """A tenth of a second or so; to be called while nothing is measured."""
        speed, share = _calibrate()
        self._speeds.append(speed)
        self._shares.append(share)

    def add_veth(self, gbit_per_s: float) -> None:
        """What the network of the benchmark carries without any subject."""
        self._veth.append(gbit_per_s)

    def report(self) -> dict[str, Any]:
        times = [now - then for now, then in zip(_cpu_times(), self._times)]
        return judge({
            "n_calibrations": len(self._speeds),
            "speed_spread": spread(self._speeds),
            "cpu_share": statistics.median(self._shares),
            "cpu_share_min": min(self._shares),
            "steal": times[7] / max(1, sum(times)),
            "load_average_before": self._load,
            "load_average_after": _load(),
            "veth_gbit_per_s": statistics.median(self._veth) if self._veth else None,
            "veth_spread": spread(self._veth) if self._veth else None,
        })


def spread(values: list[float]) -> float:
    """How far the values lie apart, as part of the median; of many values the outermost tenth
    at each end does not count."""
    ordered = sorted(values)
    tenth = len(ordered) // 10
    return (ordered[-1 - tenth] - ordered[tenth]) / statistics.median(ordered)


def judge(report: dict[str, Any]) -> dict[str, Any]:
    """Adds `reasons` why the figures are not to be quoted; none on a quiet machine."""
    reasons = []
    if report["speed_spread"] > SPREAD_MAX:
        reasons.append(f"its speed varied by {report['speed_spread']:.0%}")
    if report["cpu_share"] < SHARE_MIN:
        reasons.append(f"others left {report['cpu_share']:.0%} of its processors")
    if report["steal"] > STEAL_MAX:
        reasons.append(f"its host took {report['steal']:.1%} of the time")
    return {**report, "reasons": reasons}


def machine() -> dict[str, Any]:
    """What the figures belong to."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    # Only some architectures name the model there.
    model = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", cpuinfo, re.M)
    return {"cpu": model.group(1).strip() if model else platform.machine(),
            "n_cpus": N_CPUS, "kernel": platform.release(),
            "architecture": platform.machine(), "date": time.strftime("%Y-%m-%d", time.gmtime())}
