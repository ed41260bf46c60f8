# SPDX-License-Identifier: BSD-2-Clause
"""The mistakes that people make: each is refused in one line that names the remedy.

The table has the mistakes that need no more than a command line and a guest. The functions after
it set something up first.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import ORDINARY, sh
from daemon import Slirpd, run_slirpd
from guest import Guest
from processes import comm_of
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

# The exit statuses for a wrong command line, for a start that failed, and for both of `slirpd run`.
USAGE, FAILED, RUN = 2, 1, 125

DEAD_PID = 4194303

# Command line, text and status. {pid} and {netns} are of the guest, {own} is a process in slirpd's
# own network namespace, {dir} an empty directory.
MISTAKES = [
    ("--configure tap0", 'PID "tap0" is not a positive integer: is the PID missing?', USAGE),
    ("--configure tap0 {pid}", 'PID "tap0" is not a positive integer; the PID comes before TAPNAME',
     USAGE),
    ("--configure {netns} tap0",
     'PID "{netns}" is not a positive integer; for a file use --netns-type=path', USAGE),
    ("help", 'PID "help" is not a positive integer: is the PID missing?', USAGE),
    (f"--configure {DEAD_PID} tap0", f"there is no process {DEAD_PID}", FAILED),
    ("--configure {own} tap0",
     "network namespace /proc/{own}/ns/net is the one that slirpd itself is in: make another one, "
     "as by unshare --user --map-root-user --net", FAILED),
    # PID 1 of the lab is of the same user, and has capabilities.
    ("--configure 1 tap0",
     "open network namespace /proc/1/ns/net: Permission denied; process 1 is not dumpable, or has "
     "capabilities that slirpd lacks", FAILED),
    ("--mtu=jumbo {pid} tap0", '--mtu: "jumbo" is not a number from 1 to 65521', USAGE),
    ("--ready-fd=x {pid} tap0", '--ready-fd: "x" is not the number of a descriptor', USAGE),
    ("--ready-fd=999 {pid} tap0", "--ready-fd 999: Bad file descriptor", USAGE),
    ("--mtu=60 -c {pid} tap0",
     "set the MTU of tap0 to 60: Invalid argument; an interface takes 68 or more", FAILED),
    ("--cidr=10.0.2.5/24 {pid} tap0",
     '--cidr: "10.0.2.5/24" is an address in a network; the network is 10.0.2.0/24', USAGE),
    ("--cidr=10.0.2.0 {pid} tap0", '--cidr: "10.0.2.0" has no prefix length', USAGE),
    ("--cidr=10.0.2.0/26 {pid} tap0", '--cidr: "10.0.2.0/26" has a prefix length outside 1 to 25',
     USAGE),
    ("--cidr=300.0.0.0/24 {pid} tap0", '--cidr: "300.0.0.0/24" has a wrong address', USAGE),
    ("-p8080:80 {pid} tap0", "invalid option -- 'p'; did you mean --publish?", USAGE),
    ("-V", "invalid option -- 'V'; did you mean --version?", USAGE),
    ("--publsh=8080:80 {pid} tap0", "'--publsh=8080:80'; did you mean --publish?", USAGE),
    ("--disable-hostloopback {pid} tap0",
     "'--disable-hostloopback'; did you mean --disable-host-loopback?", USAGE),
    ("--nonsense {pid} tap0", "unrecognized option '--nonsense'; see slirpd --help", USAGE),
    ("--macaddress=0a:0b:0c:0d:0e:0f {pid} tap0", "--macaddress needs --configure", USAGE),
    ("-c --macaddress=01:00:5e:00:00:01 {pid} tap0",
     '--macaddress: "01:00:5e:00:00:01" is a multicast address', USAGE),
    ("--pidfile={dir}/none/pid {pid} tap0",
     "PID file {dir}/none/pid: open its directory: No such file or directory", FAILED),
    ("--netns-type=path /run/nowhere tap0", '"/run/nowhere": No such file or directory', USAGE),
    ("--userns-path=/run/nowhere {pid} tap0",
     '--userns-path: "/run/nowhere": No such file or directory', USAGE),
    ("run --nonsense true", "unrecognized option '--nonsense'; see slirpd --help", RUN),
    ("run", "COMMAND is missing; usage: slirpd run [OPTION]... [--] COMMAND [ARG]...", RUN),
    ("run --mtu=60 true", "set the MTU of tap0 to 60: Invalid argument; an interface takes 68 or "
     "more", RUN),
    ("--log-level=loud {pid} tap0", '"info" or "debug", not "loud"', USAGE),
]


def assert_said(done: subprocess.CompletedProcess[str], text: str, status: int,
                name: str = "slirpd") -> None:
    """This text in the one line on standard error that is no warning, and this status."""
    lines = [line for line in done.stderr.splitlines()
             if not line.startswith(f"{name}: warning: ")]
    assert (len(lines), done.stdout) == (1, ""), done
    assert lines[0].startswith(f"{name}: ") and text in lines[0], lines[0]
    assert done.returncode == status, done


@pytest.mark.parametrize("arguments,text,status", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_mistake(guest: Guest, tmp_path: Path, arguments: str, text: str, status: int) -> None:
    with subprocess.Popen([*ORDINARY, "sleep", str(DEADLINE_S)]) as own:
        wait_for("it is an ordinary process", lambda: comm_of(own.pid) == "sleep")
        values = {"pid": guest.pid, "netns": guest.netns, "own": own.pid, "dir": tmp_path}
        done = run_slirpd(*arguments.format(**values).split())
        own.kill()
    assert_said(done, text.format(**values), status)
    assert guest.links() == {"lo"}
    assert os.listdir(tmp_path) == []


def test_slirp4netns_has_one_status_for_all(guest: Guest, tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "slirp4netns"
    link.symlink_to(Path(slirpd_path()).resolve())
    monkeypatch.setenv("SLIRPD", str(link))
    for argument, text in (("--nonsense", "unrecognized option '--nonsense'"),
                           ("--mtu=jumbo", "MTU must be a positive integer (< 65522)"),
                           ("--ready-fd=999", "--ready-fd 999: Bad file descriptor")):
        done = run_slirpd(argument, guest.pid, "tap0")
        assert_said(done, text, FAILED, name="slirp4netns")
    assert_said(run_slirpd(DEAD_PID, "tap0"), f"there is no process {DEAD_PID}", FAILED,
                name="slirp4netns")


def test_namespace_of_root(lab: object) -> None:
    """As made by `ip netns add`, and started by a user."""
    sh("ip", "netns", "add", "mistake")
    try:
        done = run_slirpd("-c", "--netns-type=path", "/run/netns/mistake", "tap0")
    finally:
        sh("ip", "netns", "del", "mistake")
    assert_said(done, "join network namespace /run/netns/mistake: Operation not permitted; it "
                      "belongs to ", FAILED)


def test_namespace_that_another_user_namespace_owns(guest: Guest) -> None:
    with Guest() as other:
        done = run_slirpd("-c", f"--userns-path={other.userns}", "--netns-type=path", guest.netns,
                          "tap0")
    assert_said(done, "Operation not permitted; it does not belong to the user namespace "
                      "that was joined: see --userns-path", FAILED)


def in_own_mounts(script: str, guest: Guest) -> subprocess.CompletedProcess[str]:
    """slirpd, as an ordinary user, with mounts that the script changes."""
    return subprocess.run(
        ["unshare", "--mount", "bash", "-ec", f'{script}; exec "$@"', "bash", *ORDINARY,
         slirpd_path(), "-c", str(guest.pid), "tap0"],
        text=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=DEADLINE_S)


def test_no_dev_net_tun(guest: Guest) -> None:
    assert_said(in_own_mounts("mount -t tmpfs none /dev/net", guest),
                "open /dev/net/tun: No such file or directory; as root: modprobe tun", FAILED)


def test_dev_net_tun_on_a_file_system_without_devices(guest: Guest) -> None:
    script = ("mount --bind /dev/net/tun /dev/net/tun && "
              "mount -o remount,bind,nodev /dev/net/tun")
    assert_said(in_own_mounts(script, guest),
                "open /dev/net/tun: Permission denied; its mode is 0666, so its file system may be "
                "mounted nodev", FAILED)


@pytest.mark.parametrize("file,mode,who", (("/proc/kmsg", "0400", "its owner"),
                                           ("/etc/shadow", "0640", "its owner and its group")))
def test_dev_net_tun_that_is_closed(guest: Guest, file: str, mode: str, who: str) -> None:
    """A file of the machine's root stands in for the device: nobody else here can own one."""
    assert_said(in_own_mounts(f"mount --bind {file} /dev/net/tun", guest),
                f"open /dev/net/tun: Permission denied; its mode is {mode}, so only {who} can open "
                "it; as root: chmod 0666 /dev/net/tun", FAILED)


@contextmanager
def privileged_ports() -> Iterator[None]:
    sysctl = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    before = sysctl.read_text()
    sysctl.write_text("1024\n")
    try:
        yield
    finally:
        sysctl.write_text(before)


def test_privileged_port(guest: Guest) -> None:
    with privileged_ports():
        done = run_slirpd("-c", "--publish=80:80", guest.pid, "tap0")
    assert_said(done, "--publish=80:80: port 80: the port needs a privilege: Permission denied; on "
                      "the host the sysctl net.ipv4.ip_unprivileged_port_start is 1024, and has to "
                      "be at most 80, or slirpd needs CAP_NET_BIND_SERVICE over the host's network; "
                      "ending", FAILED)


def test_user_namespaces_that_are_switched_off(guest: Guest) -> None:
    sysctl = Path("/proc/sys/user/max_user_namespaces")
    before = sysctl.read_text()
    sysctl.write_text("0\n")
    try:
        with Slirpd("-c", guest.pid, "tap0") as daemon:
            said = daemon.stderr
        alone = run_slirpd("--print-confinement", "--enable-sandbox")
    finally:
        sysctl.write_text(before)
    # The guest's user namespace is joined instead, and without a guest there is none.
    assert "switched off by sysctl user.max_user_namespaces=0" in said
    assert alone.returncode == FAILED and alone.stdout == ""
    assert ("jail stage namespaces: unshare: No space left on device; --disable-sandbox does "
            "without\n") in alone.stderr


def test_program_without_its_libexec(guest: Guest, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    shutil.copy2(slirpd_path(), tmp_path / "bin/slirpd")
    monkeypatch.setenv("SLIRPD", str(tmp_path / "bin/slirpd"))
    done = run_slirpd("-c", guest.pid, "tap0")
    assert_said(done, "slirpd-netns-helper: No such file or directory; slirpd needs its libexec "
                      "directory", FAILED)


def test_argument_after_the_socket_of_bess_is_a_warning(tmp_path: Path) -> None:
    with Slirpd("--target-type=bess", tmp_path / "sock", "tap0") as daemon:
        assert 'warning: too many arguments: "tap0"' in daemon.stderr


def test_second_slirpd_on_one_guest_is_warned_of(guest: Guest) -> None:
    same = (r"slirpd: warning: netns-helper\[\d+\]: tap0 has the address 10\.0\.2\.100 of tap1 "
            r"already, perhaps by another slirpd: give this one another network with --cidr\n")
    with Slirpd("-c", guest.pid, "tap0") as first:
        assert "warning" not in first.stderr
        with Slirpd("-c", guest.pid, "tap1") as second:
            assert re.search(same, second.stderr), second.stderr
        with Slirpd("-c", "--cidr=10.0.3.0/24", guest.pid, "tap1") as second:
            assert "warning" not in second.stderr


def test_slirpd_that_comes_back_to_its_tap_is_no_second_one(guest: Guest) -> None:
    guest.run("ip", "tuntap", "add", "tap0", "mode", "tap")
    for _ in range(2):
        with Slirpd("-c", guest.pid, "tap0") as daemon:
            assert "warning" not in daemon.stderr
