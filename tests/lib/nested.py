# SPDX-License-Identifier: BSD-2-Clause
"""A container in the guest, as Docker or Podman in the guest would have it."""

from __future__ import annotations

import json
import subprocess

from commands import sh
from guest import Guest

INNER4, OUTER4 = "10.88.0.2", "10.88.0.1"
INNER6, OUTER6 = "fd88::2", "fd88::1"


class Nested:
    """A container in the guest: a network namespace at a bridge, behind the guest's NAT."""

    def __init__(self, guest: Guest, mtu: int) -> None:
        self.guest = guest
        self.mtu = mtu
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Nested:
        self.process = self.guest.start("unshare", "--net", "cat", stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        assert self.process.stdout.read(1) == b"\n"
        self._wire()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    @property
    def netns(self) -> str:
        return f"/proc/{self.process.pid}/ns/net"

    def run(self, *argv: str) -> None:
        sh("nsenter", "--preserve-credentials", "-U", "-n", "-t", str(self.process.pid), "--", *argv)

    def _wire(self) -> None:
        guest = self.guest.run
        guest("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        guest("ip", "link", "add", "br0", "mtu", str(self.mtu), "type", "bridge")
        guest("ip", "link", "add", "veth0", "mtu", str(self.mtu), "type", "veth", "peer", "name", "eth0",
              "mtu", str(self.mtu), "netns", str(self.process.pid))
        guest("ip", "link", "set", "veth0", "master", "br0", "up")
        guest("ip", "addr", "add", f"{OUTER4}/24", "dev", "br0")
        guest("ip", "addr", "add", f"{OUTER6}/64", "dev", "br0", "nodad")
        guest("ip", "link", "set", "br0", "up")
        guest("nft", "table inet nat { chain post { type nat hook postrouting priority 100; "
              "oifname tap0 masquerade; }; }")
        for argv in (["link", "set", "lo", "up"], ["addr", "add", f"{INNER4}/24", "dev", "eth0"],
                     ["addr", "add", f"{INNER6}/64", "dev", "eth0", "nodad"],
                     ["link", "set", "eth0", "up"], ["route", "add", "default", "via", OUTER4],
                     ["-6", "route", "add", "default", "via", OUTER6]):
            self.run("ip", *argv)

    def longest_frame(self, direction: str) -> float:
        """The mean is enough: of bytes by packets on the container's interface."""
        base = "rx" if direction == "in" else "tx"
        text = subprocess.run(
            ["nsenter", f"--net={self.netns}", "--", "ip", "-s", "-j", "link", "show", "eth0"],
            check=True, capture_output=True, text=True).stdout
        stats = json.loads(text)[0]["stats64"][base]
        return stats["bytes"] / stats["packets"]
