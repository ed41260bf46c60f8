# SPDX-License-Identifier: BSD-2-Clause
"""A diskless machine, whose root is the initramfs that it was booted with: pivot_root(2) can't
replace that. It is User Mode Linux here, with slirpd inside. Runs inside outer-ns.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import lab, leaves_no_process, make_root  # noqa: E402, F401
from commands import needs  # noqa: E402
from lab import Lab  # noqa: E402
from test_uml import Uml  # noqa: E402
from tree import slirpd_path  # noqa: E402

# A busybox with what init and the guest need.
TOOLS = ("cat", "chmod", "echo", "grep", "head", "insmod", "ip", "kill", "ls", "mkdir", "mount",
         "nsenter", "pidof", "poweroff", "sed", "sh", "sleep", "su", "tr", "unshare")
MODULES = Path("/usr/lib/uml/modules")
MEMORY = "512M"
BOOT_DEADLINE_S = 120

INIT = """#!/bin/sh
trap 'poweroff -f' EXIT
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
insmod /tun.ko
mkdir -p /dev/net
chmod 666 /dev/net/tun
ip link set lo up
echo "works: root $(head -n 1 /proc/mounts)"
for user in root bench; do
	for name in slirpd slirp4netns; do
		su $user -s /bin/sh -c "sh /try $user $name"
		for pid in $(pidof slirpd-worker); do
			echo "works: seen_${user}_$name $(ls -A /proc/$pid/root | tr '\\n' ' ')"
		done
		kill $(cat /tmp/pids-$user)
		while pidof slirpd-worker; do sleep 0.1; done
	done
done
echo "works: end"
"""

TRY = """#!/bin/sh
unshare -U -r -n sleep 100 &
guest=$!
until grep -q . /proc/$guest/uid_map && grep -q sleep /proc/$guest/comm; do sleep 0.1; done
mkdir -p /tmp/$1
: >/tmp/$1/ready
/opt/bin/$2 --configure --disable-host-loopback --mtu=1500 --log-level=debug --ready-fd=5 $guest tap0 \\
	5>/tmp/$1/ready >/dev/null 2>/tmp/$1/err &
slirpd=$!
while ! [ -s /tmp/$1/ready ] && kill -0 $slirpd; do sleep 0.1; done
echo $slirpd $guest >/tmp/pids-$1
sed "s/^/said: /" /tmp/$1/err
nsenter -t $guest -U -n --preserve-credentials ip -o -4 addr show dev tap0 >/tmp/$1/addr &&
	echo "works: network_$1_$2 $(cat /tmp/$1/addr)"
"""


def with_libraries(tree: Path, program: Path) -> None:
    linked = subprocess.run(["ldd", program], text=True, capture_output=True).stdout
    for word in linked.split():
        if word.startswith("/"):
            (tree / word[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, tree / word[1:])


@pytest.fixture(scope="module")
def initramfs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if platform.machine() != "x86_64":
        pytest.skip(f"User Mode Linux does not run on {platform.machine()}")
    needs("linux.uml", "busybox", "cpio")
    directory = tmp_path_factory.mktemp("initramfs")
    tree = directory / "root"
    make_root(tree, *TOOLS)
    (tree / "tmp").chmod(0o1777)
    built = Path(slirpd_path()).resolve()
    programs = [built, *(built.parent.parent / "libexec/slirpd").iterdir()]
    for program in programs:
        copy = tree / "opt" / program.relative_to(built.parent.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(program, copy)
        with_libraries(tree, program)
    (tree / "opt/bin/slirp4netns").symlink_to("slirpd")
    modules = sorted(MODULES.glob("*/kernel/drivers/net/tun.ko"))
    assert modules, f"no tun.ko below {MODULES}: it comes with linux.uml"
    shutil.copy(modules[-1], tree / "tun.ko")
    (tree / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nbench:x:2000:2000::/tmp:/bin/sh\n"
                                     "nobody:x:65534:65534::/:/bin/sh\n")
    (tree / "etc/group").write_text("root:x:0:\nbench:x:2000:\nnogroup:x:65534:\n")
    (tree / "etc/resolv.conf").write_text("nameserver 192.0.2.53\n")
    for name, text in (("init", INIT), ("try", TRY)):
        (tree / name).write_text(text)
        (tree / name).chmod(0o755)
    archive = directory / "initramfs"
    files = "\n".join(sorted(str(path.relative_to(tree)) for path in tree.rglob("*")))
    with archive.open("wb") as out:
        subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=tree, stdout=out,
                       input=files.encode(), check=True)
    return archive


def test_worker_sees_nothing_of_an_initramfs(lab: Lab, initramfs: Path) -> None:  # noqa: F811
    """As an ordinary user and as root, under both names: what is reached is what is said."""
    with Uml(f"mem={MEMORY}", f"initrd={initramfs}", "rdinit=/init") as machine:
        machine.process.wait(BOOT_DEADLINE_S)
        works, console = machine.works(), machine.console
    assert works["root"].startswith("rootfs / rootfs "), console
    for user in ("root", "bench"):
        for name in ("slirpd", "slirp4netns"):
            assert "inet 10.0.2.100/24" in works[f"network_{user}_{name}"], console
            assert works[f"seen_{user}_{name}"].split() == [], console
    assert "end" in works
    # Of worker, connector and resolver.
    assert console.count("jail stage root: pivot_root cannot replace the initramfs; chroot hides "
                         "it instead") == 12
    assert console.count("slirp-worker confined: descriptors namespaces root capabilities limits "
                         "seccomp; not: landlock;") == 4
