# SPDX-License-Identifier: BSD-2-Clause
"""The JSON Schema of the control socket is a good one, and tests/lib/api_schema.py holds to it.

That slirpd fits it, every test that has a client of the control socket checks.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import api_schema  # noqa: E402

STAMP = {"seconds": 1795302000, "microseconds": 250000}
FORWARD = {"id": 1, "proto": "tcp", "host_addr": "0.0.0.0", "host_port": 8080,
           "guest_addr": "10.0.2.100", "guest_port": 80}
ERROR = {"desc": "bad request: unknown execute", "class": "UnknownCommand", "detail": "no"}
GOOD = (
    {"return": {}},
    {"return": {"id": 7}, "id": ["any", "value"]},
    {"return": {"entries": [FORWARD]}, "entries": [FORWARD]},
    {"return": {"entries": [{**FORWARD, "host_port_end": 8081}]}},
    {"error": ERROR},
    {"event": "HOSTFWD_ADDED", "data": FORWARD, "timestamp": STAMP},
    {"event": "SHUTDOWN", "data": {}, "timestamp": STAMP},
)
# Refused here and by the schema, as what is named.
WRONG = (
    ("reply", {}),
    ("reply", []),
    ("reply.add_hostfwd", {"return": {"id": -1}}),
    ("reply.list_hostfwd", {"return": {"entries": [{"id": 1}]}}),
    ("reply.list_hostfwd", {"return": {"entries": [{**FORWARD, "guest_port": "80"}]}}),
    ("reply.error", {"error": {"desc": "bad request"}}),
    ("event", {"event": "HOSTFWD_ADDED", "data": {}, "timestamp": STAMP}),
    ("event", {"event": "SHUTDOWN", "data": {}}),
)
# Allowed by the schema, since clients ignore them.
SURPLUS = (
    {"return": {"id": 7, "more": 1}},
    {"return": {"entries": []}, "more": 1},
    {"error": {**ERROR, "more": 1}},
    {"event": "SHUTDOWN", "data": {"more": 1}, "timestamp": STAMP},
)


def is_valid(value: Any, name: str | None = None) -> bool:
    """By the schema, or by one of its definitions."""
    schema = api_schema.schema()
    if name:
        schema = {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(schema).is_valid(value)


def passes(value: Any) -> bool:
    try:
        api_schema.check(value)
    except AssertionError:
        return False
    return True


def references(schema: Any) -> set[str]:
    if isinstance(schema, dict):
        inner = set().union(*map(references, schema.values())) if schema else set()
        return inner | ({schema["$ref"]} if "$ref" in schema else set())
    return set().union(*map(references, schema)) if isinstance(schema, list) and schema else set()


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(api_schema.schema())


def test_every_type_is_defined_and_used() -> None:
    defined = {f"#/$defs/{name}" for name in api_schema.schema()["$defs"]}
    assert references(api_schema.schema()) == defined


def test_what_slirpd_says_is_valid() -> None:
    for value in GOOD:
        assert is_valid(value) and passes(value), value


def test_what_slirpd_must_not_say_is_invalid() -> None:
    for name, value in WRONG:
        assert not is_valid(value, name) and not passes(value), value


def test_unknown_members_are_valid_but_not_for_the_tests() -> None:
    for value in SURPLUS:
        assert is_valid(value) and not passes(value), value


def test_event_without_a_name_in_the_table_is_a_fault() -> None:
    assert not passes({"event": "UNHEARD_OF", "data": {}, "timestamp": STAMP})


def test_reply_to_another_command_is_a_fault() -> None:
    api_schema.check({"return": {"id": 7}}, "add_hostfwd")
    with pytest.raises(AssertionError):
        api_schema.check({"return": {"id": 7}}, "query_status")


def test_member_of_the_inside_may_be_missing_for_a_client_only() -> None:
    definitions = api_schema.schema()["$defs"]
    sample = {name: 0 for name in definitions["counters"]["properties"]}
    assert len(sample) > 10 and not [*api_schema.validator("counters").iter_errors(sample)]
    sample.popitem()
    assert is_valid(sample, "counters") and [*api_schema.validator("counters").iter_errors(sample)]


@pytest.mark.parametrize("value", (*(value for _, value in WRONG), *SURPLUS), ids=json.dumps)
@pytest.mark.parametrize("end", (b"", b"\n"), ids=("single", "session"))
def test_every_client_of_the_tests_looks(tmp_path: Path, value: Any, end: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server, \
            api_schema.CheckedSocket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "api"))
        server.listen()

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                for byte in json.dumps(value).encode() + end:
                    connection.sendall(bytes([byte]))

        thread = threading.Thread(target=answer)
        thread.start()
        client.connect(str(tmp_path / "api"))
        try:
            with pytest.raises(AssertionError):
                with client.makefile("rb") as file:
                    file.read()
        finally:
            client.close()
            thread.join()
