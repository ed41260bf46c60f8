# SPDX-License-Identifier: BSD-2-Clause
"""A policy while slirpd runs: what clients of the control socket see of it."""

from __future__ import annotations

import collections
import contextlib
import errno
import itertools
import json
import os
import select
import signal
import socket
import struct
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_client import Session, daemon_with_api, execute
from daemon import run_slirpd
from egress import AT_ONCE_S, Uplink, in_the_internet, live
from guest import Guest
from lab import HOST4, Lab
from load import NAMESERVER
from processes import borrowed
from repeating import repeating
from servers import listener, udp_socket
from slirpctl import OK, REFUSED, assert_ok, ctl
from test_hostile_worker import closed, question, taken
from test_policy import (  # noqa: F401
    ALL_OF_ONE, ICMP, OTHER4, OTHER6, OTHER_PORT, PORT, PRIVATE4, PUBLIC4, PUBLIC6, TCP, UDP, attacker, denied, echo, tcp,
    udp, world,
)
from tree import SANITIZED
from waiting import DEADLINE_S, wait_for

LIVE_PORT = 4440
AUDIT = "policy: mode audit: nothing is denied"
# 100 ms are wanted; the test machine may be busy with others.
RESET_S = 1
TO_CONNECTOR = 5


def state(path: str) -> dict[str, Any]:
    return execute(path, "query_policy")["return"]


def rules(path: str) -> list[dict[str, Any]]:
    return execute(path, "policy_get")["return"]["rules"]


def lines(path: str) -> list[str]:
    return [rule["line"] for rule in rules(path)]


@pytest.mark.usefixtures("world")
def test_hits_of_rules_are_counted(guest: Guest) -> None:
    policy = (f"refuse reset\nset one = {PUBLIC4}\n"
              f"web: allow tcp {PORT} to @one, 192.0.2.0/24\n\ndeny udp to any\n")
    with live(guest, policy) as (_, path):
        assert [rule["hits"] for rule in rules(path)] == [0, 0]
        assert all("idle_ms" not in rule for rule in rules(path))
        for _ in range(3):
            assert tcp(guest, PUBLIC4) == 0
        assert udp(guest, PUBLIC4) == tcp(guest, OTHER4) == errno.ECONNREFUSED
        text = execute(path, "policy_get")["return"]
        assert text["settings"] == ["refuse reset"]
        assert [(rule["line"], rule["hits"], rule["where"].split(":")[-1]) for rule in text["rules"]] == [
            (f"web: allow tcp {PORT} to {PUBLIC4}, 192.0.2.0/24", 3, "4"), ("deny udp to any", 1, "6")]
        seen = state(path)
        assert (seen["generation"], seen["mode"], seen["default"], seen["locked"]) == (
            1, "enforce", "deny", False)
        assert (seen["rules"], seen["prefixes"], seen["names"], seen["pins"]) == (2, 2, 0, 0)
        assert (seen["allowed"], seen["denied"], seen["by_default"]) == (3, 2, 1)
        shown = assert_ok(ctl("-a", path, "policy", "show")).splitlines()
        assert shown[:5] == [
            "policy generation 1, mode enforce, default deny",
            "flows 3 allowed, 2 denied, 1 without a rule, 0 over a limit",
            "names 0 denied, 0 over a limit, 0 addresses cut", "pins 0", "refuse reset"]
        assert shown[5].split() == ["HITS", "WHERE", "ID", "RULE"]
        assert shown[6].split()[0] == "3" and shown[6].endswith(text["rules"][0]["line"])
        first, second = (rule["idle_ms"] for rule in text["rules"])
        assert 0 <= second <= first < 60000
        wait_for("time passes", lambda: rules(path)[1]["idle_ms"] > second)
        assert tcp(guest, PUBLIC4, OTHER_PORT) == udp(guest, PUBLIC4) == errno.ECONNREFUSED
        assert rules(path)[1]["idle_ms"] <= rules(path)[0]["idle_ms"]


@pytest.mark.usefixtures("world")
def test_audit_counts_what_it_would_deny(guest: Guest) -> None:
    with live(guest, f"allow tcp {PORT} to {PUBLIC4}\n", "--policy-mode=audit") as (daemon, path):
        assert AUDIT in daemon.stderr
        assert tcp(guest, OTHER4) == tcp(guest, PUBLIC4) == tcp(guest, PUBLIC4, OTHER_PORT) == 0
        seen = state(path)
        assert (seen["mode"], seen["allowed"], seen["denied"]) == ("audit", 1, 2)


def test_mode_is_said_where_people_look(guest: Guest, tmp_path: Path) -> None:
    def row(path: str) -> list[str]:
        return [line.split(None, 1)[1] for line in assert_ok(ctl("-a", path, "status")).splitlines()
                if line.startswith("policy ")]

    file = tmp_path / "new.policy"
    with live(guest, "deny to 192.0.2.1\nallow to internet\n") as (daemon, path):
        assert row(path) == ["enforce, default deny, 2 rules, 0 denied"] and AUDIT not in daemon.stderr
        file.write_text("policy 1\nmode audit\n")
        assert_ok(ctl("-a", path, "policy", "load", file, "--dry-run"))
        done = ctl("-a", path, "policy", "load", file)
        assert (done.returncode, done.stderr) == (0, f"slirpctl: warning: {AUDIT}\n")
        assert row(path) == ["audit: nothing is denied"]
        file.write_text("policy 1\n")
        assert_ok(ctl("-a", path, "policy", "load", file))
        assert row(path) == ["enforce, default deny, 0 rules, 0 denied"]
    with daemon_with_api(guest) as (_, path):
        assert row(path) == ["none: all is open"]


def test_largest_policy_is_shown(guest: Guest, tmp_path: Any) -> None:
    text = [f"allow tcp {n + 1} to " + ", ".join(f"11.{n >> 2}.{(n & 3) * 16 + i}.0/24" for i in range(16))
            for n in range(1024)]
    path = tmp_path / "large"
    path.write_text("policy 1\n" + "\n".join(text) + "\n")
    with daemon_with_api(guest, f"--policy={path}") as (_, sock):
        assert lines(sock) == text
        seen = state(sock)
        assert (seen["rules"], seen["prefixes"]) == (1024, 16384)
        assert len({rule["id"] for rule in rules(sock)}) == 1024


def test_without_a_policy_there_is_none_to_show(guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        for verb, flow in (("query_policy", {}), ("policy_get", {}), ("policy_check", {"proto": "icmp", "name": "a.test"})):
            assert execute(path, verb, **flow)["error"]["class"] == "NotSupported"
        done = ctl("-a", path, "policy", "show")
        assert done.returncode == REFUSED and "started without a policy" in done.stderr
        done = ctl("-a", path, "policy", "sing")
        assert done.returncode == 2 and "usage: slirpctl policy" in done.stderr


def load(path: str, text: str, *, name: str = "new.policy", **arguments: Any) -> dict[str, Any]:
    """The reply to policy_commit of a session that has sent the text."""
    with Session(path) as session:
        ask_in(session, "policy_begin", name=name)
        for line in text.splitlines():
            ask_in(session, "policy_add", lines=[line])
        return ask_in(session, "policy_commit", **arguments)


def ask_in(session: Session, verb: str, **arguments: Any) -> dict[str, Any]:
    return json.loads(session.ask(json.dumps({"execute": verb, "arguments": arguments})))


@pytest.mark.usefixtures("world")
def test_policy_is_replaced(guest: Guest) -> None:
    with live(guest, f"allow tcp {PORT} to {PUBLIC4}\nallow tcp {OTHER_PORT} to any\n") as (_, path):
        assert tcp(guest, PUBLIC4) == 0 and tcp(guest, OTHER4) == errno.EHOSTUNREACH
        kept = f"allow tcp {PORT} to {PUBLIC4}"
        text = f"policy 1\nrefuse reset\nset x = {OTHER4}\nallow udp to @x\n{kept}\nexpect deny tcp 1 to 192.0.2.1\n"
        assert load(path, text)["return"] == {"generation": 2, "remarks": []}
        assert udp(guest, OTHER4) == tcp(guest, PUBLIC4) == 0
        assert tcp(guest, OTHER4) == tcp(guest, PUBLIC4, OTHER_PORT) == errno.ECONNREFUSED
        assert lines(path) == [f"allow udp to {OTHER4}", kept]
        # A rule of both policies goes on counting.
        assert [rule["hits"] for rule in rules(path)] == [1, 2]
        assert [rule["where"] for rule in rules(path)] == ["new.policy:4", "new.policy:5"]
        assert state(path)["generation"] == 2


@pytest.mark.usefixtures("world")
def test_one_rule_is_added_and_removed(guest: Guest) -> None:
    with live(guest, f"allow tcp {PORT} to {PUBLIC4}\n") as (daemon, path):
        with Session(path) as watcher:
            watcher.ask('{"execute":"subscribe"}')
            added = execute(path, "policy_add_rule", line=f"allow tcp {PORT} to {OTHER4}")["return"]
            assert added["generation"] == 2 and tcp(guest, OTHER4) == 0
            event = json.loads(watcher.line())
            assert (event["event"], event["data"]["command"]) == ("POLICY_CHANGED", "policy_add_rule")
            assert (event["data"]["generation"], event["data"]["pid"]) == (2, os.getpid())
        deny = execute(path, "policy_add_rule", line="deny to any")["return"]["id"]
        assert tcp(guest, OTHER4) == tcp(guest, PUBLIC4) == errno.EHOSTUNREACH
        # The newest is the first.
        assert [(rule["where"], rule["line"]) for rule in rules(path)[:2]] == [
            ("api:2", "deny to any"), ("api:1", f"allow tcp {PORT} to {OTHER4}")]
        assert execute(path, "policy_remove_rule", id=deny)["return"] == {"generation": 4}
        assert tcp(guest, OTHER4) == tcp(guest, PUBLIC4) == 0
        assert execute(path, "policy_remove_rule", id=deny)["error"]["class"] == "NotFound"
        assert execute(path, "policy_remove_rule", id=added["id"])["return"] == {"generation": 5}
        assert tcp(guest, OTHER4) == errno.EHOSTUNREACH
        log = daemon.stderr
        assert "policy_add_rule: policy generation 2, 2 rules" in log
        assert "policy_remove_rule: refused: NotFound" in log


BROKEN = (
    ("policy 1\nallow tcp 70000 to any", "new.policy:2:11: port 70000 is not in 1-65535"),
    ("", "new.policy:1:1: a policy begins with \"policy 1\""),
    ("policy 1\nset a = 192.0.2.1\nallow to @b", "new.policy:3:10: set @b is not defined"),
    ("policy 1\nexpect allow tcp 443 to 192.0.2.1",
     "new.policy:2:1: expected allow tcp 443 to 192.0.2.1, but the default denies it"),
    ("policy 1\nallow to \x01", "new.policy:2:10: "),
)


@pytest.mark.usefixtures("world")
def test_broken_policy_leaves_the_old_one(guest: Guest) -> None:
    with live(guest, ALL_OF_ONE) as (_, path):
        for text, error in BROKEN:
            got = load(path, text)["error"]
            assert got["class"] == "BadPolicy" and got["detail"].startswith(error), got
        for line, error in (("allow to", "api:1:"), ("mode audit", "the line is not a rule"), ("", "the line is not"),
                            ("policy 1", "api:1:1: "), ("expect deny tcp 1 to 192.0.2.1", "the line is not a rule")):
            got = execute(path, "policy_add_rule", line=line)["error"]
            assert got["class"] == "BadPolicy" and got["detail"].startswith(error), got
        assert execute(path, "policy_add_rule", line="allow to any\nallow to any")["error"]["class"] == "BadArgument"
        assert state(path)["generation"] == 1
        assert tcp(guest, PUBLIC4) == 0 and tcp(guest, OTHER4) == errno.EHOSTUNREACH


def test_dry_run_changes_nothing(guest: Guest) -> None:
    with live(guest, "") as (_, path):
        got = load(path, "policy 1\nallow to any\n", dry_run=True)["return"]
        assert got["generation"] == 1 and got["remarks"][0].startswith("new.policy:2: any includes")
        assert load(path, "policy 1\nsing\n", dry_run=True)["error"]["class"] == "BadPolicy"
        assert state(path)["rules"] == 0


def test_change_of_another_generation_is_a_conflict(guest: Guest) -> None:
    with live(guest, "") as (_, path):
        assert load(path, "policy 1\n", base=1)["return"]["generation"] == 2
        got = load(path, "policy 1\nallow to any\n", base=1)["error"]
        assert got["class"] == "Conflict" and "generation 2" in got["detail"]
        assert execute(path, "policy_add_rule", line="allow to any", base=1)["error"]["class"] == "Conflict"
        assert execute(path, "policy_add_rule", line="allow to any", base=2)["return"]["generation"] == 3


def test_sessions_do_not_mix_their_texts(guest: Guest) -> None:
    with live(guest, "") as (daemon, path), Session(path) as one, Session(path) as two:
        assert ask_in(one, "policy_commit")["error"]["class"] == "Conflict"
        wait_for("the log has the refusal", lambda: "policy_commit: refused: Conflict" in daemon.stderr)
        assert ask_in(one, "policy_add", lines=[])["error"]["class"] == "Conflict"
        assert "return" in ask_in(one, "policy_begin")
        assert ask_in(two, "policy_begin")["error"]["class"] == "Busy"
        assert ask_in(two, "policy_add", lines=["x"])["error"]["class"] == "Conflict"
        # A text begins anew, and goes with its session.
        assert "return" in ask_in(one, "policy_add", lines=["x"])
        assert "return" in ask_in(one, "policy_begin")
        one.sock.close()
        one.file.close()
        wait_for("the text is free", lambda: "return" in ask_in(two, "policy_begin"))
        assert "return" in ask_in(two, "policy_add", lines=["policy 1"])
        assert ask_in(two, "policy_commit")["return"]["generation"] == 2


@pytest.mark.usefixtures("world")
def test_locked_policy_only_denies_more(guest: Guest) -> None:
    with live(guest, "allow to any\n", "--policy-lock") as (_, path):
        assert state(path)["locked"] is True
        for line in ("allow to any", f"allow tcp 1 to {PUBLIC4}"):
            assert execute(path, "policy_add_rule", line=line)["error"]["class"] == "Locked"
        assert load(path, "policy 1\n")["error"]["class"] == "Locked"
        # A check opens nothing.
        assert load(path, "policy 1\n", dry_run=True)["return"]["generation"] == 1
        for rule in rules(path):
            assert execute(path, "policy_remove_rule", id=rule["id"])["error"]["class"] == "Locked"
        assert tcp(guest, PUBLIC4) == tcp(guest, OTHER4) == 0
        assert "return" in execute(path, "policy_add_rule", line=f"deny to {PUBLIC4}")
        assert "return" in execute(path, "policy_add_rule", line=f"forbid to {OTHER4}")
        assert tcp(guest, PUBLIC4) == tcp(guest, OTHER4) == errno.EHOSTUNREACH
        for rule in rules(path):
            assert execute(path, "policy_remove_rule", id=rule["id"])["error"]["class"] == "Locked"
        done = run_slirpd("--policy-lock", "1", "tap0")
        assert done.returncode == 2 and "--policy-lock needs --policy" in done.stderr


@pytest.mark.usefixtures("world")
def test_changes_outlive_processes(guest: Guest) -> None:
    """The parent gives the policy to what it starts again."""
    with live(guest, "", abnormal=True) as (daemon, path):
        assert "return" in load(path, f"policy 1\nallow to {PUBLIC4}, pypi.test\n")
        for role in ("api", "resolver"):
            os.kill(execute(path, "query_status")["return"]["pids"][role], signal.SIGKILL)
            wait_for("the policy is here again", lambda: answers(path) and lines(path) == [
                f"allow to {PUBLIC4}, pypi.test"])
        wait_for("it can be changed again",
                 lambda: execute(path, "policy_add_rule", line=f"allow to {OTHER4}").get("return"))
        assert tcp(guest, PUBLIC4) == tcp(guest, OTHER4) == 0


def answers(path: str) -> bool:
    try:
        return "return" in execute(path, "query_policy")
    except (OSError, ValueError):
        return False


@pytest.mark.usefixtures("world")
def test_slirpctl_changes_the_policy(guest: Guest, tmp_path: Path) -> None:
    file = tmp_path / "ci.policy"
    # Longer than one request.
    file.write_text("policy 1\n" + "".join(f"allow tcp {n} to {PUBLIC4} # {'x' * 60}\n" for n in range(1001, 2001)))
    with live(guest, "") as (_, path):
        assert_ok(ctl("-a", path, "policy", "load", file, "--dry-run"))
        assert state(path)["generation"] == 1
        assert_ok(ctl("-a", path, "policy", "load", file))
        assert state(path)["rules"] == 1000 and rules(path)[999]["where"] == "ci.policy:1001"
        added = assert_ok(ctl("-a", path, "policy", "add", "allow", "tcp", PORT, "to", PUBLIC4)).strip()
        assert tcp(guest, PUBLIC4) == 0
        done = ctl("-a", path, "policy", "remove", "pip")
        assert (done.returncode, done.stderr) == (2, "slirpctl: policy remove: 'pip' is not an id of 16 hexadecimal"
                                                     " digits; slirpctl policy show prints the ids\n")
        assert_ok(ctl("-a", path, "policy", "remove", added))
        assert tcp(guest, PUBLIC4) == errno.EHOSTUNREACH
        file.write_text("policy 1\nallow tcp 443 to pypi..org\n")
        done = ctl("-a", path, "policy", "load", file)
        assert (done.returncode, done.stderr) == (
            REFUSED, 'slirpctl: policy load: ci.policy:2:18: "pypi..org": a label is empty\n')
        file.write_text("policy 1\nallow to any\n")
        done = ctl("-a", path, "policy", "load", file, "-n")
        assert done.returncode == 0 and done.stderr.startswith("slirpctl: warning: ci.policy:2: any includes")
        file.write_bytes(b"policy 1\n\xff\n")
        assert ctl("-a", path, "policy", "load", file).stderr == f"slirpctl: {file}:2: not UTF-8\n"
        assert ctl("-a", path, "policy", "load", tmp_path / "none").returncode == 2


def test_misspelt_class_is_a_warning(guest: Guest) -> None:
    """Else nobody sees that the rule is for a host of this name."""
    with live(guest, "allow to internet\nforbid to build\n", "--deny-out=metdata:80") as (daemon, path):
        said = [line for line in daemon.stderr.splitlines() if "host name" in line]
        assert said == [
            "slirpd: warning: --deny-out:1: metdata is taken as a host name; did you mean the class metadata?"]
        done = ctl("-a", path, "policy", "add", "forbid", "to", "privat")
        assert (done.returncode, done.stderr) == (
            OK, "slirpctl: warning: policy add: privat is taken as a host name; did you mean the class private?\n")


def established(guest: Guest, lab: Lab, address: str) -> tuple[socket.socket, socket.socket]:
    """Both ends of a connection to a server of the internet."""
    with listener(lab.internet_netns, address, LIVE_PORT) as server:
        sock = guest.connect(address, LIVE_PORT)
        peer, _ = server.accept()
    peer.settimeout(DEADLINE_S)
    return sock, peer


def is_reset(sock: socket.socket) -> bool:
    try:
        sock.recv(1)
    except ConnectionResetError:
        return True
    return False


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address", (PUBLIC4, PUBLIC6))
def test_connection_that_a_new_policy_denies_is_reset(guest: Guest, lab: Lab, address: str) -> None:
    with live(guest, f"x: allow tcp to {address}\nallow tcp to 198.51.98.1, 2a00:98::1\n",
              "--enable-ipv6") as (_, path):
        guest.wait_ipv6()
        other = OTHER6 if ":" in address else OTHER4
        sock, peer = established(guest, lab, address)
        kept, kept_peer = established(guest, lab, other)
        with sock, peer, kept, kept_peer:
            # Data in flight does not hinder.
            peer.sendall(b"y" * 1000)
            assert sock.recv(1000, socket.MSG_WAITALL) == b"y" * 1000
            rule = next(rule for rule in rules(path) if rule["line"].startswith("x:"))
            began = time.monotonic()
            assert "return" in execute(path, "policy_remove_rule", id=rule["id"])
            assert is_reset(sock) and is_reset(peer)
            took_s = time.monotonic() - began
            print(f"both ends are reset {took_s * 1000:.1f} ms after the request")
            assert took_s < RESET_S
            kept.sendall(b"still here")
            assert kept_peer.recv(10, socket.MSG_WAITALL) == b"still here"
            # The same again for one that is being used.
            assert "return" in load(path, "policy 1\n")
            assert is_reset(kept) and is_reset(kept_peer)


@pytest.mark.usefixtures("world")
def test_established_keep(guest: Guest, lab: Lab) -> None:
    with live(guest, f"allow tcp to {PUBLIC4}\n") as (_, path):
        sock, peer = established(guest, lab, PUBLIC4)
        with sock, peer:
            assert "return" in load(path, "policy 1\nestablished keep\n")
            assert tcp(guest, PUBLIC4) == errno.EHOSTUNREACH
            peer.sendall(b"a")
            assert sock.recv(1) == b"a"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address", (PUBLIC4, PUBLIC6))
def test_flow_of_udp_and_ping_ends_with_its_rule(guest: Guest, address: str) -> None:
    with live(guest, f"allow to {address}\n", "--enable-ipv6") as (_, path):
        guest.wait_ipv6()
        with guest.connect(address, PORT, socket.SOCK_DGRAM) as sock:
            sock.send(b"1")
            assert sock.recv(10) == b"1"
            assert echo(guest, address)
            assert "return" in load(path, f"policy 1\nallow tcp to {address}\n")
            with Uplink() as uplink:
                with contextlib.suppress(OSError):
                    sock.send(b"2")
                with pytest.raises(OSError) as refused:
                    sock.recv(10)
                    sock.send(b"3")
                    sock.recv(10)
                assert refused.value.errno == denied(address)
                assert not echo(guest, address)
                assert tcp(guest, address) == 0
                assert uplink.sent() == {(socket.IPPROTO_TCP, address, PORT)}


# The other peer is a host whose address and port are those of the guest's name server.
@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address,port", ((PUBLIC4, 0), (NAMESERVER, 53)))
def test_peer_of_a_forward_that_a_new_policy_forbids_gets_nothing(
        guest: Guest, lab: Lab, address: str, port: int) -> None:
    with (in_the_internet(NAMESERVER),
          live(guest, "allow to any\n", f"--publish=0.0.0.0:{LIVE_PORT}:{PORT}/udp") as (_, path),
          udp_socket(guest.netns, "0.0.0.0", PORT) as server,
          udp_socket(lab.internet_netns, address, port) as peer):
        peer.settimeout(AT_ONCE_S)
        peer.sendto(b"question", (HOST4, LIVE_PORT))
        _, seen = server.recvfrom(100)

        def answer() -> None:
            with contextlib.suppress(OSError):  # of the answer before
                server.sendto(b"answer", seen)

        answer()
        assert peer.recv(100) == b"answer"
        # A rule that denies is for the guest's own flows.
        assert "return" in load(path, "policy 1\n")
        answer()
        assert peer.recv(100) == b"answer"
        assert "return" in load(path, f"policy 1\nforbid to {address}\nallow to any\n")

        def is_judged() -> bool:
            answer()
            return state(path)["denied"] > 0

        wait_for("the flow has ended, and its next datagram is a new one", is_judged)
        before = state(path)["denied"]
        with Uplink(dns=True) as uplink:
            # The guest sees the other peer as the gateway, which is not judged once the flow has ended.
            for _ in range(10):
                answer()
            wait_for("answers are judged", lambda: port or (is_judged() and state(path)["denied"] > before + 10))
            # The worker has read the answers before.
            assert tcp(guest, OTHER4) == 0
            assert uplink.sent() == {(TCP, OTHER4, PORT)}


@pytest.mark.usefixtures("world")
def test_flows_end_with_the_channel_of_their_worker(guest: Guest, lab: Lab) -> None:
    """A worker that was taken over closes it, so that no later policy ends its flows."""
    with live(guest, f"allow tcp to {PUBLIC4}\n") as (daemon, _):
        sock, peer = established(guest, lab, PUBLIC4)
        with sock, peer:
            with borrowed(daemon.children()["slirp-worker"], TO_CONNECTOR) as channel:
                channel.shutdown(socket.SHUT_RDWR)
            assert is_reset(peer) and is_reset(sock)


@pytest.mark.usefixtures("world")
def test_ends_of_connections_are_the_same_under_a_policy(guest: Guest, lab: Lab) -> None:
    """The connector has a duplicate of each socket: it neither holds up an end nor changes it."""
    with live(guest, "allow to any\n"):
        sock, peer = established(guest, lab, PUBLIC4)
        with peer:
            sock.close()
            began = time.monotonic()
            assert peer.recv(1) == b""
            assert time.monotonic() - began < AT_ONCE_S
        sock, peer = established(guest, lab, PUBLIC4)
        with peer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            assert is_reset(peer)
        sock, peer = established(guest, lab, PUBLIC4)
        with sock:
            sock.sendall(b"z" * 500_000)
            sock.close()
            with peer:
                assert len(read_all(peer)) == 500_000


def read_all(sock: socket.socket) -> bytes:
    parts = []
    while part := sock.recv(1 << 16):
        parts.append(part)
    return b"".join(parts)


# 100 in a second are wanted; the test machine may be busy with others.
N_REPLACED, REPLACED_S = 200, 60 if SANITIZED else 20


def replace_by_turns(path: str) -> None:
    """Two small policies take turns, as fast as the daemon can; each tenth is a large one. All open PUBLIC4,
    and the first does not open PRIVATE4."""
    big = "".join(f"deny tcp {n} to 192.0.2.{n % 256}, {n}.evil.test\n" for n in range(1, 500))
    texts = [["policy 1", f"allow to {PUBLIC4}"], ["policy 1", f"allow to {PUBLIC4}", f"allow tcp to {PRIVATE4}"],
             ["policy 1", *big.splitlines(), f"allow tcp {PORT} to {PUBLIC4}, {PRIVATE4}", f"allow udp to {PUBLIC4}"]]
    began = time.monotonic()
    with Session(path) as session:
        for number in range(N_REPLACED):
            ask_in(session, "policy_begin")
            lines_of = texts[2 if number % 10 == 9 else number % 2]
            for at in range(0, len(lines_of), 50):
                assert "return" in ask_in(session, "policy_add", lines=lines_of[at:at + 50])
            assert ask_in(session, "policy_commit")["return"]["generation"] == number + 2
    took_s = time.monotonic() - began
    print(f"{N_REPLACED / took_s:.0f} policies in a second")
    assert took_s < REPLACED_S


@pytest.mark.usefixtures("world")
def test_no_denied_packet_leaves_while_the_policy_is_replaced(guest: Guest) -> None:
    """The guest tries what all policies deny, what all allow, and what one of them allows."""
    results: list[list[int]] = [[], []]

    def attempt(number: int, address: str) -> None:
        results[number].append(tcp(guest, address))
        with contextlib.suppress(OSError):
            tcp(guest, PRIVATE4)
            udp(guest, OTHER4)

    with live(guest, f"allow to {PUBLIC4}\n") as (daemon, path), Uplink() as uplink:
        with repeating(lambda: attempt(0, PUBLIC4), lambda: attempt(1, OTHER4)):
            replace_by_turns(path)
        assert {where for _, where, _ in uplink.sent()} <= {PUBLIC4, PRIVATE4}
        assert [set(codes) for codes in results] == [{0}, {errno.EHOSTUNREACH}]
        assert "broke the protocol" not in daemon.stderr
        seen = state(path)
        assert seen["generation"] == N_REPLACED + 1
        assert seen["denied"] >= len(results[1]) and seen["allowed"] >= len(results[0])


@pytest.mark.usefixtures("world")
def test_worker_that_was_taken_over_gets_nothing_while_the_policy_is_replaced(guest: Guest) -> None:
    tries = [(OTHER4, proto) for proto in (TCP, UDP, ICMP)] + [(OTHER6, UDP), (PRIVATE4, UDP), (PUBLIC4, UDP)]
    flows = itertools.count()
    rows: dict[str, collections.Counter[str]] = {address: collections.Counter() for address, _ in tries}

    def attempt() -> None:
        for address, proto in tries:
            flow = next(flows)
            got = worker.ask(flow, address, PORT, proto)
            rows[address][got.row] += 1
            if got.sock:
                with got.sock, contextlib.suppress(OSError):  # the policy has changed
                    got.sock.send(b"x")
                worker.send(closed(flow))

    with attacker(guest, f"allow to {PUBLIC4}\n") as (worker, path), Uplink() as uplink:
        with repeating(attempt):
            replace_by_turns(path)
        assert {where for _, where, _ in uplink.sent()} == {PUBLIC4}
        # A flow more than has an answer may be under way.
        denied_n = state(path)["denied"]
    assert set(rows.pop(PUBLIC4)) == {"flow_opened"}
    assert all(set(counter) == {"flow_refused"} for counter in rows.values()), rows
    assert denied_n == sum(counter["flow_refused"] for counter in rows.values()) > N_REPLACED


def echo_of(address: str) -> bytes:
    """A ping socket takes nothing else."""
    return bytes([128 if ":" in address else 8, 0, 0, 0, 0, 0, 0, 1])


def is_dead(sock: socket.socket, data: bytes) -> bool:
    """Nothing can be sent on it."""
    try:
        sock.send(data)
    except OSError as error:
        return error.errno in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EDESTADDRREQ)
    return False


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address", (PUBLIC4, PUBLIC6))
def test_worker_that_was_taken_over_loses_the_sockets(guest: Guest, lab: Lab, tmp_path: Path, address: str) -> None:
    policy, path = tmp_path / "p", tempfile.mkdtemp(dir="/run/tmp") + "/api"
    policy.write_text(f"policy 1\nallow to {address}\n")
    with taken(guest, f"--policy={policy}", f"--api-socket={path}") as it, listener(
            lab.internet_netns, address, LIVE_PORT) as server:
        socks, peers = [], []
        for flow in (1, 2, 3):
            sock = it.worker.ask(flow, address, LIVE_PORT).sock
            assert sock is not None
            socks.append(sock)
            peers.append(server.accept()[0])
            peers[-1].settimeout(DEADLINE_S)
        udp_sock = it.worker.ask(4, address, PORT, socket.IPPROTO_UDP).sock
        assert udp_sock is not None
        udp_sock.settimeout(DEADLINE_S)
        udp_sock.send(b"before")
        assert udp_sock.recv(10) == b"before"
        ping = it.worker.ask(5, address, 0, socket.IPPROTO_ICMP).sock
        assert ping is not None
        # A flow that is said to be closed, and is not; with a reset, too.
        socks[1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        it.worker.send(closed(1, 2))
        assert peers[0].recv(1) == b"" and is_reset(peers[1])
        data = echo_of(address)
        assert is_dead(socks[0], data) and is_dead(socks[1], data)
        with Uplink() as uplink:
            assert "return" in load(path, "policy 1\n")
            assert is_reset(peers[2])
            wait_for("the sockets are of no use", lambda: all(is_dead(sock, data) for sock in (socks[2], udp_sock, ping)))
            uplink.sent()
            # Answers to what was sent before may still come.
            late = data + b"late"
            for sock in (*socks, udp_sock, ping):
                assert is_dead(sock, late)
            # Nothing comes in either, but what the socket has sent to itself while its use was ended.
            if select.select([udp_sock], [], [], 0)[0]:
                received, source = udp_sock.recvfrom(100)
                assert received != late or source == udp_sock.getsockname()
            assert uplink.sent() == set()
        for sock in (*socks, *peers, udp_sock, ping):
            sock.close()


@pytest.mark.usefixtures("world")
def test_flow_is_judged_and_not_opened(guest: Guest) -> None:
    policy = (f"forbid to metadata\nweb: allow tcp {PORT} to {PUBLIC4}, {PUBLIC6}\n"
              "deny udp to host\nallow icmp to any\n")
    with live(guest, policy) as (_, path):
        def check(**flow: Any) -> dict[str, Any]:
            return execute(path, "policy_check", **flow)["return"]

        web = check(proto="tcp", port=PORT, addr=PUBLIC4)
        where = rules(path)[1]["where"]
        assert web == {
            "generation": 1, "verdict": "allow", "cause": f"rule {where}", "audit": False,
            "rule": f"web: allow tcp {PORT} to {PUBLIC4}, {PUBLIC6}", "id": rules(path)[1]["id"],
            "classes": ["any", "internet"], "pins": []}
        assert check(proto="tcp", port=OTHER_PORT, addr=PUBLIC4)["cause"] == "the default"
        # Classes that only a running slirpd knows.
        of_host = check(proto="udp", port=1, addr=HOST4)
        assert (of_host["verdict"], of_host["rule"]) == ("deny", "deny udp to host")
        assert "host" in of_host["classes"]
        assert "gateway" in check(proto="icmp", addr="10.0.2.2")["classes"]
        assert check(proto="icmp", addr="169.254.169.254")["rule"] == "forbid to metadata"
        queries = check(proto="udp", port=53, addr="10.0.2.3")
        assert (queries["verdict"], queries["cause"]) == ("allow", "the names of its queries")
        seen = state(path)
        assert (seen["allowed"], seen["denied"], seen["by_default"]) == (0, 0, 0)
        assert [rule["hits"] for rule in rules(path)] == [0] * 4
        shown = ctl("-a", path, "policy", "test", "tcp", PORT, PUBLIC6)
        assert assert_ok(shown).splitlines() == [
            f"allow tcp {PORT} to {PUBLIC6}: rule {where}: {web['rule']}", "classes: any, internet"]
        done = ctl("-a", path, "policy", "test", "udp", "1", HOST4, "--json")
        assert done.returncode == REFUSED and json.loads(done.stdout) == of_host


@pytest.fixture(scope="module")
def asked_daemon(lab: Lab) -> Iterator[str]:
    with Guest() as guest, live(guest, "") as (_, path):
        yield path


@pytest.mark.parametrize("flow,detail", (
    ({"port": 1, "addr": PUBLIC4}, "proto"),
    ({"proto": "any", "port": 1, "addr": PUBLIC4}, "tcp, udp, icmp"),
    ({"proto": "sctp", "port": 1, "addr": PUBLIC4}, "tcp, udp, icmp"),
    ({"proto": "tcp", "addr": PUBLIC4}, "tcp and udp have a port"),
    ({"proto": "icmp", "port": 1, "addr": PUBLIC4}, "icmp has none"),
    ({"proto": "tcp", "port": 0, "addr": PUBLIC4}, "from 1 to 65535"),
    ({"proto": "tcp", "port": 1}, "one addr or to one name"),
    ({"proto": "tcp", "port": 1, "addr": PUBLIC4, "name": "a.test"}, "one addr or to one name"),
    ({"proto": "tcp", "port": 1, "addr": "192.0.2.0/24"}, "IPv4 or IPv6"),
    ({"proto": "tcp", "port": 1, "name": ""}, "a name of a host"),
    ({"proto": "tcp", "port": 1, "name": "*.a.test"}, "a name of a host"),
    ({"proto": "tcp", "port": 1, "name": "a..test"}, "a name of a host"),
    ({"proto": "tcp", "port": 1, "name": "1.2.3"}, "a name of a host"),
    ({"proto": "tcp", "port": 1, "name": "b\xfccher.test"}, "a name of a host"),
    ({"proto": "tcp", "port": 1, "name": ".".join(["a" * 63] * 4)}, "a name of a host"),
), ids=str)
def test_wrong_flow_is_refused(asked_daemon: str, flow: dict[str, Any], detail: str) -> None:
    error = execute(asked_daemon, "policy_check", **flow)["error"]
    assert error["class"] == "BadArgument" and detail in error["detail"]


def test_running_policy_is_compared(guest: Guest, tmp_path: Path) -> None:
    policy = f"refuse reset\nallow tcp {PORT} to {PUBLIC4}\ndeny udp to any\n"
    with live(guest, policy) as (_, path):
        assert "return" in execute(path, "policy_add_rule", line="deny to metadata")
        file = tmp_path / "next"
        file.write_text(f"policy 1\nrefuse reset\nallow tcp {PORT} to {PUBLIC4} # one\n"
                        "deny udp to any\nallow icmp to internet\n")
        done = ctl("-a", path, "policy", "diff", file)
        assert (done.returncode, done.stderr) == (REFUSED, "")
        assert done.stdout.splitlines() == ["-deny to metadata", "+allow icmp to internet"]
        hashes = [state(path)["hash"]]
        assert_ok(ctl("-a", path, "policy", "load", file))
        hashes.append(state(path)["hash"])
        # Without a setting, and with all lines again.
        for text in (policy.replace("refuse reset\n", ""), policy):
            assert "return" in load(path, f"policy 1\n{text}allow icmp to internet\n")
            hashes.append(state(path)["hash"])
        assert hashes[3] == hashes[1] and len(set(hashes)) == 3
        assert assert_ok(ctl("-a", path, "policy", "diff", file)) == ""


@pytest.mark.usefixtures("world")
def test_worker_that_reads_no_answer_loses_the_sockets(guest: Guest, lab: Lab, tmp_path: Path) -> None:
    """The connector has an answer that the full queue does not take; the open flows are judged all the
    same, and so is the flow of the answer."""
    policy, path = tmp_path / "p", tempfile.mkdtemp(dir="/run/tmp") + "/api"
    policy.write_text(f"policy 1\nallow to {PUBLIC4}\n")
    with taken(guest, f"--policy={policy}", f"--api-socket={path}") as it, listener(
            lab.internet_netns, PUBLIC4, LIVE_PORT) as server:
        mine = it.worker.ask(1, PUBLIC4, LIVE_PORT).sock
        assert mine is not None
        peer, _ = server.accept()
        peer.settimeout(DEADLINE_S)
        flows = itertools.count(2)

        def is_full() -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    it.worker.send(question(next(flows), PUBLIC4, PORT, socket.IPPROTO_UDP))
            return not select.select([], [it.worker.sock], [], 1)[1]

        wait_for("both queues are full", is_full)
        assert "return" in load(path, "policy 1\n")
        assert is_reset(peer)
        # Nobody has asked what the real worker would find.
        while select.select([it.worker.sock], [], [], 1)[0]:
            if (sock := it.worker.answer().sock) is not None:
                sock.close()
        mine.close()
        peer.close()
