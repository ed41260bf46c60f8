#!/usr/bin/python3
"""Writes the binary seeds of fuzz_rtnl, which no editor could keep.

usage: make_seeds.py DIRECTORY
"""

import pathlib
import struct
import sys


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
    """Writes each seed to a file of its own below DIRECTORY/fuzz_rtnl."""
    directory = pathlib.Path(sys.argv[1]) / "fuzz_rtnl"
    directory.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(rtnl_seeds()):
        (directory / f"seed-{number:02}").write_bytes(seed)


if __name__ == "__main__":
    main()
