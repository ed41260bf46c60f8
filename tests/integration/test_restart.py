# SPDX-License-Identifier: BSD-2-Clause
"""A process of slirpd dies and is started again: what goes on, what is lost, and when slirpd ends."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import api_client
import ipc
import pytest
import test_bess as bess
from daemon import Slirpd, SlirpdRun
from guest import Guest
from lab import ECHO_PORT, HTTP_PORT, INTERNET4, Lab, http_url, works
from load import echoing, name_is_found
from netns import socket_in
from processes import borrowed, fd_table, proc_stat, stopped
from test_traffic import lease_of
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

# Those that the spawner starts again.
AGAIN = ("slirp-worker", "connector", "resolver", "api")
FORWARDED_PORT = 8080
GUEST_PORT = 8000
# Behind the fixed numbers of the channels: src/ipc/fdtable.h.
CHANNELS_END = 7
# Enough for a median; each has a slirpd of its own, so that no delay comes between.
KILLS = 10


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.sock"


@pytest.fixture
def daemon(guest: Guest, path: Path) -> Iterator[Slirpd]:
    with Slirpd("--configure", "--api-socket", path,
                f"--publish=127.0.0.1:{FORWARDED_PORT}:{GUEST_PORT}", guest.pid, "tap0") as made:
        yield made


def end(daemon: Slirpd, role: str, number: signal.Signals = signal.SIGKILL) -> int:
    """Ends the process, and waits for the next one. Returns the PID of that."""
    old = daemon.children()[role]
    os.kill(old, number)
    return wait_for(f"another {role}", lambda: {old: 0}.get(
        pid := daemon.children().get(role, old), pid))


def status(path: Path) -> dict:
    return api_client.execute(str(path), "query_status")["return"]


def echo_through_the_forward() -> bool:
    with socket.create_connection(("127.0.0.1", FORWARDED_PORT), DEADLINE_S) as client:
        client.sendall(b"hello")
        return client.recv(100) == b"hello"


@pytest.mark.parametrize("role", AGAIN)
@pytest.mark.parametrize("number", (
    signal.SIGKILL, signal.SIGSYS,
    # A sanitizer takes it for an error of the program, and ends that by an exit.
    pytest.param(signal.SIGSEGV, marks=pytest.mark.no_sanitizer)))
def test_death_is_told_and_made_good(guest: Guest, daemon: Slirpd, path: Path, role: str,
                                     number: signal.Signals) -> None:
    before = daemon.children()
    assert works(guest.netns)
    end(daemon, role, number)
    assert works(guest.netns)
    wait_for("it is told", lambda: re.search(
        rf"^slirpd: {role} was killed by {number.name} .*; starting it again$", daemon.stderr, re.M))
    wait_for("the api answers", lambda: "return" in api_client.execute(
        str(path), "query_connections"))
    after = daemon.children()
    assert {name: pid for name, pid in after.items() if name != role} == {
        name: pid for name, pid in before.items() if name != role}


@pytest.mark.parametrize("role", AGAIN)
def test_next_process_has_the_jail_of_the_first(guest: Guest, daemon: Slirpd, role: str) -> None:
    def reached() -> list[str]:
        return re.findall(rf"^slirpd: {role} confined: (.*)$", daemon.stderr, re.M)

    first = daemon.children()[role]
    links = {kind: os.readlink(f"/proc/{first}/ns/{kind}") for kind in ("user", "mnt", "net")}
    filters = re.search(r"Seccomp_filters:\s(\d+)", Path(f"/proc/{first}/status").read_text())[1]
    next_one = end(daemon, role)
    assert works(guest.netns)
    wait_for("its filter", lambda: re.search(
        r"Seccomp_filters:\s(\d+)", Path(f"/proc/{next_one}/status").read_text())[1] == filters)
    own = {kind: os.readlink(f"/proc/{next_one}/ns/{kind}") for kind in links}
    parent = {kind: os.readlink(f"/proc/{daemon.pid}/ns/{kind}") for kind in links}
    assert {kind for kind in links if links[kind] != parent[kind]} == {
        kind for kind in links if own[kind] != parent[kind]}
    assert "has less of a jail" not in daemon.stderr


def test_connections_of_the_guest_are_reset(guest: Guest, daemon: Slirpd) -> None:
    """A program in the guest fails at once when it sends, and does not wait for a timeout."""
    with socket_in(guest.netns, socket.AF_INET, socket.SOCK_STREAM) as client:
        client.connect((INTERNET4, HTTP_PORT))
        client.sendall(b"GET /hello HTTP/1.0")
        end(daemon, "slirp-worker")
        client.settimeout(DEADLINE_S)
        # The reset comes for this, or for what the guest's kernel has sent again before.
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            client.sendall(b"\r\n\r\n")
            client.recv(100)


def test_datagrams_go_on(guest: Guest, daemon: Slirpd) -> None:
    with socket_in(guest.netns, socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((INTERNET4, ECHO_PORT))
        client.settimeout(0.2)

        def echoes() -> bool:
            client.send(b"hello")
            try:
                return client.recv(100) == b"hello"
            except TimeoutError:
                return False

        assert echoes()
        for _ in range(3):
            end(daemon, "slirp-worker")
            wait_for("the echo", echoes)


def test_forwards_keep_their_ports_and_ids(guest: Guest, daemon: Slirpd, path: Path) -> None:
    with echoing(guest.netns, "0.0.0.0", GUEST_PORT):
        assert echo_through_the_forward()
        before = api_client.execute(str(path), "list_hostfwd")["return"]
        # Clients that come in between wait in the backlog.
        os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
        assert echo_through_the_forward()
        assert api_client.execute(str(path), "list_hostfwd")["return"] == before


@pytest.mark.parametrize("roles", (("slirp-worker", "api"), ("slirp-worker", "resolver"), AGAIN))
def test_several_at_once(guest: Guest, daemon: Slirpd, path: Path, roles: tuple[str, ...]) -> None:
    before = daemon.children()
    for role in roles:
        os.kill(before[role], signal.SIGKILL)
    wait_for("all are back", lambda: all(
        daemon.children().get(role, before[role]) != before[role] for role in roles))
    assert works(guest.netns)
    wait_for("the api answers", lambda: "return" in api_client.execute(
        str(path), "query_connections"))


@contextlib.contextmanager
def short_of_descriptors(pid: int) -> Iterator[None]:
    """The process keeps what it has, and can have no more."""
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (CHANNELS_END, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("short", "dead"), (
    ("slirp-worker", "resolver"), ("slirp-worker", "api"), ("connector", "slirp-worker"),
    ("connector", "resolver"), ("connector", "api")))
def test_process_without_room_for_a_channel_gets_it_later(guest: Guest, daemon: Slirpd, path: Path,
                                                          short: str, dead: str) -> None:
    """The new process, which has done nothing wrong, is not ended for it."""
    before = daemon.children()
    with short_of_descriptors(before[short]):
        new = end(daemon, dead)
        wait_for("it is said", lambda: f"no descriptor is left for the channel to {dead}" in
                 daemon.stderr)

    def all_is_well() -> bool:
        with contextlib.suppress(OSError):
            return (works(guest.netns) and name_is_found(guest) and
                    "return" in api_client.execute(str(path), "query_connections"))
        return False

    wait_for("all is well", all_is_well)
    assert daemon.children() == before | {dead: new}
    assert " dropped " not in daemon.stderr


def test_parent_holds_no_more_afterwards(guest: Guest, daemon: Slirpd) -> None:
    def held() -> list[str]:
        return sorted(re.sub(r"\d+", "N", what) for what in fd_table(daemon.pid).values())

    assert works(guest.netns)
    for role in AGAIN:
        end(daemon, role)
    assert works(guest.netns)
    before = held()
    for role in AGAIN:
        end(daemon, role)
    assert works(guest.netns)
    wait_for("the parent holds the same", lambda: held() == before)


def test_program_that_was_replaced_is_not_mixed_in(guest: Guest, tmp_path: Path) -> None:
    """The spawner has the file of the start, whatever is at its path by now."""
    built = Path(slirpd_path()).resolve().parents[1]
    for name in ("bin", "libexec"):
        shutil.copytree(built / name, tmp_path / name)
    with Slirpd("--configure", guest.pid, "tap0", program=str(tmp_path / "bin/slirpd")) as daemon:
        programs = {role: os.stat(f"/proc/{daemon.children()[role]}/exe").st_ino
                    for role in ("slirp-worker", "resolver")}
        for role, inode in programs.items():
            path = tmp_path / f"libexec/slirpd/slirpd-{role}"
            # As a package manager does it: another file, by a rename.
            shutil.copy("/bin/false", path.with_suffix(".new"))
            path.with_suffix(".new").rename(path)
            # So the kernel calls it from now on.
            next_one = end(daemon, f"{role} (deleted)")
            assert os.stat(f"/proc/{next_one}/exe").st_ino == inode != path.stat().st_ino
            assert works(guest.netns)


def test_dhcp_lease_is_kept(guest: Guest, tmp_path: Path, tools: Callable) -> None:
    tools("udhcpc")
    with Slirpd(guest.pid, "tap0") as daemon:
        first = lease_of(tmp_path, guest, "udhcpc")
        end(daemon, "slirp-worker")
        assert lease_of(tmp_path, guest, "udhcpc") == first


def test_bess_client_connects_again(tmp_path: Path) -> None:
    """Its connection ends with the worker. The socket, which the parent has, stays."""
    path = tmp_path / "bess.sock"
    with bess.up(path) as daemon:
        with bess.connect(path) as client:
            assert bess.arp(client)
            end(daemon, "slirp-worker")
            with contextlib.suppress(ConnectionResetError):
                while client.recv(bess.FRAME_MAX):
                    pass
        with bess.connect(path) as client:
            assert bess.arp(client)


def test_command_has_its_network_again(lab: Lab, tmp_path: Path) -> None:
    """The command of `slirpd run` goes on, too."""
    go = tmp_path / "go"
    os.mkfifo(go)
    script = f"read word <{go}; exec curl -sf -m {DEADLINE_S:g} {http_url(INTERNET4, 'hello')}"
    with SlirpdRun("--", "sh", "-euc", script, ready=False) as daemon:
        # Waits for the command to open it.
        with open(go, "w") as word:
            for role in ("slirp-worker", "resolver"):
                end(daemon, role)
            word.write("go\n")
        assert daemon.wait() == 0
        assert daemon.stdout == "hello\n"


def test_worker_that_always_dies_ends_slirpd(guest: Guest, daemon: Slirpd) -> None:
    for _ in range(9):
        old = daemon.children().get("slirp-worker")
        if old is None:
            old = wait_for("a worker", lambda: daemon.children().get("slirp-worker"))
        os.kill(old, signal.SIGKILL)
        wait_for("another", lambda old=old: daemon.children().get("slirp-worker", old) != old,
                 2 * DEADLINE_S)
    os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
    assert daemon.wait() == 1
    assert re.search(r"^slirpd: slirp-worker was killed by SIGKILL .*; that was the tenth time in a "
                     r"minute; ending$", daemon.stderr, re.M)


@pytest.mark.parametrize("role", AGAIN)
def test_restart_no_ends_at_the_first_death(guest: Guest, path: Path, role: str) -> None:
    with Slirpd("--configure", "--restart=no", "--api-socket", path, guest.pid, "tap0") as daemon:
        os.kill(daemon.children()[role], signal.SIGKILL)
        assert daemon.wait() == 1
        assert re.search(rf"^slirpd: {role} was killed by SIGKILL .*; ending$", daemon.stderr, re.M)


def test_without_a_spawner_the_death_of_the_worker_ends_slirpd(guest: Guest,
                                                               daemon: Slirpd) -> None:
    os.kill(daemon.children()["spawner"], signal.SIGKILL)
    wait_for("it is told", lambda: "nothing can be started again" in daemon.stderr)
    assert works(guest.netns)
    os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
    assert daemon.wait() == 1
    assert "without the spawner slirp-worker can't be started again; ending" in daemon.stderr


def test_worker_and_spawner_that_die_at_once_end_slirpd(guest: Guest, daemon: Slirpd) -> None:
    """slirpd finds the spawner gone when it asks for the next worker, and only then hears of its end."""
    before = daemon.children()
    # All that follows is there when the parent looks. Of a message that is none it ends the spawner.
    with stopped(daemon.pid), borrowed(before["spawner"], ipc.TO_PARENT) as channel:
        channel.send(b"no message")
        os.kill(before["slirp-worker"], signal.SIGKILL)
        wait_for("it has ended", lambda: proc_stat(before["slirp-worker"])[0] == "Z")
    assert daemon.wait() == 1
    assert "without the spawner slirp-worker can't be started again; ending" in daemon.stderr


def test_time_without_a_worker(guest: Guest) -> None:
    """From the kill to the first packet that the next worker carries."""
    times_ms = []
    for _ in range(int(os.environ.get("SLIRPD_KILLS", KILLS))):
        with Slirpd("--configure", guest.pid, "tap0") as daemon, \
                socket_in(guest.netns, socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((INTERNET4, ECHO_PORT))
            client.settimeout(0.001)
            assert works(guest.netns)
            os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
            begin = time.monotonic()
            while time.monotonic() < begin + DEADLINE_S:
                client.send(b"hello")
                with contextlib.suppress(TimeoutError):
                    if client.recv(100):
                        break
            times_ms.append((time.monotonic() - begin) * 1000)
        wait_for("the TAP is gone", lambda: guest.links() == {"lo"})
    print(f"without a worker: median {statistics.median(times_ms):.1f} ms, "
          f"most {max(times_ms):.1f} ms")
    assert max(times_ms) < DEADLINE_S * 1000


def test_other_deaths_cost_no_connection(guest: Guest, path: Path) -> None:
    """One connection of the guest's, and one through a forward, over a death of each process but
    the worker, in a slirpd of their own."""
    data = os.urandom(10_000)

    def answers(client: socket.socket) -> bool:
        client.sendall(data)
        with client.makefile("rb") as file:
            return file.read(len(data)) == data

    lives = int(os.environ.get("SLIRPD_KILLS", KILLS)) // 4 + 1
    for _ in range(lives):
        with Slirpd("--configure", "--api-socket", path,
                    f"--publish=127.0.0.1:{FORWARDED_PORT}:{GUEST_PORT}", guest.pid,
                    "tap0") as daemon, \
                echoing(guest.netns, "0.0.0.0", GUEST_PORT), \
                echoing(Lab.internet_netns, INTERNET4) as port, \
                guest.connect(INTERNET4, port) as out, \
                socket.create_connection(("127.0.0.1", FORWARDED_PORT), DEADLINE_S) as into:
            for role in ("connector", "resolver", "api"):
                end(daemon, role)
                assert answers(out) and answers(into), role
            os.kill(daemon.children()["spawner"], signal.SIGKILL)
            wait_for("it is gone", lambda: "spawner" not in daemon.children())
            assert answers(out) and answers(into)
            assert works(guest.netns)
