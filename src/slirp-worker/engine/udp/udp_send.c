/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends the guest's datagrams on the sockets of UDP flows. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

/* Makes the socket's headers those that the guest wants; most flows never change them. */
static void
set_fate(struct udp_flow *flow, const struct hold_fate *fate)
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
	discovery_set(&flow->discovery, flow->fd, is_ip6, fate->may_fragment);
	flow->set = *fate;
}

/* The bytes of the run's front that one call can send. */
static size_t
front_len(const struct udp_flow *flow, const struct udp_run *run, bool can_cut)
{
	size_t n = run->piece_len;

	if (can_cut && n <= flow->cut_max && !flow->is_group)
		n *= udp_run_pieces_max(run);
	return n < run->len ? n : run->len;
}

/* Has the kernel cut what is longer than len into datagrams of len bytes; 0: nothing. An
 * option of the socket, because only a call that can also pass descriptors, which the filter
 * bars, could say it for each run. */
static void
set_cut(struct udp_flow *flow, size_t len)
{
	if (flow->cut_len == len)
		return;
	udp_set_option(flow->fd, SOL_UDP, UDP_SEGMENT, (int)len);
	flow->cut_len = (uint16_t)len;
}

/* Returns 0 or an errno. The kernel sends all of it or nothing. */
static int
send_front(struct udp_flow *flow, const struct udp_run *run, size_t len)
{
	static uint8_t copy[UDP_RUN_CALL_MAX];

	if (len > run->piece_len)
		set_cut(flow, run->piece_len);
	else if (len > flow->cut_len)
		set_cut(flow, 0);
	return send(flow->fd, udp_run_front(run, len, copy), len,
		   MSG_DONTWAIT | MSG_NOSIGNAL) == -1
	    ? errno
	    : 0;
}

/* Whether the datagrams alone are lost: a full buffer, an error of an earlier datagram. */
static bool
is_loss(int error)
{
	switch (error) {
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

/* Whether a run that the kernel should cut has met a full queue, which may have taken some
 * of its datagrams: to send it again could send these twice. */
static bool
is_full(int error)
{
	return error == EAGAIN || error == ENOBUFS || error == ENOMEM;
}

/* Whether the kernel does not cut what has datagrams of this length: they are longer than
 * the way takes (EMSGSIZE, EINVAL), or the device can't sum them (EIO; net/ipv4/udp.c,
 * udp_send_skb). */
static bool
is_uncut(int error)
{
	return error == EMSGSIZE || error == EINVAL || error == EIO;
}

int
udp_send(void *ctx, struct udp_flow *flow, struct udp_run *run)
{
	struct udp_host *host = ctx;
	bool can_cut = host->can_cut;

	set_fate(flow, &run->fate);
	while (!udp_run_is_empty(run)) {
		size_t len = front_len(flow, run, can_cut);
		bool is_cut = len > run->piece_len;
		int error = send_front(flow, run, len);

		if (error != 0 && error != EAGAIN && !(is_cut && is_full(error))) {
			/* The error may belong to an earlier datagram. */
			udp_take_errors(host, flow);
			/* A way that became too narrow for the cut refuses any length. */
			if (!is_cut)
				set_cut(flow, 0);
			set_fate(flow, &run->fate);
			error = send_front(flow, run, len);
		}
		if (is_cut && error != 0 && !is_full(error)) {
			/* Each by itself: an error is then that of one datagram. */
			can_cut = false;
			set_cut(flow, 0);
			if (is_uncut(error))
				flow->cut_max = (uint16_t)(run->piece_len - 1);
			continue;
		}
		if (error != 0 && !is_loss(error))
			return -error;
		if (error == 0)
			flow->bytes_out += len;
		else if (error == EMSGSIZE)
			udp_too_big(host, flow, run);
		udp_run_drop(run, len);
	}
	return 0;
}
