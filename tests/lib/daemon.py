# SPDX-License-Identifier: BSD-2-Clause
"""slirpd, as a test runs it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from commands import ORDINARY
from limits import nofile_soft_1024
from processes import all_pids, comm_of, descendants, program_of
from tree import slirpd_path
from waiting import DEADLINE_S, read_to_eof, wait_for

# At the end of the line on a child that did not end in order when it was to end.
ABNORMAL_END = "; its work was done\n"


class Slirpd:
    """A running daemon: slirpd, or a program with its command line. Entering waits for ready;
    leaving ends it and checks what is left, and that it ended with status 0, unless the test has
    asked for the status. abnormal: a child of it does not end in order, because the test ends it."""

    def __init__(self, *argv: object, ready: bool = True, exit_fd: bool = False,
                 pass_fds: tuple[int, ...] = (), stderr: int | None = None,
                 prefix: Iterable[str] = (), as_ordinary: bool = True,
                 program: str | None = None, abnormal: bool = False) -> None:
        self.argv = [str(word) for word in argv]
        self.program = program or slirpd_path()
        self.prefix = [*(ORDINARY if as_ordinary else []), *prefix]
        self.pass_fds = pass_fds
        self.stderr_fd = stderr
        self.ready_read = self.exit_write = -1
        self._wants = (ready, exit_fd)
        self._abnormal = abnormal
        self._status_asked = False
        self.process: subprocess.Popen[bytes]
        self._files = [tempfile.TemporaryFile() for _ in range(2)]
        self._family: set[int] = set()

    def start(self) -> Slirpd:
        """Starts the daemon without waiting for anything."""
        options, inherited = self._log_options(), []
        if self._wants[0]:
            self.ready_read, ready_write = os.pipe()
            options.append(f"--ready-fd={ready_write}")
            inherited.append(ready_write)
        if self._wants[1]:
            exit_read, self.exit_write = os.pipe()
            options.append(f"--exit-fd={exit_read}")
            inherited.append(exit_read)
        self.process = subprocess.Popen(
            [*self.prefix, self.program, *options, *self.argv],
            stdin=subprocess.DEVNULL, stdout=self._files[0],
            stderr=self._files[1] if self.stderr_fd is None else self.stderr_fd,
            pass_fds=(*inherited, *self.pass_fds), preexec_fn=nofile_soft_1024)
        for fd in inherited:
            os.close(fd)
        return self

    def _log_options(self) -> list[str]:
        """Every line, unless the test asks for a level, or the program is another one."""
        if Path(self.program).resolve().name != "slirpd":
            return []
        return [] if any(word.startswith("--log-level") for word in self.argv) else [
            "--log-level=debug"]

    def wait_ready(self, deadline_s: float = DEADLINE_S) -> bytes:
        """What the daemon wrote on ready-fd up to end-of-file; fails when that was nothing."""
        said = read_to_eof(self.ready_read, deadline_s)
        if not said:
            self.process.wait(timeout=DEADLINE_S)
            raise AssertionError(f"slirpd ended with {self.process.returncode} before ready:\n"
                                 f"{self.stderr}")
        self._family = {self.pid, *descendants(self.pid)}
        # It hands over the TAP before it ends, and a sanitizer looks for leaks at its end. By its
        # name: near its end it has no program any more, and is there yet.
        wait_for("the netns-helper has ended",
                 lambda: "slirpd-netns" not in map(comm_of, descendants(self.pid)))
        return said

    def __enter__(self) -> Slirpd:
        self.start()
        try:
            if self._wants[0]:
                self.wait_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._family |= {self.pid, *descendants(self.pid)}
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(timeout=DEADLINE_S)
            self.wait_family_gone()
        finally:
            for pid in self._family & all_pids():
                os.kill(pid, signal.SIGKILL)
            self.process.wait()
            for fd in (self.ready_read, self.exit_write):
                if fd >= 0:
                    os.close(fd)
            if error and error[0] is not None:
                print(f"slirpd's stderr ends with:\n{self.stderr[-4000:]}")
            said = self.stderr
            for file in self._files:
                file.close()
        assert "Sanitizer" not in said, said
        if error and error[0] is not None:
            return
        assert self._abnormal or ABNORMAL_END not in said, said
        # Another program may have a status of its own.
        if not self._status_asked and Path(self.program).resolve().name == "slirpd":
            assert self.process.returncode == 0, f"status {self.process.returncode}:\n{said}"

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        return self._read(0)

    @property
    def stderr(self) -> str:
        return self._read(1)

    def _read(self, index: int) -> str:
        size = os.fstat(self._files[index].fileno()).st_size
        return os.pread(self._files[index].fileno(), size, 0).decode(errors="replace")

    def pids(self) -> list[int]:
        """The daemon and all processes below it."""
        return [self.pid, *descendants(self.pid)]

    def children(self) -> dict[str, int]:
        """Role to pid, for the processes that stay: 'slirp-worker', 'spawner', 'api'."""
        # The spawner is a process of the parent's own program.
        own = program_of(self.pid)
        below = {comm_of(pid) if program_of(pid) == own else program_of(pid): pid
                 for pid in descendants(self.pid)}
        return {name.removeprefix("slirpd-"): pid for name, pid in below.items() if name}

    def counters(self) -> dict[str, int]:
        """The worker's counters. A drop reason is called by its name, one of TCP "tcp NAME", and why
        connections ended "tcp ended NAME"; these are there if not 0."""
        def sets() -> list[str]:
            return self.stderr.split(": stats: frames_from_guest ")

        # Whatever the first question has is complete when the answer to the second begins.
        before = len(sets())
        for i in (0, 1):
            self.process.send_signal(signal.SIGUSR1)
            wait_for("slirpd prints counters", lambda i=i: len(sets()) > before + i)
        text = "stats: frames_from_guest " + sets()[before]
        found = re.findall(r"stats: (?:dropped )?((?:tcp |tcp ended )?\w+) (\d+)$", text, re.M)
        return {name: int(value) for name, value in found}

    def wait(self, deadline_s: float = DEADLINE_S) -> int:
        """The exit status, which the caller looks at, once the daemon and all that it started are
        gone."""
        self._status_asked = True
        status = self.process.wait(timeout=deadline_s)
        self.wait_family_gone()
        return status

    def wait_family_gone(self) -> None:
        wait_for(f"the processes {self._family} of slirpd are gone",
                 lambda: not self._family & all_pids())

    def terminate(self) -> int:
        self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        self._status_asked = True
        self.process.kill()
        self.process.wait(timeout=DEADLINE_S)

    def hang_up(self) -> None:
        """Closes our end of exit-fd."""
        os.close(self.exit_write)
        self.exit_write = -1


class SlirpdRun(Slirpd):
    """`slirpd run` while its command is there. The status is the command's."""

    def __init__(self, *argv: object, prefix: Iterable[str] = (), slirpd: str | None = None,
                 **kwargs: Any) -> None:
        # The word comes before all options.
        super().__init__(*argv, prefix=[*prefix, slirpd or slirpd_path()], program="run", **kwargs)

    def command(self) -> int:
        """The command's PID, 0 before it runs."""
        own = program_of(self.pid)
        for pid in descendants(self.pid):
            if program_of(pid) != own and not comm_of(pid).startswith("slirpd-"):
                return pid
        return 0

    def wait_command(self, program: str) -> int:
        """Waits until the command is this program, and returns its PID."""
        wait_for(f"{program} runs", lambda: program_of(self.command()) == program)
        return self.command()

    def wait_said(self, text: str) -> None:
        wait_for(f"the command says {text}", lambda: text in self.stdout)


def run_slirpd(*argv: object, prefix: Iterable[str] = (), pass_fds: tuple[int, ...] = (),
               **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Runs slirpd as an ordinary user where it is expected to end by itself."""
    return subprocess.run([*ORDINARY, *prefix, slirpd_path(), *map(str, argv)], text=True,
                          capture_output=True, timeout=DEADLINE_S, pass_fds=pass_fds,
                          stdin=subprocess.DEVNULL, **kwargs)
