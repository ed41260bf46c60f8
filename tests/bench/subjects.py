# SPDX-License-Identifier: BSD-2-Clause
"""The programs that are compared, each started as its users start it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from guest import Guest  # noqa: E402
from lab import Lab  # noqa: E402
from processes import comm_of, cpu_ticks, descendants, pss_kib  # noqa: E402
from servers import recv_all  # noqa: E402

from rows import (  # noqa: E402
    NONE, OWN_SCENES, PASTA, REFERENCE, SCENES_OF, SLIRP4NETNS_OPEN, SLIRPD, SLIRPD_OPEN)

# Ready, iperf3's connect, a process's end: each takes milliseconds when all is well.
DEADLINE_S = 15
# pasta has no descriptor to wait for: how finely its time to ready is seen.
PASTA_POLL_S = 0.0005

GUEST4 = "10.0.2.100"
# From linux/prctl.h.
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
PR_CAP_AMBIENT_CLEAR_ALL = 4
# The highest capability that any kernel can have: one bit each in 64.
CAPS_MAX = 64
# What a login shell has, and most service managers.
USUAL_FILE_LIMIT = 1024

# How programs say that they don't have an option.
REFUSED = re.compile(r"^.*(?:not supported|unrecognized option|unknown option|invalid option)"
                     r".*$", re.M)


class Problem(Exception):
    """A measurement that did not come about."""


class NotSupported(Problem):
    """The subject does not have what the measurement is about."""

    outcome = "not supported"


class NotReached(Problem):
    """The subject has it, and it does not go as far as the measurement asks."""

    outcome = "not reached"


@dataclass(frozen=True)
class Wants:
    """What a scene asks of a subject beyond a guest's network. A forward is from this port of
    the host to the same port of the guest."""

    api: bool = False
    forward_port: int | None = None
    many_files: bool = False
    policy: str | None = None  # the path of its text


@dataclass
class Running:
    """A subject that serves a guest. Without a process it is no subject."""

    process: subprocess.Popen[bytes] | None
    ready_s: float
    api_path: str | None = None

    def pids(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)] if self.process else []

    def cpu_s(self) -> float:
        """User and system time of all its processes that live. What the kernel does in soft
        interrupts is charged to whoever was interrupted, or to nobody, and not in it."""
        return sum(cpu_ticks(pid) for pid in self.pids()) / os.sysconf("SC_CLK_TCK")

    def pss_mb(self, comm: str | None = None) -> float:
        """Memory of all its processes, or of those with this name, with what they share counted
        once, in 2^20 bytes."""
        return pss_kib(pid for pid in self.pids() if comm in (None, comm_of(pid))) / 1024


@contextlib.contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Ends the process with the block."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def ordinary(many_files: bool = False) -> Iterator[None]:
    """What is started in this block is an ordinary user's, without a capability over the
    scene, and with the usual limit on descriptors or the highest. The lab does it with setpriv,
    whose own start would be a third of what is measured here."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0):
        raise Problem(f"prctl: {os.strerror(ctypes.get_errno())}")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if many_files else USUAL_FILE_LIMIT, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for cap in range(CAPS_MAX):
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0)


def api_request(path: str, request: dict[str, Any]) -> dict[str, Any]:
    """One request on a connection of its own."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE_S)
        sock.connect(path)
        sock.sendall(json.dumps(request).encode())
        sock.shutdown(socket.SHUT_WR)
        return json.loads(recv_all(sock))


def output(*argv: str) -> str:
    """What a program prints; nothing if there is no such program or it fails."""
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=DEADLINE_S, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def version_of(program: str) -> str:
    """Name and version: the package's where the program is from one, since some programs don't
    know theirs; and that of libslirp, where the program names it."""
    said = output(program, "--version")
    package = output("dpkg-query", "--search", os.path.realpath(program)).partition(":")[0]
    version = output("dpkg-query", "--show", package).strip().replace("\t", " ") if package else ""
    version = version or (said.splitlines() or [f"{Path(program).name}, unknown version"])[0]
    libslirp = re.search(r"^libslirp: (\S+)", said, re.M)
    return version + (f", libslirp {libslirp.group(1)}" if libslirp else "")


class Subject:
    """slirpd and slirp4netns, which share command line and control socket."""

    def __init__(self, name: str, program: str, options: tuple[str, ...]) -> None:
        self.name = name
        self.program = program
        self.options = options
        self.version = version_of(program)

    def takes_part(self, scene: str) -> bool:
        if scene in OWN_SCENES:
            return self.name == SLIRPD
        return self.name not in SCENES_OF or scene in SCENES_OF[self.name]

    def guest(self) -> Guest:
        return Guest()

    @contextlib.contextmanager
    def serving(self, guest_pid: int, mtu: int, wants: Wants = Wants()) -> Iterator[Running]:
        """Serves the guest within the block."""
        api_path = os.path.join(tempfile.gettempdir(), f"bench-{self.name}.sock")
        has_api = wants.api or wants.forward_port is not None
        Path(api_path).unlink(missing_ok=True)
        ready, theirs = os.pipe()
        argv = [self.program, "--configure", f"--mtu={mtu}", f"--ready-fd={theirs}",
                *self.options, *([f"--api-socket={api_path}"] if has_api else []),
                *([f"--policy={wants.policy}"] if wants.policy else []),
                str(guest_pid), "tap0"]

        def is_ready() -> bool:
            if not select.select([ready], [], [], DEADLINE_S)[0]:
                raise Problem(f"not ready after {DEADLINE_S} s")
            return os.read(ready, 1) == b"1"

        try:
            with self._started(argv, wants, is_ready, [theirs]) as running:
                if has_api:
                    running.api_path = api_path
                if wants.forward_port is not None:
                    answer = api_request(api_path, {"execute": "add_hostfwd", "arguments": {
                        "proto": "tcp", "host_addr": "0.0.0.0", "host_port": wants.forward_port,
                        "guest_addr": GUEST4, "guest_port": wants.forward_port}})
                    if "return" not in answer:
                        raise Problem(f"add_hostfwd: {answer}")
                yield running
        finally:
            os.close(ready)

    @contextlib.contextmanager
    def _started(self, argv: list[str], wants: Wants, is_ready: Callable[[], bool],
                 handed_fds: list[int]) -> Iterator[Running]:
        """Runs the program within the block. Closes `handed_fds` on this side, so that
        is_ready(), which is asked once, sees an end-of-file if the program dies."""
        with tempfile.TemporaryFile() as stderr:
            try:
                with ordinary(wants.many_files):
                    began = time.monotonic()
                    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                               stdout=subprocess.DEVNULL, stderr=stderr,
                                               pass_fds=handed_fds)
            finally:
                for fd in handed_fds:
                    os.close(fd)
            with ended(process):
                if not is_ready():
                    process.wait(DEADLINE_S)
                    stderr.seek(0)
                    said = stderr.read().decode(errors="replace")
                    if refusal := REFUSED.search(said):
                        raise NotSupported(refusal.group())
                    raise Problem(f"not ready, status {process.returncode}: {said}")
                running = Running(process, time.monotonic() - began)
                try:
                    yield running
                except Exception as error:
                    if process.poll() is not None:
                        raise Problem(f"ended by itself, status {process.returncode}") from error
                    raise


class Pasta(Subject):
    """pasta, which says that it is ready by its PID file and not by a descriptor."""

    @contextlib.contextmanager
    def serving(self, guest_pid: int, mtu: int, wants: Wants = Wants()) -> Iterator[Running]:
        if wants.api:
            raise NotSupported("pasta has no control socket")
        pid_file = Path(tempfile.gettempdir(), "bench-pasta.pid")
        pid_file.unlink(missing_ok=True)
        argv = [self.program, "--foreground", "--quiet", "--config-net", "--ipv4-only",
                "--pid", str(pid_file), "--mtu", str(mtu), "--interface", "uplink",
                "--ns-ifname", "tap0", "--address", GUEST4, "--netmask", "255.255.255.0",
                "--gateway", "10.0.2.2", "--tcp-ports", str(wants.forward_port or "none"),
                "--udp-ports", "none", "--tcp-ns", "none", "--udp-ns", "none", str(guest_pid)]

        def is_ready() -> bool:
            end = time.monotonic() + DEADLINE_S
            while not (pid_file.exists() and pid_file.stat().st_size):
                if time.monotonic() > end:
                    return False
                time.sleep(PASTA_POLL_S)
            return True

        with self._started(argv, wants, is_ready, []) as running:
            yield running


class InternetAsGuest(Guest):
    """The namespace of the servers in the place of a guest. Clients in it reach them by its
    loopback interface."""

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        return

    @property
    def pid(self) -> int:
        """No process: nobody serves it."""
        return 0

    def enter(self) -> list[str]:
        return Lab.in_internet()


class Loopback(Subject):
    """No subject: what the machine's own TCP and UDP do between the same programs."""

    def __init__(self) -> None:
        # There is no program to ask for its version.
        self.name, self.version = NONE, "the loopback interface alone"

    def guest(self) -> Guest:
        return InternetAsGuest()

    @contextlib.contextmanager
    def serving(self, guest_pid: int, mtu: int, wants: Wants = Wants()) -> Iterator[Running]:
        yield Running(None, 0.0)


def find_subjects(slirpd: str, slirp4netns: str, pasta: str,
                  only: list[str] | None) -> tuple[list[Subject], list[str]]:
    """The subjects whose programs are here, and a line for each that is not."""
    found: list[Subject] = []
    absent: list[str] = []
    for kind, name, program, options in (
            (Subject, SLIRPD, slirpd, ()),
            (Subject, SLIRPD_OPEN, slirpd, ("--disable-sandbox", "--disable-seccomp")),
            (Subject, REFERENCE, slirp4netns, ("--enable-sandbox", "--enable-seccomp")),
            (Subject, SLIRP4NETNS_OPEN, slirp4netns, ()),
            (Pasta, PASTA, pasta, ())):
        if only and name not in only:
            continue
        path = shutil.which(program)
        if path:
            found.append(kind(name, path, options))
        else:
            absent.append(f"{name}: there is no program {program}: left out")
    if not only or NONE in only:
        found.append(Loopback())
    return found, absent
