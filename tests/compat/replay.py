#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients of slirp4netns, replayed: their command lines, and what they do besides.

    replay.py CLIENT PROGRAM ARG...

starts PROGRAM as CLIENT would, with its descriptors, process group and signals, waits for ready
as it would, prints who now holds it, and when standard input ends, ends it as CLIENT would. What
each does was read in the sources of containers/common (Podman 5), Podman 1, RootlessKit 3,
Buildah 1.35, bubblejail 0.9 and guix-daemon 1.5.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable

CLONE_NEWNS = 0x00020000
PR_SET_PDEATHSIG = 1
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
NS_GET_USERNS = 0xB701
# Above all that a client hands over.
HIGH_FD = 100
GUEST4 = "10.0.2.100"

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result == -1:
        raise OSError(ctypes.get_errno(), what)


def die_with_parent() -> None:
    _checked(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def own_mounts() -> None:
    _checked(_libc.unshare(CLONE_NEWNS), "unshare")


def spawn(argv: list[str], fds: list[int], *before_exec: Callable[[], object]) -> int:
    """Like Go's os/exec: fds become 0, 1, 2, 3 and so on, and nothing else is handed over."""
    pid = os.fork()
    if pid:
        return pid
    try:
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH_FD) for fd in fds]
        for number, fd in enumerate(high):
            os.dup2(fd, number)
        for action in before_exec:
            action()
        os.execv(argv[0], argv)
    except OSError as error:
        os.write(2, f"replay: {argv[0]}: {error}\n".encode())
    finally:
        os._exit(127)


def wait_ready(ready_fd: int, pid: int) -> None:
    """As Podman, RootlessKit and Buildah do: look every second whether it still lives."""
    while not select.select([ready_fd], [], [], 1)[0]:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            raise SystemExit("replay: it has ended before it was ready")
    if os.read(ready_fd, 16) != b"1":
        raise SystemExit("replay: not ready")


def say_ready() -> None:
    print(f"ready {os.getpid()}", flush=True)


def wait_for_the_end() -> None:
    while os.read(0, 100):
        pass


def kill_and_reap(pid: int, number: signal.Signals) -> None:
    os.kill(pid, number)
    os.waitpid(pid, 0)


def null() -> int:
    return os.open("/dev/null", os.O_RDWR)


# --- Podman -----------------------------------------------------------------------------------


def podman_forward(path: str, proto: str, host_port: int, guest_port: int) -> None:
    """One connection for each port, shut down after the request, one read of the reply."""
    request = {"execute": "add_hostfwd", "arguments": {
        "proto": proto, "host_addr": "0.0.0.0", "host_port": host_port, "guest_addr": "",
        "guest_port": guest_port}}
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(json.dumps(request).encode() + b"\n")
        sock.shutdown(socket.SHUT_WR)
        if "error" in json.loads(sock.recv(2048)):
            raise SystemExit("replay: forward refused")


def accept_dad(arguments: list[str], value: str) -> None:
    """Whether new interfaces of the container try their addresses out first, which takes a
    second or two. Podman does without where it asks for IPv6."""
    if "--enable-ipv6" in arguments:
        subprocess.run(
            ["nsenter", f"--net={arguments[-2]}", "--", "sh", "-c",
             f"echo {value} >/proc/sys/net/ipv6/conf/default/accept_dad"], check=True)


def podman(program: str, arguments: list[str], fd_order: str, *, api: str = "") -> None:
    """Podman ends when the container runs; conmon holds what ends the daemon by its own end.

    fd_order: r for ready, e for exit, from descriptor 3 on. Both programs run as uid 0 of
    the user's namespace, in its mount namespace.
    """
    subprocess.run([program, "--help"], check=True, stdout=subprocess.DEVNULL)
    ready_read, ready_write = os.pipe()
    exit_read, exit_write = os.pipe()
    with tempfile.TemporaryFile() as log:
        fds = [null(), log.fileno(), log.fileno(),
               *({"r": ready_write, "e": exit_read}[letter] for letter in fd_order)]
        accept_dad(arguments, "0")
        pid = spawn([program, *arguments], fds, lambda: os.setpgid(0, 0), own_mounts)
        # Podman keeps its end of ready open, so it would never see an end-of-file.
        wait_ready(ready_read, pid)
        accept_dad(arguments, "1")
        if api:
            for proto, host_port, guest_port in (("tcp", 8080, 80), ("udp", 5353, 53)):
                podman_forward(api, proto, host_port, guest_port)
    if os.fork():
        os._exit(0)
    # From here on conmon.
    os.setsid()
    for fd in (ready_read, ready_write, exit_read):
        os.close(fd)
    say_ready()
    wait_for_the_end()
    if "e" in fd_order:
        os.close(exit_write)
    else:
        os.kill(pid, signal.SIGTERM)


def podman_5(program: str, netns: str, api: str) -> None:
    podman(program, ["--disable-host-loopback", "--mtu=65520", "--enable-sandbox",
                     "--enable-seccomp", "--enable-ipv6", "-c", "-r", "3", "-e", "4",
                     "--api-socket", api, "--netns-type=path", netns, "tap0"], "re", api=api)


def podman_5_rootless_netns(program: str, netns: str) -> None:
    """One for all containers of bridge networks, which is stopped by its pid."""
    podman(program, ["--disable-host-loopback", "--mtu=65520", "--enable-sandbox",
                     "--enable-seccomp", "--enable-ipv6", "-c", "-r", "3",
                     "--netns-type=path", netns, "tap0"], "r")


def podman_1(program: str, pid: str) -> None:
    podman(program, ["--disable-host-loopback", "--mtu", "65520", "-c", "-e", "3", "-r", "4",
                     pid, "tap0"], "er")


# --- RootlessKit, Buildah ---------------------------------------------------------------------


def rootlesskit(program: str, target: list[str], enter: list[str]) -> None:
    """It makes the interface and brings it up before, and gives it its address afterwards."""
    def ip(*argv: str) -> None:
        subprocess.run(["nsenter", "--preserve-credentials", *enter, "--", "ip", *argv], check=True)

    ip("tuntap", "add", "name", "tap0", "mode", "tap")
    ip("link", "set", "tap0", "up")
    ready_read, ready_write = os.pipe()
    pid = spawn([program, "--mtu", "65520", "-r", "3", "--disable-host-loopback",
                 "--enable-seccomp", "--enable-ipv6", *target, "tap0"],
                [null(), 2, 2, ready_write], die_with_parent)
    wait_ready(ready_read, pid)
    os.close(ready_write)
    ip("link", "set", "tap0", "mtu", "65520")
    ip("addr", "add", f"{GUEST4}/24", "dev", "tap0")
    ip("route", "add", "default", "via", "10.0.2.2", "dev", "tap0")
    say_ready()
    wait_for_the_end()
    kill_and_reap(pid, signal.SIGKILL)


def rootlesskit_3(program: str, pid: str) -> None:
    rootlesskit(program, ["--enable-sandbox", pid], ["-t", pid, "-U", "-m", "-n"])


def rootlesskit_3_detach_netns(program: str, pid: str, netns: str) -> None:
    """The child stays in the host's network; the namespace is pinned in its mount namespace.
    No sandbox is asked for then, since slirp4netns fails with it."""
    path = f"/proc/{pid}/root{netns}"
    rootlesskit(program, [f"--userns-path=/proc/{pid}/ns/user", "--netns-type=path", path],
                ["-t", pid, "-U", "-m", f"--net={path}"])


def buildah(program: str, pid: str) -> None:
    ready_read, ready_write = os.pipe()
    nothing = null()
    daemon = spawn([program, "--mtu", "65520", "-r", "3", "-c", pid, "tap0"],
                   [nothing, nothing, nothing, ready_write], die_with_parent)
    os.close(ready_write)
    wait_ready(ready_read, daemon)
    say_ready()
    wait_for_the_end()
    kill_and_reap(daemon, signal.SIGKILL)


# --- bubblejail -------------------------------------------------------------------------------


def bubblejail(program: str, pid: str) -> None:
    """The user namespace is named by a descriptor of the client, which is not handed over, and
    the ready descriptor, whatever its number, does not block. It gives each step 3 seconds."""
    with open(f"/proc/{pid}/ns/net", "rb") as netns:
        owner = fcntl.ioctl(netns.fileno(), NS_GET_USERNS)
    os.set_inheritable(owner, False)
    ready_read, ready_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    with subprocess.Popen(
            [program, f"--ready={ready_write}", "--configure",
             f"--userns-path=/proc/{os.getpid()}/fd/{owner}", "--disable-host-loopback", pid,
             "tap0"], pass_fds=[ready_write], stdin=subprocess.DEVNULL, stdout=2) as daemon:
        if not select.select([ready_read], [], [], 3)[0]:
            raise SystemExit("replay: not ready in 3 seconds")
        say_ready()
        wait_for_the_end()
        daemon.terminate()
        daemon.wait(timeout=3)


# --- guix-daemon ------------------------------------------------------------------------------

# Argument 1 is the directory that becomes the root: everything of the host's root read-only,
# but of /etc only two files, and nothing of /run.
GUIX_ROOT = """
set -e
root=$1
shift
mount -t tmpfs -o mode=0755 guix "$root"
for path in /*; do
	case $path in /etc | /run | /proc) continue ;; esac
	if [ -L "$path" ]; then
		cp -P "$path" "$root$path"
	elif [ -d "$path" ]; then
		mkdir "$root$path"
		mount --rbind "$path" "$root$path"
	fi
done
mkdir "$root/etc" "$root/run" "$root/proc" "$root/old"
for file in /etc/resolv.conf /etc/hosts; do
	: >"$root$file"
	mount --bind "$file" "$root$file"
done
mount -t proc proc "$root/proc"
cd "$root"
pivot_root . old
umount -l /old
rmdir /old
exec unshare --user --map-current-user --mount unshare --user --map-root-user -- "$@"
"""



def guix_daemon(program: str, root: str, tap_fd: str) -> None:
    """The daemon is process 1 of a PID namespace and uid 0 of a user namespace that owns none
    of its mounts. It gets the TAP device, and no way to the guest."""
    ready_read, ready_write = os.pipe()
    this = os.path.realpath(__file__)
    for fd in (ready_write, int(tap_fd)):
        os.set_inheritable(fd, True)
    with subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--ipc", "--uts",
             "--fork", "--kill-child=KILL", "--", "sh", "-c", GUIX_ROOT, "sh", root,
             sys.executable, "-B", this, "guix_exec", program, "--netns-type=tapfd",
             "--enable-sandbox", "--enable-ipv6", f"--ready-fd={ready_write}",
             "--disable-host-loopback", tap_fd],
            pass_fds=[ready_write, int(tap_fd)], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL) as unshare:
        os.close(ready_write)
        if os.read(ready_read, 1) != b"1":
            raise SystemExit("replay: not ready")
        say_ready()
        wait_for_the_end()
        unshare.kill()


# The numbers of socket(2) and socketpair(2).
SOCKET_CALLS = {"x86_64": (41, 53), "aarch64": (198, 199)}
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, SAY_SUCCESS, FAIL_ENOSYS = 0x7FFF0000, 0x00050000, 0x00050000 | errno.ENOSYS
OFFSET_OF_NUMBER, OFFSET_OF_ARGUMENT = 0, 16


def guix_filter() -> None:
    """Sockets of IP alone. socketpair(2) does nothing and says that it was successful, since
    slirp4netns makes a pair that it does not use with a TAP that it is given."""
    socket_call, socketpair_call = SOCKET_CALLS[os.uname().machine]
    instructions = ((LOAD, 0, 0, OFFSET_OF_NUMBER),
                    (IF_EQUAL, 0, 1, socketpair_call),
                    (RETURN, 0, 0, SAY_SUCCESS),
                    (IF_EQUAL, 0, 3, socket_call),
                    (LOAD, 0, 0, OFFSET_OF_ARGUMENT),
                    (IF_EQUAL, 1, 0, socket.AF_INET),
                    (IF_EQUAL, 0, 1, socket.AF_INET6),
                    (RETURN, 0, 0, ALLOW),
                    (RETURN, 0, 0, FAIL_ENOSYS))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *i) for i in instructions))
    program = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(code))
    _checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    _checked(_libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0), "seccomp")


def guix_exec(program: str, *arguments: str) -> None:
    """The last steps before the daemon, inside of what was made for it."""
    os.setsid()
    if "GUIX_FILTER" in os.environ:
        guix_filter()
    os.execv(program, ["slirp4netns", *arguments])


CLIENTS = {function.__name__: function for function in (
    podman_5, podman_5_rootless_netns, podman_1, rootlesskit_3, rootlesskit_3_detach_netns,
    buildah, bubblejail, guix_daemon, guix_exec)}

if __name__ == "__main__":
    CLIENTS[sys.argv[1]](*sys.argv[2:])
