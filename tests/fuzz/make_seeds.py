#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Writes the seeds that are bytes: for fuzz_gate, fuzz_frag, fuzz_tcp_segment and fuzz_vnet good
frames of each kind, which a fuzzer would take long to find, for fuzz_dns_* the same of DNS
messages, for fuzz_rtnl the kernel's answers, and for targets that compare with a model steps that
fill it.

usage: make_seeds.py DIRECTORY
"""

import ipaddress
import pathlib
import random
import struct
import sys

STACK_MAC = bytes.fromhex("52550a000202")
GUEST_MAC = bytes.fromhex("525400123456")
GUEST4, HOST4, DNS4, OUTSIDE4 = "10.0.2.100", "10.0.2.2", "10.0.2.3", "192.0.2.7"
GUEST6, HOST6, DNS6, OUTSIDE6 = "fd00::100", "fd00::2", "fd00::3", "2001:db8::7"

FRAME, FIXED, TO_GUEST, TIME = range(4)  # fuzz_gate's steps


def packed(address):
    return ipaddress.ip_address(address).packed


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(src, dst, protocol, body, hops=64, fragment=0):
    """An Ethernet frame with an IP packet; fragment is IPv4's field."""
    head = STACK_MAC + GUEST_MAC
    if ":" in dst:
        ip = struct.pack(">IHBB", 6 << 28, len(body), protocol, hops)
        return head + b"\x86\xdd" + ip + packed(src) + packed(dst) + body
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 7, fragment, hops, protocol, 0)
    ip += packed(src) + packed(dst)
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    return head + b"\x08\x00" + ip + body


def tcp(src, dst, port, flags, options=b"", data=b"", sport=1000, seq=1):
    offset = (20 + len(options)) // 4 << 4
    body = struct.pack(">HHIIBBHHH", sport, port, seq, 2, offset, flags, 4096, 9, 5)
    body += options + data
    return frame(src, dst, 6, body)


def udp(src, sport, dst, dport, data):
    return frame(src, dst, 17, struct.pack(">HHHH", sport, dport, 8 + len(data), 9) + data)


def icmp(src, dst, kind, rest=bytes(4)):
    protocol = 58 if ":" in dst else 1
    return frame(src, dst, protocol, struct.pack(">BBH", kind, 0, 0) + rest, 255)


TOO_BIG, PORT_UNREACHABLE = (3, 4, 2, 0), (3, 3, 1, 4)


def icmp_error(router, peer, kind, mtu=0):
    """A router of the guest quotes a segment of peer's; kind is a type and code for each family."""
    quote = tcp(peer, router, 40000, 0x10, data=bytes(1000), sport=80)[14:14 + 100]
    type4, code4, type6, code6 = kind
    if ":" in peer:
        body = struct.pack(">BBHI", type6, code6, 0, mtu) + quote
        pseudo = packed(router) + packed(peer) + struct.pack(">II", len(body), 58)
        return frame(router, peer, 58, body[:2] + struct.pack(">H", checksum(pseudo + body))
                     + body[4:])
    body = struct.pack(">BBHHH", type4, code4, 0, 0, mtu) + quote
    return frame(router, peer, 1, body[:2] + struct.pack(">H", checksum(body)) + body[4:])


def advertisement(target):
    """The guest says that it has the target."""
    body = struct.pack(">BBHI", 136, 0, 0, 0) + packed(target) + bytes([2, 1]) + GUEST_MAC
    pseudo = packed(GUEST6) + packed(HOST6) + struct.pack(">II", len(body), 58)
    return frame(GUEST6, HOST6, 58, body[:2] + struct.pack(">H", checksum(pseudo + body))
                 + body[4:], 255)


def dhcp(dst, kind):
    head = struct.pack(">BBBB", 1, 1, 6, 0) + bytes(232) + b"\x63\x82\x53\x63"
    options = bytes([53, 1, kind, 50, 4, 10, 0, 2, 15, 55, 3, 1, 3, 6, 255])
    return udp("0.0.0.0", 68, dst, 67, head + options)


def fragments(src, dst, body, cut, protocol=17):
    """The packet in two; for IPv6 with fragment headers."""
    if ":" not in dst:
        return (frame(src, dst, protocol, body[:cut], fragment=0x2000),
                frame(src, dst, protocol, body[cut:], fragment=cut // 8))
    first = struct.pack(">BBHI", protocol, 0, 1, 7) + body[:cut]
    second = struct.pack(">BBHI", protocol, 0, cut, 7) + body[cut:]
    return frame(src, dst, 44, first), frame(src, dst, 44, second)


def stream(options, *steps):
    out = bytes([options])
    for kind, data in steps:
        if isinstance(data, int):  # in the place of a length
            out += struct.pack(">BH", kind, data)
        else:
            out += struct.pack(">BH", kind, len(data)) + data
    return out


def gate_seeds():
    arp = STACK_MAC + GUEST_MAC + bytes.fromhex("0806000108000604" "0001") + GUEST_MAC
    arp += packed(GUEST4) + bytes(6) + packed(HOST4) + bytes(18)
    mss = bytes([2, 4, 5, 0xB4, 1, 1, 4, 2])
    datagram = struct.pack(">HHHH", 1, 2, 108, 9) + bytes(100)
    neighbour = bytes(4) + packed(HOST6) + bytes([1, 1]) + GUEST_MAC
    families = ((GUEST4, HOST4, DNS4, OUTSIDE4), (GUEST6, HOST6, DNS6, OUTSIDE6))

    for options in (0, 1):
        for guest, host, dns, outside in families:
            yield stream(
                options, (FIXED, tcp(guest, outside, 80, 0x22, mss)),
                (FIXED, tcp(guest, host, 22, 2)), (FIXED, tcp(guest, dns, 53, 2)),
                (FRAME, udp(guest, 1, dns, 53, b"?")),
                (FIXED, icmp(guest, host, 128 if ":" in host else 8)))
            yield stream(
                options, (TO_GUEST, udp(host, 40000, guest, 80, b"?")),
                (FIXED, udp(guest, 80, host, 40000, b"!")), (TIME, 29999),
                (FIXED, udp(guest, 80, host, 40000, b"!")), (TIME, 2),
                (FIXED, udp(guest, 80, host, 40000, b"!")))
            one, two = fragments(guest, outside, datagram, 56)
            yield stream(options, (FIXED, one), (FIXED, two))
            yield stream(options, (FIXED, two), (FIXED, two), (TIME, 100), (FIXED, one))
    # What must not pass, close to what must.
    for options in (0, 1):
        yield stream(options, *((FIXED, udp(guest, 1, dst, port, b"x")) for guest, dst, port in (
            (GUEST4, HOST4, 69), (GUEST4, "127.0.0.1", 80), (GUEST4, "255.255.255.255", 80),
            (GUEST4, "10.0.2.77", 7), (GUEST6, HOST6, 69), (GUEST6, "::ffff:127.0.0.1", 80),
            (GUEST6, "ff02::1", 80), (GUEST6, "fd00::77", 80), (GUEST6, "::1", 80))))
    yield stream(0, (FRAME, arp), (FIXED, dhcp("255.255.255.255", 1)), (FIXED, dhcp(HOST4, 3)))
    request = bytes([11, 1, 2, 3, 0, 6, 0, 2, 0, 23])
    yield stream(0, (FRAME, udp(GUEST6, 546, "ff02::1:2", 547, request)),
                 (FIXED, icmp(GUEST6, "ff02::2", 133)),
                 (FIXED, icmp(GUEST6, HOST6, 135, neighbour)),
                 (FIXED, icmp("::", "ff02::1:ff00:2", 135, neighbour)),
                 (FIXED, icmp(GUEST6, HOST6, 136, neighbour)))
    yield stream(0, *((FRAME, icmp_error(guest, peer, kind, mtu))
                      for guest, host, _, outside in families for peer in (host, outside)
                      for kind, mtu in ((TOO_BIG, 0), (TOO_BIG, 1280), (PORT_UNREACHABLE, 0))))
    yield stream(0, *((FIXED, advertisement(target)) for target in (GUEST6, HOST6, "fe80::3")))


def frag_seeds():
    for mtu in (68, 1280):
        for guest, host in ((GUEST4, HOST4), (GUEST6, HOST6)):
            yield struct.pack(">H", mtu) + udp(host, 1, guest, 2, bytes(range(250)) * 6)
            yield struct.pack(">H", mtu) + icmp(host, guest, 0, bytes(300))


def vnet_seeds():
    """Frames whose checksum is left open, whole and cut short, and long segments."""
    needs_checksum = 1
    inner = tcp("192.168.42.1", "192.168.42.2", 80, 2)
    for guest, outside, start, kind in ((GUEST4, OUTSIDE4, 34, 1), (GUEST6, OUTSIDE6, 54, 4)):
        def header(size=None, at=start, offset=16, start=start, kind=kind):
            return struct.pack("<BBHHHH", needs_checksum, 0 if size is None else kind,
                               0 if size is None else start + 20, size or 0, at, offset)
        syn = tcp(guest, outside, 80, 2, bytes([2, 4, 5, 0xB4, 1, 1, 1, 0]))
        yield header() + syn
        yield header() + syn[:start + 17]
        yield from (header(size) + syn for size in (0, 1, 28, 29, 65535))
        yield header(1460) + tcp(guest, outside, 80, 0x18, data=bytes(3000))
        yield header() + tcp(guest, outside, 80, 0x38, data=bytes(30))
        yield header(offset=6) + udp(guest, 1, outside, 2, b"?!")
        # The checksum of a segment in VXLAN: behind the headers of UDP, VXLAN, Ethernet and IP.
        vxlan = bytes([8, 0, 0, 0, 0, 0, 42, 0]) + inner
        yield header(at=start + 50) + udp(guest, 4789, outside, 4789, vxlan)
        yield bytes(10) + syn


def tcp_segment_seeds():
    """The options of a handshake and of gaps, well formed and not, with data of odd lengths."""
    handshake = bytes([2, 4, 5, 0xB4, 1, 1, 4, 2, 1, 3, 3, 7])
    blocks = struct.pack(">8I", *range(1000, 1800, 100))
    for guest, outside in ((GUEST4, OUTSIDE4), (GUEST6, OUTSIDE6)):
        for flags, options in (
                (0x02, handshake), (0x12, handshake), (0x02, handshake[::-1]), (0x10, b""),
                (0x10, bytes([1, 1, 5, 10]) + blocks[:8]), (0x10, bytes([1, 1, 5, 34]) + blocks),
                (0x10, bytes([1, 1, 5, 34]) + blocks[:8]), (0x18, bytes([1, 1, 8, 10]) + bytes(8)),
                (0x02, bytes([3, 3, 255, 4, 3, 0, 2, 4, 0, 1, 5, 1]))):
            for data in (b"", b"odd", bytes(range(250))):
                yield bytes([1, 7]) + tcp(guest, outside, 80, flags, options, data)


def rtnl_seeds():
    """Acknowledgements: success, EPERM, behind another message, cut short."""
    def message(kind, sequence, body):
        return struct.pack("=IHHII", 16 + len(body), kind, 0, sequence, 0) + body

    ok = message(2, 1, struct.pack("=i", 0) + bytes(16))
    denied = message(2, 1, struct.pack("=i", -1) + bytes(16))
    yield ok
    yield denied
    yield message(16, 7, bytes(16)) + denied
    yield ok[:17]


def policy_address(text):
    return packed(text).ljust(16, b"\0") + bytes([":" in text])


def policy_seeds():
    """Rows of ipc/msg_policy.h for fuzz_policy_rows, then questions."""
    def rule(action, proto, classes=0, ports=(), options=0):
        row = struct.pack("<QIIHBBBB2x", 1, classes, 1, 3, action, proto, len(ports), options)
        row += b"".join(struct.pack("<HH", *pair) for pair in ports)
        return b"\x01" + row.ljust(56, b"\0") + b"web".ljust(32, b"\0")

    def prefix(number, address, length):
        return b"\x02" + struct.pack("<H", number) + policy_address(address) + bytes([length])

    def name(number, text, is_wildcard):
        return b"\x03" + struct.pack("<HBx", number, is_wildcard) + text.ljust(254, b"\0")

    settings = b"\x00" + struct.pack("<8BII", 1, 0, 2, 1, 2, 1, 1, 0, 63, 0)
    questions = b"\x80" + b"".join(
        policy_address(address) + bytes([port])
        for address in ("10.1.2.3", "64:ff9b::a01:203", "2002:a01:203::", "fd00:ec2::254", "1.1.1.1")
        for port in (0, 1, 53))
    rules = (rule(2, 0, classes=1 << 4) + rule(1, 1, ports=[(80, 81), (443, 443)], options=1) +
             rule(0, 0) + rule(1, 3, classes=2))
    rows = (rules + prefix(1, "10.0.0.0", 8) + prefix(2, "10.1.0.0", 16) +
            prefix(2, "2001:db8::", 32) + name(1, b"a.test", 0) + name(1, b"wild.test", 1))
    return [settings + rows + questions, rows + questions, rules + questions]


def table_seeds():
    """Steps of fuzz_flow_table that fill the table and empty it, then any steps."""
    add, remove, remove_in_walk, reap, count, count_back = 0, 2, 3, 4, 5, 6

    fill = bytes(byte for key in range(64) for byte in (add, key))
    empty = bytes(byte for key in range(64) for byte in (remove, key * 37 % 64))
    yield fill + empty + fill + bytes([reap, 0]) + fill
    yield fill + bytes([remove_in_walk, 3, reap, 0]) + fill + bytes([remove_in_walk, 0])
    yield bytes([add, 1, remove, 1, reap, 0]) * 40
    addresses = bytes(byte for key in range(16) for byte in (count, key))
    yield addresses * 7 + bytes([count_back, 1, count_back, 2]) * 7 + addresses * 2
    for number in range(4):
        yield random.Random(number).randbytes(2000)


def pool_seeds():
    """Steps of fuzz_tcp_pool that fill the pool and empty it, then any steps."""
    read, append, drop, trim, join, clear = range(6)

    def step(action, number, shift=7, queue=0, other=0, flags=0):
        return struct.pack(">BBH", action + 6 * shift, queue + 8 * other + flags, number << 5 | 31)

    for flags in (0, 64, 128, 192):
        fill = b"".join(step(read, 1024, queue=i % 8, flags=flags) for i in range(20))
        yield fill + step(append, 2000, queue=1) + step(clear, 0, queue=2) + fill[:16]
        yield fill + b"".join(step(action, 700, shift, queue=i % 8)
                              for i, shift in enumerate(range(8)) for action in (drop, trim))
    # Single bytes out of order, then behind each other.
    yield b"".join(step(append, size, 0, queue=1) + step(join, 0, queue=0, other=1)
                   for size in (1, 2, 1448, 2047, 1, 1448) * 20)
    yield b"".join(step(append, 100, shift, queue) for shift in range(8) for queue in range(8))
    for number in range(4):
        yield random.Random(number).randbytes(1200)


def udp_seeds():
    """Steps of fuzz_udp: flows that fill the table in each mood of the world, answers, peers of
    forwards and time; and long runs of any steps."""
    n_actions = 8
    send, answer, wait, opened, add_peer, end_peers = range(6)

    def step(action, number, mood=0):
        return bytes((action + n_actions * mood, number))

    for mood in range(6):
        fill = b"".join(step(send, number, mood) for number in range(40))
        peers = b"".join(step(add_peer, number, mood) for number in range(40, 50))
        yield (fill + peers + b"".join(step(opened, number) for number in range(20)) +
               b"".join(step(answer, number) for number in range(0, 50, 3)) +
               b"".join(step(send, number, mood) for number in range(45, 48)) + peers +
               step(wait, 12) + fill + step(end_peers, 1) + step(wait, 62) + fill + peers +
               step(wait, 255) + step(wait, 255) + fill)
    # STEPS_MAX of fuzz_udp.c. A longer input is mutated where nobody looks.
    for number in range(100):
        yield random.Random(number).randbytes(2 * 512)


def dns_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def dns_record(owner, kind, data, ttl=60):
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def names_seeds():
    """The number of names of the policy, then each name behind a byte that makes it a wildcard."""
    names = ["a.b", "c.a.b", "b", "x.y.z", "A.b", "a.a.a.a.b", "xa.b"]
    for n in range(5):
        yield bytes([n]) + b"".join(bytes([i + n & 1]) + dns_name(name) for i, name in enumerate(names))
    # A pointer to the name before, the longest name, a byte that no host's name has.
    yield b"\2\1" + dns_name("a.b") + b"\0\3www\xc0\2" + b"\0\1x\xc0\2"
    longest = dns_name(".".join(["l" * 63] * 3 + ["l" * 61]))
    yield b"\1\0" + longest + b"\0" + longest + b"\0\1 \0"


def dns_query_seeds():
    """Queries with and without EDNS, and with bytes, opcodes and classes that are refused."""
    def query(name, kind=1, flags=0x100, class_=1, counts=(1, 0, 0, 0), rest=b""):
        return (struct.pack(">HH4H", 7, flags, *counts) + name + struct.pack(">HH", kind, class_) +
                rest)

    name, with_opt = dns_name("WWW.Example.test"), (1, 0, 0, 1)
    opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 12) + struct.pack(">HH8s", 10, 8, b"c")
    for kind in (1, 28, 65, 16, 255):
        yield query(name, kind)
        yield query(name, kind, counts=with_opt, rest=opt)
    yield query(name, flags=0x2800)
    yield query(name, class_=3)
    yield query(name, counts=with_opt, rest=opt[:6] + b"\1" + opt[7:])
    yield query(name, counts=with_opt, rest=opt[:-1])
    for text in ("a b.test", "a.1", "1.2.3.4"):
        yield query(dns_name(text))
    yield query(dns_name("a.1"), class_=3)
    yield query(b"\0")
    yield query(b"\1a\xc0\x0c")
    yield query(dns_name(".".join(["x" * 63] * 3 + ["y" * 61])))
    yield query(name, counts=(2, 0, 0, 0), rest=name + bytes([0, 1, 0, 1]))


def dns_answer_seeds():
    """For each type records at the end of a chain, negative answers, and odd pointers."""
    question, a, b = b"\xc0\x0c", dns_name("a.example.test"), dns_name("b.test")
    chain = [dns_record(question, 5, a), dns_record(a, 5, b)]
    opt = dns_record(b"\0", 41, b"")
    soa = dns_record(b"\4test\0", 6, bytes(18) + struct.pack(">I", 30))
    service = (b"\0\1\0" + b"\0\0\0\2\0\1" + b"\0\1\0\3\2h2" + b"\0\3\0\2\1\xbb" +
               b"\0\4\0\x08" + packed("198.51.99.1") + packed("10.0.0.1") + b"\0\5\0\4ech!" +
               b"\0\6\0\x20" + packed("2600::2") + packed("64:ff9b::a00:5"))
    data = (packed("198.51.99.1"), packed("2600::1"), b, service, b"\0\0" + b,
            b"\0\1\0\2\0\3" + b, b"\0\1" + b, b"\3abc\1d", b, b,
            b + b + bytes(20), b"\0\5issueca.test")
    kinds = (1, 28, 5, 65, 64, 33, 15, 16, 12, 2, 6, 257)

    def reply(number, answers, authorities=(), flags=0x8180, additional=(opt,)):
        counts = (1, len(answers), len(authorities), len(additional))
        return (bytes([number]) + struct.pack(">H4H", flags, *counts) +
                b"".join((*answers, *authorities, *additional)))

    for number, (kind, bytes_) in enumerate(zip(kinds, data)):
        yield reply(number, [dns_record(question, kind, bytes_)])
        yield reply(number, [*chain, dns_record(b, kind, bytes_), dns_record(b, kind, bytes_)])
        yield reply(number + 12 * 11, [dns_record(question, kind, bytes_)])
    many = [dns_record(question, 1, packed(f"192.0.2.{i}"), i) for i in range(40)]
    yield reply(0, many)
    yield reply(0, chain)
    yield reply(0, chain[::-1], [soa])
    yield reply(0, [], [soa], flags=0x8183)
    yield reply(0, [], [dns_record(b, 2, b)])
    yield reply(0, [], flags=0x8382)
    yield reply(0, [dns_record(b"\xc0\x22", 1, packed("192.0.2.1"))])
    yield reply(0, [dns_record(b"\1z\xc0\x10", 5, b"\xc0\x14")])


def wheel_seeds():
    """Steps of fuzz_tcp_wheel: near, far and passed times, with a clock that wraps soon."""
    set_timer, set_passed, cancel, wait, take_one, take_all = range(6)

    def step(action, timer=0, milliseconds=0, shift=0):
        return struct.pack(">BBH", action + 6 * shift, timer, milliseconds)

    delays = [(ms, shift) for shift in (0, 4, 8) for ms in (1, 4, 4093, 4097, 8192, 65535)]
    for start in (0, 1 << 31, (1 << 32) - 1, (1 << 32) - 6000):
        timers = b"".join(step(set_timer, *pair) for pair in (
            (number, *delay) for number, delay in enumerate(delays)))
        walk = b"".join(step(action, 0, *delay) for delay in delays for action in (wait, take_all))
        yield struct.pack(">I", start) + timers + walk
        yield (struct.pack(">I", start) + step(set_passed, 1, 4096) + timers + step(cancel, 3) +
               step(wait, 0, 5000) + step(take_one) + timers + step(wait, 0, 65535, 8))
    for number in range(4):
        yield random.Random(number).randbytes(2000)


def dns_pair_seeds():
    """For fuzz_dns_answer: the length of a query, the query, and answers of each kind."""
    name = dns_name("a.test") + b"\0\1\0\1"
    query = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name
    for flags in (0x8180, 0x8182, 0x8183, 0x8380, 0x0180):
        for number, count, rest in ((7, 1, name), (8, 1, name), (7, 1, name + b"x" * 40),
                                    (7, 0, b""), (7, 1, dns_name("b.test") + b"\0\1\0\1")):
            answer = struct.pack(">6H", number, flags, count, 0, 0, 0) + rest
            yield struct.pack(">H", len(query)) + query + answer


def main():
    """Writes each seed to a file of its own below DIRECTORY/TARGET."""
    base = pathlib.Path(sys.argv[1])
    for target, seeds in (("fuzz_dns_decode_answer", dns_answer_seeds()),
                          ("fuzz_dns_decode_query", dns_query_seeds()),
                          ("fuzz_dns_query", dns_query_seeds()), ("fuzz_names", names_seeds()),
                          ("fuzz_dns_answer", dns_pair_seeds()),
                          ("fuzz_policy_rows", policy_seeds()),
                          ("fuzz_flow_table", table_seeds()),
                          ("fuzz_gate", gate_seeds()), ("fuzz_frag", frag_seeds()),
                          ("fuzz_vnet", vnet_seeds()), ("fuzz_rtnl", rtnl_seeds()),
                          ("fuzz_tcp_pool", pool_seeds()),
                          ("fuzz_tcp_segment", tcp_segment_seeds()),
                          ("fuzz_tcp_wheel", wheel_seeds()),
                          ("fuzz_udp", udp_seeds())):
        directory = base / target
        directory.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (directory / f"seed-{number:02}").write_bytes(seed)


if __name__ == "__main__":
    main()
