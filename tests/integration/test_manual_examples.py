# SPDX-License-Identifier: BSD-2-Clause
"""The examples of slirpd(1), typed in as they stand there."""

from __future__ import annotations

import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import test_bess
import test_operation
from daemon import Slirpd
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab, http_url
from manual import EXAMPLE_PID, Terminal, examples
from tree import REPO

PAGE = "slirpd.1"
(RUN, GUEST, SERVE, WAIT, PINNED, CREATED, UML, SERVICE) = range(8)


@pytest.fixture
def terminal(lab: Lab, tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path) as made:
        yield made


def example(number: int) -> list[str]:
    found = examples(PAGE, "EXAMPLES")
    assert len(found) == SERVICE + 1, "the page has other examples than these tests follow"
    return found[number]


def test_command(terminal: Terminal) -> None:
    fetch, serve = (line.removeprefix("$ ") for line in example(RUN))
    assert_run_works(terminal, fetch.replace("https://example.org/", http_url(INTERNET4, "hello")), serve)


def assert_run_works(terminal: Terminal, fetch: str, serve: str) -> None:
    """One command that downloads, and one that serves at port 8080 of the host."""
    fetched = terminal.type(fetch)
    assert fetched.endswith("hello\n")
    terminal.type(f"{serve} >/dev/null 2>&1 &")
    # Retried until slirpd has published the port and the server listens.
    shown = terminal.type("curl -sSf --retry 20 --retry-all-errors --retry-delay 1 "
                          "http://127.0.0.1:8080/")
    assert "Directory listing" in shown


def test_namespace_with_a_shell(terminal: Terminal, tmp_path: Path) -> None:
    terminal.follow(example(GUEST))
    with Terminal(tmp_path) as other:
        other.replace(EXAMPLE_PID, terminal.replaced(EXAMPLE_PID))
        other.follow(example(SERVE))
        url = http_url(INTERNET4, "hello")
        assert terminal.type(f"curl -sSf -m 20 {url}", "#") == "hello\n"


def test_pinned_namespace(terminal: Terminal, tools: Callable[..., None]) -> None:
    tools("ping")
    outputs = terminal.follow(example(PINNED))
    assert any("1 received" in output for output in outputs)


def test_namespace_that_is_made(lab: Lab, terminal: Terminal, tools: Callable[..., None]) -> None:
    tools("udhcpc")
    try:
        outputs = terminal.follow(example(CREATED))
    finally:
        # The client's script writes what it was told into the resolv.conf that it finds.
        lab.set_nameservers(INTERNET4, INTERNET6)
    assert any(re.search(r"lease of 10\.0\.2\.\d+ obtained", output) for output in outputs)


def test_user_mode_linux(terminal: Terminal, tmp_path: Path) -> None:
    """Another client than User Mode Linux, at the socket that its command line names."""
    serve, *boot, _ = example(UML)
    assert re.search(r"^\$ linux\.uml .*vec0:transport=bess,dst=/tmp/uml\.sock$",
                     " ".join(boot))
    terminal.follow([serve])
    with test_bess.connect(tmp_path / "uml.sock") as client:
        assert test_bess.arp(client)[28:32] == socket.inet_aton("10.0.2.2")


def test_start_that_is_waited_for(terminal: Terminal, guest: Guest) -> None:
    wait = example(WAIT)
    terminal.replace(EXAMPLE_PID, str(guest.pid))
    terminal.follow(wait)
    assert guest.links() == {"lo", "tap0"}
    terminal.type(f"! {wait[0].removeprefix('$ ').replace('tap0', 'lo')}")


def test_service(terminal: Terminal, guest: Guest, tmp_path: Path) -> None:
    """What the manager does with the file: its words become those of the unit's command."""
    *write, start = example(SERVICE)
    terminal.replace(EXAMPLE_PID, str(guest.pid))
    terminal.follow(write)
    unit = (REPO / "systemd/slirpd@.service.in").read_text()
    setting = re.search(r"^EnvironmentFile=%E/(\S+)$", unit, re.M)[1]
    instance = re.fullmatch(r"\$ systemctl --user start slirpd@(\w+)", start)[1]
    written = (tmp_path / ".config" / setting.replace("%i", instance)).read_text()
    name, words = written.split("=", 1)
    assert f"/slirpd ${name}\n" in unit and "Type=notify\n" in unit
    path = str(tmp_path / "notify")
    with test_operation.manager(path) as told, \
            Slirpd(*shlex.split(words), ready=False, prefix=["env", f"NOTIFY_SOCKET={path}"]):
        while b"READY=1" not in told.recv(4096).splitlines():
            pass
        assert guest.links() == {"lo", "tap0"}
