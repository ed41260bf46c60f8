# SPDX-License-Identifier: BSD-2-Clause
"""slirpctl with daemons that run: slirp4netns from the distribution, and slirpd.

And with peers that only a test can be: one that is silent, slow, or sends nonsense.
Runs inside outer-ns. SLIRPCTL and SLIRPD name the programs under test.
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
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import servers  # noqa: E402
import shells  # noqa: E402
from commands import needs, sh  # noqa: E402
from daemon import Slirpd  # noqa: E402
from guest import Guest  # noqa: E402
from servers import recv_all, serve_udp_echo, udp_socket  # noqa: E402
from slirpctl import (  # noqa: E402, F401
    NO_REPLY, OK, REFUSED, SLIRPCTL, USAGE, assert_ok, leaves_no_process, loopback, peer,
)
from tree import REPO, slirpd_path  # noqa: E402
from waiting import DEADLINE_S  # noqa: E402

GUEST4 = "10.0.2.100"


def ctl(path, *args, stdin=None, **kwargs):
    """Runs slirpctl with a socket to its end."""
    return subprocess.run(
        [SLIRPCTL, "-a", str(path), *map(str, args)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        **kwargs,
    )


def assert_fails(result, status, *texts):
    """Ends with the status, and one line on standard error with the texts in it."""
    assert result.returncode == status, result
    assert result.stderr.startswith("slirpctl: ") and result.stderr.count("\n") == 1, result
    for text in texts:
        assert text in result.stderr
    return result


# --- daemons ----------------------------------------------------------------------------------


class Daemon:
    """A guest, the daemon that serves it, and its control socket."""

    def __init__(self, guest, path):
        self.guest = guest
        self.path = path

    def ctl(self, *args, **kwargs):
        return ctl(self.path, *args, **kwargs)

    def ids(self):
        return [entry["id"] for entry in json.loads(assert_ok(self.ctl("list", "--json")))["entries"]]


@contextlib.contextmanager
def running(program, path):
    with Guest() as guest, Slirpd(
        "--configure", "--enable-ipv6", f"--api-socket={path}", guest.pid, "tap0", program=program
    ):
        yield Daemon(guest, path)


@pytest.fixture(params=["slirp4netns", "slirpd"])
def daemon(request, tmp_path):
    program = slirpd_path()
    if request.param == "slirp4netns":
        needs("slirp4netns")
        program = "slirp4netns"
    with running(program, tmp_path / "api") as made:
        yield made


@pytest.fixture
def slirpd(tmp_path):
    with running(slirpd_path(), tmp_path / "api") as made:
        yield made


def assert_reaches(daemon, host, port, guest_port, guest_addr=GUEST4):
    """What connects to a port of the host talks to a server in the guest."""
    with servers.listener(daemon.guest.netns, guest_addr, guest_port) as server:
        with socket.create_connection((host, port), timeout=DEADLINE_S) as client:
            server.settimeout(DEADLINE_S)
            served, _ = server.accept()
            with served:
                served.sendall(b"hello from the guest")
            assert recv_all(client) == b"hello from the guest"


def test_added_forward_forwards(daemon):
    assert assert_ok(daemon.ctl("add", "tcp", 8080, 80)) == "1\n"
    assert_reaches(daemon, "127.0.0.1", 8080, 80)
    assert assert_ok(daemon.ctl("add", "tcp", "127.0.0.1:8081", f"{GUEST4}:81", "--json")) == (
        '{"id":2}\n'
    )
    assert_reaches(daemon, "127.0.0.1", 8081, 81)


def test_added_udp_forward_forwards(daemon):
    assert_ok(daemon.ctl("add", "udp", "5353", "53"))
    with udp_socket(daemon.guest.netns, GUEST4, 53) as server:
        serve_udp_echo(server)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(DEADLINE_S)
            client.connect(("127.0.0.1", 5353))
            client.send(b"echo")
            assert client.recv(100) == b"echo"


def test_list(daemon):
    assert assert_ok(daemon.ctl("list")) == "ID  PROTO  HOST  GUEST\n"
    assert assert_ok(daemon.ctl("list", "--json")) == '{"entries":[]}\n'
    for port in range(8001, 8011):
        assert_ok(daemon.ctl("add", "tcp", f"127.0.0.1:{port}", port - 8000))
    lines = assert_ok(daemon.ctl("list")).splitlines()
    assert lines[0] == "ID  PROTO  HOST            GUEST"
    assert lines[1] == " 1  tcp    127.0.0.1:8001  10.0.2.100:1"
    assert lines[10] == "10  tcp    127.0.0.1:8010  10.0.2.100:10"
    assert len(lines) == 11
    entries = json.loads(assert_ok(daemon.ctl("list", "-j")))["entries"]
    assert entries[9] == {
        "id": 10,
        "proto": "tcp",
        "host_addr": "127.0.0.1",
        "host_port": 8010,
        "guest_addr": GUEST4,
        "guest_port": 10,
    }


def test_remove(daemon):
    for port in range(8001, 8006):
        assert_ok(daemon.ctl("add", "tcp", port, 80))
    assert assert_ok(daemon.ctl("remove", 2)) == ""
    assert daemon.ids() == [1, 3, 4, 5]
    assert assert_ok(daemon.ctl("remove", 5, 3, "--json")) == '{"removed":[5,3]}\n'
    assert daemon.ids() == [1, 4]
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", 8003)) != 0
    assert assert_ok(daemon.ctl("remove", "all", "--json")) == '{"removed":[1,4]}\n'
    assert daemon.ids() == []
    assert assert_ok(daemon.ctl("remove", "all")) == ""


def test_remove_goes_on_after_a_forward_that_is_not_there(daemon):
    for port in (8001, 8002):
        assert_ok(daemon.ctl("add", "tcp", port, 80))
    result = assert_fails(daemon.ctl("remove", 1, 7, 2, "--json"), REFUSED, "remove 7: ")
    assert result.stdout == '{"removed":[1,2]}\n'
    assert daemon.ids() == []


def test_refusal_names_request_and_reason(daemon):
    assert_ok(daemon.ctl("add", "tcp", "127.0.0.1:8080", 80))
    argv = ("add", "tcp", "127.0.0.1:8080", 81)
    said = assert_fails(daemon.ctl(*argv), REFUSED, "slirpctl: add tcp 127.0.0.1:8080 81: ").stderr
    assert "bad request" not in said
    assert_fails(
        daemon.ctl("--verbose", *argv),
        REFUSED,
        "slirpctl: add tcp 127.0.0.1:8080 81: bad request: add_hostfwd: slirp_add_hostfwd failed",
    )
    assert daemon.ids() == [1]


def test_raw(daemon):
    listed = daemon.ctl("raw", '{"execute":"list_hostfwd"}')
    assert json.loads(assert_ok(listed))["entries"] == []
    result = daemon.ctl("raw", stdin='{"execute":"list_hostfwd"}\n')
    assert (result.returncode, result.stdout) == (OK, listed.stdout)
    for bad in ("", "{", '{"execute":"no_such"}', '{"execute":7}', "x" * 5000):
        result = daemon.ctl("raw", stdin=bad)
        assert (result.returncode, result.stderr) == (REFUSED, ""), (bad, result)
        assert json.loads(result.stdout)["error"]["desc"].startswith("bad request: ")


def test_socket_from_the_environment(daemon):
    environment = {**os.environ, "SLIRPD_API_SOCKET": str(daemon.path)}
    argv = [SLIRPCTL, "list", "--json"]
    out = subprocess.run(argv, env=environment, capture_output=True, timeout=DEADLINE_S)
    assert (out.returncode, out.stdout) == (OK, b'{"entries":[]}\n')
    environment["SLIRPD_API_SOCKET"] = "/nowhere"
    out = subprocess.run([*argv, "-a", daemon.path], env=environment, capture_output=True,
                         timeout=DEADLINE_S)
    assert (out.returncode, out.stdout) == (OK, b'{"entries":[]}\n')


def test_what_slirp4netns_does_not_know(tmp_path):
    needs("slirp4netns")
    with running("slirp4netns", tmp_path / "api") as daemon:
        for command in ("stats", "status", "connections", "events"):
            assert_fails(daemon.ctl(command), REFUSED, f"{command}: unknown execute")
        assert_fails(daemon.ctl("add", "udp", "5353-5360", 53), REFUSED, "bad arguments.host_port")


# --- what slirpd alone does -------------------------------------------------------------------


def test_range_is_one_forward(slirpd):
    assert assert_ok(slirpd.ctl("add", "tcp", "127.0.0.1:8000-8009", 9000)) == "1\n"
    assert assert_ok(slirpd.ctl("list")).splitlines()[1] == (
        " 1  tcp    127.0.0.1:8000-8009  10.0.2.100:9000-9009"
    )
    assert_reaches(slirpd, "127.0.0.1", 8009, 9009)
    assert_ok(slirpd.ctl("remove", 1))
    assert slirpd.ids() == []


def test_ipv6(slirpd):
    slirpd.guest.wait_ipv6()
    assert_ok(slirpd.ctl("add", "tcp", "[::1]:8080", "80"))
    assert_ok(slirpd.ctl("add", "tcp6", "8081", "81"))
    entries = json.loads(assert_ok(slirpd.ctl("list", "--json")))["entries"]
    assert [entry["host_addr"] for entry in entries] == ["::1", "::"]
    for port, entry in zip((8080, 8081), entries):
        assert_reaches(slirpd, "::1", port, entry["guest_port"], entry["guest_addr"])
    assert f"[{entries[1]['guest_addr']}]:81" in assert_ok(slirpd.ctl("list"))


def test_refusal_says_who_has_the_port(slirpd):
    assert_ok(slirpd.ctl("add", "tcp", "127.0.0.1:8080", 80))
    assert_fails(slirpd.ctl("add", "tcp", "127.0.0.1:8080", 81), REFUSED, "81: ", "forward 1 ")


def test_stats_are_numbers_and_move(slirpd):
    def read():
        lines = assert_ok(slirpd.ctl("stats", "--all")).splitlines()
        assert len({len(line) for line in lines}) == 1, "numbers are aligned"
        return {name: int(number) for name, number in (line.split() for line in lines)}

    before = read()
    slirpd.guest.run("ping", "-c", "1", "10.0.2.2")
    after = read()
    assert after["counters.frames_from_guest"] > before["counters.frames_from_guest"]
    flat = json.loads(assert_ok(slirpd.ctl("stats", "--json")))
    assert flat["counters"]["frames_from_guest"] >= after["counters.frames_from_guest"]
    shown = assert_ok(slirpd.ctl("stats"))
    assert "counters.frames_from_guest " in shown
    assert not re.search(r" 0$", shown, re.M)


def test_status(slirpd):
    whole = json.loads(assert_ok(slirpd.ctl("status", "--json")))
    fields = dict(
        re.split(r"  +", line, maxsplit=1)
        for line in assert_ok(slirpd.ctl("status", "--all")).splitlines()
    )
    assert fields["tap_name"] == whole["tap_name"] == "tap0"
    assert fields["libslirp"] == whole["libslirp"]


def test_connections(slirpd):
    assert_ok(slirpd.ctl("add", "tcp", "127.0.0.1:8080", 80))
    with servers.listener(slirpd.guest.netns, GUEST4, 80) as server:
        with socket.create_connection(("127.0.0.1", 8080), timeout=DEADLINE_S):
            server.settimeout(DEADLINE_S)
            server.accept()[0].close()
            out = assert_ok(slirpd.ctl("connections"))
    assert out.splitlines()[0].split() == [
        "PROTO", "STATE", "SOURCE", "DESTINATION", "RECV-Q", "SEND-Q", "FORWARD",
        "IN", "OUT", "RETRANS", "RTT", "AGE",
    ]
    assert re.search(rf"^tcp +\S+ .*{re.escape(GUEST4)}:80", out, re.M), out


@contextlib.contextmanager
def following(path, *args):
    """`slirpctl events` that has subscribed."""
    with subprocess.Popen(
        [SLIRPCTL, "-a", str(path), "events", *args],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:
        try:
            line = read_line(process.stderr)
            assert line == b"slirpctl: waiting for events\n", line
            yield process
        finally:
            process.terminate()
            process.wait(timeout=DEADLINE_S)


def read_line(stream):
    """One line of a pipe that nothing else has read from, before the deadline."""
    line = b""
    while not line.endswith(b"\n"):
        assert select.select([stream], [], [], DEADLINE_S)[0], f"no line, only {line!r}"
        piece = os.read(stream.fileno(), 1)
        if not piece:
            break
        line += piece
    return line


def test_events(slirpd):
    with following(slirpd.path, "--json") as all_events, following(
        slirpd.path, "HOSTFWD_REMOVED"
    ) as removals:
        assert_ok(slirpd.ctl("add", "tcp", "127.0.0.1:8080", 80))
        assert_ok(slirpd.ctl("remove", 1))
        added = json.loads(read_line(all_events.stdout))
        assert (added["event"], added["data"]["id"]) == ("HOSTFWD_ADDED", 1)
        assert json.loads(read_line(all_events.stdout))["event"] == "HOSTFWD_REMOVED"
        assert re.fullmatch(
            rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d) HOSTFWD_REMOVED id=1 proto=tcp "
            rb"host_addr=127\.0\.0\.1 host_port=8080 guest_addr=10\.0\.2\.100 guest_port=80\n",
            read_line(removals.stdout),
        )


def test_unknown_event_is_refused(slirpd):
    assert_fails(slirpd.ctl("events", "NO_SUCH_EVENT"), REFUSED,
                 "there is no event 'NO_SUCH_EVENT'; there are ", "HOSTFWD_REMOVED")


def test_session_by_hand(slirpd):
    requests = '{"execute":"qmp_capabilities"}\n{"execute":"list_hostfwd","id":"x"}\n'
    lines = [json.loads(line) for line in assert_ok(slirpd.ctl("raw", stdin=requests)).splitlines()]
    assert lines[0] == {"return": {}}
    assert lines[1]["id"] == "x"


def test_example_of_the_manual(slirpd):
    """The transcript in slirpctl(1), from the first request on."""
    manual = (REPO / "man/slirpctl.1").read_text()
    transcript = manual.partition("SLIRPD_API_SOCKET=/tmp/api\n")[2].partition(".Ed\n")[0]
    steps = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", transcript, re.M)
    assert len(steps) > 4
    if "| jq" in transcript:
        needs("jq")
    environment = {**os.environ, "SLIRPD_API_SOCKET": str(slirpd.path),
                   "PATH": f"{Path(SLIRPCTL).parent}:{os.environ['PATH']}"}
    for command, output in steps:
        result = subprocess.run(["bash", "-c", command], env=environment, capture_output=True,
                                text=True, timeout=DEADLINE_S, check=False)
        assert (command, result.stdout, result.returncode) == (command, output, OK), result


# --- peers that are no daemons ----------------------------------------------------------------


def replies(text):
    """A peer that reads a whole request, and sends this."""
    def serve(connection):
        recv_all(connection)
        connection.sendall(text)
    return serve


def test_no_daemon(tmp_path):
    path = tmp_path / "api"
    assert_fails(ctl(path, "list"), NO_REPLY, f"{path}: cannot connect: No such file")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert_fails(ctl(path, "list"), NO_REPLY, f"{path}: cannot connect: Connection refused")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path) + "2")
        listener.listen()
        assert_fails(ctl(str(path) + "2", "list"), NO_REPLY, "cannot connect: Protocol wrong type")


def test_wrong_arguments_send_nothing(tmp_path):
    for args in (
        [], ["lists"], ["add", "tcp", "80"], ["add", "sctp", "80", "80"], ["remove", "x"],
        ["remove", "1", "0"], ["list", "--timeout=0"], ["--nope"], ["events", b"\xff"],
        ["add", "tcp", "80", "\x1b[2J"],
    ):
        result = subprocess.run([SLIRPCTL, "-a", tmp_path / "no", *args], capture_output=True,
                                timeout=DEADLINE_S)
        assert (result.returncode, result.stdout) == (USAGE, b""), (args, result)
        assert re.fullmatch(rb"slirpctl: [ -~]+\n", result.stderr), result
    result = subprocess.run([SLIRPCTL, "list"], capture_output=True, timeout=DEADLINE_S,
                            env={"PATH": os.environ["PATH"]})
    assert result.returncode == USAGE
    assert b"name the socket with --api-socket" in result.stderr


def wait_for_client_to_leave(connection):
    """Sends nothing, until the client has given up."""
    while connection.recv(1 << 16):
        pass
    poller = select.poll()
    poller.register(connection, 0)  # only a close of the other side, not of half of it
    assert poller.poll(DEADLINE_S * 1000)


@pytest.mark.parametrize("command", ["list", "events"])
def test_silent_daemon_is_given_up(tmp_path, command):
    with peer(tmp_path / "api", wait_for_client_to_leave):
        began = time.monotonic()
        assert_fails(ctl(tmp_path / "api", command, "--timeout=1"), NO_REPLY, "no reply within 1 s")
        assert time.monotonic() - began >= 1


def test_byte_now_and_then_does_not_help_a_slow_daemon(tmp_path):
    def serve(connection):
        while True:
            connection.sendall(b" ")
            time.sleep(0.1)

    with peer(tmp_path / "api", serve):
        assert_fails(ctl(tmp_path / "api", "list", "-t", "1"), NO_REPLY, "no reply within 1 s")


def test_full_backlog_is_given_up(tmp_path):
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as waiting:
        listener.bind(str(tmp_path / "api"))
        listener.listen(0)
        while True:
            client = waiting.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            if client.connect_ex(str(tmp_path / "api")) != 0:
                break
        assert_fails(ctl(tmp_path / "api", "list", "-t", "1"), NO_REPLY, "no reply within 1 s")


@pytest.mark.parametrize("reply,reason", [
    (b"", "closed the connection without a reply"),
    (b"hello", "not a JSON object: hello"),
    (b"[]", "not a JSON object"),
    (b'{"return":{"entries":[', "not a JSON object"),
    (b'{"return":{"entries":[]}}{}', "text follows the reply: {}"),
    (b"{}", "neither result nor error"),
    (b'{"return":{}}', "no list 'entries'"),
    (b'{"return":{"entries":[7]}}', "an entry of the reply is not an object"),
    (b"\xff\xfe\x1b[2J", r"not a JSON object: \xff\xfe\x1b[2J"),
    (b'{"a":' * 3000 + b"1" + b"}" * 3000, "not a JSON object"),
])
def test_broken_reply(tmp_path, reply, reason):
    with peer(tmp_path / "api", replies(reply)):
        result = assert_fails(ctl(tmp_path / "api", "list"), NO_REPLY, f"{tmp_path}/api: ", reason)
        assert result.stdout == ""


def test_endless_reply_is_cut_off(tmp_path):
    def serve(connection):
        while True:
            connection.sendall(b" " * 65536)

    with peer(tmp_path / "api", serve):
        assert_fails(ctl(tmp_path / "api", "list"), NO_REPLY, "longer than 16777216 bytes")


def test_long_list(tmp_path):
    entry = {"proto": "tcp", "host_addr": "127.0.0.1", "host_port": 1, "guest_addr": GUEST4,
             "guest_port": 2}
    entries = [{"id": number, **entry} for number in range(1, 20001)]
    with peer(tmp_path / "api", replies(json.dumps({"entries": entries}).encode())):
        lines = assert_ok(ctl(tmp_path / "api", "list")).splitlines()
        assert lines[20000] == "20000  tcp    127.0.0.1:1  10.0.2.100:2"
        assert json.loads(assert_ok(ctl(tmp_path / "api", "list", "-j")))["entries"] == entries


def test_reply_to_a_request_that_was_not_read(tmp_path):
    def serve(connection):
        connection.sendall(b'{"error":{"desc":"bad request: too large message"}}')

    with peer(tmp_path / "api", serve):
        result = ctl(tmp_path / "api", "raw", stdin="x" * 1000000)
    assert (result.returncode, result.stderr) == (REFUSED, "")
    assert json.loads(result.stdout)["error"]["desc"] == "bad request: too large message"


def test_too_much_standard_input(tmp_path):
    assert_fails(ctl(tmp_path / "api", "raw", stdin="x" * 1048577), USAGE, "more than 1048576")


def test_errors_of_the_daemon_are_escaped(tmp_path):
    error = {"desc": "bad\x1b]0;owned\x07", "detail": "line\nline\x7f", "class": "C"}
    with peer(tmp_path / "api", replies(json.dumps({"error": error}).encode())):
        result = assert_fails(ctl(tmp_path / "api", "stats"), REFUSED)
        assert result.stderr == "slirpctl: stats: line\\x0aline\\x7f\n"
        result = assert_fails(ctl(tmp_path / "api", "stats", "-V"), REFUSED)
        assert result.stderr == "slirpctl: stats: bad\\x1b]0;owned\\x07: line\\x0aline\\x7f\n"
        assert ctl(tmp_path / "api", "raw", "{}").stdout == (
            r'{"error":{"desc":"bad\u001B]0;owned\u0007","detail":"line\nline\u007f","class":"C"}}'
            "\n"
        )


def test_forward_that_goes_away_meanwhile_does_not_disturb_remove_all(tmp_path):
    def serve(connection):
        request = json.loads(recv_all(connection))
        reply = {"return": {}}
        if request["execute"] == "list_hostfwd":
            reply = {"return": {"entries": [{"id": 1}, {"id": 2}]}}
        elif request["arguments"]["id"] == 1:
            reply = {"error": {"desc": "bad request: x", "class": "NotFound"}}
        connection.sendall(json.dumps(reply).encode())

    with peer(tmp_path / "api", serve):
        assert_ok(ctl(tmp_path / "api", "remove", "all"))
        assert_fails(ctl(tmp_path / "api", "remove", "1"), REFUSED, "remove 1: x")


def session(*after_subscription, early=b""):
    """A peer that lets itself be subscribed to, and then sends what it was given."""
    def serve(connection):
        requests = connection.makefile("rb")
        assert json.loads(requests.readline()) == {"execute": "qmp_capabilities"}
        connection.sendall(b'{"return":{}}\r\n')
        assert json.loads(requests.readline())["execute"] == "subscribe"
        connection.sendall(early + b'{"return":{}}\n')
        for piece in after_subscription:
            connection.sendall(piece)
            time.sleep(0.01)
    return serve


def once(path, serve):
    """A peer whose socket is gone after the first connection."""
    def serve_and_remove(connection):
        try:
            serve(connection)
        finally:
            path.unlink()
    return serve_and_remove


def test_orderly_end_is_announced(tmp_path):
    """The session may end in any way after it, and the socket may still be there."""
    with peer(tmp_path / "api", session(b'{"event":"SHUTDOWN","data":{}}\n')):
        result = ctl(tmp_path / "api", "events", "--json")
    assert (result.returncode, result.stdout) == (OK, '{"event":"SHUTDOWN","data":{}}\n')
    assert result.stderr == "slirpctl: waiting for events\n"


def test_daemon_that_ends_each_session_is_not_hurried(tmp_path):
    began = time.monotonic()
    with peer(tmp_path / "api", session()), following(tmp_path / "api") as process:
        for line in (b"the daemon ended the session", b"waiting for events again; some may be"):
            assert line in read_line(process.stderr)
        assert time.monotonic() - began >= 1


def test_session_that_never_begins_ends_events(tmp_path):
    with peer(tmp_path / "api", lambda connection: connection.recv(100)):
        assert_fails(ctl(tmp_path / "api", "events"), NO_REPLY, "the daemon ended the session")


def test_event_may_overtake_the_reply_and_come_in_pieces(tmp_path):
    event = b'{"event":"A","data":{"id":1}}\n'
    serve = session(event[:5], event[5:] + event + event[:1], event[1:], early=event)
    with peer(tmp_path / "api", once(tmp_path / "api", serve)):
        result = ctl(tmp_path / "api", "events", "--json")
    assert result.stdout == '{"event":"A","data":{"id":1}}\n' * 4
    assert result.returncode == NO_REPLY
    assert result.stderr.splitlines() == [
        "slirpctl: waiting for events",
        f"slirpctl: {tmp_path}/api: the daemon ended the session",
        f"slirpctl: {tmp_path}/api: cannot connect: No such file or directory",
    ]


def test_broken_event_ends_events(tmp_path):
    with peer(tmp_path / "api", session(b"\x1b[2J\n")):
        result = ctl(tmp_path / "api", "events")
    assert (result.returncode, result.stdout) == (NO_REPLY, "")
    assert r"not a JSON object: \x1b[2J" in result.stderr


def test_events_end_with_their_reader(tmp_path):
    with peer(tmp_path / "api", lambda connection: (
        session()(connection), wait_for_client_to_leave(connection)
    )):
        with following(tmp_path / "api") as process:
            process.stdout.close()
            assert process.wait(timeout=DEADLINE_S) == -signal.SIGPIPE


def test_result_that_cannot_be_written(tmp_path):
    with peer(tmp_path / "api", replies(b'{"entries":[]}')), open("/dev/full", "wb") as full:
        result = subprocess.run([SLIRPCTL, "-a", tmp_path / "api", "list"], stdout=full,
                                stderr=subprocess.PIPE, timeout=DEADLINE_S)
    assert result.returncode == NO_REPLY
    assert result.stderr == b"slirpctl: standard output: No space left on device\n"


def test_closed_standard_streams(tmp_path):
    with peer(tmp_path / "api", replies(b'{"entries":[]}')):
        result = subprocess.run(
            ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", SLIRPCTL, "-a", tmp_path / "api", "list"],
            timeout=DEADLINE_S)
    assert result.returncode == OK


# --- completion -------------------------------------------------------------------------------

COMMANDS = {"add", "list", "remove", "status", "stats", "connections", "policy", "pins", "top", "events", "ps", "raw",
            "version", "help"}
PROTOCOLS = {"tcp", "udp", "tcp4", "udp4", "tcp6", "udp6"}
EVENTS = {"HOSTFWD_ADDED", "HOSTFWD_REMOVED", "POLICY_CHANGED", "PROCESS_EXITED", "PROCESS_STARTED",
          "RESOLV_CONF_CHANGED", "SHUTDOWN"}
LONG_OPTIONS = {"--api-socket", "--json", "--all", "--watch", "--timeout", "--dry-run", "--policy",
                "--verbose", "--help", "--version"}

# What is typed up to the cursor, and what must be offered; {s} is the socket, {d} a folder
# with the one file "only-file" in it.
COMPLETED = [
    ("slirpctl ", COMMANDS),
    ("slirpctl s", {"stats", "status"}),
    ("slirpctl --api-socket {s} ", COMMANDS),
    ("slirpctl --api-socket={s} ", COMMANDS),
    ("slirpctl -j -t 3 -a {s} l", {"list"}),
    ("slirpctl --", LONG_OPTIONS),
    ("slirpctl add ", PROTOCOLS),
    ("slirpctl -a {s} add u", {"udp", "udp4", "udp6"}),
    ("slirpctl add tcp ", set()),
    ("slirpctl list ", set()),
    ("slirpctl ps ", set()),
    ("slirpctl policy ", {"show", "load", "add", "remove", "denied", "suggest", "check", "test", "diff"}),
    ("slirpctl policy check x {d}/only", {"only-file"}),
    ("slirpctl policy diff x {d}/only", {"only-file"}),
    ("slirpctl policy test ", {"tcp", "udp", "icmp"}),
    ("slirpctl policy test -p {d}/only", {"only-file"}),
    ("slirpctl policy test --policy in", {"internet"}),
    ("slirpctl policy load {d}/only", {"only-file"}),
    ("slirpctl policy remove ", set()),
    ("slirpctl -w ", set()),
    ("slirpctl --watch=1 st", {"stats", "status"}),
    ("slirpctl help ", COMMANDS),
    ("slirpctl -a {s} rm ", {"1", "2", "all"}),
    ("slirpctl events ", EVENTS),
    ("slirpctl events HOSTFWD_ADDED R", {"RESOLV_CONF_CHANGED"}),
    ("slirpctl -a {s} remove ", {"1", "2", "all"}),
    ("slirpctl --api-socket={s} remove 1 ", {"1", "2", "all"}),
    ("slirpctl -a {d}/only", {"only-file"}),
    ("slirpctl --api-socket={d}/only", {"only-file"}),
    ("slirpctl -t ", set()),
]


@pytest.fixture(scope="module", name="forwards")
def fixture_forwards(tmp_path_factory):
    """The socket of something that has the forwards 1 and 2."""
    path = tmp_path_factory.mktemp("forwards") / "api"
    entries = [{"id": 1, "proto": "tcp"}, {"id": 2, "proto": "udp"}]
    with peer(path, replies(json.dumps({"entries": entries}).encode())):
        yield path


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize("typed,expected", COMPLETED, ids=[typed for typed, _ in COMPLETED])
def test_completion(shell, typed, expected, forwards, tmp_path):
    needs(shell)
    (tmp_path / "files").mkdir()
    (tmp_path / "files/only-file").touch()
    line = typed.format(s=forwards, d=tmp_path / "files")
    environment = {**os.environ, "PATH": f"{Path(SLIRPCTL).parent}:{os.environ['PATH']}",
                   "HOME": str(tmp_path), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
    environment.pop("SLIRPD_API_SOCKET", None)
    assert shells.complete(shell, "slirpctl", line, environment) == expected


@pytest.mark.parametrize("argv", [
    ["bash", "-n", "bash/slirpctl"],
    ["shellcheck", "bash/slirpctl"],
    ["zsh", "-n", "zsh/_slirpctl"],
    ["fish", "-n", "fish/slirpctl.fish"],
], ids=lambda argv: argv[0])
def test_completion_is_well_formed(argv):
    needs(argv[0])
    subprocess.run(argv, cwd=shells.COMPLETIONS, check=True, timeout=DEADLINE_S)
