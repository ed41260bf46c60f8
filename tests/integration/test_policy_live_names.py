# SPDX-License-Identifier: BSD-2-Clause
"""Rules with names while the policy changes."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable

import dnsserver
import dnszone
import pytest
from api_client import execute
from egress import live
from guest import Guest
from lab import Lab
from load import RETRY_S
from processes import stopped
from servers import listener
from slirpctl import REFUSED, assert_ok, ctl
from test_policy_live import LIVE_PORT, established, is_reset, load, rules, state
from test_policy_names import (  # noqa: F401
    BAD_LABELS, DENIED, NAMESERVER, NO_HOSTS, OTHER, PORT, PRIVATE, PUBLIC, ask, ask_tcp, send, send_tcp, server,
    tcp, world,
)
from waiting import DEADLINE_S, wait_for

IPC_POLICY_PINS_N = 72  # of one message
# How long a test waits for pins to end; SLIRPD_PIN_S=301 is longer than the shortest one lives.
PIN_S = float(os.environ.get("SLIRPD_PIN_S", 0))
# PINS_LIFE_MIN_S and PINS_LIFE_AFTER_FLOW_S of src/connector/pins.h.
PIN_LIFE_S, PIN_AFTER_FLOW_S = 300, 60
# In which the worker may keep a connection whose both ends are closed.
TIME_WAIT_S = 60

CHAOS = 3  # the class
RULE = "allow tcp to api.test, *.wild.test\n"


def hits(path: str) -> list[int]:
    return [rule["hits"] for rule in rules(path)]


def test_addresses_stay_open_while_the_name_is_listed(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    with live(guest, RULE) as (_, path):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert state(path)["pins"] == 1 and tcp(guest, PUBLIC) == 0
        # The patterns have other numbers, and the rule has other ports.
        assert "return" in load(path, f"policy 1\nallow tcp to zzz.test\ndeny udp to aaa.test\n"
                                      f"allow tcp {PORT} to api.test\n")
        assert state(path)["pins"] == 1 and tcp(guest, PUBLIC) == 0
        assert tcp(guest, PUBLIC, PORT + 1) == DENIED
        assert server.asked == ["api.test"]
        assert "return" in load(path, "policy 1\nallow tcp to *.api.test\n")
        assert state(path)["pins"] == 0 and tcp(guest, PUBLIC) == DENIED
        # What was open once is not open again, until the guest asks; and no verdict is kept.
        assert ask(guest, "api.test").addresses == []
        assert "return" in load(path, f"policy 1\n{RULE}")
        assert tcp(guest, PUBLIC) == DENIED
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        assert server.asked == ["api.test"] * 2


def test_connection_to_a_name_outlives_its_pin(guest: Guest, lab: Lab, server: dnszone.Zone) -> None:  # noqa: F811
    """256 addresses of a pattern have pins; those that were seen longest ago give way."""
    server.records["x.wild.test"] = [dnszone.address("x.wild.test", PUBLIC)]
    for name in range(9):
        owner = f"{name}.wild.test"
        server.records[owner] = [dnszone.address(owner, f"198.51.{110 + name}.{n}") for n in range(1, 33)]
    with live(guest, RULE) as (_, path):
        assert ask(guest, "x.wild.test").addresses == [PUBLIC]
        with listener(lab.internet_netns, PUBLIC, LIVE_PORT) as there:
            sock = guest.connect(PUBLIC, LIVE_PORT)
            peer, _ = there.accept()
        with sock, peer:
            peer.settimeout(DEADLINE_S)
            for name in range(9):
                assert len(ask(guest, f"{name}.wild.test").addresses) > 20
            assert tcp(guest, PUBLIC) == DENIED
            assert "return" in load(path, f"policy 1\ndeny tcp to {OTHER}\n{RULE}")
            sock.sendall(b"still here")
            assert peer.recv(10) == b"still here"
            # The rule is there; one before it denies the address.
            assert "return" in load(path, f"policy 1\ndeny tcp to {PUBLIC}\n{RULE}")
            assert is_reset(sock) and is_reset(peer)


@pytest.mark.parametrize(("name", "rule", "option"), (
    ("api.test", f"deny tcp {LIVE_PORT} to api.test", ()),
    ("api.test", f"forbid tcp {LIVE_PORT} to api.test", ("--policy-lock",)),
    ("x.wild.test", "deny to *.wild.test", ()),
    ("www.more.test", "forbid to *.more.test", ("--policy-lock",))))
def test_name_that_a_new_rule_denies_is_closed(
        guest: Guest, lab: Lab, server: dnszone.Zone, name: str, rule: str, option: tuple[str, ...]) -> None:  # noqa: F811
    """The guest knows the addresses, and has connections. Another name of the rule stays open."""
    server.records |= {name: [dnszone.address(name, PUBLIC)], "kept.test": [dnszone.address("kept.test", OTHER)]}
    with live(guest, "allow tcp to api.test, *.wild.test, www.more.test, kept.test\n", *option) as (_, path):
        assert ask(guest, name).addresses == [PUBLIC] and ask(guest, "kept.test").addresses == [OTHER]
        sock, peer = established(guest, lab, PUBLIC)
        kept, kept_peer = established(guest, lab, OTHER)
        with sock, peer, kept, kept_peer:
            assert_ok(ctl("-a", path, "policy", "add", rule))
            assert is_reset(sock) and is_reset(peer)
            for port in (LIVE_PORT, PORT):
                assert tcp(guest, PUBLIC, port) == DENIED
            assert [pin["addr"] for pin in execute(path, "query_pins")["return"]["pins"]] == [OTHER]
            assert ask(guest, name).addresses == []
            kept.sendall(b"still here")
            assert kept_peer.recv(10, socket.MSG_WAITALL) == b"still here"
            assert tcp(guest, OTHER) == 0


def test_pins_are_shown(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    server.records["a.wild.test"] = [
        dnszone.address("a.wild.test", f"198.51.{110 + n // 20}.{n % 20}") for n in range(20)]
    server.records["b.wild.test"] = [dnszone.address("b.wild.test", f"198.51.120.{n}") for n in range(1, 31)]
    server.records["c.wild.test"] = [dnszone.address("c.wild.test", f"198.51.121.{n}") for n in range(1, 31)]
    with live(guest, RULE) as (_, path):
        assert execute(path, "query_pins")["return"] == {"generation": 1, "pins": []}
        wanted = {(address, pattern) for name, pattern in (
            ("api.test", "api.test"), ("a.wild.test", "*.wild.test"), ("b.wild.test", "*.wild.test"),
            ("c.wild.test", "*.wild.test")) for address in ask(guest, name).addresses}
        assert len(wanted) > IPC_POLICY_PINS_N
        pins = execute(path, "query_pins")["return"]["pins"]
        assert {(pin["addr"], pin["name"]) for pin in pins} == wanted and len(pins) == len(wanted)
        assert all(200 < pin["life_s"] <= 3600 for pin in pins)
        assert PUBLIC in assert_ok(ctl("-a", path, "pins"))
        assert "return" in load(path, "policy 1\nallow tcp to api.test\n")
        assert [pin["addr"] for pin in execute(path, "query_pins")["return"]["pins"]] == [PUBLIC]


def test_flow_to_a_name_is_judged_by_its_addresses(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    """Nothing is asked, and no address is opened or kept open."""
    wild = "x.wild.test"
    server.records[wild] = [dnszone.address(wild, OTHER)]
    with live(guest, f"{RULE}deny tcp to none.test\ndns any\n") as (_, path):
        def check(port: int = PORT, **to: str) -> dict[str, object]:
            return execute(path, "policy_check", proto="tcp", port=port, **to)["return"]

        assert check(name="API.test.")["verdict"] == "allow" and check(addr=PUBLIC)["verdict"] == "deny"
        assert check(name="none.test")["rule"] == "deny tcp to none.test"
        for name, address, pattern in (("api.test", PUBLIC, "api.test"), (wild, OTHER, "*.wild.test")):
            assert ask(guest, name).addresses == [address]
            pins = [{"addr": address, "name": pattern}]
            for to in ({"addr": address}, {"name": name}):
                seen = check(**to)
                assert (seen["verdict"], seen["rule"]) == ("allow", RULE.strip())
                assert [{key: pin[key] for key in ("addr", "name")} for pin in seen["pins"]] == pins
        assert check(name="other.test")["pins"] == []
        before = execute(path, "query_pins")
        assert len(before["return"]["pins"]) == 2
        assert assert_ok(ctl("-a", path, "policy", "test", "tcp", PORT, PUBLIC)).splitlines()[1:] == [
            "classes: any, internet", "names: api.test"]
        assert assert_ok(ctl("-a", path, "policy", "test", "tcp", PORT, wild)).splitlines()[1:] == [
            f"addresses: {OTHER}"]
        # An address of the wildcard can be another name's.
        test = ("-a", path, "policy", "test", "tcp", PORT)
        assert "return" in execute(path, "policy_add_rule", line=f"forbid to {OTHER}")
        assert_ok(ctl(*test, wild))
        assert_ok(ctl(*test, "api.test"))
        line = f"forbid to {PUBLIC}"
        added = execute(path, "policy_add_rule", line=line)["return"]["id"]
        done = ctl(*test, "api.test")
        assert (done.returncode, done.stderr) == (REFUSED, "")
        assert done.stdout.startswith(f"deny tcp {PORT} to {PUBLIC}: rule api:") and f": {line}\n" in done.stdout
        told = json.loads(ctl(*test, "api.test", "--json").stdout)
        assert (told["verdict"], told["addr"], told["rule"]) == ("deny", PUBLIC, line)
        assert "return" in execute(path, "policy_remove_rule", id=added)
        assert_ok(ctl(*test, "api.test"))
        assert (state(path)["allowed"], state(path)["denied"]) == (0, 0)
        assert server.asked == ["api.test", wild]


def test_question_on_its_way_is_judged_anew(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    server.records["a.wild.test"] = [dnszone.address("a.wild.test", OTHER)]
    answers = threading.Event()
    server.before_answer = answers.wait
    with live(guest, RULE) as (_, path):
        for name, policy, addresses in (("api.test", f"deny udp to any\n{RULE}", [PUBLIC]),
                                        ("a.wild.test", "mode audit\n", [OTHER]),
                                        ("evil.test", "allow tcp to zzz.test\n", [])):
            answers.clear()
            with guest.connect(NAMESERVER, dnsserver.DNS_PORT, socket.SOCK_DGRAM) as sock:
                sock.send(dnszone.query(dnszone.name(name)))
                wait_for("the server is asked", lambda: name in server.asked)
                assert "return" in load(path, f"policy 1\n{policy}")
                if addresses:
                    answers.set()
                reply = dnszone.parse(sock.recv(65536))
            assert reply.addresses == addresses
            assert reply.rcode == (dnsserver.NOERROR if addresses else dnsserver.NXDOMAIN)
            answers.set()


@pytest.mark.parametrize("ask_by", (ask, ask_tcp))
def test_audit_counts_names_as_if_it_were_enforced(
        guest: Guest, server: dnszone.Zone, ask_by: Callable[..., dnszone.Reply]) -> None:  # noqa: F811
    server.records["lan.test"] = [dnszone.address("lan.test", PRIVATE)]
    policy = f"deny to *.evil.test\nallow tcp {PORT} to api.test, lan.test\n"
    with live(guest, policy, "--policy-mode=audit") as (daemon, path):
        # A listed name: the flow is the rule's.
        assert ask_by(guest, "API.test").addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        assert hits(path) == [0, 1]
        seen = state(path)
        assert (seen["allowed"], seen["denied"], seen["names_denied"], seen["pins"]) == (1, 0, 0, 1)
        # Names that enforcement would refuse, and an address that it would cut out.
        assert ask_by(guest, "evil.test").addresses == [OTHER]
        assert tcp(guest, OTHER) == 0
        assert ask_by(guest, "x.evil.test").rcode == dnsserver.NXDOMAIN
        assert ask_by(guest, "lan.test").addresses == [PRIVATE]
        assert tcp(guest, PRIVATE) == 0
        wait_for("the counts", lambda: state(path)["addrs_cut"] == 1)
        seen = state(path)
        assert (seen["allowed"], seen["denied"], seen["names_denied"]) == (1, 2, 3)
        assert hits(path) == [1, 1]
        assert "policy: evil.test would be refused: no rule lists the name" in daemon.stderr
        assert "policy: x.evil.test would be refused: denied by " in daemon.stderr


@pytest.mark.parametrize("ask_by", (ask, ask_tcp))
def test_audit_gives_the_answer_though_the_connector_hangs(
        guest: Guest, server: dnszone.Zone, ask_by: Callable[..., dnszone.Reply]) -> None:  # noqa: F811
    with live(guest, f"mode audit\n{RULE}") as (daemon, _), contextlib.ExitStack() as stack:
        connector = daemon.children()["connector"]
        # It has made the socket by which the server is asked.
        server.before_answer = lambda: stack.enter_context(stopped(connector))
        assert ask_by(guest, "api.test").addresses == [PUBLIC]


@pytest.mark.parametrize("mode", ("enforce", "audit"))
def test_names_of_no_host_leave_the_resolver_running(
        guest: Guest, server: dnszone.Zone, mode: str) -> None:  # noqa: F811
    server.records |= {text: [dnszone.address(text, OTHER)] for text in NO_HOSTS}
    names = [dnszone.name(text) for text in NO_HOSTS] + [label + dnszone.name("wild.test") for label in BAD_LABELS]
    with live(guest, f"mode {mode}\n{RULE}") as (daemon, path):
        resolver = daemon.children()["resolver"]
        for name in names:
            for message in (dnszone.query(name), dnszone.query(name, class_=CHAOS)):
                for how in (send, send_tcp):
                    reply = how(guest, message)
                    if mode == "audit":
                        assert reply.reason is None, name
                    else:
                        assert (reply.rcode, reply.reason) in ((dnsserver.NXDOMAIN, dnszone.BLOCKED),
                                                               (dnsserver.NOTIMP, None)), name
        asked = [dnszone.read_name(name, 0)[0].lower() for name in names]
        assert server.asked == ([text for text in asked for _ in range(4)] if mode == "audit" else [])
        # The connector still takes what the resolver reports, and its list has names of hosts alone.
        assert ask(guest, "evil.test").rcode == (dnsserver.NOERROR if mode == "audit" else dnsserver.NXDOMAIN)
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert [entry["name"] for entry in execute(path, "query_denied")["return"]["denied"]] == ["evil.test"]
        assert state(path)["names_denied"] == 2 * len(names) + 1
        assert daemon.children()["resolver"] == resolver


def test_refused_names_are_counted(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    policy = f"forbid to *.evil.test\ndeny to bad.test\nallow tcp {PORT} to api.test, *.wild.test\n"
    server.records["api.test"] = [dnszone.address("api.test", PRIVATE), dnszone.address("api.test", PUBLIC)]
    with live(guest, policy) as (daemon, path):
        for _ in range(2):
            assert ask(guest, "x.evil.test").rcode == dnsserver.NXDOMAIN
        for text in ("bad.test", "none.test"):
            assert ask(guest, text).rcode == dnsserver.NXDOMAIN
        assert ask(guest, "api.test").addresses == [PUBLIC]
        wait_for("the counts", lambda: state(path)["addrs_cut"] == 1)
        assert (state(path)["names_denied"], state(path)["names_limited"]) == (4, 0)
        assert hits(path) == [2, 1, 0]
        for number in range(300):
            if ask(guest, f"{number}.wild.test").rcode == dnsserver.REFUSED:
                break
            server.asked.clear()
        assert ("names 4 denied, " in assert_ok(ctl("-a", path, "policy", "show")))
        # The log is bounded, and says that there was more.
        for number in range(100):
            ask(guest, f"{number}.none.test")
        wait_for("the counts", lambda: state(path)["names_denied"] == 104)
        assert "policy: bad.test is refused: denied by " in daemon.stderr
        assert daemon.stderr.count(" is refused: ") == 8


def test_counts_are_of_the_connector_that_is_there(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    with live(guest, RULE) as (daemon, path):
        assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN
        wait_for("the count", lambda: state(path)["names_denied"] == 1)
        old = daemon.children()["connector"]
        os.kill(old, signal.SIGKILL)
        wait_for("another connector", lambda: daemon.children().get("connector", old) != old)
        wait_for("names are resolved", lambda: ask(guest, "api.test").addresses == [PUBLIC])
        assert ask(guest, "bad.test").rcode == dnsserver.NXDOMAIN
        wait_for("the count", lambda: state(path)["names_denied"] == 1)


def test_names_are_closed_while_the_resolver_is_gone(guest: Guest, lab: Lab, server: dnszone.Zone) -> None:  # noqa: F811
    """It stands still, and then it is killed. What was pinned before stays open, and so do connections."""
    server.records["a.wild.test"] = [dnszone.address("a.wild.test", OTHER)]
    with live(guest, RULE, abnormal=True) as (daemon, path):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        sock, peer = established(guest, lab, PUBLIC)

        def assert_goes_on() -> None:
            sock.sendall(b"still here")
            assert peer.recv(10, socket.MSG_WAITALL) == b"still here"
            assert tcp(guest, PUBLIC) == 0
            assert tcp(guest, OTHER) == DENIED

        with sock, peer, guest.connect(NAMESERVER, dnsserver.DNS_PORT, socket.SOCK_DGRAM) as waits:
            resolver = daemon.children()["resolver"]
            os.kill(resolver, signal.SIGSTOP)
            waits.send(dnszone.query(dnszone.name("a.wild.test")))
            waits.send(dnszone.query(dnszone.name("evil.test")))
            assert_goes_on()
            assert not select.select([waits], [], [], 0)[0]
            os.kill(resolver, signal.SIGKILL)
            assert_goes_on()
            wait_for("another one", lambda: daemon.children().get("resolver", resolver) != resolver)
            assert_goes_on()
            assert server.asked == ["api.test"]
            waits.settimeout(RETRY_S)

            def is_answered() -> bool:
                with contextlib.suppress(OSError):
                    waits.send(dnszone.query(dnszone.name("a.wild.test"), number=8))
                    answer = waits.recv(65536)
                    return answer[:2] == b"\0\x08" and dnszone.parse(answer).addresses == [OTHER]
                return False

            wait_for("names work", is_answered)
            assert tcp(guest, OTHER) == tcp(guest, PUBLIC) == 0
            assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN
            assert "evil.test" not in server.asked
            assert state(path)["pins"] == 2


def test_pins_end(guest: Guest, lab: Lab, server: dnszone.Zone) -> None:  # noqa: F811
    """After five minutes, or after the last connection; see PIN_S."""
    server.records["api.test"] = [dnszone.address("api.test", PUBLIC, 1)]
    server.records["a.wild.test"] = [dnszone.address("a.wild.test", OTHER, 1)]
    with live(guest, RULE) as (_, path):
        for name in ("api.test", "a.wild.test"):
            ask(guest, name)
        sock, peer = established(guest, lab, OTHER)
        with sock, peer:
            assert "return" in execute(path, "policy_add_rule", line="deny udp to 192.0.2.1")
            time.sleep(PIN_S)
            pins = {pin["addr"]: pin["life_s"] for pin in execute(path, "query_pins")["return"]["pins"]}
            is_over = PIN_S >= PIN_LIFE_S
            assert set(pins) == {OTHER} if is_over else PIN_LIFE_S - PIN_S >= pins[PUBLIC] > 0
            assert tcp(guest, PUBLIC) == (DENIED if is_over else 0)
            # A connection holds its pin.
            sock.sendall(b"still here")
            assert peer.recv(10, socket.MSG_WAITALL) == b"still here"
            for end in established(guest, lab, OTHER):
                end.close()
        if is_over:
            wait_for("the connection's pin ends too", lambda: not execute(path, "query_pins")["return"]["pins"],
                     TIME_WAIT_S + PIN_AFTER_FLOW_S + DEADLINE_S)
            assert tcp(guest, OTHER) == DENIED


@pytest.mark.usefixtures("world")
def test_names_are_refused_without_a_name_server(guest: Guest) -> None:
    with live(guest, "", "--disable-dns") as (_, path):
        got = load(path, f"policy 1\n{RULE}")["error"]
        assert got["class"] == "BadPolicy" and "--disable-dns" in got["detail"]
        assert "return" in load(path, f"policy 1\nallow tcp to {PUBLIC}\n")
        assert tcp(guest, PUBLIC) == 0
