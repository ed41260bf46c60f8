/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the sockets of ping flows. */
#include "slirp-worker/engine/ping/ping_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/inaddr.h"
#include "base/log.h"

/* Says once that the host does not let the worker ping. */
static void
tell_if_barred(struct ping *ping, int error)
{
	if ((error != EACCES && error != EPERM) || ping->barred_was_told)
		return;
	ping->barred_was_told = true;
	log_warning("ping: open a ping socket: %s: the guest's echo requests to the "
		    "outside are refused%s",
	    strerror(error),
	    error == EACCES ? "; net.ipv4.ping_group_range has to have the group that "
			      "the worker runs as"
			    : "");
}

static int
bind_outbound(const struct ping *ping, bool is_ip6, int fd)
{
	union inaddr_sock source;

	if (!ping->outbound.has_addr[is_ip6])
		return 0;
	source = inaddr_sock_make(&ping->outbound.addr[is_ip6], 0);
	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

int
ping_socket_open(struct ping *ping, const struct ping_flow *flow)
{
	const int yes = 1;
	bool is_ip6 = ping_is_ip6(flow);
	const struct inaddr host = inaddr_from_bytes(flow->link.key.peer_address, is_ip6);
	const union inaddr_sock dest = inaddr_sock_make(&host, 0);
	autofd int fd = is_ip6
	    ? socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMPV6)
	    : socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

	if (fd == -1) {
		int error = errno;

		tell_if_barred(ping, error);
		errno = error;
		return -1;
	}
	if (is_ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &yes, sizeof(yes));
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &yes, sizeof(yes));
	if (bind_outbound(ping, is_ip6, fd) == -1 ||
	    connect(fd, &dest.any, inaddr_sock_len(&dest.any)) == -1)
		return -1;
	return take_fd(&fd);
}
