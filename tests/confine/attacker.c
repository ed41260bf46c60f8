/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the place of a slirp-worker that stands still: takes its channel to the connector, enters
 * the worker's jail by the worker's own code, has the connector lend it sockets, and tries to send
 * something where the connector does not let it. Says on standard output what came of it: "ok", or
 * the number of the error. test_attacker.py has the table.
 *
 *   attacker SANDBOX SECCOMP PID FLOW ATTEMPT LED PORT TARGET PORT    modes: off, required
 *
 * LED: where the connector leads the sockets. TARGET: where the attempt leads. FLOW: no open flow
 * has this number or the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/inaddr.h"
#include "base/log.h"
#include "ipc/channel.h"
#include "ipc/fdtable.h"
#include "slirp-worker/jail.h"
#include "outcome.h"

#define FIRST_FREE_FD (IPC_CHILD_FD_RESOLVER + 1)
/* No wait of a test is longer. */
#define ANSWER_MS 20000
/* The options of an IPv4 header: loose source route over one host. */
#define OPTION_LSRR 131
#define ROUTE_BYTES 8

static struct {
	struct ipc_channel connector;
	int epoll_fd;
	uint64_t flow;
	union inaddr_sock led, target;
	socklen_t len;                     /* of both */
	union inaddr_sock *low_zeros_addr; /* the target, see prepare() */
} have;

static union inaddr_sock
address_of(const char *text, const char *port)
{
	struct inaddr addr;

	if (!inaddr_parse(text, &addr))
		fatalx("not an address: %s", text);
	return inaddr_sock_make(&addr, (uint16_t)strtol(port, NULL, 10));
}

/* The descriptors of a worker, with its channel to the connector, which both have read to the end
 * of the greeting. */
static void
take_channel(pid_t pid)
{
	struct epoll_event event = { .events = EPOLLIN };
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, IPC_CHILD_FD_CONNECTOR, 0);

	if (fd == -1)
		fatal("take the channel of %d", pid);
	for (int number = IPC_CHILD_FD_PARENT; number < FIRST_FREE_FD; number++)
		if (number != fd && dup3(STDIN_FILENO, number, O_CLOEXEC) == -1)
			fatal("place descriptor %d", number);
	if (fd != IPC_CHILD_FD_CONNECTOR &&
	    dup3(fd, IPC_CHILD_FD_CONNECTOR, O_CLOEXEC) == -1)
		fatal("place the channel");
	ipc_channel_open(&have.connector, IPC_CHILD_FD_CONNECTOR, IPC_ROLE_SLIRP_WORKER,
	    IPC_ROLE_CONNECTOR);
	have.connector.greeted = true;
	have.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (have.epoll_fd == -1 ||
	    epoll_ctl(have.epoll_fd, EPOLL_CTL_ADD, IPC_CHILD_FD_CONNECTOR, &event) == -1)
		fatal("wait for the connector");
}

static void
prepare(char **argv)
{
	take_channel((pid_t)strtol(argv[3], NULL, 10));
	have.flow = strtoull(argv[4], NULL, 10);
	have.led = address_of(argv[6], argv[7]);
	have.target = address_of(argv[8], argv[9]);
	have.len = inaddr_sock_len(&have.led.any);
	/* A filter sees the halves of a pointer. The lower one of this is zero, as of NULL. */
	have.low_zeros_addr =
	    mmap((void *)((uintptr_t)UINT32_MAX + 1), 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (have.low_zeros_addr == MAP_FAILED)
		fatal("get memory");
	*have.low_zeros_addr = have.target;
}

/* A socket of the connector's. Ends without a word if the connector lends none: then the attempt
 * proves nothing. */
static int
lent(uint8_t proto)
{
	struct ipc_flow_open asked = {
		.flow = have.flow,
		.proto = proto,
		.guest_port = 40000,
		.peer_port = proto == IPPROTO_ICMP ? 0 : inaddr_sock_port(&have.led),
	};
	struct epoll_event event;
	struct ipc_message msg;
	const char *why;

	inaddr_from_sockaddr(&asked.peer, &have.led.any);
	asked.guest = asked.peer; /* of the same family; it is not looked at */
	if (ipc_send_flow_open(&have.connector, &asked) == -1 ||
	    epoll_pwait(have.epoll_fd, &event, 1, ANSWER_MS, NULL) != 1 ||
	    ipc_channel_recv(&have.connector, &msg, &why) != IPC_OUTCOME_MESSAGE ||
	    msg.id != IPC_MSG_flow_opened || msg.payload.flow_opened.flow != have.flow)
		syscall(SYS_exit_group, 2);
	return msg.fd;
}

/* --- attempts --------------------------------------------------------------------------- */

static int
family(void)
{
	return have.target.any.sa_family;
}

static bool
is_ipv6(void)
{
	return family() == AF_INET6;
}

static long
connect_to(int fd, const union inaddr_sock *to)
{
	int result = connect(fd, &to->any, have.len);

	return result == -1 && errno == EINPROGRESS ? 0 : result;
}

static long
send_to(int fd, const union inaddr_sock *to, int flags)
{
	const struct icmphdr echo = { .type =
					  is_ipv6() ? ICMP6_ECHO_REQUEST : ICMP_ECHO };

	return sendto(fd, &echo, sizeof(echo), MSG_DONTWAIT | flags, &to->any, have.len);
}

static struct msghdr
message_to_target(void)
{
	static char byte = 'x';
	static struct iovec iov = { .iov_base = &byte, .iov_len = 1 };

	return (struct msghdr){
		.msg_name = &have.target,
		.msg_namelen = have.len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
}

static long
dissolve(int fd)
{
	const struct sockaddr nowhere = { .sa_family = AF_UNSPEC };

	return connect(fd, &nowhere, sizeof(nowhere));
}

static int
bind_to_any(int fd)
{
	const union inaddr_sock any = { .any.sa_family = have.target.any.sa_family };

	return bind(fd, &any.any, have.len);
}

static int
set(int fd, int level, int option, const void *value, size_t len)
{
	return setsockopt(fd, level, option, value, (socklen_t)len);
}

static long
try_sendmsg(int fd)
{
	const struct msghdr msg = message_to_target();

	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static long
try_sendmmsg(void)
{
	struct mmsghdr one = { .msg_hdr = message_to_target() };

	return sendmmsg(lent(IPPROTO_UDP), &one, 1, MSG_DONTWAIT);
}

/* The socket gets the number of a channel, and the rights of that number. */
static long
try_as_channel(int number)
{
	if (dup3(lent(IPPROTO_UDP), number, O_CLOEXEC) == -1)
		return -1;
	return try_sendmsg(number);
}

static long
try_new_raw(void)
{
	int fd = socket(family(), SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	return fd == -1 ? -1 : send_to(fd, &have.target, 0);
}

static long
try_new(int type, int proto)
{
	int fd = socket(family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, proto);

	if (fd == -1)
		return -1;
	return type == SOCK_STREAM ? connect_to(fd, &have.target)
				   : send_to(fd, &have.target, 0);
}

static long
try_redirect(uint8_t proto)
{
	int fd = lent(proto);

	if (connect_to(fd, &have.target) == -1)
		return -1;
	return send_to(fd, &have.target, 0);
}

static long
try_dissolve(uint8_t proto)
{
	int fd = lent(proto);

	if (dissolve(fd) == -1)
		return -1;
	return proto == IPPROTO_TCP ? connect_to(fd, &have.target)
				    : send_to(fd, &have.target, 0);
}

/* Opens a port of the host. */
static long
try_port(uint8_t proto)
{
	int fd = lent(proto);

	if (dissolve(fd) == -1 || bind_to_any(fd) == -1)
		return -1;
	return proto == IPPROTO_TCP ? listen(fd, 1) : 0;
}

static long
try_join(void)
{
	const struct ip_mreqn group = { .imr_multiaddr.s_addr = htonl(0xefff0101) };
	const struct ipv6_mreq group6 = { .ipv6mr_multiaddr.s6_addr = { 0xff,
					      0x05, [15] = 0x99 } };
	int fd = lent(IPPROTO_UDP);

	return is_ipv6() ? set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &group6, sizeof(group6))
			 : set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group));
}

/* The datagram goes to the target first. */
static long
try_source_route(void)
{
	uint8_t route[ROUTE_BYTES] = { OPTION_LSRR, ROUTE_BYTES - 1, 4 };
	int fd = lent(IPPROTO_UDP);

	memcpy(route + 3, &have.target.in.sin_addr, sizeof(have.target.in.sin_addr));
	if (set(fd, IPPROTO_IP, IP_OPTIONS, route, sizeof(route)) == -1)
		return -1;
	return send(fd, "x", 1, MSG_DONTWAIT);
}

static long
try_routing_header(void)
{
	/* RFC 8754: one segment, which is the destination. */
	uint8_t route[24] = { 0, 2, 4, 0, 0, 0 };
	int fd = lent(IPPROTO_UDP);

	memcpy(route + 8, &have.target.in6.sin6_addr, sizeof(have.target.in6.sin6_addr));
	return set(fd, IPPROTO_IPV6, IPV6_RTHDR, route, sizeof(route));
}

static long
try_option(int level, int option)
{
	return set(lent(IPPROTO_UDP), level, option, &(int){ 1 }, sizeof(int));
}

/* clang-format off */
#define ATTEMPTS(TRY) \
	/* a socket of its own */ \
	TRY(new_tcp, try_new(SOCK_STREAM, 0)) \
	TRY(new_udp, try_new(SOCK_DGRAM, 0)) \
	TRY(new_ping, try_new(SOCK_DGRAM, is_ipv6() ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) \
	TRY(new_raw, try_new_raw()) \
	/* another end for a socket that was lent */ \
	TRY(redirect_udp, try_redirect(IPPROTO_UDP)) \
	TRY(redirect_ping, try_redirect(IPPROTO_ICMP)) \
	TRY(dissolve_tcp, try_dissolve(IPPROTO_TCP)) \
	TRY(dissolve_udp, try_dissolve(IPPROTO_UDP)) \
	TRY(dissolve_ping, try_dissolve(IPPROTO_ICMP)) \
	TRY(port_tcp, try_port(IPPROTO_TCP)) \
	TRY(port_udp, try_port(IPPROTO_UDP)) \
	TRY(bind, bind_to_any(lent(IPPROTO_UDP))) \
	TRY(listen, listen(lent(IPPROTO_TCP), 1)) \
	/* another end for one datagram */ \
	TRY(sendto, send_to(lent(IPPROTO_UDP), have.low_zeros_addr, 0)) \
	TRY(sendto_ping, send_to(lent(IPPROTO_ICMP), &have.target, 0)) \
	TRY(sendto_fastopen, send_to(lent(IPPROTO_TCP), &have.target, MSG_FASTOPEN)) \
	/* where the socket led: the datagram goes there later, also if that is denied then */ \
	TRY(send_more, \
	    send(lent(IPPROTO_UDP), "x", 1, MSG_MORE | MSG_NOSIGNAL | MSG_DONTWAIT)) \
	TRY(sendmsg, try_sendmsg(lent(IPPROTO_UDP))) \
	TRY(sendmmsg, try_sendmmsg()) \
	TRY(as_channel_to_api, try_as_channel(IPC_CHILD_FD_PEER)) \
	TRY(as_channel_to_connector, try_as_channel(IPC_CHILD_FD_CONNECTOR)) \
	TRY(as_channel_to_resolver, try_as_channel(IPC_CHILD_FD_RESOLVER)) \
	/* another path or other rights */ \
	TRY(join, try_join()) \
	TRY(source_route, try_source_route()) \
	TRY(routing_header, try_routing_header()) \
	TRY(bind_to_device, set(lent(IPPROTO_UDP), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)) \
	TRY(mark, try_option(SOL_SOCKET, SO_MARK)) \
	TRY(transparent, try_option(IPPROTO_IP, IP_TRANSPARENT)) \
	TRY(multicast_loop, try_option(IPPROTO_IP, IP_MULTICAST_LOOP)) \
	TRY(reuse_address, try_option(SOL_SOCKET, SO_REUSEADDR)) \
	TRY(detach_filter, try_option(SOL_SOCKET, SO_DETACH_FILTER)) \
	/* what a worker does: if this fails, the others prove nothing */ \
	TRY(send_where_led, send(lent(IPPROTO_UDP), "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT))
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

int
main(int argc, char **argv)
{
	struct jail jail = { .fallback_userns_fd = -1 };
	long (*run)(void) = NULL;

	if (argc != 10)
		fatalx(
		    "usage: attacker SANDBOX SECCOMP PID FLOW ATTEMPT LED PORT TARGET PORT");
	if (strcmp(argv[1], "required") == 0)
		jail.orders.sandbox_mode = IPC_JAIL_REQUIRED;
	if (strcmp(argv[2], "required") == 0)
		jail.orders.seccomp_mode = IPC_JAIL_REQUIRED;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		if (strcmp(argv[5], attempts[i].name) == 0)
			run = attempts[i].run;
	if (!run)
		fatalx("no such attempt: %s", argv[5]);
	prepare(argv);
	jail_enter(&jail);
	jail_lock(&jail);
	say_outcome(run());
	syscall(SYS_exit_group, 0);
}
