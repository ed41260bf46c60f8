"""The manual against the program and the sources that it describes, both ways.

SLIRPD names the program under test. Runs nothing but its --help.
"""

import os
import pathlib
import re
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SLIRPD = pathlib.Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()


def read(name):
    return (PROJECT / name).read_text()


def section(text, title):
    """The lines of an mdoc section, up to the next one."""
    pattern = rf"^\.Sh {re.escape(title)}\n(.*?)(?=^\.Sh |\Z)"
    match = re.search(pattern, text, re.M | re.S)
    assert match, f"no section {title}"
    return match[1]


def macro_body(text, name):
    """What a macro of a C header stands for."""
    match = re.search(rf"#define {name}\(\w+(?:, \.\.\.)?\)((?:[^\n]*\\\n)*[^\n]*)\n", text)
    assert match, f"no macro {name}"
    return re.sub(r"\\\n", "\n", match[1])


def c_string(text):
    """"a" "b" as C reads it."""
    return "".join(re.findall(r'"([^"]*)"', text))


def named_sentences(text, macro, row):
    rows = re.findall(rf'\b{row}\((\w+),\s*((?:"[^"]*"\s*)+)\)', macro_body(text, macro))
    assert rows, f"{macro} has no rows"
    return {name: c_string(sentence) for name, sentence in rows}


def listed(text):
    """Each `.It Li name` of a list and the text below it, up to the list's end."""
    items = re.findall(r"^\.It Li (\w+)\n(.*?)(?=^\.It |^\.El)", text, re.M | re.S)
    assert len({name for name, _ in items}) == len(items), "a name is listed twice"
    return {name: " ".join(body.split()) for name, body in items}


# --- slirpd(1) --------------------------------------------------------------------------------


def help_options():
    """Name of each option in --help: letter and value."""
    text = subprocess.run(
        [SLIRPD, "--help"], stdout=subprocess.PIPE, check=True, timeout=20, text=True
    ).stdout
    found = re.findall(r"^(?:-(\w), )?--([\w-]+)(?:=(\S+))? +(.*)$", text, re.M)
    assert found, text
    return {name: (letter, value) for letter, name, value, _ in found}


def manual_options():
    text = section(read("man/slirpd.1"), "OPTIONS")
    found = re.findall(
        r"^\.It (?:Fl (\w) , )?Fl -([\w-]+)(?: Ns = Ns ([^\n]*))?\n(.*?)(?=^\.It Fl|\Z)",
        text,
        re.M | re.S,
    )
    assert found
    return {
        name: (
            letter,
            # "Ar IPv4 Ns | Ns Ar IFNAME" is printed as IPv4|IFNAME.
            value.replace("Ar ", "").replace(" Ns ", ""),
        )
        for letter, name, value, _ in found
    }


def test_manual_has_the_options_of_help():
    assert manual_options() == help_options()


def test_manual_has_the_options_in_the_order_of_help():
    assert list(manual_options()) == list(help_options())


def test_manual_mentions_deprecated_spellings():
    spellings = re.findall(r'\{ "([\w-]+)", \.replaced_by = ', read("src/parent/options.c"))
    assert spellings
    text = section(read("man/slirpd.1"), "OPTIONS")
    for spelling in spellings:
        assert f".Fl -{spelling}\n" in text
        assert spelling not in help_options()


@pytest.mark.parametrize(
    "constant,value,row",
    [
        ("src/slirp-worker/pollset.c:POLLSET_MAX", 65536, "open files Ta .* 65536 at most"),
        ("src/slirp-worker/budget.h:BUDGET_OWN", 32, "open files Ta .* less 32 for"),
        ("src/slirp-worker/budget.h:BUDGET_UDP_MAX", 4096, "UDP flows Ta 4096,"),
        ("src/slirp-worker/budget.c:UDP_PARTS", 8, "UDP flows Ta .* an eighth"),
        ("src/slirp-worker/budget.c:EPHEMERAL_PARTS", 4, "UDP flows Ta .* a quarter"),
        ("src/slirp-worker/budget.h:BUDGET_DNS_MAX", 256, "UDP flows to the name server Ta 256"),
        ("src/slirp-worker/gate_flows.h:GATE_FLOW_LIFE_MS", 240000, "UDP flows Ta .* 240 s"),
        ("src/slirp-worker/budget.h:BUDGET_PING_MAX", 256, "echo requests Ta 256 flows"),
        ("src/slirp-worker/ping.h:PING_IDLE_MS", 30000, "echo requests Ta .* 30 s after"),
        ("src/slirp-worker/reass.h:REASS_MAX_DATAGRAMS", 32, "datagrams in fragments Ta 32 at"),
        ("src/slirp-worker/reass.h:REASS_LIFE4_MS", 30000, "datagrams in fragments Ta .* 30 s,"),
        ("src/slirp-worker/reass.h:REASS_LIFE6_MS", 60000, "datagrams in fragments Ta .* 60 s"),
        ("src/ipc/rules.h:RULES_MAX", 65536, "forwarded ports Ta 65536 in"),
        ("src/api/request.h:API_REQUEST_SIZE", 4096, "requests Ta below 4096 bytes"),
        ("src/api/client.h:API_CLIENTS_MAX", 256, "requests Ta .* from 256 clients"),
        ("src/parent/spawn.c:CHILD_LOG_BURST", 64, "log Ta 64 lines"),
        ("src/parent/spawn.c:CHILD_LOG_INTERVAL_MS", 300000, "log Ta .* in 5 minutes"),
        ("src/parent/supervise_start.h:SUPERVISE_START_TIMEOUT_MS", 30000, "start Ta 30 s"),
        ("src/parent/options.h:OPTIONS_PUBLISH_MAX", 256, None),
    ],
)
def test_manual_has_the_limits_of_the_code(constant, value, row):
    path, name = constant.split(":")
    expression = re.search(rf"^#define {name} (.*)$", read(path), re.M)[1]
    assert re.fullmatch(r"[\d()* ]+", expression), expression
    assert eval(expression) == value
    manual = read("man/slirpd.1")
    if row is None:
        assert f"may be given up to {value} times" in manual
    else:
        assert re.search(rf"^\.It {row}", manual, re.M)


# --- slirpctl(1) ------------------------------------------------------------------------------


def slirpctl_help():
    """The options of --help with letter and value, and the commands with their arguments."""
    text = subprocess.run(
        [SLIRPD.parent / "slirpctl", "--help"],
        stdout=subprocess.PIPE,
        check=True,
        timeout=20,
        text=True,
    ).stdout
    options, commands = text.split("\nCommands:\n")
    return (
        re.findall(r"^-(\w), --([\w-]+)(?:=(\S+))? ", options, re.M),
        re.findall(r"^([a-z]+)((?: \S+)*?)  ", commands, re.M),
    )


def test_slirpctl_manual_has_the_options_and_commands_of_help():
    manual = read("man/slirpctl.1")
    options, commands = slirpctl_help()
    assert len(options) > 3 and len(commands) > 6
    assert options == re.findall(
        r"^\.It Fl (\w) , Fl -([\w-]+)(?: Ns = Ns Ar (\S+))?$", section(manual, "OPTIONS"), re.M
    )
    told = re.findall(r"^\.It Cm (\w+)(.*)$", section(manual, "COMMANDS"), re.M)
    assert [name for name, _ in commands] == [name for name, _ in told]
    for (name, arguments), (_, macros) in zip(commands, told):
        assert re.findall(r"\w+", arguments) == re.findall(
            r"\b(?!Ar\b|Op\b|Cm\b)\w+", macros
        ), name


def test_slirpctl_manual_has_the_exit_statuses():
    rows = re.findall(r"OUTCOME_\w+ = (\d)", read("src/slirpctl/outcome.h"))
    told = re.findall(r"^\.It (\d)$", section(read("man/slirpctl.1"), "EXIT STATUS"), re.M)
    assert rows == told == ["0", "1", "2", "3"]


def test_completions_know_the_options_and_commands_of_slirpctl():
    options, commands = slirpctl_help()
    words = [f"--{name}" for _, name, _ in options] + [name for name, _ in commands]
    for file in ("bash/slirpctl", "zsh/_slirpctl", "fish/slirpctl.fish"):
        text = read(f"completions/{file}")
        for word in words:
            spelled = word.replace("--", "-l ") if file.startswith("fish") else word
            assert re.search(rf"(?<![\w-]){re.escape(spelled)}(?!\w)", text), (file, word)


# --- slirpd-processes(7) ----------------------------------------------------------------------


def arrows():
    """Each arrow's constant, and how it reads: PARENT_TO_NETNS_HELPER, parent to netns-helper."""
    found = re.findall(r"ARROW\((\w+),", macro_body(read("src/ipc/roles.h"), "IPC_ARROWS"))
    assert found

    def words(arrow):
        ends = arrow.lower().split("_to_")
        return " to ".join(end.replace("_", "-") for end in ends) if ends[1:] else arrow.lower()

    return {arrow: words(arrow).replace("both_ways", "both ways") for arrow in found}


def header_rows():
    text = read("src/ipc/messages.h")
    rows = set()
    for arrow, words in arrows().items():
        found = re.findall(
            r'ROW\((\w+),\s*(\d+),\s*(\w+),\s*((?:"[^"]*"\s*)+)\)',
            macro_body(text, f"IPC_ROWS_{arrow}"),
        )
        assert found, f"no row of {arrow} was understood"
        assert len(found) == macro_body(text, f"IPC_ROWS_{arrow}").count("ROW(")
        rows |= {(words, n, fds, when.lower(), c_string(why)) for n, fds, when, why in found}
    return rows


def manual_rows():
    rows = set()
    messages = section(read("man/slirpd-processes.7"), "MESSAGES")
    for title, body in re.findall(r"^\.Ss ([^\n]*)\n(.*?)(?=^\.Ss |\Z)", messages, re.M | re.S):
        lines = re.findall(r"^\.It (.*)$", body, re.M)
        assert lines[0] == "Em name Ta Em fds Ta Em when Ta Em meaning"
        for line in lines[1:]:
            name, fds, when, meaning = line.split(" Ta ")
            rows.add((title[0].lower() + title[1:], name, fds, when, meaning))
    return rows


def test_manual_has_the_rows_of_messages_h():
    assert manual_rows() == header_rows()


def test_manual_explains_every_time_of_a_row():
    messages = section(read("man/slirpd-processes.7"), "MESSAGES").partition("\n.Ss ")[0]
    explained = re.findall(r"^\.It (\w+)$", messages, re.M)
    assert set(explained) == {when for _, _, _, when, _ in header_rows()}


def test_manual_has_the_drop_reasons():
    reasons = named_sentences(read("src/ipc/drop_reasons.h"), "IPC_DROP_REASONS", "R")
    assert listed(section(read("man/slirpd-processes.7"), "THE GATE")) == reasons


def test_manual_has_the_counters():
    counters = named_sentences(read("src/ipc/messages.h"), "IPC_COUNTERS", "COUNTER")
    assert listed(section(read("man/slirpd-processes.7"), "COUNTERS")) == counters


def stages():
    return named_sentences(read("src/ipc/messages.h"), "IPC_STAGES", "STAGE")


def test_manual_has_the_stages_of_the_jails():
    confinement = section(read("man/slirpd-processes.7"), "CONFINEMENT")
    assert listed(confinement) == stages()
    assert list(listed(confinement)) == list(stages())


# --- SECURITY.md ------------------------------------------------------------------------------


def security_rows(title):
    """The rows of the tables below a heading, each a list of its cells."""
    text = read("SECURITY.md").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    assert text, f"no heading {title}"
    return [
        [cell.strip() for cell in row.split("|")] for row in re.findall(r"^\|(.*)\|$", text, re.M)
    ]


def in_backticks(text):
    return re.findall(r"`([^`]*)`", text)


def policies(role):
    """The text of a role's policy, with those that are compiled behind it."""
    for path in PROJECT.glob("src/*/CMakeLists.txt"):
        compiled = re.search(rf"^slirpd_policy\(\w+ {role}\b([^)]*)\)", path.read_text(), re.M)
        if compiled:
            return "".join(read(f"seccomp/{name}.policy") for name in [role, *compiled[1].split()])
    raise AssertionError(f"no policy is compiled for {role}")


def policy_calls(role, architecture):
    """The names of the calls that a policy allows, on one of the architectures."""
    calls = set()
    for line in policies(role).splitlines():
        rule = line.partition("#")[0].strip()
        match = re.match(r"(\w+)(?:\s+\[([\w,]+)\])?", rule)
        if match and "->" not in rule and architecture in (match[2] or architecture).split(","):
            calls.add(match[1])
    return calls


def roles():
    """Those with a program, and the spawner, which is the parent's. slirpctl is none."""
    programs = {path.parent.name for path in PROJECT.glob("src/*/main.c")} - {"slirpctl"}
    table = set(re.findall(r'ROLE\(\w+, "([\w-]+)"', macro_body(read("src/ipc/roles.h"), "IPC_ROLES")))
    assert table == programs | {"spawner"}
    return table


def test_security_has_the_stages_of_the_jails():
    rows = security_rows("The jails")
    assert set(rows[0][1:]) == roles()
    assert [in_backticks(row[0]) for row in rows[2:]] == [[name] for name in stages()]


def intended_stages():
    """What src/ipc/roles.h says of each role."""
    every = set(stages())

    def of(expression):
        named = set(re.findall(r"IPC_STAGE_BIT\((\w+)\)", expression))
        return every if named == {"N"} else named

    rows = macro_body(read("src/ipc/roles.h"), "IPC_ROLES").split("ROLE(")[1:]
    return {re.search(r'"([\w-]+)"', row)[1]: of(row) for row in rows}


def test_documents_have_the_stages_that_each_role_means_to_reach():
    rows = security_rows("The jails")
    by_column = dict(zip(rows[0][1:], list(zip(*rows[2:]))[1:]))
    assert set(by_column) == set(intended_stages())
    for role, cells in by_column.items():
        reached = {name for name, cell in zip(stages(), cells) if not re.match("no(:|$)", cell)}
        assert reached == intended_stages()[role], role
    confinement = section(read("man/slirpd-processes.7"), "CONFINEMENT")
    lines = [line.split(" Ta ") for line in re.findall(r"^\.It (.* Ta .*)$", confinement, re.M)]
    columns = [name.removeprefix("Em ") for name in lines[0]][1:]
    assert set(columns) == set(intended_stages())
    for number, role in enumerate(columns, start=1):
        table = {line[0] for line in lines[1:] if line[0] in stages() and line[number] != "no"}
        assert table == intended_stages()[role], role


def test_security_has_the_system_calls_of_the_policies():
    rows = {row[0]: row[1:] for row in security_rows("System calls")[2:]}
    assert set(rows) == roles()
    for role, (calls, n_x86_64, n_arm64) in rows.items():
        allowed = policy_calls(role, "x86_64"), policy_calls(role, "aarch64")
        assert in_backticks(calls) == sorted(allowed[0] | allowed[1]), role
        assert (int(n_x86_64), int(n_arm64)) == (len(allowed[0]), len(allowed[1])), role


def test_security_names_a_check_for_each_hole():
    """Every class and every number has a drop reason, a file, or a switch that is off."""
    reasons = named_sentences(read("src/ipc/drop_reasons.h"), "IPC_DROP_REASONS", "R")
    rows = [row for row in security_rows("Known holes of libslirp") if "---" not in row[0]]
    n_numbers = 0
    for row in rows:
        if row[0] in ("class", "number"):
            continue
        n_numbers += row[0].startswith("CVE-")
        named = in_backticks(row[-1])
        if row[-1] == "none":
            # Only where no libslirp that can be built with has it.
            assert row[-2] == "before 4.0", row
            continue
        assert set(named) <= set(reasons) or all("/" in name for name in named), row
        assert named or "off" in row[-1] or "enable_emu" in row[1], row
    assert n_numbers > 10


def test_security_has_the_holes_that_the_code_knows():
    """CVE number, the release that corrects it, and the check, in the same order."""
    text = read("src/parent/libslirp_known.c")
    names = dict(re.findall(r'^#define (\w+) ("[^"]*")$', text, re.M))

    def value(expression):
        words = re.findall(r'"[^"]*"|\w+', expression)
        return "none" if words == ["NULL"] else c_string(
            "".join(names.get(word, word) for word in words))

    found = re.findall(r'^\t\{ ("CVE-[\d-]+"), ("[\d.]+"), (.*) \},$', text, re.M)
    assert len(found) == text.count('"CVE-')
    code = [(value(number), value(fixed), value(check)) for number, fixed, check in found]
    rows = [row for row in security_rows("Known holes of libslirp") if row[0].startswith("CVE-")]
    assert code == [
        (number, fixed.removeprefix("before "), check.replace("`", ""))
        for number, _, fixed, check in rows
    ]


# --- README.md and ARCHITECTURE.md ------------------------------------------------------------


def named_files(text):
    """Every `path/with/a/slash` of the tree, and link targets; a trailing / is a folder."""
    names = set(re.findall(r"`((?:src|seccomp|tests|ci|man|cmake)/[\w./-]*)`", text))
    return names | set(re.findall(r"\]\(([\w./-]+)\)", text))


def test_readme_reading_order_names_existing_files():
    text = read("README.md").partition("\n## Reading order\n")[2].partition("\n## ")[0]
    names = named_files(text)
    assert len(names) > 10
    assert [name for name in sorted(names) if not (PROJECT / name).exists()] == []


def test_readme_reading_order_begins_each_process_at_its_main():
    text = read("README.md").partition("\n## Reading order\n")[2].partition("\n## ")[0]
    mains = {str(path.relative_to(PROJECT)) for path in PROJECT.glob("src/*/main.c")}
    assert mains and mains <= named_files(text)


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "ARCHITECTURE.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "NEWS.md",
        "seccomp/README.md",
        *sorted(str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/**/*.md")),
    ],
)
def test_documents_name_existing_files(document):
    beside = (PROJECT / document).parent
    gone = [
        name
        for name in sorted(named_files(read(document)))
        if not (PROJECT / name).exists() and not (beside / name).exists()
    ]
    assert gone == []


def test_nothing_is_said_to_be_missing_that_is_there():
    for document in ("README.md", "ARCHITECTURE.md", "NEWS.md", "man/slirpd.1"):
        assert "not supported yet" not in read(document), document
