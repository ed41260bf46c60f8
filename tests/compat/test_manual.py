# SPDX-License-Identifier: BSD-2-Clause
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
    found = re.findall(r"^(?:-(\w), |    )--([\w-]+)(?:=(\S+))? +(.*)$", text, re.M)
    assert found, text
    return {name: (letter, value) for letter, name, value, _ in found}


def sections_of_help():
    text = subprocess.run(
        [SLIRPD, "--help"], stdout=subprocess.PIPE, check=True, timeout=20, text=True
    ).stdout
    assert max(map(len, text.splitlines())) <= 80
    return re.findall(r"^(\w[\w ]+):\n", text, re.M)


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
    sections = re.findall(r"^\.Ss (.*)$", section(read("man/slirpd.1"), "OPTIONS"), re.M)
    assert sections == sections_of_help() != []


def test_manual_mentions_deprecated_spellings():
    spellings = re.findall(r'\{ "([\w-]+)", \.replaced_by = ', read("src/parent/cmdline/opttable.c"))
    assert spellings
    text = section(read("man/slirpd.1"), "OPTIONS")
    for spelling in spellings:
        assert f".Fl -{spelling}\n" in text
        assert spelling not in help_options()


@pytest.mark.parametrize(
    "constant,value,row",
    [
        ("src/model/budget.h:BUDGET_FILES_MAX", 65536, "open files Ta .* 65536 at most"),
        ("src/model/budget.h:BUDGET_OWN", 32, "open files Ta .* less 32 for"),
        ("src/model/budget.h:BUDGET_UDP_MAX", 4096, "UDP flows Ta .* 4096,"),
        ("src/model/budget.c:UDP_PARTS", 8, "UDP flows Ta .* an eighth"),
        ("src/model/budget.c:EPHEMERAL_PARTS", 4, "UDP flows Ta .* a quarter"),
        ("src/resolver/question.h:QUESTIONS_MAX", 256, "questions to the name server Ta 256"),
        ("src/resolver/client.h:CLIENTS_MAX", 32, "questions to the name server Ta .* 32"),
        ("src/slirp-worker/engine/udp/udp.h:UDP_ANSWERED_MS", 180000, "UDP flows Ta .* 180 s"),
        ("src/slirp-worker/engine/udp/udp.h:UDP_UNANSWERED_MS", 30000, "UDP flows Ta .* 30 s if"),
        ("src/slirp-worker/engine/udp/udp.h:UDP_DNS_ANSWERED_MS", 5000, "UDP flows Ta .* 5 s after an"),
        ("src/model/budget.h:BUDGET_PING_MAX", 256, "echo requests Ta 256 flows"),
        ("src/slirp-worker/engine/ping/ping.h:PING_IDLE_MS", 30000, "echo requests Ta .* 30 s after"),
        ("src/slirp-worker/gate/reass.h:REASS_MAX_DATAGRAMS", 32, "datagrams in fragments Ta 32 at"),
        ("src/slirp-worker/gate/reass.h:REASS_LIFE4_MS", 30000, "datagrams in fragments Ta .* 30 s,"),
        ("src/slirp-worker/gate/reass.h:REASS_LIFE6_MS", 60000, "datagrams in fragments Ta .* 60 s"),
        ("src/model/forward_table.h:FORWARD_TABLE_MAX", 65536, "forwarded ports Ta 65536 in"),
        ("src/api/request/request.h:API_REQUEST_SIZE", 4096, "requests Ta below 4096 bytes"),
        ("src/api/client.h:API_CLIENTS_MAX", 256, "requests Ta .* from 256 clients"),
        ("src/parent/supervise/spawn.c:CHILD_LOG_BURST", 64, "log Ta 64 lines"),
        ("src/parent/supervise/spawn.c:CHILD_LOG_INTERVAL_MS", 300000, "log Ta .* in 5 minutes"),
        ("src/parent/supervise/start.h:START_TIMEOUT_MS", 30000, "start Ta 30 s"),
        ("src/parent/cmdline/options.h:OPTIONS_PUBLISH_MAX", 256, None),
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
            r'ROW\((\w+),\s*(\w+),\s*(\w+),\s*((?:"[^"]*"\s*)+)\)',
            macro_body(text, f"IPC_ROWS_{arrow}"),
        )
        assert found, f"no row of {arrow} was understood"
        assert len(found) == macro_body(text, f"IPC_ROWS_{arrow}").count("ROW(")
        rows |= {
            (words, name, "1" if carries.endswith("FD") else "0", when.lower(), c_string(why))
            for name, carries, when, why in found
        }
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
    shown, tcp, ends = section(read("man/slirpd-processes.7"), "COUNTERS").split("\n.Ss ")
    tcp_text = read("src/ipc/tcp_counters.h")
    assert listed(shown) == named_sentences(read("src/ipc/msg_observe.h"), "IPC_COUNTERS", "COUNTER")
    assert listed(tcp) == named_sentences(tcp_text, "IPC_TCP_COUNTERS", "X")
    assert listed(ends) == named_sentences(tcp_text, "IPC_TCP_ENDS", "X")


def stages():
    return named_sentences(read("src/ipc/msg_jail.h"), "IPC_STAGES", "STAGE")


def test_manual_has_the_stages_of_the_jails():
    confinement = section(read("man/slirpd-processes.7"), "CONFINEMENT")
    assert listed(confinement) == stages()
    assert list(listed(confinement)) == list(stages())


# --- all pages ----------------------------------------------------------------------------------


PAGES = sorted(path.name for path in PROJECT.glob("man/*.[1-9]"))


@pytest.mark.parametrize("page", PAGES)
def test_tables_leave_the_last_column_the_rest_of_the_line(page):
    """groff continues a long cell at the right of all columns that have a width."""
    lists = re.findall(r"^\.Bl -column ([^\n]*)\n(.*?)^\.El", read(f"man/{page}"), re.M | re.S)
    for widths, body in lists:
        widths = re.findall(r'"([^"]*)"', widths)
        rows = re.findall(r"^\.It (.*)$", body, re.M)
        assert rows
        for row in rows:
            row = re.sub(r"\b(Em|Cm|Dv|No) ", "", row.replace("Fl -", "--").replace(" ,", ","))
            *cells, last = row.split(" Ta ")
            assert len(cells) == len(widths) or len(last) <= len(widths[-1]), row
            assert all(len(cell) <= len(width) for cell, width in zip(cells, widths)), row


@pytest.mark.parametrize("page", PAGES)
def test_every_page_names_authors_and_licence(page):
    authors = next(line for line in read("AUTHORS").splitlines() if not line.startswith("#"))
    title = read("LICENSE").splitlines()[0]
    text = section(read(f"man/{page}"), "AUTHORS")
    assert f".An {authors}\n" in text
    assert title.casefold() in text.casefold()


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


def roles():
    """Those with a program, and two that are forks of the parent. slirpctl is none."""
    programs = {path.parent.name for path in PROJECT.glob("src/*/main.c")} - {"slirpctl"}
    table = set(re.findall(r'ROLE\(\w+, "([\w-]+)"', macro_body(read("src/ipc/roles.h"), "IPC_ROLES")))
    assert table == programs | {"spawner", "cgroup-mover", "policy-reader"}
    return table


def intended_stages():
    """What src/ipc/roles.h says of each role."""
    every = set(stages())

    def of(expression):
        named = set(re.findall(r"IPC_STAGE_BIT\((\w+)\)", expression))
        return every if named == {"N"} else named

    rows = macro_body(read("src/ipc/roles.h"), "IPC_ROLES").split("ROLE(")[1:]
    return {re.search(r'"([\w-]+)"', row)[1]: of(row) for row in rows}


def test_manual_has_the_stages_that_each_role_means_to_reach():
    confinement = section(read("man/slirpd-processes.7"), "CONFINEMENT")
    lines = [line.split(" Ta ") for line in re.findall(r"^\.It (.* Ta .*)$", confinement, re.M)]
    columns = [name.removeprefix("Em ") for name in lines[0]][1:]
    rows = lines[1 : len(stages()) + 1]
    assert set(columns) == set(intended_stages()) == roles()
    assert [row[0] for row in rows] == list(stages())
    for number, role in enumerate(columns, start=1):
        reached = {row[0] for row in rows if row[number] != "no"}
        assert reached == intended_stages()[role], role


def test_security_says_what_each_role_can_do():
    rows = security_rows("What a process can do if it is taken over")[2:]
    assert {re.match(r"[\w-]+", row[0])[0] for row in rows} == roles()


def classes_of_vulnerabilities():
    """Each class of SECURITY.md: its numbers, and the text of the other columns."""
    rows = security_rows("Vulnerabilities of libslirp")[2:]
    return {row[0]: (re.findall(r"CVE-[\d-]+", row[1]), row[2], row[3]) for row in rows}


def test_security_names_a_check_for_each_class():
    """Every class has drop reasons, a file, or a switch that is off."""
    reasons = named_sentences(read("src/ipc/drop_reasons.h"), "IPC_DROP_REASONS", "R")
    files = {path.name for path in PROJECT.glob("src/slirp-worker/**/*.c")}
    classes = classes_of_vulnerabilities()
    assert len(classes) > 5
    for name, (_, means, dropped) in classes.items():
        if dropped == "none":
            # Only where no libslirp that can be built with has it.
            assert means == "corrected before 4.0", name
            continue
        named = [word for word in in_backticks(means) if word.endswith(".c")]
        assert named and set(named) <= files, name
        assert set(in_backticks(dropped)) <= set(reasons), name
        assert in_backticks(dropped) or dropped == "none is needed", name


def test_security_has_the_vulnerabilities_that_the_code_knows():
    """The same numbers, each in the class of its check, which the class names."""
    text = read("src/parent/output/libslirp_known.c")
    names = dict(re.findall(r'^#define (\w+) ("[^"]*")$', text, re.M))

    def value(expression):
        words = re.findall(r'"[^"]*"|\w+', expression)
        return None if words == ["NULL"] else c_string(
            "".join(names.get(word, word) for word in words))

    found = re.findall(r'^\t\{ "(CVE-[\d-]+)", "([\d.]+)", (.*) \},$', text, re.M)
    assert len(found) == text.count('"CVE-') > 10
    classes = classes_of_vulnerabilities()
    told = [number for numbers, _, _ in classes.values() for number in numbers]
    assert sorted(told) == sorted(number for number, _, _ in found)
    for number, fixed, expression in found:
        name = next(name for name, row in classes.items() if number in row[0])
        _, means, dropped = classes[name]
        check = value(expression)
        if check is None:
            assert (fixed, dropped) == ("4.0", "none"), number
            continue
        kind, what = check.split(": ")
        assert kind in name, number
        assert what in in_backticks(means) + in_backticks(dropped) + means.split(": ")[:1], number


# --- README.md, ARCHITECTURE.md and docs ------------------------------------------------------


def named_files(text):
    """Every `path/with/a/slash` of the tree, and link targets; a trailing / is a folder."""
    names = set(re.findall(r"`((?:src|seccomp|tests|ci|man|cmake)/[\w./-]*)`", text))
    return names | set(re.findall(r"\]\(([\w./-]+)\)", text))


def test_reading_order_begins_each_process_at_its_main():
    text = read("CONTRIBUTING.md").partition("\n## Where things live\n")[2].partition("\n## ")[0]
    mains = {str(path.relative_to(PROJECT)) for path in PROJECT.glob("src/*/main.c")}
    assert mains and mains <= named_files(text)


DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "NEWS.md",
    "seccomp/README.md",
    *sorted(str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/**/*.md")),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_existing_files(document):
    beside = (PROJECT / document).parent
    gone = [
        name
        for name in sorted(named_files(read(document)))
        if not (PROJECT / name).exists() and not (beside / name).exists()
    ]
    assert gone == []


def sources(name):
    """The files of this name in the tree."""
    folders = ("src", "seccomp", "tests", "cmake")
    return [path for folder in folders for path in PROJECT.glob(f"{folder}/**/{name}")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_name_existing_sources(document):
    """Every `file.c` without a folder."""
    names = set(re.findall(r"`([\w-]+\.(?:c|h|py|policy))\b[^`/]*`", read(document)))
    assert [name for name in sorted(names) if not sources(name)] == []


def test_architecture_names_functions_of_its_files():
    """Every `file.c: function()` is a function that the file defines."""
    named = re.findall(r"`([\w-]+\.c): (\w+)\(\)`", read("ARCHITECTURE.md"))
    assert len(named) > 5
    for name, function in named:
        texts = [path.read_text() for path in sources(name)]
        assert any(re.search(rf"^{function}\(", text, re.M) for text in texts), (name, function)


@pytest.mark.parametrize(
    "document,max_bytes",
    [
        # Two screens. What does not fit belongs to docs/ or to the file that it explains.
        ("ARCHITECTURE.md", 9000),
        # One sitting. Lists that are generated or tested elsewhere do not belong here.
        ("SECURITY.md", 16384),
    ],
)
def test_documents_stay_short(document, max_bytes):
    assert (PROJECT / document).stat().st_size <= max_bytes


def test_nothing_is_said_to_be_missing_that_is_there():
    for document in ("README.md", "ARCHITECTURE.md", "NEWS.md", "man/slirpd.1"):
        assert "not supported yet" not in read(document), document
