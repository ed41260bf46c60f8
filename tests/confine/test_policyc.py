# SPDX-License-Identifier: BSD-2-Clause
"""policyc and the policies of the roles: each filter does what its text says.

POLICYC names the program under test. No filter is loaded: an interpreter runs them, and what
they say is compared with Python's own reading of the policy.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import functools
import itertools
import operator
import os
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import termios
import types
from typing import NamedTuple

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
POLICYC = pathlib.Path(
    os.environ.get("POLICYC", PROJECT / "build/debug/seccomp/policyc")).resolve()
SAMPLES = PROJECT / "tests/confine/policies"

ROLES = {"slirp-worker": 35, "netns-helper": 45, "parent": 45, "connector": 35, "resolver": 25, "api": 25,
         "cgroup-mover": 25, "policy-reader": 25}  # and calls at most

# linux/audit.h, libseccomp's seccomp.h has the same
ARCHES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
ARCH_I386, ARCH_ARM = 0x40000003, 0x40000028
X32_BIT = 0x40000000

KILL, ALLOW, ERRNO = 0x80000000, 0x7FFF0000, 0x00050000
SELF = 0x7FFFFFF5
PID = 4711
U32 = 0xFFFFFFFF

# Those that Python has no name for, or not the kernel's number, from include/uapi.
CONSTANTS = {
    "AT_FDCWD": -100, "MSG_ERRQUEUE": 0x2000, "MSG_NOSIGNAL": 0x4000,
    "MSG_CMSG_CLOEXEC": 0x40000000, "SO_PEERCRED": 17, "IP_RECVERR": 11, "IPV6_RECVERR": 25,
    "UDP_SEGMENT": 103, "UDP_GRO": 104, "IP_MTU_DISCOVER": 10, "IPV6_MTU_DISCOVER": 23, "IP_PKTINFO": 8, "IP_RECVTTL": 12, "IP_RECVTOS": 13,
    "PROT_READ": 1, "PROT_WRITE": 2, "PROT_EXEC": 4, "MADV_DONTNEED": 4, "MADV_FREE": 8,
    "GRND_NONBLOCK": 1, "FUTEX_WAKE_PRIVATE": 129, "IN_CLOEXEC": 0o2000000, "IN_NONBLOCK": 0o4000,
    "SIOCGIFINDEX": 0x8933, "SIOCGIFCONF": 0x8912, "SIOCGIFNAME": 0x8910, "SIOCGIFHWADDR": 0x8927,
    "TUNSETIFF": 0x400454CA,
    "TUNGETIFF": 0x800454D2, "TUNSETOFFLOAD": 0x400454D0, "TUNGETVNETHDRSZ": 0x800454D7,
    "TUNSETVNETHDRSZ": 0x400454D8, "TUNSETVNETLE": 0x400454DC,
    "TUN_F_CSUM": 1, "TUN_F_TSO4": 2, "TUN_F_TSO6": 4,
    "TUN_F_USO4": 0x20, "TUN_F_USO6": 0x40,
    "NETLINK_ROUTE": 0, "SIG_UNBLOCK": 1, "CLONE_VM": 0x100, "CLONE_FS": 0x200,
    "CLONE_FILES": 0x400, "O_ACCMODE": 3, "SELF": PID, "MNT_DETACH": 2, "UMOUNT_NOFOLLOW": 8,
}
OPEN_FLAGS = {
    "x86_64": {"O_DIRECTORY": 0o200000, "O_NOFOLLOW": 0o400000, "O_LARGEFILE": 0o100000},
    "aarch64": {"O_DIRECTORY": 0o40000, "O_NOFOLLOW": 0o100000, "O_LARGEFILE": 0o400000},
}

libseccomp = ctypes.CDLL("libseccomp.so.2")


@functools.cache
def number_of(call: str, arch: str) -> int:
    """The call's number, negative where the architecture does not have it."""
    audit = ctypes.c_uint32(ARCHES[arch])
    return libseccomp.seccomp_syscall_resolve_name_arch(audit, call.encode())


def policyc(*args: object, cwd: pathlib.Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([POLICYC, *map(str, args)], cwd=cwd, text=True, capture_output=True,
                          timeout=60)


# --- the filter ---------------------------------------------------------------------------------


class Header(NamedTuple):
    filter: list[tuple[int, int, int, int]]
    self_at: list[int]
    calls: list[str]


def parse_header(text: str) -> dict[str, Header]:
    """The parts of a header by architecture, in the order of ARCHES."""
    headers = {}
    for arch, part in zip(ARCHES, re.split(r"^#el", text, flags=re.M)):
        rows = re.findall(r"\{ (0x\w+), (\d+), (\d+), (0x\w+) \}", part)
        code = [(int(c, 16), int(jt), int(jf), int(k, 16)) for c, jt, jf, k in rows]
        self_at = [int(n) for n in re.search(r"_self_at\[\] = \{(.*)\}", part)[1].split(",")]
        calls = re.findall(r'^\t"(\w+)",$', part, re.M)
        assert f"_FILTER_LEN = {len(code)}," in part and f"_N_CALLS = {len(calls)}," in part
        assert calls == sorted(set(calls)) and self_at[-1] == 0
        for at in self_at[:-1]:
            assert code[at][3] == SELF
            code[at] = (*code[at][:3], PID)
        assert not any(k == SELF for *_, k in code), "a place of SELF is not in self_at"
        headers[arch] = Header(code, self_at, calls)
    return headers


JUMPS = {0x25: operator.gt, 0x35: operator.ge, 0x45: operator.and_}


def run(code: list[tuple[int, int, int, int]], arch: int, number: int, args=(0,) * 6) -> int:
    """What the filter says; of classic BPF only what libseccomp uses."""
    words = struct.unpack("<16I", struct.pack("<IIQ6Q", number & U32, arch, 0, *args))
    at = accumulator = 0
    while True:
        op, jump_true, jump_false, k = code[at]
        at += 1
        if op == 0x20:
            assert k % 4 == 0
            accumulator = words[k // 4]
        elif op == 0x15:
            at += jump_true if accumulator == k else jump_false
        elif op == 0x06:
            return k
        elif op == 0x54:
            accumulator &= k
        elif op == 0x05:
            at += k
        else:
            at += jump_true if JUMPS[op](accumulator, k) else jump_false


# --- the text -----------------------------------------------------------------------------------


class Line(NamedTuple):
    call: str
    marker: str
    arches: list[str]
    condition: str
    effect: int
    reason: str
    place: str


def lines_of(*policies: object) -> list[Line]:
    done = policyc("--calls", *policies)
    assert done.returncode == 0, done.stderr
    lines = []
    for row in done.stdout.splitlines():
        call, marker, arches, condition, effect, reason, place = row.split("\t")
        value = ALLOW if effect == "allow" else ERRNO | int(effect.removeprefix("errno "))
        if condition == "-":
            condition = ""
        lines.append(Line(call, marker, arches.split(","), condition, value, reason, place))
    return lines


def constant(name: str, arch: str) -> int:
    if name in OPEN_FLAGS[arch]:
        return OPEN_FLAGS[arch][name]
    if name in CONSTANTS:
        return CONSTANTS[name] & U32
    for module in (socket, os, fcntl, termios, signal):
        if hasattr(module, name):
            return int(getattr(module, name)) & U32
    raise KeyError(f"{name} has no value in this test")


def is_met(condition: str, arch: str, args: tuple[int, ...]) -> bool:
    """Python binds & | ~ tighter than comparisons, as a policy does."""
    return not condition or bool(eval(compiled(condition, arch),  # noqa: S307
                                      {"a": [arg & U32 for arg in args]}))


@functools.cache
def compiled(condition: str, arch: str) -> types.CodeType:
    text = re.sub(r"\barg(\d)\b", r"a[\1]", condition.replace("&&", " and "))
    text = re.sub(r"\b(?!and\b)([A-Za-z_]\w+)\b", lambda m: str(constant(m[1], arch)), text)
    return compile(text, condition, "eval")


def expected(lines: list[Line], call: str, arch: str, args: tuple[int, ...]) -> int:
    effects = {line.effect for line in lines
               if line.call == call and arch in line.arches and is_met(line.condition, arch, args)}
    assert len(effects) <= 1, (call, args, effects)
    return effects.pop() if effects else KILL


def interesting_args(lines: list[Line], arch: str,
                     rng: random.Random) -> list[tuple[int, ...]]:
    """What the conditions of one call name, values next to those, any bits in upper halves."""
    values: list[set[int]] = [{0, 1, U32} for _ in range(6)]
    for line in lines:
        for part in line.condition.split("&&"):
            arg = re.search(r"\barg(\d)", part)
            if not arg:
                continue
            mine = values[int(arg[1])]
            named = [constant(name, arch) for name in re.findall(r"\b[A-Z_][A-Z0-9_]+\b", part)]
            named += [int(n, 0) & U32 for n in re.findall(r"\b(?:0x[0-9a-f]+|\d+)\b", part)]
            for count in range(1, len(named) + 1):
                for some in itertools.combinations(named[:6], count):
                    value = 0
                    for one in some:
                        value |= one
                    mine |= {value, (value + 1) & U32, (value - 1) & U32,
                             value ^ (1 << rng.randrange(32))}
    used = [sorted(v) for v in values]
    return [tuple(rng.choice(v) | rng.choice((0, U32, rng.getrandbits(32))) << 32 for v in used)
            for _ in range(400)]


def exact_args(line: Line, arch: str) -> tuple[int, ...]:
    """Arguments that meet the line, for conditions of == alone and for masks."""
    args = [0] * 6
    for part in filter(None, line.condition.split("&&")):
        match = re.fullmatch(r"\s*arg(\d)[^=<>!]*(==|<=|<|>=|>|!=)(.*)", part)
        arg, compare, value = match.groups()
        text = re.sub(r"\b[A-Za-z_]\w+\b", lambda m: str(constant(m[0], arch)), value)
        number = eval(text) & U32  # noqa: S307
        args[int(arg)] = number + {">": 1, "<": -1, "!=": 1}.get(compare, 0)
    return tuple(args)


def check_filter(headers: dict[str, Header], lines: list[Line]) -> None:
    rng = random.Random(1)
    for arch, audit in ARCHES.items():
        code = headers[arch].filter
        by_call: dict[str, list[Line]] = {}
        for line in lines:
            if arch in line.arches:
                by_call.setdefault(line.call, []).append(line)
        allowed = sorted(c for c, some in by_call.items() if any(x.effect == ALLOW for x in some))
        assert headers[arch].calls == allowed
        for call, some in by_call.items():
            number = number_of(call, arch)
            assert number >= 0
            for line in some:
                for upper in (0, U32, 0xDEADBEEF):
                    args = tuple(arg | upper << 32 for arg in exact_args(line, arch))
                    assert run(code, audit, number, args) == line.effect, (line, args)
            for args in interesting_args(some, arch, rng):
                want = expected(lines, call, arch, args)
                assert run(code, audit, number, args) == want, (call, args)
                # The same call by another name of the machine.
                for other in {ARCH_I386, ARCH_ARM, *ARCHES.values()} - {audit}:
                    assert run(code, other, number, args) == KILL
                assert run(code, audit, number | X32_BIT, args) == KILL
        numbers = {number_of(call, arch) for call in by_call}
        for number in {*range(1024), -1, *(1 << n for n in range(32))} - numbers:
            for args in ((0,) * 6, (U32,) * 6, tuple(rng.getrandbits(64) for _ in range(6))):
                assert run(code, audit, number, args) == KILL, (number, args)


def compile_policy(tmp_path: pathlib.Path, role: str, *policies: object) -> dict[str, Header]:
    out = tmp_path / "out.h"
    done = policyc(role, *policies, "-o", out)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return parse_header(out.read_text())


# --- the roles ----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_filter_of_a_role_does_what_its_text_says(tmp_path: pathlib.Path, role: str) -> None:
    path = f"seccomp/{role}.policy"
    check_filter(compile_policy(tmp_path, role, path), lines_of(path))


@pytest.mark.parametrize("role", ROLES)
def test_filter_of_a_sanitizer_build_does_what_its_texts_say(tmp_path: pathlib.Path,
                                                             role: str) -> None:
    paths = (f"seccomp/{role}.policy", "seccomp/sanitizer.policy")
    check_filter(compile_policy(tmp_path, role, *paths), lines_of(*paths))


@pytest.mark.parametrize("role", ROLES)
def test_role_stays_within_its_number_of_calls(tmp_path: pathlib.Path, role: str) -> None:
    for header in compile_policy(tmp_path, role, f"seccomp/{role}.policy").values():
        assert len(header.calls) <= ROLES[role]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_has_what_no_role_may_have(tmp_path: pathlib.Path, role: str) -> None:
    never = {"execve", "execveat", "fork", "vfork", "clone", "clone3", "ptrace", "mount", "setns",
             "unshare", "pivot_root", "chroot", "prctl", "seccomp", "bpf", "perf_event_open",
             "userfaultfd", "io_uring_setup", "io_uring_enter", "keyctl", "add_key", "mprotect",
             "pkey_mprotect", "process_vm_writev", "capset", "setuid", "init_module", "kexec_load",
             "memfd_create", "shmat", "personality", "open_by_handle_at", "pidfd_getfd"}
    for arch, header in compile_policy(tmp_path, role, f"seccomp/{role}.policy").items():
        assert not never & set(header.calls)
        mmap = number_of("mmap", arch)
        for prot in range(8):
            verdict = run(header.filter, ARCHES[arch], mmap, (0, 4096, prot, 0x22, U32, 0))
            assert verdict == (KILL if prot & 4 else ALLOW)


# Calls whose first argument is a descriptor, which a policy may name by its number.
TAKE_DESCRIPTOR = {"accept4", "execveat", "fcntl", "openat", "recvmsg", "sendmsg"}
# Whose policies are in the spawner's filter.
SERVICES = ("api", "connector", "resolver", "slirp-worker")
# A service replaces its channel to a peer that was started again. The spawner's filter is also a
# service's while that gets its descriptors, and none has met a guest or a client.
CLOSABLE = {"spawner": set(range(5, 9))}
REPLACEABLE = {"slirp-worker": {4, 5, 6}, "connector": {4, 5, 6}, "resolver": {4, 5},
               "api": {4, 5},
               "spawner": set(range(9))}


@pytest.mark.parametrize("role", (*ROLES, "spawner"))
def test_descriptor_that_a_policy_names_is_neither_freed_nor_replaced(tmp_path: pathlib.Path,
                                                                      role: str) -> None:
    paths = [f"seccomp/{name}.policy" for name in (role, *(SERVICES if role == "spawner" else []))]
    named = {int(number) for line in lines_of(*paths) if line.call in TAKE_DESCRIPTOR
             for number in re.findall(r"\barg0 == (\d+)", line.condition)}
    assert named or role == "parent"
    for arch, header in compile_policy(tmp_path, "x", *paths).items():

        def allows(call: str, *args: int) -> bool:
            number = number_of(call, arch)
            return number >= 0 and run(header.filter, ARCHES[arch], number,
                                       (*args, *(0,) * (6 - len(args)))) == ALLOW

        for fd in range(max(named, default=-1) + 1):
            assert not allows("close", fd) or fd in CLOSABLE.get(role, ()), fd
            assert not allows("close_range", fd, fd)
            for flags in (0, os.O_CLOEXEC):
                assert (not allows("dup2", 9, fd) and not allows("dup3", 9, fd, flags)
                        or fd in REPLACEABLE.get(role, ())), fd


def test_connector_makes_no_other_socket_and_reads_its_channels_only(
        tmp_path: pathlib.Path) -> None:
    cloexec = socket.SOCK_CLOEXEC
    may = {(family, kind | cloexec, 0) for family in (socket.AF_INET, socket.AF_INET6)
           for kind in (socket.SOCK_STREAM | socket.SOCK_NONBLOCK, socket.SOCK_DGRAM)}
    may |= {(socket.AF_INET, socket.SOCK_DGRAM | cloexec, socket.IPPROTO_ICMP),
            (socket.AF_INET6, socket.SOCK_DGRAM | cloexec, socket.IPPROTO_ICMPV6)}
    reads = ("read", "readv", "recvfrom", "recvmmsg", "pread64", "preadv", "preadv2", "splice",
             "sendfile", "accept", "accept4", "sendto", "sendmmsg", "write")
    for arch, header in compile_policy(tmp_path, "c", "seccomp/connector.policy").items():
        number = number_of("socket", arch)
        for family, kind, flags, protocol in itertools.product(
                range(48), range(12), (cloexec, cloexec | socket.SOCK_NONBLOCK), range(256)):
            asked = (family, kind | flags, protocol)
            verdict = run(header.filter, ARCHES[arch], number, (*asked, 0, 0, 0))
            assert verdict == (ALLOW if asked in may else KILL), asked
        for call in reads:
            assert run(header.filter, ARCHES[arch], number_of(call, arch), (3,) * 6) == KILL, call
        receive = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        for flags, fd in itertools.product((receive, receive | socket.MSG_ERRQUEUE), range(16)):
            assert run(header.filter, ARCHES[arch], number_of("recvmsg", arch), (fd, 4096, flags, 0, 0, 0)) == (
                ALLOW if fd in (3, 4, 5, 6) and flags & socket.MSG_ERRQUEUE else KILL)
        for fd in range(16):
            assert run(header.filter, ARCHES[arch], number_of("sendmsg", arch),
                       (fd, 4096, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, 0, 0, 0)) == (
                ALLOW if fd in (3, 4, 6) else KILL)


def test_worker_makes_no_socket_and_leads_none_elsewhere(tmp_path: pathlib.Path) -> None:
    for arch, header in compile_policy(tmp_path, "w", "seccomp/slirp-worker.policy").items():
        def verdict(call: str, *args: int) -> int:
            return run(header.filter, ARCHES[arch], number_of(call, arch), (*args, *[0] * (6 - len(args))))

        for family, kind in itertools.product(range(48), range(12)):
            assert verdict("socket", family, kind | socket.SOCK_CLOEXEC) == KILL
        for call in ("socketpair", "connect", "bind", "listen", "accept", "sendmmsg", "getsockname"):
            assert verdict(call, 7) == KILL, call
        flags = socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT
        assert verdict("sendto", 7, 4096, 1, flags) == ALLOW
        assert verdict("sendto", 7, 4096, 1, flags, 1 << 32, 16) == KILL
        assert verdict("sendto", 7, 4096, 1, flags | socket.MSG_MORE) == KILL

@pytest.mark.parametrize("role", ("slirp-worker", "resolver", "api", "policy-reader", "cgroup-mover"))
def test_role_that_sends_no_descriptor_sends_to_no_address(tmp_path: pathlib.Path, role: str) -> None:
    """A socket of UDP at the number of a channel would send to any address that sendmsg(2) names."""
    for arch, header in compile_policy(tmp_path, role, f"seccomp/{role}.policy").items():
        assert not {"sendmsg", "sendmmsg"} & set(header.calls)
        for fd in range(16):
            assert run(header.filter, ARCHES[arch], number_of("sendto", arch),
                       (fd, 4096, 1, socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT, 1 << 32, 16)) == KILL



def test_hot_calls_are_answered_early_and_by_number_alone(tmp_path: pathlib.Path) -> None:
    lines = lines_of("seccomp/slirp-worker.policy")
    hot = [line for line in lines if line.marker == "hot"]
    assert hot and all(line.condition == "" for line in hot)
    for arch, header in compile_policy(tmp_path, "w", "seccomp/slirp-worker.policy").items():
        numbers = {number_of(line.call, arch) for line in hot if arch in line.arches}
        places = [at for at, (op, _, _, k) in enumerate(header.filter) if op == 0x15 and
                  k in numbers]
        # An argument of another call may have the same value further on.
        assert min(places) < 8 and max(places[:len(numbers)]) < 8 + len(numbers)


# --- the tool -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.policy")), ids=lambda path: path.stem)
def test_dump_of_a_sample_is_the_expected_one(sample: pathlib.Path) -> None:
    done = policyc("--dump", sample.name, cwd=SAMPLES)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == sample.with_suffix(".dump").read_text()


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.policy")), ids=lambda path: path.stem)
def test_filter_of_a_sample_does_what_its_text_says(tmp_path: pathlib.Path,
                                                    sample: pathlib.Path) -> None:
    check_filter(compile_policy(tmp_path, "sample", sample), lines_of(sample))


COMPARISONS = ("arg0 == 5", "arg0 != 5", "arg0 < 5", "arg0 <= 5", "arg0 > 5", "arg0 >= 5",
               "arg0 & 0xf0 == 0x30", "arg0 & 0xf0 != 0x30", "arg0 & ~7 == 0", "arg0 < 0xffffffff",
               "arg0 > 0x7fffffff", "arg0 >= 3 && arg0 <= 12", "arg0 != 0 && arg1 & 7 != 0",
               "arg0 >= 3 && arg0 != 7 && arg1 & 3 == 1 && arg2 < 10", "arg0 == (1|2) | 8",
               "arg5 == 1")


@pytest.mark.parametrize("condition", COMPARISONS)
def test_comparison(tmp_path: pathlib.Path, condition: str) -> None:
    path = tmp_path / "x.policy"
    path.write_text(f"ioctl {condition} # a test\n")
    rng = random.Random(2)
    near = [*range(20), 0x30, 0x35, 0x3F, 0x130, 0x7FFFFFFF, 0x80000000, U32 - 1, U32]
    for arch, header in compile_policy(tmp_path, "x", path).items():
        for _ in range(2000):
            args = tuple(rng.choice(near) | rng.choice((0, 1, U32)) << 32 for _ in range(6))
            verdict = run(header.filter, ARCHES[arch], number_of("ioctl", arch), args)
            assert verdict == (ALLOW if is_met(condition, arch, args) else KILL), (args, arch)


def test_alternatives_of_a_call_never_mix(tmp_path: pathlib.Path) -> None:
    """Random lines of one call, with masks that overlap in every way."""
    rng = random.Random(3)
    for _ in range(60):
        conditions = set()
        for _ in range(rng.randrange(2, 7)):
            parts = []
            for arg in sorted(rng.sample(range(3), rng.randrange(1, 4))):
                mask = rng.choice((U32, 3, 6, 12, 0xFF))
                parts.append(f"arg{arg} & {mask:#x} == {rng.randrange(16) & mask:#x}")
            conditions.add(" && ".join(parts))
        path = tmp_path / "x.policy"
        path.write_text("".join(f"ioctl {c} # a test\n" for c in sorted(conditions)))
        for arch, header in compile_policy(tmp_path, "x", path).items():
            for _ in range(300):
                args = tuple(rng.randrange(20) | rng.choice((0, U32)) << 32 for _ in range(6))
                verdict = run(header.filter, ARCHES[arch], number_of("ioctl", arch), args)
                met = any(is_met(c, arch, args) for c in conditions)
                assert verdict == (ALLOW if met else KILL), (conditions, args)


ERRORS = {
    "sokcet # why": 'unknown system call "sokcet"',
    "read": "the reason is missing: write # and why",
    "read #": "the reason is missing: write # and why",
    "read #   ": "the reason is missing: write # and why",
    "socket arg0 == AF_FOO # why": 'unknown constant "AF_FOO"',
    "socket arg6 == 1 # why": 'arg0 to arg5 expected, not "arg6"',
    "socket AF_INET # why": 'arg0 to arg5 expected, not "AF_INET"',
    "socket arg0 = 1 # why": 'one of == != < <= > >= expected before "= 1"',
    "socket arg0 == # why": "the condition ends too early",
    "socket arg0 == 1 && # why": "the condition ends too early",
    "socket arg0 == (1 # why": '")" is missing',
    "socket arg0 == 1 1 # why": 'unexpected "1" after the condition',
    "socket arg0 == $ # why": 'unexpected "$" in the condition',
    "socket arg0 == 12ab # why": 'bad number "12ab"',
    "socket arg0 == 0x100000000 # why": "number 0x100000000 has more than 32 bits",
    "socket arg0 & 1 == 2 # why": "the value has bits outside of the mask",
    "socket arg0 & 1 < 1 # why": "a masked argument takes == or != only",
    "socket arg0 == 1 && arg0 == 2 # why": "the condition is never true",
    "socket arg0 < 0 # why": "the condition is never true",
    "socket arg0 >= 0 # why": "the condition is always true",
    "socket arg0 != 1 && arg1 != 1 # why": "the condition has more than 256 alternatives",
    "kill arg0 != SELF # why": "SELF takes == only",
    "open # why": 'system call "open" does not exist on aarch64: write open [...] with the '
                  "architectures that have it",
    "poll [aarch64] # why": 'system call "poll" does not exist on aarch64: write poll [...] with '
                            "the architectures that have it",
    "read [vax] # why": 'unknown architecture "vax"',
    "read [x86_64 # why": '"]" is missing',
    "read hot rare # why": "a call is hot or rare, not both",
    "read -> EFOO # why": 'unknown error "EFOO" after "->"',
    "[x86_64] # why": "name of a system call expected",
    "write # first\nwrite # second": "the same as line 1",
    "ioctl arg0 == 3 # first\nioctl arg0 & 0xffffffff == 1|2 # second": "the same as line 1",
    "ioctl # first\nioctl arg0 == 1 # second": "line 1 allows every ioctl, whatever its arguments",
    "ioctl arg0 == 1 # first\nioctl # second":
        "allows every ioctl, so the condition of line 1 is for nothing",
    "ioctl arg0 < 4 # first\nioctl arg0 == 2 -> EPERM # second":
        "line 1 allows what this line refuses",
}


@pytest.mark.parametrize("text", ERRORS)
def test_error_names_file_line_and_fault(tmp_path: pathlib.Path, text: str) -> None:
    line = 2
    if "first" not in text:
        text_of_file, line = f"\n# a comment\n{text}\n", 3
    else:
        text_of_file = f"{text}\n"
    (tmp_path / "x.policy").write_text(text_of_file)
    done = policyc("role", "x.policy", "-o", "out.h", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"x.policy:{line}: {ERRORS[text]}\n"
    assert not (tmp_path / "out.h").exists()


def test_all_errors_are_told_at_once(tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.policy").write_text("red # a\nread # b\nrite # c\n")
    (tmp_path / "y.policy").write_text("\nopem # d\n")
    done = policyc("role", "x.policy", "y.policy", "-o", "out.h", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ['x.policy:1: unknown system call "red"',
                                        'x.policy:3: unknown system call "rite"',
                                        'y.policy:2: unknown system call "opem"']


def test_later_file_widens(tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "first.policy", tmp_path / "second.policy"
    first.write_text("ioctl arg0 == 1 # a\nread # b\nfcntl arg1 == 1 # c\n")
    second.write_text("ioctl # a\nread # b\nfcntl arg1 == 2 # c\n")
    lines = lines_of(first, second)
    assert [(x.call, x.condition) for x in lines] == [
        ("read", ""), ("fcntl", "arg1 == 1"), ("ioctl", ""), ("fcntl", "arg1 == 2")]
    check_filter(compile_policy(tmp_path, "x", first, second), lines)


def test_file_that_is_not_there(tmp_path: pathlib.Path) -> None:
    done = policyc("role", "x.policy", "-o", "out.h", cwd=tmp_path)
    assert done.returncode == 1 and "open x.policy: No such file" in done.stderr


def test_policy_without_a_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "x.policy").write_text("# nothing\n")
    done = policyc("role", "x.policy", "-o", "out.h", cwd=tmp_path)
    assert done.returncode == 1 and "x.policy: nothing is allowed" in done.stderr


@pytest.mark.parametrize("args", ((), ("--dump",), ("--foo", "x.policy"), ("role", "x.policy"),
                                  ("role", "-o", "out.h")))
def test_wrong_use_tells_the_right_one(args: tuple[str, ...]) -> None:
    done = policyc(*args)
    assert done.returncode == 1
    assert done.stderr.startswith("usage: policyc ROLE POLICY... -o OUT.h\n")


def test_header_compiles_without_a_warning(tmp_path: pathlib.Path) -> None:
    role, out = "slirp-worker", tmp_path / "p.h"
    assert policyc(role, f"seccomp/{role}.policy", "-o", out).returncode == 0
    (tmp_path / "user.c").write_text('#include "p.h"\nint main(void)\n{\n\treturn '
                                     "seccomp_slirp_worker_filter[0].code == 0;\n}\n")
    done = subprocess.run(["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                           "user.c"], cwd=tmp_path, text=True, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_every_line_has_a_reason_that_says_something() -> None:
    for role in (*ROLES, "sanitizer"):
        for line in lines_of(f"seccomp/{role}.policy"):
            assert len(line.reason) >= 3, line


# --- which lines are used -------------------------------------------------------------------------


USAGE_POLICY = """\
read hot # a
fcntl arg1 == F_GETFL # b
fcntl rare arg1 == F_SETFL && arg2 & ~O_NONBLOCK == 0 # c
tgkill arg0 == SELF # d
socket rare arg0 == AF_UNIX -> EACCES # e
socket arg0 == AF_INET # f
poll [x86_64] # g
"""


def usage(tmp_path: pathlib.Path, *calls: str) -> tuple[subprocess.CompletedProcess[str], dict]:
    (tmp_path / "x.policy").write_text(USAGE_POLICY)
    done = subprocess.run([POLICYC, "--usage", "x.policy"], cwd=tmp_path, text=True, timeout=60,
                          input="".join(f"{call}\n" for call in calls), capture_output=True)
    rows = [row.split("\t") for row in done.stdout.splitlines()]
    return done, {row[4]: int(row[0]) for row in rows}


def test_usage_counts_the_line_that_took_a_call(tmp_path: pathlib.Path) -> None:
    done, counts = usage(
        tmp_path, "7 read 0x3 0x7ffc 0x10", "7 read 0 0 0", f"7 fcntl 3 {fcntl.F_GETFL:#x}",
        f"7 fcntl 3 {fcntl.F_SETFL} {os.O_NONBLOCK:#x}", "7 tgkill 7 7 6", "8 tgkill 8 9 6",
        # As a filter does, by the lower half alone.
        "7 socket 0xffffffff00000001 1 0", f"7 socket {socket.AF_INET} 1 0")
    assert done.returncode == 0, done.stderr
    assert {name: n for name, n in counts.items() if name != "g"} == {
        "a": 2, "b": 1, "c": 1, "d": 2, "e": 1, "f": 1}
    assert counts.get("g", 0) == 0 and ("g" in counts) == (os.uname().machine == "x86_64")
    first = done.stdout.splitlines()[0].split("\t")
    assert first == ["2", "hot", "read", "-", "a", "x.policy:1"]


@pytest.mark.parametrize("call", ("7 write 1 0 0", "7 tgkill 8 8 6", f"7 socket {socket.AF_INET6}",
                                  f"7 fcntl 3 {fcntl.F_SETFL} {os.O_NONBLOCK | os.O_APPEND}"))
def test_usage_knows_a_call_that_no_line_takes(tmp_path: pathlib.Path, call: str) -> None:
    done, counts = usage(tmp_path, "7 read", call)
    assert done.returncode == 1
    assert f"no line takes {call.split()[1]}(" in done.stderr and counts["a"] == 1


@pytest.mark.parametrize("text", ("7", "read 7", "7 read x", "7 read 1 2 3 4 5 6 7", ""))
def test_usage_refuses_what_is_no_call(tmp_path: pathlib.Path, text: str) -> None:
    done, _ = usage(tmp_path, "7 read", text)
    assert done.returncode == 1 and "line 2: " in done.stderr
