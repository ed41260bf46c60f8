# SPDX-License-Identifier: BSD-2-Clause
"""Every option with each kind of bad value: one line that says what is wrong, status 2, and
nothing made.

The options are those of --help, so a new one is here from its first day, and fails until it
refuses what it should, or is said below to take it.
"""

import os
import re
import subprocess

import pytest
from test_cmdline import NO_PID, NO_PROCESS, OWN_USERNS, SLIRPD, USAGE_STATUS
from test_cmdline import assert_failed, assert_refused
from test_cmdline import run  # noqa: F401

LONG = "x" * 5000  # more than PATH_MAX, which is more than any other limit

KINDS = {
    "empty": "",
    "garbage": "garbage!",
    "negative": "-5",
    "overflow": "9" * 30,
    "too long": LONG,
    "control characters": "a\nb\r\x1b[31m\x7f\\",
    "not UTF-8": b"a\xff\xc3(",
    "IPv4": "127.0.0.1",
    "IPv6": "fd00::1",
}

# A value that is right, for each option that takes one. No file is made before the target, which
# doesn't exist, has been looked for; but for the log's.
GOOD = {
    "exit-fd": "0",
    "ready-fd": "1",
    "mtu": "1500",
    "api-socket": "socket",
    "publish": "8080:80",
    "cidr": "10.0.3.0/24",
    "cidr6": "fd00:3::/64",
    "netns-type": "pid",
    "userns-path": OWN_USERNS,
    "runas": "65534:65534",
    "outbound-addr": "127.0.0.1",
    "outbound-addr6": "::1",
    "macaddress": "0a:0b:0c:0d:0e:0f",
    "target-type": "netns",
    "pidfile": "pid",
    "log-file": "log",
    "log-level": "info",
    "policy": "open",
    "allow-out": "192.0.2.1:443",
    "deny-out": "192.0.2.1:443",
    "policy-mode": "audit",
    "restart": "no",
}

# Without which it is refused for that alone, or is without effect.
BESIDE = {"cidr6": ["-6"], "outbound-addr6": ["-6"], "macaddress": ["-c"],
          "policy-mode": ["--policy=open"]}

# Any text that is short enough is a path; and this the address of every host.
IS_RIGHT = {(option, kind) for option in ("api-socket", "pidfile", "log-file")
            for kind in KINDS if kind not in ("empty", "too long")}
IS_RIGHT.add(("outbound-addr", "IPv4"))
# Read by another process, once the target is found.
IS_RIGHT |= {(option, kind) for option in ("allow-out", "deny-out") for kind in KINDS if kind != "too long"}

# What an interface could be called is looked for when it is the last one given.
IS_WELL_FORMED = {(f"outbound-addr{six}", kind) for six in ("", "6")
                  for kind in ("garbage", "negative", "not UTF-8", "IPv4", "IPv6")}

# An interface of no such name is a failed start; this value is no name.
IS_LOOKED_FOR = IS_WELL_FORMED - {("outbound-addr", "IPv6")}

# "{}" is the value.
USUAL_WORDS = ['--OPTION: "{}"', "--OPTION={}: ", '--OPTION: the path "{}"']
WORDS = {
    "target-type": ['--target-type must be "netns" or "bess", not "{}"'],
    "netns-type": ['--netns-type must be "pid", "path" or "tapfd", not "{}"'],
    "log-level": ['--log-level must be "error", "warning", "info" or "debug", not "{}"'],
    "restart": ['--restart must be "yes" or "no", not "{}"'],
    "runas": ['--runas: there is no user "{}"', '--runas: there is no user "fd00"'],
}


def options_of_help():
    """Letter, name, and whether it takes a value, of each."""
    text = subprocess.run([SLIRPD, "--help"], text=True, capture_output=True, check=True).stdout
    found = re.findall(r"^(?:-(\w), |    )--([a-z0-9-]+)(=)?", text, re.M)
    assert len(found) > 20
    return found


OPTIONS = options_of_help()
LETTERS = {name: letter for letter, name, _ in OPTIONS if letter}
WITH_VALUE = [name for _, name, value in OPTIONS if value]
FLAGS = [name for _, name, value in OPTIONS if not value]
# Of no help text, and of use to old scripts.
FLAGS += ["no-host-loopback", "create-sandbox"]
CASES = [(option, kind) for option in WITH_VALUE for kind in KINDS]


def shown(value):
    """As a message shows it."""
    data = os.fsencode(value)
    return "".join(chr(byte) if 0x20 <= byte < 0x7f and byte != 0x5c else f"\\x{byte:02x}"
                   for byte in data)


def says(message, words, value):
    """Whether it has the words with the value in them, of which a long one may be cut."""
    before, _, after = words.partition("{}")
    if value == LONG and "{}" in words:
        return re.search(re.escape(before) + r"x{200,}\.\.\.", message)
    return before + (shown(value) if "{}" in words else "") + after in message


def with_value(option, value):
    return f"--{option}=".encode() + os.fsencode(value)


# Each would leave a file behind if the run went on.
MAKES = {"pidfile": "--pidfile=made-pid", "api-socket": "--api-socket=made-socket",
         "log-file": "--log-file=made-log"}


def others(option):
    """Without those that equal it, and with no log where it is the system that refuses: such a
    refusal is in the log, too."""
    left = set(MAKES) - {option} - ({"log-file"} if option.startswith(("outbound", "policy")) else set())
    return [MAKES[name] for name in sorted(left)]


def test_every_option_with_a_value_is_here():
    assert set(GOOD) == set(WITH_VALUE)


@pytest.mark.parametrize("option,kind", [case for case in CASES if case not in IS_RIGHT])
def test_bad_value(run, option, kind):
    value = KINDS[kind]
    words = [text.replace("OPTION", option) for text in WORDS.get(option, USUAL_WORDS)]
    bad = with_value(option, value)
    right = with_value(option, GOOD[option])
    ways = [[bad], [f"--{option}", value], [right, bad]]
    if (option, kind) not in IS_WELL_FORMED:
        ways.append([bad, right])
    for args in ways:
        result = run(*others(option), *BESIDE.get(option, []), *args, NO_PID, "tap0")
        status = 1 if (option, kind) in IS_LOOKED_FOR else USAGE_STATUS
        assert_refused(result, status=status)
        assert any(says(result.stderr, text, value) for text in words), result.stderr
        assert re.fullmatch(r"[\x20-\x7e]+\n", result.stderr)


@pytest.mark.parametrize("option,kind", sorted(IS_RIGHT) + [(option, "good") for option in GOOD])
def test_right_value(run, option, kind):
    value = KINDS.get(kind) or GOOD[option]
    made = [os.fsdecode(value) + end for end in ("", ".1")] if option == "log-file" else []
    for args in ([with_value(option, value)], [f"--{option}", value]):
        result = run(*BESIDE.get(option, []), *args, NO_PID, "tap0", may_make=made)
        assert_failed(result, NO_PROCESS)


def test_last_of_two_counts(run):
    assert_failed(run("--outbound-addr=none0", "--outbound-addr=127.0.0.1", NO_PID, "tap0"),
                   NO_PROCESS)
    assert_failed(run("--cidr=10.0.3.0/24", "--cidr=10.0.3.0/24", NO_PID, "tap0"), NO_PROCESS)


# --- what is no value -------------------------------------------------------------------------


@pytest.mark.parametrize("option", WITH_VALUE)
def test_value_that_is_missing(run, option):
    spellings = [f"--{option}"] + ([f"-{LETTERS[option]}"] if option in LETTERS else [])
    for spelling in spellings:
        result = run(*others(option), NO_PID, "tap0", spelling)
        assert_refused(result, f"option '--{option}' requires an argument")


@pytest.mark.parametrize("option", FLAGS)
@pytest.mark.parametrize("kind", KINDS)
def test_value_that_is_too_much(run, option, kind):
    result = run(*others(option), with_value(option, KINDS[kind]), NO_PID, "tap0")
    assert_refused(result, f"option '--{option}' doesn't allow an argument")


UNKNOWN = {"garbage": "--garbage!", "too long": "--" + LONG, "control characters": "--a\nb\x1b[31m",
           "not UTF-8": b"--a\xff\xc3(", "a letter": "-Z", "not a letter": b"-\xff",
           "a control character": "-\x1b"}


@pytest.mark.parametrize("kind", UNKNOWN)
def test_unknown_option(run, kind):
    result = run(*MAKES.values(), UNKNOWN[kind], NO_PID, "tap0")
    assert_refused(result)
    assert re.match(r"slirpd: (unrecognized|invalid) option ", result.stderr)
    assert re.fullmatch(r"[\x20-\x7e]+\n", result.stderr)


# --- arguments that are no options ------------------------------------------------------------


# What comes before the argument, and what after it; the words; which kinds are right.
ARGUMENTS = {
    "PID": ([], ["tap0"], 'PID "{}" is not a positive integer', ()),
    "TAPNAME": ([NO_PID], [], 'TAPNAME "{}" is not a name', ("garbage", "negative", "not UTF-8",
                                                           "IPv4")),
    "PATH": (["--netns-type=path"], ["tap0"],
             'existing path expected when --netns-type=path: "{}": ', ()),
    "FD": (["--netns-type=tapfd"], [],
           'FD must be a non-negative integer when --netns-type=tapfd, not "{}"', ()),
    "PATH of bess": (["--target-type=bess"], [],
                     'PATH must have 1 to 107 bytes when --target-type=bess, not "{}"',
                     set(KINDS) - {"empty", "too long"}),
    "PATH of --create-netns": (["--create-netns", "--netns-type=path"], ["tap0"],
                               '--create-netns: the PATH "{}" is ',
                               set(KINDS) - {"empty", "too long"}),
}


BAD_ARGUMENTS = [(argument, kind) for argument in ARGUMENTS for kind in KINDS
                 if kind not in ARGUMENTS[argument][3]]


@pytest.mark.parametrize("argument,kind", BAD_ARGUMENTS)
def test_bad_argument(run, argument, kind):
    before, after, words, _ = ARGUMENTS[argument]
    result = run(*MAKES.values(), *[text for text in before if text.startswith("-")], "--",
                 *[text for text in before if not text.startswith("-")], KINDS[kind], *after)
    assert_refused(result)
    assert says(result.stderr, words, KINDS[kind]), result.stderr
    assert re.fullmatch(r"[\x20-\x7e]+\n", result.stderr)


# --- what doesn't go together -----------------------------------------------------------------


NETNS = ["--netns-type=path", "new"]
CONFLICTS = (
    (["-c", "--target-type=bess", "s"], "--configure", "--target-type=bess"),
    (["--netns-type=pid", "--target-type=bess", "s"], "--netns-type", "--target-type=bess"),
    ([f"--userns-path={OWN_USERNS}", "--target-type=bess", "s"], "--userns-path",
     "--target-type=bess"),
    (["--create-netns", "--target-type=bess", "s"], "--create-netns", "--target-type=bess"),
    (["-c", "--netns-type=tapfd", "0"], "--configure", "--netns-type=tapfd"),
    ([f"--userns-path={OWN_USERNS}", "--netns-type=tapfd", "0"], "--userns-path",
     "--netns-type=tapfd"),
    (["--create-netns", "--netns-type=tapfd", "0"], "--create-netns", "--netns-type=tapfd"),
    (["--create-netns", NO_PID, "tap0"], "--create-netns", "--netns-type=path"),
    (["--create-netns", f"--userns-path={OWN_USERNS}", *NETNS, "tap0"], "--create-netns",
     "--userns-path"),
    (["--macaddress=0a:0b:0c:0d:0e:0f", NO_PID, "tap0"], "--macaddress", "--configure"),
    (["--cidr6=fd00:1::/64", NO_PID, "tap0"], "--cidr6", "--enable-ipv6"),
    (["--enable-sandbox", "--disable-sandbox", NO_PID, "tap0"], "--enable-sandbox",
     "--disable-sandbox"),
    (["--create-sandbox", "--disable-sandbox", NO_PID, "tap0"], "--enable-sandbox",
     "--disable-sandbox"),
    (["--enable-seccomp", "--disable-seccomp", NO_PID, "tap0"], "--enable-seccomp",
     "--disable-seccomp"),
    (["-r1", "-e1", NO_PID, "tap0"], "--ready-fd", "--exit-fd"),
    (["-r0", "--netns-type=tapfd", "0"], "--ready-fd", "FD of --netns-type=tapfd"),
    (["-e0", "--netns-type=tapfd", "0"], "--exit-fd", "FD of --netns-type=tapfd"),
    (["-as", "--target-type=bess", "s"], "--api-socket", "PATH of --target-type=bess"),
    (["-as", "--pidfile=s", NO_PID, "tap0"], "--api-socket", "--pidfile"),
    (["-as", "--log-file=s", NO_PID, "tap0"], "--api-socket", "--log-file"),
    (["--pidfile=s", "--log-file=s", NO_PID, "tap0"], "--pidfile", "--log-file"),
    (["--pidfile=s.1", "--log-file=s", NO_PID, "tap0"], "--pidfile", "--log-file"),
    (["--pidfile=new", "--create-netns", *NETNS, "tap0"], "--pidfile", "PATH of --create-netns"),
    *((["--print-confinement", option], "--print-confinement", option.partition("=")[0])
      for option in ("--ready-fd=1", "--netns-type=pid", f"--userns-path={OWN_USERNS}",
                     "--target-type=netns", "--pidfile=pid")),
    (["--print-confinement", "--create-netns", "--netns-type=path"], "--print-confinement", "--"),
    (["--print-confinement", NO_PID], "--print-confinement", f'"{NO_PID}"'),
)


@pytest.mark.parametrize("args,one,other", CONFLICTS, ids=[" ".join(c[0]) for c in CONFLICTS])
def test_conflict(run, args, one, other):
    for words in (args, [*args[:1], *args[2:], args[1]] if args[1].startswith("--") else args):
        result = run(*words)
        # A deprecated spelling is told besides.
        lines = [line for line in result.stderr.splitlines() if "is deprecated" not in line]
        assert result.returncode == USAGE_STATUS and result.stdout == "" and len(lines) == 1, result
        assert one in lines[0] and other in lines[0], result.stderr
