# SPDX-License-Identifier: BSD-2-Clause
"""Podman's containers, with slirp4netns and with slirpd as their network.

Debian's package, as an ordinary user with subordinate ids, with an image made here and nothing
from a registry. Runs inside outer-ns --as-root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from cgroups import cgroup2  # noqa: E402
from clients import (  # noqa: E402, F401
    Account,
    Subject,
    account,
    documented_link,
    image_archive,
    lab,
    leaves_no_process,
    port_is_free,
    subject,
    tcp_peer_seen,
    udp_peer_seen,
)
from commands import needs, sh  # noqa: E402
from documents import blocks, typed  # noqa: E402
from lab import HOST4, HOST6, INTERNET4, INTERNET6, WORD_NAME, Lab  # noqa: E402
from netns import socket_in  # noqa: E402
from servers import listener  # noqa: E402
from waiting import wait_for  # noqa: E402

IMAGE = "localhost/box"
GUEST4 = "10.0.2.100"
TCP_PORT, UDP_PORT = 8080, 5353
RANGE_FIRST, RANGE_LENGTH = 20000, 200
# Longer than any test takes, so that a container that was forgotten ends one day.
CONTAINER_LIFE_S = "600"

CONTAINERS_CONF = """
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "crun"
"""

STORAGE_CONF = """
[storage]
driver = "vfs"
"""


class Podman:
    """Podman for an account, with a configuration of its own."""

    def __init__(self, account: Account, directory: Path, name: str, conf: str) -> None:
        self.account = account
        files = {"CONTAINERS_CONF": (directory / f"{name}.conf", conf),
                 "CONTAINERS_STORAGE_CONF": (directory / "storage.conf", STORAGE_CONF)}
        for path, text in files.values():
            path.write_text(text)
        self.env = {variable: str(path) for variable, (path, _) in files.items()}

    def run(self, *argv: object, check: bool = True,
            env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        return self.account.run("podman", *argv, check=check, env=self.env | (env or {}))

    def start(self, network: str, *options: str) -> Container:
        self.run("run", "--detach", "--name=box", "--cgroups=disabled", f"--network={network}",
                 *options, IMAGE, "sleep", CONTAINER_LIFE_S)
        return Container(self)

    @contextlib.contextmanager
    def container(self, network: str, *options: str) -> Iterator[Container]:
        container = self.start(network, *options)
        try:
            yield container
        finally:
            self.run("rm", "--force", "--time=0", "box")


class Container:
    def __init__(self, podman: Podman) -> None:
        self._podman = podman

    def state(self, field: str) -> str:
        return self._podman.run("inspect", f"--format={{{{.State.{field}}}}}", "box").stdout.strip()

    @property
    def netns(self) -> str:
        return f"/proc/{self.state('Pid')}/ns/net"

    def run(self, *argv: str, check: bool = True) -> str:
        return self._podman.run("exec", "box", *argv, check=check).stdout

    def download(self, host: str = WORD_NAME) -> str:
        return self.run("wget", "-q", "-O", "-", f"http://{host}/hello")


@pytest.fixture(scope="module")
def storage(account: Account) -> Iterator[Path]:
    """Where the image is; and the one process that podman leaves to keep a user's namespace."""
    needs("podman", "crun", "conmon", "busybox", "tar")
    directory = account.root / "podman"
    directory.mkdir()
    archive = image_archive(directory, "cat", "ip", "nslookup", "sh", "sleep", "wget")
    podman = Podman(account, directory, "image", CONTAINERS_CONF)
    with cgroup2():  # crun refuses a machine that has both kinds
        podman.run("import", "--quiet", archive, IMAGE)
        yield directory
        podman.run("system", "migrate")


@pytest.fixture(scope="module")
def podman(account: Account, storage: Path, subject: Subject) -> Podman:
    return Podman(account, storage, subject.name,
                  f'{CONTAINERS_CONF}network_cmd_path = "{subject.path}"\n')


@pytest.fixture(autouse=True)
def leaves_nothing(podman: Podman, subject: Subject, account: Account,
                   leaves_no_process: None) -> Iterator[None]:  # noqa: F811
    yield
    podman.run("rm", "--all", "--force", "--time=0")
    subject.wait_gone()
    if not subject.is_slirpd:
        # It leaves its control sockets behind.
        for path in account.runtime.glob("libpod/tmp/*.net"):
            path.unlink()

    def left() -> list[str]:
        """conmon's `podman container cleanup` may still go on."""
        patterns = ("libpod/tmp/*.net", "netns/*", "libpod/tmp/*.log")
        return [*(str(path) for pattern in patterns for path in account.runtime.glob(pattern)),
                *os.listdir(account.root / "tmp")]

    wait_for("no file is left", lambda: not left())


def test_info_shows_the_daemon(podman: Podman, subject: Subject) -> None:
    said = podman.run("info", "--format={{.Host.Slirp4NetNS.Executable}}\n"
                              "{{.Host.Slirp4NetNS.Version}}").stdout.splitlines()
    assert said[0] == str(subject.path)
    assert said[1].startswith("slirp4netns version ")
    assert {line.split(":")[0] for line in said[2:]} == {
        "commit", "libslirp", "SLIRP_CONFIG_VERSION_MAX", "libseccomp"}


def test_plain(podman: Podman, subject: Subject) -> None:
    with podman.container("slirp4netns") as box:
        assert {"--disable-host-loopback", "--mtu=65520", "--enable-sandbox", "--enable-seccomp",
                "--enable-ipv6", "-c", "--netns-type=path"} <= set(subject.argv())
        subject.assert_confined()
        link = box.run("ip", "addr", "show", "dev", "tap0")
        assert f"inet {GUEST4}/24 " in link and " mtu 65520 " in link
        assert box.run("cat", "/etc/resolv.conf").startswith("nameserver 10.0.2.3\n")
        assert INTERNET4 in box.run("nslookup", WORD_NAME, "10.0.2.3")
        assert box.download() == "hello\n"


def test_run_in_the_foreground(podman: Podman) -> None:
    done = podman.run("run", "--rm", "--cgroups=disabled", "--network=slirp4netns", IMAGE,
                      "wget", "-q", "-O", "-", f"http://{WORD_NAME}/hello")
    assert done.stdout == "hello\n"


def test_daemon_is_found_in_path(account: Account, storage: Path, subject: Subject) -> None:
    podman = Podman(account, storage, "path", CONTAINERS_CONF)
    path = f"{subject.path.parent}:{account.env['PATH']}"
    done = podman.run("run", "--rm", "--cgroups=disabled", "--network=slirp4netns", IMAGE,
                      "wget", "-q", "-O", "-", f"http://{WORD_NAME}/hello", env={"PATH": path})
    assert done.stdout == "hello\n"
    said = podman.run("info", "--format={{.Host.Slirp4NetNS.Executable}}", env={"PATH": path})
    assert said.stdout.strip() == str(subject.path)


def test_commands_of_the_documents(podman: Podman, account: Account, subject: Subject,
                                   documented_link: None) -> None:
    """With what they write in the account's configuration, and our image for theirs."""
    commands, = blocks("docs/containers.md", "Podman 4 and 5")
    image = "docker.io/library/nginx"
    assert commands.endswith(image)
    box = f"--name=box --cgroups=disabled --detach {IMAGE} sleep {CONTAINER_LIFE_S}"
    config = account.root / "home/.config/containers"
    account.run("mkdir", "-p", config)
    for name, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", STORAGE_CONF)):
        (config / name).write_text(text)
    # The daemon must not hold the pipe that is read to its end.
    account.run("sh", "-ec", f"exec 2>/dev/null\n{typed(commands).replace(image, box)}")
    assert "--api-socket" in subject.argv()
    assert Path(f"/proc/{subject.daemon()}/cmdline").read_text().split("\0")[0] == str(
        account.root / "home/.local/libexec/slirpd/slirp4netns")
    assert Container(podman).download() == "hello\n"
    assert tcp_peer_seen(Container(podman).netns, ("0.0.0.0", 80), Lab.internet_netns,
                         (HOST4, TCP_PORT)) == INTERNET4
    shutil.rmtree(config)


def test_cidr(podman: Podman) -> None:
    with podman.container("slirp4netns:cidr=10.99.0.0/24,port_handler=slirp4netns",
                          f"--publish={TCP_PORT}:80") as box:
        assert "inet 10.99.0.100/24 " in box.run("ip", "addr", "show", "dev", "tap0")
        assert box.run("cat", "/etc/resolv.conf").startswith("nameserver 10.99.0.3\n")
        assert box.download() == "hello\n"
        assert tcp_peer_seen(box.netns, ("10.99.0.100", 80), Lab.internet_netns,
                             (HOST4, TCP_PORT)) == INTERNET4


def test_mtu(podman: Podman) -> None:
    with podman.container("slirp4netns:mtu=1400") as box:
        assert " mtu 1400 " in box.run("ip", "link", "show", "dev", "tap0")
        assert box.download() == "hello\n"


@pytest.mark.parametrize("enabled", ("true", "false"))
def test_enable_ipv6(podman: Podman, enabled: str) -> None:
    with podman.container(f"slirp4netns:enable_ipv6={enabled}") as box:
        assert ("inet6 fd00::" in box.run("ip", "addr", "show", "dev", "tap0")) == (
            enabled == "true")
        if enabled == "true":
            assert box.download(f"[{INTERNET6}]") == "hello\n"
        assert box.download() == "hello\n"


@pytest.mark.parametrize("allowed", ("true", "false"))
def test_allow_host_loopback(podman: Podman, allowed: str) -> None:
    with listener("/proc/self/ns/net", "127.0.0.1") as server, \
            podman.container(f"slirp4netns:allow_host_loopback={allowed}") as box, \
            socket_in(box.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
        error = client.connect_ex(("10.0.2.2", server.getsockname()[1]))
        assert (error == 0) == (allowed == "true"), os.strerror(error)
        assert box.download() == "hello\n"


def seen_from_outside(handler: str) -> str:
    """Whom a container takes a client of a published port for."""
    return INTERNET4 if handler == "slirp4netns" else GUEST4


HANDLERS = ("slirp4netns", "rootlesskit")


@pytest.mark.parametrize("handler", HANDLERS)
def test_published_ports(podman: Podman, subject: Subject, handler: str) -> None:
    with podman.container(f"slirp4netns:port_handler={handler}", f"--publish={TCP_PORT}:80",
                          f"--publish={UDP_PORT}:53/udp") as box:
        assert ("--api-socket" in subject.argv()) == (handler == "slirp4netns")
        subject.assert_confined()
        for seen, guest_port, host_port in ((tcp_peer_seen, 80, TCP_PORT),
                                            (udp_peer_seen, 53, UDP_PORT)):
            assert seen(box.netns, ("0.0.0.0", guest_port), Lab.internet_netns,
                        (HOST4, host_port)) == seen_from_outside(handler)
    wait_ports_free()


@pytest.mark.parametrize("handler", HANDLERS)
def test_published_on_one_address(podman: Podman, handler: str) -> None:
    with podman.container(f"slirp4netns:port_handler={handler}",
                          f"--publish=127.0.0.1:{TCP_PORT}:80") as box:
        tcp_peer_seen(box.netns, ("0.0.0.0", 80), "/proc/self/ns/net", ("127.0.0.1", TCP_PORT))
        with socket_in(Lab.internet_netns, socket.AF_INET, socket.SOCK_STREAM) as client:
            assert client.connect_ex((HOST4, TCP_PORT)) != 0


@pytest.mark.parametrize("proto,kind,seen", (("tcp", socket.SOCK_STREAM, tcp_peer_seen),
                                             ("udp", socket.SOCK_DGRAM, udp_peer_seen)),
                         ids=("tcp", "udp"))
@pytest.mark.parametrize("handler", HANDLERS)
def test_published_range(podman: Podman, handler: str, proto: str, kind: int,
                         seen: Callable[..., str]) -> None:
    last = RANGE_FIRST + RANGE_LENGTH - 1
    ports = range(RANGE_FIRST, last + 1)
    with podman.container(f"slirp4netns:port_handler={handler}",
                          f"--publish={RANGE_FIRST}-{last}:{RANGE_FIRST}-{last}/{proto}") as box:
        assert not [port for port in ports if port_is_free(port, kind)]
        netns = box.netns
        for port in (*ports[::33], last):
            assert seen(netns, ("0.0.0.0", port), Lab.internet_netns,
                        (HOST4, port)) == seen_from_outside(handler)
    wait_for("the range is given back",
             lambda: all(port_is_free(port, kind) for port in ports))


def test_port_that_is_taken(podman: Podman) -> None:
    with listener("/proc/self/ns/net", "0.0.0.0", TCP_PORT):
        done = podman.run("run", "--rm", "--cgroups=disabled",
                          "--network=slirp4netns:port_handler=slirp4netns",
                          f"--publish={TCP_PORT}:80", IMAGE, "sleep", "1", check=False)
    assert done.returncode != 0
    assert "bad request: add_hostfwd: slirp_add_hostfwd failed" in done.stderr


SECOND4, SECOND6 = "198.51.100.3", "2001:db8:3::3"


@pytest.fixture
def second(lab: Lab) -> Iterator[None]:  # noqa: F811
    """Another interface of the host, whose addresses the internet knows the way to."""
    with contextlib.ExitStack() as undo:
        sh("ip", "link", "add", "second", "type", "veth", "peer", "name", "nowhere")
        undo.callback(sh, "ip", "link", "del", "second")
        for argv in (("link", "set", "second", "up"), ("link", "set", "nowhere", "up"),
                     ("addr", "add", f"{SECOND4}/32", "dev", "second"),
                     ("addr", "add", f"{SECOND6}/128", "dev", "second", "nodad")):
            sh("ip", *argv)
        for address, via in ((SECOND4, HOST4), (SECOND6, HOST6)):
            sh(*lab.in_internet(), "ip", "route", "add", address, "via", via)
            undo.callback(sh, *lab.in_internet(), "ip", "route", "del", address)
        yield


@pytest.mark.parametrize("seen", (tcp_peer_seen, udp_peer_seen), ids=("tcp", "udp"))
@pytest.mark.parametrize("option,value,server,expected", (
    ("outbound_addr", SECOND4, INTERNET4, SECOND4),
    ("outbound_addr", "second", INTERNET4, SECOND4),
    ("outbound_addr6", SECOND6, INTERNET6, SECOND6),
    ("outbound_addr6", "second", INTERNET6, SECOND6)))
def test_outbound_addr(podman: Podman, subject: Subject, second: None, option: str, value: str,
                       server: str, expected: str, seen: Callable[..., str]) -> None:
    """By address and by interface; the server says where it came from."""
    if not subject.is_slirpd and (option, value) == ("outbound_addr6", "second"):
        # slirp4netns 1.2 finds no IPv6 address of an interface.
        with pytest.raises(AssertionError, match="slirp4netns failed"):
            podman.start(f"slirp4netns:{option}={value}")
        return
    with podman.container(f"slirp4netns:{option}={value}") as box:
        assert f"--{option.replace('_', '-')}={value}" in subject.argv()
        assert seen(Lab.internet_netns, (server, 4711), box.netns, (server, 4711)) == expected


def wait_ports_free() -> None:
    wait_for("the ports are given back", lambda: port_is_free(TCP_PORT) and port_is_free(
        UDP_PORT, socket.SOCK_DGRAM))


# What ends a container, or the process that holds the exit-fd of its network.
ENDS = {
    "stop": lambda podman, box: podman.run("stop", "--time=0", "box"),
    "kill": lambda podman, box: podman.run("kill", "box"),
    "rm": lambda podman, box: podman.run("rm", "--force", "--time=0", "box"),
    "container dies": lambda podman, box: os.kill(int(box.state("Pid")), signal.SIGKILL),
    "conmon dies": lambda podman, box: os.kill(int(box.state("ConmonPid")), signal.SIGKILL),
}


@pytest.mark.parametrize("end", ENDS)
def test_end_leaves_nothing(podman: Podman, subject: Subject, end: str) -> None:
    """What leaves_nothing looks at, and the ports."""
    box = podman.start("slirp4netns:port_handler=slirp4netns", f"--publish={TCP_PORT}:80",
                       f"--publish={UDP_PORT}:53/udp")
    assert not port_is_free(TCP_PORT) and not port_is_free(UDP_PORT, socket.SOCK_DGRAM)
    ENDS[end](podman, box)
    subject.wait_gone()
    wait_ports_free()


def test_restart(podman: Podman, subject: Subject) -> None:
    """The new network wants the ports that the old one has just had."""
    with podman.container("slirp4netns:port_handler=slirp4netns", f"--publish={TCP_PORT}:80") as box:
        before = subject.daemon()
        podman.run("restart", "--time=0", "box")
        assert subject.daemon() != before
        assert box.download() == "hello\n"
        assert tcp_peer_seen(box.netns, ("0.0.0.0", 80), Lab.internet_netns,
                             (HOST4, TCP_PORT)) == INTERNET4
