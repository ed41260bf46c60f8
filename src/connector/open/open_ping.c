/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the sockets of echo requests. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "connector/open/open.h"

static int
bind_outbound(int fd, const struct ipc_outbound *outbound, bool is_ipv6)
{
	union inaddr_sock source;

	if (!outbound->has_addr[is_ipv6])
		return 0;
	source = inaddr_sock_make(&outbound->addr[is_ipv6], 0);
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

int
open_ping(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	const int yes = 1;
	bool is_ipv6 = to->any.sa_family == AF_INET6;
	autofd int fd = is_ipv6
	    ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6)
	    : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd == -1)
		return -1;
	/* Cannot fail on a ping socket of the family. */
	if (is_ipv6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(yes));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
	if (bind_outbound(fd, outbound, is_ipv6) == -1 ||
	    connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1)
		return -1;
	return take_fd(&fd);
}
