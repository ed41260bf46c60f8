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

MTUS = (1500, 4000, 16384, 65520)
# All figures that name no MTU.
PLAIN_MTU = 1500
# The first is what the usual limit of 1024 descriptors leaves room for; the second has to do
# with how a stack looks for a connection, and gets a raised limit.
IDLE_COUNTS = (900, 10_000)
API_REQUESTS_PER_S = 200
API_CLIENTS = 16


@dataclass(frozen=True)
class Row:
    """One figure. `scene` names the measurement of measure.py that gives it. Where `unit` is
    empty it is what is "kept": a rate beside something else, divided by the rate without."""

    name: str
    scene: str
    group: str
    title: str
    unit: str
    more_is_better: bool = True


def _tcp_rows():
    for mtu in MTUS:
        for way, words in (("out", "guest to internet"), ("in", "internet to guest")):
            yield Row(f"tcp_{way}_{mtu}", f"tcp_{mtu}", "TCP, one stream",
                      f"{words}, MTU {mtu}", "Gbit/s")


def _idle_rows():
    for count in IDLE_COUNTS:
        beside = f"beside {count:,} idle connections"
        group, scene = "Idle connections", f"idle_{count}"
        yield Row(f"idle_{count}_stream", scene, group, f"TCP out {beside}", "Gbit/s")
        yield Row(f"idle_{count}_kept", scene, group,
                  f"TCP out kept {beside}", "")
        yield Row(f"idle_{count}_rr", scene, group, f"request/response {beside}", "/s")
        yield Row(f"idle_{count}_pss", scene, group, f"memory with {count:,} idle connections",
                  "MB", more_is_better=False)


ROWS = (
    *_tcp_rows(),
    Row("forward_in", "forward", "Host forward, one TCP stream", "into the guest", "Gbit/s"),
    Row("forward_out", "forward", "Host forward, one TCP stream", "out of the guest", "Gbit/s"),
    Row("rr", "small", "Small packets, 64 bytes", "TCP request/response", "/s"),
    Row("connect", "small", "Small packets, 64 bytes", "connect, request, reply, close", "/s"),
    Row("udp_echo", "small", "Small packets, 64 bytes", "UDP request/response", "/s"),
    Row("udp_flood", "small", "UDP flood", "1400-byte datagrams delivered", "Gbit/s"),
    *_idle_rows(),
    Row("ready", "ready", "Start and size", "time to ready", "ms", more_is_better=False),
    Row("pss", "ready", "Start and size", "memory when ready", "MB", more_is_better=False),
    Row("api_rate", "api", "Control socket", "requests, a connection each", "/s"),
    Row("api_rate_many", "api", "Control socket",
        f"the same, {API_CLIENTS} clients at once", "/s"),
    Row("api_kept", "api", "Control socket",
        f"TCP out kept beside {API_REQUESTS_PER_S} requests/s", ""),
)

# Does without a jail change it? Here the variants without one take part.
SCENES_OF_OPEN_VARIANTS = {*(f"tcp_{mtu}" for mtu in MTUS), "ready"}


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
    Target("tcp_out_1500", REFERENCE, 6.0),
    Target("tcp_in_1500", REFERENCE, 3.3),
    Target("tcp_out_65520", REFERENCE, 1.2),
    Target("tcp_in_65520", REFERENCE, 1.15),
    *(Target(f"tcp_{way}_{mtu}", SLIRPD_OPEN, 0.97)
      for mtu in (1500, 65520) for way in ("out", "in")),
    Target("forward_in", REFERENCE, 3.0),
    Target("forward_out", REFERENCE, 5.0),
    Target("rr", REFERENCE, 1.0),
    Target("connect", REFERENCE, 1.0),
    Target("udp_echo", REFERENCE, 1.0),
    Target("idle_900_kept", None, 0.6),
    Target("ready", REFERENCE, 5.0, at_least=False),
    Target("api_rate", REFERENCE, 2.0),
    Target("api_rate_many", REFERENCE, 2.0),
    Target("api_kept", None, 0.95),
)
