# SPDX-License-Identifier: BSD-2-Clause
"""DNS messages with names and addresses, and the records of a name server that lies on demand."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from dnsserver import NOERROR, NXDOMAIN, A

CNAME, AAAA, ANY = 5, 28, 255
BLOCKED = 15  # RFC 8914

Record = tuple[str, int, int, bytes]  # owner, type, TTL, data


def name(text: str) -> bytes:
    labels = [label.encode() for label in text.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def address(owner: str, text: str, ttl: int = 60) -> Record:
    packed = ipaddress.ip_address(text).packed
    return owner, A if len(packed) == 4 else AAAA, ttl, packed


def cname(owner: str, target: str, ttl: int = 60) -> Record:
    return owner, CNAME, ttl, name(target)


def query(asked: bytes, kind: int = A, number: int = 7, flags: int = 0x100, class_: int = 1) -> bytes:
    """With EDNS, so that the reason of a refusal comes."""
    opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
    return struct.pack(">6H", number, flags, 1, 0, 0, 1) + asked + struct.pack(">HH", kind, class_) + opt


def read_name(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while length := message[at]:
        if length >= 0xC0:
            rest, _ = read_name(message, struct.unpack_from(">H", message, at)[0] & 0x3FFF)
            return ".".join([*labels, rest]), at + 2
        labels.append(message[at + 1:at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels), at + 1


@dataclass
class Reply:
    """An answer as the guest sees it."""

    rcode: int
    reason: int | None = None
    text: str = ""
    addresses: list[str] = field(default_factory=list)
    ttl: int = 0


def parse(message: bytes) -> Reply:
    _, flags, n_questions, n_answers, n_authorities, n_additional = struct.unpack_from(">6H", message)
    reply, at = Reply(flags & 15), 12
    for _ in range(n_questions):
        at = read_name(message, at)[1] + 4
    for _ in range(n_answers + n_authorities + n_additional):
        at = read_name(message, at)[1]
        kind, _, ttl, length = struct.unpack_from(">HHIH", message, at)
        data = message[at + 10:at + 10 + length]
        at += 10 + length
        if kind in (A, AAAA):
            reply.addresses.append(str(ipaddress.ip_address(data)))
            reply.ttl = ttl
        if kind == 41 and data:
            reply.reason = struct.unpack_from(">H", data, 4)[0]
            reply.text = data[6:].decode()
    assert at == len(message)
    return reply


class Zone:
    """A behaviour of dnsserver.dns_server(): the records of a name, in the answer section whatever
    their owner; NXDOMAIN for names that it does not have. `asked` has all names that came."""

    def __init__(self, records: dict[str, list[Record]]) -> None:
        self.records = records
        self.extra: list[Record] = []  # in the additional section of each answer
        self.forged: list[str] = []  # addresses, in messages that are not the answer
        self.cut_datagrams = False  # answers over UDP are marked as truncated
        self.asked: list[str] = []
        self.before_answer: Callable[[], object] = lambda: None

    def __call__(self, query: bytes, is_tcp: bool) -> list[bytes]:
        text, end = read_name(query, 12)
        kind = struct.unpack_from(">H", query, end)[0]
        self.asked.append(text.lower())
        self.before_answer()
        records = self.records.get(text.lower())
        chosen = [r for r in records or [] if r[1] in (kind, CNAME)]
        good = self._message(query, end, chosen, NXDOMAIN if records is None else NOERROR)
        if self.cut_datagrams and not is_tcp:
            good = good[:2] + bytes([good[2] | 2]) + good[3:]
        if not self.forged:
            return [good]
        forged = self._message(query, end, [address(text, f) for f in self.forged], NOERROR)
        # Another number, then the question in the other case.
        return [forged[:1] + bytes([forged[1] ^ 1]) + forged[2:],
                forged[:13] + bytes([forged[13] ^ 0x20]) + forged[14:], good]

    def _message(self, query: bytes, end: int, records: list[Record], rcode: int) -> bytes:
        head = query[:2] + struct.pack(">5H", 0x8180 | rcode, 1, len(records), 0, len(self.extra))
        body = query[12:end + 4]
        for owner, kind, ttl, data in (*records, *self.extra):
            body += name(owner) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data
        return head + body
