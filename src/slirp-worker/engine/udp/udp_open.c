/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes and closes the sockets of UDP flows. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "slirp-worker/engine/outward.h"

void
udp_set_option(int fd, int level, int name, int value)
{
	/* Cannot fail on a UDP socket of the family. */
	setsockopt(fd, level, name, &value, sizeof(value));
}

void
udp_ask_for_details(int fd, bool is_ip6)
{
	if (is_ip6) {
		udp_set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
		udp_set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	} else {
		udp_set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		udp_set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
	}
}

void
udp_ask_for_own_address(int fd, bool is_ip6)
{
	if (is_ip6)
		udp_set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	else
		udp_set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

void
udp_keep_groups_off_the_host(const struct udp_host *host, int fd, bool is_ip6)
{
	if (host->network.allow_host_loopback)
		return;
	if (is_ip6)
		udp_set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0);
	else
		udp_set_option(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
}

static int
bind_to(int fd, const struct inaddr *addr, uint16_t port)
{
	const union inaddr_sock source = inaddr_sock_make(addr, port);

	return bind(fd, &source.any, inaddr_sock_len(&source.any));
}

/* Binds to the outbound address, if there is one, and the port of the end, if it has one.
 * Returns 0, or -1 with errno set. */
static int
bind_source(const struct udp_host *host, const struct udp_flow *flow, int fd,
    uint16_t host_port)
{
	bool is_ip6 = udp_socket_is_ip6(flow);
	struct inaddr addr = { .is_ipv6 = is_ip6 };

	if (flow->port != 0) {
		udp_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		return bind(fd, &flow->own.any, inaddr_sock_len(&flow->own.any));
	}
	if (host->outbound.has_addr[is_ip6])
		addr = host->outbound.addr[is_ip6];
	else if (host_port == 0 && !flow->is_group)
		return 0; /* connect(2) chooses */
	if (host_port == 0)
		return bind_to(fd, &addr, 0);
	/* Several sockets of the same user have one port (socket(7)); each is connected to
	 * another peer. */
	udp_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (bind_to(fd, &addr, host_port) == 0)
		return 0;
	if (errno != EADDRINUSE)
		return -1;
	/* Another program has it at this address. */
	udp_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 0);
	return bind_to(fd, &addr, 0);
}

/* The source port of a socket; 0 with errno set. */
static uint16_t
find_port(int fd)
{
	union inaddr_sock own = { 0 };
	socklen_t len = sizeof(own);

	return getsockname(fd, &own.any, &len) == -1 ? 0 : inaddr_sock_port(&own);
}

/* A socket that leads to flow->to; -1 with errno set. *host_port is the wanted source port,
 * 0 for any, and becomes the one that it has. */
static int
make_socket(const struct udp_host *host, const struct udp_flow *flow, uint16_t *host_port)
{
	bool is_ip6 = udp_socket_is_ip6(flow);
	autofd int fd = socket(flow->to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	/* The IPv4 socket of the same port is another one's. */
	if (is_ip6)
		udp_set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind_source(host, flow, fd, *host_port) == -1)
		return -1;
	udp_ask_for_details(fd, is_ip6);
	if (is_ip6)
		udp_set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
	else
		udp_set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
	if (flow->is_group) {
		udp_ask_for_own_address(fd, is_ip6);
		udp_keep_groups_off_the_host(host, fd, is_ip6);
	} else if (connect(fd, &flow->to.any, inaddr_sock_len(&flow->to.any)) == -1) {
		return -1;
	}
	if (*host_port == 0 && flow->port == 0) {
		*host_port = find_port(fd);
		/* From now on others may have the port too. If the option were set
		 * before, the kernel could choose a port that another end has. */
		udp_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	}
	return take_fd(&fd);
}

void
udp_open_socket(void *ctx, struct udp_flow *flow, uint16_t host_port)
{
	struct udp_host *host = ctx;
	uint32_t index = flow_table_index(&host->udp.flows, flow);
	uint32_t generation = flow->link.generation;
	autofd int fd = -1;

	flow->set = (struct udp_fate){ 0 };
	/* A guest's server that has a forward answers from its port, also if it speaks
	 * first. */
	if (flow->port == 0 && host_port == 0)
		host_port = udp_port_of_guest(&host->ports, &flow->link.key);
	if (flow->port == 0 &&
	    !outward_find(&host->network, &host->nameservers, &flow->link.key,
		&flow->to)) {
		udp_refused(&host->udp, index, generation,
		    outward_is_nameserver(&host->network, &flow->link.key) ? ECONNREFUSED
									   : ENETUNREACH);
		return;
	}
	fd = make_socket(host, flow, &host_port);
	if (fd == -1 ||
	    poller_add_reader(host->poller, fd, POLLER_UDP, index, generation) == -1) {
		udp_refused(&host->udp, index, generation, errno);
		return;
	}
	if (udp_opened(&host->udp, index, generation, fd, host_port) != NULL)
		take_fd(&fd);
}

void
udp_close_socket(void *ctx, struct udp_flow *flow)
{
	(void)ctx;
	close(take_fd(&flow->fd));
}
