# SPDX-License-Identifier: BSD-2-Clause
"""A flow of datagrams, in processes of its own so that a busy test does not slow it down.

    flow.py echo ADDRESS PORT     answers every datagram
    flow.py probe ADDRESS PORT    sends one every 10 ms; when standard input has ended and a
                                  hundred answers came, prints the longest time without one
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time

INTERVAL_S = 0.01
ANSWERS_MIN = 100
# A flow that stands still does not hang the test; its gap is the finding.
GIVE_UP_S = 20


def echo(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.bind(address)
    print("ready", flush=True)
    while True:
        data, peer = sock.recvfrom(2048)
        sock.sendto(data, peer)


def probe(sock: socket.socket, address: tuple[str, int]) -> None:
    sock.connect(address)
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


def main() -> None:
    mode, address, port = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        (echo if mode == "echo" else probe)(sock, (address, int(port)))


if __name__ == "__main__":
    main()
