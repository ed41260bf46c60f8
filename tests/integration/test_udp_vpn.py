# SPDX-License-Identifier: BSD-2-Clause
"""A VPN over UDP between two guests, each behind a slirpd of its own: by a forward of one of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from daemon import Slirpd
from guest import Guest
from lab import HOST4
from waiting import DEADLINE_S, wait_for

VPN_PORT, FILE_PORT = 1194, 7000
CALLER4, CALLED4 = "10.9.0.1", "10.9.0.2"
N_BYTES = 8_000_000

pytestmark = pytest.mark.usefixtures("lab")


@contextlib.contextmanager
def vpn(guest: Guest, own: str, other: str, secret: Path, *options: str) -> Iterator[None]:
    """OpenVPN in the guest, from point to point, with a key that both have."""
    process = guest.start(
        "openvpn", "--dev", "tun", "--ifconfig", own, other, "--secret", str(secret),
        "--cipher", "AES-256-CBC", *options,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_for("the VPN's interface is there", lambda: "tun0" in guest.links())
        yield
    finally:
        process.terminate()
        print(process.communicate(timeout=DEADLINE_S)[0].decode())


def sends(sender: Guest, receiver: Guest, address: str) -> bool:
    """Whether the receiver's address gets all that the sender sends, over TCP."""
    data = os.urandom(N_BYTES)
    with receiver.open_socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, FILE_PORT))
        listener.listen()
        with sender.connect(address, FILE_PORT) as out, listener.accept()[0] as into:

            def send() -> None:
                out.sendall(data)
                out.shutdown(socket.SHUT_WR)

            thread = threading.Thread(target=send)
            thread.start()
            digest = hashlib.sha256()
            while block := into.recv(1 << 16):
                digest.update(block)
            thread.join()
    return digest.digest() == hashlib.sha256(data).digest()


def test_two_guests_have_a_vpn(guest: Guest, tools: Callable, tmp_path: Path) -> None:
    tools("openvpn")
    secret = tmp_path / "secret"
    subprocess.run(["openvpn", "--genkey", "secret", secret], check=True)
    with (Guest() as called, Slirpd("--configure", guest.pid, "tap0"),
          Slirpd("--configure", f"--publish=0.0.0.0:{VPN_PORT}:{VPN_PORT}/udp", called.pid, "tap0"),
          vpn(called, CALLED4, CALLER4, secret, "--lport", str(VPN_PORT)),
          vpn(guest, CALLER4, CALLED4, secret, "--nobind", "--remote", HOST4, str(VPN_PORT))):
        wait_for("the VPN passes packets", lambda: guest.run(
            "ping", "-c", "1", "-W", "1", CALLED4, check=False).returncode == 0)
        assert sends(guest, called, CALLED4)
        assert sends(called, guest, CALLER4)
