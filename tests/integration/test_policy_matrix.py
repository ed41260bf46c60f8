# SPDX-License-Identifier: BSD-2-Clause
"""Each kind of destination of a rule, with each protocol, in both families: what the rule names is open,
and all beside it is denied, or in mode audit only counted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import dnsserver
import dnszone
import pytest
from egress import Refusals, Uplink, Where, counted, in_the_internet, limited, prohibited
from guest import Guest
from lab import INTERNET4, INTERNET6, Lab
from test_policy import (  # noqa: F401
    ICMP, OTHER4, OTHER6, OTHER_PORT, PORT, PRIVATE4, PRIVATE6, PUBLIC4, PUBLIC6, TCP, UDP, echo, tcp, udp, world,
)
from test_policy_live import load
from test_policy_names import SERVER, ask

# What the rule names, and the names that lead to the addresses.
KINDS = {
    "address": (f"{PUBLIC4}, {PUBLIC6}", ()),
    "prefix": ("198.51.99.0/24, 2a00:99::/32", ()),
    "set": ("@some", ()),
    "class": ("internet", ()),
    "name": ("api.test", ("api.test",)),
    "wildcard": ("*.wild.test", ("a.wild.test",)),
}
# The port of a rule, which other protocols try too, and the one beside it.
PORTS = {TCP: (PORT, OTHER_PORT), UDP: (OTHER_PORT, PORT), ICMP: (PORT, PORT)}
WORDS = {TCP: f"tcp {PORT}", UDP: f"udp {OTHER_PORT}", ICMP: "icmp"}
ALLOWED = (PUBLIC4, PUBLIC6)
# Of class internet are the first two as well.
OTHERS = (OTHER4, OTHER6, PRIVATE4, PRIVATE6)


@pytest.fixture
def names(lab: Lab) -> Iterator[None]:
    zone = dnszone.Zone({name: [dnszone.address(name, address) for address in ALLOWED]
                         for _, asked in KINDS.values() for name in asked})
    lab.set_nameservers(SERVER)
    with in_the_internet(SERVER), dnsserver.dns_server(lab.internet_netns, SERVER, zone):
        yield
    lab.set_nameservers(INTERNET4, INTERNET6)


def passes(guest: Guest, proto: int, address: str, port: int) -> bool:
    if proto == ICMP:
        return echo(guest, address)
    return (tcp if proto == TCP else udp)(guest, address, port) == 0


def as_sent(proto: int, address: str, port: int) -> Where:
    return proto, address, 0 if proto == ICMP else port


@pytest.mark.usefixtures("world", "names")
@pytest.mark.parametrize("mode", ("enforce", "audit"))
def test_kinds_of_destinations_and_protocols(guest: Guest, mode: str) -> None:
    is_audit = mode == "audit"
    late: set[Where] = set()
    with limited(guest, "") as api, Uplink() as uplink, Refusals(guest) as refusals:
        for (kind, (dest, asked)), (proto, what) in itertools.product(KINDS.items(), WORDS.items()):
            # The label is another one each time: a rule that stays keeps its hits.
            text = (f"policy 1\nmode {mode}\nset some = {PUBLIC4}, {PUBLIC6}\n"
                    f"{kind}{proto}: allow {what} to {dest}\n")
            assert "return" in load(api, text)
            for name, family in itertools.product(asked, (dnsserver.A, dnszone.AAAA)):
                assert ask(guest, name, family).addresses
            uplink.sent()  # the questions
            port, other_port = PORTS[proto]
            closed = [(other, address, port) for other in PORTS if other != proto for address in ALLOWED]
            closed += [(proto, address, port) for address in OTHERS[2 if kind == "class" else 0:]]
            if proto != ICMP:
                closed += [(proto, address, other_port) for address in ALLOWED]
            with counted(api, allowed=2, denied=len(closed), **{f"{kind}{proto}": 2}):
                for attempt in closed:
                    assert passes(guest, *attempt) == is_audit, (kind, what, attempt)
                for address in ALLOWED:
                    assert passes(guest, proto, address, port), (kind, what, address)
            sent = {as_sent(proto, address, port) for address in ALLOWED}
            seen = {as_sent(*attempt) for attempt in closed}
            wanted = sent | seen if is_audit else sent
            assert uplink.sent() - late == wanted - late
            # Their last segments may leave later.
            late = {where for where in wanted if where[0] == TCP}
            refusals.assert_came(*(() if is_audit else prohibited(*seen)))
