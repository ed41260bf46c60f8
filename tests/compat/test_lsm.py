# SPDX-License-Identifier: BSD-2-Clause
"""AppArmor profiles and SELinux module: they compile, install by option, leave no program out.

SLIRPD names the program under test, in its build tree. Compiling needs no kernel that has
AppArmor or SELinux, and loads nothing.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SLIRPD = pathlib.Path(os.environ.get("SLIRPD", PROJECT / "build/debug/bin/slirpd")).resolve()
BUILD = SLIRPD.parents[1]
LIBEXEC = BUILD / "libexec/slirpd"

# Debian keeps the first in a directory that an ordinary user's PATH lacks.
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

# 4.0 where this machine's parser knows it; the other one is for all.
ABIS = [abi for abi in ("3.0", "4.0") if pathlib.Path("/etc/apparmor.d/abi", abi).exists()]

# With characters that mean something else in a regular expression.
PREFIX = "/opt/slirpd-1.0+x"
BINDIR, LIBEXECDIR = f"{PREFIX}/bin", f"{PREFIX}/libexec/slirpd"


def run(tool, *args, **kwargs):
    path = shutil.which(str(tool), path=SEARCH)
    assert path, f"{tool} is not installed: ci/deps test"
    return subprocess.run([path, *map(str, args)], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False, **kwargs)


def run_well(tool, *args, **kwargs):
    result = run(tool, *args, **kwargs)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def install(directory, *options):
    """What the folder lsm installs, configured with these options; the root of that."""
    build, root = directory / "build", directory / "root"
    run_well("cmake", "-S", PROJECT, "-B", build, "-DSLIRPD_TESTS=OFF",
             f"-DCMAKE_INSTALL_PREFIX={PREFIX}", "-DCMAKE_INSTALL_SYSCONFDIR=/etc",
             "-DCMAKE_INSTALL_DATADIR=/usr/share", *options)
    if "-DSLIRPD_INSTALL_SELINUX=ON" in options:
        run_well("cmake", "--build", build, "--target", "selinux_module")
    run_well("cmake", "-P", build / "lsm/cmake_install.cmake",
             env={**os.environ, "DESTDIR": str(root)})
    return root


@pytest.fixture(name="installed", scope="module", params=ABIS)
def fixture_installed(request, tmp_path_factory):
    return install(tmp_path_factory.mktemp("lsm"), "-DSLIRPD_INSTALL_APPARMOR=ON",
                   "-DSLIRPD_INSTALL_SELINUX=ON", f"-DSLIRPD_APPARMOR_ABI={request.param}")


def programs():
    """Each program of the build, and where it is installed."""
    found = {"slirpd": f"{BINDIR}/slirpd"}
    for path in LIBEXEC.iterdir():
        if os.access(path, os.X_OK):
            found[path.name] = f"{LIBEXECDIR}/{path.name}"
    assert len(found) > 2, f"no programs in {LIBEXEC}"
    return found


# --- AppArmor ---------------------------------------------------------------------------------


def parse(directory, *options):
    """Compiles the profiles below an apparmor.d. Nothing goes into a kernel or a cache."""
    return run("apparmor_parser", "--skip-kernel-load", "--skip-read-cache", "--skip-cache",
               "--Include", directory, *options, directory / "slirpd")


def attachments(directory):
    text = (directory / "slirpd").read_text()
    return dict(re.findall(r'^profile (\S+) "([^"]+)"', text, re.M)), text


def test_profiles_compile(installed, tmp_path):
    binary = tmp_path / "profiles"
    result = parse(installed / "etc/apparmor.d", "--ofile", binary)
    assert result.returncode == 0, result.stderr
    assert binary.stat().st_size > 0


def test_every_program_has_a_profile(installed):
    directory = installed / "etc/apparmor.d"
    attached, text = attachments(directory)
    names = parse(directory, "--names")
    assert sorted(names.stdout.split()) == sorted(attached)
    for program, path in programs().items():
        assert attached.get(program) == path, f"no profile for {program} in lsm/apparmor/slirpd.in"
        assert f'  "{path}" mr,\n' in text, f"{program} can't map itself"
        if program != "slirpd":
            # The spawner, which starts the others, may only add a profile.
            added = "" if program == "slirpd-netns-helper" else "&"
            assert f'"{path}" px -> {added}{program},' in text, f"slirpd can't start {program}"


def test_user_namespaces_have_a_rule_where_the_abi_knows_them(installed):
    directory = installed / "etc/apparmor.d"
    abi = re.search(r"^abi <abi/(.+)>,$", (directory / "slirpd").read_text(), re.M)[1]
    jail = (directory / "abstractions/slirpd-jail").read_text()
    assert len(re.findall(r"^userns create,$", jail, re.M)) == {"3.0": 0, "4.0": 1}[abi]


@pytest.mark.parametrize("name,good,bad,message", [
    ("slirpd", "capability kill,", "capability kill", "syntax error"),
    ("slirpd", "capability kill,", "capability slay,", "capability"),
    ("slirpd", "network netlink raw,", "network token-bus raw,", "network|syntax error"),
    ("slirpd", "include <abstractions/slirpd>", "include <abstractions/slirp>", "slirp"),
    ("slirpd", "@{slirpd_namespaces} r,", "@{slirpd_namespace} r,", "slirpd_namespace"),
    ("slirpd", "px -> &slirpd-api,", "px -> &slirpd-api,\n  /** ux,\n  /** ix,", "conflict"),
    ("abstractions/slirpd", "signal (receive),", "signal (receives),", "signal|syntax error"),
    ("abstractions/slirpd-jail", "options=(rw, rprivate)", "options=(rw, rsecret)", "option"),
])
def test_a_broken_profile_does_not_compile(installed, tmp_path, name, good, bad, message):
    directory = tmp_path / "apparmor.d"
    shutil.copytree(installed / "etc/apparmor.d", directory)
    assert parse(directory).returncode == 0
    text = (directory / name).read_text()
    assert good in text
    (directory / name).write_text(text.replace(good, bad, 1))
    result = parse(directory)
    assert result.returncode != 0
    assert re.search(message, result.stdout + result.stderr, re.I), result.stdout + result.stderr


# --- SELinux ----------------------------------------------------------------------------------


def domain(program):
    return program.replace("-", "_") + "_t"


def exec_type(program):
    return program.replace("-", "_") + "_exec_t"


def compile_module(source, directory):
    return run("checkmodule", "-M", "-m", "-o", directory / "slirpd.mod", source)


def test_every_program_has_its_type_in_the_package(installed, tmp_path):
    package = installed / "usr/share/selinux/packages/slirpd.pp"
    run_well("semodule_unpackage", package, tmp_path / "slirpd.mod", tmp_path / "slirpd.fc")
    contexts = [line.split() for line in (tmp_path / "slirpd.fc").read_text().splitlines()
                if not line.startswith("#")]
    for program, path in programs().items():
        found = [context for pattern, _, context in contexts if re.fullmatch(pattern, path)]
        assert found == [f"system_u:object_r:{exec_type(program)}:s0"], path
    for pattern, kind, _ in contexts:
        assert kind == "--"
        assert not re.fullmatch(pattern, f"{BINDIR}/slirpd".replace(".", "x"))


def test_every_program_has_a_domain():
    source = (PROJECT / "lsm/selinux/slirpd.te").read_text()
    for program in programs():
        for declared in (domain(program), exec_type(program)):
            assert re.search(rf"^type {declared}, ", source, re.M), \
                f"no {declared} in lsm/selinux/slirpd.te"
        if program != "slirpd":
            entry = f"slirpd_t {exec_type(program)}:process {domain(program)}"
            assert f"type_transition {entry};" in source


@pytest.mark.parametrize("good,bad", [
    ("attribute slirpd_caller;", "attribute slirpd_caller"),
    ("type slirpd_file_t, file_type;", ""),
    ("nsfs_t:file { read open getattr ioctl };", "nsfs_t:file { read open getattr link };"),
    ("role object_r, system_r;", "role object_r;"),
    ("type console_device_t, ", "type "),
    ("class user_namespace create;", "class user_namespaces create;"),
])
def test_a_broken_module_does_not_compile(tmp_path, good, bad):
    source = PROJECT / "lsm/selinux/slirpd.te"
    assert compile_module(source, tmp_path).returncode == 0
    text = source.read_text()
    assert good in text
    broken = tmp_path / "slirpd.te"
    broken.write_text(text.replace(good, bad, 1))
    result = compile_module(broken, tmp_path)
    assert result.returncode != 0
    assert "slirpd.te" in result.stdout + result.stderr


def test_connector_alone_leads_sockets_somewhere():
    """The parent looks whether an address of --outbound-addr can be bound."""
    source = (PROJECT / "lsm/selinux/slirpd.te").read_text().partition("### Transitions.")[2]
    inet = r"(?:tcp_socket|udp_socket|icmp_socket)"
    for program in programs():
        found = " ".join(match[0] for match in re.finditer(
            rf"^allow (?:\{{[^}}]*)?{domain(program)}[^;]*?{inet}[^;]*;", source, re.M))
        may = {word for word in ("create", "bind", "connect", "listen", "name_connect", "name_bind")
               if re.search(rf"\b{word}\b", found)}
        assert may == {"slirpd-connector": {"create", "bind", "connect", "listen", "name_connect",
                                            "name_bind"},
                       "slirpd": {"create", "bind"},
                       "slirpd-slirp-worker": {"create"}}.get(program, set()), (program, found)


# --- both -------------------------------------------------------------------------------------


def test_nothing_is_installed_without_the_options(tmp_path):
    root = install(tmp_path)
    assert not root.exists() or not [path for path in root.rglob("*") if path.is_file()]


def test_a_package_with_the_profiles_keeps_what_was_changed_in_them(installed):
    conffiles = (installed.parent / "build/packaging/debian/conffiles").read_text().split()
    profiles = [path for path in (installed / "etc").rglob("*") if path.is_file()]
    assert sorted(conffiles) == sorted(f"/{path.relative_to(installed)}" for path in profiles)


# Capabilities that a process keeps in service, by the file that names them.
KEPT = (("slirpd", "src/parent/jail.c"), ("slirpd-connector", "src/connector/jail.c"))


@pytest.mark.parametrize("program, source", KEPT)
def test_capabilities_that_are_kept_are_allowed(installed, program, source):
    kept = re.findall(r"CONFINE_CAP_BIT\(CAP_(\w+)\)", (PROJECT / source).read_text())
    assert kept, f"no capability in {source}"
    profile = re.search(rf'^profile {program} ".*?^}}', attachments(
        installed / "etc/apparmor.d")[1], re.M | re.S)[0]
    module = " ".join(re.findall(rf"^allow {domain(program)} self:(?:capability|cap_userns) (.+);",
                                 (PROJECT / "lsm/selinux/slirpd.te").read_text(), re.M))
    for name in map(str.lower, kept):
        assert re.search(rf"^  capability {name},$", profile, re.M), f"AppArmor bars {name}"
        # Of the machine, and of a user namespace. The module has no --create-netns.
        assert len(re.findall(rf"\b{name}\b", module)) == 2 or name == "sys_admin", \
            f"SELinux bars {name}"
