# SPDX-License-Identifier: BSD-2-Clause
"""Load on a running slirpd, while a test does harm to its processes: streams with their bytes
compared, datagrams, names, requests at the control socket, clients of a forward."""

from __future__ import annotations

import contextlib
import errno
import json
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator

import api_client
import dnszone
from dnsserver import NOERROR
from guest import Guest
from lab import ECHO_PORT, INTERNET4, WORD_NAME, works
from netns import socket_in
from servers import listener, serve
from transfer import connected, pieces
from waiting import DEADLINE_S, wait_for

NAMESERVER = "10.0.2.3"
FORWARDED_PORT = 8080
GUEST_PORT = 8000
# Connections of the forward that stay, beside one that comes and goes.
HELD = 20
# A pause in each turn of a load: what is tested is that all goes on, not how fast, and there are few
# processors.
PAUSE_S = 0.005
PIECE = 1 << 15
# How often a client asks again: a datagram may be lost, most of all while a process is missing.
RETRY_S = 0.5
# A reset that the guest's kernel has noted is told at the next call.
RESET = (errno.ECONNRESET, errno.EPIPE)

_block = bytes(next(pieces(1 << 20)))


class Carrier:
    """One direction of a stream: sends its bytes, and compares what arrives."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self.n_sent = self.n_received = 0

    def send(self) -> None:
        at = self.n_sent % len(_block)
        with contextlib.suppress(BlockingIOError):
            self.n_sent += self.source.send(_block[at:at + PIECE])

    def receive(self) -> None:
        try:
            piece = self.sink.recv(PIECE)
        except BlockingIOError:
            return
        if not piece:
            raise ConnectionError("the stream has ended")
        at = self.n_received % len(_block)
        assert piece == (_block + _block)[at:at + len(piece)], f"other bytes after {self.n_received}"
        self.n_received += len(piece)


class Stream:
    """Bytes each way between a program in the guest and a server in the internet."""

    def __init__(self, guest: Guest) -> None:
        self.inside, self.outside = connected(guest.netns, INTERNET4)
        for end in (self.inside, self.outside):
            end.setblocking(False)
        self.carriers = (Carrier(self.inside, self.outside), Carrier(self.outside, self.inside))
        self.end: Exception | None = None
        self._stop = False
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        try:
            with selectors.DefaultSelector() as selector:
                for carrier in self.carriers:
                    selector.register(carrier.source,
                                      selectors.EVENT_READ | selectors.EVENT_WRITE)
                while not self._stop:
                    for key, events in selector.select(PAUSE_S):
                        out, back = self.carriers if key.fileobj is self.inside else (
                            self.carriers[::-1])
                        if events & selectors.EVENT_READ:
                            back.receive()
                        if events & selectors.EVENT_WRITE:
                            out.send()
                    time.sleep(PAUSE_S)
        # Told to the one who asks.
        except (OSError, AssertionError) as error:
            self.end = error

    def goes_on(self) -> bool:
        """Whether both directions carry something from now on, on the same connection."""
        before = [carrier.n_received for carrier in self.carriers]
        wait_for("the stream goes on, or has ended", lambda: self.end or all(
            carrier.n_received > n + PIECE
            for carrier, n in zip(self.carriers, before, strict=True)))
        return self.end is None

    def assert_reset(self) -> None:
        """The program in the guest is told at its next call. The server's end may be the first that
        has ended, by an end of file."""
        wait_for("the stream has ended", lambda: self.end)
        assert isinstance(self.end, OSError), self.end
        self.inside.settimeout(DEADLINE_S)
        try:
            if self.end.errno not in RESET:
                while self.inside.recv(PIECE):
                    self.inside.send(b"x")
                raise AssertionError("an end of file in the guest")
        except OSError as error:
            assert error.errno in RESET, error

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        self.inside.close()
        self.outside.close()


class Repeated:
    """Calls a function again and again in a thread of its own. It returns whether it did its work."""

    def __init__(self, once: Callable[[], bool]) -> None:
        self.n_good = self.n_bad = 0
        self.error: BaseException | None = None
        self._once = once
        self._stop = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop:
                if self._once():
                    self.n_good += 1
                else:
                    self.n_bad += 1
                time.sleep(PAUSE_S)
        except BaseException as error:  # told to the one who asks
            self.error = error

    def goes_on(self) -> None:
        """Once it was good again, and not for what began before."""
        wanted = self.n_good + 2
        wait_for("it does its work", lambda: self.error or self.n_good >= wanted, 2 * DEADLINE_S)
        if self.error:
            raise self.error

    def close(self) -> None:
        self._stop = True
        self._thread.join()
        if self.error:
            raise self.error


def echo(connection: socket.socket) -> None:
    # Its client may have been killed.
    with contextlib.suppress(OSError):
        while data := connection.recv(4096):
            connection.sendall(data)


@contextlib.contextmanager
def echoing(netns: str, address: str, port: int = 0) -> Iterator[int]:
    """A server that sends back what it gets, and its port."""
    with listener(netns, address, port) as sock:
        serve(sock, echo)
        yield sock.getsockname()[1]


def is_echoed(client: socket.socket) -> bool:
    """False if it was cut off; a client that waits for ever is an error."""
    try:
        client.sendall(b"hello")
        return client.recv(100) == b"hello"
    except (ConnectionError, BrokenPipeError):
        return False


def ask_once(sock: socket.socket, question: bytes) -> bytes:
    """The answer, or nothing."""
    try:
        sock.send(question)
        return sock.recv(4096)
    except (TimeoutError, ConnectionError):
        return b""


def name_is_found(guest: Guest) -> bool:
    """Each question has a socket of its own, so that no old answer is taken for the new one."""
    with socket_in(guest.netns, socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(RETRY_S)
        sock.connect((NAMESERVER, 53))
        answer = ask_once(sock, dnszone.query(dnszone.name(WORD_NAME)))
    if not answer:
        return False
    reply = dnszone.parse(answer)
    return reply.rcode == NOERROR and reply.addresses == [INTERNET4]


class Load:
    """All of it at once. n_cut is how often the control socket's clients were cut off."""

    def __init__(self, guest: Guest, path: str, stack: contextlib.ExitStack) -> None:
        self.guest, self.path = guest, path
        server = stack.enter_context(listener(guest.netns, "0.0.0.0", GUEST_PORT))
        serve(server, echo)
        self._udp = stack.enter_context(socket_in(guest.netns, socket.AF_INET, socket.SOCK_DGRAM))
        self._udp.settimeout(RETRY_S)
        self._udp.connect((INTERNET4, ECHO_PORT))
        self.forwards = self._forwards()
        self.stream = Stream(guest)
        stack.callback(lambda: self.stream.close())
        self._held: list[socket.socket] = []
        stack.callback(self._close_held)
        self._hold()
        self._requests = iter(())
        self.repeated = {}
        for name, once in (("datagrams", self._echo_datagram), ("requests", self._ask),
                           ("forward", self._use_forward), ("names", lambda: name_is_found(guest))):
            self.repeated[name] = Repeated(once)
            stack.callback(self.repeated[name].close)

    def _forwards(self) -> object:
        return api_client.execute(self.path, "list_hostfwd")["return"]

    def _close_held(self) -> None:
        for sock in self._held:
            sock.close()
        self._held.clear()

    def _hold(self) -> None:
        self._held += [socket.create_connection(("127.0.0.1", FORWARDED_PORT), DEADLINE_S)
                       for _ in range(HELD)]

    def _echo_datagram(self) -> bool:
        return ask_once(self._udp, b"hello") == b"hello"

    def _verbs(self) -> Iterator[str]:
        while True:
            yield from ("query_status", "list_hostfwd", "query_connections")

    def _ask(self) -> bool:
        """An api that ends cuts its clients off; no other reply than the schema's is taken."""
        verb = next(self._requests, "")
        if not verb:
            self._requests = self._verbs()
            verb = next(self._requests)
        try:
            return "return" in api_client.execute(self.path, verb)
        except (ConnectionError, json.JSONDecodeError):
            return False

    def _use_forward(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", FORWARDED_PORT), DEADLINE_S) as client:
                return is_echoed(client)
        except ConnectionError:
            return False

    def check(self, worker_died: bool) -> None:
        """What has to hold after a death, once the process is back."""
        if worker_died:
            self.stream.assert_reset()
            self.stream.close()
            wait_for("a held connection is cut off",
                     lambda: not any(is_echoed(sock) for sock in self._held))
            self._close_held()
        wait_for("a new connection", lambda: works(self.guest.netns))
        if worker_died:
            self.stream = Stream(self.guest)
            self._hold()
        assert self.stream.goes_on(), f"the stream has ended: {self.stream.end!r}"
        assert all(is_echoed(sock) for sock in self._held), "a client of the forward was cut off"
        for repeated in self.repeated.values():
            repeated.goes_on()
        assert self._forwards() == self.forwards
