# SPDX-License-Identifier: BSD-2-Clause
"""The JSON Schema of the control socket, which every reply and event has to fit.

Stricter than for clients: a member that the schema does not name is a fault, and so is one of
the inside of slirpd that is missing."""

from __future__ import annotations

import functools
import json
import os
import socket
from pathlib import Path
from typing import Any

import jsonschema
from tree import slirpd_path

# Under strace(1), $SLIRPD is a script that starts the daemon.
PROGRAM = os.environ.get("TRACED_PROGRAM") or slirpd_path()
SCHEMA = Path(PROGRAM).resolve().parents[1] / "share/slirpd/api.schema.json"
# Of a longer list only this many entries are checked at each end.
ENTRIES_CHECKED = 32
# A reply without a newline that is longer than this is looked at when it is complete.
EAGER_BYTES = 4096


@functools.lru_cache(None)
def schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text())


@functools.lru_cache(None)
def validator(name: str) -> jsonschema.Draft202012Validator:
    definitions = schema()["$defs"]
    strict = {key: {**definition, "additionalProperties": False,
                    "required": definition["required"] or list(definition["properties"])}
              if "properties" in definition else definition
              for key, definition in definitions.items()}
    assert name in strict, f"{name}: not in the schema"
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": strict})


def shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shortened(member) for key, member in value.items()}
    if isinstance(value, list) and len(value) > 2 * ENTRIES_CHECKED:
        return value[:ENTRIES_CHECKED] + value[-ENTRIES_CHECKED:]
    return value


def check(value: Any, verb: str | None = None) -> None:
    """A reply, to this command if it is known, or an event."""
    assert isinstance(value, dict), value
    if "event" in value:
        name = f"event.{value['event']}"
    elif "error" in value:
        name = "reply.error"
    else:
        name = f"reply.{verb}" if verb else "reply"
    error = jsonschema.exceptions.best_match(validator(name).iter_errors(shortened(value)))
    assert error is None, f"not {name} of {SCHEMA.name}: {error.message} in {json.dumps(value):.2000}"


@functools.lru_cache(1024)
def check_text(text: bytes) -> None:
    check(json.loads(text))


def is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class CheckedSocket(socket.socket):
    """Checks what is read from it. What another program than slirpd says goes unchecked."""

    _rest = b""
    _is_checked = True

    def connect(self, address: Any) -> None:
        super().connect(address)
        pid = int.from_bytes(self.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 4), "little")
        comm = Path(f"/proc/{pid}/comm")
        self._is_checked = not comm.exists() or comm.read_text() != "slirp4netns\n"

    def check_reply(self, reply: Any, verb: str) -> None:
        if self._is_checked:
            check(reply, verb)

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        if not flags & socket.MSG_PEEK:
            self._take(data)
        return data

    def recv_into(self, buffer: Any, *args: Any) -> int:
        n = super().recv_into(buffer, *args)
        self._take(bytes(memoryview(buffer)[:n]))
        return n

    def _take(self, data: bytes) -> None:
        if not self._is_checked:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            check_text(line)
        # The reply to a single request. One that is cut off is not for here to judge.
        if self._rest and (not data or len(self._rest) < EAGER_BYTES) and is_json(self._rest):
            check_text(self._rest)
            self._rest = b""
