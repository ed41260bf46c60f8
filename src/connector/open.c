/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the sockets of TCP flows, and those that lead to name servers. */
#include "connector/open.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/auto.h"

static int
bind_outbound(int fd, const struct ipc_outbound *outbound, bool is_ipv6)
{
	const int yes = 1;
	union inaddr_sock source;

	if (!outbound->has_addr[is_ipv6])
		return 0;
	source = inaddr_sock_make(&outbound->addr[is_ipv6], 0);
	/* ip(7): one of 28,000 ports for each destination, not for all together. */
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

int
open_tcp(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	const int yes = 1;
	autofd int fd =
	    socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* Cannot fail on a TCP socket. Urgent data stays in line (RFC 6093). */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
	if (bind_outbound(fd, outbound, to->any.sa_family == AF_INET6) == -1)
		return -1;
	if (connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1 &&
	    errno != EINPROGRESS)
		return -1;
	return take_fd(&fd);
}

int
open_dns(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	autofd int fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	/* connect(2) chooses a port at random (net/ipv4/udp.c, udp_lib_get_port). */
	if (fd == -1 ||
	    bind_outbound(fd, outbound, to->any.sa_family == AF_INET6) == -1 ||
	    connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1)
		return -1;
	return take_fd(&fd);
}
