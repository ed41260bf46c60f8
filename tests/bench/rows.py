# SPDX-License-Identifier: BSD-2-Clause
"""What is measured, and what is wanted of it: the benchmark's rows as data.

`ROWS` has the order of the table and of the chart. `TARGETS` are the figures that slirpd has
to reach, each judged on one run.
"""

from __future__ import annotations

from dataclasses import dataclass

SLIRPD = "slirpd"
SLIRPD_OPEN = "slirpd-open"
# With its sandbox and its filter: what slirpd, which has them by default, is to be compared with.
REFERENCE = "slirp4netns"
SLIRP4NETNS_OPEN = "slirp4netns-open"
PASTA = "pasta"
# No subject: both ends on the internet's side, joined by its loopback interface.
NONE = "none"

MTUS = (1500, 4000, 16384, 65520)
# All figures that name no MTU.
PLAIN_MTU = 1500
# The first is what the usual limit of 1024 descriptors leaves room for; the second has to do
# with how a stack looks for a connection, and gets a raised limit.
IDLE_COUNTS = (900, 10_000)
# The usual MTU, and the one that leaves the fewest frames to a container's own interfaces.
CONTAINER_MTUS = (1500, 65520)
N_STREAMS = 16
# One frame of so many is lost.
LOSS_OF_FRAMES = 1000
# Each with a socket of the subject, for which the usual limit of 1024 descriptors leaves room.
N_UDP_PORTS = 600
API_REQUESTS_PER_S = 200
# Of the control socket, and of connections.
CLIENTS = 16
# What the largest policy in use may have, and the rule that lets the load through is its last.
POLICY_RULES, POLICY_PREFIXES, POLICY_NAMES = 1024, 10_000, 4096


@dataclass(frozen=True)
class Row:
    """One figure. `scene` names the measurement of scenes.py that gives it. If `unit` is empty,
    the figure is a ratio of the subject to itself. "kept" is such a ratio: a rate in or beside
    something, divided by the rate without."""

    name: str
    scene: str
    group: str
    title: str
    unit: str
    more_is_better: bool = True


WAYS = {"out": "guest to internet", "in": "internet to guest"}


def _tcp_rows():
    for mtu in MTUS:
        for way, words in WAYS.items():
            yield Row(f"tcp_{way}_{mtu}", f"tcp_{mtu}", "TCP, one stream",
                      f"{words}, MTU {mtu}", "Gbit/s")


def _container_rows():
    group = "TCP, a container behind a veth in the guest"
    for mtu in CONTAINER_MTUS:
        for way, words in WAYS.items():
            name, scene = f"container_{way}_{mtu}", f"container_{mtu}"
            yield Row(name, scene, group, f"{words}, MTU {mtu}", "Gbit/s")
            yield Row(f"{name}_kept", scene, group, f"kept, {words}, MTU {mtu}", "")


def _lossy_rows():
    group = "TCP, one frame of a thousand lost"
    for way, words in WAYS.items():
        yield Row(f"lossy_{way}", "lossy", group, words, "Gbit/s")
        yield Row(f"lossy_{way}_kept", "lossy", group, f"kept, {words}", "")


def _streams_rows():
    group = f"TCP, {N_STREAMS} streams at once"
    for way, words in WAYS.items():
        yield Row(f"streams_{way}", "streams", group, f"sum, {words}", "Gbit/s")
        yield Row(f"streams_{way}_kept", "streams", group, f"sum by one stream, {words}", "")
        yield Row(f"streams_{way}_even", "streams", group, f"slowest by fastest, {words}", "")


def _idle_rows():
    for count in IDLE_COUNTS:
        beside = f"beside {count:,} idle"
        group, scene = "Idle connections", f"idle_{count}"
        yield Row(f"idle_{count}_stream", scene, group, f"TCP out {beside}", "Gbit/s")
        yield Row(f"idle_{count}_kept", scene, group, f"TCP out kept {beside}", "")
        yield Row(f"idle_{count}_rr", scene, group, f"request/response {beside}", "/s")
        yield Row(f"idle_{count}_rr_kept", scene, group, f"request/response kept {beside}", "")
        yield Row(f"idle_{count}_pss", scene, group, f"memory with {count:,} idle", "MB",
                  more_is_better=False)
        yield Row(f"idle_{count}_each", scene, group, f"memory for each of {count:,} idle", "kB",
                  more_is_better=False)


ROWS = (
    *_tcp_rows(),
    Row("forward_in", "forward", "Host forward, one TCP stream", "into the guest", "Gbit/s"),
    Row("forward_out", "forward", "Host forward, one TCP stream", "out of the guest", "Gbit/s"),
    *_container_rows(),
    *_lossy_rows(),
    *_streams_rows(),
    Row("rr", "small", "Small packets, 64 bytes", "TCP request/response", "/s"),
    Row("connect", "small", "Small packets, 64 bytes", "connect, request, reply, close", "/s"),
    Row("connect_many", "small", "Small packets, 64 bytes",
        f"the same, {CLIENTS} clients at once", "/s"),
    Row("udp_echo", "small", "Small packets, 64 bytes", "UDP request/response", "/s"),
    Row("udp_ports", "udp_ports", "Small packets, 64 bytes", "UDP request from a new port", "/s"),
    Row("udp_flood", "small", "UDP flood, 1400-byte datagrams delivered",
        "guest to internet", "Gbit/s"),
    Row("udp_flood_in", "small", "UDP flood, 1400-byte datagrams delivered",
        "internet to guest", "Gbit/s"),
    *_idle_rows(),
    *(Row(f"policy_{what}_kept", "policy", f"Beside a policy of {POLICY_RULES:,} rules, "
          f"{POLICY_PREFIXES:,} prefixes, {POLICY_NAMES:,} names", f"kept: {title}", "")
      for what, title in (("connect", "connect, request, reply, close"), ("stream", "TCP out"),
                          ("echo", "UDP request/response"))),
    Row("policy_resolver", "policy", f"Beside a policy of {POLICY_RULES:,} rules, "
        f"{POLICY_PREFIXES:,} prefixes, {POLICY_NAMES:,} names", "memory of the resolver", "MB",
        more_is_better=False),
    Row("policy_gap", "policy_gap", f"Beside a policy of {POLICY_RULES:,} rules, "
        f"{POLICY_PREFIXES:,} prefixes, {POLICY_NAMES:,} names", "wait of packets that its replacement adds",
        "ms", more_is_better=False),
    Row("names_kept", "names", "Names a second, beside asking the host's server itself",
        f"kept: no policy, {CLIENTS} clients", ""),
    Row("policy_names_kept", "names", "Names a second, beside asking the host's server itself",
        f"kept: a policy of names, {CLIENTS} clients", ""),
    Row("ready", "ready", "Start and size", "time to ready", "ms", more_is_better=False),
    Row("pss", "ready", "Start and size", "memory when ready", "MB", more_is_better=False),
    Row("api_rate", "api", "Control socket", "requests, a connection each", "/s"),
    Row("api_rate_many", "api", "Control socket",
        f"the same, {CLIENTS} clients at once", "/s"),
    Row("api_kept", "api", "Control socket",
        f"TCP out kept beside {API_REQUESTS_PER_S} requests/s", ""),
)

# Does without a jail change it? Here the variants without one take part.
_JAIL_SCENES = frozenset({*(f"tcp_{mtu}" for mtu in MTUS), "ready"})
# Subjects that are not in all scenes. The loopback interface has one MTU, and no forward.
SCENES_OF = {
    SLIRPD_OPEN: _JAIL_SCENES,
    SLIRP4NETNS_OPEN: _JAIL_SCENES,
    NONE: frozenset({f"tcp_{PLAIN_MTU}", "streams", "small"}),
}

# Of what slirpd alone has.
OWN_SCENES = frozenset({"policy", "policy_gap", "names"})

# Names for the option --rows, each for the patterns of its rows. All rows of TCP's targets:
SETS = {
    "@tcp": ("tcp_*_1500", "tcp_*_65520", "container_*", "forward_*", "rr", "connect*", "idle_*",
             "lossy_*", "streams_*"),
}


@dataclass(frozen=True)
class Target:
    """A bound on slirpd's ratio to another subject, or on its own figure if there is none."""

    row: str
    against: str | None
    bound: float
    at_least: bool = True

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


TARGETS = (
    Target("tcp_out_1500", REFERENCE, 12.0),
    Target("tcp_in_1500", REFERENCE, 9.0),
    Target("tcp_out_1500", NONE, 0.55),
    Target("tcp_in_1500", NONE, 0.8),
    Target("tcp_out_65520", REFERENCE, 3.0),
    Target("tcp_in_65520", REFERENCE, 2.5),
    *(Target(f"tcp_{way}_65520", PASTA, 1.1) for way in WAYS),
    *(Target(f"tcp_{way}_{mtu}", SLIRPD_OPEN, 0.97)
      for mtu in (1500, 65520) for way in WAYS),
    *(Target(f"container_{way}_{mtu}_kept", None, 0.85)
      for mtu in CONTAINER_MTUS for way in WAYS),
    Target("forward_in", REFERENCE, 5.0),
    Target("forward_out", REFERENCE, 8.0),
    *(Target(f"forward_{way}", PASTA, 0.9) for way in WAYS),
    Target("rr", REFERENCE, 1.3),
    Target("rr", PASTA, 1.0),
    Target("connect", REFERENCE, 4.0),
    Target("connect", PASTA, 1.0),
    Target("connect_many", PASTA, 1.0),
    Target("udp_echo", REFERENCE, 1.5),
    Target("udp_echo", PASTA, 1.2),
    Target("udp_ports", REFERENCE, 1.0),
    *(Target(row, against, bound) for row in ("udp_flood", "udp_flood_in")
      for against, bound in ((REFERENCE, 1.5), (PASTA, 1.0))),
    *(Target(f"idle_{count}_{kept}", None, 0.95)
      for count in IDLE_COUNTS for kept in ("kept", "rr_kept")),
    *(Target(f"idle_{count}_each", None, 1.2, at_least=False) for count in IDLE_COUNTS),
    *(Target(f"lossy_{way}_kept", None, 0.5) for way in WAYS),
    *(Target(f"streams_{way}_kept", None, 1.0) for way in WAYS),
    *(Target(f"streams_{way}_even", None, 0.5) for way in WAYS),
    Target("policy_connect_kept", None, 0.95),
    Target("policy_stream_kept", None, 0.99),
    Target("policy_echo_kept", None, 0.95),
    Target("policy_resolver", None, 4.0, at_least=False),
    Target("policy_gap", None, 5.0, at_least=False),
    Target("names_kept", None, 0.8),
    Target("policy_names_kept", None, 0.8),
    Target("ready", REFERENCE, 5.0, at_least=False),
    Target("api_rate", REFERENCE, 2.0),
    Target("api_rate_many", REFERENCE, 2.0),
    Target("api_kept", None, 0.95),
)
