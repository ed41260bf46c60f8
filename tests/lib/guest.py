# SPDX-License-Identifier: BSD-2-Clause
"""Guests: the namespaces that slirpd gives a network to."""

from __future__ import annotations

import errno
import socket
import subprocess
from typing import Any

from commands import ORDINARY
from limits import nofile_soft_1024
from netns import family_of, socket_in
from waiting import wait_for


# Nobody's account, as in outer-ns.
ORDINARY_ID = 61111
AS_ORDINARY_ID = ["setpriv", f"--reuid={ORDINARY_ID}", f"--regid={ORDINARY_ID}",
                  "--clear-groups", "--inh-caps=-all", "--"]


class Guest:
    """A user and network namespace that an ordinary user made, with a process to name it by."""

    def __init__(self, *, as_root: bool = True) -> None:
        self._argv = [*ORDINARY, "unshare", "--user", "--net"]
        self._argv += ["--map-root-user"] if as_root else []
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Guest:
        # `cat` ends when its stdin is closed, also when the test is killed. That it echoes
        # proves that unshare and exec are behind it.
        self.process = subprocess.Popen(
            [*self._argv, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=nofile_soft_1024)
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        if self.process.stdout.read(1) != b"\n":
            self.process.wait()
            raise OSError(errno.ENOSPC, "unshare failed")
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def netns(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    @property
    def userns(self) -> str:
        return f"/proc/{self.pid}/ns/user"

    def end(self) -> None:
        """Ends the process that the namespace is named by."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def enter(self) -> list[str]:
        """The command prefix that runs a program in the guest."""
        return ["nsenter", "--preserve-credentials", "-U", "-n", "-t", str(self.pid), "--"]

    def run(self, *argv: str, check: bool = True, timeout_s: float = 60,
            **kwargs: Any) -> subprocess.CompletedProcess[str]:
        """Runs a program in the guest to its end and returns it with its output."""
        done = subprocess.run([*self.enter(), *argv], text=True, capture_output=True,
                              timeout=timeout_s, **kwargs)
        if check and done.returncode != 0:
            raise AssertionError(f"in the guest: {' '.join(argv)}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def start(self, *argv: str, **kwargs: Any) -> subprocess.Popen[bytes]:
        """Starts a program in the guest; the caller ends it."""
        return subprocess.Popen([*self.enter(), *argv], **kwargs)

    def open_socket(self, *args: int) -> socket.socket:
        """A socket in the guest's network, with the usual deadline as its timeout."""
        return socket_in(self.netns, *args)

    def connect(self, address: str, port: int, kind: int = socket.SOCK_STREAM) -> socket.socket:
        """A socket in the guest, connected."""
        sock = self.open_socket(family_of(address), kind)
        try:
            sock.connect((address, port))
        except BaseException:
            sock.close()
            raise
        return sock

    def wait_ipv6(self, device: str = "tap0") -> None:
        """Waits for the address that router advertisements give, past duplicate detection."""
        wait_for(f"a global IPv6 address on {device}", lambda: self.run(
            "ip", "-6", "-o", "addr", "show", "dev", device, "scope", "global",
            "-tentative").stdout)

    def links(self) -> set[str]:
        """The names of the guest's interfaces."""
        out = self.run("ip", "-o", "link").stdout
        return {line.split(":")[1].strip().split("@")[0] for line in out.splitlines()}

    def link(self, name: str = "tap0") -> str:
        return self.run("ip", "-d", "link", "show", "dev", name).stdout


class OrdinaryGuest(Guest):
    """For tests that real root runs: the namespaces of an ordinary user."""

    def __init__(self) -> None:
        super().__init__()
        self._argv = [*AS_ORDINARY_ID, "unshare", "--user", "--net", "--map-root-user"]
