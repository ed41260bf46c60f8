# SPDX-License-Identifier: BSD-2-Clause
"""`slirpd run`: one command with a network of its own, which slirpd starts and ends with."""

from __future__ import annotations

import contextlib
import errno
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api_client import execute
from commands import ORDINARY
from daemon import SlirpdRun, run_slirpd
from forwarding import from_host, from_internet
from lab import DOWNLOAD_BYTES, HOST4, INTERNET4, WORD_NAME, Lab, http_url
from processes import all_pids, descendants, holdings, program_of
from servers import listener
from tree import slirpd_path
from waiting import DEADLINE_S, wait_for

GATEWAY4 = "10.0.2.2"
NAMESERVERS = "nameserver 10.0.2.3\nnameserver fd00::3\n"

OWN_FAILURE, NOT_EXECUTABLE, NOT_FOUND, SIGNAL_BASE = 125, 126, 127, 128


def run(*argv: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return run_slirpd("run", *argv, **kwargs)


def sh(script: str, *options: object, **kwargs: object) -> str:
    """What a shell script prints that slirpd runs, when all goes well."""
    done = run(*options, "--", "sh", "-euc", script, **kwargs)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


@contextlib.contextmanager
def etc(tmp_path: Path) -> Iterator[list[str]]:
    """The prefix of programs for which $ETC, an empty directory, is /etc and the host's
    /etc/resolv.conf is missing."""
    directory = tmp_path / "etc"
    directory.mkdir()
    (directory / "passwd").write_text("root:x:0:0::/:/bin/sh\n")
    (directory / "subdirectory").mkdir()
    os.environ["ETC"] = str(directory)
    yield ["unshare", "--mount", "sh", "-euc",
           'mount --bind "$ETC" /etc; eval "$PREPARE"; exec "$@"', "sh", *ORDINARY]
    del os.environ["ETC"]


def run_in(prefix: list[str], prepare: str, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*prefix, slirpd_path(), "run", *argv], text=True, capture_output=True,
                          timeout=DEADLINE_S, stdin=subprocess.DEVNULL,
                          env=os.environ | {"PREPARE": prepare})


# --- the network ------------------------------------------------------------------------------


def test_command_has_loopback_tap_and_internet() -> None:
    out = sh(f"ip -o link | cut -d: -f2; ip -4 -o addr show dev tap0; ping -c 1 127.0.0.1 >/dev/null;"
             f"curl -sf -m 20 {http_url(INTERNET4, 'hello')}")
    assert out.split()[:2] == ["lo", "tap0"]
    assert "10.0.2.100/24" in out and out.endswith("hello\n")


def test_command_finds_names() -> None:
    assert INTERNET4 in sh(f"getent ahostsv4 {WORD_NAME}")


def test_network_is_there_when_the_command_starts() -> None:
    """The command need not wait for it."""
    for _ in range(20):
        assert "tap0\t00000000\t0202000A\t" in run("cat", "/proc/self/net/route").stdout


def test_options_shape_the_network() -> None:
    out = sh("ip addr show dev tap0; cat /etc/resolv.conf", "--cidr=192.168.77.0/24", "--mtu=9000",
             "--macaddress=0a:0b:0c:0d:0e:0f")
    assert "192.168.77.100/24" in out and "mtu 9000" in out and "0a:0b:0c:0d:0e:0f" in out
    assert out.endswith("\nnameserver 192.168.77.3\n")


@pytest.mark.parametrize("options,is_open", [((), False), (("--allow-host-loopback",), True)],
                         ids=["closed", "open"])
def test_host_loopback_is_closed_unless_allowed(options: tuple[str, ...], is_open: bool) -> None:
    with listener(Lab.host_netns, "127.0.0.1") as sock:
        port = sock.getsockname()[1]
        done = run(*options, sys.executable, "-c",
                   f"import socket; socket.create_connection(('{GATEWAY4}', {port}), 20)")
    assert (done.returncode == 0) == is_open, done.stderr
    if not is_open:
        assert "Network is unreachable" in done.stderr


def test_published_port_is_reached_from_outside(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("published\n")
    with SlirpdRun("--publish=8080:80", "--publish=127.0.0.1:8081:80", "--", sys.executable, "-m",
                 "http.server", "80", prefix=("env", f"--chdir={tmp_path}")) as daemon:
        for connect, address, port in ((from_internet, HOST4, 8080), (from_host, "127.0.0.1", 8081)):
            def page(connect=connect, address=address, port=port) -> bytes:
                # A forwarded port accepts before the guest listens.
                with contextlib.suppress(ConnectionError), connect(address, port) as sock:
                    sock.sendall(b"GET /page HTTP/1.0\r\n\r\n")
                    return sock.makefile("rb").read()
                return b""
            assert wait_for("the page", page).endswith(b"published\n")
        assert daemon.terminate() == SIGNAL_BASE + signal.SIGTERM


def test_control_socket_and_pidfile(tmp_path: Path) -> None:
    with SlirpdRun(f"--api-socket={tmp_path}/api", f"--pidfile={tmp_path}/pid", "cat",
                 "/dev/zero") as daemon:
        assert int((tmp_path / "pid").read_text()) == daemon.pid
        assert execute(str(tmp_path / "api"), "query_status")["return"]["pids"]["parent"] == daemon.pid
        os.kill(daemon.command(), signal.SIGKILL)
        assert daemon.wait() == SIGNAL_BASE + signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


# --- /etc/resolv.conf -------------------------------------------------------------------------


def test_resolv_conf_names_the_guests_servers_and_nothing_else() -> None:
    before = Path("/etc/resolv.conf").read_text()
    assert sh("cat /etc/resolv.conf") == NAMESERVERS.splitlines(True)[0]
    assert sh("cat /etc/resolv.conf", "--enable-ipv6") == NAMESERVERS
    assert sh("echo mine >/etc/resolv.conf; cat /etc/resolv.conf") == "mine\n"
    assert sh("cat /etc/resolv.conf", "--disable-dns") == before
    assert Path("/etc/resolv.conf").read_text() == before


@pytest.mark.parametrize("umask", (0o000, 0o077))
def test_resolv_conf_is_readable_to_all_whatever_the_umask(umask: int) -> None:
    out = run("stat", "-c", "%a", "/etc/resolv.conf", umask=umask).stdout
    assert out == "644\n"


MISSING = {
    "missing": "true",
    "dangling": 'ln -s ../run/nobody/made/this "$ETC/resolv.conf"',
    "circle": 'ln -s resolv.conf "$ETC/resolv.conf"',
}


@pytest.mark.parametrize("prepare", MISSING.values(), ids=MISSING)
def test_without_resolv_conf_an_overlay_has_one(tmp_path: Path, prepare: str) -> None:
    with etc(tmp_path) as prefix:
        done = run_in(prefix, prepare, "--log-level=error", "sh", "-euc",
                      "cat /etc/resolv.conf; ls /etc; echo new >/etc/new; rm /etc/passwd")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["nameserver", "10.0.2.3", "passwd", "resolv.conf", "subdirectory"]
    left = {path.name for path in (tmp_path / "etc").iterdir()} - {"resolv.conf"}
    assert left == {"passwd", "subdirectory"}, "the command has written to the host's /etc"


def test_warning_if_there_can_be_no_resolv_conf(tmp_path: Path) -> None:
    """The kernel makes no overlay of a directory with mounts of somebody else below."""
    with etc(tmp_path) as prefix:
        done = run_in(prefix, 'mount -t tmpfs none "/etc/subdirectory"', "sh", "-c",
                      "echo started; cat /etc/resolv.conf || exit 3")
    assert (done.returncode, done.stdout) == (3, "started\n")
    assert "there is no /etc/resolv.conf to cover" in done.stderr
    assert "an empty file there would do" in done.stderr


def test_symbolic_link_is_followed_and_stays(tmp_path: Path) -> None:
    target = tmp_path / "stub-resolv.conf"
    target.write_text("nameserver 127.0.0.53\n")
    with etc(tmp_path) as prefix:
        done = run_in(prefix, f'ln -s "{target}" "$ETC/resolv.conf"', "sh", "-euc",
                      f"cat /etc/resolv.conf; readlink /etc/resolv.conf; cat {target}")
    line = "nameserver 10.0.2.3\n"
    assert (done.returncode, done.stdout) == (0, f"{line}{target}\n{line}"), done.stderr
    assert target.read_text() == "nameserver 127.0.0.53\n"


def test_read_only_root(tmp_path: Path) -> None:
    with etc(tmp_path) as prefix:
        done = run_in(prefix, 'touch /etc/resolv.conf; mount -o remount,ro,bind /etc;'
                      'mount --rbind / /mnt; mount -o remount,ro,bind /mnt; cd /mnt',
                      "sh", "-euc", "cat /etc/resolv.conf; ! touch /etc/x 2>/dev/null")
    assert (done.returncode, done.stdout) == (0, "nameserver 10.0.2.3\n"), done.stderr


# --- the command's world ----------------------------------------------------------------------


def test_command_is_root_inside_and_the_caller_outside(tmp_path: Path) -> None:
    out = sh(f"id -u; id -g; touch {tmp_path}/made; cat /proc/self/setgroups;"
             "grep CapEff /proc/self/status")
    uid, gid, setgroups, _, capabilities = out.split()
    assert (uid, gid, setgroups) == ("0", "0", "deny")
    assert int(capabilities, 16) != 0
    assert (tmp_path / "made").stat().st_uid == os.getuid()


def test_keep_id_keeps_ids_and_gives_no_capability() -> None:
    out = sh("id -u; id -g; grep -h 'CapEff\\|CapBnd' /proc/self/status", "--keep-id")
    uid, gid, _, effective, _, _ = out.split()
    assert (int(uid), int(gid)) == (os.getuid(), os.getgid())
    assert int(effective, 16) == 0


def test_directory_environment_and_descriptors_are_the_callers(tmp_path: Path) -> None:
    here = tmp_path / "directory with a space"
    here.mkdir()
    read_fd, write_fd = os.pipe()
    environment = {"PATH": os.environ["PATH"], "EMPTY": "", "WORD": "two words", "NEWLINE": "a\nb"}
    done = run("sh", "-c", "pwd; env -0; echo; exec ls /proc/self/fd", cwd=here, env=environment,
               pass_fds=(write_fd,))
    os.close(read_fd)
    os.close(write_fd)
    directory, _, rest = done.stdout.partition("\n")
    variables, _, fds = rest.rpartition("\0\n")
    assert directory == str(here)
    got = dict(variable.split("=", 1) for variable in variables.split("\0"))
    assert {name: got[name] for name in got if name not in ("PWD", "_", "OLDPWD", "SHLVL")} == environment
    # ls has opened the directory that it lists.
    assert len(fds.split()) == 5 and {"0", "1", "2", str(write_fd)} < set(fds.split())


def test_arguments_are_the_callers() -> None:
    words = ["-6", "", "two words", "--mtu=5", "--", "%s", "\xe9"]
    done = run("printf", "[%s]", *words)
    assert done.stdout == "".join(f"[{word}]" for word in words)


# Python ignores two signals by itself.
SET_SIGNALS = """
import os, signal, sys
ignored, blocked = eval(sys.argv[1])
for number in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(number, signal.SIG_DFL)
for number in ignored:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("ignored,blocked", [
    ((), ()),
    ((signal.SIGHUP, signal.SIGINT), (signal.SIGUSR2,)),
    ((signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1), (signal.SIGTERM, signal.SIGINT)),
    ((signal.SIGPIPE, signal.SIGQUIT, signal.SIGXFSZ), (signal.SIGHUP, signal.SIGCHLD)),
])
def test_signals_are_as_the_caller_has_them(ignored: tuple[int, ...],
                                            blocked: tuple[int, ...]) -> None:
    numbers = repr([[int(number) for number in group] for group in (ignored, blocked)])
    done = run("grep", "-h", "SigBlk\\|SigIgn", "/proc/self/status",
               prefix=[sys.executable, "-Ic", SET_SIGNALS, numbers])
    _, masks, _, ignores = done.stdout.split()
    for got, wanted in ((masks, blocked), (ignores, ignored)):
        assert int(got, 16) == sum(1 << (number - 1) for number in wanted), done


def test_standard_output_and_error_are_the_commands() -> None:
    done = run("sh", "-c", "echo out; echo err >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")


def test_standard_input_arrives_whole(lab: Lab) -> None:
    path = lab.big_file()
    assert path.stat().st_size == DOWNLOAD_BYTES
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as source:
        done = subprocess.run([*ORDINARY, slirpd_path(), "run", "sha256sum"], stdin=source.stdout,
                              capture_output=True, text=True, timeout=3 * DEADLINE_S)
    assert done.stdout.split()[0] == lab.download_sha256
    assert (done.returncode, done.stderr) == (0, "")


def test_descriptors_that_were_closed_are_null_devices() -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&- 2>&-', "sh", *ORDINARY, slirpd_path(), "run", "readlink",
         "/proc/self/fd/0", "/proc/self/fd/2"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert (done.returncode, done.stdout) == (0, "/dev/null\n" * 2)


def test_nothing_is_left_behind() -> None:
    run("true")
    before = holdings()
    for script in ("true", "mount -t tmpfs none /mnt; ip link add d type dummy; exit 3", "kill -9 $$"):
        run("sh", "-c", script)
    assert holdings() == before


# --- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", (0, 1, 7, 125, 255))
def test_status_is_the_commands(status: int) -> None:
    done = run("sh", "-c", f"exit {status}")
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGHUP))
def test_signal_that_ends_the_command_is_in_the_status(number: signal.Signals) -> None:
    done = run("sh", "-c", f"kill -{int(number)} $$")
    assert (done.returncode, done.stderr) == (SIGNAL_BASE + number, "")


def test_command_that_is_not_found_or_not_executable(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o644)
    (tmp_path / "script").touch(mode=0o755)
    (tmp_path / "script").write_text("#!/no/such/interpreter\n")
    environment = {"PATH": "/usr/bin:/bin"}
    for command, status, why in (
            ("no-such-command", NOT_FOUND, "No such file or directory"),
            (f"{tmp_path}/none", NOT_FOUND, "No such file or directory"),
            (f"{tmp_path}/file", NOT_EXECUTABLE, "Permission denied"),
            (f"{tmp_path}/script", NOT_FOUND, "No such file or directory"),
            (str(tmp_path), NOT_EXECUTABLE, "Permission denied"),
            ("a\nb", NOT_FOUND, "No such file or directory")):
        done = run(command, env=environment)
        assert done.returncode == status, done
        assert done.stderr.endswith(f'": {why}\n') and done.stderr.count("\n") == 1, done
        assert done.stderr.startswith('slirpd: cannot execute "'), done


@pytest.mark.parametrize("argv,said", [
    ((), "COMMAND is missing"),
    (("--mtu=0", "true"), "--mtu: \"0\" is not a number"),
    (("--netns-type=path", "true"), "run conflicts with --netns-type"),
    (("--publish=192.0.2.77:8080:80", "touch", "{}"), "--publish"),
    (("--api-socket=/none/x", "touch", "{}"), "API socket"),
    (("--outbound-addr=192.0.2.77", "touch", "{}"), "--outbound-addr"),
], ids=("no-command", "value", "conflict", "publish", "api-socket", "outbound"))
def test_own_failure_is_125_and_starts_nothing(tmp_path: Path, argv: tuple[str, ...],
                                               said: str) -> None:
    done = run(*(word.format(tmp_path / "started") for word in argv))
    assert done.returncode == OWN_FAILURE and said in done.stderr, done
    assert not (tmp_path / "started").exists()


def test_without_user_namespaces_the_reason_is_told() -> None:
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "sh", "-c",
         'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"', "sh",
         slirpd_path(), "run", "true"], capture_output=True, text=True, timeout=DEADLINE_S)
    assert done.returncode == OWN_FAILURE
    assert "user.max_user_namespaces=0" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGHUP))
def test_signal_is_passed_on_and_slirpd_waits(number: signal.Signals) -> None:
    name = number.name.removeprefix("SIG")
    with SlirpdRun("sh", "-c", f"trap 'echo caught; read line; exit 5' {name}; echo set; "
                 "while :; do sleep 0.05; done") as daemon:
        daemon.wait_said("set")
        daemon.process.send_signal(number)
        daemon.wait_said("caught")
        assert daemon.wait() == 5


def test_sigint_that_nobody_typed_is_ignored() -> None:
    """It can't be told from that of a terminal, which the command gets as well."""
    with SlirpdRun("sh", "-c", "trap 'exit 5' INT; echo set; while :; do sleep 0.05; done") as daemon:
        daemon.wait_said("set")
        daemon.process.send_signal(signal.SIGINT)
        daemon.process.send_signal(signal.SIGQUIT)
        daemon.counters()  # it still answers
        assert daemon.process.poll() is None
        assert daemon.terminate() == SIGNAL_BASE + signal.SIGTERM


def test_signal_before_the_command_starts_ends_it() -> None:
    """The process waits for the network, which a stopped worker holds up."""
    for _ in range(20):
        daemon = SlirpdRun("sh", "-c", "while :; do sleep 0.05; done", ready=False).start()
        daemon.process.send_signal(signal.SIGTERM)
        # As long as slirpd has not blocked it, the kernel ends it.
        assert daemon.wait() in (SIGNAL_BASE + signal.SIGTERM, -signal.SIGTERM)


def test_sigkill_of_slirpd_kills_the_command() -> None:
    with SlirpdRun("sleep", "1000") as daemon:
        pid = daemon.wait_command("sleep")
        daemon.kill()
        daemon.wait_family_gone()
        assert pid not in all_pids()


@pytest.mark.parametrize("keep_id", ((), ("--keep-id",)), ids=("root", "keep-id"))
def test_sigkill_of_slirpd_kills_a_command_whatever_its_ids(keep_id: tuple[str, ...]) -> None:
    with SlirpdRun(*keep_id, "sh", "-c", "trap '' TERM HUP INT; echo set; exec sleep 1000") as daemon:
        daemon.wait_said("set")
        pid = daemon.wait_command("sleep")
        daemon.kill()
        wait_for("the command is gone", lambda: pid not in all_pids())


def test_sigkill_of_the_worker_ends_the_command(tmp_path: Path) -> None:
    with SlirpdRun("--restart=no", "sh", "-c",
                   f"trap 'echo end >{tmp_path}/end; exit' TERM; echo set; "
                   "while :; do sleep 0.05; done", abnormal=True) as daemon:
        daemon.wait_said("set")
        os.kill(daemon.children()["slirp-worker"], signal.SIGKILL)
        assert daemon.wait() == OWN_FAILURE
    assert (tmp_path / "end").read_text() == "end\n"


def test_command_that_does_not_end_is_killed(tmp_path: Path) -> None:
    with SlirpdRun("sh", "-c", "trap '' TERM; echo set; while :; do sleep 0.05; done",
                 exit_fd=True) as daemon:
        daemon.wait_said("set")
        daemon.hang_up()
        assert daemon.wait() == SIGNAL_BASE + signal.SIGKILL
        assert "the command does not end by itself; killing it" in daemon.stderr


def test_exit_fd_ends_the_command() -> None:
    with SlirpdRun("sh", "-c", "trap 'exit 6' TERM; echo set; while :; do sleep 0.05; done",
                 exit_fd=True) as daemon:
        daemon.wait_said("set")
        daemon.hang_up()
        assert daemon.wait() == 6


def test_command_does_not_wait_for_those_that_it_leaves() -> None:
    done = run("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $!")
    assert done.returncode == 0
    os.kill(int(done.stdout), signal.SIGKILL)


def test_killed_api_is_started_again_beside_a_command(tmp_path: Path) -> None:
    with SlirpdRun(f"--api-socket={tmp_path}/api", "sleep", "1000", abnormal=True) as daemon:
        daemon.wait_command("sleep")
        old = daemon.children()["api"]
        os.kill(old, signal.SIGKILL)
        wait_for("another api", lambda: daemon.children().get("api", old) != old)
        os.kill(daemon.wait_command("sleep"), signal.SIGTERM)
        assert daemon.wait() == SIGNAL_BASE + signal.SIGTERM


# --- a terminal -------------------------------------------------------------------------------


class Terminal:
    """slirpd, or a shell, at a terminal of its own."""

    def __init__(self, *argv: str) -> None:
        self.argv = argv
        self.said = ""

    def __enter__(self) -> Terminal:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvp(self.argv[0], self.argv)
            finally:
                os._exit(99)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def _take(self, timeout_s: float) -> bool:
        if not select.select([self.fd], [], [], timeout_s)[0]:
            return True
        try:
            piece = os.read(self.fd, 4096)
        except OSError as error:  # nobody has the other end any more
            assert error.errno == errno.EIO
            return False
        self.said += piece.decode(errors="replace")
        return bool(piece)

    def wait_said(self, text: str) -> None:
        """Waits until this is said, and forgets it and all before."""
        def is_said() -> bool:
            self._take(0)
            return text in self.said
        wait_for(f"{text!r} at the terminal, not {self.said!r}", is_said)
        self.said = self.said.partition(text)[2]

    def wait(self) -> int:
        end = time.monotonic() + DEADLINE_S
        while self._take(0.1) and time.monotonic() < end:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def at_terminal(*argv: str) -> Terminal:
    return Terminal(*ORDINARY, slirpd_path(), "run", *argv)


def test_command_has_the_terminal() -> None:
    with at_terminal("sh", "-c", "tty; ps -o stat= -p $$; read line; echo got $line; exit 4") as term:
        term.wait_said("/dev/pts/")
        term.wait_said("+")  # of the foreground
        term.type("word\n")
        term.wait_said("got word")
        assert term.wait() == 4


KEYS = {"SIGINT": "\x03", "SIGQUIT": "\x1c"}


@pytest.mark.parametrize("name", KEYS)
def test_key_is_for_the_command_and_the_network_goes_on(name: str) -> None:
    script = (f"trap 'echo caught' {name.removeprefix('SIG')}; echo set; read line; "
              f"curl -sf -m 20 {http_url(INTERNET4, 'hello')}; exit 9")
    with at_terminal("bash", "-c", script) as term:
        term.wait_said("set")
        term.type(KEYS[name])
        # bash goes on with what it reads only after a line.
        term.type("\n")
        term.wait_said("caught")
        term.wait_said("hello")
        assert term.wait() == 9


@pytest.mark.parametrize("name", KEYS)
def test_key_ends_a_command_that_does_not_catch_it(name: str) -> None:
    with at_terminal("sh", "-c", "ulimit -c 0; echo set; exec sleep 1000") as term:
        term.wait_said("set")
        term.type(KEYS[name])
        assert term.wait() == SIGNAL_BASE + signal.Signals[name]


def test_end_of_the_terminal_ends_the_command() -> None:
    term = at_terminal("sh", "-c", "echo set; exec sleep 1000")
    with term:
        term.wait_said("set")
        family = {term.pid, *descendants(term.pid)}
        os.close(term.fd)
        wait_for("all of it is gone", lambda: not family & all_pids())
        term.fd = os.open("/dev/null", os.O_RDONLY)


# The terminal's echo of it is not taken for the prompt.
PROMPT = "stty -echo; PS1='re''ady> '"


def test_job_control_stops_and_continues_it() -> None:
    """By a shell whose job it is: all its processes stop, and go on."""
    with Terminal(*ORDINARY, "bash", "--norc", "-i") as term:
        term.type(f"{PROMPT}\n")
        term.wait_said("ready> ")
        # The shell writes the command when it continues it; the quotes are not what it says.
        term.type(f"{slirpd_path()} run sh -c 'echo s\"\"et; while read line; do echo got $line; done'\n")
        term.wait_said("set")
        term.type("\x1a")
        term.wait_said("Stopped")
        term.wait_said("ready> ")
        term.type("fg\n")
        term.wait_said("done'")
        term.type("word\n")
        term.wait_said("got word")
        term.type("\x04")
        term.wait_said("ready> ")
        term.type("echo status $?; exit\n")
        term.wait_said("status 0")
        term.wait()


def test_interactive_shell_has_jobs_of_its_own() -> None:
    with at_terminal("bash", "--norc", "-i") as term:
        term.type(f"{PROMPT}; sleep 1000\n")
        wait_for("sleep runs",
                 lambda: "sleep" in {program_of(pid) for pid in descendants(term.pid)})
        term.type("\x03")
        term.wait_said("ready> ")
        term.type(f"curl -sf -m 20 {http_url(INTERNET4, 'hello')}; exit 3\n")
        term.wait_said("hello")
        assert term.wait() == 3


# --- where it runs ----------------------------------------------------------------------------


def test_in_a_user_namespace_as_its_root(tools: Callable[..., None]) -> None:
    tools("unshare")
    done = run("sh", "-euc", f"id -u; cat /etc/resolv.conf; curl -sf {http_url(INTERNET4, 'hello')}",
               prefix=["unshare", "--user", "--map-root-user", "--mount"])
    assert (done.returncode, done.stdout) == (0, "0\nnameserver 10.0.2.3\nhello\n"), done.stderr


def test_in_its_own_guest() -> None:
    out = sh(f"{slirpd_path()} run --cidr=10.0.3.0/24 sh -euc "
             f"'cat /etc/resolv.conf; getent ahostsv4 {WORD_NAME} | head -n 1;"
             f"curl -sf -m 20 {http_url(INTERNET4, 'hello')}'")
    assert out.startswith("nameserver 10.0.3.3\n") and INTERNET4 in out and out.endswith("hello\n")


def test_as_pid_1_it_reaps_orphans() -> None:
    """As the first process of a container: the command's orphans are its children."""
    done = run("sh", "-euc", "(sleep 0.1 & exec true); sleep 0.3; ps -A -o stat=,comm=",
               prefix=["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"])
    assert done.returncode == 0, done.stderr
    assert "slirpd" in done.stdout and "Z" not in done.stdout


def test_fifty_at_once() -> None:
    n = 50
    processes = [subprocess.Popen(
        [*ORDINARY, slirpd_path(), "run", "sh", "-c",
         f"curl -sf -m 60 {http_url(INTERNET4, 'hello')} && exit {i}"], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for i in range(n)]
    said = [process.communicate(timeout=6 * DEADLINE_S) for process in processes]
    assert said == [("hello\n", "")] * n
    assert [process.returncode for process in processes] == list(range(n))


def test_seccomp_and_sandbox_can_be_off() -> None:
    assert sh("echo started", "--disable-sandbox", "--disable-seccomp") == "started\n"
