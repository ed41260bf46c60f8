"""The network that a test runs slirpd in: nothing in it is a mock, nothing leaves it.

Runs inside outer-ns. Its network namespace plays the host of an ordinary user, a second one
joined by veth plays the internet, with nginx, dnsmasq and iperf3 in it. Guests and slirpd are
started without any capability over either, as that user would start them. Everything is owned
by a `with` block or ends with outer-ns.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import ipaddress
import os
import re
import resource
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
STATE = Path("/run/lab")

# Generous: a deadline says "this hangs", never "this is slow".
DEADLINE_S = 20.0
POLL_S = 0.01

# A build with sanitizers: slower, with a standard error in every process, and its own memory.
SANITIZED = os.environ.get("SLIRPD_SANITIZED") == "1"

INTERNET4 = "203.0.113.1"
HOST4 = "203.0.113.2"
INTERNET6 = "2001:db8:1::1"
HOST6 = "2001:db8:1::2"
# No machine has it, and the host has a route that says so.
UNREACHABLE4 = "203.0.113.192"
UNREACHABLE6 = "2001:db8:2::1"

HTTP_PORT = 80
ECHO_PORT = 7007
CLOSED_PORT = 9
IPERF_PORT = 5201

WORD_NAME = "www.example.test"
BIG_NAME = "big.example.test"
BIG_TXT_RECORDS = 12  # about 2,700 bytes: more than a UDP answer holds, so DNS has to use TCP

DOWNLOAD_BYTES = 100_000_000

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
# Checksums, TCP segmentation for both families.
TUNSETOFFLOAD, TUN_F_ALL, TUNSETPERSIST = 0x400454D0, 0x07, 0x400454CB
TCP_LISTEN = "0A"  # of /proc/net/tcp
# The same number on every architecture, as of all calls since Linux 5.1.
SYS_PIDFD_GETFD = 438
_libc = ctypes.CDLL(None, use_errno=True)

# At the end of the line on a child that did not end in order when it was to end.
ABNORMAL_END = "; its work was done\n"

# An ordinary user: no capability left to lose, none to regain by exec.
ORDINARY = ["setpriv", "--ambient-caps=-all", "--inh-caps=-all", "--bounding-set=-all", "--"]


class Timeout(AssertionError):
    """A condition did not come true before its deadline."""


def wait_for(what: str, condition: Callable[[], Any], deadline_s: float = DEADLINE_S) -> Any:
    """Polls until condition() is true and returns its value; names `what` when it never is."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"after {deadline_s:g} s still not: {what}")
        time.sleep(POLL_S)


def require_tools(*names: str) -> list[str]:
    """The names of those tools that are missing."""
    return [name for name in names if shutil.which(name) is None]


def needs(*tools: str) -> None:
    """Skips the test without these tools; where a skip would hide a gap, fails it."""
    import pytest  # the benchmark has this file, and no pytest

    missing = require_tools(*tools)
    if not missing:
        return
    text = f"not installed: {', '.join(missing)}"
    if os.environ.get("CI") or os.environ.get("SLIRPD_REQUIRE_ALL") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


@contextlib.contextmanager
def no_process_left() -> Iterator[None]:
    """No test leaves a process behind, whoever started it."""
    before = all_pids()
    yield
    wait_for("no process is left of the test", lambda: not all_pids() - before)


def sh(*argv: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Runs a set-up command; its stderr becomes the error, so that a broken lab says why."""
    done = subprocess.run(argv, text=True, capture_output=True, timeout=DEADLINE_S, **kwargs)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
    return done


def up_without_dad(inside: Iterable[str], device: str, address6: str) -> None:
    """Brings an interface up that is not to try out whether somebody has its addresses already
    (RFC 4862), which takes a second or two; `inside` is the command that goes to it. A machine that
    switches IPv6 off by sysctl or at its boot (ipv6.disable_ipv6=1) may do so in new namespaces too."""
    sh(*inside, "sh", "-c", f"cd /proc/sys/net/ipv6/conf/{device} && echo 0 >accept_dad && "
       "echo 0 >disable_ipv6")
    sh(*inside, "ip", "addr", "add", address6, "dev", device, "nodad")
    sh(*inside, "ip", "link", "set", device, "up")


def wait_link_local(inside: Iterable[str], device: str) -> None:
    """Its own address is there at last: IPv6 works then. A router asks by it for the neighbour
    that somebody else's packet is for, and without it gives the packet up after three seconds."""
    wait_for(f"{device} has its link-local address", lambda: sh(
        *inside, "ip", "-6", "-o", "addr", "show", "dev", device, "scope", "link",
        "-tentative").stdout)


def limited(name: str, soft: int, hard: int | None = None) -> list[str]:
    """A command prefix: prlimit(1), with the same limit for both unless two are given."""
    return ["prlimit", f"--{name}={soft}:{soft if hard is None else hard}", "--"]


@contextlib.contextmanager
def many_files() -> Iterator[None]:
    """For a test that holds both ends of many connections."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def nofile_soft_1024() -> None:
    """Children get the usual soft limit: the lab itself needs more, and would hide a need."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))


def _in_netns(netns: str, make: Callable[[], Any]) -> Any:
    """What make() returns in another network namespace.

    A descriptor stays in the namespace that it was made in, and setns() holds for one thread, so a
    short-lived thread is all that it takes to use a guest's network from within a test.
    """
    box: list[Any] = []

    def enter_and_make() -> None:
        try:
            with open(netns, "rb") as ns:
                if _libc.setns(ns.fileno(), CLONE_NEWNET) != 0:
                    number = ctypes.get_errno()
                    raise OSError(number, f"setns {netns}: {os.strerror(number)}")
            box.append(make())
        except OSError as error:
            box.append(error)

    thread = threading.Thread(target=enter_and_make)
    thread.start()
    thread.join()
    if isinstance(box[0], OSError):
        raise box[0]
    return box[0]


def socket_in(netns: str, *args: int) -> socket.socket:
    """socket.socket(*args) in another network namespace."""
    made = _in_netns(netns, lambda: socket.socket(*args))
    made.settimeout(DEADLINE_S)
    return made


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


# --- processes --------------------------------------------------------------------------------


def proc_stat(pid: int) -> list[str] | None:
    """/proc/PID/stat from the state field on (index 0), or None when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rsplit(")", 1)[1].split()


def all_pids() -> set[int]:
    """Every live process of this PID namespace; zombies are not live."""
    pids = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    stats = ((pid, proc_stat(pid)) for pid in pids)
    return {pid for pid, stat in stats if stat and stat[0] not in "ZX"}


def descendants(pid: int) -> list[int]:
    """All live processes below pid, parents first."""
    children: dict[int, list[int]] = {}
    for other in all_pids():
        stat = proc_stat(other)
        if stat:
            children.setdefault(int(stat[1]), []).append(other)
    found: list[int] = []
    queue = [pid]
    while queue:
        below = sorted(children.get(queue.pop(), []))
        found += below
        queue += below
    return found


def program_of(pid: int) -> str:
    """The file name of the program that pid runs, '' when it is gone."""
    try:
        return Path(os.readlink(f"/proc/{pid}/exe")).name
    except OSError:
        return ""


def comm_of(pid: int) -> str:
    """What ps calls pid, '' when it is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def is_busy(pid: int) -> bool:
    """Whether it runs, or wants to, whenever one looks; a timer may go off once."""
    states = []
    for _ in range(20):
        states.append(proc_stat(pid)[0])
        time.sleep(POLL_S)
    return states.count("R") > 2


def is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def cpu_ticks(pid: int) -> int:
    """User and system time of pid, in clock ticks (1/100 s)."""
    stat = proc_stat(pid)
    return int(stat[11]) + int(stat[12]) if stat else 0


def pss_kib(pids: Iterable[int]) -> int:
    """Proportional set size of some processes."""
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
    return total


def fd_table(pid: int) -> dict[int, str]:
    """What each descriptor of pid is."""
    table = {}
    for name in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            table[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
    return table


@contextlib.contextmanager
def borrow_socket(pid: int, number: int) -> Iterator[socket.socket]:
    """A copy of a socket of another process."""
    pidfd = os.pidfd_open(pid)
    try:
        fd = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
        assert fd != -1, os.strerror(ctypes.get_errno())
    finally:
        os.close(pidfd)
    with socket.socket(fileno=fd) as borrowed:
        yield borrowed


def fds_of(pid: int) -> dict[int, str]:
    """Like fd_table, for a process whose /proc/PID/fd nobody but real root may list:
    borrows one descriptor after the other."""
    pidfd = os.pidfd_open(pid)
    table = {}
    try:
        for number in range(1024):
            fd = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
            if fd == -1:
                assert ctypes.get_errno() == errno.EBADF, os.strerror(ctypes.get_errno())
                continue
            table[number] = os.readlink(f"/proc/self/fd/{fd}")
            os.close(fd)
    finally:
        os.close(pidfd)
    return table


@contextlib.contextmanager
def borrowed(pid: int, number: int) -> Iterator[socket.socket]:
    """A socket of another process, to speak in its name."""
    pidfd = os.pidfd_open(pid)
    try:
        fd = _libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0)
        assert fd != -1
        with socket.socket(fileno=fd) as sock:
            yield sock
    finally:
        os.close(pidfd)


# --- guests -----------------------------------------------------------------------------------


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


# --- slirpd -----------------------------------------------------------------------------------


def slirpd_path() -> str:
    """The daemon under test: $SLIRPD, or the debug build."""
    return os.environ.get("SLIRPD") or str(REPO / "build/debug/bin/slirpd")


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
        options, inherited = [], []
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
        """The worker's counters; a drop reason is called by its name, and is there if not 0."""
        def sets() -> list[str]:
            return self.stderr.split(": stats: frames_from_guest ")

        # Whatever the first question has is complete when the answer to the second begins.
        before = len(sets())
        for i in (0, 1):
            self.process.send_signal(signal.SIGUSR1)
            wait_for("slirpd prints counters", lambda i=i: len(sets()) > before + i)
        text = "stats: frames_from_guest " + sets()[before]
        found = re.findall(r"stats: (?:dropped )?(\w+) (\d+)$", text, re.M)
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


def read_to_eof(fd: int, deadline_s: float = DEADLINE_S) -> bytes:
    """All bytes up to end-of-file, which has to come before the deadline."""
    said = b""
    end = time.monotonic() + deadline_s
    with selectors.DefaultSelector() as selector:
        selector.register(fd, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0, end - time.monotonic())):
                raise Timeout(f"after {deadline_s:g} s neither byte nor end on fd {fd}: {said!r}")
            piece = os.read(fd, 4096)
            if not piece:
                return said
            said += piece


def run_slirpd(*argv: object, prefix: Iterable[str] = (), pass_fds: tuple[int, ...] = (),
               **kwargs: Any) -> subprocess.CompletedProcess[str]:
    """Runs slirpd as an ordinary user where it is expected to end by itself."""
    return subprocess.run([*ORDINARY, *prefix, slirpd_path(), *map(str, argv)], text=True,
                          capture_output=True, timeout=DEADLINE_S, pass_fds=pass_fds,
                          stdin=subprocess.DEVNULL, **kwargs)


# --- servers ----------------------------------------------------------------------------------


def serve(sock: socket.socket, handle: Callable[[socket.socket], None]) -> None:
    """Calls handle(connection) in a thread of its own for each connection, until closed."""

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            handle(connection)

    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = sock.accept()
                connection.settimeout(DEADLINE_S)
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    sock.settimeout(None)
    threading.Thread(target=loop, daemon=True).start()


@contextlib.contextmanager
def listener(netns: str, address: str, port: int = 0, backlog: int = 1024) -> Iterator[socket.socket]:
    """A listening TCP socket in a namespace."""
    with socket_in(netns, family_of(address), socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family_of(address) == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((address, port))
        sock.listen(backlog)
        try:
            yield sock
        finally:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that sits in accept()


def listens(pid: int, port: int) -> bool:
    """Whether something listens on a TCP port of that process's network, in either family. To
    connect would tell as well, but a server may take that for its client."""
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == TCP_LISTEN and int(local.split(":")[1], 16) == port:
                return True
    return False


def recv_all(sock: socket.socket) -> bytes:
    """Everything up to end-of-file."""
    pieces = []
    while piece := sock.recv(1 << 16):
        pieces.append(piece)
    return b"".join(pieces)


def udp_socket(netns: str, address: str, port: int = 0) -> socket.socket:
    """A bound UDP socket with room for a burst."""
    sock = socket_in(netns, family_of(address), socket.SOCK_DGRAM)
    if family_of(address) == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((address, port))
    return sock


def serve_udp_echo(sock: socket.socket) -> None:
    def loop() -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = sock.recvfrom(65536)
                sock.sendto(data, peer)

    sock.settimeout(None)
    threading.Thread(target=loop, daemon=True).start()


SETTLED = b"behind all that was sent before"


def settle_loopback() -> None:
    """Returns when all that was sent over the host's `lo` before has arrived. A kernel that is
    busy leaves it to a queue for each processor, in which a datagram of ours comes behind it."""
    here = os.sched_getaffinity(0)
    with udp_socket(Lab.host_netns, "127.0.0.1") as marker:
        try:
            for cpu in here:
                os.sched_setaffinity(0, {cpu})
                marker.sendto(SETTLED, marker.getsockname())
                assert marker.recv(100) == SETTLED
        finally:
            os.sched_setaffinity(0, here)


NGINX_CONF = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off; sendfile on;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi; scgi_temp_path {dir}/scgi; uwsgi_temp_path {dir}/uwsgi;
    server {{
        listen {v4}:{port} backlog=1024; listen [{v6}]:{port} backlog=1024;
        root {dir}/www;
        location / {{ }}
        location /up/ {{ dav_methods PUT DELETE; client_max_body_size 1g; }}
    }}
}}
"""

DNSMASQ_CONF = f"""
no-resolv
no-hosts
no-daemon
bind-interfaces
listen-address={INTERNET4},{INTERNET6}
local=/test/
host-record={WORD_NAME},{INTERNET4},{INTERNET6}
""" + "".join(f"txt-record={BIG_NAME},{i:02d}{'x' * 220}\n" for i in range(BIG_TXT_RECORDS))


class Lab:
    """The host namespace that we are in, the internet namespace, and the servers in it."""

    host_netns = "/proc/self/ns/net"
    internet_netns = "/run/netns/internet"

    def __init__(self) -> None:
        if not os.environ.get("SLIRPD_OUTER_NS"):
            raise RuntimeError("run this through tests/lib/outer-ns")
        self._stack = contextlib.ExitStack()
        self.download_sha256 = ""

    def __enter__(self) -> Lab:
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
            self._make_networks()
            self.set_nameservers(INTERNET4, INTERNET6)
            self._start_nginx()
            self._start_dnsmasq()
            self._start_echo()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_networks(self) -> None:
        sh("ip", "link", "set", "lo", "up")
        # Unprivileged ping sockets are what libslirp pings with; distributions open them.
        Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{os.getgid()} {os.getgid()}\n")
        sh("ip", "netns", "add", "internet")
        self._stack.callback(sh, "ip", "netns", "del", "internet")
        sh("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", "internet")
        ends = (((), "uplink", HOST4, HOST6), (self.in_internet(), "eth0", INTERNET4, INTERNET6))
        sh(*self.in_internet(), "ip", "link", "set", "lo", "up")
        for inside, device, address4, address6 in ends:
            sh(*inside, "ip", "addr", "add", f"{address4}/24", "dev", device)
            up_without_dad(inside, device, f"{address6}/64")
        for inside, device, *_ in ends:
            wait_link_local(inside, device)
        sh("ip", "route", "add", "default", "via", INTERNET4)
        sh("ip", "-6", "route", "add", "default", "via", INTERNET6)
        sh("ip", "route", "add", "unreachable", UNREACHABLE4)
        sh("ip", "-6", "route", "add", "unreachable", UNREACHABLE6)

    @staticmethod
    def in_internet() -> list[str]:
        return ["nsenter", f"--net={Lab.internet_netns}", "--"]

    @staticmethod
    def set_nameservers(*addresses: str) -> None:
        """Rewrites the host's resolv.conf, which is a bind mount, in place."""
        (STATE / "resolv.conf").write_text("".join(f"nameserver {a}\n" for a in addresses))

    @contextlib.contextmanager
    def server(self, port: int, *argv: str) -> Iterator[None]:
        """Runs a server program in the internet until the end of the block."""
        with subprocess.Popen([*self.in_internet(), *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(f"{argv[0]} listens on port {port}", lambda: listens(process.pid, port))
                yield
            finally:
                process.terminate()

    def _start_nginx(self) -> None:
        self.www = Path(tempfile.mkdtemp(prefix="nginx-")) / "www"
        (self.www / "up").mkdir(parents=True)
        self._stack.callback(shutil.rmtree, self.www.parent, ignore_errors=True)
        (self.www / "hello").write_text("hello\n")
        conf = self.www.parent / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=self.www.parent, v4=INTERNET4, v6=INTERNET6,
                                          port=HTTP_PORT))
        self._stack.enter_context(self.server(
            HTTP_PORT, "nginx", "-e", str(self.www.parent / "error.log"), "-c", str(conf)))

    def _start_dnsmasq(self) -> None:
        conf = STATE / "dnsmasq.conf"
        conf.write_text(DNSMASQ_CONF)
        self._stack.enter_context(self.server(53, "dnsmasq", f"--conf-file={conf}"))

    def _start_echo(self) -> None:
        for address in (INTERNET4, INTERNET6):
            serve_udp_echo(self._stack.enter_context(
                udp_socket(self.internet_netns, address, ECHO_PORT)))

    def big_file(self) -> Path:
        """100 MB that no two places of are alike, so that a lost or doubled piece shows."""
        path = self.www / "big"
        if not path.exists():
            digest = hashlib.sha256()
            with path.open("wb") as out:
                left = DOWNLOAD_BYTES
                seed = 0
                while left:
                    piece = hashlib.shake_128(seed.to_bytes(8, "big")).digest(min(left, 1 << 20))
                    digest.update(piece)
                    out.write(piece)
                    left -= len(piece)
                    seed += 1
            self.download_sha256 = digest.hexdigest()
        return path


def http_url(address: str, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{HTTP_PORT}/{path}"


# --- what a machine holds ---------------------------------------------------------------------


def holdings() -> dict[str, Any]:
    """What a daemon could leave behind: processes, sockets, mounts, interfaces, files."""
    unix = Path("/proc/net/unix").read_text().count("\n")
    inet = sum(Path(f"/proc/net/{name}").read_text().count("\n")
               for name in ("udp", "udp6", "raw", "raw6", "icmp", "icmp6", "packet"))
    return {
        "processes": all_pids(),
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "sockets": (unix, inet),
        "links": sh("ip", "-o", "link").stdout.count("\n"),
        "files": sorted(os.listdir("/run")) + sorted(os.listdir(tempfile.gettempdir())),
    }


def limit_namespaces(more: int) -> None:
    """Lets this user namespace hold only so many more of each kind: a leak becomes ENOSPC."""
    for kind in ("net", "user", "mnt", "pid", "ipc", "uts", "cgroup"):
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text(f"{more}\n")


def make_tap(netns: str, name: str, flags: int = 0) -> int:
    """Makes a TAP in a namespace; the interface lives as long as the returned descriptor."""
    def make() -> int:
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(),
                                           IFF_TAP | IFF_NO_PI | flags))
        return fd

    return _in_netns(netns, make)


def fill_pipe() -> tuple[int, int]:
    """A pipe (read end, write end) that takes not one byte more."""
    read_fd, write_fd = os.pipe()
    flags = fcntl.fcntl(write_fd, fcntl.F_GETFL)
    fcntl.fcntl(write_fd, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_fd, b"x" * 4096)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write_fd, b"x")
    fcntl.fcntl(write_fd, fcntl.F_SETFL, flags)
    return read_fd, write_fd


def network_addresses(cidr: str) -> dict[str, str]:
    """The addresses that clients compute from a CIDR."""
    base = ipaddress.ip_network(cidr).network_address
    return {name: str(base + n) for name, n in
            (("gateway", 2), ("dns", 3), ("dhcp_first", 15), ("dhcp_last", 30), ("guest", 100))}
