# SPDX-License-Identifier: BSD-2-Clause
"""The control socket: sessions, events, and clients that mean no good."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_client import Session, ask, connect, daemon_with_api, execute
from daemon import Slirpd
from gaps import disturb
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from processes import fds_of, program_of
from servers import recv_all
from tree import SANITIZED
from waiting import wait_for

LIST = b'{"execute":"list_hostfwd"}'
NOTHING = b'{"return":{"entries":[]},"entries":[]}'


# --- sessions ---------------------------------------------------------------------------------


def test_requests_of_a_session_are_answered_in_order_with_their_ids(api: tuple[Slirpd, str]) -> None:
    _, path = api
    with Session(path) as session:
        # Far more than its burst.
        n = 500
        session.sock.sendall(b"".join(
            b'{"execute":"list_hostfwd","id":%d}\n' % number for number in range(n)))
        for number in range(n):
            assert json.loads(session.line()) == {"return": {"entries": []}, "id": number}


def test_session_survives_what_is_not_json(api: tuple[Slirpd, str]) -> None:
    _, path = api
    with Session(path) as session:
        for bad in ("nonsense", "{]", "[1]", '{"execute":"', "}", '"', "\0", "{" * 5000, "\x7f"):
            assert json.loads(session.ask(bad))["error"]["class"]
            assert session.ask('{"execute":"list_hostfwd"}') == '{"return":{"entries":[]}}'


def test_events_reach_who_asked_for_them(api: tuple[Slirpd, str], lab: Lab) -> None:
    _, path = api
    with Session(path) as everything, Session(path) as removals, Session(path) as nothing:
        assert everything.ask('{"execute":"subscribe"}') == '{"return":{}}'
        removals.ask('{"execute":"subscribe","arguments":{"events":["HOSTFWD_REMOVED"]}}')
        before = time.time()
        execute(path, "add_hostfwd", proto="tcp", host_port="8000-8009", guest_port=80)
        execute(path, "remove_hostfwd", id=1)
        added, removed = (json.loads(everything.line()) for _ in range(2))
        assert (added["event"], removed["event"]) == ("HOSTFWD_ADDED", "HOSTFWD_REMOVED")
        assert added["data"] == removed["data"] == {
            "id": 1, "proto": "tcp", "host_addr": "0.0.0.0", "host_port": 8000,
            "host_port_end": 8009, "guest_addr": "10.0.2.100", "guest_port": 80}
        stamp = added["timestamp"]
        assert before - 1 < stamp["seconds"] + stamp["microseconds"] / 1e6 < time.time() + 1
        assert json.loads(removals.line()) == removed
        # The parent, which answers this, begins to watch the file after it has said ready.
        execute(path, "query_status")
        try:
            lab.set_nameservers(INTERNET6, INTERNET4)
            event = json.loads(everything.line())
            assert (event["event"], event["data"]) == ("RESOLV_CONF_CHANGED", {})
        finally:
            lab.set_nameservers(INTERNET4, INTERNET6)
        assert nothing.ask('{"execute":"list_hostfwd"}') == '{"return":{"entries":[]}}'


@pytest.mark.parametrize("role", ("slirp-worker", "resolver"))
def test_death_and_restart_of_a_process_are_events(api: tuple[Slirpd, str], role: str) -> None:
    daemon, path = api
    with Session(path) as session:
        session.ask('{"execute":"subscribe",'
                    '"arguments":{"events":["PROCESS_EXITED","PROCESS_STARTED"]}}')
        os.kill(daemon.children()[role], signal.SIGKILL)
        died, began = json.loads(session.line()), json.loads(session.line())
        assert (died["event"], died["data"]) == ("PROCESS_EXITED", {"name": role, "restarts": 0})
        assert (began["event"], began["data"]) == ("PROCESS_STARTED", {"name": role, "restarts": 1})
    restarts = execute(path, "query_status")["return"]["restarts"]
    assert restarts.pop(role.replace("-", "_")) == 1 and set(restarts.values()) == {0}


def events_to_the_end(session: Session) -> list[str]:
    """The names of the events that still come, up to the end of file."""
    return [json.loads(line)["event"] for line in session.file]


def subscribed(path: str) -> Session:
    session = Session(path)
    session.ask('{"execute":"subscribe"}')
    return session


@pytest.mark.parametrize("end, status, events", (
    (lambda daemon, guest: daemon.process.terminate(), 0, ["SHUTDOWN"]),
    (lambda daemon, guest: guest.end(), 0, ["SHUTDOWN"]),
    (lambda daemon, guest: os.kill(daemon.children()["connector"], signal.SIGKILL), 1,
     ["PROCESS_EXITED", "SHUTDOWN"]),
), ids=("signal", "namespace", "connector"))
def test_end_of_slirpd_is_an_event(guest: Guest, end: Callable[[Slirpd, Guest], None], status: int,
                                   events: list[str]) -> None:
    """For those that asked for it, before their sessions end."""
    with daemon_with_api(guest, "--restart=no") as (daemon, path), \
            subscribed(path) as session, Session(path) as silent:
        end(daemon, guest)
        assert events_to_the_end(session) == events
        assert events_to_the_end(silent) == []
        assert daemon.wait() == status


def test_end_of_the_api_is_no_end_of_slirpd(api: tuple[Slirpd, str]) -> None:
    """The session ends without the event, and a new one can be had at once."""
    daemon, path = api
    with subscribed(path) as session:
        os.kill(daemon.children()["api"], signal.SIGKILL)
        assert events_to_the_end(session) == []
    with subscribed(path) as session:
        daemon.process.terminate()
        assert events_to_the_end(session) == ["SHUTDOWN"]


# --- the audit log ----------------------------------------------------------------------------


def audit_lines(daemon: Slirpd) -> list[str]:
    return [line.partition("request of ")[2] for line in daemon.stderr.splitlines()
            if "request of " in line]


def test_changes_are_in_the_log(api: tuple[Slirpd, str]) -> None:
    daemon, path = api
    who = f"pid {os.getpid()} uid "
    execute(path, "add_hostfwd", proto="tcp", host_port=8080, guest_port=80)
    execute(path, "add_hostfwd", proto="tcp", host_port=8080, guest_port=81)
    execute(path, "add_hostfwd", proto="tcp", host_port=0, guest_port=81)
    execute(path, "list_hostfwd")
    execute(path, "remove_hostfwd", id=1)
    execute(path, "remove_hostfwd", id=1)
    expected = (
        r"add_hostfwd tcp 0\.0\.0\.0:8080 -> 10\.0\.2\.100:80: forward 1",
        r"add_hostfwd tcp 0\.0\.0\.0:8080 -> guest:81: refused: .* forward 1 .*",
        r"add_hostfwd: refused: host_port: wanted .*",
        r"remove_hostfwd 1: removed tcp 0\.0\.0\.0:8080 -> 10\.0\.2\.100:80",
        r"remove_hostfwd 1: refused: there is no forward with this id",
    )
    wait_for("five lines of audit", lambda: len(audit_lines(daemon)) == len(expected))
    for line, pattern in zip(audit_lines(daemon), expected):
        assert line.startswith(who)
        assert re.fullmatch(rf"pid \d+ uid \d+ gid \d+: {pattern}", line), line


def test_flood_of_changes_leaves_room_in_the_log(api: tuple[Slirpd, str]) -> None:
    daemon, path = api
    for _ in range(200):
        execute(path, "remove_hostfwd", id=7)
    assert len(audit_lines(daemon)) <= 32
    os.kill(daemon.children()["api"], 9)
    wait_for("the api's end is in the log", lambda: re.search(r"api.*(killed|SIGKILL)", daemon.stderr))


# --- clients that mean no good ----------------------------------------------------------------


def well_behaved(path: str) -> None:
    """Asks, and gets the answer before the time of any other client is over."""
    assert ask(path, LIST).startswith(b'{"return":{"entries":[')


def test_200_silent_clients(guest: Guest, api: tuple[Slirpd, str]) -> None:
    _, path = api

    @contextlib.contextmanager
    def clients() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(connect(path))
            for _ in range(20):
                well_behaved(path)
            yield

    disturb(guest, clients)


def test_more_silent_clients_than_there_are_places(api: tuple[Slirpd, str]) -> None:
    _, path = api
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(connect(path)) for _ in range(600)]
        for _ in range(5):
            well_behaved(path)
        # Who gave way was told why.
        assert json.loads(recv_all(silent[0]))["error"]["class"] == "Busy"
        stats = execute(path, "query_stats")["return"]["api"]
        assert stats["gave_way"] > 300
        assert stats["clients"] <= 256


def test_more_silent_clients_than_there_are_descriptors(guest: Guest) -> None:
    with daemon_with_api(guest, prefix=["prlimit", "--nofile=64"]) as (daemon, path):
        with contextlib.ExitStack() as stack:
            for _ in range(150):
                stack.enter_context(connect(path))
            for _ in range(5):
                well_behaved(path)
        assert daemon.stderr.count("accept a client: Too many open files") == 1
        well_behaved(path)


def test_1000_connections_in_a_burst(guest: Guest, api: tuple[Slirpd, str]) -> None:
    _, path = api

    @contextlib.contextmanager
    def clients() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            socks = []
            for _ in range(1000):
                socks.append(stack.enter_context(connect(path)))
                # At once: who is silent for a tenth of a second gives way (API_PATIENCE_MS).
                socks[-1].sendall(LIST)
            for sock in socks:
                assert recv_all(sock) == NOTHING
            yield

    disturb(guest, clients)


def test_byte_a_second_client(guest: Guest, api: tuple[Slirpd, str]) -> None:
    _, path = api

    @contextlib.contextmanager
    def clients() -> Iterator[None]:
        with connect(path) as slow:
            for byte in b"{}":
                slow.sendall(bytes([byte]))
                well_behaved(path)
                # This is the client's own pace, not a wait for anything.
                time.sleep(1)
            assert json.loads(recv_all(slow))["error"]["desc"] == "bad request: no execute found"
            yield

    disturb(guest, clients)


def test_clients_that_never_read(guest: Guest, api: tuple[Slirpd, str]) -> None:
    _, path = api
    for port in range(20000, 20200):
        execute(path, "add_hostfwd", proto="udp", host_port=port, guest_port=port)

    @contextlib.contextmanager
    def clients() -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            # Replies of 20 kB, to sessions that ask on and on.
            for _ in range(20):
                session = stack.enter_context(Session(path))
                session.sock.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        session.sock.send(LIST + b"\n")
            for _ in range(5):
                well_behaved(path)
            yield

    disturb(guest, clients)
    well_behaved(path)


def test_session_that_reads_no_events_is_closed(guest: Guest, api: tuple[Slirpd, str]) -> None:
    _, path = api

    def slow() -> int:
        return execute(path, "query_stats")["return"]["api"]["slow"]

    @contextlib.contextmanager
    def clients() -> Iterator[None]:
        before, begin = slow(), time.monotonic()
        with Session(path) as deaf:
            deaf.ask('{"execute":"subscribe"}')
            while slow() == before:
                assert time.monotonic() - begin < 60
                for _ in range(100):
                    forward = execute(path, "add_hostfwd", proto="udp", host_port=30000, guest_port=1)
                    execute(path, "remove_hostfwd", id=forward["return"]["id"])
            # What it got is whole lines, up to where it was cut off.
            assert recv_all(deaf.sock).count(b'"event"') > 100
            yield

    disturb(guest, clients)


def rss_kib(pid: int) -> int:
    # Exact, where VmRSS may be off by 128 KiB for each processor (Linux 6.2 to 6.15).
    return int(re.search(r"^Rss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


def test_5000_cycles_grow_nothing(api: tuple[Slirpd, str]) -> None:
    daemon, path = api

    def cycles(n: int) -> None:
        for _ in range(n):
            forward = execute(path, "add_hostfwd", proto="tcp", host_port=8080, guest_port=80)
            execute(path, "remove_hostfwd", id=forward["return"]["id"])

    def settled() -> dict[int, int]:
        """Descriptors of every process, when no client is left."""
        wait_for("one client, the one that asks",
                 lambda: execute(path, "query_stats")["return"]["api"]["clients"] == 1)
        return {pid: len(fds_of(pid)) for pid in daemon.pids()}

    # What is allocated once is there after these.
    cycles(500)
    fds, memory = settled(), {pid: rss_kib(pid) for pid in daemon.pids()}
    cycles(5000)
    wait_for("the descriptors are those from before", lambda: settled() == fds)
    if not SANITIZED:
        for pid, before in memory.items():
            assert rss_kib(pid) <= before + 256, (program_of(pid), before, rss_kib(pid))
    assert ask(path, LIST) == NOTHING


def test_1000_forwards_are_listed(api: tuple[Slirpd, str]) -> None:
    _, path = api
    for number in range(1, 1001):
        assert execute(path, "add_hostfwd", proto="udp", host_addr="127.0.0.1",
                       host_port=20000 + number, guest_port=number)["return"]["id"] == number
    for asked in range(3):
        if asked == 1:
            execute(path, "remove_hostfwd", id=500)
        reply = execute(path, "list_hostfwd")
        assert reply["entries"] == reply["return"]["entries"]
        expected = [n for n in range(1, 1001) if not asked or n != 500]
        assert [entry["id"] for entry in reply["entries"]] == expected
        assert all(entry == {"id": entry["id"], "proto": "udp", "host_addr": "127.0.0.1",
                             "host_port": 20000 + entry["id"], "guest_addr": "10.0.2.100",
                             "guest_port": entry["id"]} for entry in reply["entries"])
