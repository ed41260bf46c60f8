# SPDX-License-Identifier: BSD-2-Clause
"""Ethernet frames as a hostile guest writes them: right ones, and all ways to spoil them.

Pure functions over bytes, addresses as text. Nothing here is random: the same seed gives the
same frames.
"""

from __future__ import annotations

import ipaddress
import random
import socket
import struct
from collections.abc import Iterator

ETH_IP4, ETH_ARP, ETH_IP6 = 0x0800, 0x0806, 0x86DD
ICMP, TCP, UDP, ICMP6, FRAGMENT6 = 1, 6, 17, 58, 44
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << n for n in range(8))
ETH_LEN = 14

BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
# Any address will do: the daemon takes every frame that comes out of the TAP.
GATEWAY_MAC = "52:55:0a:00:02:02"


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def addr(text: str) -> bytes:
    return ipaddress.ip_address(text).packed


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ethernet(payload: bytes, ethertype: int, src: str, dst: str = GATEWAY_MAC) -> bytes:
    return mac(dst) + mac(src) + struct.pack("!H", ethertype) + payload


def arp(sender_mac: str, sender: str, target: str, operation: int = 1) -> bytes:
    body = struct.pack("!HHBBH", 1, ETH_IP4, 6, 4, operation)
    return body + mac(sender_mac) + addr(sender) + bytes(6) + addr(target)


def ip4(src: str, dst: str, protocol: int, payload: bytes, *, ident: int = 1, offset: int = 0,
        more: bool = False, ttl: int = 64, options: bytes = b"") -> bytes:
    """An IPv4 packet or, with offset (in bytes) or more, a fragment of one."""
    words = 5 + len(options) // 4
    head = struct.pack("!BBHHHBBH", 0x40 | words, 0, words * 4 + len(payload), ident,
                       (0x2000 if more else 0) | offset // 8, ttl, protocol, 0)
    head += addr(src) + addr(dst) + options
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ip6(src: str, dst: str, next_header: int, payload: bytes, hops: int = 64) -> bytes:
    head = struct.pack("!IHBB", 6 << 28, len(payload), next_header, hops)
    return head + addr(src) + addr(dst) + payload


def fragment6(next_header: int, payload: bytes, *, ident: int, offset: int, more: bool) -> bytes:
    """A fragment header (RFC 8200, 4.5) and its piece."""
    return struct.pack("!BBHI", next_header, 0, offset | more, ident) + payload


def _pseudo(src: str, dst: str, protocol: int, length: int) -> bytes:
    if ":" in src:
        return addr(src) + addr(dst) + struct.pack("!IHBB", length, 0, 0, protocol)
    return addr(src) + addr(dst) + struct.pack("!BBH", 0, protocol, length)


def udp(src: str, dst: str, sport: int, dport: int, payload: bytes = b"") -> bytes:
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    total = checksum(_pseudo(src, dst, UDP, 8 + len(payload)) + head + payload) or 0xFFFF
    return head[:6] + struct.pack("!H", total) + payload


def tcp(src: str, dst: str, sport: int, dport: int, flags: int = SYN, payload: bytes = b"", *,
        seq: int = 1000, ack: int = 0, options: bytes = b"", urgent: int = 0) -> bytes:
    words = 5 + len(options) // 4
    head = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, words << 4, flags, 65535, 0, urgent)
    head += options
    total = checksum(_pseudo(src, dst, TCP, len(head) + len(payload)) + head + payload)
    return head[:16] + struct.pack("!H", total) + head[18:] + payload


def icmp_echo(payload: bytes = b"x" * 16, ident: int = 7, seq: int = 1) -> bytes:
    body = struct.pack("!BBHHH", 8, 0, 0, ident, seq) + payload
    return body[:2] + struct.pack("!H", checksum(body)) + body[4:]


def icmp6(src: str, dst: str, kind: int, body: bytes) -> bytes:
    """An ICMPv6 message; kind 128 is echo, 133 router and 135 neighbour solicitation."""
    message = struct.pack("!BBH", kind, 0, 0) + body
    total = checksum(_pseudo(src, dst, ICMP6, len(message)) + message)
    return message[:2] + struct.pack("!H", total) + message[4:]


def l4(src: str, dst: str, protocol: int, sport: int, dport: int, **kwargs: object) -> bytes:
    """The payload for one of the protocols that a test goes through."""
    if protocol == TCP:
        return tcp(src, dst, sport, dport, **kwargs)
    if protocol == UDP:
        return udp(src, dst, sport, dport, **kwargs)
    if ":" in dst:
        return icmp6(src, dst, 128, struct.pack("!HH", 7, 1) + b"x" * 16)
    return icmp_echo()


def packet(src: str, dst: str, protocol: int, payload: bytes) -> tuple[bytes, int]:
    """An IP packet of the family of dst, and its ethertype."""
    if ":" in dst:
        number = ICMP6 if protocol == ICMP else protocol
        return ip6(src, dst, number, payload), ETH_IP6
    return ip4(src, dst, protocol, payload), ETH_IP4


def fragments4(src: str, dst: str, protocol: int, payload: bytes, size: int,
               ident: int) -> list[bytes]:
    """The IPv4 fragments of a payload, each with at most `size` bytes of it."""
    return [ip4(src, dst, protocol, payload[at:at + size], ident=ident, offset=at,
                more=at + size < len(payload)) for at in range(0, len(payload), size)]


def fragments6(src: str, dst: str, protocol: int, payload: bytes, size: int,
               ident: int) -> list[bytes]:
    return [ip6(src, dst, FRAGMENT6,
                fragment6(protocol, payload[at:at + size], ident=ident, offset=at,
                          more=at + size < len(payload)))
            for at in range(0, len(payload), size)]


# --- malformed frames -------------------------------------------------------------------------


def dhcp(sender_mac: str, kind: int = 1, options: bytes = b"", ciaddr: str = "") -> bytes:
    """A BOOTP request with DHCP options (RFC 2131); kind 1 is DISCOVER, 3 REQUEST. A client that
    has an address (ciaddr) asks for no broadcast."""
    flags = 0 if ciaddr else 0x8000
    body = struct.pack("!BBBBIHH", 1, 1, 6, 0, 0x1234, 0, flags)
    body += (addr(ciaddr) if ciaddr else bytes(4)) + bytes(12)
    body += mac(sender_mac) + bytes(10 + 64 + 128)
    return body + bytes.fromhex("63825363") + bytes([53, 1, kind]) + options + b"\xff"


def dns_query(name: str = "www.example.test") -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return struct.pack("!HHHHHH", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", 1, 1)


def samples(me: str, guest4: str, guest6: str, internet4: str, internet6: str) -> list[bytes]:
    """One right frame of everything that a daemon has code for, good and retired protocols."""
    gw4, dns4, gw6, dns6 = "10.0.2.2", "10.0.2.3", "fd00::2", "fd00::3"
    tftp = b"\0\1/etc/hostname\0octet\0"
    option_rr = bytes([7, 11, 4]) + bytes(9)  # record route
    option_ssrr = bytes([137, 7, 4]) + addr(gw4) + b"\0"
    slla = bytes([1, 1]) + mac(me)

    def in4(dst: str, protocol: int, payload: bytes, src: str = guest4, **kwargs: object) -> bytes:
        return ethernet(ip4(src, dst, protocol, payload, **kwargs), ETH_IP4, me)

    def in6(dst: str, protocol: int, payload: bytes, src: str = guest6) -> bytes:
        return ethernet(ip6(src, dst, protocol, payload, 255), ETH_IP6, me)

    return [
        ethernet(arp(me, guest4, gw4), ETH_ARP, me, BROADCAST_MAC),
        ethernet(arp(me, guest4, guest4, 2), ETH_ARP, me, BROADCAST_MAC),
        in4(internet4, TCP, tcp(guest4, internet4, 40000, 80, SYN, options=b"\2\4\5\xb4")),
        in4(internet4, TCP, tcp(guest4, internet4, 40000, 80, ACK | PSH | URG, b"GET /", urgent=5)),
        in4(gw4, TCP, tcp(guest4, gw4, 40001, 9, SYN)),
        in4(internet4, UDP, udp(guest4, internet4, 40002, 9, b"payload")),
        in4(dns4, UDP, udp(guest4, dns4, 40003, 53, dns_query())),
        in4(gw4, UDP, udp(guest4, gw4, 40004, 69, tftp)),
        in4("255.255.255.255", UDP, udp("0.0.0.0", "255.255.255.255", 68, 67, dhcp(me)),
            src="0.0.0.0"),
        in4("255.255.255.255", UDP, udp("0.0.0.0", "255.255.255.255", 68, 67, dhcp(me, 3)),
            src="0.0.0.0"),
        in4(gw4, ICMP, icmp_echo()),
        in4(internet4, ICMP, icmp_echo(b"y" * 600)),
        in4(internet4, UDP, udp(guest4, internet4, 40005, 9, b"z" * 40), options=option_rr),
        in4(internet4, UDP, udp(guest4, internet4, 40005, 9, b"z" * 40), options=option_ssrr),
        in4(internet4, UDP, udp(guest4, internet4, 40006, 9, b"a" * 56)[:32], more=True),
        in4(internet4, UDP, b"b" * 32, offset=32),
        in6(internet6, TCP, tcp(guest6, internet6, 40000, 80, SYN)),
        in6(internet6, UDP, udp(guest6, internet6, 40002, 9, b"payload")),
        in6(dns6, UDP, udp(guest6, dns6, 40003, 53, dns_query())),
        in6(gw6, UDP, udp(guest6, gw6, 40004, 69, tftp)),
        in6("ff02::1:2", UDP, udp(guest6, "ff02::1:2", 546, 547, b"\x0b\0\0\1\0\6\0\2\0\x17")),
        in6(gw6, ICMP6, icmp6(guest6, gw6, 128, b"\0\7\0\1" + b"x" * 16)),
        in6("ff02::2", ICMP6, icmp6(guest6, "ff02::2", 133, bytes(4) + slla)),
        in6(gw6, ICMP6, icmp6(guest6, gw6, 135, bytes(4) + addr(gw6) + slla)),
        in6(gw6, ICMP6, icmp6(guest6, gw6, 136, b"\xe0\0\0\0" + addr(guest6) + b"\2\1" + mac(me))),
        in6(internet6, FRAGMENT6, fragment6(UDP, b"c" * 32, ident=5, offset=0, more=True)),
        in6(internet6, 0, bytes([UDP, 0, 5, 2, 0, 0, 0, 0])
            + udp(guest6, internet6, 40002, 9, b"hop by hop")),
        ethernet(bytes(64), 0x88F8, me),  # NC-SI, which libslirp answers
        ethernet(bytes(64), 0x8100, me),
    ]


def _repair(frame: bytearray) -> None:
    """Puts the checksums right, so that a spoilt frame gets past the first check."""
    if len(frame) < ETH_LEN + 20 or frame[12:14] != b"\x08\0":
        return
    head_len = (frame[ETH_LEN] & 15) * 4
    if head_len < 20 or len(frame) < ETH_LEN + head_len:
        return
    frame[24:26] = b"\0\0"
    frame[24:26] = struct.pack("!H", checksum(bytes(frame[ETH_LEN:ETH_LEN + head_len])))
    body = ETH_LEN + head_len
    where = {TCP: 16, UDP: 6, ICMP: 2}.get(frame[23])
    if where is None or len(frame) < body + where + 2:
        return
    frame[body + where:body + where + 2] = b"\0\0"
    if frame[23] == UDP:
        return  # zero means none
    pseudo = b"" if frame[23] == ICMP else bytes(frame[26:34]) + struct.pack(
        "!BBH", 0, frame[23], len(frame) - body)
    frame[body + where:body + where + 2] = struct.pack("!H", checksum(pseudo + bytes(frame[body:])))


def _spoil(frame: bytearray, rng: random.Random) -> bytearray:
    """One deliberate fault."""
    kind = rng.randrange(7)
    if kind == 0:  # cut anywhere
        return frame[:rng.randrange(ETH_LEN, len(frame) + 1)]
    if kind == 1:  # a tail that no header speaks of
        return frame + rng.randbytes(rng.choice((1, 7, 64, 700)))
    if kind == 2:  # a bit
        frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
    elif kind == 3:  # an extreme value in a header byte
        frame[rng.randrange(12, min(len(frame), 74))] = rng.choice((0, 1, 0x0F, 0x7F, 0x80, 0xFF))
    elif kind == 4 and len(frame) > 20:  # IPv4 total length, IPv6 payload length
        at = 18 if frame[12:14] == b"\x86\xdd" else 16
        frame[at:at + 2] = struct.pack("!H", rng.choice((0, 1, 19, 20, 21, len(frame), 0xFFFF)))
    elif kind == 5 and len(frame) > 22:  # fragment field, with or without a next fragment
        frame[20:22] = struct.pack("!H", rng.choice((0x2000, 1, 0x1FFF, 0x3FFF, 0x8000)))
    elif kind == 6 and len(frame) > 46:  # transport header length, option lengths
        at = rng.choice((14, 34, 38, 39, 46))
        frame[at] = rng.choice((0, 0x10, 0x40, 0x4F, 0x60, 0xF0, 0xFF))
    return frame


def truncations(good: list[bytes]) -> Iterator[bytes]:
    """Each frame cut at each byte; a kernel takes no frame without a whole Ethernet header."""
    for frame in good:
        for length in range(ETH_LEN, len(frame)):
            yield frame[:length]


def malformed(good: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` frames: every truncation first, then one to four faults in each, half repaired."""
    rng = random.Random(seed)
    left = count
    for frame in truncations(good):
        if not left:
            return
        left -= 1
        yield frame
    while left:
        frame = bytearray(rng.choice(good))
        for _ in range(rng.randrange(1, 5)):
            frame = _spoil(frame, rng)
        if rng.random() < 0.5:
            _repair(frame)
        left -= 1
        yield bytes(frame[:1514])


class RawPort:
    """A packet socket on the guest's TAP: what is sent here, the daemon reads as a frame."""

    def __init__(self, sock: socket.socket, device: str, guest4: str, gateway4: str) -> None:
        self._sock = sock
        sock.bind((device, ETH_ARP))
        self.mac = ":".join(f"{b:02x}" for b in sock.getsockname()[4])
        # What was sent may have told the daemon another address of the guest's.
        self._announcement = self._arp(self.mac, guest4, guest4)
        self._gateway = gateway4
        self._n_syncs = 0
        self.n_sent = 0

    def _arp(self, sender_mac: str, sender: str, target: str) -> bytes:
        return ethernet(arp(sender_mac, sender, target), ETH_ARP, self.mac, BROADCAST_MAC)

    def _put(self, frame: bytes) -> None:
        self._sock.send(frame)
        self.n_sent += 1

    def __enter__(self) -> RawPort:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def sync(self) -> None:
        """Returns when the daemon has taken everything sent so far: it answers ARP in order.
        Frames sent before may be ARP requests, too, so each probe has a sender of its own."""
        self._drain()
        self._n_syncs += 1
        sender = f"02:00:{self._n_syncs:08x}"
        probe = self._arp(sender, "0.0.0.0", self._gateway)
        for _ in range(20):
            self._put(self._announcement)
            self._put(probe)
            if self._answered(mac(sender)):
                return
        raise AssertionError("the daemon does not answer ARP any more")

    def _drain(self) -> None:
        self._sock.setblocking(False)
        try:
            while True:
                self._sock.recv(2048)
        except BlockingIOError:
            self._sock.settimeout(1)

    def _answered(self, to: bytes) -> bool:
        try:
            while True:
                frame = self._sock.recv(2048)
                if frame[20:22] == b"\0\2" and frame[32:38] == to:
                    return True
        except socket.timeout:
            return False

    def send(self, *frames: bytes) -> None:
        """Sends frames in bursts that the TAP's queue holds, so that all of them arrive."""
        for start in range(0, len(frames), 200):
            for frame in frames[start:start + 200]:
                self._put(frame)
            self.sync()

    def send_ip(self, ip_packet: bytes) -> None:
        ethertype = ETH_IP6 if ip_packet[0] >> 4 == 6 else ETH_IP4
        self.send(ethernet(ip_packet, ethertype, self.mac))
