# SPDX-License-Identifier: BSD-2-Clause
"""A program on a terminal of some size, as a person has it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterable, Mapping

from waiting import DEADLINE_S


class OnTerminal:
    """A running program whose standard streams are a terminal. Leaving kills what is left."""

    def __init__(self, argv: Iterable[object], columns: int = 80, rows: int = 24,
                 env: Mapping[str, str] | None = None) -> None:
        self.shown = b""
        self.master, self._slave = pty.openpty()
        self.resize(columns, rows)
        self.modes_before = termios.tcgetattr(self.master)
        self.process = subprocess.Popen(
            [str(word) for word in argv], stdin=self._slave, stdout=self._slave,
            stderr=self._slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self) -> OnTerminal:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self._slave)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def has_room(self) -> bool:
        """Whether the terminal takes more bytes of the program. It is full if nobody reads them."""
        return bool(select.select([], [self._slave], [], 0)[1])

    def _read_some(self, wait_s: float) -> None:
        if select.select([self.master], [], [], wait_s)[0]:
            self.shown += os.read(self.master, 65536)

    def wait_shown(self, text: bytes) -> None:
        """Waits until the text is shown, and forgets it and all before it."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.shown:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} is not in {self.shown!r}"
            self._read_some(min(left, 0.1))
        self.shown = self.shown.partition(text)[2]

    def wait_end(self) -> int:
        """Reads until the program has ended; returns its status."""
        deadline = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still runs, shows {self.shown!r}"
            self._read_some(0.05)
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 65536)
        return self.process.returncode

    def modes(self) -> list:
        return termios.tcgetattr(self.master)


def shown_on_terminal(argv: Iterable[object], columns: int = 80,
                      env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Runs a program to its end; returns its status and all that it has shown."""
    with OnTerminal(argv, columns, env=env) as program:
        status = program.wait_end()
        return status, program.shown.decode().replace("\r\n", "\n")
