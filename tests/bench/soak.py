#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Soaks one slirpd: everything at its limit for minutes, and nothing may be lost, leaked or left.

    tests/lib/outer-ns tests/bench/soak.py [--minutes 10] [--descriptors 4096]

The guest opens UDP flows and TCP connections up to their limits, and renews them. Some connections
carry data, which is compared. The api is killed again and again, while clients add and remove
forwards. Exit status 0, or 1 with a line for each fault. ctest runs it with --quick.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LIB = Path(__file__).resolve().parents[1] / "lib"
sys.path.insert(0, str(LIB))

import api_client  # noqa: E402
import frames as F  # noqa: E402
from daemon import Slirpd  # noqa: E402
from guest import Guest  # noqa: E402
from lab import ECHO_PORT, HOST4, HOST6, INTERNET4, INTERNET6, Lab, WORD_NAME  # noqa: E402
from limits import limited, many_files  # noqa: E402
from netns import family_of, socket_in  # noqa: E402
from processes import fds_of, no_process_left  # noqa: E402
from servers import listener, recv_all, serve, serve_udp_echo, udp_socket  # noqa: E402
from waiting import Timeout, wait_for  # noqa: E402

GUEST4, GATEWAY4, NAME_SERVER4 = "10.0.2.100", "10.0.2.2", "10.0.2.3"
GUEST_PORT, SINK_PORT = 8000, 8001
# An IPv4 port, and one of IPv6 that leads to IPv4.
PUBLISHED = {HOST4: 8080, HOST6: 8081}
FORWARD_PORTS = range(9000, 9200)

# No window of it repeats within what a connection has under way.
PATTERN = hashlib.shake_128(b"soak").digest((1 << 20) + 7)
PIECE_MAX = 1 << 16

# Below the guest's own ephemeral ports. In a guest that has no sockets for them, all are new.
FLOW_PORTS = range(10000, 32000)
FLOWS_EACH = 100
# A flow to port 53 ends five seconds after its answer, any other after 180: so flows are renewed,
# and one in so many stays.
LASTING_EACH = 30
# Names have one descriptor in 32 (budget.c), and one for five seconds each: so a few are left.
NAMES_PAUSE_S_BY_FDS = 400
RENEWED_EACH = 20

# A minute of life makes up for the deaths before it; without it the waits become 30 s.
KILL_PAUSES_S = (3, 3, 3, 3, 3, 65)
# More than the longest of these waits, and the time to start.
API_AWAY_S = 60

# From no connection to all.
LIMITS_S = 120
# The time of a UDP flow, and some for a slow machine.
DRAIN_S = 180 + 30
# An open flow of 100 datagrams a second may lose some to a full TAP queue.
GAP_MAX_MS = 5000
# Between two ends without load, for what malloc keeps. A leak of 100 bytes for each of 500 flows a
# second would need 29 MiB in ten minutes.
GROWTH_KIB = 16_384

LIMIT_LINES = (
    r"the guest has all connections that \d+ descriptors allow: new ones are refused until",
    r"the guest has all \d+ UDP flows that it may have: each new one ends one",
)
EXPECTED = (
    *LIMIT_LINES,
    r"slirpd: ready: .*; all processes confined$",
    r"slirpd: [\w-]+ confined: .*; not: none; ",
    r"slirpd: control groups of version 2 are not at /sys/fs/cgroup: ",
    r"api was killed by SIGKILL .*; starting it again",
    r"request of pid \d+ uid \d+ gid \d+: ",
    r"\d+ lines on requests were held back",
)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(PIECE_MAX):
        connection.sendall(data)


def echoed(client: socket.socket, address: tuple[str, int]) -> bool:
    client.settimeout(2)
    text = os.urandom(16)
    client.sendto(text, address)
    while client.recv(100) != text:
        pass
    return True


def status_kib(pid: int, field: str) -> int:
    with contextlib.suppress(OSError):
        found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.M)
        return int(found[1]) if found else 0
    return 0


def sockets_of_the_host() -> tuple[int, int]:
    """TCP and UDP sockets in use, both families. All but a few are the worker's."""
    text = "".join(Path(f"/proc/net/{name}").read_text() for name in ("sockstat", "sockstat6"))
    return tuple(sum(map(int, re.findall(rf"^{kind}6?: inuse (\d+)", text, re.M)))
                 for kind in ("TCP", "UDP"))


class Soak:
    def __init__(self, guest: Guest, daemon: Slirpd, path: str, n_descriptors: int) -> None:
        self.guest, self.daemon, self.path, self.n_descriptors = guest, daemon, path, n_descriptors
        self.faults: list[str] = []
        self.counts: collections.Counter[str] = collections.Counter()
        self.peak_kib: collections.Counter[str] = collections.Counter()
        self.stop = threading.Event()
        self.lasting = False

    # --- loads, each in a thread of its own until self.stop -----------------------------------

    def carry(self, sock: socket.socket) -> None:
        with sock:
            at = 0
            while not self.stop.wait(0.01):
                start = at % (len(PATTERN) - PIECE_MAX)
                piece = PATTERN[start:start + 1 + at * 7919 % PIECE_MAX]
                sock.sendall(piece)
                back = bytearray()
                while len(back) < len(piece):
                    if not (more := sock.recv(len(piece) - len(back))):
                        raise AssertionError(f"the connection ended after {at + len(back)} bytes")
                    back += more
                assert back == piece, f"other bytes came back after {at}"
                at += len(piece)
                self.counts["bytes"] += len(piece)
            sock.shutdown(socket.SHUT_WR)
            assert recv_all(sock) == b"", f"more than {at} bytes came back"

    def hold(self) -> None:
        """As many connections as there can be; the oldest make room for others."""
        held: collections.deque[socket.socket] = collections.deque()
        while not self.stop.wait(0.2):
            with contextlib.suppress(OSError):
                while not self.stop.is_set():
                    held.append(self.guest.connect(INTERNET4, SINK_PORT))
                    self.counts["connections"] += 1
            for n in range(min(RENEWED_EACH, len(held))):
                if n % 2:  # a reset instead of an end
                    held[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                held.popleft().close()
        for sock in held:
            sock.close()

    def flood(self) -> None:
        with F.RawPort(self.guest.open_socket(socket.AF_PACKET, socket.SOCK_RAW), "tap0", GUEST4,
                       GATEWAY4) as port:
            while not self.stop.wait(0.2):
                port.send(*(self.first_frame(port.mac, self.counts["flows"] + n)
                            for n in range(FLOWS_EACH)))
                self.counts["flows"] += FLOWS_EACH

    def first_frame(self, mac: str, number: int) -> bytes:
        lasts = self.lasting and number % LASTING_EACH == 0
        data = F.udp(GUEST4, INTERNET4, FLOW_PORTS[number % len(FLOW_PORTS)],
                     ECHO_PORT if lasts else 53, F.dns_query(WORD_NAME))
        return F.ethernet(F.ip4(GUEST4, INTERNET4, F.UDP, data), F.ETH_IP4, mac)

    def persist(self, what: str, try_once: Callable[[], bool]) -> None:
        """Datagrams may be lost, but not all of them."""
        def tried() -> bool:
            with contextlib.suppress(OSError):
                return try_once()
            self.counts[f"{what}, again"] += 1
            return False

        wait_for(f"{what} come back", tried)
        self.counts[what] += 1

    def names(self) -> None:
        def ask() -> bool:
            with self.guest.connect(NAME_SERVER4, 53, socket.SOCK_DGRAM) as sock:
                sock.settimeout(2)
                sock.send(F.dns_query(WORD_NAME))
                return socket.inet_aton(INTERNET4) in sock.recv(2048)

        while not self.stop.wait(NAMES_PAUSE_S_BY_FDS / self.n_descriptors):
            self.persist("names", ask)

    def ask(self, verb: str, **arguments: object) -> dict:
        """Again when the api was killed meanwhile, or was away for too long for one client."""
        end = time.monotonic() + API_AWAY_S
        while True:
            try:
                reply = api_client.execute(self.path, verb, **arguments)
                self.counts["requests"] += 1
                return reply
            except (OSError, json.JSONDecodeError):
                self.counts["requests_again"] += 1
                if time.monotonic() > end:
                    raise

    def listed(self) -> dict[int, int]:
        """Id of each forward that was not published, by the host's port."""
        entries = self.ask("list_hostfwd")["return"]["entries"]
        return {entry["host_port"]: entry["id"] for entry in entries
                if entry["host_port"] in FORWARD_PORTS}

    def forwards(self, ports: range) -> None:
        """A reply may be lost after the change was made, so a refusal is compared with the list."""
        number = 0
        with socket_in(Lab.internet_netns, socket.AF_INET, socket.SOCK_DGRAM) as client:
            while not self.stop.is_set():
                number += 1
                port, proto = ports[number % len(ports)], ("udp", "tcp")[number // len(ports) % 2]
                reply = self.ask("add_hostfwd", proto=proto, host_addr="0.0.0.0", host_port=port,
                                 guest_port=GUEST_PORT)
                ident = reply["return"]["id"] if "return" in reply else self.listed().get(port)
                assert ident is not None, f"no forward of port {port}: {reply}"
                if proto == "udp":
                    self.persist("datagrams by forwards", lambda: echoed(client, (HOST4, port)))
                reply = self.ask("remove_hostfwd", id=ident)
                assert "return" in reply or port not in self.listed(), f"forward stays: {reply}"

    def kill_api(self) -> None:
        last = 0
        for number in range(sys.maxsize):
            last = wait_for("another api runs", lambda: (now := self.daemon.children().get("api"))
                              and now != last and now, API_AWAY_S)
            if self.stop.wait(KILL_PAUSES_S[number % len(KILL_PAUSES_S)]):
                return
            os.kill(last, signal.SIGKILL)
            self.counts["kills"] += 1

    # --- the course ------------------------------------------------------------------------------

    def start(self, load: Callable[..., None], *arguments: object) -> threading.Thread:
        def run() -> None:
            try:
                load(*arguments)
            except Exception as error:  # whatever it is, it is a finding
                self.faults.append(f"{load.__name__}: {type(error).__name__}: {error}")

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def load(self, seconds: float, interval_s: float) -> None:
        self.stop.clear()
        carriers = [self.guest.connect(address, GUEST_PORT)
                    for address in (INTERNET4, INTERNET6) for _ in range(2)]
        for address, port in PUBLISHED.items():
            sock = socket_in(Lab.internet_netns, family_of(address), socket.SOCK_STREAM)
            sock.connect((address, port))
            carriers.append(sock)
        with self.probe():
            threads = [self.start(self.carry, sock) for sock in carriers]
            threads += [self.start(load) for load in (self.hold, self.flood, self.names, self.kill_api)]
            threads += [self.start(self.forwards, FORWARD_PORTS[n::2]) for n in range(2)]
            try:
                wait_for("both limits are reached", lambda: all(
                    re.search(pattern, self.daemon.stderr) for pattern in LIMIT_LINES), LIMITS_S)
                begin = time.monotonic()
                while (left := begin + seconds - time.monotonic()) > 0:
                    time.sleep(min(left, interval_s))
                    self.show(f"{(time.monotonic() - begin) / 60:.1f}")
            finally:
                self.stop.set()
                for thread in threads:
                    thread.join()

    @contextlib.contextmanager
    def probe(self) -> Iterator[None]:
        """A flow of datagrams that was there before the others; it stays for 240 s after."""
        if not self.lasting:
            yield
            return
        with self.guest.start(sys.executable, str(LIB / "flow.py"), "probe", INTERNET4,
                              str(ECHO_PORT), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as process:
            assert process.stdout.readline() == b"ready\n"
            yield
            longest_ms = json.loads(process.communicate()[0])["longest_ms"]
        print(f"open UDP flow: {longest_ms:.0f} ms without an answer at most", flush=True)
        if longest_ms > GAP_MAX_MS:
            self.faults.append(f"an open UDP flow had no answer for {longest_ms:.0f} ms")

    def n_fds(self) -> dict[str, int]:
        return {role: len(fds_of(pid, self.n_descriptors)) for role, pid in self.processes().items()
                if role in ("parent", "slirp-worker")}

    def processes(self) -> dict[str, int]:
        return {"parent": self.daemon.pid, **self.daemon.children()}

    def show(self, when: str) -> dict[str, int]:
        """Prints a row of the table, and returns the RSS of each process."""
        pids = self.processes()
        rss = {role: status_kib(pid, "VmRSS") for role, pid in pids.items()}
        for role, pid in pids.items():
            self.peak_kib[role] = max(self.peak_kib[role], status_kib(pid, "VmHWM"))
        now, before = time.monotonic(), getattr(self, "shown", (time.monotonic() - 1, 0))
        rate = (self.counts["requests"] - before[1]) / (now - before[0])
        self.shown = now, self.counts["requests"]
        fds = self.n_fds()
        tcp, udp = sockets_of_the_host()
        print(f"{when:>8} {rss['slirp-worker']:>9} {rss['parent']:>7} {rss.get('api', 0):>6} "
              f"{fds['slirp-worker']:>7} {fds['parent']:>7} {tcp:>6} {udp:>6} "
              f"{self.counts['flows']:>9} {rate:>10.1f} {self.counts['kills']:>6}", flush=True)
        return rss

    def held(self) -> dict[str, int]:
        """Descriptors, connections in any state, and bytes of their data."""
        flows = self.ask("query_stats")["return"]["tcp_flows"]
        return {**self.n_fds(), "connections": flows["all"], "buffer_bytes": flows["buffer_bytes"]}

    def drain(self, held: dict[str, int]) -> None:
        """All has to come back to the last one: each has an owner that is gone."""
        try:
            wait_for(f"what is held is {held}", lambda: self.held() == held, DRAIN_S)
        except Timeout as error:
            self.faults.append(f"{error}, but {self.held()}")

    def judge_end(self) -> None:
        if left := self.listed():
            self.faults.append(f"forwards that nobody asked for: {left}")
        restarts = self.ask("query_status")["return"]["restarts"]["api"]
        if restarts != self.counts["kills"]:
            self.faults.append(f"{self.counts['kills']} api processes killed, {restarts} started again")
        if (status := self.daemon.terminate()) != 0:
            self.faults.append(f"slirpd ended with status {status}")
        self.faults += [f"unexpected line: {line}" for line in self.daemon.stderr.splitlines()
                        if not any(re.search(pattern, line) for pattern in EXPECTED)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--quick", action="store_true", help="a few seconds: does it work")
    parser.add_argument("--descriptors", type=int, metavar="N",
                        help="that slirpd may open; default 4096, and 512 with --quick")
    arguments = parser.parse_args()
    n_descriptors = arguments.descriptors or (512 if arguments.quick else 4096)
    seconds, interval_s = (6, 3) if arguments.quick else (arguments.minutes * 60, 60)
    options = [f"--publish={host}:{port}:0.0.0.0:{GUEST_PORT}/tcp"
               for host, port in (("0.0.0.0", PUBLISHED[HOST4]), ("[::]", PUBLISHED[HOST6]))]
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        enter(Lab())
        enter(many_files())
        enter(no_process_left())
        for address in (INTERNET4, INTERNET6):
            serve(enter(listener(Lab.internet_netns, address, GUEST_PORT)), echo)
        serve(enter(listener(Lab.internet_netns, INTERNET4, SINK_PORT)), lambda c: c.recv(1))
        guest = enter(Guest())
        daemon, path = enter(api_client.daemon_with_api(
            guest, "--enable-ipv6", *options, prefix=limited("nofile", n_descriptors)))
        serve(enter(listener(guest.netns, "0.0.0.0", GUEST_PORT)), echo)
        serve_udp_echo(enter(udp_socket(guest.netns, "0.0.0.0", GUEST_PORT)))
        soak = Soak(guest, daemon, path, n_descriptors)
        print("  minute RSS, KiB:                   fds:           sockets:      \n"
              "            worker  parent    api  worker  parent    TCP    UDP"
              "     flows requests/s  kills", flush=True)
        held = soak.held()
        before = soak.show("start")
        if not arguments.quick:
            soak.load(30, 30)
            soak.drain(held)
            before = soak.show("warm")
            soak.lasting = True
        soak.load(seconds, interval_s)
        soak.drain(held)
        after = soak.show("end")
        for role in ("slirp-worker", "parent"):
            if after[role] - before[role] > GROWTH_KIB:
                soak.faults.append(f"{role} has grown from {before[role]} to {after[role]} KiB")
        soak.judge_end()
        print("peak RSS, KiB:", dict(soak.peak_kib), "sum", sum(soak.peak_kib.values()))
        print("counts:", dict(soak.counts))
    for fault in soak.faults:
        print(f"fault: {fault}", flush=True)
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
