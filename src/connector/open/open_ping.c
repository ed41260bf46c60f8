/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the sockets of echo requests. */
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "connector/open/open.h"

int
open_ping(const union inaddr_sock *to, const struct ipc_outbound *outbound)
{
	bool is_ipv6 = to->any.sa_family == AF_INET6;
	autofd int fd = is_ipv6
	    ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6)
	    : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd == -1)
		return -1;
	open_report_errors(fd, is_ipv6);
	if (open_bind_outbound(fd, outbound, is_ipv6) == -1 ||
	    connect(fd, &to->any, inaddr_sock_len(&to->any)) == -1)
		return -1;
	return take_fd(&fd);
}
