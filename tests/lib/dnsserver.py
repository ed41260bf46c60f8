# SPDX-License-Identifier: BSD-2-Clause
"""DNS messages, and a name server that lies on demand."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from netns import family_of, socket_in
from servers import serve

DNS_PORT = 53
A, TXT, AXFR, IN = 1, 16, 252, 1
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
RESPONSE, TRUNCATED, ASKED, RECURSION = 0x8000, 0x0200, 0x0100, 0x0080


def question(name: str = "a.test", number: int = 0x1234, kind: int = A) -> bytes:
    labels = b"".join(bytes((len(label),)) + label.encode() for label in name.split("."))
    return (struct.pack("!6H", number, ASKED, 1, 0, 0, 0) + labels + b"\0"
            + struct.pack("!2H", kind, IN))


def end_of_question(message: bytes) -> int:
    at = 12
    while message[at]:
        at += 1 + message[at]
    return at + 5


def reply(query: bytes, *texts: str, rcode: int = NOERROR, flags: int = 0,
          number: int | None = None) -> bytes:
    """An answer with a TXT record for each text."""
    records = b"".join(
        b"\xc0\x0c" + struct.pack("!2HIH", TXT, IN, 60, len(text) + 1)
        + bytes((len(text),)) + text.encode() for text in texts)
    head = struct.unpack("!H", query[:2])[0] if number is None else number
    return (struct.pack("!6H", head, RESPONSE | ASKED | RECURSION | flags | rcode, 1, len(texts), 0, 0)
            + query[12:end_of_question(query)] + records)


def text_of(message: bytes) -> str:
    """The text of the first record, or the name of the error."""
    rcode = message[3] & 15
    if rcode or not message[7]:
        return ("", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")[rcode]
    at = end_of_question(message) + 12
    return message[at + 1:at + 1 + message[at]].decode()


class Seen(NamedTuple):
    is_tcp: bool
    port: int  # of the client
    query: bytes


# The messages that answer a query; is_tcp.
Behaviour = Callable[[bytes, bool], list[bytes]]


class DnsServer:
    def __init__(self, behave: Behaviour) -> None:
        self.behave = behave
        self.seen: list[Seen] = []

    def serve_datagrams(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                query, client = sock.recvfrom(65535)
                if not query:
                    continue
                self.seen.append(Seen(False, client[1], query))
                for message in self.behave(query, False):
                    sock.sendto(message, client)

    def serve_connection(self, connection: socket.socket) -> None:
        while head := connection.recv(2, socket.MSG_WAITALL):
            query = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
            self.seen.append(Seen(True, connection.getpeername()[1], query))
            for message in self.behave(query, True):
                connection.sendall(struct.pack("!H", len(message)) + message)


def saying(text: str) -> Behaviour:
    return lambda query, is_tcp: [reply(query, text)]


def failing(rcode: int) -> Behaviour:
    return lambda query, is_tcp: [reply(query, rcode=rcode)]


def silent(query: bytes, is_tcp: bool) -> list[bytes]:
    return []


@contextlib.contextmanager
def dns_server(netns: str, address: str, behave: Behaviour | None = None,
               scope: int = 0) -> Iterator[DnsServer]:
    """Serves UDP and TCP. Without a behaviour, the server says its own address."""
    server = DnsServer(behave or saying(address))
    where = (address, DNS_PORT, 0, scope) if ":" in address else (address, DNS_PORT)
    with socket_in(netns, family_of(address), socket.SOCK_DGRAM) as datagrams, \
            socket_in(netns, family_of(address), socket.SOCK_STREAM) as listening:
        for sock in (datagrams, listening):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if ":" in address:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(where)
        listening.listen(64)
        serve(listening, server.serve_connection)
        datagrams.settimeout(None)
        thread = threading.Thread(target=server.serve_datagrams, args=(datagrams,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            for sock in (datagrams, listening):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def frame(message: bytes) -> bytes:
    """As over TCP."""
    return struct.pack("!H", len(message)) + message


def read_frame(sock: socket.socket) -> bytes:
    """The next message of a connection; b"" at its end."""
    head = sock.recv(2, socket.MSG_WAITALL)
    return sock.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL) if head else b""
