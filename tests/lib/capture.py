# SPDX-License-Identifier: BSD-2-Clause
"""Frames of a guest's interface, and the TCP segments in them."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import frames as F
from guest import Guest
from netns import socket_in
from waiting import POLL_S

ETH_P_ALL = 3
# More than the longest frame, which has 128 KiB of data.
FRAME_MAX = 140_000


@contextlib.contextmanager
def captured(guest: Guest) -> Iterator[list[bytes]]:
    """All frames on the guest's interface, in both directions, once the block has ended."""
    frames: list[bytes] = []
    with socket_in(guest.netns, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)) as sock:
        sock.bind(("tap0", ETH_P_ALL))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.settimeout(POLL_S)
        ended = threading.Event()

        def take() -> None:
            while True:
                try:
                    frames.append(sock.recv(FRAME_MAX))
                except socket.timeout:
                    if ended.is_set():
                        return
        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield frames
        finally:
            ended.set()
            thread.join()


def tcp_segments(frames: list[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """IP header, TCP header, data; with every length compared with the frame's."""
    for frame in frames:
        if frame[12:14] == b"\x08\x00":
            assert frame[14] == 0x45 and F.checksum(frame[14:34]) == 0
            length = int.from_bytes(frame[16:18], "big")
            # 0: the packet has more than 65535 bytes.
            end, at, protocol = 14 + length if length else len(frame), 34, frame[23]
            assert length or len(frame) > 65535 + 14
        elif frame[12:14] == b"\x86\xdd":
            end, at, protocol = 54 + int.from_bytes(frame[18:20], "big"), 54, frame[20]
        else:
            continue
        assert end == len(frame)
        if protocol == F.TCP:
            data_at = at + (frame[at + 12] >> 4) * 4
            assert data_at <= end
            yield frame[14:at], frame[at:data_at], frame[data_at:]


def mss_of(tcp: bytes) -> int:
    options = tcp[20:]
    assert options[:2] == b"\x02\x04", options
    return int.from_bytes(options[2:4], "big")
