# SPDX-License-Identifier: BSD-2-Clause
"""What each command of slirpctl shows: in a pipe, on terminals of 80 and 40 columns, in two locales.

Beside a peer whose replies never change. The name of its TAP is not ASCII. Runs inside outer-ns.
SLIRPCTL names the program under test.
"""

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from slirpctl import (  # noqa: E402, F401
    EVENTS, NO_REPLY, OK, SLIRPCTL, VALUES, answering, assert_ok, ctl, leaves_no_process, loopback, runtime,
)
from terminal import OnTerminal, shown_on_terminal  # noqa: E402

locales = pytest.mark.parametrize("locale", ["C", "C.UTF-8"])

STATUS_80 = """\
slirpd         0.1.0 with libslirp 4.7.0
up             11574074074 d 1 h, since -
interface      tap\\xc3\\xa9, MTU 1500
guest          10.0.2.100/24, gateway 10.0.2.2
guest IPv6     off
name server    off
host loopback  open to the guest
policy         enforce, default deny, 1 rule, 3 denied
forwards       tcp 127.0.0.1:8080 -> 10.0.2.100:80
PIDs           parent 7
confinement    complete
restarts       api 1
"""
STATUS_40 = """\
slirpd         0.1.0 with libslirp 4.7.0
up             11574074074 d 1 h, since
               -
interface      tap\\xc3\\xa9, MTU 1500
guest          10.0.2.100/24, gateway
               10.0.2.2
guest IPv6     off
name server    off
host loopback  open to the guest
policy         enforce, default deny, 1
               rule, 3 denied
forwards       tcp 127.0.0.1:8080 ->
               10.0.2.100:80
PIDs           parent 7
confinement    complete
restarts       api 1
"""
STATS_PIPE = """\
counters.frames_from_guest        7
counters.bytes_from_guest   3145728
tcp.timeouts                      2
"""
STATS_TERMINAL = """\
counters.frames_from_guest        7
counters.bytes_from_guest   3.0 MiB
tcp.timeouts                      2
"""
LIST = """\
ID  PROTO  HOST            GUEST
 1  tcp    127.0.0.1:8080  10.0.2.100:80
"""
CONNECTIONS_PIPE = """\
PROTO  STATE        SOURCE            DESTINATION    RECV-Q  SEND-Q  FORWARD       IN  OUT  RETRANS  RTT    AGE
tcp    ESTABLISHED  10.0.2.100:40000  192.0.2.1:443       0       5  no       3145728    5     1448  250  61000
"""
CONNECTIONS_80 = """\
PROTO  STATE        SOURCE            DESTINATION    RECV-Q  SEND-Q  FORWARD
         IN  OUT  RETRANS     RTT        AGE
tcp    ESTABLISHED  10.0.2.100:40000  192.0.2.1:443       0       5  no
    3.0 MiB  5 B  1.4 KiB  250 us  1 min 1 s
"""
CONNECTIONS_40 = """\
PROTO  STATE        SOURCE
    DESTINATION    RECV-Q  SEND-Q
    FORWARD       IN  OUT  RETRANS
       RTT        AGE
tcp    ESTABLISHED  10.0.2.100:40000
    192.0.2.1:443       0       5
    no       3.0 MiB  5 B  1.4 KiB
    250 us  1 min 1 s
"""
POLICY_HEAD = """\
policy generation 1, mode enforce, default deny
flows 12 allowed, 3 denied, 1 without a rule, 7 over a limit
names 5 denied, 4 over a limit, 6 addresses cut
pins 2
refuse reset
"""
POLICY_PIPE = POLICY_HEAD + """\
HITS  WHERE        ID                RULE
  12  ci.policy:2  9f31c2d07a55e1b4  allow tcp 443 to pypi.org
"""
POLICY_40 = POLICY_HEAD + """\
HITS  WHERE        ID
    RULE
  12  ci.policy:2  9f31c2d07a55e1b4
    allow tcp 443 to pypi.org
"""
PINS = """\
ADDRESS      SECONDS  NAME
198.51.99.1      299  pypi.org
2a00:99::1        12  *.pypi.org
"""
PS_PIPE = """\
PID  UP                 TAP          GUEST       FORWARDS  SOCKET
  7  11574074074 d 1 h  tap\\xc3\\xa9  10.0.2.100         1  PATH
"""
PS_80 = """\
PID  UP                 TAP          GUEST       FORWARDS
    SOCKET
  7  11574074074 d 1 h  tap\\xc3\\xa9  10.0.2.100         1
    PATH
"""
PS_40 = """\
PID  UP                 TAP
    GUEST       FORWARDS
    SOCKET
  7  11574074074 d 1 h  tap\\xc3\\xa9
    10.0.2.100         1
    PATH
"""
EVENTS_SHOWN = """\
2026-11-21T23:00:00.250000Z HOSTFWD_ADDED id=1 proto=tcp host_addr=127.0.0.1 host_port=8080 \
guest_addr=10.0.2.100 guest_port=80
2026-11-21T23:00:00.250000Z SHUTDOWN
"""
RAW = """\
{"return":{"slirpd":"0.1.0","libslirp":"4.7.0"}}
"""
HELP = """\
Usage: slirpctl [OPTION]... remove ID...|all
remove: end forwards
The same: slirpctl rm
"""
VERSION = """\
slirpctl VERSION
slirpd    0.1.0
libslirp  4.7.0
"""
DENIED = """\
COUNT  PROTO  PORT  ADDRESS          DENIED BY  NAME
   12  tcp     443  2a00:99::1       default    pypi.org
    1  icmp      -  169.254.169.254  forbid     -
    2  -         -  -                default    evil.test
"""
DENIED_40 = """\
COUNT  PROTO  PORT  ADDRESS
    DENIED BY  NAME
   12  tcp     443  2a00:99::1
    default    pypi.org
    1  icmp      -  169.254.169.254
    forbid     -
    2  -         -  -
    default    evil.test
"""
SUGGESTED = """\
policy 1
refuse reset
allow tcp 443 to pypi.org
# What was denied, or would be in mode audit. Read it before you load it: the guest
# has chosen it, and a rule for a name opens all that its addresses serve.
allow tcp 443 to pypi.org  # 12 times
# allow tcp 443 to evil.test  # 2 times: was only asked for: protocol and port are a guess
# allow icmp to 169.254.169.254  # 1 time: class metadata
"""
GOLDEN = [
    # Command, in a pipe, at 80 columns, at 40 columns.
    (["add", "tcp", "8081", "80"], "2\n", "2\n", "2\n"),
    (["remove", "2"], "", "", ""),
    (["remove", "all"], "", "", ""),
    (["status"], STATUS_80, STATUS_80, STATUS_40),
    (["stats"], STATS_PIPE, STATS_TERMINAL, STATS_TERMINAL),
    (["list"], LIST, LIST, LIST),
    (["connections"], CONNECTIONS_PIPE, CONNECTIONS_80, CONNECTIONS_40),
    (["policy", "show"], POLICY_PIPE, POLICY_PIPE, POLICY_40),
    (["policy", "denied"], DENIED, DENIED, DENIED_40),
    (["policy", "suggest"], SUGGESTED, SUGGESTED, SUGGESTED),
    (["pins"], PINS, PINS, PINS),
    (["ps"], PS_PIPE, PS_80, PS_40),
    (["events"], EVENTS_SHOWN, EVENTS_SHOWN, EVENTS_SHOWN),
    (["raw", '{"execute":"query_version"}'], RAW, RAW, RAW),
    (["version"], VERSION, VERSION, VERSION),
    (["help", "rm"], HELP, HELP, HELP),
]


def test_every_command_has_a_row():
    commands = re.findall(r"^([a-z]+) ", assert_ok(ctl("help")).partition("Commands:\n")[2], re.M)
    commands = commands[:commands.index("help") + 1]
    assert {row[0][0] for row in GOLDEN} | {"top"} == set(commands)


@pytest.fixture
def path(runtime):
    """The only socket that slirpctl finds, with a peer behind it."""
    runtime.mkdir(mode=0o700)
    with answering(runtime / "7.sock", VALUES):
        yield runtime / "7.sock"


def settled(text, path):
    """Without what differs from run to run. The line that says that events come is on standard error."""
    text = text.replace(str(path), "PATH").replace("slirpctl: waiting for events\n", "")
    return re.sub(r"slirpctl version .*\njansson: .*", "slirpctl VERSION", text)


@locales
@pytest.mark.parametrize("argv,piped,at_80,at_40", GOLDEN, ids=["-".join(row[0][:2]) for row in GOLDEN])
def test_golden_output(argv, piped, at_80, at_40, locale, path, monkeypatch):
    """ASCII in each locale: a byte of a reply must not become a control character."""
    monkeypatch.setenv("LC_ALL", locale)
    result = ctl(*argv)
    assert (result.returncode, settled(result.stdout, path), settled(result.stderr, path)) == (
        OK, piped, "")
    for columns, expected in (80, at_80), (40, at_40):
        status, shown = shown_on_terminal([SLIRPCTL, *argv], columns)
        assert (status, settled(shown, path)) == (OK, expected)


TOP_80 = """\
slirpd 7, up 11574074074 d 1 h; connections 1, forwards 0; TIME
from guest 0 B/s, 0 frames/s; to guest 0 B/s, 0 frames/s
order: rate; h help, q quit
IN/S  OUT/S  PROTO  SOURCE            DESTINATION    STATE        RECV-Q  SEND-Q
   -      -  tcp    10.0.2.100:40000  192.0.2.1:443  ESTABLISHED       0       5
"""
TOP_40 = """\
slirpd 7, up 11574074074 d 1 h; connecti
from guest 0 B/s, 0 frames/s; to guest 0
order: rate; h help, q quit
IN/S  OUT/S  PROTO  SOURCE            DE
   -      -  tcp    10.0.2.100:40000  19
"""


@locales
@pytest.mark.parametrize("columns,expected", [(80, TOP_80), (40, TOP_40)])
def test_golden_output_of_top(columns, expected, locale, path, monkeypatch):
    monkeypatch.setenv("LC_ALL", locale)
    with OnTerminal([SLIRPCTL, "top", "--watch=3600"], columns) as top:
        top.wait_shown(b"q quit\x1b[K\x1b[J\x1b[H")
        top.type(b"q")
        assert top.wait_end() == OK
        screen = top.shown.decode().partition("\x1b[J")[0].replace("\x1b[K\r\r\n", "\n")
    assert re.sub(r"\d{4}-\S+Z", "TIME", screen.removesuffix("\x1b[K")) == expected.removesuffix("\n")


@pytest.mark.parametrize("argv,expected", [
    (["add", "tcp", "8081", "80"], [{"id": 2}]),
    (["remove", "all"], [{"removed": [1]}]),
    (["status"], [VALUES["query_status"]]),
    (["stats"], [VALUES["query_stats"]]),
    (["list"], [VALUES["list_hostfwd"]]),
    (["connections"], [VALUES["query_connections"]]),
    (["policy", "show"], [{"policy": VALUES["query_policy"], "text": VALUES["policy_get"]}]),
    (["policy", "denied"], [VALUES["query_denied"]]),
    (["pins"], [VALUES["query_pins"]]),
    (["events"], EVENTS),
    (["raw", '{"execute":"query_version"}'], [{"return": VALUES["query_version"]}]),
    (["ps"], [{"instances": [
        {"pid": 7, "socket": "PATH", "tap_name": "tapé", "guest_addr": "10.0.2.100", "n_forwards": 1,
         "uptime_ms": 10**18, "started_at": "-", "state": "running"}]}]),
], ids=lambda value: value[0] if isinstance(value[0], str) else "")
def test_json_is_the_same_in_a_pipe_and_on_a_terminal(argv, expected, path):
    piped = settled(ctl(*argv, "--json").stdout, path)
    assert [json.loads(line) for line in piped.splitlines()] == expected
    assert piped.isascii()
    status, shown = shown_on_terminal([SLIRPCTL, *argv, "--json"], 40)
    assert (status, settled(shown, path)) == (OK, piped)


@pytest.mark.parametrize("lie", (
    {"name": "x.test\nallow to any"}, {"name": "*.test"}, {"name": "any"}, {"name": "a.test, any"}, {"name": "A.test"},
    {"name": "a.test private"}, {"name": "a.test # x"}, {"name": 7}, {"addr": "0.0.0.0/0"}, {"addr": "any"}, {"addr": None},
    {"proto": "tcp 1-65535"}, {"proto": "any"}, {"proto": "tcp\nallow"}, {"port": 2**40 + 443}, {"port": -1},
    {"port": "443 to any"}, {"classes": "internet"}, {"classes": [7, "interne", "all\nallow to any"]}, {"count": "7\nallow"},
), ids=lambda lie: str(lie)[1:-1])
def test_daemon_that_lies_suggests_no_wider_rule(lie, tmp_path):
    told = {"proto": "tcp", "port": 443, "addr": "198.51.99.1", "classes": ["any", "internet"], "name": "ok.test",
            "denied_by": "default", "count": 1}
    values = {**VALUES, "query_denied": {"generation": 1, "denied": [{**told, **lie}, told]},
              "policy_get": {"settings": [], "rules": []}}
    with answering(tmp_path / "api", values):
        lines = assert_ok(ctl("-a", tmp_path / "api", "policy", "suggest")).splitlines()
    rules = [line.split("  #")[0] for line in lines if not line.startswith("#")]
    assert {"policy 1", "allow tcp 443 to ok.test"} <= set(rules) <= {
        "policy 1", "allow tcp 443 to ok.test", "allow tcp 443 to 198.51.99.1"}, lines


@pytest.mark.parametrize("text", (
    {"settings": ["refuse reset\nallow to any"], "rules": []}, {"settings": [], "rules": [{"line": "a\nb"}]},
    {"settings": [], "rules": [{}, 7]}, {"settings": [7], "rules": []}, {"settings": []}, {"rules": []},
    {"settings": ["refuse reset"], "rules": [{"line": "deny to private"}, 7]}))
def test_rules_in_force_that_are_no_lines_are_refused(text, tmp_path):
    with answering(tmp_path / "api", {**VALUES, "policy_get": text}):
        done = ctl("-a", tmp_path / "api", "policy", "suggest")
    # A part of the policy would be another policy.
    assert (done.returncode, done.stdout) == (NO_REPLY, "")
    assert "policy suggest: the reply is not a policy" in done.stderr
