# SPDX-License-Identifier: BSD-2-Clause
"""A flow of datagrams, in processes of its own so that a busy test does not slow it down.

    flow.py echo ADDRESS PORT     answers every datagram
    flow.py probe ADDRESS PORT    sends one every 10 ms; when standard input has ended and a
                                  hundred answers came, prints the longest time without one
    flow.py echo-tcp, probe-tcp   the same over one connection
    flow.py flood ADDRESS PORT SIZE PAUSE
                                  sends datagrams until standard input has ended: a hundred, a
                                  pause in seconds, and so on
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import time

INTERVAL_S = 0.01
ANSWERS_MIN = 100
# A flow that stands still does not hang the test; its gap is the finding.
GIVE_UP_S = 20
FLOOD_BURST = 100


def echo(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.bind(address)
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(2048)
        sock.sendto(data, peer)


def echo_tcp(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen()
    print("ready", flush=True)
    with sock.accept()[0] as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(2048):
            connection.sendall(data)


def probe(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.connect(address)
    if sock.type == socket.SOCK_STREAM:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    n_answers, longest_s, asked = 0, 0.0, False
    last = next_send = time.monotonic()
    while True:
        now = time.monotonic()
        if now >= next_send:
            sock.send(b"x")
            next_send = now + INTERVAL_S
        inputs = [sock] if asked else [sock, sys.stdin]
        readable, _, _ = select.select(inputs, [], [], max(0, next_send - now))
        if sock in readable:
            sock.recv(2048)
            now = time.monotonic()
            # Up to the first answer, addresses are still asked for.
            if n_answers:
                longest_s = max(longest_s, now - last)
            else:
                print("ready", flush=True)
            last = now
            n_answers += 1
        asked = asked or sys.stdin in readable
        if asked and (n_answers >= ANSWERS_MIN or time.monotonic() - last > GIVE_UP_S):
            longest_s = max(longest_s, time.monotonic() - last)
            print(json.dumps({"longest_ms": longest_s * 1000}))
            return


def flood(sock: socket.socket, address: tuple[str, int], size: str, pause_s: str) -> None:
    data = bytes(int(size))
    print("ready", flush=True)
    while sys.stdin not in select.select([sys.stdin], [], [], float(pause_s))[0]:
        for _ in range(FLOOD_BURST):
            with contextlib.suppress(OSError):
                sock.sendto(data, address)


def main() -> None:
    mode, address, port, *more = sys.argv[1:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if mode.endswith("-tcp") else socket.SOCK_DGRAM
    with socket.socket(family, kind) as sock:
        {"echo": echo, "echo-tcp": echo_tcp, "probe": probe, "probe-tcp": probe, "flood": flood}[mode](sock, (address, int(port)), *more)


if __name__ == "__main__":
    main()
