/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes sockets of UDP: those of flows and of forwards. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "connector/open/open.h"

/* A new socket. The kernel reports the fields of IP headers that come. -1 with errno set. */
static int
make_socket(bool is_ipv6)
{
	int fd = socket(is_ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (is_ipv6) {
		/* The IPv4 socket of the same port is another one's. */
		open_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		open_set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		open_set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	} else {
		open_set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		open_set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
	}
	return fd;
}

/* The same for a flow: the kernel reports ICMP errors too. */
static int
make_for_flow(bool is_ipv6)
{
	int fd = make_socket(is_ipv6);

	if (fd != -1)
		open_report_errors(fd, is_ipv6);
	return fd;
}

/* The kernel reports the address of the host to which a datagram comes. */
static void
ask_for_own_address(int fd, bool is_ipv6)
{
	if (is_ipv6)
		open_set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else
		open_set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
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
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_source(fd, wanted, wanted->port) == 0)
		return 0;
	/* Another program has it at this address, or it is below ip_unprivileged_port_start. */
	if (errno != EADDRINUSE && errno != EACCES)
		return -1;
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 0);
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
		open_set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	else
		open_set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

/* The socket for the answers of a group: its port is that of the other one. The worker learns
 * which address of the host was asked. */
static int
open_answers(const struct open_udp *wanted, uint16_t port)
{
	bool is_ipv6 = wanted->to->any.sa_family == AF_INET6;
	autofd int fd = make_for_flow(is_ipv6);

	if (fd == -1)
		return -1;
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_source(fd, wanted, port) == -1)
		return -1;
	ask_for_own_address(fd, is_ipv6);
	return take_fd(&fd);
}

int
open_udp(const struct open_udp *wanted, struct open_udp_made *made)
{
	const union inaddr_sock *to = wanted->to;
	bool is_ipv6 = to->any.sa_family == AF_INET6;
	autofd int fd = make_for_flow(is_ipv6);
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
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (inaddr_from_sockaddr(&addr, &to->any) && inaddr_is_multicast(&addr)) {
		made->answers_fd = open_answers(wanted, made->port);
		if (made->answers_fd == -1)
			return -1;
	}
	made->fd = take_fd(&fd);
	return 0;
}

/* --- forwards ------------------------------------------------------------------------- */

/* Returns 0, or -1 with errno set. */
static int
bind_forward(int fd, const union inaddr_sock *host, bool shares)
{
	socklen_t len = inaddr_sock_len(&host->any);

	if (bind(fd, &host->any, len) == 0)
		return 0;
	if (errno != EADDRINUSE || !shares)
		return -1;
	/* The socket that is being closed has the option too. */
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	return bind(fd, &host->any, len);
}

int
open_bound_udp(const struct inaddr *addr, uint16_t port, bool shares,
    bool keeps_groups_off)
{
	const union inaddr_sock host = inaddr_sock_make(addr, port);
	autofd int fd = make_socket(addr->is_ipv6);

	if (fd == -1)
		return -1;
	ask_for_own_address(fd, addr->is_ipv6);
	if (keeps_groups_off)
		keep_groups_off_the_host(fd, addr->is_ipv6);
	if (bind_forward(fd, &host, shares) == -1)
		return -1;
	/* Only now: nobody shares the port but the sockets of its peers, and programs of
	 * the same user that ask for it. */
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	return take_fd(&fd);
}

int
open_reply(const union inaddr_sock *own, const union inaddr_sock *peer)
{
	autofd int fd = make_for_flow(own->any.sa_family == AF_INET6);

	if (fd == -1)
		return -1;
	open_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind(fd, &own->any, inaddr_sock_len(&own->any)) == -1 ||
	    connect(fd, &peer->any, inaddr_sock_len(&peer->any)) == -1)
		return -1;
	return take_fd(&fd);
}
