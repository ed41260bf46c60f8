# SPDX-License-Identifier: BSD-2-Clause
"""The same programs over slirpd and over Debian's slirp4netns: what a program sees is what it would see
on the host, but for the differences below."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import transfer as T
from conversations import CONVERSATIONS, failure_to_connect
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from nowhere import SILENT_MS, TARGETS, TOLD_MS, nowhere
from servers import recv_all
from waiting import DEADLINE_S, wait_for

# (what, who or which family) -> what is seen, in words
Seen = dict[tuple[str, str], str]

SIZES = (0, 1, 1 << 20)
ADDRESSES = {"IPv4": INTERNET4, "IPv6": INTERNET6}

HOST: Seen = {
    **{(conversation.__name__, first): "; ".join(seen)
       for conversation, seen in CONVERSATIONS.items() for first in ("guest", "server")},
    **{(f"connect to {name}", family): seen for name, (seen, *_) in TARGETS.items() for family in ADDRESSES},
    ("urgent byte", "to the guest"): "told of, abcrest",
    ("urgent byte", "from the guest"): "told of, abcrest",
}

# All that is not as on the host. For slirpd these are meant; slirp4netns has raced with itself at
# times, and then it is as on the host.
DIFFERENCES: dict[str, Seen] = {
    "host": {},
    # Urgent bytes are in line (RFC 6093 6), and the gate takes the mark away.
    "slirpd": {
        ("urgent byte", "to the guest"): "in line, abc!rest",
        ("urgent byte", "from the guest"): "in line, abc!rest",
    },
    # It closes the socket of the host where it should reset it, and the guest's connection as well.
    "slirp4netns": {
        ("one_resets", "guest"): "all; all, end of file",
        ("one_resets_in_the_middle", "guest"): "end of file",
        ("one_resets_in_the_middle", "server"): "end of file",
        ("one_ends_and_the_other_resets", "server"): "all, end of file; all; all, end of file",
        ("connect to absent host", "IPv4"): "ETIMEDOUT",
        ("connect to absent host", "IPv6"): "ETIMEDOUT",
    },
}


@contextlib.contextmanager
def up(subject: str, guest: Guest) -> Iterator[str]:
    """The path of the namespace that the programs are in."""
    if subject == "host":
        yield Lab.host_netns
        return
    program = shutil.which("slirp4netns") if subject == "slirp4netns" else None
    with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0", program=program):
        guest.wait_ipv6()
        yield guest.netns


def converse(netns: str, conversation: Callable[..., list[str]], address: str, size: int, *,
             guest_first: bool) -> list[str]:
    inside, outside = T.connected(netns, address)
    ends = (inside, outside) if guest_first else (outside, inside)
    with inside, outside:
        for sock in ends:
            sock.settimeout(DEADLINE_S)
        return conversation(*ends, b"".join(T.pieces(size)))


def conversations(netns: str) -> Iterator[tuple[tuple[str, str], str]]:
    for conversation in CONVERSATIONS:
        for first in ("guest", "server"):
            seen = {"; ".join(converse(netns, conversation, address, size, guest_first=first == "guest"))
                    for address in ADDRESSES.values() for size in SIZES}
            yield (conversation.__name__, first), " or ".join(sorted(seen))


def failures(lab: Lab, netns: str, expected: Seen) -> Iterator[tuple[tuple[str, str], str]]:
    """With programs that give up soon if nobody is to answer them."""
    def seen(name: str, family: str, to: tuple[str, int]) -> str:
        is_silent = expected[f"connect to {name}", family] == "ETIMEDOUT"
        return failure_to_connect(netns, to, SILENT_MS if is_silent else TOLD_MS)
    with nowhere(lab), ThreadPoolExecutor(2 * len(TARGETS)) as pool:
        pending = {(f"connect to {name}", family): pool.submit(seen, name, family, to)
                   for name, (_, *targets) in TARGETS.items() for family, to in zip(ADDRESSES, targets)}
        for key, done in pending.items():
            yield key, done.result()


def urgent_bytes(netns: str) -> Iterator[tuple[tuple[str, str], str]]:
    """Whether the receiver is told of a byte that was sent as urgent, and what it reads in line."""
    def seen(source: socket.socket, sink: socket.socket) -> str:
        source.send(b"abc!", socket.MSG_OOB)
        wait_for("it has come", lambda: sink.recv(4, socket.MSG_PEEK)[2:3])
        try:
            urgent = sink.recv(1, socket.MSG_OOB | socket.MSG_DONTWAIT)
        except OSError:
            urgent = b""
        source.sendall(b"rest")
        source.shutdown(socket.SHUT_WR)
        return f"{'told of' if urgent == b'!' else 'in line'}, {recv_all(sink).decode()}"
    for direction in ("to the guest", "from the guest"):
        inside, outside = T.connected(netns, INTERNET4)
        ends = (outside, inside) if direction == "to the guest" else (inside, outside)
        with inside, outside:
            for sock in ends:
                sock.settimeout(DEADLINE_S)
            yield ("urgent byte", direction), seen(*ends)


@pytest.mark.parametrize("subject", DIFFERENCES)
def test_programs_see_what_they_see_on_the_host(lab: Lab, guest: Guest, tools: Callable[..., None],
                                                subject: str) -> None:
    tools("nft", "slirp4netns")
    expected = {**HOST, **DIFFERENCES[subject]}
    with up(subject, guest) as netns:
        seen = dict([*conversations(netns), *failures(lab, netns, expected), *urgent_bytes(netns)])
    also = HOST if subject == "slirp4netns" else {}
    assert seen.keys() == expected.keys()
    assert not {key: text for key, text in seen.items()
                if not set(text.split(" or ")) <= {expected[key], also.get(key)}}
