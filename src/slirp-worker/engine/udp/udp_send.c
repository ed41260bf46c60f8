/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends the guest's datagrams on the sockets of UDP flows. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Makes the socket's headers those that the guest wants; most flows never change them. */
static void
set_fate(struct udp_flow *flow, const struct udp_fate *fate)
{
	bool is_ip6 = udp_socket_is_ip6(flow);

	if (flow->set.ttl != fate->ttl && is_ip6)
		udp_set_option(flow->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, fate->ttl);
	else if (flow->set.ttl != fate->ttl)
		udp_set_option(flow->fd, IPPROTO_IP, IP_TTL, fate->ttl);
	if (flow->set.tos != fate->tos && is_ip6)
		udp_set_option(flow->fd, IPPROTO_IPV6, IPV6_TCLASS, fate->tos);
	else if (flow->set.tos != fate->tos)
		udp_set_option(flow->fd, IPPROTO_IP, IP_TOS, fate->tos);
	/* With Don't Fragment, a guest whose interface has a large MTU still sends longer
	 * datagrams than the host's network takes: Linux sets it on each that fits its own
	 * interface. So the kernel cuts these, and sets it on others (ip(7),
	 * IP_PMTUDISC_WANT, the default). */
	if (!is_ip6 && flow->set.may_fragment != fate->may_fragment)
		udp_set_option(flow->fd, IPPROTO_IP, IP_MTU_DISCOVER,
		    fate->may_fragment ? IP_PMTUDISC_DONT : IP_PMTUDISC_WANT);
	flow->set = *fate;
}

static int
try_send(const struct udp_flow *flow, const struct udp_datagram *datagram)
{
	const struct sockaddr *to = flow->is_group ? &flow->to.any : NULL;

	return sendto(flow->fd, datagram->data, datagram->len,
		   MSG_DONTWAIT | MSG_NOSIGNAL, to, to ? inaddr_sock_len(to) : 0) == -1
	    ? -errno
	    : 0;
}

/* Whether the datagram alone is lost: a full buffer, an error of an earlier datagram. */
static bool
is_loss(int error)
{
	switch (-error) {
	case EAGAIN:
	case ENOBUFS:
	case ENOMEM:
	case EMSGSIZE:
	case ECONNREFUSED:
		return true;
	default:
		return false;
	}
}

int
udp_send(void *ctx, struct udp_flow *flow, const struct udp_datagram *datagram)
{
	struct udp_host *host = ctx;
	int error;

	set_fate(flow, &datagram->fate);
	error = try_send(flow, datagram);
	if (error == 0 || error == -EAGAIN)
		return error;
	/* The error may belong to an earlier datagram. */
	udp_take_errors(host, flow);
	error = try_send(flow, datagram);
	return is_loss(error) ? -EAGAIN : error;
}
