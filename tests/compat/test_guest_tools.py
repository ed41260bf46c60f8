# SPDX-License-Identifier: BSD-2-Clause
"""Everyday programs in a guest, with slirp4netns and with slirpd as its network.

The guest has an /etc of its own, which resolv.conf is in and DHCP clients write to. Runs inside
outer-ns.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import (  # noqa: E402, F401
    Container,
    Subject,
    lab,
    leaves_no_process,
    subject,
)
from commands import needs  # noqa: E402
from daemon import Slirpd  # noqa: E402
from lab import (  # noqa: E402
    BIG_NAME, BIG_TXT_RECORDS, CLOSED_PORT, ECHO_PORT, HTTP_PORT, INTERNET4, INTERNET6, WORD_NAME,
    Lab,
)
from waiting import DEADLINE_S, wait_for  # noqa: E402

DNS4 = "10.0.2.3"

# What an ordinary user can't read of the host's is nothing that a guest needs.
OWN_ETC = """
mount -t tmpfs etc /mnt
cp -R --no-preserve=ownership /etc/. /mnt 2>/dev/null
rm -f /mnt/resolv.conf
: >/mnt/resolv.conf
mount --move /mnt /etc
"""


@contextlib.contextmanager
def served(subject: Subject, *options: str) -> Iterator[Container]:  # noqa: F811
    """A guest with a daemon."""
    with Container() as guest:
        guest.run("sh", "-c", OWN_ETC)
        with Slirpd(*options, guest.pid, "tap0", program=str(subject.path)):
            yield guest


@pytest.fixture(scope="module")
def guest(lab: Lab, subject: Subject) -> Iterator[Container]:  # noqa: F811
    """One that the daemon has configured, with the resolv.conf that the manual asks for."""
    needs("dig", "getent", "curl", "ping", "nc", "ip")
    with served(subject, "--configure", "--enable-ipv6", "--mtu=65520") as made:
        made.run("sh", "-c", f"echo nameserver {DNS4} >/etc/resolv.conf")
        made.wait_ipv6()
        yield made


# Name, command, what it has to print.
TOOLS = (
    ("getent", f"getent ahostsv4 {WORD_NAME}", INTERNET4),
    ("getent, IPv6", f"getent ahostsv6 {WORD_NAME}", INTERNET6),
    ("dig", f"dig +short {WORD_NAME}", INTERNET4),
    ("dig by TCP", f"dig +short +tcp {WORD_NAME} AAAA", INTERNET6),
    ("dig with a large answer", f"dig +short {BIG_NAME} TXT", f'"{BIG_TXT_RECORDS - 1:02d}xxx'),
    ("dig, IPv6", f"dig +short @fd00::3 {WORD_NAME}", INTERNET4),
    ("dig past the built-in server", f"dig +short @{INTERNET4} {WORD_NAME}", INTERNET4),
    ("curl", f"curl -4 -sS http://{WORD_NAME}/hello", "hello"),
    ("curl, IPv6", f"curl -6 -sS http://{WORD_NAME}/hello", "hello"),
    ("curl, upload", f"printf up | curl -sS -T - http://{WORD_NAME}/up/tools "
     f"&& curl -sS http://{WORD_NAME}/up/tools", "up"),
    ("ping", f"ping -4 -c 1 -W 10 {WORD_NAME}", " 0% packet loss"),
    ("ping of the gateway", "ping -c 1 -W 10 10.0.2.2", " 0% packet loss"),
    ("ping of the gateway, IPv6", "ping -c 1 -W 10 fd00::2", " 0% packet loss"),
    ("ping of full size", f"ping -c 1 -W 10 -s 60000 {INTERNET4}", " 0% packet loss"),
    ("nc", f"printf 'GET /hello HTTP/1.0\\r\\n\\r\\n' | nc -w 10 {WORD_NAME} 80", "hello"),
    # It ends when nothing has come for so long.
    ("nc by UDP", f"printf echoed | nc -u -w 3 {INTERNET4} {ECHO_PORT}", "echoed"),
    ("nc, port scan", f"nc -z -v -w 10 {INTERNET4} {HTTP_PORT} 2>&1", "succeeded"),
    ("nc, closed port", f"! nc -z -v -w 10 {INTERNET4} {CLOSED_PORT} 2>&1", "refused"),
)


@pytest.mark.parametrize("command,wanted", [tool[1:] for tool in TOOLS],
                         ids=[tool[0] for tool in TOOLS])
def test_tool(guest: Container, command: str, wanted: str) -> None:
    assert wanted in guest.run("sh", "-c", command).stdout


# dhcpcd has directories of its own. In a guest it cannot become its own user, and goes on with a
# complaint; without that user it does not try.
OWN_DHCPCD = """
sed -i /^dhcpcd:/d /etc/passwd
mount -t tmpfs run /run
mount -t tmpfs lib /var/lib/dhcpcd
"""
# All with the script that the distribution has made for them.
DHCP_CLIENTS = {
    "udhcpc": "udhcpc -i tap0 -f -q -n",
    "dhclient": "dhclient -1 -lf /etc/leases -pf /etc/dhclient.pid tap0",
    "dhcpcd": f"{OWN_DHCPCD} dhcpcd -4 -1 tap0",
}
DHCP_END = {"udhcpc": "true", "dhclient": "dhclient -x -pf /etc/dhclient.pid -lf /etc/leases tap0",
            "dhcpcd": "true"}


@pytest.mark.parametrize("client", DHCP_CLIENTS)
def test_dhcp_client_sets_up_the_whole_guest(lab: Lab, subject: Subject,  # noqa: F811
                                             client: str) -> None:
    """Interface, route and resolver: nobody else does anything for this guest."""
    needs(client)
    with served(subject) as guest:
        assert "state DOWN" in guest.run("ip", "link", "show", "tap0").stdout
        guest.run("sh", "-c", DHCP_CLIENTS[client])
        try:
            assert "inet 10.0.2.15/24 " in guest.run("ip", "addr", "show", "tap0").stdout
            assert "default via 10.0.2.2 " in guest.run("ip", "route").stdout
            assert f"nameserver {DNS4}\n" in guest.run("cat", "/etc/resolv.conf").stdout
            assert guest.run("curl", "-sS", f"http://{WORD_NAME}/hello").stdout == "hello\n"
        finally:
            guest.run("sh", "-c", DHCP_END[client])


# For DHCP clients: tells why it was called, and with which name server of IPv6.
HOOK = """
printf '#!/bin/sh\necho $reason $new_dhcp6_name_servers >>/etc/reasons\n' >/etc/hook
: >/etc/reasons
chmod +x /etc/hook
"""


def test_dhcp_client_with_a_bound_socket_renews_its_lease(lab: Lab) -> None:  # noqa: F811
    """Once it has its address, dhcpcd listens to that address alone; a broadcast, which is what
    slirp4netns answers with, does not reach it."""
    needs("dhcpcd")
    with Container() as guest:
        guest.run("sh", "-c", OWN_ETC + OWN_DHCPCD + HOOK)
        with Slirpd(guest.pid, "tap0"), guest.start(
                "dhcpcd", "-4", "--nobackground", "--noarp", "--script", "/etc/hook", "tap0") as client:
            try:
                wait_for_reason(guest, "BOUND")
                guest.run("dhcpcd", "-4", "--renew", "tap0")
                wait_for_reason(guest, "RENEW")
            finally:
                client.terminate()


def wait_for_reason(guest: Container, reason: str) -> None:
    """Waits until dhcpcd has run its script for this reason."""
    wait_for(f"dhcpcd says {reason}",
             lambda: reason in guest.run("cat", "/etc/reasons").stdout.split())


def test_dhcp6_client_learns_the_name_server(lab: Lab) -> None:  # noqa: F811
    """dhclient discards the reply of slirp4netns, which lacks the server identifier."""
    needs("dhclient")
    with Container() as guest:
        guest.run("sh", "-c", OWN_ETC + HOOK)
        with Slirpd("--configure", "--enable-ipv6", guest.pid, "tap0"):
            guest.wait_ipv6()
            guest.run("dhclient", "-6", "-S", "-1", "-lf", "/etc/leases", "-pf", "/etc/pid",
                      "-sf", "/etc/hook", "tap0", timeout_s=DEADLINE_S)
            assert "fd00::3" in guest.run("cat", "/etc/reasons").stdout.split()
