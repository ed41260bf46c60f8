# SPDX-License-Identifier: BSD-2-Clause
"""--target-type=bess: frames over a SEQPACKET socket, as User Mode Linux sends them.

The other side here is a guest whose TAP is joined to the socket frame by frame, so that real
programs use it; and a client that sends frames of its own making.
"""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import signal
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_client import execute
from daemon import Slirpd, run_slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, WORD_NAME, Lab, http_url
from netns import make_tap
from servers import listener
from test_traffic import lease_of
from waiting import DEADLINE_S, wait_for

FRAME_MAX = 65536


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "bess.sock"


def up(path: Path, *options: object, **kwargs: object) -> Slirpd:
    return Slirpd("--target-type=bess", *options, path, **kwargs)


def connect(path: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(DEADLINE_S)
    sock.connect(str(path))
    return sock


@contextlib.contextmanager
def joined(guest: Guest, path: Path) -> Iterator[socket.socket]:
    """The guest's tap0 and the socket, frame by frame, as UML's driver does it."""
    tap_fd = make_tap(guest.netns, "tap0")
    stop_read, stop_write = os.pipe()
    with connect(path) as sock:
        def pump() -> None:
            with selectors.DefaultSelector() as selector:
                for fd in (tap_fd, sock.fileno(), stop_read):
                    selector.register(fd, selectors.EVENT_READ)
                while True:
                    for key, _ in selector.select():
                        if key.fd == stop_read:
                            return
                        with contextlib.suppress(OSError):
                            if key.fd == tap_fd:
                                sock.send(os.read(tap_fd, FRAME_MAX))
                            elif frame := sock.recv(FRAME_MAX):
                                os.write(tap_fd, frame)
                            else:
                                return

        thread = threading.Thread(target=pump)
        thread.start()
        try:
            yield sock
        finally:
            os.write(stop_write, b"x")
            thread.join()
            for fd in (tap_fd, stop_read, stop_write):
                os.close(fd)


def configure(guest: Guest) -> None:
    for argv in (("addr", "add", "10.0.2.100/24", "dev", "tap0"), ("link", "set", "tap0", "up"),
                 ("route", "add", "default", "via", "10.0.2.2")):
        guest.run("ip", *argv)


def ask_for_gateway(sock: socket.socket) -> None:
    """An ARP request: who has the gateway's address?"""
    mac = bytes.fromhex("0200000000aa")
    ask = b"\0\1\x08\0\6\4\0\1" + mac + bytes((10, 0, 2, 100)) + bytes(6) + bytes((10, 0, 2, 2))
    sock.send(b"\xff" * 6 + mac + b"\x08\x06" + ask)


def arp(sock: socket.socket) -> bytes:
    """The answer to it."""
    ask_for_gateway(sock)
    while True:
        frame = sock.recv(FRAME_MAX)
        if frame[12:14] == b"\x08\x06" and frame[20:22] == b"\0\2":
            return frame


def test_guest_has_the_network(guest: Guest, path: Path, tools: Callable) -> None:
    tools("ping", "dig")
    with up(path, "--enable-ipv6"), joined(guest, path):
        configure(guest)
        assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", "10.0.2.2").stdout
        assert "1 received" in guest.run("ping", "-c", "1", "-W", "10", INTERNET4).stdout
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET4, "hello")).stdout
        out = guest.run("dig", "+tries=3", "+time=5", "+short", "@10.0.2.3", WORD_NAME)
        assert out.stdout.strip() == INTERNET4
        guest.wait_ipv6()
        assert guest.run("curl", "-sf", "-m", "20", http_url(INTERNET6, "hello")).stdout


def test_download_of_100_mb_arrives_unchanged(lab: Lab, guest: Guest, path: Path) -> None:
    lab.big_file()
    with up(path), joined(guest, path):
        configure(guest)
        done = guest.run("sh", "-c", f"curl -sf -m 60 {http_url(INTERNET4, 'big')} | sha256sum")
        assert done.stdout.split()[0] == lab.download_sha256


def test_dhcp_client_gets_a_lease(guest: Guest, path: Path, tools: Callable,
                                  tmp_path: Path) -> None:
    tools("udhcpc")
    with up(path, "--cidr=192.168.77.0/24"), joined(guest, path):
        got = lease_of(tmp_path, guest, "udhcpc")
    assert (got["ip"], got["router"], got["dns"]) == (
        "192.168.77.15", "192.168.77.2", "192.168.77.3")


def test_socket_is_the_user_s_alone_and_goes_with_slirpd(path: Path) -> None:
    with up(path) as daemon:
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        assert set(daemon.children()) == {"slirp-worker", "connector", "resolver", "spawner"}
        assert daemon.terminate() == 0
    assert not path.exists()


def test_old_socket_is_replaced_and_other_files_are_not(path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as old:
        old.bind(str(path))
    with up(path), connect(path) as client:
        assert arp(client)
    path.write_text("precious")
    done = run_slirpd("--target-type=bess", path)
    assert done.returncode == 1 and f"bess socket {path}: " in done.stderr
    assert path.read_text() == "precious"


def test_next_client_is_served_when_one_has_left(path: Path) -> None:
    with up(path) as daemon:
        for _ in range(5):
            with connect(path) as client:
                assert arp(client)[28:32] == bytes((10, 0, 2, 2))
        wait_for("the last one is gone", lambda: daemon.stderr.count("the client has left") == 5)


def test_one_client_at_a_time(path: Path) -> None:
    """The second waits, without an error and without an answer, until the first leaves."""
    with up(path), connect(path) as first:
        assert arp(first)
        with connect(path) as second:
            second.settimeout(0.3)
            with pytest.raises(TimeoutError):
                arp(second)
            assert arp(first)
            first.close()
            second.settimeout(DEADLINE_S)
            # What it sent while it waited is answered too.
            assert arp(second)


def test_client_that_reads_nothing_stops_nobody(lab: Lab, path: Path, tmp_path: Path) -> None:
    """Its queue fills up; frames are lost as on a wire, and the worker goes on."""
    api = tmp_path / "api.sock"
    with up(path, "--api-socket", api) as daemon, connect(path) as client:
        assert arp(client)
        for _ in range(2000):
            ask_for_gateway(client)
        assert "entries" in execute(str(api), "list_hostfwd")
        assert daemon.process.poll() is None


def test_frames_go_through_the_gate(path: Path) -> None:
    """Too short, too long, and nonsense: dropped and counted, as from a TAP."""
    with up(path) as daemon, connect(path) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        nonsense = random.Random(1).randbytes(60)
        for frame in (b"x", b"\2" * 13, nonsense, b"\2" * 60000, b"\2" * 70000):
            client.send(frame)
        assert arp(client)
        daemon.process.send_signal(signal.SIGUSR1)
        wait_for("the counters", lambda: "dropped frame_short 2" in daemon.stderr)


def test_forward_leads_to_the_client(guest: Guest, path: Path) -> None:
    with up(path, "--publish=127.0.0.1:8080:80"), joined(guest, path):
        configure(guest)
        with listener(guest.netns, "10.0.2.100", 80) as server:
            server.settimeout(DEADLINE_S)
            with socket.create_connection(("127.0.0.1", 8080), timeout=DEADLINE_S):
                assert server.accept()[0]


def test_exit_fd_ends_it(path: Path) -> None:
    with up(path, exit_fd=True) as daemon:
        daemon.hang_up()
        assert daemon.wait() == 0
    assert not path.exists()


def test_it_stays_without_a_client(path: Path) -> None:
    """No namespace is watched: there is none."""
    with up(path) as daemon:
        with connect(path) as client:
            assert arp(client)
        wait_for("the client is gone", lambda: "the client has left" in daemon.stderr)
        assert daemon.process.poll() is None
