# SPDX-License-Identifier: BSD-2-Clause
"""The other roles' jails from inside, by the attempts that test_jail.py makes in the worker's.

Only the worker's table has a control without a jail: the attempts are the same, and so is what
comes of them there.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import kernel
import pytest
import test_jail as worker
from commands import ORDINARY, sh
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from test_jail import KILLED, OK, Try, assert_outcome, ping_sockets, table  # noqa: F401
from tree import REPO

PROBES = {
    role: os.environ.get(f"SLIRPD_PROBE_{role.upper()}")
    or str(REPO / f"build/debug/tests/confine/probe_{role}")
    for role in ("api", "connector", "resolver", "spawner", "netns_helper", "parent", "cgroup_mover",
                 "policy_reader")
}
CALLERS = (ORDINARY, worker.WITH_CAPABILITIES)

pytestmark = worker.pytestmark

# What an api may still do. Everything else ends it.
API_FULL = {
    "mmap_data": OK,
    "mmap_high_bits": OK,
    "receive_on_channel": OK,
    "send_on_channel": OK,
    "read_as_channel": OK,
    "close_socket": OK,
    "take_peer": OK,  # another channel, to a worker that was started again
    "abort_self": "SIGABRT",
    "abort_victim_by_tid": "ESRCH",  # its own process's number, with a thread of another
}

# With the filter switched off the sandbox is the worker's, but for the network namespace. A socket
# that it makes finds no name of the host's.
API_SANDBOX = {"pass_to_other": "ECONNREFUSED"}
# Nor does the sysctl of its own network namespace allow ping sockets to anybody.
API_SANDBOX |= dict.fromkeys((attempt.id for attempt in worker.ATTEMPTS if attempt.args[1:] in (
    (worker.UDP | worker.CLOEXEC, protocol) for protocol in (worker.ICMP, worker.ICMP6))), "EACCES")

API_UNCONDITIONAL = {
    "brk", "clock_gettime", "close", "exit_group", "getpid", "gettid", "mremap", "munmap",
    "ppoll", "restart_syscall",
} | ({"poll"} if worker.X86 else set())

# The connector's. What it connects to is not the filter's business: Landlock refuses UNIX sockets.
CONNECTOR_ALLOWED = {
    "mmap_data", "mmap_high_bits", "receive_on_channel", "send_on_channel", "send_fd_on_channel", "close_socket",
    "connect_abstract", "bind_channel", "abort_self", "abort_victim_by_tid", "socket_high_bits",
    "take_peer", "read_as_channel",
}
# Of a socket that gets the number of a channel it receives nothing of the peer.
CONNECTOR_RECEIVES = {"read_as_channel": "EAGAIN"}
CONNECTOR_SOCKETS = {
    (socket.AF_INET, worker.TCP | worker.CLOEXEC | socket.SOCK_NONBLOCK, 0),
    (socket.AF_INET6, worker.TCP | worker.CLOEXEC | socket.SOCK_NONBLOCK, 0),
    (socket.AF_INET, worker.UDP | worker.CLOEXEC, 0),
    (socket.AF_INET6, worker.UDP | worker.CLOEXEC, 0),
    (socket.AF_INET, worker.UDP | worker.CLOEXEC, socket.IPPROTO_ICMP),
    (socket.AF_INET6, worker.UDP | worker.CLOEXEC, socket.IPPROTO_ICMPV6),
}
CONNECTOR_UNCONDITIONAL = {
    "bind", "brk", "clock_gettime", "close", "connect", "exit_group", "getpid", "getsockname",
    "gettid", "listen", "munmap", "ppoll", "restart_syscall",
} | ({"poll"} if worker.X86 else set())

# What the spawner's filter lets through, because a service's start, jail and work need it; where
# the caller's rights don't suffice it fails. Everything else ends the spawner, and a service that
# has no filter of its own yet.
SPAWNER_ALLOWED = {
    # In service, as api, connector or worker.
    "mmap_data", "mmap_high_bits", "receive_on_channel", "send_on_channel", "send_fd_on_channel",
    "read_as_channel", "socket_high_bits",
    "connect_abstract", "bind_channel", "recvmmsg", "receive_errors_udp", "receive_errors_unix",
    # The worker's start.
    "fcntl_nonblock", "fcntl_async",
    # The loader, and libc.
    "read_resolv_conf", "read_passwd", "read_passwd_by_dots", "read_root", "read_proc_self",
    "read_proc_1", "read_sys", "read_tun", "list_root", "stat_by_dir_fd",
    "mmap_exec", "mmap_exec_file",
    # Maps in /proc are written, so files can be, where they are; none can be made.
    "write_resolv_conf",
    # Descriptors, limits and signals of a process that is just being made.
    "close_socket", "take_channel", "take_peer", "dupfd", "prlimit", "block_signals",
    "abort_self", "abort_victim", "abort_victim_by_tid",
    # The jail of a service.
    "setns_user", "unshare", "prctl", "capset", "setgroups", "seccomp",
    "mount", "remount", "umount", "pivot_root", "chroot", "climb_from_chroot",
}
SPAWNER_SOCKETS = CONNECTOR_SOCKETS
# Of these not every form is allowed.
SPAWNER_REFUSED_FORMS = {
    "unshare": {worker.NEW_PID, worker.NEW_TIME},
    "prctl": {8, 22},  # PR_SET_KEEPCAPS, PR_SET_SECCOMP: the call of that name is used
}


# What the netns-helper's filter lets through, with the kernel's answer; it opens /dev/net/tun.
HELPER_ALLOWED = {
    "mmap_data", "mmap_high_bits", "send_on_channel", "send_fd_on_channel", "close_socket", "close_peer",
    "connect_abstract",
    "open_tun", "tunsetiff", "abort_self", "abort_victim_by_tid",
}
SIOCGIFCONF = 0x8912
HELPER_SOCKETS = {(socket.AF_UNIX, worker.UDP | worker.CLOEXEC),
                  (socket.AF_NETLINK, worker.RAW | worker.CLOEXEC)}
HELPER_UNCONDITIONAL = {"brk", "close", "connect", "exit_group", "getpid", "gettid", "munmap"}

# The parent's. It names no descriptor, and reads what its caller can read.
PARENT_ALLOWED = {
    "mmap_data", "mmap_high_bits", "receive_on_channel", "send_on_channel", "send_fd_on_channel",
    "receive_fd_elsewhere", "send_fd_elsewhere", "close_socket", "close_channel", "close_peer",
    "read_resolv_conf", "read_passwd", "read_passwd_by_dots", "read_root", "read_proc_self",
    "read_proc_1", "read_sys", "read_tun", "list_root", "stat_by_dir_fd", "unlink",
    "pidfd_open", "end_victim", "abort_self", "abort_victim_by_tid",
}
PARENT_UNCONDITIONAL = {
    "brk", "clock_gettime", "close", "exit_group", "fstat", "ftruncate", "getdents64", "getpid",
    "gettid", "inotify_add_watch", "inotify_rm_watch", "lseek", "mremap", "munmap", "newfstatat",
    "ppoll", "pwrite64", "read", "readlinkat", "restart_syscall", "wait4", "write",
} | ({"poll", "stat", "lstat", "readlink"} if worker.X86 else set())

# The cgroup-mover's. Descriptor 4 is the root of cgroup2. The filter does not see that a path
# leads elsewhere; Landlock does.
MOVER_ALLOWED = {
    "mmap_data", "mmap_high_bits", "receive_on_channel", "send_on_channel", "close_socket",
    "write_tun_by_peer_fd", "abort_self", "abort_victim_by_tid",
}
MOVER_UNCONDITIONAL = {
    "brk", "clock_gettime", "close", "exit_group", "getpid", "gettid", "munmap", "ppoll",
    "restart_syscall", "write",
} | ({"poll"} if worker.X86 else set())


# The policy-reader's. It opens nothing, and reads the files that it gets.
READER_ALLOWED = {
    "mmap_data", "mmap_high_bits", "receive_on_channel", "send_on_channel", "close_socket",
    "close_peer", "abort_self", "abort_victim_by_tid",
}
READER_UNCONDITIONAL = {
    "brk", "close", "exit_group", "getpid", "gettid", "munmap", "ppoll", "read", "restart_syscall",
} | ({"poll"} if worker.X86 else set())


def probe(role: str, caller: list[str], sandbox: str, seccomp: str, attempt: Try) -> str:
    return worker.probe(caller, sandbox, seccomp, attempt.name, *attempt.args,
                        program=PROBES[role])


# Both have no network and no file.
NETLESS = pytest.mark.parametrize("role", ("api", "resolver"))


@table()
@NETLESS
def test_netless_role_in_its_full_jail(role: str, attempt: Try) -> None:
    for caller in CALLERS:
        assert_outcome(attempt, probe(role, caller, "required", "required", attempt),
                       API_FULL.get(attempt.name, KILLED))


@table()
@NETLESS
def test_netless_role_with_its_filter_alone(role: str, attempt: Try) -> None:
    assert_outcome(attempt, probe(role, worker.WITH_CAPABILITIES, "off", "required", attempt),
                   API_FULL.get(attempt.name, KILLED))


@table()
@NETLESS
def test_netless_role_in_its_sandbox_without_filter(role: str, attempt: Try) -> None:
    for caller in CALLERS:
        assert_outcome(attempt, probe(role, caller, "required", "off", attempt),
                       API_SANDBOX.get(attempt.id, attempt.sandbox))


@pytest.mark.parametrize("role,unconditional", (
    ("api", API_UNCONDITIONAL), ("resolver", API_UNCONDITIONAL - {"mremap"})))
def test_netless_role_has_no_other_system_call(role: str, unconditional: set[str]) -> None:
    done = sh(PROBES[role], "off", "required", "sweep", "0", "1023")
    assert set(done.stdout.split()) - worker.PAST_EVERY_FILTER == unconditional


@table()
def test_spawner_under_its_filter(attempt: Try) -> None:
    refused = SPAWNER_REFUSED_FORMS.get(attempt.name, set())
    is_allowed = (attempt.name in SPAWNER_ALLOWED
                  and not (attempt.args and attempt.args[0] in refused)) or (
                      attempt.name == "socket" and attempt.args in SPAWNER_SOCKETS)
    for caller in CALLERS:
        got = probe("spawner", caller, "required", "required", attempt)
        if is_allowed:
            assert got != KILLED
        else:
            assert_outcome(attempt, got, KILLED)


def helper_may(attempt: Try) -> bool:
    return attempt.name in HELPER_ALLOWED or (
        attempt.name == "socket" and attempt.args[:2] in HELPER_SOCKETS) or (
        attempt.name == "ioctl_udp" and attempt.args == (SIOCGIFCONF,))


def connector_may(attempt: Try) -> bool:
    return attempt.name in CONNECTOR_ALLOWED or (
        attempt.name == "socket" and attempt.args in CONNECTOR_SOCKETS)


def parent_may(attempt: Try) -> bool:
    return attempt.name in PARENT_ALLOWED


def mover_may(attempt: Try) -> bool:
    return attempt.name in MOVER_ALLOWED


def reader_may(attempt: Try) -> bool:
    return attempt.name in READER_ALLOWED


ROLES_ALLOWED = pytest.mark.parametrize("role,may", (("netns_helper", helper_may),
                                                     ("connector", connector_may),
                                                     ("parent", parent_may),
                                                     ("cgroup_mover", mover_may),
                                                     ("policy_reader", reader_may)))


@table()
@ROLES_ALLOWED
def test_filter_of_the_others(role: str, may: Callable[[Try], bool], attempt: Try) -> None:
    control = CONNECTOR_RECEIVES.get(attempt.name, attempt.control) if role == "connector" else attempt.control
    assert_outcome(attempt, probe(role, worker.WITH_CAPABILITIES, "off", "required", attempt),
                   control if may(attempt) else KILLED)


@table()
@ROLES_ALLOWED
def test_full_jail_of_the_others(role: str, may: Callable[[Try], bool], attempt: Try) -> None:
    for caller in CALLERS:
        got = probe(role, caller, "required", "required", attempt)
        if may(attempt):
            assert got != KILLED
        else:
            assert_outcome(attempt, got, KILLED)


def test_mover_writes_no_file_but_those_of_control_groups() -> None:
    write_tun = worker.Try("write_tun_by_peer_fd", OK, OK)
    for caller in CALLERS:
        assert probe("cgroup_mover", caller, "required", "required", write_tun) == (
            "EACCES" if kernel.LANDLOCK_ABI > 0 else OK)


@pytest.mark.parametrize("role,unconditional", (("netns_helper", HELPER_UNCONDITIONAL),
                                                ("connector", CONNECTOR_UNCONDITIONAL),
                                                ("parent", PARENT_UNCONDITIONAL),
                                                ("cgroup_mover", MOVER_UNCONDITIONAL),
                                                ("policy_reader", READER_UNCONDITIONAL)))
def test_the_others_have_no_other_system_call(role: str, unconditional: set[str]) -> None:
    done = sh(PROBES[role], "off", "required", "sweep", "0", "1023")
    assert set(done.stdout.split()) - worker.PAST_EVERY_FILTER == unconditional


def test_tables_name_attempts() -> None:
    names = {attempt.name for attempt in worker.ATTEMPTS}
    assert {*API_FULL, *SPAWNER_ALLOWED, *SPAWNER_REFUSED_FORMS, *HELPER_ALLOWED,
            *CONNECTOR_ALLOWED, *PARENT_ALLOWED, *MOVER_ALLOWED, *READER_ALLOWED} <= names
    assert API_SANDBOX.keys() <= {attempt.id for attempt in worker.ATTEMPTS}
