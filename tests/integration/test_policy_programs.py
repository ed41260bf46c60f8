# SPDX-License-Identifier: BSD-2-Clause
"""Programs of the distribution under a policy of names: what is listed works as without a policy, and
what is not fails at once with an error that says so.

The servers are in the lab: a web server with TLS and without, and one of SSH; a repository of git, an
archive of apt and an index of pip in one folder.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import socket
import ssl
import subprocess
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import dnszone
import pytest
from commands import sh
from egress import Uplink
from daemon import run_slirpd
from guest import Guest
from lab import Lab
from netns import socket_in
from servers import listens
from test_policy_names import NAMESERVER, OTHER, PUBLIC, SERVER, limited, server, world  # noqa: F401
from waiting import DEADLINE_S, wait_for

NAMES = ("www.test", "git.test", "deb.test", "pypi.test")
POLICY = f"policy 1\nallow tcp 80,443 to {', '.join(NAMES)}\nallow tcp 22 to git.test\n"
HTTP, HTTPS, SSH = 80, 443, 22
TCP, UDP = socket.IPPROTO_TCP, socket.IPPROTO_UDP
# Programs say that a name is not known; in time, or they would wait for a name server.
AT_ONCE_S = 10
COULD_NOT_RESOLVE, COULD_NOT_CONNECT = 6, 7  # curl(1)
CONTROL = "Package: greeting\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.test>\nDescription: x\n"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def make_certificate(folder: Path) -> None:
    sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test",
       "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES),
       "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))


def make_repository(folder: Path) -> None:
    """Over plain files (gitprotocol-http(5), "dumb clients")."""
    work = folder / "work"
    who = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.test")
    sh("git", "init", "-q", str(work))
    (work / "file").write_text("in git\n")
    sh("git", "-C", str(work), "add", "file")
    sh("git", "-C", str(work), *who, "commit", "-q", "-m", "x")
    sh("git", "clone", "-q", "--bare", str(work), str(folder / "www/repo.git"))
    sh("git", "-C", str(folder / "www/repo.git"), "update-server-info")


def make_archive(folder: Path) -> None:
    package = folder / "greeting/DEBIAN"
    package.mkdir(parents=True)
    (package / "control").write_text(CONTROL)
    deb = folder / "www/greeting_1.0_all.deb"
    sh("dpkg-deb", "--build", "--root-owner-group", str(package.parent), str(deb))
    digest = sh("sha256sum", str(deb)).stdout.split()[0]
    (folder / "www/Packages").write_text(
        f"{CONTROL}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n\n")


def make_index(folder: Path) -> None:
    index = folder / "www/simple/greeting"
    index.mkdir(parents=True)
    wheel = "greeting-1.0-py3-none-any.whl"
    with zipfile.ZipFile(index / wheel, "w") as made:
        info = "greeting-1.0.dist-info"
        made.writestr("greeting.py", "")
        made.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        made.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{info}/RECORD", "")
    (index / "index.html").write_text(f'<!DOCTYPE html><html><body><a href="{wheel}">{wheel}</a></body></html>')


@contextlib.contextmanager
def web(folder: Path, port: int, context: ssl.SSLContext | None) -> Iterator[None]:
    handler = functools.partial(Quiet, directory=str(folder / "www"))
    made = http.server.ThreadingHTTPServer((PUBLIC, port), handler, bind_and_activate=False)
    made.socket.close()
    made.socket = socket_in(Lab.internet_netns, socket.AF_INET, socket.SOCK_STREAM)
    made.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.socket.settimeout(None)
    made.socket.bind((PUBLIC, port))
    made.server_name, made.server_port = "www.test", port
    made.server_activate()
    if context:
        made.socket = context.wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("served")
    (made / "www").mkdir()
    (made / "www/hello").write_text("hello\n")
    (made / "resolv.conf").write_text(f"nameserver {NAMESERVER}\n")
    make_certificate(made)
    make_repository(made)
    make_archive(made)
    make_index(made)
    return made


@pytest.fixture
def programs(guest: Guest, folder: Path, server: dnszone.Zone) -> Iterator[Programs]:
    for name in NAMES:
        server.records[name] = [dnszone.address(name, PUBLIC)]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    with web(folder, HTTP, None), web(folder, HTTPS, context), limited(guest, POLICY), Uplink(dns=True) as uplink:
        yield Programs(guest, folder, server)
        assert uplink.sent() <= {(UDP, SERVER, 53), *((TCP, PUBLIC, port) for port in (HTTP, HTTPS, SSH))}
        assert set(server.asked) <= set(NAMES)


class Programs:
    """Runs programs in the guest, which has the resolv.conf of a container there."""

    def __init__(self, guest: Guest, folder: Path, zone: dnszone.Zone) -> None:
        self._guest, self._folder, self.zone = guest, folder, zone

    def run(self, *argv: str, env: tuple[str, ...] = (), check: bool = True,
            timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        mount = f'mount --bind {self._folder}/resolv.conf "$(readlink -f /etc/resolv.conf)" && exec "$@"'
        return self._guest.run("unshare", "-m", "sh", "-c", mount, "sh", "env", "LC_ALL=C", "HOME=/nonexistent", *env,
                               *argv, check=check, timeout_s=timeout_s)

    def fails(self, *argv: str, env: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        done = self.run(*argv, env=env, check=False, timeout_s=AT_ONCE_S)
        assert done.returncode != 0
        return done


def test_curl(programs: Programs, folder: Path) -> None:
    curl = ("curl", "-sS", "--noproxy", "*", "--cacert", f"{folder}/cert.pem")
    assert programs.run(*curl, "https://www.test/hello").stdout == "hello\n"
    assert programs.run(*curl, "http://www.test/hello").stdout == "hello\n"
    done = programs.fails(*curl, "https://evil.test/")
    assert (done.returncode, "Could not resolve host" in done.stderr) == (COULD_NOT_RESOLVE, True)
    # Another port, and an address that no name leads to.
    for url in ("http://www.test:8080/", f"http://{OTHER}/"):
        done = programs.fails(*curl, url)
        assert (done.returncode, "No route to host" in done.stderr or "Couldn't connect" in done.stderr) == (
            COULD_NOT_CONNECT, True), done.stderr


def test_git(programs: Programs, folder: Path, tmp_path: Path) -> None:
    env = (f"GIT_SSL_CAINFO={folder}/cert.pem", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1")
    programs.run("git", "clone", "-q", "https://git.test/repo.git", str(tmp_path / "clone"), env=env)
    assert (tmp_path / "clone/file").read_text() == "in git\n"
    done = programs.fails("git", "clone", "-q", "https://evil.test/repo.git", str(tmp_path / "evil"), env=env)
    assert "Could not resolve host: evil.test" in done.stderr


@contextlib.contextmanager
def ssh_server(folder: Path) -> Iterator[str]:
    """A server of this user, whose home is a folder of the test. Yields ssh(1) with the user's key."""
    home = folder / "home"
    (home / ".ssh").mkdir(parents=True, mode=0o700)
    sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key"))
    (home / ".ssh/authorized_keys").write_text((folder / "key.pub").read_text())
    sh("dropbearkey", "-t", "ed25519", "-f", str(folder / "host"))
    (folder / "passwd").write_text(f"lab:x:{os.getuid()}:{os.getgid()}::{home}:/bin/sh\n")
    server = subprocess.Popen([
        *Lab.in_internet(), "unshare", "-m", "sh", "-c",
        f'mount --bind {folder}/passwd "$(readlink -f /etc/passwd)" && exec dropbear -FEs -r {folder}/host '
        f"-P {folder}/pid -p {PUBLIC}:{SSH}"])
    try:
        wait_for("the server listens", lambda: listens(server.pid, SSH))
        yield (f"ssh -i {folder}/key -o BatchMode=yes -o StrictHostKeyChecking=no "
               "-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR")
    finally:
        server.terminate()
        server.wait(DEADLINE_S)


def test_git_over_ssh(programs: Programs, folder: Path, tmp_path: Path, tools: Callable[..., None]) -> None:
    tools("dropbear", "ssh")
    with ssh_server(tmp_path) as ssh:
        env = (f"GIT_SSH_COMMAND={ssh}", "GIT_CONFIG_NOSYSTEM=1")
        programs.run("git", "clone", "-q", f"ssh://lab@git.test{folder}/www/repo.git", str(tmp_path / "clone"), env=env)
        assert (tmp_path / "clone/file").read_text() == "in git\n"
        # One is listed, on other ports.
        programs.zone.records["www.test"] = [dnszone.address("www.test", OTHER)]
        for host, error in (("evil.test", "Could not resolve hostname evil.test"), ("www.test", "No route to host")):
            done = programs.fails("git", "clone", "-q", f"ssh://lab@{host}/repo.git", str(tmp_path / "evil"), env=env)
            assert error in done.stderr


def test_apt(programs: Programs, tmp_path: Path) -> None:
    for path in ("lists/partial", "cache/archives/partial", "etc/apt.conf.d", "etc/preferences.d", "got"):
        (tmp_path / path).mkdir(parents=True)
    (tmp_path / "status").touch()
    (tmp_path / "sources").write_text("deb [trusted=yes] http://deb.test/ ./\n")
    options = ("-o", f"Dir::Etc={tmp_path}/etc", "-o", f"Dir::Etc::SourceList={tmp_path}/sources",
               "-o", "Dir::Etc::SourceParts=/nonexistent", "-o", f"Dir::State::Lists={tmp_path}/lists",
               "-o", f"Dir::State::status={tmp_path}/status", "-o", f"Dir::Cache={tmp_path}/cache",
               "-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=0", "-o", "Acquire::Languages=none",
               "-o", "Acquire::http::Proxy=DIRECT", "-o", "APT::Update::Error-Mode=any")
    programs.run("apt-get", *options, "update")
    programs.run("sh", "-c", 'cd "$1" && shift && exec apt-get "$@"', "sh", str(tmp_path / "got"), *options,
                 "download", "greeting")
    assert [path.name for path in (tmp_path / "got").iterdir()] == ["greeting_1.0_all.deb"]
    (tmp_path / "sources").write_text("deb [trusted=yes] http://evil.test/ ./\n")
    assert "Could not resolve 'evil.test'" in programs.fails("apt-get", *options, "update").stderr


def test_pip(programs: Programs, tmp_path: Path) -> None:
    pip = ("/usr/bin/python3", "-m", "pip", "--isolated", "--no-cache-dir", "--disable-pip-version-check", "download",
           "--retries=0", "--no-deps", "-q", "-d", str(tmp_path))
    programs.run(*pip, "--trusted-host=pypi.test", "-i", "http://pypi.test/simple", "greeting")
    assert [path.name for path in tmp_path.iterdir()] == ["greeting-1.0-py3-none-any.whl"]
    done = programs.fails(*pip, "--trusted-host=evil.test", "-i", "http://evil.test/simple", "greeting")
    assert "No matching distribution found" in done.stderr


def test_resolvers_of_libraries(programs: Programs) -> None:
    """That of glibc, in programs that are linked with it both ways, and that of BIND."""
    assert programs.run("getent", "ahostsv4", "www.test").stdout.split()[0] == PUBLIC
    assert programs.fails("getent", "ahosts", "evil.test").returncode == 2
    assert programs.run("busybox", "wget", "-qO-", "http://www.test/hello").stdout == "hello\n"
    assert "bad address" in programs.fails("busybox", "wget", "-qO-", "http://evil.test/hello").stderr
    assert PUBLIC in programs.run("busybox", "nslookup", "www.test").stdout
    for transport in ("+notcp", "+tcp"):
        assert programs.run("dig", transport, "+short", "www.test").stdout == f"{PUBLIC}\n"
        denied = programs.run("dig", transport, "evil.test").stdout
        assert "status: NXDOMAIN" in denied and "EDE: 15 (Blocked)" in denied


# Each resolves its argument, connects to port 80 there, and prints the address.
MUSL = r"""
#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct addrinfo *found, want = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC };
	int error = argc > 1 ? getaddrinfo(argv[1], "80", &want, &found) : EAI_NONAME;
	char addr[64];

	if (error) {
		fprintf(stderr, "%s\n", gai_strerror(error));
		return 1;
	}
	if (connect(socket(found->ai_family, SOCK_STREAM, 0), found->ai_addr, found->ai_addrlen))
		return 2;
	getnameinfo(found->ai_addr, found->ai_addrlen, addr, sizeof(addr), NULL, 0, NI_NUMERICHOST);
	return puts(addr) < 0;
}
"""
GO = """
package main

import ("fmt"; "net"; "os")

func main() {
	conn, err := net.Dial("tcp", os.Args[1] + ":80")
	if err != nil { fmt.Fprintln(os.Stderr, err); os.Exit(1) }
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
	fmt.Println(host)
}
"""
NODE = """
const fail = error => { console.error(error.code); process.exit(1) }
const name = process.argv[1]
require('dns').FUNCTION(name, ...ARGUMENTS, (error, found) => error ? fail(error) :
    require('net').connect(80, found.toString()).on('error', fail).on('connect',
        () => { console.log(found.toString()); process.exit(0) }))
"""


def test_musl(programs: Programs, tmp_path: Path, tools: Callable[..., None]) -> None:
    tools("musl-gcc")
    (tmp_path / "c.c").write_text(MUSL)
    program = str(tmp_path / "c")
    sh("musl-gcc", "-static", "-o", program, f"{program}.c")
    assert programs.run(program, "www.test").stdout == f"{PUBLIC}\n"
    assert "Name does not resolve" in programs.fails(program, "evil.test").stderr


def test_go(programs: Programs, tmp_path: Path, tools: Callable[..., None]) -> None:
    """That of the language, and that of the C library."""
    tools("gccgo")
    (tmp_path / "g.go").write_text(GO)
    program = str(tmp_path / "g")
    sh("gccgo", "-o", program, f"{program}.go")
    for resolver in ("go", "cgo"):
        env = (f"GODEBUG=netdns={resolver}",)
        assert programs.run(program, "www.test", env=env).stdout == f"{PUBLIC}\n"
        assert "no such host" in programs.fails(program, "evil.test", env=env).stderr


def test_node(programs: Programs, tools: Callable[..., None]) -> None:
    """That of the C library, and c-ares."""
    tools("node")
    for function, arguments in (("lookup", "[{}]"), ("resolve4", "[]")):
        script = NODE.replace("FUNCTION", function).replace("ARGUMENTS", arguments)
        assert programs.run("node", "-e", script, "www.test").stdout == f"{PUBLIC}\n"
        assert programs.fails("node", "-e", script, "evil.test").stderr == "ENOTFOUND\n"


def test_run_with_one_name(folder: Path, server: dnszone.Zone, tmp_path: Path) -> None:  # noqa: F811
    """The example of the README, with an index that is here."""
    server.records["pypi.test"] = [dnszone.address("pypi.test", PUBLIC)]
    fetch = ("run", "--allow-out=pypi.test:80", "--", "/usr/bin/python3", "-m", "pip", "--isolated", "--no-cache-dir",
             "--disable-pip-version-check", "download", "--retries=0", "--no-deps", "-q", "--trusted-host=pypi.test",
             "-i", "http://pypi.test/simple", "-d", tmp_path, "greeting")
    with web(folder, HTTP, None):
        done = run_slirpd(*fetch)
        assert (done.returncode, [path.name for path in tmp_path.iterdir()]) == (
            0, ["greeting-1.0-py3-none-any.whl"]), done
    assert set(server.asked) == {"pypi.test"}
    done = run_slirpd(*fetch[:1], "--allow-out=evil.test:80", *fetch[2:])
    assert done.returncode == 1 and set(server.asked) == {"pypi.test"}
