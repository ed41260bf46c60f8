#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A bad wire between two namespaces: it loses, doubles, reorders, delays and limits frames.

Two TAPs are joined by a program, which is this file. The kernel's own (sch_netem) is missing on
some machines. The seed is printed; a wire with the same seed does the same to the same frames.

Frames are plain: the kernel cuts segments before it gives them to a TAP without offloads, so that
single segments are lost.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import json
import os
import random
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from types import TracebackType

# A reordered frame does not wait longer than this if no other frame comes.
REORDER_MAX_S = 0.02
# The kernel drops frames for a TAP that is not read in time. A window of 8 MiB fits.
TAP_QUEUE_FRAMES = 8000
READ_MAX = 64
FRAME_MAX = 65550


# "reordered" frames were held back; "overtaken" are all that come out behind a later one.
COUNTS = ("taken", "lost", "doubled", "reordered", "overtaken", "overflowed")


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What happens to frames of one direction. The defaults change nothing."""

    loss: float = 0  # of each frame: a probability, like the next two
    duplicate: float = 0
    reorder: float = 0
    # A reordered frame waits until as many frames have passed it. TCP takes three segments that overtook
    # one as the sign of a loss.
    reorder_gap: int = 3
    delay_ms: float = 0
    jitter_ms: float = 0  # at most this much is added to the delay; frames overtake each other
    rate_mbit: float = 0  # 0: no limit
    queue_frames: int = 100  # that wait for the rate; others are dropped


class Direction:
    """The frames that are under way in one direction. Times are seconds."""

    def __init__(self, conditions: Conditions, seed: int) -> None:
        self.conditions = conditions
        self.counts = dict.fromkeys(COUNTS, 0)
        self._random = random.Random(seed)
        # when due, how many entries came before it, which of the frames taken it is, frame
        self._under_way: list[tuple[float, int, int, bytes]] = []
        self._line: deque[float] = deque()  # when each waiting frame has left, at the rate
        self._held: list[list] = []  # reordered: frames that still have to pass, until when, which, frame
        self._n = self._newest_given = 0

    def take(self, frame: bytes, now: float) -> None:
        """A frame comes in at one end."""
        self.counts["taken"] += 1
        if self._happens("lost", self.conditions.loss):
            return
        copies = 2 if self._happens("doubled", self.conditions.duplicate) else 1
        for _ in range(copies):
            due = self._due(len(frame), now)
            if due is None:
                self.counts["overflowed"] += 1
            elif self._happens("reordered", self.conditions.reorder):
                self._held.append([self.conditions.reorder_gap, due + REORDER_MAX_S, self.counts["taken"], frame])
            else:
                self._send(self.counts["taken"], frame, due)
                self._pass_held(due)

    def give(self, now: float) -> list[bytes]:
        """The frames that come out at the other end."""
        for held in [held for held in self._held if held[1] <= now]:
            self._held.remove(held)
            self._send(*held[2:], held[1])
        frames = []
        while self._under_way and self._under_way[0][0] <= now:
            *_, number, frame = heapq.heappop(self._under_way)
            self.counts["overtaken"] += number < self._newest_given
            self._newest_given = max(self._newest_given, number)
            frames.append(frame)
        return frames

    def next_s(self) -> float | None:
        """When give() has something to do, if it has."""
        times = [held[1] for held in self._held] + [entry[0] for entry in self._under_way[:1]]
        return min(times, default=None)

    def _happens(self, what: str, probability: float) -> bool:
        happens = self._random.random() < probability
        self.counts[what] += happens
        return happens

    def _due(self, n_bytes: int, now: float) -> float | None:
        due = now
        if self.conditions.rate_mbit:
            while self._line and self._line[0] <= now:
                self._line.popleft()
            if len(self._line) >= self.conditions.queue_frames:
                return None
            begin = self._line[-1] if self._line else now
            due = begin + n_bytes * 8 / (self.conditions.rate_mbit * 1e6)
            self._line.append(due)
        jitter_ms = self.conditions.jitter_ms * self._random.random()
        return due + (self.conditions.delay_ms + jitter_ms) / 1000

    def _send(self, number: int, frame: bytes, due: float) -> None:
        self._n += 1
        heapq.heappush(self._under_way, (due, self._n, number, frame))

    def _pass_held(self, due: float) -> None:
        for held in self._held:
            held[0] -= 1
        for held in [held for held in self._held if held[0] == 0]:
            self._held.remove(held)
            self._send(*held[2:], due)


class Wire:
    """A TAP in each of two namespaces, as (path of the namespace, name), and the program.

    The interfaces are there until the end of the `with` block; addresses are the caller's.
    """

    def __init__(self, one: tuple[str, str], two: tuple[str, str], *,
                 to_one: Conditions = Conditions(), to_two: Conditions = Conditions(),
                 seed: int | None = None) -> None:
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.counts: dict[str, dict[str, int]] = {}  # of to_one and to_two, after end()
        self._ends = (one, two)
        self._conditions = (to_one, to_two)
        self._process: subprocess.Popen[str]

    def __enter__(self) -> Wire:
        from commands import sh
        from netns import make_tap

        print(f"wire: seed {self.seed}")
        with contextlib.ExitStack() as undo:
            fds = []
            for netns, name in self._ends:
                fds.append(make_tap(netns, name))
                undo.callback(os.close, fds[-1])
                sh("nsenter", f"--net={netns}", "--", "ip", "link", "set", name,
                   "txqueuelen", str(TAP_QUEUE_FRAMES))
            self._process = subprocess.Popen(
                [sys.executable, "-B", __file__, *map(str, fds), str(self.seed),
                 *(json.dumps(dataclasses.asdict(c)) for c in self._conditions)],
                pass_fds=fds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            # It answers to a signal from now on.
            assert self._process.stdout.readline() == "ready\n", "the wire does not start"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.end()

    def end(self) -> dict[str, dict[str, int]]:
        """Lets the frames arrive that are under way, and ends. Returns what happened to frames."""
        if self._process.poll() is None:
            self._process.terminate()
            out, _ = self._process.communicate(timeout=60)
            self.counts = dict(zip(("to_one", "to_two"), json.loads(out)))
        return self.counts


def run(fds: list[int], directions: list[Direction]) -> None:
    """Carries frames until SIGTERM, and then those that are under way. directions[i] goes to fds[i]."""
    ended = False

    def end(_number: int, _frame: object) -> None:
        nonlocal ended
        ended = True

    # A signal between the look at `ended` and the wait has to end the wait.
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGTERM, end)
    print("ready", flush=True)
    with selectors.DefaultSelector() as selector:
        for fd in (*fds, wake_read):
            os.set_blocking(fd, False)
            selector.register(fd, selectors.EVENT_READ)
        while True:
            times = [at for at in (direction.next_s() for direction in directions) if at is not None]
            if ended and not times and not selector.select(0):
                return
            wait_s = max(0, min(times) - time.monotonic()) if times else None
            for key, _ in selector.select(wait_s):
                if key.fd == wake_read:
                    selector.unregister(wake_read)
                else:
                    take_some(key.fd, directions[1 - fds.index(key.fd)])
            for fd, direction in zip(fds, directions):
                for frame in direction.give(time.monotonic()):
                    with contextlib.suppress(OSError):  # the interface is down
                        os.write(fd, frame)


def take_some(fd: int, direction: Direction) -> None:
    with contextlib.suppress(BlockingIOError):
        for _ in range(READ_MAX):
            direction.take(os.read(fd, FRAME_MAX), time.monotonic())


def main() -> None:
    """wire.py FD FD SEED CONDITIONS CONDITIONS, which are objects of JSON."""
    seed = int(sys.argv[3])
    directions = [Direction(Conditions(**json.loads(text)), seed + i)
                  for i, text in enumerate(sys.argv[4:6])]
    run([int(fd) for fd in sys.argv[1:3]], directions)
    print(json.dumps([direction.counts for direction in directions]))


if __name__ == "__main__":
    main()
