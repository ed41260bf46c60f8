/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Goes into the jail of a role, by that role's own code, and tries there one thing that
 * whoever has taken the role over would try. Says on standard output what came of it: "ok",
 * or the number of the error. test_jail.py has the table of what must come for the worker,
 * and of what comes without the jail; test_jail_others.py that for the others. One program
 * for each: the worker, the api (PROBE_API), the connector (PROBE_CONNECTOR), the resolver
 * (PROBE_RESOLVER), the spawner (PROBE_SPAWNER), the netns-helper (PROBE_NETNS_HELPER), the parent
 * (PROBE_PARENT), the cgroup-mover (PROBE_CGROUP_MOVER), the policy-reader (PROBE_POLICY_READER).
 *
 *   probe SANDBOX SECCOMP ATTEMPT [NUMBER]...    modes: off, best-effort, required
 *   probe SANDBOX SECCOMP sweep FIRST LAST       which system calls survive the filter
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/keyctl.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#if defined(PROBE_API)
#include "api/jail.h"
#elif defined(PROBE_CONNECTOR)
#include "connector/jail.h"
#elif defined(PROBE_RESOLVER)
#include "resolver/jail.h"
#elif defined(PROBE_SPAWNER)
#include "parent/supervise/spawner.h"
#elif defined(PROBE_NETNS_HELPER)
#include "netns-helper/jail.h"
#elif defined(PROBE_PARENT)
#include "parent/jail.h"
#elif defined(PROBE_POLICY_READER)
#include "parent/policy/reader.h"
#elif defined(PROBE_CGROUP_MOVER)
#include "parent/cgroup/mover.h"
#else
#include "slirp-worker/jail.h"
#endif
#include "ipc/fdtable.h"
#include "outcome.h"

#define CHANNEL_FD IPC_CHILD_FD_PARENT
/* As ipc_channel_recv() has them. */
#ifdef PROBE_CONNECTOR
#define RECEIVE_FLAGS (MSG_CMSG_CLOEXEC | MSG_DONTWAIT | MSG_ERRQUEUE)
#else
#define RECEIVE_FLAGS (MSG_CMSG_CLOEXEC | MSG_DONTWAIT)
#endif
/* Behind the numbers that a role has reserved, and the program of an api (spawner.c). */
#define FIRST_FREE_FD (IPC_CHILD_FD_LISTEN + 2)

/* Linux 5.11; without it an ordinary user has no userfaultfd. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

#define PAGE_SIZE_MAX 65536
#define MOUNT_POINT "/mnt"
/* Relative to the sandbox's root, or to what stands in for it. */
#define RESOLV_CONF "etc/resolv.conf"

/* Of the sockets that stand for another process's. */
#define ABSTRACT_NAME "slirpd-probe"
#define DGRAM_NAME "slirpd-probe-datagram"

/* Beyond what the kernel looks at in an argument of type int. */
#define HIGH_BIT (INT64_C(1) << 32)

/* Everything that an attempt needs and that could not be had in the jail. */
static struct {
	long numbers[4]; /* of the command line */
	pid_t self;
	pid_t parent;
	pid_t victim; /* a child outside of the jail */
	int victim_pidfd;
	int tun_fd;
	int tty_fd; /* of the controlling terminal */
	int tcp_fd;
	int udp_fd;
	int fed_fd;   /* of UDP; a datagram of a peer waits in it */
	int unix_fd;  /* connected; a descriptor waits in it */
	int unix2_fd; /* not connected */
	int dir_fd;   /* the old root */
	int echo_fd;  /* /bin/echo */
	int netns_fd;
	int userns_fd;
	char *page;
	char *stack; /* PAGE_SIZE_MAX bytes */
} have;

/* --- before the jail ------------------------------------------------------------------- */

static int
send_fd(int fd, int what, int flags)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET,
			  .cmsg_type = SCM_RIGHTS,
			  .cmsg_len = CMSG_LEN(sizeof(int)) } };
	char byte = 'x';
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};

	memcpy(CMSG_DATA(&control.header), &what, sizeof(what));
	return (int)sendmsg(fd, &msg, flags);
}

static struct sockaddr_un
abstract_address(const char *name, socklen_t *len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "%s-%d", name,
	    have.self);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
	    strlen(address.sun_path + 1));
	return address;
}

static void
prepare_sockets(void)
{
	socklen_t len;
	struct sockaddr_un address = abstract_address(ABSTRACT_NAME, &len);
	int pair[2], listen_fd, dgram_fd;

	have.tcp_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	have.udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	have.unix2_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, len) == -1 ||
	    listen(listen_fd, 1) == -1)
		fatal("listen on an abstract UNIX socket");
	dgram_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	address = abstract_address(DGRAM_NAME, &len);
	if (bind(dgram_fd, (struct sockaddr *)&address, len) == -1)
		fatal("bind an abstract UNIX socket");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("socketpair");
	have.unix_fd = pair[0];
	if (send_fd(pair[1], have.tcp_fd, 0) != 1)
		fatal("send a descriptor");
}

/* The peer is the socket itself. */
static void
prepare_peer(void)
{
	struct sockaddr_in own = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(own);

	have.fed_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(have.fed_fd, (struct sockaddr *)&own, len) == -1 ||
	    getsockname(have.fed_fd, (struct sockaddr *)&own, &len) == -1 ||
	    connect(have.fed_fd, (struct sockaddr *)&own, len) == -1 ||
	    send(have.fed_fd, "x", 1, 0) != 1 ||
	    recv(have.fed_fd, have.page, 1, MSG_PEEK) != 1)
		fatal("send a datagram over the loopback");
}

static void
place(int from_fd, int number)
{
	if (dup3(from_fd, number, O_CLOEXEC) == -1)
		fatal("place descriptor %d", number);
}

/* Numbers that a role has reserved: the channel to the parent, with a message in it; the
 * place of that to another child; a listening socket, with a client that waits. The far
 * ends stay open. */
static void
prepare_table(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(address);
	int pair[2], listen_fd, client_fd;

	for (int fd = CHANNEL_FD; fd < FIRST_FREE_FD; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			fatalx("descriptor %d is taken", fd);
		place(STDIN_FILENO, fd);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		fatal("socketpair");
	if (send_fd(pair[1], pair[1], 0) != 1)
		fatal("send a descriptor");
	place(pair[0], CHANNEL_FD);
	close(pair[0]);

	/* Without a name the kernel gives one. */
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	client_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, sizeof(address.sun_family)) ==
		-1 ||
	    listen(listen_fd, 1) == -1 ||
	    getsockname(listen_fd, (struct sockaddr *)&address, &len) == -1 ||
	    connect(client_fd, (struct sockaddr *)&address, len) == -1)
		fatal("connect to a UNIX socket");
	place(listen_fd, IPC_CHILD_FD_LISTEN);
	close(listen_fd);
}

static void
prepare_terminal(void)
{
	int main_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	signal(SIGHUP, SIG_IGN);
	setsid();
	if (main_fd == -1 || grantpt(main_fd) == -1 || unlockpt(main_fd) == -1)
		return;
	have.tty_fd = open(ptsname(main_fd), O_RDWR | O_CLOEXEC);
}

/* It ends by the end of a pipe: under Landlock even the kernel may not send it the signal of
 * PR_SET_PDEATHSIG in our name. */
static void
prepare_victim(void)
{
	int life[2];
	char byte;

	if (pipe2(life, O_CLOEXEC) == -1)
		fatal("pipe");
	have.victim = fork();
	if (have.victim == -1)
		fatal("fork");
	if (have.victim == 0) {
		close(life[1]);
		(void)!read(life[0], &byte, 1);
		_exit(0);
	}
	close(life[0]);
	have.victim_pidfd = (int)syscall(SYS_pidfd_open, have.victim, 0);
}

/* A user namespace of the same user, as a guest's is. */
static void
prepare_userns(void)
{
	char path[64], byte;
	int made[2], life[2];
	pid_t pid;

	if (pipe2(made, O_CLOEXEC) == -1 || pipe2(life, O_CLOEXEC) == -1)
		fatal("pipe");
	pid = fork();
	if (pid == -1)
		fatal("fork");
	if (pid == 0) {
		close(life[1]);
		if (unshare(CLONE_NEWUSER) == 0)
			(void)!write(made[1], "x", 1);
		close(made[1]);
		(void)!read(life[0], &byte, 1);
		_exit(0);
	}
	close(made[1]);
	if (read(made[0], &byte, 1) == 1) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
		have.userns_fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(life[1]);
	close(life[0]);
	close(made[0]);
	waitpid(pid, NULL, 0);
}

/* Without the sandbox: a directory like the sandbox's root, where all that is tried with
 * files can succeed, in a mount namespace that ends with us. */
static void
prepare_ground(void)
{
	if (unshare(CLONE_NEWNS) == -1 ||
	    mount("probe", MOUNT_POINT, "tmpfs", 0, NULL) == -1 ||
	    chdir(MOUNT_POINT) == -1 || mkdir("etc", 0755) == -1)
		fatal("make a directory for the control");
	close(open("etc/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static void
prepare(bool in_sandbox)
{
	have.self = getpid();
	have.parent = getppid();
	have.tty_fd = -1;
	have.userns_fd = -1;
	have.page = mmap(NULL, PAGE_SIZE_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	have.stack = mmap(NULL, PAGE_SIZE_MAX, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prepare_table();
	prepare_terminal();
	prepare_sockets();
	prepare_peer();
	prepare_victim();
	have.tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	have.dir_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	have.echo_fd = open("/bin/echo", O_RDONLY | O_CLOEXEC);
	have.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	prepare_userns();
	if (!in_sandbox)
		prepare_ground();
}

/* --- attempts --------------------------------------------------------------------------- */

static int
thread_main(void *unused)
{
	(void)unused;
	return 0;
}

/* A new process ends at once; what counts is that there was one. */
static long
and_end_child(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid;
}

static long
try_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	return pid;
}

/* struct clone_args of linux/sched.h, which can't be included with sched.h. */
static long
try_clone3(void)
{
	uint64_t args[8] = { [4] = SIGCHLD };

	return and_end_child(syscall(SYS_clone3, args, sizeof(args)));
}

static long
try_execve(void)
{
	const char *argv[] = { "echo", "ok", NULL };

	return syscall(SYS_execve, "/bin/echo", argv, NULL);
}

static long
try_execveat(void)
{
	const char *argv[] = { "echo", "ok", NULL };

	return syscall(SYS_execveat, have.echo_fd, "", argv, NULL, AT_EMPTY_PATH);
}

/* Out of a chroot: up from a directory that is not below the root. */
static long
try_climb(void)
{
	for (int i = 0; i < 64; i++)
		if (chdir("..") == -1)
			return -1;
	return faccessat(AT_FDCWD, "usr", F_OK, 0);
}

static long
try_openat2(void)
{
	struct open_how how = { .flags = O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", &how, sizeof(how));
}

static long
try_mknod_device(void)
{
	return syscall(SYS_mknodat, AT_FDCWD, "null", S_IFCHR | 0666, (1 << 8) | 3);
}

/* Everything that the caller had before the jail. */
static long
try_capset(void)
{
	struct __user_cap_header_struct header = { .version =
						       _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ .effective = 1 << CAP_NET_ADMIN, .permitted = 1 << CAP_NET_ADMIN },
	};

	return syscall(SYS_capset, &header, data);
}

static long
try_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = 4,
		.value_size = 4,
		.max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long
try_perf(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long
try_io_uring(void)
{
	/* struct io_uring_params has 120 bytes; all zero is a ring without extras. */
	static char params[120];

	return syscall(SYS_io_uring_setup, 1, params);
}

static long
try_process_vm_readv(pid_t pid)
{
	char byte;
	struct iovec to = { .iov_base = &byte, .iov_len = 1 };
	struct iovec from = { .iov_base = have.page, .iov_len = 1 };

	return syscall(SYS_process_vm_readv, pid, &to, 1UL, &from, 1UL, 0UL);
}

static long
try_seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static long
try_prlimit(void)
{
	struct rlimit one = { .rlim_cur = 1, .rlim_max = 1 };

	return syscall(SYS_prlimit64, 0, have.numbers[0], &one, NULL);
}

static long
try_tunsetiff(void)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	return ioctl(have.tun_fd, TUNSETIFF, &request);
}

static long
try_attach_filter(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, 0xffff);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return setsockopt(have.udp_fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	    sizeof(program));
}

static long
receive(int fd, int flags)
{
	char byte, control[64];
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};

	return recvmsg(fd, &msg, flags);
}

/* A socket of a peer gets the number of a channel, and the rights of that number. */
static long
try_read_as_channel(void)
{
	if (dup3(have.fed_fd, IPC_CHILD_FD_PEER, O_CLOEXEC) == -1)
		return -1;
	return receive(IPC_CHILD_FD_PEER, RECEIVE_FLAGS);
}

static long
try_connect_abstract(void)
{
	socklen_t len;
	struct sockaddr_un address = abstract_address(ABSTRACT_NAME, &len);

	return connect(have.unix2_fd, (struct sockaddr *)&address, len);
}

static long
try_bind_abstract(int fd)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	/* Without a name the kernel gives one. */
	return bind(fd, (struct sockaddr *)&address, sizeof(address.sun_family));
}

/* The filter goes by the channel's number: give a client that number, and pass it a
 * descriptor. */
static long
try_pass_to_client(void)
{
	if (close(CHANNEL_FD) == -1)
		return -1;
#ifdef PROBE_API
	if (accept4(IPC_CHILD_FD_LISTEN, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) == -1)
#else
	if (accept(IPC_CHILD_FD_LISTEN, NULL, NULL) == -1)
#endif
		return -1;
	return send_fd(CHANNEL_FD, have.udp_fd, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A datagram to where nobody has led the socket. The pointer has zeros in its lower half, which is
 * all that a filter sees of it. */
static long
try_send_to_address(void)
{
	struct sockaddr_in *to =
	    mmap((void *)((uintptr_t)UINT32_MAX + 1), 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (to == MAP_FAILED)
		return -1;
	*to = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(9),
	};
	return sendto(have.udp_fd, "x", 1, MSG_DONTWAIT, (struct sockaddr *)to,
	    sizeof(*to));
}

/* The same with a socket that is made for it. */
static long
try_pass_to_other(void)
{
	socklen_t len;
	struct sockaddr_un address = abstract_address(DGRAM_NAME, &len);

	if (close(CHANNEL_FD) == -1 ||
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) == -1 ||
	    connect(CHANNEL_FD, (struct sockaddr *)&address, len) == -1)
		return -1;
	return send_fd(CHANNEL_FD, have.udp_fd, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A call by its number among the 32-bit calls, with arguments of zero. */
static long
int80(long number)
{
#ifdef __x86_64__
	long result = number;

	__asm__ volatile("int $0x80"
			 : "+a"(result)
			 : "b"(0L), "c"(0L), "d"(0L)
			 : "r8", "r9", "r10", "r11", "memory");
	if (result >= 0)
		return result;
	errno = (int)-result;
#else
	(void)number;
	errno = ENOSYS;
#endif
	return -1;
}

static long
try_int80_getpid(void)
{
	return int80(20);
}

static long
try_int80_execve(void)
{
	return int80(11);
}

/* setns and unshare hold for the process, which then ends; a number says which. */
#define NUMBER(i) (have.numbers[i])

/* clang-format off */
#define ATTEMPTS(TRY) \
	/* files */ \
	TRY(read_resolv_conf, openat(AT_FDCWD, RESOLV_CONF, O_RDONLY | O_CLOEXEC)) \
	TRY(read_passwd, openat(AT_FDCWD, "/etc/passwd", O_RDONLY)) \
	TRY(read_passwd_by_dots, openat(AT_FDCWD, "../../../../../../etc/passwd", O_RDONLY)) \
	TRY(read_root, openat(AT_FDCWD, "/", O_RDONLY)) \
	TRY(list_root, openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY)) \
	TRY(path_of_root, openat(AT_FDCWD, "/", O_PATH)) \
	TRY(read_proc_self, openat(AT_FDCWD, "/proc/self/status", O_RDONLY)) \
	TRY(read_proc_1, openat(AT_FDCWD, "/proc/1/cmdline", O_RDONLY)) \
	TRY(read_sys, openat(AT_FDCWD, "/sys/class/net/lo/address", O_RDONLY)) \
	TRY(stat_passwd, faccessat(AT_FDCWD, "/etc/passwd", F_OK, 0)) \
	TRY(climb, try_climb()) \
	TRY(climb_from_chroot, chroot("etc") == -1 ? -1 : try_climb()) \
	TRY(read_by_dir_fd, openat(have.dir_fd, "etc/passwd", O_RDONLY)) \
	TRY(stat_by_dir_fd, fstatat(have.dir_fd, "etc/passwd", (struct stat *)have.page, 0)) \
	TRY(read_tun, openat(AT_FDCWD, "/dev/net/tun", O_RDONLY)) \
	TRY(open_tun, openat(AT_FDCWD, "/dev/net/tun", O_RDWR | O_CLOEXEC)) \
	TRY(write_tun_by_peer_fd, openat(IPC_CHILD_FD_PEER, "/dev/net/tun", \
	    O_WRONLY | O_CLOEXEC | O_NOFOLLOW)) \
	TRY(create, openat(AT_FDCWD, "new", O_WRONLY | O_CREAT | O_EXCL, 0600)) \
	TRY(create_in_etc, openat(AT_FDCWD, "etc/new", O_RDONLY | O_CREAT, 0600)) \
	TRY(write_resolv_conf, openat(AT_FDCWD, RESOLV_CONF, O_WRONLY)) \
	TRY(update_resolv_conf, openat(AT_FDCWD, RESOLV_CONF, O_RDWR)) \
	TRY(truncate_at_open, openat(AT_FDCWD, RESOLV_CONF, O_RDONLY | O_TRUNC)) \
	TRY(tmpfile, openat(AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600)) \
	TRY(openat2, try_openat2()) \
	TRY(truncate, truncate(RESOLV_CONF, 4096)) \
	TRY(unlink, unlinkat(AT_FDCWD, RESOLV_CONF, 0)) \
	TRY(rename, renameat(AT_FDCWD, RESOLV_CONF, AT_FDCWD, "etc/other")) \
	TRY(mkdir, mkdirat(AT_FDCWD, "dir", 0700)) \
	TRY(symlink, symlinkat("/", AT_FDCWD, "link")) \
	TRY(mkfifo, mknodat(AT_FDCWD, "fifo", S_IFIFO | 0600, 0)) \
	TRY(mknod_device, try_mknod_device()) \
	TRY(chmod, fchmodat(AT_FDCWD, ".", 0777, 0)) \
	TRY(memfd_create, syscall(SYS_memfd_create, "x", 0)) \
	TRY(dup, dup(CHANNEL_FD)) \
	TRY(dupfd, fcntl(CHANNEL_FD, F_DUPFD_CLOEXEC, 10)) \
	/* numbers of descriptors that are reserved */ \
	TRY(close_socket, close(have.udp_fd)) \
	TRY(close_channel, close(CHANNEL_FD)) \
	TRY(close_peer, close(IPC_CHILD_FD_PEER)) \
	TRY(close_channel_by_range, syscall(SYS_close_range, CHANNEL_FD, CHANNEL_FD, 0)) \
	TRY(take_channel, dup3(have.unix_fd, CHANNEL_FD, O_CLOEXEC)) \
	TRY(take_peer, dup3(have.unix_fd, IPC_CHILD_FD_PEER, O_CLOEXEC)) \
	TRY(pass_to_client, try_pass_to_client()) \
	TRY(pass_to_other, try_pass_to_other()) \
	/* processes */ \
	TRY(execve, try_execve()) \
	TRY(execveat, try_execveat()) \
	TRY(fork, and_end_child(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))) \
	TRY(vfork, try_vfork()) \
	TRY(thread, clone(thread_main, have.stack + PAGE_SIZE_MAX, CLONE_VM | CLONE_FS | \
	    CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL)) \
	TRY(clone3, try_clone3()) \
	TRY(kill_parent, kill(have.parent, SIGCONT)) \
	TRY(kill_victim, kill(have.victim, SIGCONT)) \
	TRY(end_victim, kill(have.victim, SIGKILL)) \
	TRY(kill_self, kill(have.self, SIGURG)) \
	TRY(tgkill_self, syscall(SYS_tgkill, have.self, have.self, SIGURG)) \
	TRY(abort_self, syscall(SYS_tgkill, have.self, have.self, SIGABRT)) \
	TRY(block_signals, syscall(SYS_rt_sigprocmask, SIG_BLOCK, &(uint64_t){ 0 }, NULL, \
	    sizeof(uint64_t))) \
	TRY(abort_victim, syscall(SYS_tgkill, have.victim, have.victim, SIGABRT)) \
	TRY(abort_victim_by_tid, syscall(SYS_tgkill, have.self, have.victim, SIGABRT)) \
	TRY(tkill_victim, syscall(SYS_tkill, have.victim, SIGCONT)) \
	TRY(pidfd_open, syscall(SYS_pidfd_open, have.victim, 0)) \
	TRY(pidfd_signal, syscall(SYS_pidfd_send_signal, have.victim_pidfd, SIGCONT, NULL, 0)) \
	TRY(pidfd_getfd, syscall(SYS_pidfd_getfd, have.victim_pidfd, 1, 0)) \
	TRY(ptrace, ptrace(PTRACE_SEIZE, have.victim, NULL, NULL)) \
	TRY(ptrace_parent, ptrace(PTRACE_SEIZE, have.parent, NULL, NULL)) \
	TRY(process_vm_readv, try_process_vm_readv(have.victim)) \
	TRY(prlimit, try_prlimit()) \
	/* sockets */ \
	TRY(socket, socket((int)NUMBER(0), (int)NUMBER(1), (int)NUMBER(2))) \
	TRY(socket_high_bits, syscall(SYS_socket, AF_INET | HIGH_BIT, SOCK_DGRAM | \
	    SOCK_CLOEXEC, 0)) \
	TRY(socketpair, socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)(void *)have.page)) \
	TRY(connect_abstract, try_connect_abstract()) \
	TRY(bind_channel, try_bind_abstract(CHANNEL_FD)) \
	TRY(setsockopt_int, setsockopt(have.tcp_fd, (int)NUMBER(0), (int)NUMBER(1), \
	    &(int){ 1 }, sizeof(int))) \
	TRY(bind_to_device, setsockopt(have.tcp_fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) \
	TRY(attach_filter, try_attach_filter()) \
	TRY(send_to_address, try_send_to_address()) \
	TRY(send_fd_on_channel, send_fd(CHANNEL_FD, CHANNEL_FD, MSG_NOSIGNAL | MSG_DONTWAIT)) \
	TRY(send_fd_elsewhere, send_fd(have.unix_fd, CHANNEL_FD, MSG_NOSIGNAL | MSG_DONTWAIT)) \
	TRY(send_on_channel, send(CHANNEL_FD, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT)) \
	TRY(receive_on_channel, receive(CHANNEL_FD, RECEIVE_FLAGS)) \
	TRY(read_as_channel, try_read_as_channel()) \
	TRY(receive_fd_elsewhere, receive(have.unix_fd, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) \
	TRY(receive_elsewhere, receive(have.unix_fd, MSG_DONTWAIT)) \
	TRY(receive_errors_udp, receive(have.udp_fd, MSG_ERRQUEUE)) \
	TRY(receive_errors_unix, receive(have.unix_fd, MSG_ERRQUEUE)) \
	TRY(recvmmsg, syscall(SYS_recvmmsg, have.udp_fd, have.page, 0, MSG_DONTWAIT, NULL)) \
	TRY(sendmmsg, syscall(SYS_sendmmsg, CHANNEL_FD, have.page, 0, 0)) \
	/* requests to descriptors */ \
	TRY(tiocsti, ioctl(have.tty_fd, TIOCSTI, "x")) \
	TRY(tcgets, ioctl(have.tty_fd, TCGETS, have.page)) \
	TRY(tunsetiff, try_tunsetiff()) \
	TRY(ioctl_udp, ioctl(have.udp_fd, (unsigned long)NUMBER(0), have.page)) \
	TRY(ioctl_high_bits, syscall(SYS_ioctl, have.udp_fd, FIONREAD | HIGH_BIT, have.page)) \
	TRY(fcntl_setown, fcntl(have.udp_fd, F_SETOWN, have.self)) \
	TRY(fcntl_async, fcntl(have.udp_fd, F_SETFL, O_ASYNC | O_NONBLOCK)) \
	TRY(fcntl_nonblock, fcntl(have.udp_fd, F_SETFL, O_NONBLOCK)) \
	/* privileges and namespaces */ \
	TRY(mount, mount("probe", "etc", "tmpfs", 0, NULL)) \
	TRY(remount, mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND, NULL)) \
	TRY(umount, umount2(".", MNT_DETACH)) \
	TRY(fsopen, syscall(SYS_fsopen, "tmpfs", 0)) \
	TRY(open_tree, syscall(SYS_open_tree, AT_FDCWD, ".", 1)) \
	TRY(pivot_root, syscall(SYS_pivot_root, ".", ".")) \
	TRY(chroot, chroot("/")) \
	TRY(fchdir, fchdir(have.dir_fd)) \
	TRY(setns_net, setns(have.netns_fd, CLONE_NEWNET)) \
	TRY(setns_user, setns(have.userns_fd, CLONE_NEWUSER)) \
	TRY(setns_pidfd, setns(have.victim_pidfd, CLONE_NEWNS)) \
	TRY(unshare, unshare((int)NUMBER(0))) \
	TRY(prctl, prctl((int)NUMBER(0), NUMBER(1), NUMBER(2), 0L, 0L)) \
	TRY(capset, try_capset()) \
	TRY(setuid, syscall(SYS_setuid, 0)) \
	TRY(setgroups, syscall(SYS_setgroups, 0, NULL)) \
	TRY(sethostname, sethostname("probe", 5)) \
	/* the kernel's large surfaces */ \
	TRY(bpf, try_bpf()) \
	TRY(perf_event_open, try_perf()) \
	TRY(userfaultfd, syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY)) \
	TRY(io_uring_setup, try_io_uring()) \
	TRY(keyctl, syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1)) \
	TRY(add_key, syscall(SYS_add_key, "user", "probe", "x", 1, \
	    KEY_SPEC_PROCESS_KEYRING)) \
	TRY(seccomp, try_seccomp()) \
	TRY(inotify, syscall(SYS_inotify_init1, 0)) \
	TRY(syslog, syscall(SYS_syslog, 10, NULL, 0)) \
	/* memory */ \
	TRY(mmap_data, (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, \
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
	TRY(mmap_write_exec, (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, \
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
	TRY(mmap_exec, (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, \
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
	TRY(mmap_exec_file, (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, \
	    have.echo_fd, 0)) \
	TRY(mprotect_exec, mprotect(have.page, 4096, PROT_READ | PROT_EXEC)) \
	TRY(mprotect_write_code, mprotect((void *)((uintptr_t)prepare & ~UINT64_C(4095)), 4096, \
	    PROT_READ | PROT_WRITE | PROT_EXEC)) \
	TRY(mmap_high_bits, syscall(SYS_mmap, NULL, 4096, PROT_READ | HIGH_BIT, \
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
	TRY(mmap_growsdown_exec, syscall(SYS_mmap, NULL, 4096, PROT_EXEC, \
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0)) \
	TRY(personality, syscall(SYS_personality, 0x0400000L)) \
	TRY(mlock, mlock(have.page, 4096)) \
	/* other doors */ \
	TRY(x32_getpid, syscall(0x40000000 | SYS_getpid)) \
	TRY(x32_execve, syscall(0x40000000 | SYS_execve, NULL, NULL, NULL)) \
	TRY(int80_getpid, try_int80_getpid()) \
	TRY(int80_execve, try_int80_execve()) \
	TRY(no_such_call, syscall(-1)) \
	TRY(high_call, syscall(100000))
/* clang-format on */

#define DEFINE(name, expression) \
	static long attempt_##name(void) \
	{ \
		return (expression); \
	}
ATTEMPTS(DEFINE)

static const struct {
	const char *name;
	long (*run)(void);
} attempts[] = {
#define ROW(name, expression) { #name, attempt_##name },
	ATTEMPTS(ROW)
};

#define N_ATTEMPTS (sizeof(attempts) / sizeof(attempts[0]))

/* --- the jail --------------------------------------------------------------------------- */

#if defined(PROBE_SPAWNER) || defined(PROBE_NETNS_HELPER) || defined(PROBE_PARENT) || \
    defined(PROBE_CGROUP_MOVER) || defined(PROBE_POLICY_READER)
struct jail {
	struct ipc_confine orders;
	struct ipc_confined reached;
};
#define JAIL_NONE \
	{ \
		0 \
	}
#else
#define JAIL_NONE \
	{ \
		.fallback_userns_fd = -1 \
	}
#endif

static void
enter(struct jail *jail)
{
#ifdef PROBE_SPAWNER
	spawner_lock(&jail->orders, &jail->reached);
#elif defined(PROBE_NETNS_HELPER)
	jail_lock(&jail->orders, &jail->reached);
#elif defined(PROBE_POLICY_READER)
	policy_reader_lock(&jail->orders, &jail->reached);
#elif defined(PROBE_CGROUP_MOVER)
	cgroup_mover_lock(&jail->orders, &jail->reached);
#elif defined(PROBE_PARENT)
	const struct options options = { .exit_fd = -1 };

	parent_jail_lock(&jail->orders, &options, &jail->reached);
#else
	jail_enter(jail);
	jail_lock(jail);
#endif
}

/* --- the sweep -------------------------------------------------------------------------- */

/* Names for those that are expected to be allowed whatever their arguments are. */
static const struct {
	const char *name;
	long number;
} calls[] = {
#define CALL(name) { #name, SYS_##name },
	CALL(ftruncate) CALL(getdents64) CALL(inotify_add_watch) CALL(inotify_rm_watch)
	    CALL(pwrite64) CALL(readlinkat) CALL(wait4) CALL(write) CALL(accept)
		CALL(bind) CALL(brk) CALL(clock_gettime) CALL(close) CALL(connect)
		    CALL(epoll_ctl) CALL(epoll_pwait) CALL(exit_group) CALL(fstat)
			CALL(getpeername) CALL(getpid) CALL(getsockname) CALL(gettid)
			    CALL(listen) CALL(lseek) CALL(mremap) CALL(munmap)
				CALL(newfstatat) CALL(ppoll) CALL(read) CALL(recvfrom)
				    CALL(restart_syscall) CALL(sendto) CALL(shutdown)
					CALL(writev)
#ifdef SYS_poll
					    CALL(poll)
#endif
#ifdef SYS_stat
						CALL(stat) CALL(lstat) CALL(readlink)
#endif
};

static const char *
call_name(long number)
{
	static char text[32];

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return calls[i].name;
	snprintf(text, sizeof(text), "%ld", number);
	return text;
}

/* Each in a process of its own, with arguments that no condition of a policy lets pass. The filter
 * answers the same without the rest of the jail, whose namespaces the kernel takes long to make and
 * to clear away a thousand times: so SANDBOX is better off. */
static int
sweep(struct jail *jail, long first, long last)
{
	for (long number = first; number <= last; number++) {
		pid_t pid = fork();
		int wait_status;

		if (pid == -1)
			fatal("fork");
		if (pid == 0) {
			enter(jail);
			syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
			syscall(SYS_exit_group, 0);
		}
		if (waitpid(pid, &wait_status, 0) == -1)
			fatal("wait");
		if (!WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGSYS)
			printf("%s\n", call_name(number));
	}
	return fflush(stdout) == 0 ? 0 : 1;
}

/* --- the program ------------------------------------------------------------------------ */

static uint8_t
mode_of(const char *word)
{
	if (strcmp(word, "off") == 0)
		return IPC_JAIL_OFF;
	if (strcmp(word, "best-effort") == 0)
		return IPC_JAIL_BEST_EFFORT;
	if (strcmp(word, "required") == 0)
		return IPC_JAIL_REQUIRED;
	fatalx("no such mode: %s", word);
}

int
main(int argc, char **argv)
{
	struct jail jail = JAIL_NONE;
	long (*run)(void) = NULL;

	if (argc < 4)
		fatalx("usage: probe SANDBOX SECCOMP ATTEMPT [NUMBER]...");
	jail.orders.sandbox_mode = mode_of(argv[1]);
	jail.orders.seccomp_mode = mode_of(argv[2]);
	for (int i = 4; i < argc && i < 8; i++)
		have.numbers[i - 4] = strtol(argv[i], NULL, 0);
	if (strcmp(argv[3], "sweep") == 0)
		return sweep(&jail, have.numbers[0], have.numbers[1]);
	for (size_t i = 0; i < N_ATTEMPTS; i++)
		if (strcmp(argv[3], attempts[i].name) == 0)
			run = attempts[i].run;
	if (!run)
		fatalx("no such attempt: %s", argv[3]);
	prepare(jail.orders.sandbox_mode != IPC_JAIL_OFF);
	enter(&jail);
	say_outcome(run());
	syscall(SYS_exit_group, 0);
}
