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
(RUN, GUEST, SERVE, PINNED, CREATED, UML, SCRIPT, SERVICE) = range(8)


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
    fetched = terminal.type(fetch.replace("https://example.org/", http_url(INTERNET4, "hello")))
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
    serve, boot, _ = example(UML)
    assert re.search(r"^\$ linux\.uml .*vec0:transport=bess,dst=/tmp/uml\.sock$", boot)
    terminal.follow([serve])
    with test_bess.connect(tmp_path / "uml.sock") as client:
        assert test_bess.arp(client)[28:32] == socket.inet_aton("10.0.2.2")


def test_script_that_waits(terminal: Terminal, guest: Guest) -> None:
    terminal.type(f"pid={guest.pid}")
    for line in example(SCRIPT):
        terminal.type(line)
    assert terminal.type('echo "$REPLY"') == "1\n"
    assert guest.links() == {"lo", "tap0"}


def test_service(guest: Guest, tmp_path: Path) -> None:
    """What the manager does with the file: its words become those of the unit's command."""
    show, setting, _ = example(SERVICE)
    unit = (REPO / "systemd/slirpd@.service.in").read_text()
    folder, instance = re.fullmatch(r"\$ cat ~/\.config/(\w+)/(\w+)\.conf", show).groups()
    assert f"EnvironmentFile=%E/{folder}/%i.conf\n" in unit
    assert example(SERVICE)[-1] == f"$ systemctl --user start slirpd@{instance}"
    name, words = setting.replace(EXAMPLE_PID, str(guest.pid)).split("=", 1)
    assert f"/slirpd ${name}\n" in unit and "Type=notify\n" in unit
    path = str(tmp_path / "notify")
    with test_operation.manager(path) as told, \
            Slirpd(*shlex.split(words), ready=False, prefix=["env", f"NOTIFY_SOCKET={path}"]):
        while b"READY=1" not in told.recv(4096).splitlines():
            pass
        assert guest.links() == {"lo", "tap0"}
