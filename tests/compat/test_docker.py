# SPDX-License-Identifier: BSD-2-Clause
"""Docker rootless, with slirp4netns and with slirpd as its network.

Debian's package, as an ordinary user with subordinate ids, started by Docker's own script, with an
image made here and nothing from a registry. Runs inside outer-ns --as-root.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import (  # noqa: E402, F401
    Account,
    Subject,
    account,
    documented_link,
    image_archive,
    lab,
    leaves_no_process,
    manager,
    port_is_free,
    subject,
    tcp_peer_seen,
    udp_peer_seen,
)
from commands import needs, sh  # noqa: E402
from documents import blocks, typed  # noqa: E402
from lab import HOST4, INTERNET4, WORD_NAME, Lab  # noqa: E402
from servers import listener  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402

# Debian keeps it out of PATH.
SCRIPT = shutil.which("dockerd-rootless.sh",
                      path=f"{os.environ['PATH']}:/usr/share/docker.io/contrib")
# In the account's own tmpfs. Below /run it can't be, where the script has RootlessKit replace the
# directories by links: runc refuses a root directory behind a link.
DATA = Path("/dev/shm/docker")
# The storage driver that needs nothing of the kernel. Where the new control groups and a service
# manager are, Docker would ask that one for a group of its own by D-Bus.
OPTIONS = (f"--data-root={DATA}", "--storage-driver=vfs",
           "--exec-opt=native.cgroupdriver=cgroupfs")
IMAGE = "box"
TCP_PORT, UDP_PORT = 8080, 5353
PUBLISH = (f"--publish={TCP_PORT}:80", f"--publish={UDP_PORT}:53/udp")
# The bridge of the containers, on their side.
BRIDGE4 = "172.17.0.1"
# Longer than any test takes, so that a container that was forgotten ends one day.
CONTAINER_LIFE_S = "600"
# More than a hundred frames of the largest MTU.
WIDE_BYTES = 10_000_000


@contextlib.contextmanager
def shown_on_failure(log: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        print(log.read_text())
        raise


class Docker:
    """A client of the daemon that the account runs, and what that one may use."""

    def __init__(self, account: Account, subject: Subject, archive: Path) -> None:
        self.account = account
        self.subject = subject
        self._archive = archive

    def run(self, *argv: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.account.run("docker", *argv, check=check, env={
            "DOCKER_HOST": f"unix://{self.account.runtime}/docker.sock"})

    def wait_up(self, is_alive: Callable[[], bool]) -> None:
        def answers() -> bool:
            assert is_alive(), "dockerd has ended"
            return self.run("version", check=False).returncode == 0

        wait_for("dockerd answers", answers)
        self.run("import", self._archive, IMAGE)

    @contextlib.contextmanager
    def daemon(self, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
        """Runs the script; settings are the ends of names that all begin alike."""
        env = {f"DOCKERD_ROOTLESS_ROOTLESSKIT_{name}": value for name, value in settings.items()}
        env["PATH"] = f"{self.subject.path.parent}:{self.account.env['PATH']}"
        with tempfile.NamedTemporaryFile() as log, shown_on_failure(Path(log.name)), \
                self.account.start(SCRIPT, *OPTIONS, env=env, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log) as process:
            try:
                self.wait_up(lambda: process.poll() is None)
                yield process
            finally:
                process.terminate()

    def once(self, *argv: str, options: tuple[str, ...] = ()) -> str:
        """Runs a program in a container of its own."""
        return self.run("run", "--rm", *options, IMAGE, *argv).stdout

    def download(self) -> str:
        """By name, so that it takes the resolver, the built-in DNS and a connection."""
        return self.once("wget", "-q", "-O", "-", f"http://{WORD_NAME}/hello")

    def start_box(self, *options: str) -> None:
        """A container that stays. sleep as PID 1 would not hear SIGTERM."""
        self.run("run", "--detach", "--name=box", "--stop-signal=KILL", *options, IMAGE,
                 "sleep", CONTAINER_LIFE_S)

    def box_netns(self) -> str:
        pid = self.run("inspect", "--format={{.State.Pid}}", "box").stdout.strip()
        return f"/proc/{pid}/ns/net"

    def tap_mtu_bytes(self) -> int:
        """Of the interface that the subject serves, beside which dockerd runs."""
        pid = (self.account.runtime / "docker.pid").read_text()
        link = sh("nsenter", f"--net=/proc/{pid}/ns/net", "ip", "link", "show", "tap0").stdout
        return int(re.search(r" mtu (\d+) ", link)[1])


@pytest.fixture(scope="module")
def archive(account: Account) -> Path:
    needs("docker", "dockerd", "containerd", "runc", "rootlesskit", "rootlesskit-docker-proxy",
          "iptables", "busybox", "tar", SCRIPT or "dockerd-rootless.sh")
    directory = account.root / "docker"
    directory.mkdir()
    return image_archive(directory, "cat", "ip", "nslookup", "sh", "sha256sum", "sleep", "wget")


@pytest.fixture
def docker(account: Account, subject: Subject, archive: Path) -> Docker:
    return Docker(account, subject, archive)


def ports_are_free() -> bool:
    return port_is_free(TCP_PORT) and port_is_free(UDP_PORT, socket.SOCK_DGRAM)


@pytest.fixture(autouse=True)
def leaves_nothing(account: Account, subject: Subject,
                   leaves_no_process: None) -> Iterator[None]:  # noqa: F811
    mounts = Path("/proc/self/mountinfo").read_text()
    yield
    subject.wait_gone()
    wait_for("the ports are given back", ports_are_free)
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert os.listdir(account.root / "tmp") == []
    # Both keep their directories for the next start. RootlessKit kills slirpd, whose link the next
    # one removes.
    assert set(os.listdir(account.runtime)) <= {"docker", "slirpd"}
    assert len(list(account.runtime.glob("slirpd/*"))) <= 2
    assert os.listdir(account.runtime / "docker/netns") == []
    shutil.rmtree(account.runtime / "docker")
    shutil.rmtree(DATA)


def test_plain(docker: Docker, subject: Subject) -> None:
    """The daemon is found in PATH, and asked whether it is new enough."""
    with docker.daemon():
        argv = subject.argv()
        assert argv[:2] == ["--mtu", "65520"]
        assert {"--disable-host-loopback", "--enable-sandbox", "--enable-seccomp"} <= set(argv)
        subject.assert_confined()
        assert docker.tap_mtu_bytes() == 65520
        info = docker.run("info", "--format={{.Driver}} {{.SecurityOptions}}").stdout
        assert info.startswith("vfs ") and "name=rootless" in info
        assert docker.once("cat", "/etc/resolv.conf").startswith("nameserver 10.0.2.3\n")
        assert INTERNET4 in docker.once("nslookup", WORD_NAME)
        assert docker.download() == "hello\n"


def test_network_of_a_large_mtu(docker: Docker, lab: Lab) -> None:  # noqa: F811
    """Whose containers ask a resolver of Docker's, which asks the built-in DNS."""
    content = os.urandom(WIDE_BYTES)
    (lab.www / "wide").write_bytes(content)
    with docker.daemon():
        docker.run("network", "create", "--opt=com.docker.network.driver.mtu=65520", "wide")
        said = docker.once("sh", "-c", "ip link show dev eth0 && cat /etc/resolv.conf && "
                           f"wget -q -O - http://{WORD_NAME}/wide | sha256sum",
                           options=("--network=wide",))
        assert " mtu 65520 " in said and "nameserver 127.0.0.11\n" in said
        assert hashlib.sha256(content).hexdigest() in said


@pytest.mark.parametrize("driver", ("slirp4netns", "builtin"))
def test_published_ports(docker: Docker, subject: Subject, driver: str) -> None:
    """The first driver asks the daemon to forward, and containers see who connects; the second
    does without it, and they see the bridge."""
    with docker.daemon(PORT_DRIVER=driver):
        assert ("--api-socket" in subject.argv()) == (driver == "slirp4netns")
        subject.assert_confined()
        docker.start_box(*PUBLISH)
        assert_ports_work(docker, INTERNET4 if driver == "slirp4netns" else BRIDGE4)
        docker.run("restart", "box")
        assert_ports_work(docker, INTERNET4 if driver == "slirp4netns" else BRIDGE4)
        docker.run("rm", "--force", "box")
        wait_for("the ports are given back", ports_are_free)


def assert_ports_work(docker: Docker, client: str) -> None:
    netns = docker.box_netns()
    for seen, guest_port, host_port in ((tcp_peer_seen, 80, TCP_PORT),
                                        (udp_peer_seen, 53, UDP_PORT)):
        assert seen(netns, ("0.0.0.0", guest_port), Lab.internet_netns,
                    (HOST4, host_port)) == client


def test_port_that_is_taken(docker: Docker) -> None:
    with docker.daemon(PORT_DRIVER="slirp4netns"):
        with listener("/proc/self/ns/net", "0.0.0.0", TCP_PORT):
            done = docker.run("run", "--rm", *PUBLISH, IMAGE, "cat", check=False)
        assert done.returncode != 0
        assert "add_hostfwd: slirp_add_hostfwd failed" in done.stderr
        assert docker.download() == "hello\n"


def test_sigterm_ends_daemon_and_containers(docker: Docker) -> None:
    """What leaves_nothing looks at, and the exit status."""
    with docker.daemon(PORT_DRIVER="slirp4netns") as process:
        docker.start_box(*PUBLISH)
        assert not port_is_free(TCP_PORT)
        process.terminate()
        assert process.wait(timeout=DEADLINE_S) == 0


# --- under the service manager of the user ----------------------------------------------------


# Of what Docker's setup tool writes, the lines that matter here. PATH begins where the packages
# have put everything, with the distribution's slirp4netns.
UNIT = f"""
[Service]
Environment=PATH=/usr/bin:/bin:/usr/sbin:/sbin
ExecStart={SCRIPT} {" ".join(OPTIONS)}
KillMode=mixed
StandardError=append:%h/.config/dockerd.log
"""


def test_commands_of_the_documents(docker: Docker, account: Account, subject: Subject,
                                documented_link: None, manager: None) -> None:
    units = account.root / "home/.config/systemd/user"
    account.run("mkdir", "-p", units)
    (units / "docker.service").write_text(UNIT)
    commands, = blocks("docs/containers.md", "Docker rootless")
    account.run("sh", "-ec", typed(commands))
    with shown_on_failure(account.root / "home/.config/dockerd.log"):
        docker.wait_up(lambda: account.run("systemctl", "--user", "is-active", "docker",
                                           check=False).returncode == 0)
        assert subject.argv()[:2] == ["--mtu", "65520"]
        subject.assert_confined()
        assert docker.tap_mtu_bytes() == 65520
        assert docker.download() == "hello\n"
    account.run("systemctl", "--user", "stop", "docker")
    shutil.rmtree(account.root / "home/.config")
