# SPDX-License-Identifier: BSD-2-Clause
"""slirpd-api(7) is true: its tables are those of query_commands, its examples work."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from api_client import Session, ask, daemon_with_api, execute
from guest import Guest
from tree import REPO

PAGE = (REPO / "man/slirpd-api.7").read_text()


def section(title: str) -> str:
    return re.search(rf"^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)", PAGE, re.M | re.S)[1]


def plain(text: str) -> str:
    return text.replace("\\(dq", '"')


def manual_commands() -> Iterator[dict[str, Any]]:
    for name, body in re.findall(r"^\.Ss (\w+)\n(.*?)(?=^\.Ss |\Z)", section("COMMANDS"), re.M | re.S):
        lines = body.splitlines()
        found = re.findall(r"^\.It Cm (\w+) No : ([^,\n]*)(?: , default ([^\n]*))?\n"
                           r"(.*?)\.\nWanted is (.*?)\.$", body, re.M)
        assert len(found) == body.count("\n.It Cm")
        yield {
            "name": name,
            "meaning": lines[0][0].lower() + lines[0][1:].rstrip("."),
            "only_in_session": "Only in a session." in lines,
            "arguments": [
                {"name": argument, "type": kind, "default": default or None,
                 "required": not default, "meaning": meaning, "wanted": plain(wanted)}
                for argument, kind, default, meaning, wanted in found],
            "returns": re.search(r"^Returns\n\.Li (\w+) \.$", body, re.M)[1],
        }


def listed(text: str) -> list[dict[str, str]]:
    return [{"name": name, "meaning": meaning}
            for name, meaning in re.findall(r"^\.It Li (\w+)\n([^\n]*)$", text, re.M)]


def manual_events() -> list[dict[str, str]]:
    return [{"name": name, "meaning": meaning, "data": data or "empty"}
            for name, data, meaning in re.findall(r"^\.It Li (\w+)(?: , Li (\w+))?\n([^\n]*)$",
                                                  section("EVENTS"), re.M)]


def manual_types() -> Iterator[tuple[str, bool, str]]:
    """Name, whether it is internal, members."""
    for name, internal, text in re.findall(r"^\.It Li (\w+)( No \(internal\))?\n(.*?)(?=^\.It |^\.El)",
                                           section("TYPES"), re.M | re.S):
        yield name, bool(internal), " ".join(text.split())


def in_words(kind: dict[str, Any]) -> tuple[str, bool, str]:
    # A test of slirpd-processes(7) looks for each of them there.
    lists = {"counters": "counters", "drops": "drops", "tcp": "counters of TCP",
             "tcp_ends": "ends of connections"}
    if kind["name"] in lists:
        members = f"the {lists[kind['name']]} of .Xr slirpd-processes 7 , each an integer"
        assert {member["type"] for member in kind["members"]} == {"integer"}
    else:
        members = ", ".join(
            f"{member['name']} {'array of ' if member.get('array') else ''}{member['type']}"
            f"{' (optional)' if member.get('optional') else ''}" for member in kind["members"])
    return kind["name"], kind.get("internal", False), members or "no member"


def test_manual_has_what_query_commands_says(guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        told = execute(path, "query_commands")["return"]
    for command in told["commands"]:
        for argument in command["arguments"]:
            argument.setdefault("default", None)
            if "min" in argument:
                assert f"from {argument.pop('min')} to {argument.pop('max')}" in argument["wanted"]
    assert list(manual_commands()) == told["commands"]
    assert manual_events() == told["events"]
    assert listed(section("CLASSES OF ERRORS")) == told["error_classes"]
    assert list(manual_types()) == [in_words(kind) for kind in told["types"]]


def test_manual_has_the_number_of_the_api(guest: Guest) -> None:
    with daemon_with_api(guest) as (_, path):
        number = execute(path, "query_version")["return"]["api"]
    assert f"The number of this API is {number}.\n" in section("STABILITY")


def examples() -> list[list[tuple[str, str]]]:
    """Each example: its lines, as (mark, JSON)."""
    blocks = re.findall(r"^\.Bd -literal -offset indent\n(.*?)^\.Ed", PAGE, re.M | re.S)
    return [[(line[:2], line[3:]) for line in block.splitlines()] for block in blocks]


def check_shape(example: Any, real: Any, where: str) -> None:
    """Everything in the example is in the reply, with a value of the same type."""
    assert type(example) is type(real), where
    if isinstance(example, dict):
        for key, value in example.items():
            assert key in real, f"{where}.{key}"
            check_shape(value, real[key], f"{where}.{key}")
        # An example may be shortened; what it does show of an object, it shows in its order.
        assert [key for key in real if key in example] == list(example), where
    if isinstance(example, list) and example:
        assert real, where
        check_shape(example[0], real[0], f"{where}[0]")


def check_line(mark: str, expected: str, got: str) -> None:
    if mark == "<-":
        assert got == expected
    else:
        assert mark == "<~"
        check_shape(json.loads(expected), json.loads(got), "")


def test_examples_work_in_the_order_of_the_page(guest: Guest) -> None:
    assert len(examples()) > 12
    with daemon_with_api(guest, "--enable-ipv6", "--deny-out=192.0.2.1:25") as (_, path):
        for lines in examples():
            if "qmp_capabilities" not in lines[0][1]:
                (asks, request), (mark, expected) = lines
                assert asks == "->"
                check_line(mark, expected, ask(path, request.encode()).decode())
                continue
            with Session(path) as session:
                assert session.first == lines[1][1]
                for mark, text in lines[2:]:
                    if mark == "->":
                        session.sock.sendall(text.encode() + b"\n")
                    else:
                        check_line(mark, text, session.line())


def test_every_command_has_an_example() -> None:
    shown = {json.loads(text)["execute"] for lines in examples() for mark, text in lines if mark == "->"}
    assert shown == {command["name"] for command in manual_commands()}


@pytest.mark.parametrize("constant,words", (
    ("src/api/request/request.h:API_REQUEST_SIZE", "4095 bytes"),
    ("src/api/request/scan.h:API_DEPTH_MAX", "16 levels"),
    ("src/api/client.h:API_CLIENTS_MAX", "256 clients"),
    ("src/api/client.h:API_SESSIONS_MAX", "64 sessions"),
    ("src/api/client.h:API_CALL_TIME_MS", "60 seconds"),
))
def test_limits_of_the_manual_are_those_of_the_code(constant: str, words: str) -> None:
    path, name = constant.split(":")
    value = int(re.search(rf"^#define {name} (\d+)", (REPO / path).read_text(), re.M)[1])
    said = int(words.split()[0])
    value = {"API_REQUEST_SIZE": value - 1, "API_CALL_TIME_MS": value // 1000}.get(name, value)
    assert said == value
    assert f"\n.It {words}\n" in section("LIMITS")
