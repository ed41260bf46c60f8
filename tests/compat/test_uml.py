# SPDX-License-Identifier: BSD-2-Clause
"""User Mode Linux as the guest: Debian's kernel, started by an ordinary user.

Its root is a directory with busybox and an init that uses the network as the manual says, and
prints a line for each thing that worked. Runs inside outer-ns.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lib"))

from clients import lab, leaves_no_process, make_root  # noqa: E402, F401
from commands import ORDINARY, needs  # noqa: E402
from daemon import Slirpd  # noqa: E402
from lab import INTERNET4, WORD_NAME, Lab  # noqa: E402
from tree import REPO  # noqa: E402
from waiting import wait_for  # noqa: E402

# What is in the manual instead of the path of a test.
MANUAL_PATH = "/tmp/uml.sock"
# The kernel runs after a second, init has done all after four.
BOOT_DEADLINE_S = 60
MEMORY = "128M"

# The kernel hands down words of its command line that it does not know, such as `address=dhcp`.
# It stops in a panic where its init ends.
INIT = f"""#!/bin/sh
trap 'poweroff -f' EXIT
set -e
export PATH=/bin
works() {{ echo "works: $*"; }}

ip link set vec0 up
if [ "$address" = dhcp ]; then
	udhcpc -i vec0 -n -q -s /bin/lease
else
	interface=vec0 ip=$address mask=24 router=10.0.2.2 dns=10.0.2.3 lease bound
fi
works address $(ip -o -4 addr show dev vec0)
ping -c 1 -W 10 -s "${{size:-56}}" 10.0.2.2
works gateway
ping -c 1 -W 10 {INTERNET4}
works ping
[ "$stay" != yes ] || sleep {BOOT_DEADLINE_S}
nslookup {WORD_NAME}
works name
works download $(wget -q -O - http://{WORD_NAME}/big | sha256sum)
"""

LEASE = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev "$interface"
ip route add default via "$router"
echo "nameserver $dns" >/etc/resolv.conf
"""

TOOLS = ("ip", "nslookup", "ping", "poweroff", "sh", "sha256sum", "sleep", "udhcpc", "wget")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if platform.machine() != "x86_64":
        pytest.skip(f"User Mode Linux does not run on {platform.machine()}")
    needs("linux.uml", "busybox")
    tree = tmp_path_factory.mktemp("uml") / "root"
    make_root(tree, *TOOLS)
    for path, text in ((tree / "init", INIT), (tree / "bin/lease", LEASE)):
        path.write_text(text)
        path.chmod(0o755)
    return tree


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "uml.sock"


def preloaded() -> str:
    """Without it UML does not run on every processor; see there."""
    path = (os.environ.get("SLIRPD_UML_XSTATE")
            or str(REPO / "build/debug/tests/lib/libuml_xstate.so"))
    assert os.access(path, os.R_OK), path
    return path


class Uml:
    """A machine, with what it prints. Its processes end with a PID namespace."""

    def __init__(self, *words: str) -> None:
        self._argv = [
            *ORDINARY, "unshare", "--user", "--map-current-user", "--mount", "--pid", "--fork",
            "--kill-child=KILL", "--mount-proc", "env", f"LD_PRELOAD={preloaded()}",
            "linux.uml", "quiet", "con=null", "con0=null,fd:1", *words]
        self._file = tempfile.TemporaryFile()
        self.process: subprocess.Popen[bytes]

    def __enter__(self) -> Uml:
        self.process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stdout=self._file,
                                        stderr=self._file)
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()
        if error[0] is not None:
            print(f"the console ends with:\n{self.console[-4000:]}")
        self._file.close()

    @property
    def console(self) -> str:
        size = os.fstat(self._file.fileno()).st_size
        text = os.pread(self._file.fileno(), size, 0).decode(errors="replace")
        return text.replace("\r\n", "\n")

    def works(self) -> dict[str, str]:
        """What worked, and what was said about it."""
        return dict(re.findall(r"^works: (\w+) ?(.*)\n", self.console, re.M))

    def wait_works(self, what: str) -> None:
        def does() -> bool:
            assert self.process.poll() is None, "it has ended"
            return what in self.works()

        wait_for(f"the machine says that this works: {what}", does, BOOT_DEADLINE_S)


def in_directory(root: Path, *words: str) -> Uml:
    """A machine whose root is this directory."""
    return Uml(f"mem={MEMORY}", "root=/dev/root", "rootfstype=hostfs", f"rootflags={root}", "rw",
               "init=/init", *words)


def manual_word(path: Path) -> str:
    """What slirpd(1) gives to the kernel, with another path."""
    text = (REPO / "man/slirpd.1").read_text()
    return re.search(rf"vec0:\S*{MANUAL_PATH}\S*", text).group().replace(MANUAL_PATH, str(path))


def boot_to_the_end(lab: Lab, root: Path, *words: str) -> dict[str, str]:  # noqa: F811
    """Everything has to work."""
    lab.big_file()
    with in_directory(root, *words) as uml:
        assert uml.process.wait(timeout=BOOT_DEADLINE_S) == 0
        works = uml.works()
        assert set(works) == {"address", "gateway", "ping", "name", "download"}
        assert works["download"].split()[0] == lab.download_sha256
    return works


def test_machine_of_the_manual_pings_and_downloads(
        lab: Lab, root: Path, path: Path) -> None:  # noqa: F811
    with Slirpd("--target-type=bess", path) as daemon:
        works = boot_to_the_end(lab, root, manual_word(path), "address=dhcp")
        assert " inet 10.0.2.15/24 " in works["address"]
        wait_for("its end is seen", lambda: "the client has left" in daemon.stderr)


def test_next_machine_is_served_when_one_was_killed(
        lab: Lab, root: Path, path: Path) -> None:  # noqa: F811
    """The second has more options of the driver, and an address from nobody."""
    word = manual_word(path)
    with Slirpd("--target-type=bess", "--mtu=9000", path) as daemon:
        with in_directory(root, word, "address=dhcp", "stay=yes") as uml:
            uml.wait_works("ping")
        works = boot_to_the_end(lab, root, f"{word},mtu=9000,depth=32,gro=0",
                                "address=10.0.2.100", "size=8000")
        assert " inet 10.0.2.100/24 " in works["address"]
        assert daemon.stderr.count("a client has connected") == 2
