#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Forwards a port to the guest, and tells of the forwards until slirpd ends.

    session.py SOCKET HOST_PORT GUEST_PORT

A client of the control socket of slirpd, see slirpd-api(7): a session, requests with ids,
events, errors, and what to do when the session ends. Needs Python 3.8, and nothing else.
"""

from __future__ import annotations

import collections
import json
import socket
import sys
from typing import Any, Iterator

API = 1  # the number that this client was written for


class Refused(Exception):
    """The daemon said no: a class for programs, a sentence for people."""

    def __init__(self, error: dict[str, str]) -> None:
        super().__init__(error["detail"])
        self.kind = error["class"]


class SessionEnded(Exception):
    """The daemon has closed the connection."""


class Client:
    """A session."""

    def __init__(self, path: str) -> None:
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Waits if the process behind the socket is being started again.
        self._sock.connect(path)
        self._file = self._sock.makefile("rb")
        self._events: collections.deque[dict[str, Any]] = collections.deque()
        self._last_id = 0
        self.call("qmp_capabilities")

    def close(self) -> None:
        self._file.close()
        self._sock.close()

    def _read(self) -> dict[str, Any]:
        try:
            line = self._file.readline()
        except ConnectionError:
            line = b""
        if not line:
            raise SessionEnded
        return json.loads(line)

    def call(self, command: str, **arguments: Any) -> dict[str, Any]:
        """The value of "return". Events that come before the reply are kept for events()."""
        self._last_id += 1
        request = {"execute": command, "arguments": arguments, "id": self._last_id}
        try:
            self._sock.sendall(json.dumps(request).encode() + b"\n")
        except ConnectionError:
            raise SessionEnded from None
        while "event" in (message := self._read()):
            self._events.append(message)
        if "error" in message:
            raise Refused(message["error"])
        # Requests are answered in their order. The id matters to a client that sends several
        # before it reads.
        assert message["id"] == self._last_id
        return message["return"]

    def events(self) -> Iterator[dict[str, Any]]:
        while True:
            yield self._events.popleft() if self._events else self._read()


def show(forwards: dict[int, dict[str, Any]]) -> None:
    print("forwards:", *(f"{forward['proto']}/{forward['host_port']}"
                         for _, forward in sorted(forwards.items())), flush=True)


def follow(client: Client) -> None:
    """Tells of the forwards until slirpd ends."""
    client.call("subscribe")
    # Only now, so that no forward is missed. One may be listed and have an event too.
    forwards = {entry["id"]: entry for entry in client.call("list_hostfwd")["entries"]}
    show(forwards)
    for event in client.events():
        if event["event"] == "SHUTDOWN":
            return
        if event["event"] == "HOSTFWD_ADDED":
            forwards[event["data"]["id"]] = event["data"]
        elif event["event"] == "HOSTFWD_REMOVED":
            forwards.pop(event["data"]["id"], None)
        else:
            continue  # another event, or one that this client does not know
        show(forwards)


def main() -> None:
    if len(sys.argv) != 4:
        sys.exit("usage: session.py SOCKET HOST_PORT GUEST_PORT")
    path, host_port, guest_port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    client = Client(path)
    if client.call("query_version").get("api") != API:
        sys.exit("session.py: this slirpd has another API")
    try:
        client.call("add_hostfwd", proto="tcp", host_addr="127.0.0.1", host_port=host_port,
                    guest_port=guest_port)
    except Refused as refused:
        if refused.kind == "AddressInUse":
            sys.exit(f"session.py: choose another port than {host_port}: {refused}")
        sys.exit(f"session.py: {refused}")
    while True:
        try:
            follow(client)
        except SessionEnded:
            # No SHUTDOWN came: slirpd goes on, its forwards too, and a new session can be had.
            client.close()
            client = Client(path)
            print("connected again", flush=True)
        else:
            print("slirpd ends", flush=True)
            return


if __name__ == "__main__":
    main()
