/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values of constants in policies. A policy is compiled for several architectures on
 * one machine. A value comes from the headers of this machine only if all architectures
 * have the same. Other values are written out and compared with the headers of this
 * machine.
 */
#include "constants.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* If an architecture differs here, as MIPS, PowerPC and SPARC do, it differs in more.
 * Review every number before a port to it. */
static_assert(SOL_SOCKET == 1 && SO_PEERCRED == 17 && SOCK_STREAM == 1, "asm-generic");
static_assert(FIONREAD == 0x541b && _IOW('T', 202, int) == 0x400454ca, "asm-generic");
static_assert(SIGCHLD == 17 && EAFNOSUPPORT == 97 && O_NONBLOCK == 04000, "asm-generic");
static_assert(MAP_ANONYMOUS == 0x20 && MAP_NORESERVE == 0x4000, "asm-generic");

/* arch/arm64/include/uapi/asm/fcntl.h exchanges these. asm-generic/fcntl.h, which x86
 * uses, has the other order. O_LARGEFILE is the kernel's: glibc defines it as 0 on 64
 * bits and never passes it; musl always does. */
struct open_flags {
	uint32_t directory;
	uint32_t nofollow;
	uint32_t direct;
	uint32_t largefile;
};

static const struct open_flags OPEN_FLAGS_GENERIC = {
	.direct = 040000,
	.largefile = 0100000,
	.directory = 0200000,
	.nofollow = 0400000,
};

static const struct open_flags OPEN_FLAGS_ARM = {
	.directory = 040000,
	.nofollow = 0100000,
	.direct = 0200000,
	.largefile = 0400000,
};

#ifdef __aarch64__
static_assert(O_DIRECTORY == 040000 && O_NOFOLLOW == 0100000, "OPEN_FLAGS_ARM");
#else
static_assert(O_DIRECTORY == 0200000 && O_NOFOLLOW == 0400000, "OPEN_FLAGS_GENERIC");
#endif

static const struct open_flags *const open_flags_of[] = {
#define TARGET_OPEN_FLAGS(name, scmp_arch, open_flags, condition) &(open_flags),
	TARGETS(TARGET_OPEN_FLAGS)
#undef TARGET_OPEN_FLAGS
};

/* linux/if_tun.h has a single user, the netns-helper. The numbers are written out
 * here. */
#define TUNSETIFF _IOW('T', 202, int)
#define TUNSETOFFLOAD _IOW('T', 208, unsigned int)
#define TUNGETIFF _IOR('T', 210, unsigned int)
#define TUNGETVNETHDRSZ _IOR('T', 215, int)
#define TUNSETVNETHDRSZ _IOW('T', 216, int)
#define TUNSETVNETLE _IOW('T', 220, int)
#define TUN_F_CSUM 0x01
#define TUN_F_TSO4 0x02
#define TUN_F_TSO6 0x04
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40

struct constant {
	const char *name;
	uint32_t value;
};

/* clang-format off */
#define C(name) { #name, (uint32_t)(name) },
static const struct constant constants[] = {
	/* socket */
	C(AF_UNSPEC) C(AF_UNIX) C(AF_INET) C(AF_INET6) C(AF_NETLINK) C(AF_PACKET) C(AF_VSOCK)
	C(SOCK_STREAM) C(SOCK_DGRAM) C(SOCK_RAW) C(SOCK_SEQPACKET) C(SOCK_CLOEXEC)
	C(SOCK_NONBLOCK)
	C(IPPROTO_IP) C(IPPROTO_ICMP) C(IPPROTO_TCP) C(IPPROTO_UDP) C(IPPROTO_IPV6)
	C(IPPROTO_ICMPV6) C(IPPROTO_RAW)
	C(NETLINK_ROUTE)
	/* setsockopt */
	C(SOL_SOCKET) C(SOL_IP) C(SOL_TCP) C(SOL_IPV6)
	C(SO_REUSEADDR) C(SO_REUSEPORT) C(SO_TYPE) C(SO_ERROR) C(SO_BROADCAST) C(SO_SNDBUF)
	C(SO_RCVBUF) C(SO_KEEPALIVE) C(SO_OOBINLINE) C(SO_LINGER) C(SO_PEERCRED)
	C(SO_PASSCRED) C(SO_ACCEPTCONN) C(SO_DOMAIN) C(SO_PROTOCOL) C(SO_BINDTODEVICE)
	C(UDP_SEGMENT) C(UDP_GRO)
	C(TCP_NODELAY) C(TCP_MAXSEG) C(TCP_CORK) C(TCP_KEEPIDLE) C(TCP_KEEPINTVL)
	C(TCP_KEEPCNT) C(TCP_INFO) C(TCP_QUICKACK) C(TCP_USER_TIMEOUT)
	C(UDP_SEGMENT)
	C(IP_TOS) C(IP_TTL) C(IP_RECVTTL) C(IP_RECVTOS) C(IP_BIND_ADDRESS_NO_PORT) C(IP_RECVERR) C(IP_MULTICAST_LOOP) C(IP_MTU_DISCOVER) C(IP_PKTINFO)
	C(IPV6_RECVTCLASS) C(IPV6_RECVHOPLIMIT)
	C(IPV6_V6ONLY) C(IPV6_RECVERR) C(IPV6_MULTICAST_LOOP) C(IPV6_UNICAST_HOPS) C(IPV6_MTU_DISCOVER)
	C(IPV6_TCLASS) C(IPV6_RECVPKTINFO)
	/* send, recv, shutdown */
	C(MSG_OOB) C(MSG_PEEK) C(MSG_TRUNC) C(MSG_CTRUNC) C(MSG_WAITALL) C(MSG_DONTWAIT)
	C(MSG_EOR) C(MSG_ERRQUEUE) C(MSG_NOSIGNAL) C(MSG_MORE) C(MSG_CMSG_CLOEXEC)
	C(SHUT_RD) C(SHUT_WR) C(SHUT_RDWR)
	/* ioctl */
	C(FIONREAD) C(FIONBIO) C(TCGETS) C(TIOCGWINSZ)
	C(SIOCGIFNAME) C(SIOCGIFCONF) C(SIOCGIFINDEX) C(SIOCGIFHWADDR) C(SIOCGIFFLAGS)
	C(NS_GET_USERNS) C(NS_GET_NSTYPE)
	C(TUNSETIFF) C(TUNGETIFF) C(TUNSETOFFLOAD) C(TUNGETVNETHDRSZ) C(TUNSETVNETHDRSZ)
	C(TUNSETVNETLE) C(TUN_F_CSUM) C(TUN_F_TSO4) C(TUN_F_TSO6) C(TUN_F_USO4) C(TUN_F_USO6)
	/* fcntl, open, *at, lseek */
	C(F_DUPFD) C(F_GETFD) C(F_SETFD) C(F_GETFL) C(F_SETFL) C(F_DUPFD_CLOEXEC)
	C(F_ADD_SEALS) C(F_GET_SEALS) C(FD_CLOEXEC)
	C(O_RDONLY) C(O_WRONLY) C(O_RDWR) C(O_ACCMODE) C(O_CREAT) C(O_EXCL) C(O_NOCTTY)
	C(O_TRUNC) C(O_APPEND) C(O_NONBLOCK) C(O_DSYNC) C(O_SYNC) C(O_CLOEXEC) C(O_NOATIME)
	C(O_PATH)
	C(AT_FDCWD) C(AT_EMPTY_PATH) C(AT_SYMLINK_NOFOLLOW) C(AT_REMOVEDIR)
	C(SEEK_SET) C(SEEK_CUR) C(SEEK_END)
	/* memory */
	C(PROT_NONE) C(PROT_READ) C(PROT_WRITE) C(PROT_EXEC)
	C(MAP_SHARED) C(MAP_PRIVATE) C(MAP_FIXED) C(MAP_ANONYMOUS) C(MAP_NORESERVE)
	C(MAP_STACK) C(MREMAP_MAYMOVE) C(MREMAP_FIXED)
	C(MADV_NORMAL) C(MADV_RANDOM) C(MADV_WILLNEED) C(MADV_DONTNEED) C(MADV_FREE)
	C(MADV_HUGEPAGE) C(MADV_NOHUGEPAGE) C(MADV_DONTDUMP)
	/* processes and signals */
	C(CLONE_VM) C(CLONE_FS) C(CLONE_FILES) C(CLONE_SIGHAND) C(CLONE_THREAD) C(CLONE_VFORK)
	C(CLONE_PARENT_SETTID) C(CLONE_CHILD_SETTID) C(CLONE_CHILD_CLEARTID) C(CLONE_SETTLS)
	C(CLONE_SYSVSEM) C(CLONE_NEWUSER) C(CLONE_NEWNET) C(CLONE_NEWNS) C(CLONE_NEWIPC)
	C(CLONE_NEWUTS) C(CLONE_NEWPID) C(CLONE_NEWCGROUP) C(CLONE_PARENT)
	C(WNOHANG) C(WEXITED) C(P_PID) C(P_PIDFD)
	C(SIGHUP) C(SIGINT) C(SIGQUIT) C(SIGILL) C(SIGTRAP) C(SIGABRT) C(SIGBUS) C(SIGKILL)
	C(SIGUSR1) C(SIGSEGV) C(SIGUSR2) C(SIGPIPE) C(SIGALRM) C(SIGTERM) C(SIGCHLD) C(SIGSYS)
	C(SIG_BLOCK) C(SIG_UNBLOCK) C(SIG_SETMASK)
	C(PR_SET_PDEATHSIG) C(PR_SET_NAME) C(PR_SET_DUMPABLE) C(PR_SET_NO_NEW_PRIVS)
	C(PR_CAPBSET_DROP) C(PR_CAPBSET_READ) C(PR_SET_SECCOMP) C(PR_CAP_AMBIENT)
	C(PR_GET_SECCOMP) C(PR_GET_DUMPABLE) C(PR_GET_NO_NEW_PRIVS) 
	C(PR_GET_SECUREBITS) C(PR_SET_SECUREBITS)
	C(RLIMIT_CPU) C(RLIMIT_CORE) C(RLIMIT_NOFILE) C(RLIMIT_NPROC) C(RLIMIT_AS)
	C(RLIMIT_FSIZE) C(RLIMIT_MEMLOCK) C(RLIMIT_STACK)
	/* others */
	C(MNT_DETACH) C(UMOUNT_NOFOLLOW)
	C(CLOCK_REALTIME) C(CLOCK_MONOTONIC) C(CLOCK_BOOTTIME)
	C(FUTEX_WAIT) C(FUTEX_WAKE) C(FUTEX_WAIT_PRIVATE) C(FUTEX_WAKE_PRIVATE)
	C(FUTEX_WAIT_BITSET_PRIVATE)
	C(GRND_NONBLOCK) C(GRND_RANDOM)
	C(IN_MODIFY) C(IN_CLOSE_WRITE) C(IN_MOVED_TO) C(IN_CREATE) C(IN_DELETE) C(IN_CLOEXEC)
	C(IN_NONBLOCK)
};

static const struct constant errors[] = {
	C(EPERM) C(ENOENT) C(EACCES) C(EINVAL) C(ENOSYS) C(EAFNOSUPPORT) C(EPROTONOSUPPORT)
	C(EOPNOTSUPP)
};
#undef C
/* clang-format on */

static bool
find_open_flag(const char *name, const struct open_flags *flags, uint32_t *value)
{
	if (strcmp(name, "O_DIRECTORY") == 0)
		*value = flags->directory;
	else if (strcmp(name, "O_NOFOLLOW") == 0)
		*value = flags->nofollow;
	else if (strcmp(name, "O_DIRECT") == 0)
		*value = flags->direct;
	else if (strcmp(name, "O_LARGEFILE") == 0)
		*value = flags->largefile;
	else
		return false;
	return true;
}

bool
constant_find(const char *name, enum target target, uint32_t *value)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		if (strcmp(constants[i].name, name) != 0)
			continue;
		*value = constants[i].value;
		return true;
	}
	return find_open_flag(name, open_flags_of[target], value);
}

uint32_t
constant_find_errno(const char *name)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].value;
	return 0;
}
