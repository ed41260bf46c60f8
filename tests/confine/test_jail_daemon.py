# SPDX-License-Identifier: BSD-2-Clause
"""The jails of a running slirpd from outside: /proc, its log, its failures, and DNS in it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import kernel
import pytest
from commands import ORDINARY, sh
from daemon import Slirpd, run_slirpd
from forwarding import check_connection, from_internet, serving
from guest import Guest
from integration_conftest import leaves_no_process  # noqa: F401  (see conftest.py)
from lab import ECHO_PORT, HOST4, INTERNET4, STATE, WORD_NAME, Lab, works
from processes import fds_of
from repeating import repeating
from tree import SANITIZED, slirpd_path
from waiting import DEADLINE_S, wait_for

HERE = Path(__file__).parent
ALL_STAGES = ("descriptors", "namespaces", "root", "capabilities", "limits", "landlock", "seccomp")
# "namespaces of its own" are these; a PID namespace would hold only children, of which no
# process has one.
OWN_NAMESPACES = {"user", "mnt", "ipc", "uts", "cgroup"}
SHARED_NAMESPACES = {"net", "pid", "time"}
# The connector alone makes sockets of the host's network. The others have one with nothing in it.
NETLESS = {"slirp-worker", "resolver", "api"}


def own_namespaces(role: str) -> set[str]:
    return OWN_NAMESPACES | ({"net"} if role in NETLESS else set())


# What each role means to reach; only what is missing of it is told of (kernel.MISSING_STAGES).
STAGES = {"slirp-worker": set(ALL_STAGES),
          "connector": set(ALL_STAGES),
          "resolver": set(ALL_STAGES),
          "api": set(ALL_STAGES),
          "netns-helper": {"descriptors", "limits", "seccomp"},
          "spawner": {"descriptors", "limits", "seccomp"},
          "parent": {"capabilities", "limits", "seccomp"}}

# Most system calls that a role's policy may allow.
CALLS_AT_MOST = {"slirp-worker": 35, "connector": 35, "resolver": 25, "parent": 45, "netns-helper": 45}

NO_CAPABILITY = "0" * 16
# Services are under two filters, their own and that of the spawner, which starts them.
N_FILTERS = {"slirp-worker": 2, "connector": 2, "resolver": 2, "api": 2, "spawner": 1, "netns-helper": 1,
             "parent": 1}


def expected_status(role: str) -> dict[str, str]:
    return {
        "CapInh": NO_CAPABILITY, "CapPrm": NO_CAPABILITY, "CapEff": NO_CAPABILITY,
        "CapBnd": NO_CAPABILITY, "CapAmb": NO_CAPABILITY, "NoNewPrivs": "1", "Seccomp": "2",
        "Seccomp_filters": str(kernel.N_SECCOMP_FILTERS + N_FILTERS[role]), "Threads": "1",
    }


# Which limits of each role are 0 for good; all others are as its caller has them.
NO_CORE_NO_LOCK = {"Max core file size", "Max locked memory"}
NOTHING_NEW = NO_CORE_NO_LOCK | {"Max processes", "Max file size"}
LIMITS_OF_ZERO = {"slirp-worker": NOTHING_NEW,
                  "connector": NOTHING_NEW,
                  "resolver": NOTHING_NEW,
                  "api": NOTHING_NEW,
                  "netns-helper": NO_CORE_NO_LOCK,
                  "spawner": NO_CORE_NO_LOCK,
                  "parent": NO_CORE_NO_LOCK}
# The roles that have an empty root from the start on.
ROOTS = ("slirp-worker", "connector", "resolver")
ROOT_MOUNT = r"^\d+ \d+ \S+ / / (ro,\S+) - tmpfs slirpd ro,"

# What slirpd says of a worker that a signal ended in service.
LAST_STATE = (r"^slirpd: slirp-worker was killed by {} \d+\.\d{{3}} s after its start, in service; "
              r"its last message was (ready|pong); ending$")

OTHER_DNS4 = "203.0.113.3"
OTHER_ANSWER = "203.0.113.33"

not_sanitized = pytest.mark.skipif(
    SANITIZED, reason="a sanitizer needs more limits and calls than the role")


@contextlib.contextmanager
def traffic(netns: str) -> Iterator[None]:
    """One connection after the other during the block; there were some, and none failed."""
    answers: list[bool] = []

    def try_it() -> None:
        try:
            answers.append(works(netns))
        except OSError:
            answers.append(False)

    with repeating(try_it):
        wait_for("traffic", lambda: len(answers) > 3)
        yield
        so_far = len(answers)
        wait_for("traffic goes on", lambda: len(answers) > so_far + 3)
    assert all(answers)


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: " ".join(value.split()) for key, value in (line.split(":", 1) for line in lines)}


def n_own_filters(pid: int) -> int:
    """Filters of a process that the tests are not under themselves."""
    return int(status_of(pid)["Seccomp_filters"]) - kernel.N_SECCOMP_FILTERS


def namespaces_of(pid: int | str) -> dict[str, str]:
    return {name: os.readlink(f"/proc/{pid}/ns/{name}")
            for name in OWN_NAMESPACES | SHARED_NAMESPACES}


def foreign_namespaces(pid: int) -> set[str]:
    """Those that are not ours. The worker is not dumpable; the lab's capabilities over its
    parent user namespace still let it look, other than the same user without them."""
    ours, theirs = namespaces_of("self"), namespaces_of(pid)
    return {name for name in ours if ours[name] != theirs[name]}


def tree(root: str) -> set[str]:
    return {os.path.join(above, name).removeprefix(root)
            for above, dirs, files in os.walk(root) for name in (*dirs, *files)}


def limits_of_zero(pid: int) -> set[str]:
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]
    return {line[:26].strip() for line in lines if line[26:].split()[:2] == ["0", "0"]}


def assert_limits(pid: int, expected: set[str]) -> None:
    """These are 0, besides those that the caller, who is us, has at 0 anyway."""
    assert limits_of_zero(pid) == expected | limits_of_zero(os.getpid())


class Said:
    """The line that a role's jail is reported in."""

    def __init__(self, stderr: str, role: str) -> None:
        lines = re.findall(rf"^\S+: {role} confined:(.*); not:(.*); (\d+) system calls"
                           r"(?:, Landlock ABI (\d+))?$", stderr, re.M)
        assert len(lines) == 1, stderr
        assert bool(lines[0][3]) == ("landlock" in STAGES[role])
        self.reached = set(lines[0][0].split()) - {"none"}
        self.missed = set(lines[0][1].split()) - {"none"}
        self.n_calls, self.landlock_abi = int(lines[0][2]), int(lines[0][3] or 0)
        assert self.reached | self.missed == STAGES[role]
        assert not self.reached & self.missed


def assert_jailed(daemon: Slirpd) -> None:
    """The whole jails of the processes that carry packets, as /proc shows them."""
    for role in ROOTS:
        pid = daemon.children()[role]
        status = status_of(pid)
        expected = expected_status(role)
        assert {key: status[key] for key in expected} == expected
        assert foreign_namespaces(pid) == own_namespaces(role)
        assert tree(f"/proc/{pid}/root") == set()


# --- /proc ------------------------------------------------------------------------------------


@not_sanitized
def test_status_of_every_role_is_as_documented(guest: Guest, network: Slirpd) -> None:
    with traffic(guest.netns):
        for role, pid in {"parent": network.pid, **network.children()}.items():
            status, expected = status_of(pid), expected_status(role)
            assert {key: status[key] for key in expected} == expected
            assert set(status["Uid"].split()) == {str(os.getuid())}
            assert set(status["Gid"].split()) == {str(os.getgid())}


@pytest.mark.parametrize("role", ROOTS)
def test_capabilities_of_the_caller_are_lost(guest: Guest, role: str) -> None:
    with Slirpd("--configure", guest.pid, "tap0", as_ordinary=False) as daemon:
        assert status_of(os.getpid())["CapEff"] != NO_CAPABILITY
        with traffic(guest.netns):
            status = status_of(daemon.children()[role])
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert status[kind] == NO_CAPABILITY, kind


@not_sanitized
def test_caller_that_can_make_namespaces_loses_no_stage_for_low_ports(guest: Guest) -> None:
    """Root of a container with a network of its own: the connector keeps the one capability, in all
    namespaces but one of users."""
    with Slirpd("--configure", "--publish=80:80", guest.pid, "tap0", as_ordinary=False) as daemon:
        pid = daemon.children()["connector"]
        status = status_of(pid)
        expected = expected_status("connector") | dict.fromkeys(("CapEff", "CapPrm"), f"{1 << 10:016x}")
        assert {key: status[key] for key in expected} == expected
        assert foreign_namespaces(pid) == own_namespaces("connector") - {"user"}
        assert tree(f"/proc/{pid}/root") == set()
        assert Said(daemon.stderr, "connector").missed == kernel.MISSING_STAGES
        with serving(guest, 4, 80) as server:
            check_connection(from_internet(HOST4, 80), server, INTERNET4)


@pytest.mark.parametrize("exit_fd,kept", ((False, f"{1 << 19:016x}"), (True, NO_CAPABILITY)),
                         ids=("without exit-fd", "with exit-fd"))
@pytest.mark.parametrize("whose", ("uid 0", "uid 1000"))
def test_parent_keeps_the_capabilities_that_it_needs(guest: Guest, whose: str, exit_fd: bool,
                                                     kept: str) -> None:
    """Of a caller that has all of them: CAP_SYS_PTRACE, to see where others live."""
    with contextlib.ExitStack() as stack:
        prefix = []
        if whose == "uid 0":
            prefix, guest = into(guest), stack.enter_context(BelowGuest(guest))
        daemon = stack.enter_context(Slirpd("--configure", guest.pid, "tap0", exit_fd=exit_fd,
                                            as_ordinary=False, prefix=prefix))
        with traffic(guest.netns):
            status = status_of(daemon.pid)
        assert status["CapEff"] == status["CapPrm"] == kept
        assert status["CapBnd"] == status["CapInh"] == status["CapAmb"] == NO_CAPABILITY
        guest.end()
        if exit_fd:
            daemon.hang_up()
        assert daemon.wait() == 0


def test_namespaces_of_those_that_carry_packets_are_their_own(
        guest: Guest, network: Slirpd) -> None:
    with traffic(guest.netns):
        for role in ROOTS:
            assert foreign_namespaces(network.children()[role]) == own_namespaces(role)
        assert foreign_namespaces(network.pid) == set()


def test_root_of_the_worker_is_empty(guest: Guest, network: Slirpd) -> None:
    root = f"/proc/{network.children()['slirp-worker']}/root"
    mounts = Path(root).parent.joinpath("mountinfo").read_text()
    with traffic(guest.netns):
        assert tree(root) == set()
    assert mounts.count("\n") == 1, mounts
    options = re.match(ROOT_MOUNT, mounts).group(1).split(",")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options)


@not_sanitized
def test_limits_of_parent_and_worker(network: Slirpd) -> None:
    for role, pid in {"parent": network.pid, **network.children()}.items():
        assert_limits(pid, LIMITS_OF_ZERO[role])


@not_sanitized
def test_descriptors_of_the_worker(guest: Guest, network: Slirpd) -> None:
    def fds_and_kept() -> tuple[dict[int, str], list[int]]:
        fds = fds_of(network.children()["slirp-worker"])
        return fds, [number for number, what in fds.items() if what == "/dev/null"]

    # 4 is kept for the channel to an api, the other in reserve for what is received for that. The
    # TAP took its place, until the next message.
    wait_for("a descriptor in reserve", lambda: len(fds_and_kept()[1]) == 5)
    fds, kept = fds_and_kept()
    assert set(kept) > {0, 1, 2, 4}
    for number in kept:
        del fds[number]
    assert fds.pop(3).startswith("socket:")
    rest = sorted(re.sub(r"socket:.*", "socket", what) for what in fds.values())
    assert rest.count("/dev/net/tun") == rest.count("anon_inode:[eventpoll]") == 1
    assert set(rest) <= {"/dev/net/tun", "anon_inode:[eventpoll]", "socket"}


@not_sanitized
def test_descriptors_of_the_connector(guest: Guest, network: Slirpd) -> None:
    """Three channels, the place of a fourth, one in reserve for a channel, and for a moment the
    socket of a connection."""
    with traffic(guest.netns):
        wait_for("no connection begins", lambda: len(
            fds_of(network.children()["connector"])) == 8)
    fds = fds_of(network.children()["connector"])
    assert [fds[number] for number in (0, 1, 2, 5, 7)] == ["/dev/null"] * 5
    assert all(fds[number].startswith("socket:") for number in (3, 4, 6))


@not_sanitized
def test_descriptors_of_the_resolver(guest: Guest, network: Slirpd) -> None:
    """Three channels, one in reserve for another, and a socket for each question that has no
    answer."""
    with traffic(guest.netns):
        wait_for("no question waits", lambda: len(
            fds_of(network.children()["resolver"])) == 7)
    fds = fds_of(network.children()["resolver"])
    assert [fds[number] for number in range(3)] == ["/dev/null"] * 3
    assert all(fds[number].startswith("socket:") for number in (3, 4, 5))


@not_sanitized
@pytest.mark.parametrize("role", ROOTS)
@pytest.mark.parametrize("what", ("root/", "fd/", "maps", "mem", "environ", "ns/net"))
def test_the_same_user_cannot_look_into_it(network: Slirpd, role: str, what: str) -> None:
    tool = {"root/": "ls", "fd/": "ls", "ns/net": "readlink"}.get(what, "head")
    look = [*ORDINARY, tool, *(["-v"] if tool == "readlink" else []), "--"]
    pid = network.children()[role]
    done = subprocess.run([*look, f"/proc/{pid}/{what}"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "Permission denied" in done.stderr
    # It can look into a process that is dumpable.
    own = subprocess.run([*look, f"/proc/{network.pid}/{what}"], capture_output=True, text=True)
    assert "Permission denied" not in own.stderr


# --- the log ----------------------------------------------------------------------------------


def test_each_role_says_what_it_reached(network: Slirpd) -> None:
    for role in ROOTS:
        said = Said(network.stderr, role)
        assert said.missed == kernel.MISSING_STAGES
        assert said.landlock_abi == min(kernel.LANDLOCK_ABI, kernel.LANDLOCK_ABI_KNOWN)
    for role in ("parent", "netns-helper"):
        assert Said(network.stderr, role).missed == set()
    if not SANITIZED:
        for role, most in CALLS_AT_MOST.items():
            assert 0 < Said(network.stderr, role).n_calls <= most


def test_disable_sandbox_is_said_and_so(guest: Guest) -> None:
    with Slirpd("--configure", "--disable-sandbox", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        pid = daemon.children()["slirp-worker"]
        worker = Said(daemon.stderr, "slirp-worker")
        assert worker.reached == {"descriptors", "seccomp"}
        assert worker.n_calls > 0
        assert "limits" in Said(daemon.stderr, "parent").missed
        assert foreign_namespaces(pid) == set()
        assert os.path.exists(f"/proc/{pid}/root/etc/passwd")
        assert n_own_filters(pid) == N_FILTERS["slirp-worker"]
        for process in daemon.pids():
            assert_limits(process, set())


def test_disable_seccomp_is_said_and_so(guest: Guest) -> None:
    with Slirpd("--configure", "--disable-seccomp", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        for role, pid in {"parent": daemon.pid, **daemon.children()}.items():
            said = Said(daemon.stderr, role)
            assert "seccomp" in said.missed
            assert said.n_calls == 0
            assert n_own_filters(pid) == 0
            assert status_of(pid)["NoNewPrivs"] == "1"
        assert foreign_namespaces(daemon.children()["slirp-worker"]) == own_namespaces("slirp-worker")


# --- what dies, and how it is said --------------------------------------------------------------


@pytest.mark.parametrize("number", (signal.SIGSYS, signal.SIGSEGV))
def test_worker_that_dies_of_a_signal_is_reported_by_its_name(
        guest: Guest, number: signal.Signals) -> None:
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        assert works(guest.netns)
        os.kill(daemon.children()["slirp-worker"], number)
        assert daemon.wait() == 1
        assert re.search(LAST_STATE.format(number.name), daemon.stderr, re.M), daemon.stderr
        assert_nothing_left(guest)


def test_worker_that_breaks_its_filter_is_reported(guest: Guest, tools: Callable) -> None:
    """strace puts another call in the place of the next one, before the filter looks at it."""
    tools("strace")
    with Slirpd("--configure", "--restart=no", guest.pid, "tap0") as daemon:
        worker = daemon.children()["slirp-worker"]
        strace = ["strace", "-q", "-o", "/dev/null", "-p", str(worker)]
        with subprocess.Popen([*strace, "-e", "inject=read:retval=0:syscall=getuid"],
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            def is_traced_or_gone() -> bool:
                """The guest's kernel may send a frame, for it to read, before we do."""
                try:
                    return status_of(worker)["TracerPid"] != "0"
                except (FileNotFoundError, ProcessLookupError):
                    return True

            wait_for("strace is there", is_traced_or_gone)
            with guest.open_socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \
                    contextlib.suppress(OSError):
                sock.sendto(b"a frame to read", (INTERNET4, ECHO_PORT))
            assert daemon.wait() == 1
        assert re.search(LAST_STATE.format("SIGSYS"), daemon.stderr, re.M), daemon.stderr
        assert_nothing_left(guest)


# --- where a jail can't be had ------------------------------------------------------------------


def assert_nothing_left(guest: Guest) -> None:
    wait_for("the TAP is gone", lambda: guest.links() == {"lo"})


@contextlib.contextmanager
def no_user_namespaces(kind: str = "user") -> Iterator[None]:
    """None below the lab's, or none of another kind; those that are there stay."""
    sysctl = Path(f"/proc/sys/user/max_{kind}_namespaces")
    before = sysctl.read_text()
    sysctl.write_text("0\n")
    try:
        yield
    finally:
        sysctl.write_text(before)


def barred(*rules: str) -> list[str]:
    return [sys.executable, "-B", str(HERE / "bar_call.py"), ",".join(rules)]


@pytest.fixture
def best_effort(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """slirpd called by the name slirp4netns, which never insisted on its sandbox."""
    link = tmp_path / "slirp4netns"
    link.symlink_to(slirpd_path())
    monkeypatch.setenv("SLIRPD", str(link))


def assert_fails(guest: Guest, prefix: list[str], stage: str, reason: str, *argv: object) -> None:
    """Exit 1, with a line that says which stage and why, and nothing is left. The helper and the
    connector make their jails at the same time."""
    done = run_slirpd("--configure", *argv, "tap0", prefix=prefix)
    errors = [line for line in done.stderr.splitlines()
              if " confined:" not in line and "warning: " not in line]
    assert done.returncode == 1
    assert 1 <= len(errors) <= 2, done.stderr
    for error in errors:
        assert re.search(rf"jail stage {stage}\b.*{reason}", error), error
    assert "1" not in done.stdout
    assert_nothing_left(guest)


def by_path(guest: Guest) -> list[str]:
    """The guest by its network namespace alone; then slirpd knows no user namespace of it."""
    return ["--netns-type=path", guest.netns]


def test_without_user_namespaces_the_guests_is_joined(guest: Guest) -> None:
    with no_user_namespaces(), Slirpd("--configure", guest.pid, "tap0") as daemon:
        with traffic(guest.netns):
            pid = daemon.children()["slirp-worker"]
            assert Said(daemon.stderr, "slirp-worker").missed == kernel.MISSING_STAGES
            assert re.search(r"user\.max_user_namespaces", daemon.stderr)
            assert "joined the guest's user namespace" in daemon.stderr
            assert foreign_namespaces(pid) == own_namespaces("slirp-worker")
            assert namespaces_of(pid)["user"] == os.readlink(guest.userns)
            assert tree(f"/proc/{pid}/root") == set()
            assert status_of(pid)["CapEff"] == status_of(pid)["CapPrm"] == NO_CAPABILITY
            # The guest's ids are another user's to the guest: it can't look into the worker.
            for what in ("root/", "fd/"):
                assert guest.run("ls", f"/proc/{pid}/{what}", check=False).returncode != 0


def test_kind_of_namespace_that_is_used_up_is_named(guest: Guest) -> None:
    """User namespaces are not what is missing, and the guest's is joined."""
    with no_user_namespaces("uts"):
        done = run_slirpd("--configure", guest.pid, "tap0")
    assert done.returncode == 1
    said = done.stderr.splitlines()
    assert "switched off by sysctl user.max_uts_namespaces=0" in said[-3]
    assert "limit of user.max_uts_namespaces reached, here or in an outer" in said[-2]
    assert said[-1].endswith("jail stage namespaces: make others in the guest's user "
                             "namespace: No space left on device; --disable-sandbox "
                             "does without")
    assert "max_user_namespaces" not in done.stderr
    assert_nothing_left(guest)


# Where the guest's network namespace belongs to the user namespace that slirpd is in.
@contextlib.contextmanager
def plain_netns() -> Iterator[str]:
    with subprocess.Popen(["unshare", "--net", "cat"], stdin=-1, stdout=-1) as holder:
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        holder.stdout.read(1)
        yield f"/proc/{holder.pid}/ns/net"
        holder.stdin.close()


def test_without_any_user_namespace_required_fails(guest: Guest) -> None:
    with no_user_namespaces(), plain_netns() as netns:
        done = subprocess.run(
            [slirpd_path(), "--configure", "--netns-type=path", netns, "tap0"], text=True,
            capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)
        assert done.returncode == 1
        errors = [line for line in done.stderr.splitlines() if "warning: " not in line]
        assert len(errors) == 1, done.stderr
        assert "jail stage namespaces" in errors[0]
        assert "user.max_user_namespaces=0" in done.stderr
        links = sh("nsenter", f"--net={netns}", "ip", "-o", "link").stdout
        assert "tap0" not in links


def test_without_any_user_namespace_best_effort_goes_on(guest: Guest, best_effort: None) -> None:
    with no_user_namespaces(), plain_netns() as netns:
        with Slirpd("--configure", "--netns-type=path", netns, "tap0",
                    as_ordinary=False) as daemon, traffic(netns):
            worker = Said(daemon.stderr, "slirp-worker")
            assert {"namespaces", "root"} <= worker.missed
            assert {"capabilities", "limits", "seccomp"} <= worker.reached
            pid = daemon.children()["slirp-worker"]
            assert status_of(pid)["CapEff"] == status_of(pid)["CapPrm"] == NO_CAPABILITY
            assert foreign_namespaces(pid) == set()


# What the kernel refuses, at which stage that is met, and what goes on without it.
BARRED = [
    (["unshare=EPERM"], "namespaces", "Operation not permitted", {"namespaces", "root"}),
    (["mount=EPERM"], "root", "Operation not permitted", {"root"}),
    (["pivot_root=EPERM"], "root", "Operation not permitted", {"root"}),
    (["landlock_create_ruleset=EPERM"], "landlock", "Operation not permitted", {"landlock"}),
    (["seccomp=EINVAL"], "seccomp", "Invalid argument", {"seccomp"}),
]


BARRED_IDS = [row[0][0] for row in BARRED]


@pytest.mark.parametrize("rules,stage,reason,missed", BARRED, ids=BARRED_IDS)
def test_barred_stage_that_is_required_fails(guest: Guest, rules: list[str], stage: str,
                                             reason: str, missed: set[str]) -> None:
    assert_fails(guest, barred(*rules), stage, reason, guest.pid)


@pytest.mark.parametrize("rules,stage,reason,missed", BARRED, ids=BARRED_IDS)
def test_barred_stage_at_best_effort_is_said_and_done_without(
        guest: Guest, best_effort: None, rules: list[str], stage: str, reason: str,
        missed: set[str]) -> None:
    with Slirpd("--configure", guest.pid, "tap0", prefix=barred(*rules)) as daemon:
        with traffic(guest.netns):
            assert Said(daemon.stderr, "slirp-worker").missed == missed | kernel.MISSING_STAGES
            assert re.search(rf"jail stage {stage}\b.*{reason}", daemon.stderr)
            pid = daemon.children()["slirp-worker"]
            if "root" not in missed:
                assert tree(f"/proc/{pid}/root") == set()
            if "seccomp" not in missed:
                assert n_own_filters(pid) == 1 + N_FILTERS["slirp-worker"]  # the caller's too


def test_root_that_cannot_be_replaced_is_hidden(guest: Guest) -> None:
    """As on a host whose root is its initramfs: test_initramfs.py has the real one."""
    with Slirpd("--configure", guest.pid, "tap0", prefix=barred("pivot_root=EINVAL")) as daemon, \
            traffic(guest.netns):
        pid = daemon.children()["slirp-worker"]
        assert Said(daemon.stderr, "slirp-worker").missed == kernel.MISSING_STAGES
        assert re.search(r"slirp-worker\[\d+\]: jail stage root: pivot_root cannot replace the "
                         r"initramfs; chroot hides it instead$", daemon.stderr, re.M)
        assert tree(f"/proc/{pid}/root") == set()
        assert Path(f"/proc/{pid}/mountinfo").read_text().count("\n") == 1


def test_kernel_without_landlock_is_no_failure(guest: Guest) -> None:
    prefix = barred("landlock_create_ruleset=ENOSYS")
    with Slirpd("--configure", guest.pid, "tap0", prefix=prefix) as daemon, traffic(guest.netns):
        worker = Said(daemon.stderr, "slirp-worker")
        assert worker.missed == {"landlock"}
        assert worker.landlock_abi == 0


@pytest.mark.parametrize("option,rule,stage", (
    ("--enable-sandbox", "unshare=EPERM", "namespaces"),
    ("--enable-seccomp", "seccomp=EINVAL", "seccomp")))
def test_enable_options_insist_under_any_name(guest: Guest, best_effort: None, option: str,
                                              rule: str, stage: str) -> None:
    assert_fails(guest, barred(rule), stage, "", option, guest.pid)


# --- callers ------------------------------------------------------------------------------------


def test_runas_of_an_ordinary_user_is_told_to_have_no_effect(guest: Guest) -> None:
    with Slirpd("--configure", "--runas=54321:54321", guest.pid, "tap0") as daemon:
        warnings = [line for line in daemon.stderr.splitlines() if "warning: --runas" in line]
        assert len(warnings) == 1 and "without effect" in warnings[0]
        uids = status_of(daemon.children()["slirp-worker"])["Uid"].split()
        assert set(uids) == {str(os.getuid())}


def test_path_with_userns_path_in_the_full_jail(guest: Guest) -> None:
    with Slirpd("--configure", "--netns-type=path", f"--userns-path={guest.userns}", guest.netns,
                "tap0") as daemon, traffic(guest.netns):
        assert_jailed(daemon)


class BelowGuest(Guest):
    """A guest that uid 0 of another user namespace made."""

    def __init__(self, owner: Guest) -> None:
        super().__init__()
        self._argv = [*into(owner), "unshare", "--user", "--net", "--map-root-user"]


def into(owner: Guest) -> list[str]:
    return ["nsenter", "--preserve-credentials", "-U", "-t", str(owner.pid), "--"]


def test_uid_0_of_a_user_namespace_in_the_full_jail(guest: Guest) -> None:
    with BelowGuest(guest) as below:
        with Slirpd("--configure", below.pid, "tap0", as_ordinary=False,
                    prefix=into(guest)) as daemon, traffic(below.netns):
            assert os.readlink(f"/proc/{daemon.pid}/ns/user") == os.readlink(guest.userns)
            assert_jailed(daemon)


# --- DNS ----------------------------------------------------------------------------------------


@pytest.fixture
def other_dns(lab: Lab) -> Iterator[None]:
    """A second server, which gives another answer."""
    conf = STATE / "other-dns.conf"
    conf.write_text(f"no-resolv\nno-hosts\nno-daemon\nbind-interfaces\n"
                    f"listen-address={OTHER_DNS4}\nhost-record={WORD_NAME},{OTHER_ANSWER}\n")
    sh(*lab.in_internet(), "ip", "addr", "add", f"{OTHER_DNS4}/24", "dev", "eth0")
    try:
        with lab.server(53, "dnsmasq", f"--conf-file={conf}"):
            wait_for("the other server answers", lambda: OTHER_ANSWER in subprocess.run(
                ["dig", "+tries=1", "+time=1", "+short", f"@{OTHER_DNS4}", WORD_NAME],
                text=True, capture_output=True).stdout)
            yield
    finally:
        sh(*lab.in_internet(), "ip", "addr", "del", f"{OTHER_DNS4}/24", "dev", "eth0")


@pytest.fixture
def own_etc(tmp_path: Path) -> Path:
    """A directory that slirpd has for its /etc, and that we can do with what we like."""
    etc = tmp_path / "etc"
    etc.mkdir()
    for name in ("ld.so.cache", "passwd", "group", "nsswitch.conf"):
        with contextlib.suppress(FileNotFoundError):
            shutil.copy(f"/etc/{name}", etc / name)
    return etc


def with_etc(etc: Path) -> list[str]:
    """A mount namespace of the caller's own, and an ordinary user in it."""
    return ["unshare", "--mount", "bash", "-ec", 'mount --bind "$1" /etc; shift; exec "$@"',
            "bash", str(etc), *ORDINARY]


def replace(path: Path, make: Callable[[Path], object]) -> None:
    """What make() makes takes the place of path in one step."""
    new = path.with_name("new")
    make(new)
    new.rename(path)


def test_every_change_of_resolv_conf_is_followed(
        guest: Guest, other_dns: None, own_etc: Path, tools: Callable) -> None:
    tools("dig")
    file = own_etc / "resolv.conf"
    one, other = f"nameserver {INTERNET4}\n", f"nameserver {OTHER_DNS4}\n"
    targets = own_etc / "run"
    targets.mkdir()
    (targets / "one").write_text(one)
    (targets / "other").write_text(other)
    file.write_text(one)

    def look_up() -> str:
        return guest.run("dig", "+tries=1", "+time=1", "+short", "@10.0.2.3", WORD_NAME,
                         check=False).stdout.strip()

    with Slirpd("--configure", guest.pid, "tap0", prefix=with_etc(own_etc),
                as_ordinary=False) as daemon:

        def expect(what: str, address: str) -> None:
            wait_for(f"{what}: the answer is {address}", lambda: look_up() == address)

        def expect_none(what: str) -> None:
            wait_for(f"{what}: no answer", lambda: look_up() not in (INTERNET4, OTHER_ANSWER))

        with repeating(look_up):
            expect("at first", INTERNET4)
            file.write_text(other)
            expect("rewritten in place", OTHER_ANSWER)
            replace(file, lambda new: new.write_text(one))
            expect("replaced by rename", INTERNET4)
            replace(file, lambda new: new.symlink_to("run/other"))
            expect("replaced by a symlink", OTHER_ANSWER)
            replace(file, lambda new: new.symlink_to("run/one"))
            expect("symlink re-pointed", INTERNET4)
            (targets / "one").write_text(other)
            expect("target rewritten", OTHER_ANSWER)
            file.write_text("")
            expect_none("emptied")
            file.write_text(one)
            expect("filled again", INTERNET4)
            file.unlink()
            expect_none("deleted")
            file.write_text(other)
            expect("back", OTHER_ANSWER)
        assert works(guest.netns)
        assert_jailed(daemon)
        # Nothing of it came in by the way: the copy is the only thing that has changed.
        assert foreign_namespaces(daemon.pid) == {"mnt"}
