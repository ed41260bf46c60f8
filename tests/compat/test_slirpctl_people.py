# SPDX-License-Identifier: BSD-2-Clause
"""slirpctl as a person uses it: on a terminal, without a socket's path, beside a daemon that runs.

test_slirpctl_output.py has what each command shows. Here are the terminal, the instances of a user, and
the restart of the api. Runs inside outer-ns. SLIRPCTL and SLIRPD name the programs under test.
"""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from commands import sh  # noqa: E402
from daemon import Slirpd  # noqa: E402
from guest import Guest  # noqa: E402
from slirpctl import (  # noqa: E402, F401
    CONNECTION, NO_REPLY, OK, SLIRPCTL, USAGE, VALUES, answering, assert_ok, ctl, leaves_no_process,
    loopback, runtime,
)
from terminal import OnTerminal  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402


@contextlib.contextmanager
def running(api_socket, **kwargs):
    with Guest() as guest, Slirpd("--configure", f"--api-socket={api_socket}", guest.pid, "tap0",
                                  **kwargs) as daemon:
        yield daemon


@contextlib.contextmanager
def stopped(pid):
    """A process that does not run meanwhile."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def instances(*args):
    return json.loads(assert_ok(ctl("ps", "--json", *args)))["instances"]


# --- which socket -----------------------------------------------------------------------------


def test_the_only_slirpd_needs_no_path(tmp_path, runtime):
    with running(tmp_path / "api") as daemon:
        link = runtime / f"{daemon.pid}.sock"
        assert os.readlink(link) == str(tmp_path / "api")
        assert runtime.stat().st_mode & 0o777 == 0o700
        assert assert_ok(ctl("add", "tcp", "127.0.0.1:8080", 80)) == "1\n"
        assert assert_ok(ctl("ls")).splitlines()[1].split()[0] == "1"
        assert assert_ok(ctl("rm", "all")) == ""
    assert list(runtime.iterdir()) == []


def test_relative_path_of_a_socket(tmp_path, runtime, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with running("api") as daemon:
        assert os.readlink(runtime / f"{daemon.pid}.sock") == str(tmp_path / "api")
        monkeypatch.chdir("/")
        assert_ok(ctl("status"))


def test_auto_makes_the_socket_there(runtime):
    with running("auto") as daemon:
        path = runtime / f"{daemon.pid}.sock"
        assert path.is_socket()
        assert path.stat().st_mode & 0o777 == 0o600
        assert [(found["pid"], found["socket"]) for found in instances()] == [
            (daemon.pid, str(path))]
    assert list(runtime.iterdir()) == []


def test_several_are_listed_and_one_must_be_chosen(tmp_path):
    assert assert_ok(ctl("ps")) == "PID  UP  TAP  GUEST  FORWARDS  SOCKET\n"
    result = ctl("list")
    assert result.returncode == USAGE
    assert "no slirpd of this user" in result.stderr
    with running(tmp_path / "one") as one, running(tmp_path / "two") as two:
        assert_ok(ctl("-a", tmp_path / "two", "add", "tcp", "127.0.0.1:8080", 80))
        rows = [line.split() for line in assert_ok(ctl("ps")).splitlines()[1:]]
        assert sorted((int(row[0]), row[-4:]) for row in rows) == sorted([
            (one.pid, ["tap0", "10.0.2.100", "0", f"{tmp_path}/one"]),
            (two.pid, ["tap0", "10.0.2.100", "1", f"{tmp_path}/two"]),
        ])
        result = ctl("list")
        assert result.returncode == USAGE
        assert "2 slirpds of this user run" in result.stderr
        assert "slirpctl ps" in result.stderr
        # The choice by path, and by the variable.
        assert_ok(ctl("-a", tmp_path / "one", "list"))


def test_killed_slirpd_is_not_taken_for_a_running_one(tmp_path, runtime):
    with running(tmp_path / "old", abnormal=True) as killed:
        killed.kill()
    assert [path.name for path in runtime.iterdir()] == [f"{killed.pid}.sock"]
    assert instances() == []
    assert instances("--all") == [
        {"pid": killed.pid, "socket": f"{tmp_path}/old", "state": "ended"}]
    assert assert_ok(ctl("ps", "--all")).splitlines()[1].split() == [
        str(killed.pid), "ended", "-", "-", "-", f"{tmp_path}/old"]
    with running(tmp_path / "new") as daemon:
        assert [found["pid"] for found in instances()] == [daemon.pid]
        assert_ok(ctl("list"))


def test_json_of_instances_is_for_programs(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "TEST-05:30")
    before = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(seconds=1)
    with running(tmp_path / "api") as daemon:
        assert_ok(ctl("add", "tcp", "127.0.0.1:8080", 80))
        found, = instances()
        started_at = found.pop("started_at")
        assert started_at.endswith("+05:30")
        assert before <= datetime.fromisoformat(started_at) <= datetime.now(timezone.utc)
        assert 0 < found.pop("uptime_ms") < DEADLINE_S * 1000
        assert found == {"pid": daemon.pid, "state": "running", "socket": f"{tmp_path}/api",
                         "tap_name": "tap0", "guest_addr": "10.0.2.100", "n_forwards": 1}
        with stopped(daemon.children()["api"]):
            silent = ctl("ps", "--json", "--timeout=1")
            assert (silent.returncode, json.loads(silent.stdout)) == (OK, {"instances": [
                {"pid": daemon.pid, "socket": f"{tmp_path}/api", "state": "no_reply"}]})
            assert "no reply within 1 s" in silent.stderr
            assert ctl("ps", "--timeout=1").stdout.splitlines()[1].split() == [
                str(daemon.pid), "no", "reply", "-", "-", "-", f"{tmp_path}/api"]


def test_slirpd_that_has_lost_its_control_socket_has_no_name(tmp_path, runtime):
    with running(tmp_path / "api", abnormal=True) as daemon:
        children = daemon.children()
        for role in ("spawner", "api"):
            os.kill(children[role], signal.SIGKILL)
        wait_for("the name is gone", lambda: not list(runtime.iterdir()))
        assert not (tmp_path / "api").exists()
        assert "there is no control socket any more" in daemon.stderr


def test_looking_for_instances_is_no_request(tmp_path):
    with running(tmp_path / "api"):
        for _ in range(3):
            assert_ok(ctl("version"))
        assert json.loads(assert_ok(ctl("stats", "--json")))["api"] == {
            **json.loads(assert_ok(ctl("stats", "--json")))["api"], "connections": 4,
            "requests": 4, "errors": 0}


def test_directory_that_others_may_write_to_is_refused(tmp_path, runtime):
    runtime.mkdir(mode=0o700)
    runtime.chmod(0o770)
    with running(tmp_path / "api"):
        assert list(runtime.iterdir()) == []
        result = ctl("ps")
        assert (result.returncode, result.stdout) == (NO_REPLY, "")
        assert "other users may write to it" in result.stderr
        assert_ok(ctl("-a", tmp_path / "api", "list"))
    with Guest() as guest:
        refused = Slirpd("--configure", "--api-socket=auto", guest.pid, "tap0", ready=False).start()
        assert refused.process.wait(timeout=DEADLINE_S) == 1
        assert "open its directory" in refused.stderr


def test_without_a_runtime_directory(tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    with running(tmp_path / "api") as daemon:
        assert_ok(ctl("-a", tmp_path / "api", "list"))
        assert instances() == []
        assert "XDG" not in daemon.stderr
    with Guest() as guest:
        refused = Slirpd("--configure", "--api-socket=auto", guest.pid, "tap0", ready=False).start()
        assert refused.process.wait(timeout=DEADLINE_S) in (1, 2)
        assert "--api-socket=auto: XDG_RUNTIME_DIR is not set" in refused.stderr


# --- commands without a daemon ----------------------------------------------------------------


def test_help_and_version(tmp_path):
    whole = assert_ok(ctl("help"))
    assert whole == assert_ok(ctl("--help"))
    assert ctl("help", "nope").returncode == USAGE
    assert assert_ok(ctl("version")) == assert_ok(ctl("--version"))
    with running(tmp_path / "api"):
        assert re.search(r"^slirpd +\d+\.\d+", assert_ok(ctl("version")), re.M)
    assert ctl("-a", tmp_path / "api", "version").returncode == NO_REPLY
    assert all(len(line) <= 80 for line in whole.splitlines()), "fits a terminal"


# --- commands that stay -----------------------------------------------------------------------


def read_lines(stream, n):
    """Some lines of a pipe, before the deadline."""
    text = b""
    while text.count(b"\n") < n:
        assert select.select([stream], [], [], DEADLINE_S)[0], f"only {text!r}"
        piece = os.read(stream.fileno(), 1)
        assert piece, f"only {text!r}"
        text += piece
    return text.decode()


@contextlib.contextmanager
def piped(*args):
    with subprocess.Popen([SLIRPCTL, *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def test_watch_in_a_pipe(tmp_path):
    with answering(tmp_path / "api", VALUES):
        with piped("-a", tmp_path / "api", "stats", "-w", 1) as process:
            first, empty, second = (read_lines(process.stdout, n) for n in (4, 1, 4))
            assert first == (
                "NAME                          VALUE  PER SECOND\n"
                "counters.frames_from_guest        7           -\n"
                "counters.bytes_from_guest   3145728           -\n"
                "tcp.timeouts                      2           -\n")
            assert empty == "\n"
            assert second == first.replace(" -\n", " 0\n")
            process.stdout.close()
            assert process.wait(timeout=DEADLINE_S) in (OK, -signal.SIGPIPE)
        with piped("-a", tmp_path / "api", "stats", "-j", "-w", 1) as process:
            for _ in range(2):
                assert json.loads(read_lines(process.stdout, 1)) == VALUES["query_stats"]


def test_watch_on_a_terminal(tmp_path):
    with answering(tmp_path / "api", VALUES):
        with OnTerminal([SLIRPCTL, "-a", tmp_path / "api", "stats", "-w", 1]) as shown:
            shown.wait_shown(b"3.0 MiB           -")
            shown.wait_shown(b"\x1b[H\x1b[J")
            shown.wait_shown(b"3.0 MiB       0 B/s")
            shown.type(b"\x03")
            assert shown.wait_end() == -signal.SIGINT


def test_top_shows_rates_from_the_second_look_on(tmp_path):
    connection = dict(CONNECTION)

    def growing():
        connection["bytes_in"] += 1 << 50
        return {"connections": [connection]}

    with answering(tmp_path / "api", VALUES | {"query_connections": growing}):
        with OnTerminal([SLIRPCTL, "-a", tmp_path / "api", "top", "-w", 1]) as top:
            top.wait_shown(b"   -      -  tcp    10.0.2.100:40000  192.0.2.1:443")
            # The unit depends on the time between the looks.
            top.wait_shown(b"iB    0 B  tcp    10.0.2.100:40000  192.0.2.1:443")
            top.type(b"q")
            assert top.wait_end() == OK


def test_top_keys(tmp_path):
    with answering(tmp_path / "api", VALUES):
        with OnTerminal([SLIRPCTL, "-a", tmp_path / "api", "top", "-w", 3600]) as top:
            top.wait_shown(b"\x1b[?1049h")
            top.wait_shown(b"order: rate; h help")
            top.wait_shown(b"10.0.2.100:40000")
            for key, shown in ((b"s", b"order: queue;"), (b"r", b"order: queue, reversed;"),
                               (b"h", b"q quit  space now"), (b"\x1b[B", b"q quit"),
                               (b" ", b"from guest 0 B/s")):
                top.type(key)
                top.wait_shown(shown)
            top.resize(20, 5)
            top.wait_shown(b"\x1b[H")
            top.type(b"q")
            assert top.wait_end() == OK
            assert b"\x1b[?1049l" in top.shown
            assert top.modes() == top.modes_before


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_top_leaves_the_terminal_as_it_was(signal_number, tmp_path):
    with answering(tmp_path / "api", VALUES):
        with OnTerminal([SLIRPCTL, "-a", tmp_path / "api", "top"]) as top:
            top.wait_shown(b"order: rate")
            top.process.send_signal(signal_number)
            assert top.wait_end() == -signal_number
            assert b"\x1b[?25h\x1b[?1049l" in top.shown
            assert top.modes() == top.modes_before


def test_top_ends_by_a_signal_beside_a_terminal_that_nobody_reads(tmp_path):
    values = VALUES | {"query_connections": {"connections": [CONNECTION] * 300}}
    with answering(tmp_path / "api", values), \
            OnTerminal([SLIRPCTL, "-a", tmp_path / "api", "top", "-w", 3600], 500, 300) as top:
        top.wait_shown(b"10.0.2.100:40000")

        def is_full():
            top.type(b"h")
            return not top.has_room()

        wait_for("the terminal is full", is_full)
        top.process.send_signal(signal.SIGTERM)
        assert top.process.wait(timeout=DEADLINE_S) == -signal.SIGTERM
        assert top.modes() == top.modes_before


ends_at_once = pytest.mark.parametrize("key,status", [(b"q", OK), (b"\x03", -signal.SIGINT)],
                                       ids=["q", "ctrl-c"])


def wait_for_a_request():
    """Until a connection waits at the only listener here, which does not accept it."""
    wait_for("a request waits", lambda: [
        line.split()[2] for line in sh("ss", "-xlH").stdout.splitlines()] == ["1"])


@contextlib.contextmanager
def beside_a_stopped_api(tmp_path, *argv):
    """slirpctl on a terminal, when it waits for a reply that does not come."""
    with running(tmp_path / "api") as daemon, stopped(daemon.children()["api"]), \
            OnTerminal([SLIRPCTL, "--timeout=3600", *argv]) as program:
        wait_for_a_request()
        yield program


@ends_at_once
def test_top_ends_before_the_first_reply(key, status, tmp_path):
    with beside_a_stopped_api(tmp_path, "top") as top:
        top.wait_shown(b"waiting for the first reply; q quit")
        top.type(key)
        assert top.wait_end() == status
        assert b"\x1b[?1049l" in top.shown
        assert top.modes() == top.modes_before


@ends_at_once
def test_top_takes_keys_while_it_waits_for_a_reply(key, status, tmp_path):
    with running(tmp_path / "api") as daemon, \
            OnTerminal([SLIRPCTL, "--timeout=3600", "top", "--watch=3600"]) as top:
        top.wait_shown(b"order: rate")
        with stopped(daemon.children()["api"]):
            top.type(b" ")
            wait_for_a_request()
            top.type(b"sr")
            top.wait_shown(b"order: queue, reversed;")
            top.resize(20, 5)
            top.wait_shown(b"order: queue, revers\x1b[K")
            top.type(key)
            assert top.wait_end() == status


@ends_at_once
def test_top_ends_beside_a_full_backlog(key, status, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.bind(str(tmp_path / "api"))
        listener.listen(0)
        first.connect(str(tmp_path / "api"))
        with OnTerminal([SLIRPCTL, "-t", 3600, "-a", tmp_path / "api", "top"]) as top:
            top.wait_shown(b"waiting for the first reply")
            top.type(key)
            assert top.wait_end() == status


@pytest.mark.parametrize("argv", [["events"], ["stats", "--watch=1"]], ids=lambda argv: argv[0])
def test_ctrl_c_ends_a_command_that_waits_for_a_reply(argv, tmp_path):
    with beside_a_stopped_api(tmp_path, *argv) as program:
        program.type(b"\x03")
        assert program.wait_end() == -signal.SIGINT


def test_top_shows_an_error_after_its_screen(tmp_path):
    with OnTerminal([SLIRPCTL, "-a", tmp_path / "no", "top"]) as top:
        assert top.wait_end() == NO_REPLY
        after = top.shown.partition(b"\x1b[?1049l")[2]
        assert after == f"slirpctl: {tmp_path}/no: cannot connect: No such file or directory\r\n".encode()


def test_top_needs_a_terminal(tmp_path):
    result = ctl("-a", tmp_path / "no", "top")
    assert (result.returncode, result.stdout) == (USAGE, "")
    assert "top needs a terminal" in result.stderr


def test_top_beside_a_daemon(tmp_path):
    with running(tmp_path / "api"), OnTerminal([SLIRPCTL, "top", "-w", "1"]) as top:
        assert_ok(ctl("add", "tcp", "127.0.0.1:8080", 80))
        top.wait_shown(b"127.0.0.1:8080")
        top.type(b"q")
        assert top.wait_end() == OK


def test_events_go_on_after_a_restart_of_the_api(tmp_path):
    with running(tmp_path / "api", abnormal=True) as daemon, piped("events", "-j") as events:
        assert read_lines(events.stderr, 1) == "slirpctl: waiting for events\n"
        os.kill(daemon.children()["api"], signal.SIGKILL)
        assert read_lines(events.stderr, 2) == (
            f"slirpctl: {ctl_path(tmp_path, daemon)}: the daemon ended the session\n"
            "slirpctl: waiting for events again; some may be missing\n")
        assert_ok(ctl("add", "tcp", "127.0.0.1:8080", 80))
        while json.loads(read_lines(events.stdout, 1))["event"] != "HOSTFWD_ADDED":
            pass
        daemon.process.terminate()
        assert events.wait(timeout=DEADLINE_S) in (OK, NO_REPLY)


def ctl_path(tmp_path, daemon):
    """The link by which slirpctl has found the daemon."""
    return tmp_path / "run" / "slirpd" / f"{daemon.pid}.sock"
