# SPDX-License-Identifier: BSD-2-Clause
"""The command line, as slirp4netns's clients use it: texts, statuses, probes, no traces.

Needs no namespace: a run either ends at its arguments, or at a PID that nobody has.
SLIRPD names the program under test.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SLIRPD = pathlib.Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()

# Above every pid_max, so nobody has it.
NO_PID = "2147483647"
NO_PROCESS = f"there is no process {NO_PID}"

# The exit status for a wrong command line.
USAGE_STATUS = 2

# No run here does more than read its arguments and start a program once.
DEADLINE_S = 20

OWN_NETNS = "/proc/self/ns/net"
OWN_USERNS = "/proc/self/ns/user"

CIDR_HINT = "CIDR needs to be a network address like 10.0.2.0/24, not like 10.0.2.100/24"
MTU_TEXT = "MTU must be a positive integer (< 65522)"
MAC_WITHOUT_C = "--macaddr cannot be specified when --configure or -c is not specified"

# What each client looks for in the output of --help.
HELP_PROBES = {
    "podman": [
        "--disable-host-loopback",
        "--mtu",
        "--enable-sandbox",
        "--enable-seccomp",
        "--cidr",
        "--outbound-addr",
        "--enable-ipv6",
    ],
    "rootlesskit": [
        "--netns-type",
        "--cidr",
        "--disable-host-loopback",
        "--api-socket",
        "--enable-sandbox",
        "--enable-seccomp",
        "--enable-ipv6",
    ],
    "all": [
        "--configure",
        "--exit-fd",
        "--ready-fd",
        "--mtu",
        "--enable-ipv6",
        "--api-socket",
        "--cidr",
        "--disable-host-loopback",
        "--netns-type",
        "--userns-path",
        "--enable-sandbox",
        "--enable-seccomp",
        "--outbound-addr",
        "--outbound-addr6",
        "--disable-dns",
        "--macaddress",
        "--target-type",
        "--help",
        "--version",
    ],
}


def session_members(sid):
    """The processes of a session, which no child of a daemon leaves without a setsid."""
    members = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text()
        except OSError:
            continue
        # The command, in brackets, may hold anything; the session is the 4th field after it.
        if int(stat.rpartition(")")[2].split()[3]) == sid:
            members.append(entry.name)
    return members


class Run:
    """The program in a directory of its own, under either name."""

    def __init__(self, directory):
        self.directory = directory / "work"
        self.directory.mkdir()
        names = directory / "names"
        names.mkdir()
        (names / "slirp4netns").symlink_to(SLIRPD)
        self.programs = {"slirpd": str(SLIRPD), "slirp4netns": str(names / "slirp4netns")}

    def files(self):
        return sorted(str(path) for path in self.directory.rglob("*"))

    def __call__(self, *args, name="slirpd", pass_fds=(), may_make=()):
        """may_make: files that may be there afterwards, and are removed."""
        env = {key: value for key, value in os.environ.items() if key != "POSIXLY_CORRECT"}
        env.update(TMPDIR=str(self.directory), XDG_RUNTIME_DIR=str(self.directory))
        before = self.files()
        process = subprocess.Popen(
            [self.programs[name], *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.directory,
            env=env,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        assert session_members(process.pid) == [], "processes were left"
        for file in may_make:
            (self.directory / file).unlink()
        assert self.files() == before, "files were made or removed"
        return subprocess.CompletedProcess(
            args, process.returncode, stdout.decode(), stderr.decode()
        )


@pytest.fixture
def run(tmp_path):
    assert SLIRPD.is_file(), f"not built: {SLIRPD}"
    return Run(tmp_path)


def assert_refused(result, *texts, name="slirpd", status=None):
    """Exit 2, as slirp4netns 1, nothing on stdout, one line on stderr with each of the texts."""
    wanted = status or (USAGE_STATUS if name == "slirpd" else 1)
    assert result.returncode == wanted, result
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and result.stderr.endswith("\n"), result.stderr
    assert lines[0].startswith(f"{name}: ")
    for text in texts:
        assert text in lines[0]


def assert_failed(result, *texts, **kwargs):
    """The same for a command line that is right, and a start that fails."""
    assert_refused(result, *texts, status=1, **kwargs)


def assert_known(run, text, *args):
    """Refused with this text as slirp4netns, whose clients know it."""
    assert_refused(run(*args, name="slirp4netns"), text, name="slirp4netns")


BAD_NUMBERS = ["", " ", "x", "12x", " 5", "5 ", "+5", "-5", "0x10", "1.5", "5\n"]
BAD_NUMBERS += ["2147483648", "4294967297", "18446744073709551617", "9" * 30]


@pytest.mark.parametrize("value", BAD_NUMBERS)
@pytest.mark.parametrize(
    "option, known, text",
    [
        ("--exit-fd", "exit-fd must be a non-negative integer", "is not the number of a descriptor"),
        ("--ready-fd", "ready-fd must be a non-negative integer",
         "is not the number of a descriptor"),
        ("--mtu", MTU_TEXT, "is not a number from 1 to 65521"),
    ],
)
def test_bad_numbers(run, option, known, text, value):
    shown = value.replace("\n", "\\x0a")
    for args in ([f"{option}={value}"], [option, value]):
        assert_known(run, known, *args, NO_PID, "tap0")
        assert_refused(run(*args, NO_PID, "tap0"), f'{option}: "{shown}" {text}')


@pytest.mark.parametrize("pid", BAD_NUMBERS + ["0", "self", "/proc/1/ns/net"])
def test_bad_pid(run, pid):
    assert_known(run, "PID must be a positive integer", "--", pid, "tap0")
    shown = pid.replace("\n", "\\x0a")
    assert_refused(run("--", pid, "tap0"), f'PID "{shown}" is not a positive integer')


@pytest.mark.parametrize("mtu", ["0", "65522", "65536", "1500000"])
def test_mtu_out_of_range(run, mtu):
    assert_known(run, MTU_TEXT, "-m", mtu, NO_PID, "tap0")
    assert_refused(run("-m", mtu, NO_PID, "tap0"), f'--mtu: "{mtu}"')


@pytest.mark.parametrize("mtu", ["1", "1500", "65520", "65521"])
def test_mtu_in_range(run, mtu):
    assert_failed(run("-m", mtu, NO_PID, "tap0"), NO_PROCESS)


@pytest.mark.parametrize(
    "cidr, text",
    [
        ("", "invalid CIDR: "),
        ("x", "invalid CIDR: x"),
        ("10.0.2.0", "invalid CIDR: 10.0.2.0"),
        ("10.0.2.0/x", "invalid CIDR: 10.0.2.0/x"),
        ("10.0.2.0/24x", "invalid CIDR: 10.0.2.0/24x"),
        ("fd00::/64", "invalid CIDR: fd00::/64"),
        ("300.0.0.0/24", "invalid network address: 300.0.0.0"),
        ("010.0.2.0/24", "invalid network address: 010.0.2.0"),
        ("10.0.2.0/0", "prefix length needs to be 1-25"),
        ("10.0.2.0/26", "prefix length needs to be 1-25"),
        ("10.0.2.1/26", "prefix length needs to be 1-25"),
        ("10.0.2.0/33", "prefix length needs to be 1-25"),
        ("10.0.2.1/24", CIDR_HINT),
        ("10.0.2.100/24", CIDR_HINT),
    ],
)
def test_bad_cidr(run, cidr, text):
    assert_known(run, text, f"--cidr={cidr}", NO_PID, "tap0")
    assert_refused(run(f"--cidr={cidr}", NO_PID, "tap0"), f'--cidr: "{cidr}" ')


@pytest.mark.parametrize("cidr", ["10.0.2.0/24", "10.0.2.128/25", "192.168.0.0/16", "128.0.0.0/1"])
def test_good_cidr(run, cidr):
    assert_failed(run(f"--cidr={cidr}", NO_PID, "tap0"), NO_PROCESS)


@pytest.mark.parametrize(
    "mac",
    [
        "",
        "x",
        "0a:0b:0c:0d:0e",
        "0a:0b:0c:0d:0e:0f:",
        "0a-0b-0c-0d-0e-0f",
        "0a:0b:0c:0d:0e:0g",
        "01:00:5e:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        "00:00:00:00:00:00",
    ],
)
def test_bad_macaddress(run, mac):
    result = run("-c", f"--macaddress={mac}", NO_PID, "tap0")
    assert_refused(result, f'--macaddress: "{mac}" is ')
    assert_known(run, f'"{mac}" is an invalid MAC address.', "-c", f"--macaddress={mac}", NO_PID,
                 "tap0")


@pytest.mark.parametrize("mac", ["0a:0b:0c:0d:0e:0f", "x"])
def test_macaddress_without_configure(run, mac):
    assert_known(run, MAC_WITHOUT_C, f"--macaddress={mac}", NO_PID, "tap0")
    assert_refused(run(f"--macaddress={mac}", NO_PID, "tap0"), "--macaddress needs --configure")


def test_unknown_netns_type_lists_all(run):
    result = run("--netns-type=foo", NO_PID, "tap0")
    assert_refused(result, "--netns-type", '"pid"', '"path"', '"tapfd"', '"foo"')


def test_unknown_target_type(run):
    text = '--target-type must be either "netns" or "bess"'
    assert_known(run, text, "--target-type=foo", NO_PID, "tap0")
    assert_refused(run("--target-type=foo", NO_PID, "tap0"),
                   '--target-type must be "netns" or "bess", not "foo"')


@pytest.mark.parametrize(
    "option, path",
    [
        ("--configure", None),
        ("--netns-type=pid", None),
        ("--netns-type=path", None),
        ("--userns-path", OWN_USERNS),
    ],
)
def test_conflicts_with_bess(run, option, path):
    args = [option] if path is None else [f"{option}={path}"]
    result = run("--target-type=bess", *args, "none.sock")
    assert_refused(result, f"{option.partition('=')[0]} conflicts with --target-type=bess")


@pytest.mark.parametrize("option", ["--configure", f"--userns-path={OWN_USERNS}"])
def test_conflicts_with_tapfd(run, option):
    result = run("--netns-type=tapfd", option, "0")
    assert_refused(result, f"{option.partition('=')[0]} conflicts with --netns-type=tapfd")


@pytest.mark.parametrize("fd", ["x", "-1", "5x", ""])
def test_bad_tapfd(run, fd):
    text = f'FD must be a non-negative integer when --netns-type=tapfd, not "{fd}"'
    assert_refused(run("--netns-type=tapfd", "--", fd), text)


def test_missing_netns_path(run):
    text = "existing path expected when --netns-type=path"
    assert_refused(run("--netns-type=path", "none", "tap0"), text, '"none"', "No such file")
    assert_refused(run("--netns-type=path", "", "tap0"), text)


def test_netns_path_of_the_wrong_kind(run):
    text = "existing path expected when --netns-type=path"
    os.mkfifo(run.directory / "fifo")
    for path in [".", "/dev/null", "fifo"]:
        assert_refused(run("--netns-type=path", path, "tap0"), text, f'"{path}"')


def test_missing_userns_path(run):
    assert_known(run, "userns path doesn't exist: none", "--userns-path=none", NO_PID, "tap0")
    result = run("--userns-path=none", NO_PID, "tap0")
    assert_refused(result, '--userns-path: "none": No such file or directory')


def test_userns_path_of_the_wrong_kind(run):
    assert_refused(run("--userns-path=.", NO_PID, "tap0"), "--userns-path", '"."')


def test_ready_and_exit_on_one_descriptor(run):
    assert_refused(run("-r3", "-e3", NO_PID, "tap0"), "--ready-fd", "--exit-fd", "3")


@pytest.mark.parametrize("option", ["--ready-fd", "--exit-fd"])
def test_descriptor_that_is_not_open(run, option):
    assert_refused(run(f"{option}=999", NO_PID, "tap0"), option, "999", "Bad file descriptor")


@pytest.mark.parametrize("option", ["--ready-fd", "--exit-fd"])
def test_descriptor_that_is_not_open_is_none_of_our_own(run, tmp_path, option):
    """The log file would get the first numbers that are free, as would a duplicate of stderr."""
    for number in ("3", "4"):
        result = run(f"--log-file={tmp_path}/log", f"{option}={number}", NO_PID, "tap0")
        assert_refused(result, f"{option} {number}: Bad file descriptor")


def test_api_socket_path_too_long(run):
    text = "the specified API socket path is too long (>= 108)"
    assert_known(run, text, "--api-socket", "p" * 108, NO_PID, "tap0")
    assert_refused(run("--api-socket", "p" * 108, NO_PID, "tap0"), '--api-socket: "ppp', "at most 107")
    assert text not in run("--api-socket", "p" * 107, NO_PID, "tap0").stderr


def test_api_socket_on_what_is_no_socket(run):
    (run.directory / "file").write_text("precious")
    (run.directory / "link").symlink_to("file")
    for path, reason in [
        (".", '"." is a directory'),
        ("file", '"file" is not a socket'),
        ("link", '"link" is not a socket'),
        ("file/x", '"file/x": Not a directory'),
        ("", '"" is empty'),
    ]:
        result = run(f"--api-socket={path}", NO_PID, "tap0")
        assert_refused(result, "--api-socket", reason)
    assert (run.directory / "file").read_text() == "precious"


@pytest.mark.parametrize(
    "option",
    ["--outbound-addr=::1", "--outbound-addr=a/b", "--outbound-addr=224.0.0.1",
     "--outbound-addr6=a b", "--outbound-addr6=ff02::1"],
)
def test_bad_outbound_addr(run, option):
    name, _, value = option.partition("=")
    assert_refused(run(option, NO_PID, "tap0"), f"{name}: ", f'"{value}"')


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a" * 16, "a/b", "a b", "a\tb", "a:b", "tap%d"]
)
def test_bad_tapname(run, name):
    shown = name.replace("\t", "\\x09")
    assert_refused(run(NO_PID, name), f'TAPNAME "{shown}"', "1 to 15 bytes")


@pytest.mark.parametrize("name", ["t", "a" * 15, "tap-0.1"])
def test_good_tapname(run, name):
    assert_failed(run(NO_PID, name), NO_PROCESS)


@pytest.mark.parametrize(
    "args", [[], ["-c"], [NO_PID], ["--netns-type=path", OWN_NETNS], ["--netns-type=tapfd"]]
)
def test_missing_arguments_tell_the_usage(run, args):
    result = run(*args)
    assert_refused(result, "missing", "usage: slirpd [OPTION]... PID|PATH|FD [TAPNAME]")


def test_surplus_arguments_are_a_warning(run):
    result = run(NO_PID, "tap0", "more", "yet-more")
    lines = result.stderr.splitlines()
    assert result.returncode == 1 and len(lines) == 2
    assert "too many arguments" in lines[0] and '"more"' in lines[0]
    assert NO_PROCESS in lines[1]


@pytest.mark.parametrize(
    "option, deprecated_for",
    [
        ("--no-host-loopback", "--disable-host-loopback"),
        ("--create-sandbox", "--enable-sandbox"),
    ],
)
def test_deprecated_spelling_is_a_warning(run, option, deprecated_for):
    result = run(option, option, NO_PID, "tap0")
    lines = result.stderr.splitlines()
    assert result.returncode == 1 and len(lines) == 2
    assert option in lines[0] and "deprecated" in lines[0] and deprecated_for in lines[0]


@pytest.mark.parametrize(
    "args, texts",
    [
        (["--bogus"], ["unrecognized option '--bogus'"]),
        (["--bogus=1"], ["unrecognized option '--bogus=1'"]),
        (["-Z"], ["invalid option -- 'Z'"]),
        (["--mtu"], ["option '--mtu' requires an argument"]),
        (["-m"], ["option '--mtu' requires an argument"]),
        (["--configure=yes"], ["option '--configure' doesn't allow an argument"]),
        (
            ["--enable-s"],
            ["option '--enable-s' is ambiguous", "'--enable-sandbox'", "'--enable-seccomp'"],
        ),
        (["--m=1"], ["option '--m=1' is ambiguous", "'--mtu'", "'--macaddress'"]),
    ],
)
def test_syntax_errors(run, args, texts):
    assert_refused(run(NO_PID, "tap0", *args), *texts)
    assert_refused(run(NO_PID, "tap0", *args, name="slirp4netns"), *texts, name="slirp4netns")


# Each is as right as can be, and so gets to the target, which doesn't exist.
@pytest.mark.parametrize(
    "args",
    [
        ["--conf", NO_PID, "tap0"],
        ["--disable-h", NO_PID, "tap0"],
        ["--cidr=10.0.3.0/24", NO_PID, "tap0"],
        ["--net=pid", NO_PID, "tap0"],
        [f"--user={OWN_USERNS}", NO_PID, "tap0"],
        ["-c", "--mac=0a:0b:0c:0d:0e:0f", NO_PID, "tap0"],
        [NO_PID, "-c6", "tap0", "--mtu", "65520"],
        ["-cm65520", "--disable-dns", "--enable-ipv6", "--", NO_PID, "tap0"],
        ["--target-type=netns", "--netns-type=pid", NO_PID, "tap0"],
    ],
)
def test_abbreviations_and_orders(run, args):
    assert_failed(run(*args), NO_PROCESS)


@pytest.mark.parametrize(
    "ready, exit_",
    [("--ready=", "--exit="), ("-r", "-e"), ("--ready-fd=", "--exit-fd=")],
)
def test_ready_fd_of_a_failed_start_stays_empty(run, ready, exit_):
    ready_read, ready_write = os.pipe()
    exit_read, exit_write = os.pipe()
    try:
        result = run(
            f"{ready}{ready_write}",
            f"{exit_}{exit_read}",
            NO_PID,
            "tap0",
            pass_fds=(ready_write, exit_read),
        )
        assert_failed(result, NO_PROCESS)
        os.close(ready_write)
        ready_write = -1
        assert os.read(ready_read, 16) == b""
    finally:
        for fd in (ready_read, ready_write, exit_read, exit_write):
            if fd != -1:
                os.close(fd)


def test_values_of_one_line(run):
    """A value with a line break in it doesn't make a second line."""
    assert_refused(run("--cidr=a\nb\x1b[1m", NO_PID, "tap0"), '--cidr: "a\\x0ab\\x1b[1m" ')
    assert_refused(run("--netns-type=path", "n" * 100000, "tap0"), "File name too long")


@pytest.mark.parametrize("value,reason", [
    ("80", "not of the form"),
    ("1:2:3:4:5", "not of the form"),
    ("", "not of the form"),
    ("80:80/sctp", "neither /tcp nor /udp"),
    ("0:80", "port"),
    ("80:65536", "port"),
    ("http:80", "port"),
    ("8000-8009:65530", "beyond 65535"),
    ("8000-8009:80-88", "differ in length"),
    ("8009-8000:80", "below the first"),
    ("10.0.0.256:80:80", "address"),
])
def test_bad_publish(run, value, reason):
    result = run("--publish", value, NO_PID, "tap0")
    assert_refused(result, f'--publish: "{value}": ', reason)


def test_a_stale_api_socket_is_left_by_a_failed_run(run):
    path = run.directory / "stale.sock"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        inode = path.stat().st_ino
        assert run("--api-socket=stale.sock", "-m0", NO_PID, "tap0").returncode == USAGE_STATUS
        assert path.stat().st_ino == inode


@pytest.mark.parametrize("name", ["slirpd", "slirp4netns"])
@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("client", sorted(HELP_PROBES))
def test_help_has_what_clients_look_for(run, client, option, name):
    result = run(option, name=name)
    assert result.returncode == 0 and result.stderr == ""
    assert result.stdout.splitlines()[0] == f"Usage: {name} [OPTION]... PID|PATH|FD [TAPNAME]"
    for probe in HELP_PROBES[client]:
        assert probe in result.stdout


def test_help_as_docker_greps_it(run):
    text = run("--help").stdout
    for option in HELP_PROBES["all"]:
        subprocess.run(["grep", "-qw", "--", option], input=text.encode(), check=True)


def test_every_option_of_help_is_supported(run):
    assert "not supported" not in run("--help").stdout


@pytest.mark.parametrize("name", ["slirpd", "slirp4netns"])
@pytest.mark.parametrize("option", ["--version", "-v"])
def test_version(run, option, name):
    result = run(option, name=name)
    assert result.returncode == 0 and result.stderr == ""
    lines = result.stdout.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(rf"{name} version \d+\.\d+\.\d+\S*", lines[0])
    assert re.fullmatch(r"commit: \S+", lines[1])
    assert re.fullmatch(r"libslirp: \d+\.\d+\.\d+\S*", lines[2])
    assert re.fullmatch(r"SLIRP_CONFIG_VERSION_MAX: \d+", lines[3])
    assert re.fullmatch(r"libseccomp: \d+\.\d+\.\d+", lines[4])


def test_version_as_docker_reads_it(run):
    """The version is the last word of its line, the commit what follows "commit:"."""
    found = {}
    for line in run("--version", name="slirp4netns").stdout.splitlines():
        for key in ("version", "commit:"):
            before, separator, after = line.partition(key)
            if separator and key not in found:
                found[key] = after.strip()
    assert found["version"] and found["commit:"]
    assert " " not in found["version"] and " " not in found["commit:"]


def test_help_and_version_win_over_what_follows(run):
    assert run("--help", "--bogus").returncode == 0
    assert run("--enable-sandbox", "--version", "--bogus").returncode == 0
    assert_refused(run("--bogus", "--help"), "--bogus")
