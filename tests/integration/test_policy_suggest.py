# SPDX-License-Identifier: BSD-2-Clause
"""What a policy has denied, and the policy that slirpctl makes of it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import dnsserver
import dnszone
import pytest
from api_client import execute
from egress import METADATA, in_the_internet, live
from guest import Guest
from lab import HOST4
from slirpctl import OK, assert_ok, ctl
from test_policy import echo, udp
from test_policy_live import load
from test_policy_names import (  # noqa: F401
    DENIED, OTHER, OTHER_PORT, PORT, PRIVATE, PUBLIC, SERVER, ask, send, server, tcp, world,
)
from waiting import wait_for

FREE = "198.51.99.7"  # without a name


def denied(path: str) -> list[dict[str, Any]]:
    return execute(path, "query_denied")["return"]["denied"]


def suggested(path: str) -> tuple[str, list[str]]:
    """The text, and its lines without the first one and the remark."""
    text = assert_ok(ctl("-a", path, "policy", "suggest"))
    lines = text.splitlines()
    assert lines[0] == "policy 1"
    remark = next(i for i, line in enumerate(lines) if line.startswith("# What was denied"))
    return text, lines[1:remark] + lines[remark + 2:]


def test_suggestion_lets_the_same_traffic_pass(
        guest: Guest, server: dnszone.Zone, tmp_path: Path) -> None:  # noqa: F811
    names = {"API.test": PUBLIC, "evil.test": OTHER, "lan.test": PRIVATE}

    def traffic() -> list[int | bool]:
        assert [ask(guest, name).addresses for name in names] == [[address] for address in names.values()]
        return [tcp(guest, address) for address in names.values()] + [
            tcp(guest, OTHER, OTHER_PORT), tcp(guest, FREE), echo(guest, FREE)]

    policy = f"allow tcp {OTHER_PORT} to {OTHER}\nrefuse reset\nmode audit\n"
    with in_the_internet(FREE), live(guest, policy) as (_, path):
        for _ in range(2):
            assert traffic() == [0, 0, 0, 0, 111, True]
        assert {(it["name"], it["port"], it["denied_by"], it["count"])
                for it in denied(path) if "port" in it and "name" in it} == {
            ("api.test", PORT, "default", 2), ("evil.test", PORT, "default", 2), ("lan.test", PORT, "default", 2)}
        text, lines = suggested(path)
        assert lines == [
            "refuse reset", f"allow tcp {OTHER_PORT} to {OTHER}",
            f"allow tcp {PORT} to api.test  # 2 times",
            f"allow tcp {PORT} to evil.test  # 2 times",
            f"allow tcp {PORT} to lan.test private  # 2 times",
            f"allow icmp to {FREE}  # 2 times",
            f"allow tcp {PORT} to {FREE}  # 2 times"]
        shown = assert_ok(ctl("-a", path, "policy", "denied"))
        assert FREE in shown and "lan.test" in shown
        file = tmp_path / "suggested.policy"
        file.write_text(text)
        assert_ok(ctl("policy", "check", file))
        assert_ok(ctl("-a", path, "policy", "load", file))
        assert execute(path, "query_policy")["return"]["mode"] == "enforce"
        # What the new policy allows is not in the list any more.
        assert denied(path) == []
        assert traffic() == [0, 0, 0, 0, 111, True]
        assert denied(path) == []
        assert tcp(guest, PUBLIC, OTHER_PORT) == udp(guest, FREE) == 111
        assert suggested(path)[1][-2:] == [
            f"allow tcp {OTHER_PORT} to api.test  # 1 time", f"allow udp {PORT} to {FREE}  # 1 time"]


def test_suggestion_overrides_no_rule(
        guest: Guest, server: dnszone.Zone, tmp_path: Path) -> None:  # noqa: F811
    """Whether a rule denies all addresses of a name, or one of them."""
    addresses = {"api.test": (PUBLIC,), "lan.test": (PRIVATE,), "both.test": (OTHER, FREE)}
    server.records["both.test"] = [dnszone.address("both.test", it) for it in addresses["both.test"]]

    def reached(name: str) -> list[bool]:
        assert sorted(ask(guest, name).addresses) == sorted(addresses[name])
        return [tcp(guest, address) != DENIED for address in addresses[name]]

    rules = ["deny to private", f"deny tcp {PORT} to {OTHER}", "deny to *.lan.test"]
    with in_the_internet(FREE), live(guest, "\n".join(rules) + "\nmode audit\n") as (_, path):
        assert [reached(name) for name in addresses] == [[True], [True], [True, True]]
        ask(guest, "www.lan.test")
        wait_for("the name", lambda: "www.lan.test" in [it.get("name") for it in denied(path)])
        text, lines = suggested(path)
        assert lines == [
            *rules, f"allow tcp {PORT} to api.test  # 1 time", f"allow tcp {PORT} to both.test  # 2 times",
            "# allow tcp 443 to www.lan.test  # 1 time: a rule denies it",
            f"# allow tcp {PORT} to lan.test private  # 1 time: a rule denies it"]
        file = tmp_path / "suggested.policy"
        file.write_text(text)
        assert ctl("-a", path, "policy", "load", file).returncode == OK
        assert reached("api.test") == [True] and reached("both.test") == [False, True]
        assert tcp(guest, PRIVATE) == DENIED


def test_addresses_of_the_host_are_not_suggested(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    server.records["build.test"] = [dnszone.address("build.test", HOST4)]
    with live(guest, f"forbid to {OTHER}\n", "--policy-mode=audit") as (_, path):
        assert ask(guest, "build.test").addresses == [HOST4]
        for address in (HOST4, METADATA[0], "10.0.2.2", OTHER, SERVER, "224.0.0.251"):
            with guest.connect(address, PORT, socket.SOCK_DGRAM) as sock:
                sock.send(b"x")
        with guest.connect(PUBLIC, dnsserver.DNS_PORT, socket.SOCK_DGRAM) as sock:
            sock.send(b"x")
        wait_for("all flows", lambda: len(denied(path)) == 8)
        lines = suggested(path)[1]
        assert {line for line in lines if "allow" in line} == {
            f"# allow udp {PORT} to {HOST4}  # 1 time: class host",
            f"# allow udp {PORT} to {METADATA[0]}  # 1 time: class metadata",
            f"# allow udp {PORT} to 10.0.2.2  # 1 time: class gateway",
            f"# allow udp {PORT} to {OTHER}  # 1 time: a rule denies it",
            f"# allow udp {PORT} to {SERVER}  # 1 time: class special",
            f"# allow udp {PORT} to 224.0.0.251  # 1 time: class multicast",
            f"# allow udp {dnsserver.DNS_PORT} to {PUBLIC}  # 1 time: goes around the name server, and so around"
            " rules for names"}


@pytest.mark.parametrize("name", ("any", "internet", "host", "to", "private", "_x-.test", "1.a", "xn--.test"))
def test_names_that_a_guest_chooses_break_no_text(
        guest: Guest, server: dnszone.Zone, tmp_path: Path, name: str) -> None:  # noqa: F811
    server.records[name] = [dnszone.address(name, PUBLIC)]
    with live(guest, "mode audit\n") as (_, path):
        for label in (b"\4\nb#c", b"\3a b", b"\1*", b"\3a\xffb"):
            send(guest, dnszone.query(label + dnszone.name("test")))
        assert ask(guest, name).addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        wait_for("the name", lambda: name in [it.get("name") for it in denied(path)])
        text, lines = suggested(path)
        assert [line.split("  #")[0] for line in lines if not line.startswith("#")] in (
            [f"allow tcp {PORT} to {name}"], [f"allow tcp {PORT} to {PUBLIC}"])
        file = tmp_path / "suggested.policy"
        file.write_text(text)
        # A name of one label gives a warning.
        assert ctl("policy", "check", file).returncode == OK
        assert ctl("policy", "test", "tcp", PORT, OTHER, f"--policy={file}").stdout.startswith("deny ")


def test_names_that_were_only_asked_for(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    """With enforcement, nothing follows the refusal of a name."""
    with live(guest, "forbid to bad.test\nallow tcp 443 to api.test\n") as (_, path):
        for name in ("evil.test", "evil.test", "bad.test", "7.99.51.198.in-addr.arpa"):
            assert ask(guest, name).rcode == dnsserver.NXDOMAIN
        wait_for("the names", lambda: len(denied(path)) == 3)
        # The suggestion leaves out the name of an address.
        assert [it for it in denied(path) if not it["name"].endswith(".arpa")] == [
            {"classes": [], "name": "evil.test", "denied_by": "default", "count": 2},
            {"classes": [], "name": "bad.test", "denied_by": "forbid", "count": 1}]
        assert suggested(path)[1] == [
            "forbid to bad.test", "allow tcp 443 to api.test",
            "# allow tcp 443 to bad.test  # 1 time: a rule denies it",
            "# allow tcp 443 to evil.test  # 2 times: was only asked for: protocol and port are a guess"]
        # A rule that allows it takes the name out of the list.
        assert "return" in load(path, "policy 1\nforbid to bad.test\nallow tcp to evil.test\n")
        assert [it["name"] for it in denied(path)] == ["bad.test", "7.99.51.198.in-addr.arpa"]


def test_list_is_bounded_and_keeps_what_comes_again(guest: Guest, server: dnszone.Zone) -> None:  # noqa: F811
    with live(guest, "allow tcp 443 to api.test\n") as (_, path):
        for _ in range(2):
            assert tcp(guest, FREE) == DENIED
        for number in range(600):
            assert udp(guest, f"198.51.{101 + number % 100}.9", 1000 + number // 100) == DENIED
        flows = denied(path)
        assert len(flows) == 512
        assert [it["count"] for it in flows if it["addr"] == FREE] == [2]
        rules = [line for line in suggested(path)[1] if line.startswith("allow udp")]
        assert len(rules) == 511
