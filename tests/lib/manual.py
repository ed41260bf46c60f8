# SPDX-License-Identifier: BSD-2-Clause
"""Examples of the manual, typed into a shell as a reader would type them.

An example is a literal block. Its lines begin with the prompt of an ordinary user ($) or of uid 0
of a namespace (#), and a line without one is what the command before it prints.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from pathlib import Path

from commands import ORDINARY
from limits import nofile_soft_1024
from processes import all_pids, descendants, proc_stat, program_of
from tree import REPO, slirpd_path
from waiting import DEADLINE_S, Timeout, wait_for

# What slirpd prints when the network works, among other lines.
READY = "* Recommended IP:"

# In the examples, whatever process the guest is named by.
EXAMPLE_PID = "2345"


def section(page: str, title: str) -> str:
    """The source of a section (.Sh) or subsection (.Ss) of man/<page>."""
    text = (REPO / "man" / page).read_text()
    for macro, end in (("Sh", "Sh"), ("Ss", "S[hs]")):
        found = re.search(rf"^\.{macro} {re.escape(title)}\n(.*?)(?=^\.{end} |\Z)", text, re.M | re.S)
        if found:
            return found[1]
    raise AssertionError(f"{page} has no section {title}")


def examples(page: str, title: str) -> list[list[str]]:
    """The literal blocks of a section, each as lines of what the reader sees."""
    blocks = re.findall(r"^\.Bd -literal[^\n]*\n(.*?)^\.Ed", section(page, title), re.M | re.S)
    assert blocks, f"{page} has no example in {title}"
    return [block.replace("\\&", "").replace("\\e", "\\").splitlines() for block in blocks]


class Terminal:
    """A shell of an ordinary user, with slirpd in its PATH and /tmp in another place."""

    def __init__(self, directory: Path, prefix: tuple[str, ...] = (), **replaced: str) -> None:
        """replaced: what stands in the place of words of the examples."""
        self._directory = directory
        self._prefix = prefix
        self._replaced = replaced
        self._n_marks = 0
        self._typed_line = ""
        self.output = ""
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Terminal:
        path = f"{Path(slirpd_path()).resolve().parent}:{os.environ['PATH']}"
        # unshare's shell is a login shell, and the system's profile has a PATH of its own.
        (self._directory / ".bash_profile").write_text(f"PATH={path}\n")
        self.process = subprocess.Popen(
            [*self._prefix, *ORDINARY, "bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=self._directory, preexec_fn=nofile_soft_1024,
            env={**os.environ, "PATH": path, "SHELL": "/bin/bash", "HOME": str(self._directory)})
        return self

    def __exit__(self, *error: object) -> None:
        """What was started from here ends in order; a shell that waits for it goes on."""
        if error and error[0] is not None:
            print(f"the terminal shows:\n{self.output[-4000:]}")
        try:
            wait_for("all that the shells have started has ended", self._end_programs)
        finally:
            self.process.stdin.close()
            for pid in descendants(self.process.pid):
                wait_for(f"the shell {pid} has ended with its input",
                         lambda pid=pid: pid not in all_pids())
            self.process.wait(timeout=DEADLINE_S)
            self.process.stdout.close()

    def _end_programs(self) -> bool:
        """Asks what shells have started to end; true when nothing is left."""
        below = descendants(self.process.pid)
        shells = {pid for pid in below if program_of(pid) == "bash"} | {self.process.pid}
        programs = set(below) - shells
        for pid in programs:
            stat = proc_stat(pid)
            if stat and int(stat[1]) in shells:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        return not programs

    def replaced(self, text: str) -> str:
        for word, other in self._replaced.items():
            text = text.replace(word, other)
        return text.replace("/tmp/", f"{self._directory}/")

    def replace(self, word: str, other: str) -> None:
        self._replaced[word] = other

    def _write(self, line: str) -> None:
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def read_until(self, wanted: str, since: int) -> str:
        """What is printed from a place of the output on, up to and with the wanted text."""
        end = time.monotonic() + DEADLINE_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while wanted not in self.output[since:]:
                if not selector.select(max(0, end - time.monotonic())):
                    raise Timeout(f"{self._typed_line}: no {wanted!r} in {self.output[since:]!r}")
                piece = os.read(self.process.stdout.fileno(), 65536)
                assert piece, f"{self._typed_line}: the shell has ended: {self.output[since:]!r}"
                self.output += piece.decode(errors="replace")
        return self.output[since:self.output.index(wanted, since) + len(wanted)]

    def type(self, line: str, prompt: str = "") -> str:
        """Types a command and returns what it has printed; fails when it does, or when the shell
        is not the one of that prompt. A slirpd is waited for until its network works, unless it ends by itself."""
        self._typed_line = self.replaced(line)
        since = len(self.output)
        self._write(self._typed_line)
        runs_slirpd = re.match(r"\S*slirpd (?!run |--print-confinement).*-", line) is not None
        if runs_slirpd:
            self.read_until(READY, since)
            if not line.endswith("&"):
                return self.output[since:]
        self._n_marks += 1
        mark = f"-- mark {self._n_marks}:"
        # In two pieces, so that an echo of the command would not be taken for it.
        self._write(f'echo "-- mark" "{self._n_marks}: $? $UID end"')
        said = self.read_until(mark, since)
        status, uid = self.read_until(" end\n", since + len(said) - len(mark))[len(mark):].split()[:2]
        said = said[:-len(mark)]
        assert status == "0", f"{self._typed_line}: exit {status}: {said}"
        if prompt:
            assert (uid == "0") == (prompt == "#"), f"{self._typed_line}: uid {uid} and prompt {prompt}"
        return said

    def follow(self, example: list[str]) -> list[str]:
        """Types all commands of an example; what they print has to be what it shows, and the
        PID that it shows is found out. Returns the output of each."""
        outputs: list[str] = []
        last = ""
        lines = iter(example)
        for line in lines:
            if line[:2] in ("$ ", "# "):
                while line.endswith("\\"):
                    line += "\n" + next(lines)
                # A shell of unshare's has another prompt than the one that started it.
                starts_shell = re.fullmatch(r"unshare( --\S+)+", line[2:]) is not None
                last = self.type(line[2:], "" if starts_shell else line[0])
                outputs.append(last)
            elif line == EXAMPLE_PID:
                self.replace(EXAMPLE_PID, last.strip())
            else:
                assert line in last, f"{self._typed_line}: {line!r} is not in {last!r}"
        return outputs
