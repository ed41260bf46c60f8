# SPDX-License-Identifier: BSD-2-Clause
"""Names in a policy: which ones a name server hears of, what of its answers reaches the guest, and to
which addresses the guest may connect then."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import dnsserver
import dnszone
import pytest
from commands import sh
from daemon import Slirpd, run_slirpd
from egress import live
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from processes import taken_over
from servers import listener
from test_hostile_resolver import TO_RESOLVER, query, receive
from test_hostile_worker import Channel
from test_policy import tcp
from waiting import DEADLINE_S, wait_for

NAMESERVER = "10.0.2.3"
SERVER = "203.0.113.53"
# Of the internet: the lab's own addresses are for documentation, and so of class special.
PUBLIC, OTHER, PRIVATE = "198.51.99.1", "198.51.98.1", "10.66.0.1"
PORT, OTHER_PORT = 4433, 4434
DENIED = errno.EHOSTUNREACH

POLICY = f"""policy 1
allow tcp {PORT} to api.test, *.wild.test
allow tcp {PORT} to lan.test private
"""


@pytest.fixture(scope="module")
def world(lab: Lab) -> Iterator[None]:
    """The addresses, with a server at both ports."""
    where = (*Lab.in_internet(), "ip", "addr")
    with contextlib.ExitStack() as stack:
        for address in (PUBLIC, OTHER, PRIVATE, SERVER):
            sh(*where, "add", f"{address}/32", "dev", "lo")
            stack.callback(sh, *where, "del", f"{address}/32", "dev", "lo")
        for address in (PUBLIC, OTHER, PRIVATE):
            for port in (PORT, OTHER_PORT):
                stack.enter_context(listener(Lab.internet_netns, address, port))
        yield


@pytest.fixture
def server(lab: Lab, world: None) -> Iterator[dnszone.Zone]:
    zone = dnszone.Zone({
        "api.test": [dnszone.address("api.test", PUBLIC)],
        "evil.test": [dnszone.address("evil.test", OTHER)],
        "lan.test": [dnszone.address("lan.test", PRIVATE)],
    })
    lab.set_nameservers(SERVER)
    with dnsserver.dns_server(lab.internet_netns, SERVER, zone):
        yield zone
    lab.set_nameservers(INTERNET4, INTERNET6)


@contextlib.contextmanager
def limited(guest: Guest, policy: str = POLICY, *options: str) -> Iterator[Slirpd]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy"
        path.write_text(policy)
        with Slirpd("--configure", f"--policy={path}", *options, guest.pid, "tap0") as daemon:
            yield daemon


def send(guest: Guest, message: bytes) -> dnszone.Reply:
    with guest.connect(NAMESERVER, dnsserver.DNS_PORT, socket.SOCK_DGRAM) as sock:
        sock.settimeout(DEADLINE_S)
        sock.send(message)
        answer = sock.recv(65536)
        assert answer[:2] == message[:2]
        return dnszone.parse(answer)


def ask(guest: Guest, text: str, kind: int = dnsserver.A) -> dnszone.Reply:
    return send(guest, dnszone.query(dnszone.name(text), kind))


def send_tcp(guest: Guest, message: bytes) -> dnszone.Reply:
    with guest.connect(NAMESERVER, dnsserver.DNS_PORT) as sock:
        sock.settimeout(DEADLINE_S)
        sock.sendall(dnsserver.frame(message))
        return dnszone.parse(dnsserver.read_frame(sock))


def ask_tcp(guest: Guest, text: str, kind: int = dnsserver.A) -> dnszone.Reply:
    return send_tcp(guest, dnszone.query(dnszone.name(text), kind))


def test_address_of_a_name_is_open_once_it_is_resolved(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest):
        assert tcp(guest, PUBLIC) == DENIED
        assert ask(guest, "API.test").addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        # The ports of the rule bound it, and nothing else is open.
        assert tcp(guest, PUBLIC, OTHER_PORT) == DENIED
        assert tcp(guest, OTHER) == DENIED
        assert server.asked == ["api.test"]


def test_program_connects_by_name(guest: Guest, server: dnszone.Zone) -> None:
    program = ("import socket; socket.create_connection(('api.test', "
               f"{PORT}), {DEADLINE_S}).close()")
    with limited(guest):
        guest.run("unshare", "-m", "sh", "-c",
                  "mount -t tmpfs none /mnt && "
                  f"echo nameserver {NAMESERVER} >/mnt/resolv.conf && "
                  "mount --bind /mnt/resolv.conf /etc/resolv.conf && "
                  f"/usr/bin/python3 -c \"{program}\"")
        assert set(server.asked) == {"api.test"}


NULL, PTR = 10, 12
# The names of addresses that the guest may not connect to.
FOREIGN = ("1.99.51.198.in-addr.arpa", "1." + "0." * 23 + "9.9.0.0.0.0.a.2.ip6.arpa")


@pytest.mark.parametrize("text", (
    "evil.test", "secret.api.test", "xapi.test", "api.test.evil.test", "wild.test", "test", *FOREIGN))
def test_unlisted_name_stays_in_the_resolver(guest: Guest, server: dnszone.Zone, text: str) -> None:
    with limited(guest):
        reply = ask(guest, text)
        assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED)
        assert "no rule" in reply.text
        assert ask(guest, "api.test").rcode == dnsserver.NOERROR
        assert server.asked == ["api.test"]


# The root, and names that are numbers: addresses that a program has taken for names.
NO_HOSTS = (".", "1", "a.1", "1.2.3.4", "10.0.0.300")
BAD_LABELS = (b"\4a\0bc", b"\3a b", b"\3a\\b", b"\3a\xffb", b"\3a.b")


@pytest.mark.parametrize("label", BAD_LABELS)
def test_bytes_that_no_name_of_a_host_has(guest: Guest, server: dnszone.Zone, label: bytes) -> None:
    with limited(guest):
        reply = send(guest, dnszone.query(label + dnszone.name("wild.test")))
        assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED)
        assert server.asked == []


@pytest.mark.parametrize("text", FOREIGN, ids=("ipv4", "ipv6"))
@pytest.mark.parametrize("types", ("", "dns-types a, ptr\n"), ids=("closed", "open"))
def test_names_of_foreign_addresses_are_refused(guest: Guest, server: dnszone.Zone, text: str, types: str) -> None:
    """Whether the type is open or not."""
    with limited(guest, POLICY + types):
        for how in (send, send_tcp):
            reply = how(guest, dnszone.query(dnszone.name(text), PTR))
            assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED)
        assert server.asked == []


@pytest.mark.parametrize("kind", (dnsserver.TXT, dnszone.ANY, NULL, dnsserver.AXFR, PTR))
def test_other_types_are_refused(guest: Guest, server: dnszone.Zone, kind: int) -> None:
    with limited(guest):
        reply = ask(guest, "api.test", kind)
        assert (reply.rcode, reply.reason) == (dnsserver.REFUSED, dnszone.BLOCKED)
        assert server.asked == []


def test_malformed_messages_are_answered(guest: Guest, server: dnszone.Zone) -> None:
    good = dnszone.query(dnszone.name("api.test"))
    with limited(guest):
        assert send(guest, dnszone.query(b"\1a\xc0\x0c")).rcode == dnsserver.FORMERR
        assert send(guest, dnszone.query(b"\x40" + b"a" * 64 + b"\0")).rcode == dnsserver.FORMERR
        assert send(guest, good[:4] + b"\0\2" + good[6:]).rcode == dnsserver.FORMERR
        assert send(guest, good[:2] + b"\x28" + good[3:]).rcode == dnsserver.NOTIMP
        assert send(guest, good + b"\0" * 1100).rcode == dnsserver.FORMERR
        assert server.asked == []
        assert ask(guest, "api.test").addresses == [PUBLIC]


def test_chain_may_lead_to_any_name(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"] = [dnszone.cname("api.test", "evil.test")]
    with limited(guest):
        assert ask(guest, "api.test").addresses == [OTHER]
        assert server.asked == ["api.test", "evil.test"]
        assert tcp(guest, OTHER) == 0
        assert tcp(guest, OTHER, OTHER_PORT) == DENIED
        assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN


@pytest.mark.parametrize("address", (
    PRIVATE, "127.0.0.1", "169.254.169.254", "10.0.2.2", "192.0.2.1", "::ffff:10.66.0.1",
    "64:ff9b::a42:1", "fe80::1"))
def test_address_that_is_not_public_is_cut_out(guest: Guest, server: dnszone.Zone,
                                               address: str) -> None:
    record = dnszone.address("api.test", address, 0)
    server.records["api.test"] = [record]
    with limited(guest, POLICY, "--enable-ipv6"):
        reply = ask(guest, "api.test", record[1])
        assert (reply.rcode, reply.reason, reply.addresses) == (dnsserver.NXDOMAIN, dnszone.BLOCKED, [])
        assert tcp(guest, PRIVATE) == DENIED
        if record[1] == dnsserver.A:
            server.records["api.test"] = [record, dnszone.address("api.test", PUBLIC)]
            assert ask(guest, "api.test").addresses == [PUBLIC]


def test_private_address_needs_the_option(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"] = [dnszone.address("api.test", PRIVATE)]
    with limited(guest):
        assert ask(guest, "api.test").addresses == []
        assert tcp(guest, PRIVATE) == DENIED
        assert ask(guest, "lan.test").addresses == [PRIVATE]
        assert tcp(guest, PRIVATE) == 0


def test_records_beside_the_chain_are_dropped(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"].append(dnszone.address("bank.test", OTHER))
    server.records["bank.test"] = [dnszone.address("bank.test", PUBLIC)]
    server.extra = [dnszone.address("api.test", OTHER), dnszone.address("lan.test", OTHER)]
    with limited(guest, POLICY + f"allow tcp {PORT} to bank.test\n"):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, OTHER) == DENIED
        assert tcp(guest, PUBLIC) == 0
        # They are not in the cache.
        assert ask(guest, "lan.test").addresses == [PRIVATE]
        assert ask(guest, "bank.test").addresses == [PUBLIC]
        assert server.asked == ["api.test", "lan.test", "bank.test"]
        assert tcp(guest, OTHER) == DENIED


def test_forged_answers_are_ignored(guest: Guest, server: dnszone.Zone) -> None:
    server.forged = [OTHER]
    with limited(guest):
        assert ask(guest, "api.test").addresses == [PUBLIC]
        assert tcp(guest, OTHER) == DENIED


def test_long_life_is_cut(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"] = [dnszone.address("api.test", PUBLIC, 7 * 24 * 3600)]
    with limited(guest):
        assert ask(guest, "api.test").ttl == 3600
        # From the cache.
        reply = ask(guest, "api.test")
        assert reply.addresses == [PUBLIC] and reply.ttl <= 3600
        assert server.asked == ["api.test"]


def test_names_below_a_wildcard_are_counted(guest: Guest, server: dnszone.Zone) -> None:
    """They are asked from one socket, as fast as the limit of queries allows. A worker that is taken over
    gets no others."""
    n_allowed = 0
    with limited(guest, POLICY, "--restart=no") as daemon, guest.connect(NAMESERVER, dnsserver.DNS_PORT, socket.SOCK_DGRAM) as sock:
        sock.settimeout(DEADLINE_S)
        for i in range(1000):
            if n_allowed == 500:
                break
            # Refused because of the limit of queries: the same name again.
            while True:
                sock.send(dnszone.query(dnszone.name(f"secret{i}.wild.test")))
                if dnszone.parse(sock.recv(65536)).rcode == dnsserver.NXDOMAIN:
                    break
            n_allowed += 1
        reply = ask(guest, "one-more.wild.test")
        assert (reply.rcode, reply.reason) == (dnsserver.REFUSED, dnszone.BLOCKED)
        with taken_over(daemon.children()["slirp-worker"], TO_RESOLVER) as channel:
            channel.send(query(10_000, dnszone.query(dnszone.name("another.wild.test"))))
            # An answer to the guest may come before.
            wanted = struct.pack("=Q", 10_000)
            data = wait_for("the answer", lambda: (got := receive(Channel(channel))[1]).startswith(wanted) and got)
            reply = dnszone.parse(data[16:16 + struct.unpack_from("=8xH", data)[0]])
            assert (reply.rcode, reply.reason) == (dnsserver.REFUSED, dnszone.BLOCKED)
        assert len(set(server.asked)) == 500


def test_dead_server_is_servfail(lab: Lab, guest: Guest, server: dnszone.Zone) -> None:
    lab.set_nameservers("127.0.0.1")  # nobody listens there
    with limited(guest):
        reply = ask(guest, "api.test")
        assert (reply.rcode, reply.reason) == (dnsserver.SERVFAIL, 22)
        assert ask(guest, "evil.test").rcode == dnsserver.NXDOMAIN


def test_policy_that_allows_the_internet_passes_names_on(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest, "policy 1\nallow to internet\n"):
        assert ask(guest, "evil.test").addresses == [OTHER]
        assert tcp(guest, OTHER) == 0


def test_policy_of_addresses_lets_no_name_out(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest, f"policy 1\nallow tcp {PORT} to {PUBLIC}\n"):
        assert ask(guest, "secret.test").rcode == dnsserver.NXDOMAIN
        assert server.asked == []
        assert tcp(guest, PUBLIC) == 0


@pytest.mark.parametrize("ask_by", (ask, ask_tcp))
def test_audit_lets_all_pass(guest: Guest, server: dnszone.Zone, ask_by: Callable[..., dnszone.Reply]) -> None:
    """Answers come as they are: with their addresses, lives and types."""
    week = 7 * 24 * 3600
    server.records["api.test"] = [dnszone.address("api.test", PRIVATE, week), dnszone.address("api.test", PUBLIC, week)]
    with limited(guest, POLICY, "--policy-mode=audit"):
        assert ask_by(guest, "evil.test").addresses == [OTHER]
        assert tcp(guest, OTHER) == 0
        for _ in range(2):
            reply = ask_by(guest, "api.test")
            assert (reply.addresses, reply.ttl) == ([PRIVATE, PUBLIC], week)
        assert ask_by(guest, "api.test", dnsserver.TXT).rcode == dnsserver.NOERROR
        assert server.asked == ["evil.test"] + ["api.test"] * 3


@pytest.mark.parametrize("kind", (10, 35, 65280))
def test_audit_passes_records_of_any_type(guest: Guest, server: dnszone.Zone, kind: int) -> None:
    """NULL, NAPTR, and one that nobody has: the resolver knows no form of them."""
    server.records["null.test"] = [("null.test", kind, 60, bytes(8))]
    with live(guest, POLICY.removeprefix("policy 1\n"), "--policy-mode=audit") as (daemon, _):
        before = daemon.children()
        assert ask(guest, "null.test", kind).rcode == dnsserver.NOERROR
        assert daemon.children() == before


def test_names_need_the_name_server(guest: Guest, tmp_path: Path) -> None:
    path = tmp_path / "p"
    path.write_text(POLICY)
    done = run_slirpd("--configure", "--disable-dns", f"--policy={path}", guest.pid, "tap0")
    assert done.returncode == 2
    assert "names need the name server" in done.stderr


def test_names_are_judged_over_tcp(guest: Guest, server: dnszone.Zone) -> None:
    with limited(guest):
        reply = send_tcp(guest, dnszone.query(dnszone.name("evil.test")))
        assert (reply.rcode, reply.reason) == (dnsserver.NXDOMAIN, dnszone.BLOCKED)
        assert server.asked == []
        assert tcp(guest, PUBLIC) == DENIED
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"))).addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0
        # From the cache.
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"))).addresses == [PUBLIC]
        assert server.asked == ["api.test"]


def test_truncated_answer_is_asked_over_tcp(guest: Guest, server: dnszone.Zone) -> None:
    server.cut_datagrams = True
    with limited(guest):
        assert ask(guest, "api.test").addresses == []
        assert tcp(guest, PUBLIC) == DENIED
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"))).addresses == [PUBLIC]
        assert tcp(guest, PUBLIC) == 0


def test_chain_is_followed_over_tcp(guest: Guest, server: dnszone.Zone) -> None:
    server.records["api.test"] = [dnszone.cname("api.test", "evil.test")]
    with limited(guest):
        assert send_tcp(guest, dnszone.query(dnszone.name("api.test"))).addresses == [OTHER]
        assert server.asked == ["api.test", "evil.test"]
