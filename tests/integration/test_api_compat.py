# SPDX-License-Identifier: BSD-2-Clause
"""The control socket as clients of slirp4netns use it, to the byte."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest
from api_client import ask, connect, daemon_with_api, execute
from guest import Guest
from servers import listener, recv_all
from waiting import DEADLINE_S

ADD = (b'{"execute":"add_hostfwd","arguments":{"proto":"tcp","host_addr":"0.0.0.0",'
       b'"host_port":8080,"guest_addr":"10.0.2.100","guest_port":80}}')
LIST = b'{"execute":"list_hostfwd"}'
REMOVE = b'{"execute":"remove_hostfwd","arguments":{"id":1}}'
ENTRY = (b'{"id":1,"proto":"tcp","host_addr":"0.0.0.0","host_port":8080,'
         b'"guest_addr":"10.0.2.100","guest_port":80}')
# The rows of the contract, in an order in which they can be asked.
ROWS = (
    (LIST, b'{"return":{"entries":[]},"entries":[]}'),
    (ADD, b'{"return":{"id":1}}'),
    (LIST, b'{"return":{"entries":[' + ENTRY + b']},"entries":[' + ENTRY + b"]}"),
    (REMOVE, b'{"return":{}}'),
    (LIST, b'{"return":{"entries":[]},"entries":[]}'),
)


@pytest.fixture
def path(guest: Guest) -> Iterator[str]:
    with daemon_with_api(guest) as (_, path):
        yield path


def run(argv: list[str], request: bytes, stdin_stays_open: bool = False) -> bytes:
    """A program with the request on its standard input."""
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(request)
        process.stdin.flush()
        if not stdin_stays_open:
            process.stdin.close()
        reply = process.stdout.read()
        process.stdin.close()
        assert process.wait(timeout=DEADLINE_S) == 0
    return reply


def by_python(path: str, request: bytes) -> bytes:
    return ask(path, request)


def by_python_with_half_close(path: str, request: bytes) -> bytes:
    return ask(path, request, half_close=True)


def by_python_with_newline(path: str, request: bytes) -> bytes:
    return ask(path, request + b"\n")


def by_podman(path: str, request: bytes) -> bytes:
    """Writes, closes its side, reads once into 2048 bytes."""
    with connect(path) as sock:
        sock.sendall(request)
        sock.shutdown(socket.SHUT_WR)
        return sock.recv(2048)


def by_rootlesskit(path: str, request: bytes) -> bytes:
    """Encodes with a newline, closes its side, reads to end-of-file."""
    with connect(path) as sock:
        sock.sendall(request + b"\n")
        sock.shutdown(socket.SHUT_WR)
        return recv_all(sock)


def by_one_byte_at_a_time(path: str, request: bytes) -> bytes:
    with connect(path) as sock:
        for i in range(len(request)):
            sock.sendall(request[i:i + 1])
        sock.sendall(b"\n")
        return recv_all(sock)


def by_netcat(path: str, request: bytes) -> bytes:
    return run(["nc", "-U", path], request)


def by_netcat_with_half_close(path: str, request: bytes) -> bytes:
    return run(["nc", "-N", "-U", path], request)


def by_netcat_with_open_stdin(path: str, request: bytes) -> bytes:
    return run(["nc", "-U", path], request, stdin_stays_open=True)


def by_socat(path: str, request: bytes) -> bytes:
    return run(["socat", "-", f"UNIX-CONNECT:{path}"], request)


def by_socat_without_half_close(path: str, request: bytes) -> bytes:
    return run(["socat", "-", f"UNIX-CONNECT:{path},shut-none"], request)


def by_shell(path: str, request: bytes) -> bytes:
    """As in the manual of slirp4netns."""
    script = 'json=$1; echo -n "$json" | nc -U "$2"'
    return subprocess.run(["bash", "-c", script, "bash", request.decode(), path],
                          stdout=subprocess.PIPE, timeout=DEADLINE_S, check=True).stdout


CLIENTS = (by_python, by_python_with_half_close, by_python_with_newline, by_podman, by_rootlesskit,
           by_one_byte_at_a_time, by_netcat, by_netcat_with_half_close, by_netcat_with_open_stdin,
           by_socat, by_socat_without_half_close, by_shell)


@pytest.mark.parametrize("client", CLIENTS)
def test_every_row_through_real_clients(path: str, client: Callable[[str, bytes], bytes],
                                        tools: Callable[..., None]) -> None:
    tools("nc", "socat", "bash")
    for request, reply in ROWS:
        assert client(path, request) == reply, request


def test_reply_is_one_write(path: str) -> None:
    """A client that reads once gets all of it: nothing more is there later."""
    for request, reply in ROWS:
        with connect(path) as sock:
            sock.sendall(request)
            assert sock.recv(2048) == reply
            assert sock.recv(2048) == b""


def test_ids_count_up_and_are_never_used_again(path: str) -> None:
    for number in range(1, 6):
        assert ask(path, ADD) == b'{"return":{"id":%d}}' % number
        assert ask(path, REMOVE.replace(b"1", b"%d" % number)) == b'{"return":{}}'


def test_defaults(path: str) -> None:
    for number, given in enumerate(({}, {"host_addr": "", "guest_addr": ""}), 1):
        added = execute(path, "add_hostfwd", proto="udp", host_port=5353 + number, guest_port=53, **given)
        assert added == {"return": {"id": number}}
        entry = execute(path, "list_hostfwd")["entries"][-1]
        assert (entry["host_addr"], entry["guest_addr"]) == ("0.0.0.0", "10.0.2.100")


def test_defaults_follow_the_network(guest: Guest) -> None:
    with daemon_with_api(guest, "--cidr=192.168.7.0/24") as (_, path):
        execute(path, "add_hostfwd", proto="tcp", host_port=8080, guest_port=80)
        assert execute(path, "list_hostfwd")["entries"][0]["guest_addr"] == "192.168.7.100"


BAD = (
    (b"nonsense", "cannot parse JSON"),
    (b"{", "cannot parse JSON"),
    (b'{"execute":}', "cannot parse JSON"),
    (b"\0" * 8, "cannot parse JSON"),
    (b'{"execute":"list_hostfwd\0"}', "cannot parse JSON"),
    (b'{"execute":"\xff\xfe"}', "cannot parse JSON"),
    (b'{"execute":"list_hostfwd","execute":"list_hostfwd"}', "cannot parse JSON"),
    (b"[" * 4000, "cannot parse JSON"),
    (LIST + LIST, "cannot parse JSON"),
    (LIST + b" garbage", "cannot parse JSON"),
    (b"[]", "json_object() failed"),
    (b"7", "json_object() failed"),
    (b'{"arguments":{}}', "no execute found"),
    (b'{"execute":7}', "no execute found"),
    (b'{"execute":"list"}', "unknown execute"),
    (b'{"execute":"' + b"x" * 5000, "too large message"),
    (b'{"execute":"' + b"x" * 10_000_000 + b'"}', "too large message"),
    (b" " * 10_000_000, "too large message"),
    (b'{"execute":"add_hostfwd"}', "add_hostfwd: bad arguments.proto"),
    (ADD.replace(b'"tcp"', b'"sctp"'), "add_hostfwd: bad arguments.proto"),
    (ADD.replace(b'"0.0.0.0"', b'"localhost"'), "add_hostfwd: bad arguments.host_addr"),
    (ADD.replace(b"8080", b"0"), "add_hostfwd: bad arguments.host_port"),
    (ADD.replace(b"8080", b"65536"), "add_hostfwd: bad arguments.host_port"),
    (ADD.replace(b"8080", b"-1"), "add_hostfwd: bad arguments.host_port"),
    (ADD.replace(b"8080", b"80.5"), "add_hostfwd: bad arguments.host_port"),
    (ADD.replace(b"8080", b'"8080"'), "add_hostfwd: bad arguments.host_port"),
    (ADD.replace(b'"10.0.2.100"', b"7"), "add_hostfwd: bad arguments.guest_addr"),
    (ADD.replace(b":80}", b":0}"), "add_hostfwd: bad arguments.guest_port"),
    (b'{"execute":"remove_hostfwd"}', "remove_hostfwd: bad arguments.id"),
    (b'{"execute":"remove_hostfwd","arguments":{"id":"1"}}', "remove_hostfwd: bad arguments.id"),
    (b'{"execute":"remove_hostfwd","arguments":{"id":77}}',
     "remove_hostfwd: bad arguments.id"),
    (ADD.replace(b"0.0.0.0", b"203.0.113.77"), "add_hostfwd: slirp_add_hostfwd failed"),
)


def test_every_bad_request_gets_its_error_and_the_next_one_works(path: str) -> None:
    for request, words in BAD:
        reply = ask(path, request, half_close=True)
        error = json.loads(reply)["error"]
        assert error["desc"] == f"bad request: {words}", request[:80]
        assert error["class"] and error["detail"]
        assert reply.startswith(b'{"error":{"desc":"bad request: ')
        assert ask(path, LIST) == ROWS[0][1]


def test_request_cut_off_at_every_byte(path: str) -> None:
    for n in range(len(ADD)):
        reply = json.loads(ask(path, ADD[:n], half_close=True))
        assert reply["error"]["desc"] == "bad request: cannot parse JSON", n
    assert ask(path, LIST) == ROWS[0][1]


@pytest.mark.parametrize("length,words", ((4095, "unknown execute"), (4096, "too large message"),
                                          (4097, "too large message")))
def test_length_of_a_request(path: str, length: int, words: str) -> None:
    request = b'{"execute":"x"' + b" " * (length - 15) + b"}"
    assert len(request) == length
    for tail in (b"", b"\n", b"\n" * 5000):
        assert json.loads(ask(path, request + tail))["error"]["desc"] == f"bad request: {words}"


def test_causes_of_failures(path: str) -> None:
    assert ask(path, ADD) == b'{"return":{"id":1}}'

    def error(why: str = "slirp_add_hostfwd failed", **arguments: object) -> tuple[str, str]:
        said = execute(path, "add_hostfwd", proto="tcp", guest_port=80, **arguments)["error"]
        assert said["desc"] == f"bad request: add_hostfwd: {why}"
        return said["class"], said["detail"]

    assert error(host_port=8080) == (
        "AddressInUse", "a forward has the port already: forward 1 has tcp port 8080 of 0.0.0.0")
    with listener("/proc/self/ns/net", "127.0.0.1") as other:
        port = other.getsockname()[1]
        assert error(host_addr="127.0.0.1", host_port=port) == (
            "AddressInUse", f"another program has the port: tcp port {port} of 127.0.0.1")
    kind, detail = error(host_port=99)
    assert kind == "PermissionDenied" and "ip_unprivileged_port_start" in detail
    assert error(host_addr="203.0.113.77", host_port=8081) == (
        "AddressNotAvailable", "no interface of the host has the address 203.0.113.77")
    kind, detail = error("bad arguments.host_addr", host_addr="::1", host_port=8081)
    assert kind == "NotSupported" and "--enable-ipv6" in detail
    assert error("bad arguments.guest_addr", guest_addr="192.0.2.1", host_port=8081) == (
        "BadArgument", "the address is not one of the guest's network")


def test_socket_is_for_its_owner_alone(path: str) -> None:
    assert os.stat(path).st_mode & 0o777 == 0o600
