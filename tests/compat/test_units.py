# SPDX-License-Identifier: BSD-2-Clause
"""The units under the systemd of an ordinary user, and containers of Podman in a namespace that
slirpd makes, as docs/containers.md says.

Debian's Podman. Runs inside outer-ns --as-root.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from cgroups import cgroup_of  # noqa: E402
from clients import (  # noqa: E402, F401
    Account,
    Subject,
    account,
    install,
    lab,
    leaves_no_process,
    manager,
    port_is_free,
    tcp_peer_seen,
)
from commands import sh  # noqa: E402
from documents import blocks, typed  # noqa: E402
from lab import INTERNET4, http_url  # noqa: E402
from test_podman import (  # noqa: E402, F401
    CONTAINER_LIFE_S,
    CONTAINERS_CONF,
    IMAGE,
    Container,
    Podman,
    storage,
)
from tree import REPO, slirpd_path  # noqa: E402
from waiting import wait_for  # noqa: E402

# What the documents name.
DOCUMENTED_IMAGE = "docker.io/library/nginx"
INSTANCE, PORT = "web", 8080
UNIT = f"slirpd-netns@{INSTANCE}.service"
# Debian's Podman has no control group of its own in these tests.
BOX = f"--name=box --cgroups=disabled --detach {IMAGE} sleep {CONTAINER_LIFE_S}"


def documented() -> list[str]:
    """The blocks of the section on Podman 6, as they are typed or written to a file."""
    found = blocks("docs/containers.md", "Podman 6")
    assert len(found) == 3, "the section has other blocks than these tests follow"
    return [typed(block) for block in found]


@pytest.fixture(scope="module")
def slirpd() -> Iterator[Subject]:
    with tempfile.TemporaryDirectory(prefix="subject-") as directory:
        os.chmod(directory, 0o755)
        yield Subject("slirpd", install("slirpd", Path(directory)))


@pytest.fixture
def podman(account: Account, storage: Path, slirpd: Subject,  # noqa: F811
           leaves_no_process: None) -> Iterator[Podman]:  # noqa: F811
    made = Podman(account, storage, "netns", CONTAINERS_CONF)
    # Podman begins without its namespaces, as after a login.
    made.run("system", "migrate")
    yield made
    made.run("rm", "--all", "--force", "--time=0")
    made.run("system", "migrate")
    slirpd.wait_gone()
    assert not list(account.runtime.glob("**/*.netns"))
    wait_for("the port is given back", lambda: port_is_free(PORT))


class Manager:
    """The user's service manager, with the units of slirpd."""

    def __init__(self, account: Account, slirpd: Subject) -> None:  # noqa: F811
        self._account = account
        self.config = account.root / "home/.config"
        built = Path(slirpd_path()).resolve().parents[1] / "systemd"
        for path in built.glob("*@.service"):
            text, n = re.subn(r"(?<=[ =])/\S+/bin/slirpd ", f"{slirpd.path.with_name('slirpd')} ",
                              path.read_text())
            assert n == 1
            self.write(f"systemd/user/{path.name}", text)
        self.run("daemon-reload")

    def write(self, name: str, text: str) -> None:
        self._account.run("mkdir", "-p", (self.config / name).parent)
        (self.config / name).write_text(text)

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._account.run("systemctl", "--user", *argv, check=check)

    def state(self, unit: str, name: str) -> str:
        return self.run("show", "--value", f"--property={name}", unit).stdout.strip()

    def wait_started(self, unit: str, *unlike: str) -> str:
        """Until the unit is active, in another invocation than an earlier one; returns that."""
        wait_for(f"{unit} is active", lambda: self.state(unit, "ActiveState") == "active" and
                 self.state(unit, "InvocationID") not in unlike)
        return self.state(unit, "InvocationID")


@pytest.fixture
def units(account: Account, slirpd: Subject, leaves_no_process: None,  # noqa: F811
          manager: None) -> Iterator[Manager]:  # noqa: F811
    made = Manager(account, slirpd)
    yield made
    made.run("stop", "slirpd*")
    account.run("rm", "-r", made.config)
    slirpd.wait_gone()


@pytest.fixture
def podman_units(podman: Podman, units: Manager) -> Iterator[Manager]:
    units.run("set-environment", *(f"{name}={value}" for name, value in podman.env.items()))
    yield units
    # Podman's state is gone after the manager.
    podman.run("rm", "--all", "--force", "--time=0")


# --- a guest that exists ------------------------------------------------------------------------


@pytest.fixture
def guest(account: Account, leaves_no_process: None) -> Iterator[subprocess.Popen[bytes]]:  # noqa: F811
    with account.start("unshare", "--user", "--map-root-user", "--net", "cat",
                       stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        yield process
        process.kill()


def test_guest_that_exists(units: Manager, slirpd: Subject,
                           guest: subprocess.Popen[bytes]) -> None:
    """Under all restrictions of the unit: traffic, a restart after a failure, and the end."""
    unit = f"slirpd@{INSTANCE}.service"
    units.write(f"slirpd/{INSTANCE}.conf", f"SLIRPD_ARGUMENTS=--configure {guest.pid} tap0\n")
    units.run("start", unit)
    assert_downloads(guest.pid)
    slirpd.assert_confined()
    first = units.state(unit, "InvocationID")
    os.kill(slirpd.daemon(), signal.SIGKILL)
    units.wait_started(unit, first)
    assert_downloads(guest.pid)
    guest.kill()
    wait_for("the unit has ended", lambda: units.state(unit, "ActiveState") == "inactive")
    assert units.state(unit, "Result") == "success"


def test_network_outlives_the_unit_of_its_caller(units: Manager, slirpd: Subject,
                                                 guest: subprocess.Popen[bytes]) -> None:
    """Podman has the process that it started moved into a unit of its own; here root does it."""
    caller, own = "slirpd-caller.service", "slirpd-moved.service"
    units.write(f"systemd/user/{caller}", (
        f"[Service]\nType=forking\nExecStart=/bin/sh -c '{slirpd.path.with_name('slirpd')} "
        f"--configure {guest.pid} tap0 & sleep {CONTAINER_LIFE_S} &'\n"))
    units.write(f"systemd/user/{own}", f"[Service]\nExecStart=/bin/sleep {CONTAINER_LIFE_S}\n")
    units.run("daemon-reload")
    units.run("start", caller, own)
    interfaces = Path(f"/proc/{guest.pid}/net/dev")
    wait_for("the guest has its interface", lambda: "tap0:" in interfaces.read_text())
    group = cgroup_of(int(units.state(own, "MainPID")))
    (group / "cgroup.procs").write_text(str(slirpd.daemon()))
    wait_for("all processes are in it", lambda: {cgroup_of(pid) for pid in slirpd.pids()} == {group})
    units.run("stop", caller)
    assert_downloads(guest.pid)
    units.run("stop", own)
    slirpd.wait_gone()


def assert_downloads(pid: int) -> None:
    got = sh("nsenter", f"--net=/proc/{pid}/ns/net", "curl", "-sS", "--max-time", "10",
             http_url(INTERNET4, "hello"))
    assert got.stdout == "hello\n"


# --- containers ---------------------------------------------------------------------------------


def type_in(podman: Podman, slirpd: Subject, block: str) -> None:
    """In bash, with slirpd in PATH, and with our image for the documented one."""
    assert DOCUMENTED_IMAGE in block
    path = f"{slirpd.path.parent}:{podman.account.env['PATH']}"
    # A slirpd that stays must not hold the pipe that is read to its end.
    podman.account.run("bash", "-ec", f"exec 2>/dev/null\n{block.replace(DOCUMENTED_IMAGE, BOX)}",
                       env={**podman.env, "PATH": path})


def assert_network_works(box: Container) -> None:
    assert box.run("cat", "/etc/resolv.conf") == "nameserver 10.0.2.3\n"
    assert box.download() == "hello\n"


def test_commands(podman: Podman, slirpd: Subject, podman_units: Manager) -> None:
    type_in(podman, slirpd, documented()[0])
    box = Container(podman)
    slirpd.assert_confined()
    assert_network_works(box)
    tcp_peer_seen(box.netns, ("0.0.0.0", 80), "/proc/self/ns/net", ("127.0.0.1", PORT))
    assert f"`systemctl --user stop {UNIT.partition('.')[0]}`" in (
        REPO / "docs/containers.md").read_text()
    podman_units.run("stop", UNIT)
    slirpd.wait_gone()
    assert os.listdir(podman.account.runtime / "slirpd") == []


def test_quadlet(podman: Podman, slirpd: Subject, podman_units: Manager) -> None:
    """The container's unit brings the namespace's, and is started again with it."""
    podman_units.write("systemd/user/web.service", service_of(documented()[1]))
    podman_units.run("daemon-reload")
    podman_units.run("start", "web")
    assert_network_works(Container(podman))
    before = [podman_units.wait_started(unit) for unit in (UNIT, "web")]
    # The namespace stays pinned when slirpd is killed.
    os.kill(slirpd.daemon(), signal.SIGKILL)
    for unit in (UNIT, "web"):
        podman_units.wait_started(unit, *before)
    assert_network_works(Container(podman))
    podman_units.run("stop", UNIT)
    assert podman_units.state("web", "ActiveState") in ("inactive", "failed")


def service_of(container: str) -> str:
    """What the generator of Podman makes of a .container file, by podman-systemd.unit(5)."""
    before, _, rest = container.partition("[Container]\n")
    keys, blank, after = rest.partition("\n\n")
    settings = dict(line.split("=", 1) for line in keys.splitlines())
    assert settings.pop("Image") == DOCUMENTED_IMAGE
    options = {"Network": "--network", "DNS": "--dns"}
    words = [f"{options[name]}={value}" for name, value in settings.items()]
    return (f"{before}[Service]\nType=notify\nNotifyAccess=all\nKillMode=mixed\n"
            f"ExecStart=podman run --rm --replace --sdnotify=conmon {' '.join(words)} {BOX}\n"
            f"ExecStop=podman rm --force --time=0 box\n{blank}{after}")


def test_namespaces_of_podman_do_not_end_with_the_unit(podman: Podman, slirpd: Subject,
                                                       podman_units: Manager) -> None:
    podman_units.run("start", UNIT)
    keeper = int((podman.account.runtime / "libpod/tmp/pause.pid").read_text())
    assert UNIT not in Path(f"/proc/{keeper}/cgroup").read_text()
    assert UNIT in Path(f"/proc/{slirpd.daemon()}/cgroup").read_text()
    podman_units.run("stop", UNIT)
    assert Path(f"/proc/{keeper}/ns/user").exists()


def test_wrong_option_is_not_tried_again(podman: Podman, podman_units: Manager) -> None:
    podman_units.write(f"slirpd/{INSTANCE}.conf", "SLIRPD_OPTIONS=--publish=nonsense\n")
    assert podman_units.run("start", UNIT, check=False).returncode != 0
    assert [podman_units.state(UNIT, name) for name in (
        "ActiveState", "ExecMainStatus", "NRestarts")] == ["failed", "2", "0"]


def test_refused_start_leaves_the_namespace_of_another(podman: Podman, slirpd: Subject,
                                                       podman_units: Manager) -> None:
    """Another slirpd of the user has its namespace where the unit would have it."""
    *commands, end = documented()[2].splitlines()
    directory = podman.account.runtime / "slirpd"
    # Podman's own namespaces then end with the manager.
    podman_units.run("start", UNIT)
    podman_units.run("stop", UNIT)
    type_in(podman, slirpd, "\n".join(commands).replace("DIR/web.netns", "DIR/slirpd/web.netns"))
    box = Container(podman)
    # The first start that fails is followed by others.
    assert podman_units.run("start", UNIT, check=False).returncode != 0
    podman_units.run("stop", UNIT)
    assert os.listdir(directory) == [f"{INSTANCE}.netns"]
    assert_network_works(box)
    podman.account.run("sh", "-ec", end)
    slirpd.wait_gone()


def test_without_the_service_manager(podman: Podman, slirpd: Subject) -> None:
    *commands, end = documented()[2].splitlines()
    type_in(podman, slirpd, "\n".join(commands))
    box = Container(podman)
    assert_network_works(box)
    tcp_peer_seen(box.netns, ("0.0.0.0", 80), "/proc/self/ns/net", ("127.0.0.1", PORT))
    podman.account.run("sh", "-ec", end)
    slirpd.wait_gone()
    assert not list(podman.account.runtime.glob("web*"))
