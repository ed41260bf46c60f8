# SPDX-License-Identifier: BSD-2-Clause
"""What tests of real clients share: the daemons, an ordinary user with subordinate ids, and a
small root directory.

Each test is run with Debian's slirp4netns first, which shows that the test itself works, and
then with slirpd under that name.

Files that use an account run through `outer-ns --as-root`, because newuidmap(1) has to be what it
is on a user's machine: a set-uid program. Mounts and network are the test's own there too. The
account is in copies of /etc/passwd and its like, which are mounted over the real ones.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cgroups import cgroup2, delegated_cgroup, enter  # noqa: E402
from commands import needs, sh  # noqa: E402
from documents import blocks, typed  # noqa: E402
from guest import AS_ORDINARY_ID, ORDINARY_ID, Guest  # noqa: E402
from lab import Lab  # noqa: E402
from limits import nofile_soft_1024  # noqa: E402
from netns import family_of, socket_in  # noqa: E402
from processes import all_pids, descendants, no_process_left, proc_stat, program_of  # noqa: E402
from servers import listener, recv_all, udp_socket  # noqa: E402
from tree import slirpd_path  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402

ORDINARY_NAME = "slirpd-test"
# What adduser(8) gives to an account, and beyond what it has given to anybody.
SUBID_FIRST, SUBID_COUNT = 1_500_000_000, 65536

SUBJECTS = ("slirp4netns", "slirpd")


def install(subject: str, directory: Path) -> Path:
    """A program named slirp4netns: the distribution's, or slirpd as it would be installed.

    A copy of slirpd, because a checkout need not be open to an ordinary user.
    """
    if subject == "slirp4netns":
        needs("slirp4netns")
        return Path(shutil.which("slirp4netns")).resolve()
    built = Path(slirpd_path()).resolve()
    prefix = directory / "prefix"
    (prefix / "bin").mkdir(parents=True)
    shutil.copy2(built, prefix / "bin")
    shutil.copytree(built.parent.parent / "libexec/slirpd", prefix / "libexec/slirpd")
    link = prefix / "bin/slirp4netns"
    link.symlink_to(built.name)
    return link


def make_root(tree: Path, *tools: str) -> None:
    """A root directory with busybox as these tools, and the libraries that it is linked with,
    if any."""
    for name in ("bin", "etc", "proc", "sys", "dev", "tmp"):
        (tree / name).mkdir(parents=True)
    busybox = shutil.which("busybox")
    linked = subprocess.run(["ldd", busybox], text=True, capture_output=True).stdout
    for word in linked.split():
        if word.startswith("/"):
            (tree / word[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, tree / word[1:])
    shutil.copy(busybox, tree / "bin/busybox")
    for name in tools:
        (tree / "bin" / name).symlink_to("busybox")


def image_archive(directory: Path, *tools: str) -> Path:
    """A root directory as make_root makes it, for a client to import as an image."""
    tree = directory / "image"
    make_root(tree, *tools)
    archive = directory / "image.tar"
    sh("tar", "-C", str(tree), "-cf", str(archive), ".")
    archive.chmod(0o644)
    shutil.rmtree(tree)
    return archive


class Subject:
    """The daemon that a client shall start, whoever starts it."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    @property
    def is_slirpd(self) -> bool:
        return self.name == "slirpd"

    def pids(self) -> set[int]:
        """All its processes, helpers included."""
        prefix = str(self.path.resolve().parent.parent) if self.is_slirpd else str(self.path)
        found = set()
        for pid in all_pids():
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").startswith(prefix):
                    found.add(pid)
        return found

    def daemon(self) -> int:
        """The process that a client started."""
        def topmost() -> list[int]:
            pids = self.pids()
            stats = ((pid, proc_stat(pid)) for pid in pids)
            return [pid for pid, stat in stats if stat and int(stat[1]) not in pids]

        return wait_for(f"one {self.name} runs", lambda: (found := topmost()) and
                        len(found) == 1 and found[0])

    def argv(self) -> list[str]:
        """The command line that the client sent."""
        return Path(f"/proc/{self.daemon()}/cmdline").read_text().split("\0")[1:-1]

    def assert_confined(self) -> None:
        """Of slirpd every process is, whatever the client asked for."""
        if not self.is_slirpd:
            return
        daemon = self.daemon()
        pids = {daemon, *descendants(daemon)}
        assert len(pids) >= 2
        for pid in pids:
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                assert pid != daemon
                continue  # the netns-helper is about to end where a client goes on
            for line in ("NoNewPrivs:\t1", "Seccomp:\t2", f"Uid:\t{ORDINARY_ID}"):
                assert line in status, (program_of(pid), status)

    def wait_gone(self) -> None:
        wait_for(f"{self.name} and its processes are gone", lambda: not self.pids())


class Container(Guest):
    """A guest with mounts of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._argv += ["--mount"]

    def enter(self) -> list[str]:
        return ["nsenter", "--preserve-credentials", "-U", "-m", "-n", "-t", str(self.pid), "--"]


class Account:
    """An ordinary user: home, runtime directory, subordinate ids, and nothing of real root's."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.root: Path
        self.env: dict[str, str]

    def __enter__(self) -> Account:
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            self._make_directories()
            self._make_entries()
            self._mount_over("tmpfs", "mode=1777", "/dev/shm")
            # An administrator's setting, without which no guest can ping.
            Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{ORDINARY_ID} {ORDINARY_ID}\n")
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_directories(self) -> None:
        # Podman puts a socket's name of 80 bytes behind the runtime directory, which on a user's
        # machine is as short as /run/user/1000. A socket's path has 107 bytes.
        self.root = Path("/run/account")
        self.root.mkdir()
        self._stack.callback(shutil.rmtree, self.root)
        for name in ("home", "runtime", "tmp"):
            (self.root / name).mkdir(mode=0o700)
            os.chown(self.root / name, ORDINARY_ID, ORDINARY_ID)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"),
                    "USER": ORDINARY_NAME, "LOGNAME": ORDINARY_NAME,
                    "XDG_RUNTIME_DIR": str(self.root / "runtime"),
                    "TMPDIR": str(self.root / "tmp")}

    def _make_entries(self) -> None:
        home = self.root / "home"
        subids = f"{ORDINARY_NAME}:{SUBID_FIRST}:{SUBID_COUNT}\n"
        for name, line in (
                ("passwd", f"{ORDINARY_NAME}:x:{ORDINARY_ID}:{ORDINARY_ID}::{home}:/bin/sh\n"),
                ("group", f"{ORDINARY_NAME}:x:{ORDINARY_ID}:\n"),
                ("subuid", subids), ("subgid", subids)):
            copy = self.root / name
            copy.write_text(Path(f"/etc/{name}").read_text() + line)
            sh("mount", "--bind", str(copy), f"/etc/{name}")
            self._stack.callback(sh, "umount", f"/etc/{name}")

    def _mount_over(self, kind: str, options: str, target: str) -> None:
        sh("mount", "-t", kind, "-o", options, "none", target)
        self._stack.callback(sh, "umount", target)

    @property
    def runtime(self) -> Path:
        return self.root / "runtime"

    def argv(self, *argv: object) -> list[str]:
        """The command that runs a program as this user."""
        return [*AS_ORDINARY_ID, *map(str, argv)]

    def run(self, *argv: object, check: bool = True,
            env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs a program as this user to its end."""
        done = subprocess.run(self.argv(*argv), text=True, capture_output=True, cwd="/",
                              timeout=DEADLINE_S, env=self.env | (env or {}),
                              stdin=subprocess.DEVNULL, preexec_fn=nofile_soft_1024)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def start(self, *argv: object, env: dict[str, str] | None = None,
              **kwargs: Any) -> subprocess.Popen[bytes]:
        """Starts a program as this user; the caller ends it."""
        return subprocess.Popen(self.argv(*argv), cwd="/", env=self.env | (env or {}),
                                preexec_fn=nofile_soft_1024, **kwargs)


# --- what the tests look at -------------------------------------------------------------------


def tcp_peer_seen(server_netns: str, server: tuple[str, int], client_netns: str,
                  target: tuple[str, int]) -> str:
    """Connects a client to the target, and says whom the server took it for."""
    with listener(server_netns, *server) as listening:
        listening.settimeout(DEADLINE_S)
        with socket_in(client_netns, family_of(target[0]), socket.SOCK_STREAM) as client:
            client.connect(target)
            served, peer = listening.accept()
            with served:
                served.settimeout(DEADLINE_S)
                served.sendall(b"hello from the server\n")
                served.shutdown(socket.SHUT_WR)
                assert recv_all(client) == b"hello from the server\n"
                client.sendall(b"hello from the client\n")
                client.shutdown(socket.SHUT_WR)
                assert recv_all(served) == b"hello from the client\n"
    return peer[0]


def udp_peer_seen(server_netns: str, server: tuple[str, int], client_netns: str,
                  target: tuple[str, int]) -> str:
    """Sends a datagram to the target and back, and says whom the server took the client for."""
    with udp_socket(server_netns, *server) as serving, \
            socket_in(client_netns, family_of(target[0]), socket.SOCK_DGRAM) as client:
        serving.settimeout(DEADLINE_S)
        client.connect(target)
        client.send(b"there")
        data, peer = serving.recvfrom(100)
        assert data == b"there"
        serving.sendto(b"and back", peer)
        assert client.recv(100) == b"and back"
    return peer[0]


def port_is_free(port: int, kind: int = socket.SOCK_STREAM) -> bool:
    """Nobody on the host serves it. Connections of the past are no obstacle."""
    with socket.socket(socket.AF_INET, kind) as sock:
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


# --- fixtures, for import ---------------------------------------------------------------------


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    assert os.environ.get("SLIRPD_OUTER_NS"), "run these tests through tests/lib/outer-ns"
    needs("nginx", "dnsmasq", "curl")
    with Lab() as made:
        yield made


@pytest.fixture(scope="session")
def account(lab: Lab) -> Iterator[Account]:
    assert os.getuid() == 0, "run these tests through tests/lib/outer-ns --as-root"
    needs("newuidmap", "newgidmap")
    with Account() as made:
        yield made


@pytest.fixture(scope="module", params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    with tempfile.TemporaryDirectory(prefix="subject-") as directory:
        os.chmod(directory, 0o755)
        yield Subject(request.param, install(request.param, Path(directory)))


@pytest.fixture
def documented_link(account: Account, subject: Subject) -> None:
    """What docs/containers.md begins with, for the subject."""
    commands = typed(blocks("docs/containers.md")[0])
    assert commands.count('ln -s "$(command -v slirpd)"') == 1
    commands = commands.replace("ln -s", "ln -sfn")
    if not subject.is_slirpd:
        commands = commands.replace("$(command -v slirpd)", str(subject.path))
    account.run("sh", "-ec", commands, env={"PATH": f"{subject.path.parent}:{account.env['PATH']}"})


@pytest.fixture(autouse=True)
def leaves_no_process(lab: Lab) -> Iterator[None]:
    with no_process_left():
        yield


@pytest.fixture
def manager(account: Account) -> Iterator[None]:
    """The user's systemd, as it is started at login: in a control group that is the user's."""
    needs("/lib/systemd/systemd", "systemctl")
    with contextlib.ExitStack() as stack:
        # By this it knows that the machine's is a systemd too.
        os.makedirs("/run/systemd/system")
        stack.callback(os.rmdir, "/run/systemd/system")
        stack.enter_context(cgroup2())
        group = stack.enter_context(delegated_cgroup())
        process = stack.enter_context(subprocess.Popen(
            [*enter(group),
             *account.argv("/lib/systemd/systemd", "--user", "--unit=basic.target")],
            cwd="/", env=account.env, stdin=subprocess.DEVNULL))
        stack.callback(process.terminate)
        wait_for("the user's systemd has started", lambda: account.run(
            "systemctl", "--user", "is-active", "basic.target", check=False).returncode == 0)
        yield
    # What the sockets of other programs leave.
    sh("find", str(account.runtime), "-mindepth", "1", "-maxdepth", "1", "!", "-name", "docker",
       "-exec", "rm", "-rf", "{}", "+")
