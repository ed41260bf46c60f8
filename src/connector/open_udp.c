/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the sockets of UDP flows. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "connector/open.h"

static void
set_option(int fd, int level, int name, int value)
{
	/* Cannot fail on a UDP socket of the family. */
	setsockopt(fd, level, name, &value, sizeof(value));
}

/* A new socket. The kernel reports the fields of IP headers that come, and ICMP errors. -1 with
 * errno set. */
static int
make_socket(bool is_ipv6)
{
	int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (is_ipv6) {
		/* The IPv4 socket of the same port is another one's. */
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
		set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	} else {
		set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
		set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
	}
	return fd;
}

/* Binds to the outbound address, if there is one, and this port. */
static int
bind_source(int fd, const struct open_udp *wanted, uint16_t port)
{
	bool is_ipv6 = wanted->to->any.sa_family == AF_INET6;
	struct inaddr addr = { .is_ipv6 = is_ipv6 };
	union inaddr_sock source;

	if (wanted->outbound->has_addr[is_ipv6])
		addr = wanted->outbound->addr[is_ipv6];
	else if (port == 0)
		return 0; /* connect(2) chooses */
	source = inaddr_sock_make(&addr, port);
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

/* Binds to the wanted port, or to another one if somebody has it. Several sockets of the same
 * user have one port (socket(7)); each is connected to another peer. */
static int
bind_shared(int fd, const struct open_udp *wanted)
{
	if (wanted->port == 0)
		return bind_source(fd, wanted, 0);
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_source(fd, wanted, wanted->port) == 0)
		return 0;
	/* Another program has it at this address, or it is below ip_unprivileged_port_start. */
	if (errno != EADDRINUSE && errno != EACCES)
		return -1;
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return bind_source(fd, wanted, 0);
}

/* The source port of a socket; 0 with errno set. */
static uint16_t
find_port(int fd)
{
	union inaddr_sock own = { 0 };
	socklen_t len = sizeof(own);

	return getsockname(fd, &own.any, &len) == -1 ? 0 : inaddr_sock_port(&own);
}

static void
keep_groups_off_the_host(int fd, bool is_ipv6)
{
	if (is_ipv6)
		set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	else
		set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

/* The socket for the answers of a group: its port is that of the other one. The worker learns
 * which address of the host was asked. */
static int
open_answers(const struct open_udp *wanted, uint16_t port)
{
	bool is_ipv6 = wanted->to->any.sa_family == AF_INET6;
	autofd int fd = make_socket(is_ipv6);

	if (fd == -1)
		return -1;
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_source(fd, wanted, port) == -1)
		return -1;
	if (is_ipv6)
		set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else
		set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
	return take_fd(&fd);
}

int
open_udp(const struct open_udp *wanted, struct open_udp_made *made)
{
	const union inaddr_sock *to = wanted->to;
	bool is_ipv6 = to->any.sa_family == AF_INET6;
	autofd int fd = make_socket(is_ipv6);
	struct inaddr addr;

	*made = (struct open_udp_made){ .fd = -1, .answers_fd = -1 };
	if (fd == -1 || bind_shared(fd, wanted) == -1)
		return -1;
	if (!wanted->loops_groups)
		keep_groups_off_the_host(fd, is_ipv6);
	if (connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1)
		return -1;
	made->port = find_port(fd);
	/* From now on others may have the port too. If the option were set before, the kernel
	 * could choose a port that another end has. */
	set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (inaddr_from_sockaddr(&addr, &to->any) && inaddr_is_multicast(&addr)) {
		made->answers_fd = open_answers(wanted, made->port);
		if (made->answers_fd == -1)
			return -1;
	}
	made->fd = take_fd(&fd);
	return 0;
}
