#!/usr/bin/python3
"""Writes the binary seeds of fuzz_ipc and fuzz_rtnl, which no editor could keep.

usage: make_seeds.py DIRECTORY
"""

import pathlib
import struct
import sys


def ipc_seeds():
    """One datagram of the right form for each kind of receiver, with plausible sizes."""
    for state in (0x04, 0x05, 0x06, 0x07, 0x1D, 0x1F):
        for message, size in ((0, 16), (1, 488), (2, 256), (3, 400), (4, 8), (9, 8)):
            datagram = struct.pack("=II", message, size) + bytes(size)
            yield bytes([state]) + struct.pack(">H", len(datagram)) + datagram


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


def main():
    """Writes each seed to a file of its own below DIRECTORY/TARGET."""
    base = pathlib.Path(sys.argv[1])
    for target, seeds in (("fuzz_ipc", ipc_seeds()), ("fuzz_rtnl", rtnl_seeds())):
        directory = base / target
        directory.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seeds):
            (directory / f"seed-{number:02}").write_bytes(seed)


if __name__ == "__main__":
    main()
