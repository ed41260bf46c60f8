# SPDX-License-Identifier: BSD-2-Clause
"""The network that a test runs slirpd in: nothing in it is a mock, nothing leaves it.

Runs inside outer-ns. Its network namespace plays the host of an ordinary user, a second one
joined by veth plays the internet, with nginx, dnsmasq and iperf3 in it. Guests and slirpd are
started without any capability over either, as that user would start them. Everything is owned
by a `with` block or ends with outer-ns.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands import sh
from netns import socket_in, up_without_dad, wait_link_local
from servers import listens, recv_all, serve_udp_echo, udp_socket
from waiting import wait_for

STATE = Path("/run/lab")

INTERNET4 = "203.0.113.1"
HOST4 = "203.0.113.2"
INTERNET6 = "2001:db8:1::1"
HOST6 = "2001:db8:1::2"
# No machine has it, and the host has a route that says so.
UNREACHABLE4 = "203.0.113.192"
UNREACHABLE6 = "2001:db8:2::1"

HTTP_PORT = 80
ECHO_PORT = 7007
CLOSED_PORT = 9
IPERF_PORT = 5201

WORD_NAME = "www.example.test"
BIG_NAME = "big.example.test"
BIG_TXT_RECORDS = 12  # about 2,700 bytes: more than a UDP answer holds, so DNS has to use TCP

DOWNLOAD_BYTES = 100_000_000

NGINX_CONF = """
daemon off; master_process off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 2048; }}
http {{
    access_log off; sendfile on;
    client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi; scgi_temp_path {dir}/scgi; uwsgi_temp_path {dir}/uwsgi;
    server {{
        listen {v4}:{port} backlog=1024; listen [{v6}]:{port} backlog=1024;
        root {dir}/www;
        location / {{ }}
        location /up/ {{ dav_methods PUT DELETE; client_max_body_size 1g; }}
    }}
}}
"""

DNSMASQ_CONF = f"""
no-resolv
no-hosts
no-daemon
bind-interfaces
listen-address={INTERNET4},{INTERNET6}
local=/test/
host-record={WORD_NAME},{INTERNET4},{INTERNET6}
""" + "".join(f"txt-record={BIG_NAME},{i:02d}{'x' * 220}\n" for i in range(BIG_TXT_RECORDS))


class Lab:
    """The host namespace that we are in, the internet namespace, and the servers in it."""

    host_netns = "/proc/self/ns/net"
    internet_netns = "/run/netns/internet"

    def __init__(self) -> None:
        if not os.environ.get("SLIRPD_OUTER_NS"):
            raise RuntimeError("run this through tests/lib/outer-ns")
        self._stack = contextlib.ExitStack()
        self.download_sha256 = ""

    def __enter__(self) -> Lab:
        with contextlib.ExitStack() as undo:
            undo.callback(self._stack.close)
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
            self._make_networks()
            self.set_nameservers(INTERNET4, INTERNET6)
            self._start_nginx()
            self._start_dnsmasq()
            self._start_echo()
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _make_networks(self) -> None:
        sh("ip", "link", "set", "lo", "up")
        # Unprivileged ping sockets are what slirpd pings with; distributions open them.
        Path("/proc/sys/net/ipv4/ping_group_range").write_text(f"{os.getgid()} {os.getgid()}\n")
        sh("ip", "netns", "add", "internet")
        self._stack.callback(sh, "ip", "netns", "del", "internet")
        sh("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "eth0", "netns", "internet")
        ends = (((), "uplink", HOST4, HOST6), (self.in_internet(), "eth0", INTERNET4, INTERNET6))
        sh(*self.in_internet(), "ip", "link", "set", "lo", "up")
        for inside, device, address4, address6 in ends:
            sh(*inside, "ip", "addr", "add", f"{address4}/24", "dev", device)
            up_without_dad(inside, device, f"{address6}/64")
        for inside, device, *_ in ends:
            wait_link_local(inside, device)
        sh("ip", "route", "add", "default", "via", INTERNET4)
        sh("ip", "-6", "route", "add", "default", "via", INTERNET6)
        sh("ip", "route", "add", "unreachable", UNREACHABLE4)
        sh("ip", "-6", "route", "add", "unreachable", UNREACHABLE6)

    @staticmethod
    def in_internet() -> list[str]:
        return ["nsenter", f"--net={Lab.internet_netns}", "--"]

    @staticmethod
    def set_nameservers(*addresses: str) -> None:
        """Rewrites the host's resolv.conf, which is a bind mount, in place."""
        (STATE / "resolv.conf").write_text("".join(f"nameserver {a}\n" for a in addresses))

    @contextlib.contextmanager
    def server(self, port: int, *argv: str) -> Iterator[None]:
        """Runs a server program in the internet until the end of the block."""
        with subprocess.Popen([*self.in_internet(), *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                wait_for(f"{argv[0]} listens on port {port}", lambda: listens(process.pid, port))
                yield
            finally:
                process.terminate()

    def _start_nginx(self) -> None:
        self.www = Path(tempfile.mkdtemp(prefix="nginx-")) / "www"
        (self.www / "up").mkdir(parents=True)
        self._stack.callback(shutil.rmtree, self.www.parent, ignore_errors=True)
        (self.www / "hello").write_text("hello\n")
        conf = self.www.parent / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=self.www.parent, v4=INTERNET4, v6=INTERNET6,
                                          port=HTTP_PORT))
        self._stack.enter_context(self.server(
            HTTP_PORT, "nginx", "-e", str(self.www.parent / "error.log"), "-c", str(conf)))

    def _start_dnsmasq(self) -> None:
        conf = STATE / "dnsmasq.conf"
        conf.write_text(DNSMASQ_CONF)
        self._stack.enter_context(self.server(53, "dnsmasq", f"--conf-file={conf}"))

    def _start_echo(self) -> None:
        for address in (INTERNET4, INTERNET6):
            serve_udp_echo(self._stack.enter_context(
                udp_socket(self.internet_netns, address, ECHO_PORT)))

    def big_file(self) -> Path:
        """100 MB that no two places of are alike, so that a lost or doubled piece shows."""
        path = self.www / "big"
        if not path.exists():
            digest = hashlib.sha256()
            with path.open("wb") as out:
                left = DOWNLOAD_BYTES
                seed = 0
                while left:
                    piece = hashlib.shake_128(seed.to_bytes(8, "big")).digest(min(left, 1 << 20))
                    digest.update(piece)
                    out.write(piece)
                    left -= len(piece)
                    seed += 1
            self.download_sha256 = digest.hexdigest()
        return path


def http_url(address: str, path: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{HTTP_PORT}/{path}"


def works(netns: str) -> bool:
    """Whether a guest's HTTP request is answered; every request is a connection of its own."""
    with socket_in(netns, socket.AF_INET, socket.SOCK_STREAM) as client:
        client.connect((INTERNET4, HTTP_PORT))
        client.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
        return recv_all(client).endswith(b"hello\n")


SETTLED = b"behind all that was sent before"


def settle_loopback() -> None:
    """Returns when all that was sent over the host's `lo` before has arrived. A kernel that is
    busy leaves it to a queue for each processor, in which a datagram of ours comes behind it."""
    here = os.sched_getaffinity(0)
    with udp_socket(Lab.host_netns, "127.0.0.1") as marker:
        try:
            for cpu in here:
                os.sched_setaffinity(0, {cpu})
                marker.sendto(SETTLED, marker.getsockname())
                assert marker.recv(100) == SETTLED
        finally:
            os.sched_setaffinity(0, here)
