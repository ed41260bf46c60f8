# SPDX-License-Identifier: BSD-2-Clause
"""slirpd-migration(7) is true: slirp4netns and slirpd side by side, one test for each difference.

A test says by told() which item of the page it holds; ELSEWHERE names the tests of other files that
hold what needs more than two daemons. Runs inside outer-ns.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

import kernel  # noqa: E402
from api_client import ask, connect, execute  # noqa: E402
from clients import lab, leaves_no_process  # noqa: E402, F401
from commands import needs  # noqa: E402
from daemon import Slirpd  # noqa: E402
from guest import Guest  # noqa: E402
from lab import CLOSED_PORT, ECHO_PORT, HTTP_PORT, INTERNET4, INTERNET6, Lab  # noqa: E402
from tree import REPO, slirpd_path  # noqa: E402
from waiting import DEADLINE_S, wait_for  # noqa: E402

PAGE = (REPO / "man/slirpd-migration.7").read_text()

ELSEWHERE = {
    "Interfaces": ("integration/test_outbound.py", "test_new_address_of_the_interface_is_followed"),
    "Version": ("compat/test_cmdline.py", "test_version", "test_version_as_docker_reads_it"),
    "Service managers": ("integration/test_operation.py", "test_service_manager_is_told",
                         "test_manager_of_the_caller_is_not_told"),
    "What can't be had": ("confine/test_jail_daemon.py",
                          "test_without_any_user_namespace_required_fails",
                          "test_without_any_user_namespace_best_effort_goes_on",
                          "test_enable_options_insist_under_any_name"),
    "/etc/resolv.conf": ("confine/test_jail_daemon.py",
                         "test_every_change_of_resolv_conf_is_followed"),
    "Real root": ("confine/test_jail_root.py", "test_runas_is_whom_the_worker_becomes"),
    "TCP resets": ("integration/test_tcp_differential.py",
                   "test_programs_see_what_they_see_on_the_host"),
    "Absent hosts": ("integration/test_tcp_differential.py",
                     "test_programs_see_what_they_see_on_the_host"),
    "Closed TCP connections": ("integration/test_tcp_reports.py",
                               "test_thousands_of_short_connections_to_a_forward"),
    "UDP flows": ("integration/test_hostile_udp.py",
                  "test_guest_leaves_the_host_its_ephemeral_udp_ports"),
    "DHCP renewals": ("integration/test_traffic.py",
                      "test_dhcp_renewal_is_answered_to_the_client_s_address"),
    "DHCPv6 replies": ("compat/test_guest_tools.py", "test_dhcp6_client_learns_the_name_server"),
    "Router advertisements": ("integration/test_nameserver.py",
                              "test_link_names_the_name_server_whatever_the_host_has"),
    "Fragments": ("integration/test_hostile_guest.py",
                  "test_overlapping_fragments_make_no_datagram"),
    "Frames": ("integration/test_hostile_guest.py",
               "test_frames_that_no_guest_needs_are_dropped_and_counted"),
    "Urgent data": ("integration/test_offload.py",
                    "test_urgent_data_from_the_guest_arrives_in_line"),
    "UDP ports": ("integration/test_forwards.py", "test_another_program_cannot_share_a_udp_port",
                  "test_udp_peers_of_every_kind_take_turns"),
    "Refused peers": ("integration/test_forwards.py",
                      "test_port_that_nobody_listens_at_in_the_guest"),
    "Near peers": ("integration/test_tcp_forwards.py",
                   "test_peer_that_the_guest_could_not_answer_is_the_gateway"),
    "Backlog": ("integration/test_forwards.py", "test_backlog_is_4096"),
    "guix-daemon": ("compat/test_replayed_clients.py",
                    "test_guix_daemon_with_its_filter_is_told_why"),
}

TOLD: set[str] = set()


def told(title: str) -> Callable[[Callable], Callable]:
    """Marks the test that holds an item of the page."""
    assert title not in TOLD, title
    TOLD.add(title)
    return lambda test: test


@pytest.fixture(autouse=True)
def tools() -> None:
    needs("slirp4netns", "ip", "ping", "nsenter", "unshare", "setpriv")


@pytest.fixture
def guests(lab: Lab) -> Iterator[tuple[Guest, Guest]]:  # noqa: F811
    """One for slirp4netns, and one for slirpd."""
    with Guest() as theirs, Guest() as ours:
        yield theirs, ours


@pytest.fixture
def directory() -> Iterator[Path]:
    """Of a short name, since there will be a socket in it."""
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def old(*argv: object, **kwargs: object) -> Slirpd:
    return Slirpd(*argv, program=shutil.which("slirp4netns"), **kwargs)


def new(*argv: object, **kwargs: object) -> Slirpd:
    return Slirpd(*argv, **kwargs)


@contextlib.contextmanager
def both(guests: tuple[Guest, Guest], *options: object,
         **kwargs: object) -> Iterator[tuple[Slirpd, Slirpd]]:
    """Both daemons with these options, each with its guest."""
    with old(*options, guests[0].pid, "tap0", **kwargs) as theirs, \
            new(*options, guests[1].pid, "tap0", **kwargs) as ours:
        yield theirs, ours


def ends(daemon: Slirpd) -> tuple[int, str, str]:
    """How a start goes that fails."""
    daemon.start()
    try:
        return daemon.wait(), daemon.stdout, daemon.stderr
    finally:
        daemon.__exit__()


def fails(daemon: Slirpd, text: str, status: int = 1) -> None:
    """The start ends with this status and says the text."""
    ended, _, stderr = ends(daemon)
    assert (ended, text in stderr) == (status, True), stderr


def refused(daemon: Slirpd, text: str) -> None:
    """slirpd takes the command line for a wrong one."""
    fails(daemon, text, 2)


# --- the page -----------------------------------------------------------------------------------


def titles() -> list[str]:
    # What has a title in this form is a difference; the other lists have none.
    return re.findall(r"^\.It Em ([^:\n]*?)(?: :)?$", PAGE, re.M)


def test_every_difference_of_the_page_has_its_test() -> None:
    assert len(titles()) > 30 and len(set(titles())) == len(titles())
    assert not TOLD & set(ELSEWHERE)
    assert set(titles()) == TOLD | set(ELSEWHERE)
    # A folder has a conftest.py of its own, so pytest is asked once for each.
    for folder in {path.split("/")[0] for path, *_ in ELSEWHERE.values()}:
        assert_collected([f"{path}::{name}" for path, *names in ELSEWHERE.values()
                          for name in names if path.startswith(f"{folder}/")])


def assert_collected(tests: list[str]) -> None:
    """pytest would run each of these; it fails if a name is not a test's."""
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q",
                           "--collect-only", *tests], cwd=REPO / "tests", text=True,
                          capture_output=True, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_page_has_the_options_that_are_new() -> None:
    def options(program: str) -> set[str]:
        text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True,
                              timeout=DEADLINE_S).stdout
        return set(re.findall(r"--[\w-]+", text))

    listed = set(re.findall(r"^\.It Fl (-[\w-]+) Ta ", PAGE, re.M))
    ours, theirs = options(slirpd_path()), options(shutil.which("slirp4netns"))
    assert {f"-{name}" for name in listed} == ours - theirs
    assert theirs - ours == set()


# --- command line -------------------------------------------------------------------------------


@told("Numbers")
def test_numbers(guests: tuple[Guest, Guest]) -> None:
    with old("--mtu=+1500", guests[0].pid, "tap0"):
        pass
    refused(new("--mtu=+1500", guests[1].pid, "tap0"), '--mtu: "+1500" is not a number')


@told("Names of interfaces")
@pytest.mark.parametrize("name,becomes", (("a-name-too-long-for-it", "a-name-too-long"),
                                          ("tap%d", "tap0")))
def test_names_of_interfaces(guests: tuple[Guest, Guest], name: str, becomes: str) -> None:
    with old(guests[0].pid, name):
        assert becomes in guests[0].links()
    refused(new(guests[1].pid, name), f'TAPNAME "{name}" is not a name for an interface')


@told("Descriptors that are not open")
def test_descriptors_that_are_not_open(guests: tuple[Guest, Guest]) -> None:
    argv = (guests[0].pid, "tap0")
    with old("--ready-fd=77", *argv, ready=False) as daemon:
        wait_for("slirp4netns has started", lambda: "tap0" in guests[0].links())
        assert daemon.process.poll() is None
    assert ends(old("--exit-fd=77", *argv, ready=False))[0] == 0
    argv = (guests[1].pid, "tap0")
    for option in ("--ready-fd", "--exit-fd"):
        refused(new(f"{option}=77", *argv, ready=False), f"{option} 77: Bad file descriptor")
    refused(new("--ready-fd=0", "--exit-fd=0", *argv, ready=False), "are both 0")


@told("Outbound addresses")
def test_outbound_addresses(guests: tuple[Guest, Guest]) -> None:
    option = "--outbound-addr=198.51.100.1"
    with old("-c", option, guests[0].pid, "tap0"), pytest.raises(OSError):
        guests[0].connect(INTERNET4, HTTP_PORT)
    fails(new("-c", option, guests[1].pid, "tap0"), "the host has no such address")


@told("Abbreviations")
@pytest.mark.parametrize("option", ("--ci=10.0.3.0/24", "--create"))
def test_abbreviations(guests: tuple[Guest, Guest], option: str) -> None:
    assert f".Ql {option.split('=')[0]}\n" in PAGE
    with old(option, guests[0].pid, "tap0"):
        pass
    refused(new(option, guests[1].pid, "tap0"), "is ambiguous")


@told("Surplus arguments")
def test_surplus_arguments(guests: tuple[Guest, Guest]) -> None:
    with old(guests[0].pid, "tap0", "x") as theirs, new(guests[1].pid, "tap0", "x") as ours:
        assert "too many arguments" in ours.stderr
        assert "argument" not in theirs.stderr


@told("Refused command lines")
def test_refused_command_lines(guests: tuple[Guest, Guest]) -> None:
    status, stdout, _ = ends(old("--mtu=0", guests[0].pid, "tap0"))
    assert (status, "Usage: " in stdout) == (1, True)
    status, stdout, stderr = ends(new("--mtu=0", guests[1].pid, "tap0"))
    assert (status, stdout, stderr.count("\n")) == (2, "", 1)
    assert '--mtu: "0"' in stderr


@told("What is at the socket's path")
def test_what_is_at_the_sockets_path(guests: tuple[Guest, Guest], directory: Path) -> None:
    path = directory / "precious"
    path.write_text("precious")
    refused(new(f"--api-socket={path}", guests[1].pid, "tap0"), "is not a socket")
    assert path.read_text() == "precious"
    with old(f"--api-socket={path}", guests[0].pid, "tap0"):
        assert path.is_socket()


# --- start and end ------------------------------------------------------------------------------


@told("Exit status")
@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_exit_status(guests: tuple[Guest, Guest], number: signal.Signals) -> None:
    with both(guests) as daemons:
        for daemon in daemons:
            daemon.process.send_signal(number)
        assert [daemon.wait() for daemon in daemons] == [-number, 0]


@told("Counters")
def test_counters(guests: tuple[Guest, Guest]) -> None:
    with both(guests) as (theirs, ours):
        theirs.process.send_signal(signal.SIGUSR1)
        assert theirs.wait() == -signal.SIGUSR1
        assert "frames_from_guest" in ours.counters()


@told("End of the guest")
def test_end_of_the_guest(guests: tuple[Guest, Guest]) -> None:
    with both(guests) as (theirs, ours):
        for guest in guests:
            guest.end()
        assert ours.wait() == 0
        # It ends second, if it ends.
        assert theirs.process.poll() is None


@told("The control socket's file")
def test_the_control_sockets_file(guests: tuple[Guest, Guest], directory: Path) -> None:
    paths = directory / "theirs", directory / "ours"
    with old(f"--api-socket={paths[0]}", guests[0].pid, "tap0"), \
            new(f"--api-socket={paths[1]}", guests[1].pid, "tap0"):
        assert all(path.is_socket() for path in paths)
    assert [path.exists() for path in paths] == [True, False]


@told("Processes")
def test_processes(guests: tuple[Guest, Guest], directory: Path) -> None:
    with both(guests) as (theirs, ours):
        assert [len(theirs.pids()), len(ours.pids())] == [1, 5]
    with new(f"--api-socket={directory / 'api'}", guests[1].pid, "tap0") as ours:
        assert len(ours.pids()) == 6
    copy = directory / "slirpd"
    shutil.copy2(slirpd_path(), copy)
    fails(new(guests[1].pid, "tap0", program=str(copy)), "slirpd-netns-helper")


@told("Open files")
def test_open_files(guests: tuple[Guest, Guest]) -> None:
    def limits(pid: int) -> tuple[str, str]:
        text = Path(f"/proc/{pid}/limits").read_text()
        return re.search(r"^Max open files +(\d+) +(\d+)", text, re.M).groups()

    with both(guests) as (theirs, ours):
        assert limits(theirs.pid)[0] == "1024" != limits(theirs.pid)[1]
        assert len(set(limits(ours.children()["slirp-worker"]))) == 1


# --- messages -----------------------------------------------------------------------------------


@told("Lines on standard error")
def test_lines_on_standard_error(guests: tuple[Guest, Guest], directory: Path) -> None:
    link = directory / "slirp4netns"
    link.symlink_to(Path(slirpd_path()).resolve())
    # A program finds its others from where its link leads.
    with old(guests[0].pid, "tap0") as theirs, \
            new("--log-level=info", guests[1].pid, "tap0", program=str(link)) as ours:
        assert "sent tapfd=" in theirs.stderr
        assert ours.stderr.count("\n") == 1 and "tapfd" not in ours.stderr
        assert ": ready: tap0 needs an address such as 10.0.2.100/24 in /proc/" in ours.stderr
        assert all(line.startswith("slirp4netns: ") for line in ours.stderr.splitlines())


@told("Lines on standard output")
def test_lines_on_standard_output(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "--enable-ipv6") as (theirs, ours):
        assert "* Recommended IP:" in ours.stdout and "experimental" not in ours.stdout
        assert "* Recommended IP:" not in theirs.stdout and "experimental" in theirs.stdout


@told("Failed starts")
def test_failed_starts(guests: tuple[Guest, Guest]) -> None:
    for daemon, text in ((old("-c", guests[0].pid, "lo"), "child failed(1)"),
                         (new("-c", guests[1].pid, "lo"), "attach to interface lo, which is not a TAP")):
        fails(daemon, text)


# --- confinement --------------------------------------------------------------------------------


def is_filtered(daemon: Slirpd) -> set[bool]:
    """Which answers its processes give: whether there is a filter that the tests are not under."""
    return {int(re.search(r"^Seccomp_filters:\t(\d+)", Path(f"/proc/{pid}/status").read_text(),
                          re.M)[1]) > kernel.N_SECCOMP_FILTERS for pid in daemon.pids()}


def mounts_are_own(daemon: Slirpd) -> bool:
    own = os.readlink("/proc/self/ns/mnt")
    return any(os.readlink(f"/proc/{pid}/ns/mnt") != own for pid in daemon.pids())


@told("Sandbox and filters")
def test_sandbox_and_filters(guests: tuple[Guest, Guest]) -> None:
    with both(guests) as (theirs, ours):
        assert (is_filtered(theirs), mounts_are_own(theirs)) == ({False}, False)
        assert (is_filtered(ours), mounts_are_own(ours)) == ({True}, True)
    with both(guests, "--enable-sandbox", "--enable-seccomp") as daemons:
        for daemon in daemons:
            assert True in is_filtered(daemon) and mounts_are_own(daemon)
    with new("--disable-sandbox", "--disable-seccomp", guests[1].pid, "tap0") as ours:
        assert (is_filtered(ours), mounts_are_own(ours)) == ({False}, False)


@told("Sandbox with namespaces by path")
def test_sandbox_with_namespaces_by_path(guests: tuple[Guest, Guest]) -> None:
    def argv(guest: Guest) -> list[str]:
        return ["--enable-sandbox", "--netns-type=path", f"--userns-path={guest.userns}", guest.netns,
                "tap0"]

    assert ends(old(*argv(guests[0])))[0] == 1
    with new(*argv(guests[1])) as ours:
        assert mounts_are_own(ours)


@told("The process that is started")
def test_the_process_that_is_started(guests: tuple[Guest, Guest]) -> None:
    def shown(pid: int) -> tuple[bool, bool]:
        """Whether it has CAP_NET_BIND_SERVICE (10), and whether it sees the host's /home."""
        status = Path(f"/proc/{pid}/status").read_text()
        effective = int(re.search(r"^CapEff:\t(\w+)", status, re.M)[1], 16)
        return bool(effective >> 10 & 1), Path(f"/proc/{pid}/root/home").exists()

    with both(guests, "--enable-sandbox") as (theirs, ours):
        assert shown(theirs.process.pid) == (True, False)
        assert shown(ours.process.pid) == (False, True)
        assert shown(ours.children()["slirp-worker"]) == (False, False)


@told("The user namespace")
def test_the_user_namespace(guests: tuple[Guest, Guest]) -> None:
    assert ends(old("--netns-type=path", guests[0].netns, "tap0"))[0] == 1
    with new("--netns-type=path", guests[1].netns, "tap0"):
        assert "tap0" in guests[1].links()


# --- the guest's network ------------------------------------------------------------------------


@told("Offloads")
def test_offloads(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c"):
        assert [" vnet_hdr on " in guest.link() for guest in guests] == [False, True]


@told("The interface")
def test_the_interface(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c"):
        assert ["MULTICAST" in guest.link() for guest in guests] == [False, True]


@told("IPv6 addresses")
def test_ipv6_addresses(guests: tuple[Guest, Guest]) -> None:
    def addresses(guest: Guest) -> str:
        return guest.run("ip", "-6", "-o", "addr", "show", "dev", "tap0", "scope", "global").stdout

    with new("-c", "-6", guests[1].pid, "tap0"):
        assert re.search("inet6 fd00::.* valid_lft forever", addresses(guests[1]))
        assert "tentative" not in addresses(guests[1])
    # By itself: its guest tries the address out for no longer than a second.
    with old("-c", "-6", guests[0].pid, "tap0"):
        theirs = wait_for("an advertisement has come", lambda: addresses(guests[0]))
        assert "tentative" in theirs and "forever" not in theirs


@told("Window scaling")
def test_window_scaling(guests: tuple[Guest, Guest]) -> None:
    def is_scaled(guest: Guest) -> bool:
        with guest.connect(INTERNET4, HTTP_PORT) as sock:
            # linux/tcp.h: tcpi_options of struct tcp_info, and TCPI_OPT_WSCALE.
            return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 6)[5] & 4)
    with both(guests, "--configure"):
        assert [is_scaled(guest) for guest in guests] == [False, True]


@told("Large datagrams")
def test_large_datagrams(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c", "-6"):
        guests[0].wait_ipv6()
        for guest, arrives in zip(guests, (False, True)):
            with guest.connect(INTERNET6, ECHO_PORT, socket.SOCK_DGRAM) as sock:
                # That the way is there.
                sock.send(b"x")
                assert sock.recv(8000) == b"x"
                sock.send(bytes(4000))
                if arrives:
                    assert len(sock.recv(8000)) == 4000
                else:
                    # Long enough for what takes no way at all, and no condition would tell earlier.
                    sock.settimeout(1)
                    with pytest.raises(TimeoutError):
                        sock.recv(8000)


@told("Closed loopback")
def test_closed_loopback(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c", "--disable-host-loopback"):
        for guest in guests:
            with pytest.raises(OSError, match="Network is unreachable"):
                guest.connect("10.0.2.2", CLOSED_PORT)
        for guest, error in zip(guests, ("timed out", "Network is unreachable")):
            with guest.connect("10.0.2.2", CLOSED_PORT, socket.SOCK_DGRAM) as sock:
                if guest is guests[0]:
                    # Long enough for what takes no way at all, and no condition would tell earlier.
                    sock.settimeout(1)
                sock.send(b"x")
                with pytest.raises(OSError, match=error):
                    sock.recv(1)


@told("Without DNS")
def test_without_dns(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c", "--disable-dns"):
        with guests[0].open_socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            # Long enough for what takes no way at all, and no condition would tell earlier.
            sock.settimeout(1)
            with pytest.raises(TimeoutError):
                sock.connect(("10.0.2.3", 53))
        with pytest.raises(ConnectionRefusedError):
            guests[1].connect("10.0.2.3", 53)


def pings(guest: Guest, *argv: str) -> str:
    return guest.run("ping", "-c", "1", "-W", "2", *argv, check=False).stdout


@told("Pings of IPv6")
def test_pings_of_ipv6(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c", "-6"):
        guests[0].wait_ipv6()
        assert ["1 received" in pings(guest, "fd00::2") for guest in guests] == [True, True]
        assert ["1 received" in pings(guest, INTERNET6) for guest in guests] == [False, True]


@told("Hop limits")
def test_hop_limits(guests: tuple[Guest, Guest]) -> None:
    with both(guests, "-c"):
        assert "1 received" in pings(guests[0], "-t", "1", INTERNET4)
        assert "Time to live exceeded" in pings(guests[1], "-t", "1", INTERNET4)


# --- control socket -----------------------------------------------------------------------------


@contextlib.contextmanager
def sockets(guests: tuple[Guest, Guest], directory: Path, *options: str,
            **kwargs: object) -> Iterator[tuple[str, str]]:
    """The paths of both."""
    paths = str(directory / "theirs"), str(directory / "ours")
    with old("-c", f"--api-socket={paths[0]}", *options, guests[0].pid, "tap0", **kwargs), \
            new("-c", f"--api-socket={paths[1]}", *options, guests[1].pid, "tap0", **kwargs):
        yield paths


def add(path: str, **arguments: object) -> dict[str, object]:
    return execute(path, "add_hostfwd", **{"proto": "tcp", "host_port": 8080, "guest_port": 80} | arguments)


@told("Mode")
def test_mode(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory, prefix=["sh", "-c", 'umask 002; exec "$0" "$@"']) as paths:
        assert [os.stat(path).st_mode & 0o777 for path in paths] == [0o775, 0o600]


@told("Silent clients")
def test_silent_clients(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        with connect(paths[0]), connect(paths[1]):
            assert ["1 received" in pings(guest, "10.0.2.2") for guest in guests] == [False, True]
        wait_for("slirp4netns goes on", lambda: "1 received" in pings(guests[0], "10.0.2.2"))


@told("Lists")
def test_lists(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        theirs, ours = (execute(path, "list_hostfwd") for path in paths)
        assert theirs == {"entries": []}
        assert ours == {"return": {"entries": []}, "entries": []}


def requests_that_both_refuse() -> Iterator[bytes]:
    """Of those that ask for IPv6, both are without it."""
    yield from (b"", b"\n", b"nonsense", b"{", b'{"execute":}', b"{'execute':'list_hostfwd'}",
                b'{"execute":"list_hostfwd","execute":"x"}', b"[" * 4000, b" " * 4095, b" " * 4096)
    yield from (b"[]", b"7", b"null", b'"x"', b"{}", b'{"execute":null}', b'{"execute":[]}')
    yield from (b'{"execute":""}', b'{"execute":"LIST_HOSTFWD"}', b'{"execute":"%s"}' % (b"x" * 4000))
    yield from (b'{"execute":"remove_hostfwd"%s}' % rest for rest in (
        b"", b',"arguments":null', b',"arguments":[]', b',"arguments":7', b',"arguments":{"ID":1}'))
    for id_ in (0, -1, 1, 77, 1.5, 2**32 + 1, 1e30, "1", None, True, [], {}):
        yield json.dumps({"execute": "remove_hostfwd", "arguments": {"id": id_}}).encode()
    bad = {"proto": ("sctp", "", "TCP"),
           "host_addr": ("localhost", "1.2.3", " 0.0.0.0", "127.0.0.1/8", "203.0.113.77"),
           "host_port": (0, 99, "8080", "", None, True, [], {}),
           "guest_addr": ("localhost", "1.2.3", "10.0.2.100 ", "::1", "fd00::64"),
           "guest_port": (0, "80", "", None, True, [], {})}
    right = {"proto": "tcp", "host_addr": "0.0.0.0", "host_port": 8080, "guest_addr": "10.0.2.100",
             "guest_port": 80}
    changes = [{"proto": proto, "host_addr": host_addr, "guest_addr": ""}
               for proto, host_addr in (("tcp6", ""), ("tcp6", "::1"), ("tcp", "::1"))]
    changes += [{name: value} for name, values in bad.items() for value in values]
    # The first that is bad counts.
    names = list(bad)
    changes += [{name: bad[name][0] for name in names[i:]} for i in range(len(names))]
    for change in changes:
        yield json.dumps({"execute": "add_hostfwd", "arguments": right | change}).encode()


@told("Errors")
def test_errors(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        for request in requests_that_both_refuse():
            theirs, ours = (json.loads(ask(path, request, half_close=True))["error"] for path in paths)
            assert list(theirs) == ["desc"] and list(ours) == ["desc", "class", "detail"]
            assert theirs["desc"] == ours["desc"], request[:200]


@told("Ports")
def test_ports(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        assert add(paths[0], host_port=65536 + 8080) == {"return": {"id": 1}}
        # It is 8080, for that is taken now.
        assert "error" in add(paths[0])
        assert "host_port" in add(paths[1], host_port=65536 + 8080)["error"]["desc"]


@told("Addresses of the guest")
def test_addresses_of_the_guest(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        assert [list(add(path, guest_addr="192.0.2.1", host_port=port))
                for path, port in zip(paths, (8080, 8081))] == [["return"], ["error"]]


@told("A missing protocol")
def test_a_missing_protocol(guests: tuple[Guest, Guest], directory: Path) -> None:
    request = json.dumps({"execute": "add_hostfwd", "arguments": {"host_port": 8080, "guest_port": 80}})
    paths = str(directory / "theirs"), str(directory / "ours")
    with old(f"--api-socket={paths[0]}", guests[0].pid, "tap0") as theirs, \
            new(f"--api-socket={paths[1]}", guests[1].pid, "tap0"):
        with contextlib.suppress(ConnectionError):
            assert ask(paths[0], request.encode(), half_close=True) == b""
        assert theirs.wait() == -signal.SIGSEGV
        assert b"bad arguments.proto" in ask(paths[1], request.encode())


@told("Text behind the request")
def test_text_behind_the_request(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory) as paths:
        theirs, ours = (ask(path, b'{"execute":"list_hostfwd"} x', half_close=True) for path in paths)
        assert b"entries" in theirs and b"cannot parse JSON" in ours


@told("IPv6")
def test_ipv6(guests: tuple[Guest, Guest], directory: Path) -> None:
    with sockets(guests, directory, "-6") as paths:
        for arguments in ({"host_addr": "::1"}, {"proto": "tcp6", "host_port": 8081}):
            assert [list(add(path, **arguments)) for path in paths] == [["error"], ["return"]]
        assert list(add(paths[1], proto="udp4")) == ["return"]
