# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of slirpd-recipes(7), typed in as they stand there, and real traffic over what they
make."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import transfer as T
from clients import tcp_peer_seen
from lab import ECHO_PORT, HOST4, INTERNET4, Lab
from manual import Terminal, examples, section
from servers import udp_socket
from waiting import wait_for

PAGE = "slirpd-recipes.7"

N_BYTES = 16_000_000

def recipe(title: str, n_examples: int) -> list[list[str]]:
    found = examples(PAGE, title)
    assert len(found) == n_examples, f"{title} has other examples than this test follows"
    return found


def assert_stream(netns: str, server_netns: str, address: str) -> None:
    """TCP both ways, with equal hashes."""
    for direction in ("out", "in"):
        T.assert_equal(netns, address, direction, N_BYTES, server_netns=server_netns)


class Host:
    """A guest's shell and the shell beside it, where its slirpd is started."""

    def __init__(self, directory: Path, make: list[str], serve: list[str],
                 prefix: tuple[str, ...] = (), **replaced: str) -> None:
        self._make, self._serve = make, serve
        self.guest = Terminal(directory, prefix, **replaced)
        self._beside = Terminal(directory, prefix, **replaced)
        self._stack = contextlib.ExitStack()
        self.pid = ""

    def __enter__(self) -> Host:
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            self._stack.enter_context(self.guest)
            self.guest.follow(self._make)
            self.pid = self.guest.replaced("2345")
            self._stack.enter_context(self._beside)
            self._beside.replace("2345", self.pid)
            self._beside.follow(self._serve)
            undo.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)

    @property
    def netns(self) -> str:
        return f"/proc/{self.pid}/ns/net"


# --- nested -------------------------------------------------------------------------------------


def test_nested_namespaces(lab: Lab, tmp_path: Path, tools: Callable[..., None]) -> None:
    tools("ip", "nft", "ping")
    make, serve, *rest = recipe("NESTED NAMESPACES", 6)
    with Host(tmp_path, make, serve) as host:
        for example in rest:
            host.guest.follow(example)
        one, two = (f"/proc/{host.pid}/root/run/netns/{name}" for name in ("one", "two"))
        for nested in (one, two):
            assert_stream(nested, lab.internet_netns, INTERNET4)
        assert_stream(two, one, "192.168.42.2")
        peer = tcp_peer_seen(one, ("192.168.42.2", 80), lab.internet_netns, (HOST4, 8080))
        assert peer == INTERNET4
        with udp_socket(two, "192.168.42.3") as sock:
            for n_bytes in (1, 1472, 9000):
                sock.sendto(bytes(n_bytes), (INTERNET4, ECHO_PORT))
                assert len(sock.recv(65536)) == n_bytes


# --- between hosts ------------------------------------------------------------------------------


def set_up(host: Host, example: list[str], mtu_bytes: int, inner_mtu_bytes: int) -> None:
    host.guest.follow(example)
    if inner_mtu_bytes != mtu_bytes - 50:
        host.guest.type(f"ip link set vxlan0 mtu {inner_mtu_bytes}")
    assert f" mtu {inner_mtu_bytes} " in host.guest.type("ip link show dev vxlan0")


def assert_segment(first: Host, second: Host, inner_mtu_bytes: int, ping: list[str]) -> None:
    """What an Ethernet segment is for: pings as long as frames, TCP, and UDP, both ways."""
    second.guest.follow(ping)
    for host, other in ((first, "192.168.43.1"), (second, "192.168.43.2")):
        # Headers of IP and ICMP; the longest frame, which must not be cut.
        n_bytes = inner_mtu_bytes - 28
        said = host.guest.type(f"ping -c 3 -i 0.2 -W 5 -M do -s {n_bytes} {other}")
        assert "3 received" in said
    assert_stream(first.netns, second.netns, "192.168.43.1")
    assert_stream(second.netns, first.netns, "192.168.43.2")


@pytest.mark.parametrize("mtu,inner_mtu", ((1500, 1450), (65520, 1450), (65520, 65470)))
def test_vxlan_between_hosts(lab: Lab, tmp_path: Path, tools: Callable[..., None], mtu: int,
                             inner_mtu: int) -> None:
    """The lab's internet is the other host; its kernel cuts what its wire doesn't take."""
    tools("ip", "ping")
    make, serve, on_first, on_second, ping, smaller = recipe("BETWEEN HOSTS", 8)[:6]
    assert smaller == ["# ip link set vxlan0 mtu 1450"]
    serve = [line.replace("--configure", f"--configure --mtu={mtu}") for line in serve]
    with Host(tmp_path, make, serve) as first, \
            Host(tmp_path, make, serve, tuple(lab.in_internet())) as second:
        set_up(first, on_first, mtu, inner_mtu)
        set_up(second, on_second, mtu, inner_mtu)
        assert_segment(first, second, inner_mtu, ping)


def test_vxlan_between_guests_of_one_host(tmp_path: Path, tools: Callable[..., None]) -> None:
    tools("ip", "bridge", "ping")
    make, serve, _, _, ping, _, on_first, on_second = recipe("BETWEEN HOSTS", 8)
    told = section(PAGE, "BETWEEN HOSTS")
    ports = ("127.0.0.1:4789:4789/udp", "127.0.0.1:4790:4789/udp")
    serves = []
    for port in ports:
        assert f".Fl -publish Ns ={port}" in told
        serves.append([line.replace("4789:4789/udp", port) for line in serve])
    with Host(tmp_path, make, serves[0]) as first, Host(tmp_path, make, serves[1]) as second:
        set_up(first, on_first, 1500, 1450)
        set_up(second, on_second, 1500, 1450)
        assert_segment(first, second, 1450, ping)


# --- a switch -----------------------------------------------------------------------------------


def test_switch_between_guests(lab: Lab, tmp_path: Path, tools: Callable[..., None]) -> None:
    tools("vde_plug", "ip", "ping")
    switch, on_first, on_second, end = recipe("A SWITCH ON ONE HOST", 4)
    make, serve = recipe("BETWEEN HOSTS", 8)[:2]
    serve = [line.replace("--publish=4789:4789/udp ", "") for line in serve]
    with Terminal(tmp_path) as user, Host(tmp_path, make, serve) as first, \
            Host(tmp_path, make, serve) as second:
        # vde_plug goes into the background before it has done anything.
        user.follow(switch)
        try:
            wait_for("the switch is there", (tmp_path / "switch/ctl").exists)
            first.guest.follow(on_first)
            second.guest.follow(on_second[:-1])
            for host in (first, second):
                wait_for("the plug is in", lambda host=host: "LOWER_UP" in host.guest.type(
                    "ip link show dev vde0"))
            second.guest.follow(on_second[-1:])
            assert_stream(first.netns, second.netns, "192.168.44.2")
            assert_stream(first.netns, lab.internet_netns, INTERNET4)
        finally:
            for name in ("one", "two", "switch"):
                wait_for(f"{name}.pid is written", lambda name=name: (
                    tmp_path / f"{name}.pid").exists() and (tmp_path / f"{name}.pid").stat().st_size)
            user.follow(end)
