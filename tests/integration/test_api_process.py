# SPDX-License-Identifier: BSD-2-Clause
"""The process behind the control socket: the socket's file, and who dies when.

What requests do is in other files; here one request tells that somebody answers.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import socket
import stat
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import api_client
import ipc
import pytest
from commands import ORDINARY
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import works
from netns import socket_in
from processes import all_pids, borrowed, fd_table, first_unread, proc_stat
from repeating import repeating
from servers import recv_all, serve
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

GUEST_PORT = 8000
# Of a hello with its header: src/ipc/messages.h, src/ipc/channel.c.
HELLO_BYTES = 24
HELLO_ROLE = slice(16, 20)


def ask(path: Path | str, execute: str, **arguments: object) -> dict:
    """One request on a connection of its own."""
    return api_client.execute(str(path), execute, **arguments)


def forwards(path: Path) -> list[dict]:
    return ask(path, "list_hostfwd")["return"]["entries"]


@contextlib.contextmanager
def echo_in(guest: Guest) -> Iterator[None]:
    """A server in the guest that sends back what it gets."""
    with socket_in(guest.netns, socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.settimeout(None)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", GUEST_PORT))
        listener.listen()

        def handle(connection: socket.socket) -> None:
            while data := connection.recv(4096):
                connection.sendall(data)

        serve(listener, handle)
        yield


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "api.sock"


@pytest.fixture
def daemon(guest: Guest, path: Path) -> Iterator[Slirpd]:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as made:
        yield made


# --- the socket's file --------------------------------------------------------------------------


@pytest.mark.parametrize("umask", (0, 0o022, 0o777))
def test_socket_is_the_callers_alone_whatever_the_umask(guest: Guest, path: Path,
                                                        umask: int) -> None:
    # slirpd keeps its caller's umask; a file that the shell makes shows that it was set.
    prefix = ["sh", "-c", f'umask {umask:o}; exec "$@"', "sh"]
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0", prefix=prefix):
        mode = path.lstat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        assert forwards(path) == []


def test_ready_means_answered(guest: Guest, path: Path) -> None:
    for _ in range(5):
        with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0"):
            assert forwards(path) == []


def test_path_is_there_only_when_it_can_be_connected_to(guest: Guest, path: Path) -> None:
    refused: list[OSError] = []
    connected: list[bool] = []

    def try_it() -> None:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(path))
                connected.append(True)
            except FileNotFoundError:
                pass
            except OSError as error:
                refused.append(error)

    with repeating(try_it):
        for _ in range(3):
            # At the end there is a moment between the api's death and the file's.
            with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0"):
                n = len(connected)
                wait_for("a connection", lambda: len(connected) > n)
                assert not refused


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT, signal.SIGHUP))
def test_end_removes_the_socket(guest: Guest, path: Path, number: signal.Signals) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as daemon:
        assert path.exists()
        daemon.process.send_signal(number)
        assert daemon.wait() == 0
    assert list(path.parent.iterdir()) == []


def test_hang_up_of_exit_fd_removes_the_socket(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0", exit_fd=True) as daemon:
        daemon.hang_up()
        assert daemon.wait() == 0
    assert list(path.parent.iterdir()) == []


def test_death_of_the_worker_removes_the_socket(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--restart=no", "--api-socket", path, guest.pid, "tap0") as daemon:
        os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
        assert daemon.wait() == 1
    assert list(path.parent.iterdir()) == []


def test_failed_start_removes_the_socket(guest: Guest, path: Path) -> None:
    # The helper fails when the socket is there: no interface has such an MTU.
    done = run_slirpd("--configure", "--mtu=60", "--api-socket", path, guest.pid, "tap0")
    assert done.returncode == 1 and "MTU of tap0" in done.stderr
    assert list(path.parent.iterdir()) == []


def test_killed_daemon_leaves_a_socket_that_the_next_replaces(guest: Guest, path: Path) -> None:
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as first:
        family = set(first.pids())
        assert len(family) == 6
        first.kill()
        wait_for("no process is left", lambda: not family & all_pids())
    assert path.is_socket()
    wait_for("the TAP is gone", lambda: guest.links() == {"lo"})
    with Slirpd("--configure", "--api-socket", path, guest.pid, "tap0"):
        assert forwards(path) == []
    assert list(path.parent.iterdir()) == []


def test_second_daemon_takes_the_path_and_keeps_it(guest: Guest, path: Path) -> None:
    with Guest() as other, \
            Slirpd("--configure", "--api-socket", path, guest.pid, "tap0") as first:
        inode = path.stat().st_ino
        with Slirpd("--configure", "--api-socket", path, other.pid, "tap1"):
            assert path.stat().st_ino != inode
            assert ask(path, "query_status")["return"]["tap_name"] == "tap1"
            assert first.terminate() == 0
            assert ask(path, "query_status")["return"]["tap_name"] == "tap1"
        assert not path.exists()


def test_what_took_the_paths_place_is_left_alone(daemon: Slirpd, path: Path) -> None:
    path.unlink()
    path.write_text("precious")
    assert daemon.terminate() == 0
    assert path.read_text() == "precious"


def test_relative_path_is_that_of_the_start(guest: Guest, tmp_path: Path) -> None:
    prefix = ["env", "-C", str(tmp_path)]
    with Slirpd("--configure", "--api-socket", "api.sock", guest.pid, "tap0",
                prefix=prefix) as daemon:
        assert forwards(tmp_path / "api.sock") == []
        assert os.readlink(f"/proc/{daemon.pid}/cwd") == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_longest_path(guest: Guest, tmp_path: Path) -> None:
    """The name that it has before is no longer than there is room for."""
    path = tmp_path / "x"
    longest = f"{path}{'x' * (107 - len(str(path)))}"
    assert len(longest) == 107
    with Slirpd("--configure", "--api-socket", longest, guest.pid, "tap0"):
        assert forwards(Path(longest)) == []
    done = run_slirpd("--configure", "--api-socket", f"{longest}x", guest.pid, "tap0")
    assert done.returncode == 2
    assert done.stderr == (f'slirpd: --api-socket: "{longest}x" is too long: a socket\'s path has '
                           "at most 107 bytes\n")
    assert list(tmp_path.iterdir()) == []


# --- starts that fail ---------------------------------------------------------------------------


def assert_start_fails(guest: Guest, path: Path, reason: str, status: int = 1) -> None:
    done = run_slirpd("--configure", "--api-socket", path, guest.pid, "tap0")
    assert done.returncode == status and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and reason in done.stderr, done.stderr
    assert str(path) in done.stderr
    assert guest.links() == {"lo"}


def test_path_that_is_a_directory_or_a_file(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").write_text("precious")
    before = sorted(tmp_path.iterdir())
    assert_start_fails(guest, tmp_path / "directory", "is a directory", status=2)
    assert_start_fails(guest, tmp_path / "file", "is not a socket", status=2)
    assert (tmp_path / "file").read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == before


def test_directory_that_is_not_there(guest: Guest, tmp_path: Path) -> None:
    assert_start_fails(guest, tmp_path / "none/api.sock",
                       "open its directory: No such file or directory")


def test_directory_that_is_closed(guest: Guest, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert_start_fails(guest, closed / "api.sock",
                       "make a socket in its directory: Permission denied")
    assert list(closed.iterdir()) == []


def test_missing_program_is_named(guest: Guest, path: Path, tmp_path: Path) -> None:
    """The api's program is looked for with the others, also where none is asked for."""
    root = Path(slirpd_path()).resolve().parents[1]
    copy = tmp_path / "copy"
    for name in ("bin/slirpd", "libexec/slirpd/slirpd-netns-helper",
                 "libexec/slirpd/slirpd-slirp-worker", "libexec/slirpd/slirpd-connector",
                 "libexec/slirpd/slirpd-resolver"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((root / name).read_bytes())
        (copy / name).chmod(0o755)
    done = subprocess.run([*ORDINARY, copy / "bin/slirpd", "-c", str(guest.pid), "tap0"],
                          text=True, capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 1
    assert re.search(r"open program \S+/slirpd-api: No such file", done.stderr), done.stderr


# --- deaths -------------------------------------------------------------------------------------


def test_killed_api_is_back_and_nobody_else_notices(guest: Guest, daemon: Slirpd,
                                                    path: Path) -> None:
    with echo_in(guest), socket.socket() as through:
        ask(path, "add_hostfwd", proto="tcp", host_addr="127.0.0.1", host_port=8080,
            guest_port=GUEST_PORT)
        before = forwards(path)
        through.settimeout(DEADLINE_S)
        through.connect(("127.0.0.1", 8080))
        for _ in range(3):
            api = daemon.children()["api"]
            os.kill(api, signal.SIGKILL)
            through.sendall(b"still there")
            assert through.recv(100) == b"still there"
            assert forwards(path) == before
            assert daemon.children()["api"] != api
            assert works(guest.netns)
        assert ask(path, "query_status")["return"]["restarts"]["api"] == 3
        # Ids go on, too.
        assert ask(path, "add_hostfwd", proto="tcp", host_addr="127.0.0.1", host_port=8081,
                   guest_port=GUEST_PORT)["return"]["id"] == before[0]["id"] + 1
    assert len(re.findall(r"api was killed by SIGKILL .*; starting it again$", daemon.stderr,
                          re.M)) == 3


@pytest.mark.parametrize("number", (3, 4, 5))
def test_api_that_breaks_the_protocol_is_replaced(guest: Guest, daemon: Slirpd, path: Path,
                                                  number: int) -> None:
    """Towards the parent, the worker and the connector, which go on."""
    said = r"(api\[\d+\] broke the protocol|dropped api\[\d+\]): message: .*; ending it"
    ask(path, "add_hostfwd", proto="tcp", host_addr="127.0.0.1", host_port=8080, guest_port=80)
    before = daemon.children()
    with borrowed(before["api"], number) as channel:
        channel.send(b"not a message at all")
    wait_for("it is said", lambda: re.search(said, daemon.stderr))
    # It is killed after that.
    wait_for("it is gone", lambda: before["api"] not in daemon.children().values())
    assert works(guest.netns)
    assert len(forwards(path)) == 1
    after = daemon.children()
    assert after["slirp-worker"] == before["slirp-worker"]
    assert after["connector"] == before["connector"]


def test_spawner_that_breaks_the_protocol_is_ended(guest: Guest, daemon: Slirpd,
                                                   path: Path) -> None:
    with borrowed(daemon.children()["spawner"], 3) as channel:
        channel.send(b"not a message at all")
    wait_for("it is said", lambda: re.search(
        r"spawner\[\d+\] broke the protocol: .*; ending it\n", daemon.stderr))
    assert forwards(path) == []
    assert works(guest.netns)


@pytest.mark.parametrize("whose", ["a stranger's", "the worker's"])
def test_spawner_can_not_name_a_process_that_it_did_not_start(
        guest: Guest, daemon: Slirpd, path: Path, whose: str) -> None:
    """The parent kills what it takes for the api when it ends."""
    children = daemon.children()
    spawner = children["spawner"]
    stop(spawner)
    os.kill(children["api"], signal.SIGKILL)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as stranger:
        named = stranger.pid if whose == "a stranger's" else children["slirp-worker"]
        with borrowed(spawner, 3) as channel:
            wait_for("the spawner has its order", lambda: first_unread(channel))
            channel.send(ipc.message("spawned", struct.pack("=4I", ipc.ROLES.index("api"), named, 0, 0)))
        wait_for("it is said", lambda: re.search(
            rf"^slirpd: spawner\[{spawner}\] broke the protocol: spawned: {named} is no child",
            daemon.stderr, re.M))
        wait_for("nobody can connect any more", lambda: not path.exists())
        assert works(guest.netns)
        assert daemon.terminate() == 0
        assert stranger.poll() is None


def test_client_that_comes_while_there_is_no_api_waits(daemon: Slirpd, path: Path) -> None:
    api = daemon.children()["api"]
    os.kill(api, signal.SIGSTOP)
    with api_client.connect(str(path)) as client:
        client.sendall(b'{"execute":"list_hostfwd"}')
        os.kill(api, signal.SIGKILL)
        assert json.loads(recv_all(client))["return"]["entries"] == []


def started_at(pid: int) -> float:
    """Seconds of CLOCK_BOOTTIME, cut to a tick: proc_pid_stat(5), field 22."""
    return int(proc_stat(pid)[22 - 3]) / os.sysconf("SC_CLK_TCK")


def test_api_that_dies_again_and_again_is_started_less_and_less_often(daemon: Slirpd) -> None:
    """From each death to the kernel's start of the next process, so that the api's own start,
    which takes long on a busy machine, is not taken for a wait."""
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    last, waits = daemon.children()["api"], []
    for n_deaths in range(1, 7):
        killed_at = time.clock_gettime(time.CLOCK_BOOTTIME)
        os.kill(last, signal.SIGKILL)
        last = wait_for("another api", lambda: daemon.children().get("api", last) != last
                        and daemon.children().get("api"))
        waits.append(started_at(last) + tick_s - killed_at)
        # The parent counts from the last start; each death is told.
        wait_for("it is told", lambda: daemon.stderr.count("; starting it again") == n_deaths)
    # The first is started at once.
    assert all(wait >= delay for wait, delay in zip(waits[1:], (0.1, 0.2, 0.4, 0.8, 1.6))), waits


def test_killed_spawner_leaves_the_api_until_it_dies(guest: Guest, daemon: Slirpd,
                                                     path: Path) -> None:
    children = daemon.children()
    os.kill(children["spawner"], signal.SIGKILL)
    wait_for("it is said", lambda: re.search(
        r"spawner was killed by SIGKILL .*; the network goes on, but nothing can be started again$",
        daemon.stderr, re.M))
    assert works(guest.netns)
    assert forwards(path) == []
    os.kill(children["api"], signal.SIGKILL)
    wait_for("nobody can connect any more", lambda: not path.exists())
    assert "there is no control socket any more" in daemon.stderr
    assert works(guest.netns)
    assert daemon.terminate() == 0


def state_of(pid: int) -> str:
    return proc_stat(pid)[0]


def stop(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    wait_for("it has stopped", lambda: state_of(pid) in "Tt")  # t: of a traced process


@contextlib.contextmanager
def channel_of(parent: int, is_wanted: Callable[[bytes], bool]) -> Iterator[socket.socket]:
    """The end that a parent, which has stopped, will read such a message from next."""
    def find() -> int | None:
        for number, what in fd_table(parent).items():
            if what.startswith("socket:"):
                with borrowed(parent, number) as sock:
                    # The other kind of socket is the one that clients connect to.
                    if sock.type == socket.SOCK_SEQPACKET and is_wanted(first_unread(sock)):
                        return number
        return None

    with borrowed(parent, wait_for("the message", find)) as sock:
        yield sock


def test_late_word_of_an_old_api_does_not_end_the_new_one(daemon: Slirpd, path: Path) -> None:
    """What the worker said of the first is held up until there is a second."""
    children = daemon.children()
    stop(daemon.pid)
    with borrowed(children["api"], 4) as channel:
        channel.send(b"not a message at all")

    with channel_of(daemon.pid, lambda message: b"not a message" in message) as channel:
        message = channel.recv(1 << 16)
    os.kill(children["api"], signal.SIGKILL)
    os.kill(daemon.pid, signal.SIGCONT)
    assert forwards(path) == []
    second = daemon.children()["api"]
    assert second != children["api"]
    with borrowed(children["slirp-worker"], 3) as channel:
        channel.send(message)
    # The worker's answer comes behind it.
    daemon.process.send_signal(signal.SIGUSR1)
    wait_for("the report", lambda: "stats: forwards" in daemon.stderr)
    assert ask(path, "query_status")["return"]["restarts"]["api"] == 1
    assert daemon.children()["api"] == second
    assert "dropped api" not in daemon.stderr


def test_new_api_that_does_not_get_ready_is_replaced(guest: Guest, daemon: Slirpd,
                                                     path: Path) -> None:
    spawner, first = (daemon.children()[role] for role in ("spawner", "api"))
    stop(spawner)
    os.kill(first, signal.SIGKILL)
    with borrowed(spawner, 3) as channel:
        wait_for("the spawner has its order", lambda: first_unread(channel))
    stop(daemon.pid)
    os.kill(spawner, signal.SIGCONT)
    # What it says never comes: its hello, what it has reached, that it is ready. The spawner's
    # message is as long as a hello, and has there an error, which is 0.
    with channel_of(daemon.pid, lambda message: (
            len(message) == HELLO_BYTES and any(message[HELLO_ROLE]))) as channel:
        for _ in range(3):
            wait_for("a message", lambda: first_unread(channel))
            channel.recv(1 << 16)
    hanging = daemon.children()["api"]
    os.kill(daemon.pid, signal.SIGCONT)
    wait_for("it is said", lambda: f"api[{hanging}] hangs: " in daemon.stderr)
    assert forwards(path) == []
    assert daemon.children()["api"] not in (first, hanging)
    assert works(guest.netns)


def test_spawner_that_hangs_is_ended(guest: Guest, daemon: Slirpd, path: Path) -> None:
    children = daemon.children()
    stop(children["spawner"])
    os.kill(children["api"], signal.SIGKILL)
    wait_for("it is said", lambda: f"spawner[{children['spawner']}] hangs: " in daemon.stderr)
    wait_for("nobody can connect any more", lambda: not path.exists())
    assert "there is no control socket any more" in daemon.stderr
    assert works(guest.netns)
    assert daemon.terminate() == 0


def test_stopped_api_harms_nobody(guest: Guest, daemon: Slirpd, path: Path) -> None:
    os.kill(daemon.children()["api"], signal.SIGSTOP)
    assert works(guest.netns)
    assert daemon.terminate() == 0
    assert not path.exists()


def test_descriptors_of_the_parent_do_not_grow(daemon: Slirpd, path: Path) -> None:
    # The parent, which answers this, begins to watch resolv.conf after it has said ready.
    assert "return" in ask(path, "query_status")
    before = len(fd_table(daemon.pid))
    for _ in range(3):
        os.kill(daemon.children()["api"], signal.SIGKILL)
        assert forwards(path) == []
    wait_for("as many as before", lambda: len(fd_table(daemon.pid)) == before)


# --- --publish ----------------------------------------------------------------------------------


def test_published_ports_are_there_at_ready(guest: Guest, path: Path) -> None:
    with echo_in(guest), Slirpd("--configure", f"--publish=127.0.0.1:8080:{GUEST_PORT}",
                                "--publish=127.0.0.1:9000-9009:7000/udp", "--api-socket", path,
                                guest.pid, "tap0") as daemon:
        with socket.create_connection(("127.0.0.1", 8080), DEADLINE_S) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"
        shown = forwards(path)
        assert [(forward["id"], forward["proto"], forward["host_port"]) for forward in shown] == [
            (1, "tcp", 8080), (2, "udp", 9000)]
        daemon.process.send_signal(signal.SIGUSR1)
        wait_for("the report", lambda: "stats: forwards 2\n" in daemon.stderr)
        ask(path, "remove_hostfwd", id=1)
        daemon.process.send_signal(signal.SIGUSR1)
        wait_for("the report", lambda: "stats: forwards 1\n" in daemon.stderr)


def test_publish_without_api_socket(guest: Guest) -> None:
    with echo_in(guest), Slirpd("--configure", "--publish", f"127.0.0.1:8080:{GUEST_PORT}",
                                guest.pid, "tap0") as daemon:
        assert set(daemon.children()) == {"slirp-worker", "connector", "resolver", "spawner"}
        with socket.create_connection(("127.0.0.1", 8080), DEADLINE_S) as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"


@pytest.mark.parametrize("value,reason", [
    ("127.0.0.1:8080:80", "port 8080: another program has the port"),
    ("203.0.113.77:8081:80", "no interface of the host has the address"),
    ("[::1]:8081:80", "IPv6 is not enabled"),
    ("127.0.0.1:8081:203.0.113.9:80", "the address is not one of the guest's network"),
])
def test_publish_that_fails_is_a_failed_start(guest: Guest, path: Path, value: str,
                                              reason: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 8080))
        holder.listen()
        done = run_slirpd("--configure", "--publish=127.0.0.1:8090:80", "--publish", value,
                          "--api-socket", path, guest.pid, "tap0")
    assert done.returncode == 1
    assert f"--publish={value}: " in done.stderr and reason in done.stderr, done.stderr
    assert list(path.parent.iterdir()) == []
    wait_for("the TAP is gone", lambda: guest.links() == {"lo"})


def request(port: int) -> bytes:
    return json.dumps({"execute": "add_hostfwd", "arguments": {
        "proto": "udp", "host_port": port, "guest_port": 80}}).encode()


@pytest.fixture
def still_connector(guest: Guest, path: Path) -> Iterator[tuple[Slirpd, int]]:
    """A daemon whose connector has stopped."""
    with Slirpd("--api-socket", path, guest.pid, "tap0") as daemon:
        connector = daemon.children()["connector"]
        stop(connector)
        try:
            yield daemon, connector
        finally:
            os.kill(connector, signal.SIGCONT)
        assert daemon.terminate() == 0


def connected(path: Path, request: bytes) -> socket.socket:
    """A client that has asked."""
    client = api_client.connect(str(path))
    client.sendall(request)
    return client


def test_clients_that_hang_up_while_the_connector_stands_still_shut_nobody_out(
        still_connector: tuple[Slirpd, int], path: Path) -> None:
    """More of them than there are places, each with a request that only the connector can answer."""
    _, connector = still_connector
    for port in range(20000, 20300):
        connected(path, request(port)).close()
    # The parent answers this.
    assert ask(path, "query_status")["return"]["pids"]["connector"] == connector
    with connected(path, request(30000)) as client:
        # It came first, and has been read by now. It waits, and is not refused.
        ask(path, "query_status")
        assert select.select([client], [], [], 0) == ([], [], [])
        os.kill(connector, signal.SIGCONT)
        assert json.loads(recv_all(client)) == {"return": {"id": 257}}
    # What was asked for first, as many as may wait, is done.
    assert {forward["host_port"] for forward in forwards(path)} == {*range(20000, 20000 + 256), 30000}


def test_clients_that_wait_for_a_connector_that_stands_still_give_way(
        still_connector: tuple[Slirpd, int], path: Path) -> None:
    _, connector = still_connector
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected(path, request(port)))
                   for port in range(20000, 20256)]
        assert ask(path, "query_status")["return"]["pids"]["connector"] == connector
        (refused,) = select.select(clients, [], [], 0)[0]
        error = json.loads(recv_all(refused))["error"]
        assert (error["desc"], error["class"]) == (
            "bad request: add_hostfwd: no answer", "Busy")
        assert error["detail"].endswith("; it may still be done")
        os.kill(connector, signal.SIGCONT)
        ids = {json.loads(recv_all(client))["return"]["id"]
               for client in clients if client is not refused}
    # Its request had been sent, and so it is among the forwards.
    assert len(ids) == 255
    assert [forward["id"] for forward in forwards(path)] == list(range(1, 257))
