# SPDX-License-Identifier: BSD-2-Clause
"""The worker's jail from inside: probe.c enters it and tries what a taken-over worker would.

Each attempt is made four times:
  full      sandbox and filter, as slirpd runs by itself
  sandbox   with --disable-seccomp: what namespaces, root, capabilities, limits and Landlock do
  filter    with --disable-sandbox: the filter alone
  control   without a jail and with all capabilities of the lab: the attempt itself is sound
An outcome is "ok", the name of an error, or the name of the signal that ended the probe.

Some attempts need a part of the kernel that not every machine has: the outcomes of their control
are a set. The kernel is asked for those first, without a jail; a jail may then refuse in the same way.
"""

from __future__ import annotations

import errno
import functools
import os
import platform
import signal
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

import kernel
import pytest
from commands import ORDINARY, sh
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from kernel import LANDLOCK_SCOPES
from test_jail_daemon import barred
from tree import REPO, SANITIZED
from waiting import DEADLINE_S

PROBE = os.environ.get("SLIRPD_PROBE") or str(REPO / "build/debug/tests/confine/probe")
X86 = platform.machine() == "x86_64"

pytestmark = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer's own calls are in the filter of its build")

OK = "ok"
KILLED = "SIGSYS"
# Of an instruction that the processor refuses: no system call, so no filter sees it.
NO_CALL = "SIGSEGV"
CLOEXEC = socket.SOCK_CLOEXEC
TCP, UDP, RAW = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW
ICMP, ICMP6, SCTP, MPTCP = 1, 58, 132, 262

NEW_NS, NEW_CGROUP, NEW_UTS, NEW_IPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEW_USER, NEW_PID, NEW_NET, NEW_TIME = 0x10000000, 0x20000000, 0x40000000, 0x80

RLIMIT_NPROC, RLIMIT_FSIZE = 6, 1


class Try(NamedTuple):
    """An attempt and what comes of it. A set of controls is for what not every kernel can do."""

    name: str
    sandbox: str | set[str]
    control: str | set[str]
    full: str = KILLED
    alone: str = ""  # the filter without the sandbox: "" for as in full
    args: tuple[int, ...] = ()
    abi: int = 0  # Landlock's; with an older one the sandbox need not refuse this
    x86: bool = False

    @property
    def id(self) -> str:
        return "-".join([self.name, *map(str, self.args)])


def sock(family: int, kind: int, protocol: int = 0, *, sandbox: str | set[str],
         control: str | set[str], full: str = KILLED, abi: int = 0) -> Try:
    return Try("socket", sandbox, control, full, args=(family, kind, protocol), abi=abi)


def prctl(option: int, *args: int, sandbox: str | set[str] = OK,
          control: str | set[str] = OK) -> Try:
    return Try("prctl", sandbox, control, args=(option, *args))


# AF_ALG, AF_BLUETOOTH and AF_VSOCK are modules that a machine may have or not.
BUILT_IN = {OK, "EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT"}
# Calls that a kernel may be built without.
CALL = {OK, "ENOSYS"}

ATTEMPTS = [
    # What the worker needs: if these fail, the others prove nothing.
    Try("mmap_data", OK, OK, full=OK),
    Try("fcntl_nonblock", OK, OK),
    Try("receive_on_channel", OK, OK, full=OK),
    Try("send_on_channel", OK, OK, full=OK),
    # Messages with descriptors come from parent, connector and netns-helper.
    Try("send_fd_on_channel", OK, OK),
    # Of its peers' bytes it reads what it likes.
    Try("read_as_channel", OK, OK, full=OK),
    Try("receive_errors_udp", "EAGAIN", "EAGAIN", full="EAGAIN"),
    sock(socket.AF_INET6, UDP | CLOEXEC, sandbox=OK, control=OK),
    # A new network namespace allows ping sockets to nobody.
    sock(socket.AF_INET, UDP | CLOEXEC, ICMP, sandbox="EACCES", control=OK),
    sock(socket.AF_INET6, UDP | CLOEXEC, ICMP6, sandbox="EACCES", control=OK),

    # Files. The root is empty.
    Try("read_resolv_conf", "ENOENT", OK),
    Try("read_passwd", "ENOENT", OK),
    Try("read_passwd_by_dots", "ENOENT", OK),
    Try("read_root", "EACCES", OK, abi=1),
    Try("read_proc_self", "ENOENT", OK),
    Try("read_proc_1", "ENOENT", OK),
    Try("read_sys", "ENOENT", OK),
    Try("read_tun", "ENOENT", OK),
    Try("open_tun", "ENOENT", OK),
    Try("write_tun_by_peer_fd", "ENOENT", OK),
    Try("list_root", "EACCES", OK, abi=1),
    Try("path_of_root", OK, OK),
    Try("stat_passwd", "ENOENT", OK),
    Try("climb", "ENOENT", OK),
    Try("climb_from_chroot", "ENOENT", OK),
    # With a descriptor of the old root, which a worker does not have.
    Try("read_by_dir_fd", "EACCES", OK, abi=1),
    Try("stat_by_dir_fd", OK, OK),
    Try("fchdir", OK, OK),
    Try("create", "EROFS", OK),
    Try("create_in_etc", "ENOENT", OK),
    Try("write_resolv_conf", "ENOENT", OK),
    Try("update_resolv_conf", "ENOENT", OK),
    Try("truncate_at_open", "ENOENT", OK),
    Try("tmpfile", "EROFS", OK),
    Try("openat2", "ENOENT", OK),
    Try("truncate", "ENOENT", OK),
    Try("unlink", "ENOENT", OK),
    Try("rename", "ENOENT", OK),
    Try("mkdir", "EROFS", OK),
    Try("symlink", "EROFS", OK),
    Try("mkfifo", "EROFS", OK),
    Try("mknod_device", "EROFS", "EPERM"),  # for real root alone
    Try("chmod", "EROFS", OK),
    Try("memfd_create", OK, OK),
    Try("dup", OK, OK),
    Try("dupfd", OK, OK),

    # Reserved numbers, which the filter goes by. The worker replaces the api's channel alone.
    Try("close_socket", OK, OK, full=OK),
    Try("close_channel", OK, OK),
    Try("close_peer", OK, OK),
    Try("close_channel_by_range", OK, CALL),
    Try("take_channel", OK, OK),
    Try("take_peer", OK, OK, full=OK),
    Try("pass_to_client", OK, OK),
    # The name of an abstract socket is of its network namespace, and the worker has its own.
    Try("pass_to_other", "ECONNREFUSED", OK),

    # Processes.
    Try("execve", "ENOENT", OK),
    # ENOENT without Landlock: the program can be opened, and its loader is not there.
    Try("execveat", {"EACCES", "ENOENT"}, OK),
    Try("fork", "EAGAIN", OK),
    Try("vfork", "EAGAIN", OK),
    Try("thread", "EAGAIN", OK),
    Try("clone3", "EAGAIN", OK),
    Try("kill_parent", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("kill_victim", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("end_victim", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("tkill_victim", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("abort_victim", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("pidfd_signal", "EPERM", OK, abi=LANDLOCK_SCOPES),
    Try("kill_self", OK, OK),
    Try("tgkill_self", OK, OK),
    Try("abort_self", "SIGABRT", "SIGABRT", full="SIGABRT"),  # a failed assertion is seen as one
    Try("block_signals", OK, OK),
    # The filter lets the own process's number through; no other's thread belongs to it.
    Try("abort_victim_by_tid", "ESRCH", "ESRCH", full="ESRCH"),
    Try("pidfd_open", OK, OK),
    Try("pidfd_getfd", "EPERM", OK, abi=1),
    Try("ptrace", "EPERM", OK, abi=1),
    Try("ptrace_parent", "EPERM", OK, abi=1),
    Try("process_vm_readv", "EPERM", CALL, abi=1),
    Try("prlimit", "EPERM", OK, args=(RLIMIT_NPROC,)),
    Try("prlimit", "EPERM", OK, args=(RLIMIT_FSIZE,)),

    # Sockets.
    sock(socket.AF_UNIX, TCP | CLOEXEC, sandbox=OK, control=OK),
    sock(socket.AF_UNIX, UDP | CLOEXEC, sandbox=OK, control=OK),
    sock(socket.AF_UNIX, socket.SOCK_SEQPACKET, sandbox=OK, control=OK),
    sock(socket.AF_NETLINK, RAW | CLOEXEC, sandbox=OK, control=OK),
    sock(socket.AF_PACKET, RAW, 3 << 8, sandbox="EPERM", control=BUILT_IN),
    sock(socket.AF_PACKET, UDP, 3 << 8, sandbox="EPERM", control=BUILT_IN),
    sock(socket.AF_VSOCK, TCP, sandbox=OK, control=BUILT_IN),
    sock(socket.AF_ALG, socket.SOCK_SEQPACKET, sandbox=OK, control=BUILT_IN),
    sock(31, RAW, 1, sandbox="EPERM", control=BUILT_IN),  # AF_BLUETOOTH, HCI
    sock(15, RAW, 2, sandbox="EPERM", control=BUILT_IN),  # AF_KEY
    sock(44, RAW, sandbox="EPERM", control=BUILT_IN),  # AF_XDP
    sock(socket.AF_INET, RAW | CLOEXEC, ICMP, sandbox="EPERM", control=OK),
    sock(socket.AF_INET6, RAW | CLOEXEC, ICMP6, sandbox="EPERM", control=OK),
    sock(socket.AF_INET, RAW, ICMP, sandbox="EPERM", control=OK),
    sock(socket.AF_INET, RAW | CLOEXEC, 255, sandbox="EPERM", control=OK),
    sock(socket.AF_INET, RAW | CLOEXEC, 6, sandbox="EPERM", control=OK),
    sock(socket.AF_INET, TCP | CLOEXEC, sandbox=OK, control=OK),
    sock(socket.AF_INET, TCP | CLOEXEC | socket.SOCK_NONBLOCK, sandbox=OK, control=OK),
    # ENOPROTOOPT: sysctl net.mptcp.enabled
    sock(socket.AF_INET, TCP | CLOEXEC, MPTCP, sandbox=OK, control=BUILT_IN | {"ENOPROTOOPT"}),
    sock(socket.AF_INET, TCP | CLOEXEC, SCTP, sandbox=OK, control=BUILT_IN),
    # The kernel looks at 32 bits of a family and of a request, and so does the filter.
    Try("socket_high_bits", OK, OK),
    Try("socketpair", OK, OK),
    Try("connect_abstract", {"EPERM", "ECONNREFUSED"}, OK),
    # The one UNIX socket can get a name, but as a connected one take no connection.
    Try("bind_channel", OK, OK),
    Try("setsockopt_int", "EPERM", OK, args=(socket.SOL_SOCKET, socket.SO_MARK)),
    Try("setsockopt_int", "EPERM", "EPERM", args=(socket.SOL_SOCKET, 33)),  # SO_RCVBUFFORCE: real root's
    Try("setsockopt_int", OK, OK, args=(socket.SOL_SOCKET, socket.SO_BROADCAST)),
    Try("setsockopt_int", "EPERM", OK, args=(socket.IPPROTO_IP, 19)),  # IP_TRANSPARENT
    Try("bind_to_device", OK, OK),
    Try("attach_filter", OK, OK),
    Try("send_to_address", OK, OK),
    Try("send_fd_elsewhere", OK, OK),
    Try("receive_fd_elsewhere", OK, OK),
    Try("receive_elsewhere", OK, OK),
    # A UNIX socket takes no notice of MSG_ERRQUEUE; the worker's only one is its channel.
    Try("receive_errors_unix", OK, OK, full=OK),
    # Of UDP sockets. A UNIX socket could receive descriptors in this way; the worker's only one
    # is its channel.
    Try("recvmmsg", OK, OK, full=OK),
    Try("sendmmsg", OK, OK),

    # Requests to descriptors that were there before.
    Try("tiocsti", OK, {OK, "EIO"}),  # sysctl dev.tty.legacy_tiocsti
    Try("tcgets", OK, OK),
    Try("tunsetiff", "EPERM", OK),
    Try("ioctl_udp", OK, OK, args=(0x8912,)),  # SIOCGIFCONF
    Try("ioctl_udp", OK, OK, args=(0x5421,)),  # FIONBIO
    Try("ioctl_udp", OK, OK, args=(0x5452,)),  # FIOASYNC
    Try("ioctl_high_bits", OK, OK),
    Try("fcntl_setown", OK, OK),
    Try("fcntl_async", OK, OK),

    # Privileges and namespaces.
    Try("mount", "ENOENT", OK),
    Try("remount", "EPERM", OK),
    Try("umount", "EPERM", OK),
    Try("fsopen", "EPERM", OK),
    Try("open_tree", "EPERM", OK),
    Try("pivot_root", "EPERM", OK),
    Try("chroot", "EPERM", OK),
    Try("setns_net", "EPERM", OK),
    Try("setns_user", "EPERM", OK),
    Try("setns_pidfd", "EPERM", OK),
    Try("unshare", "ENOSPC", OK, args=(NEW_USER,)),
    *(Try("unshare", "EPERM", OK, args=(flag,))
      for flag in (NEW_NS, NEW_CGROUP, NEW_UTS, NEW_IPC, NEW_PID, NEW_NET)),
    Try("unshare", "EPERM", {OK, "EINVAL"}, args=(NEW_TIME,)),
    prctl(1, 9),  # PR_SET_PDEATHSIG
    prctl(4, 1),  # PR_SET_DUMPABLE: without the filter the worker may take it back
    prctl(8, 1, sandbox="EPERM"),  # PR_SET_KEEPCAPS, locked
    prctl(15, 0, sandbox="EFAULT", control="EFAULT"),  # PR_SET_NAME, of no text
    prctl(22, 2, sandbox="EFAULT", control="EFAULT"),  # PR_SET_SECCOMP, of no filter
    prctl(24, 12, sandbox="EPERM"),  # PR_CAPBSET_DROP
    prctl(28, 0, sandbox="EPERM"),  # PR_SET_SECUREBITS
    prctl(38, 0, sandbox="EINVAL", control="EINVAL"),  # PR_SET_NO_NEW_PRIVS: no way back
    prctl(47, 2, 12, sandbox="EPERM"),  # PR_CAP_AMBIENT, raise CAP_NET_ADMIN
    Try("capset", "EPERM", OK),
    Try("setuid", "EINVAL", "EINVAL"),  # no other uid is mapped, here or in the lab
    Try("setgroups", "EPERM", "EPERM"),  # denied in every user namespace of an ordinary user
    Try("sethostname", "EPERM", OK),

    # The kernel's large surfaces. Most are open to every user, and only the filter shuts them.
    Try("bpf", "EPERM", CALL | {"EPERM"}),  # sysctl kernel.unprivileged_bpf_disabled
    # Sysctl kernel.perf_event_paranoid; ENOENT: a machine without such a counter.
    Try("perf_event_open", OK, CALL | {"EACCES", "ENOENT"}),
    Try("userfaultfd", OK, CALL | {"EINVAL"}),  # EINVAL: Linux 5.10 and older
    # Sysctl kernel.io_uring_disabled; ENOMEM: older kernels count it as locked memory.
    Try("io_uring_setup", {OK, "ENOMEM"}, CALL | {"EPERM"}),
    Try("keyctl", OK, CALL),
    Try("add_key", OK, CALL),
    Try("seccomp", OK, OK),
    Try("inotify", OK, OK),
    Try("syslog", "EPERM", CALL | {"EPERM"}),  # sysctl kernel.dmesg_restrict

    # Memory.
    Try("mmap_write_exec", OK, OK),
    Try("mmap_exec", OK, OK),
    Try("mmap_exec_file", OK, OK),
    Try("mmap_growsdown_exec", OK, OK),
    Try("mmap_high_bits", OK, OK, full=OK),
    Try("mprotect_exec", OK, OK),
    Try("mprotect_write_code", OK, OK),
    Try("personality", OK, OK),
    Try("mlock", "EPERM", OK),

    # Other doors to the same kernel, which not every kernel has.
    Try("x32_getpid", OK, CALL, x86=True),
    Try("x32_execve", "EFAULT", {"ENOSYS", "EFAULT", "ENOENT"}, x86=True),
    Try("int80_getpid", OK, {OK, NO_CALL}, x86=True),
    Try("int80_execve", "EFAULT", {"EFAULT", NO_CALL}, x86=True),
    Try("no_such_call", "ENOSYS", "ENOSYS"),
    Try("high_call", "ENOSYS", "ENOSYS"),
]

# Who calls: the lab's user has every capability over the network and the mounts that it is in,
# and the jail has to take them away; an ordinary user has none.
WITH_CAPABILITIES: list[str] = []


def probe(caller: list[str], sandbox: str, seccomp: str, *words: object,
          program: str = PROBE, notes: str = "") -> str:
    """Runs the probe and returns the outcome; whatever it has to say besides is a failure."""
    done = subprocess.run([*caller, program, sandbox, seccomp, *map(str, words)], text=True,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
    assert done.stderr == notes
    if done.returncode < 0:
        assert not done.stdout, f"{done.stdout!r} before the end by signal"
        return signal.Signals(-done.returncode).name
    assert done.returncode == 0
    said = done.stdout.strip()
    return errno.errorcode[int(said)] if said.isdigit() else said


@functools.cache
def answer_without_jail(name: str, *args: int) -> str:
    return probe(WITH_CAPABILITIES, "off", "off", name, *args)


def as_set(outcome: str | set[str]) -> set[str]:
    return outcome if isinstance(outcome, set) else {outcome}


def assert_outcome(attempt: Try, got: str, expected: str | set[str]) -> None:
    """The expected outcome, unless this kernel lacks the part that the attempt or the jail needs:
    then its answer without a jail will do."""
    possible = as_set(expected)
    answer = answer_without_jail(attempt.name, *attempt.args)
    is_optional = isinstance(attempt.control, set)
    if possible == {KILLED}:
        # The filter judges every system call, also one that the kernel does not have.
        if is_optional and answer == NO_CALL:
            possible = {NO_CALL}
    elif kernel.LANDLOCK_ABI < attempt.abi or (is_optional and answer != OK):
        possible = possible | {answer}
    assert got in possible, f"{attempt.id}: without a jail the answer is {answer}"


def table() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("attempt", [
        pytest.param(a, id=a.id) for a in ATTEMPTS if X86 or not a.x86])


@pytest.fixture(autouse=True)
def ping_sockets() -> None:
    """A new network namespace allows them to nobody."""
    Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{os.getgid()} {os.getgid()}\n")


@table()
def test_full_jail(attempt: Try) -> None:
    for caller in (ORDINARY, WITH_CAPABILITIES):
        assert_outcome(attempt, probe(caller, "required", "required", attempt.name, *attempt.args),
                       attempt.full)


@table()
def test_sandbox_without_filter(attempt: Try) -> None:
    for caller in (ORDINARY, WITH_CAPABILITIES):
        assert_outcome(attempt, probe(caller, "required", "off", attempt.name, *attempt.args),
                       attempt.sandbox)


@table()
def test_sandbox_over_an_initramfs(attempt: Try) -> None:
    """Where pivot_root(2) is refused as there, the way out is as closed without it."""
    for caller in (ORDINARY, WITH_CAPABILITIES):
        got = probe([*caller, *barred("pivot_root=EINVAL")], "required", "off", attempt.name,
                    *attempt.args, notes="jail stage root: pivot_root cannot replace the "
                    "initramfs; chroot hides it instead\n")
        assert_outcome(attempt, got, "EINVAL" if attempt.name == "pivot_root" else attempt.sandbox)


@table()
def test_filter_without_sandbox(attempt: Try) -> None:
    assert_outcome(attempt, probe(WITH_CAPABILITIES, "off", "required", attempt.name,
                                  *attempt.args), attempt.alone or attempt.full)


@table()
def test_control_without_jail(attempt: Try) -> None:
    """If this fails, the kernel lacks what the attempt needs, and the control should say so."""
    assert answer_without_jail(attempt.name, *attempt.args) in as_set(attempt.control)


def test_no_other_address_family() -> None:
    """All that linux/socket.h names and some more, with each usual type."""
    for family in set(range(48)) - {socket.AF_INET, socket.AF_INET6, socket.AF_UNIX}:
        for kind in (TCP, UDP, RAW, socket.SOCK_SEQPACKET, 10):
            got = probe(WITH_CAPABILITIES, "off", "required", "socket", family, kind | CLOEXEC, 0)
            assert got == KILLED, f"family {family}, type {kind}"


# Allowed whatever the arguments are. Everything else is either not allowed at all, or has a
# condition that the sweep's arguments, all -1, don't meet.
UNCONDITIONAL = {
    "brk", "clock_gettime", "close", "epoll_ctl", "epoll_pwait", "exit_group",
    "getpeername", "getpid", "gettid", "mremap", "munmap",
    "read", "recvfrom", "shutdown", "writev",
}

# uretprobe and uprobe, with which the kernel's own probes come back from a process: no filter
# sees them from Linux 6.14 on (kernel/seccomp.c), and they end whoever calls them unasked.
PAST_EVERY_FILTER = {"335", "336"} if X86 else set()


def test_no_other_system_call() -> None:
    done = sh(PROBE, "off", "required", "sweep", "0", "1023")
    assert set(done.stdout.split()) - PAST_EVERY_FILTER == UNCONDITIONAL


if X86:
    def test_no_system_call_by_its_x32_number() -> None:
        x32 = 0x40000000
        assert sh(PROBE, "off", "required", "sweep", str(x32), str(x32 + 600)).stdout == ""


def test_the_table_knows_every_attempt_of_the_probe() -> None:
    source = (Path(__file__).parent / "probe.c").read_text()
    in_probe = {line.split("(")[1].split(",")[0] for line in source.splitlines()
                if line.startswith("\tTRY(")}
    assert in_probe == {attempt.name for attempt in ATTEMPTS}
