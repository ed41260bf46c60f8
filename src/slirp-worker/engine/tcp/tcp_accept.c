/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens flows to the guest for peers of forwards, up to the guest's answer. */
#include <string.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

static bool
is_free(const struct tcp_flow *flow)
{
	return !flow || flow->state == TCP_STATE_TIME_WAIT;
}

bool
tcp_key_is_free(const struct tcp *tcp, const struct flow_key *key)
{
	return is_free(flow_table_find(&tcp->flows, key));
}

static bool
leads_to(const struct tcp_flow *flow, const struct inaddr *guest, uint16_t port)
{
	const struct flow_key *key = &flow->link.key;
	const struct inaddr its_guest = flow_key_guest(key);

	return key->guest_port == port && inaddr_is_equal(&its_guest, guest);
}

/* Ends the oldest half-open flow to this port (NULL: to any), if it is old. */
static void
end_an_old(struct tcp *tcp, const struct inaddr *guest, uint16_t port)
{
	struct tcp_flow *flow;

	TAILQ_FOREACH(flow, &tcp->opening, age_entry)
	{
		if (tcp->now_ms - (uint32_t)flow->opened_at_ms < TCP_OPENING_OLD_MS)
			return;
		if (flow->is_forward && (!guest || leads_to(flow, guest, port))) {
			tcp_end_flow(tcp, flow, TCP_END_gave_way);
			return;
		}
	}
}

bool
tcp_may_accept(struct tcp *tcp, const struct inaddr *guest, uint16_t port)
{
	if (addr_count_get_at(&tcp->by_forwarded, guest, port) == TCP_ACCEPTED_BY_PORT)
		end_an_old(tcp, guest, port);
	if (tcp->n_accepted == TCP_ACCEPTED_MAX)
		end_an_old(tcp, NULL, 0);
	return tcp->n_accepted < TCP_ACCEPTED_MAX &&
	    addr_count_get_at(&tcp->by_forwarded, guest, port) < TCP_ACCEPTED_BY_PORT;
}

struct tcp_flow *
tcp_accepted(struct tcp *tcp, int fd, const struct flow_key *key,
    const uint8_t guest_mac[6], const uint8_t our_mac[6], uint32_t rule)
{
	struct tcp_flow *flow = flow_table_find(&tcp->flows, key);
	bool has_room = is_free(flow);

	if (flow && has_room)
		tcp_end_flow(tcp, flow, TCP_END_closed);
	else if (flow)
		tcp_count(tcp, TCP_COUNT_tuple_taken, 1);
	flow = has_room ? tcp_make_flow(tcp, key, true) : NULL;
	if (!flow) {
		tcp->world->close(tcp->world->ctx, fd, true);
		return NULL;
	}
	flow->state = TCP_STATE_SYN_SENT;
	flow->fd = fd;
	flow->rule = rule;
	memcpy(flow->guest_mac, guest_mac, sizeof(flow->guest_mac));
	memcpy(flow->our_mac, our_mac, sizeof(flow->our_mac));
	flow->piece = tcp_piece_of(tcp, tcp_is_ip6(flow), UINT16_MAX);
	flow->has_sack = true;
	flow->rcv_scale = TCP_OUR_WSCALE;
	tcp_start_sending(tcp, flow);
	tcp_send_syn(tcp, flow);
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, TCP_RTO_FIRST_MS);
	return flow;
}

void
tcp_unreachable(struct tcp *tcp, const struct flow_key *key, uint32_t seq)
{
	struct tcp_flow *flow = tcp_quoted(tcp, key, seq, TCP_STATE_SYN_SENT);

	if (flow)
		tcp_end_flow(tcp, flow, TCP_END_refused_by_guest);
}

void
tcp_in_syn_sent(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	bool acks = segment->flags & WIRE_TCP_ACK_FLAG;

	if (acks && segment->ack != flow->iss + 1) {
		tcp_count(tcp, TCP_COUNT_bad_ack, 1);
		if (segment->flags & WIRE_TCP_RST)
			return;
		/* The guest has these ports in TIME_WAIT with numbers beyond ours. After the
		 * reset it takes the SYN (RFC 1337 does not, Linux does). */
		tcp_send_reset(tcp, &flow->link.key, segment);
		tcp_send_syn(tcp, flow);
		return;
	}
	if (segment->flags & WIRE_TCP_RST) {
		if (acks)
			tcp_end_flow(tcp, flow, TCP_END_refused_by_guest);
		else
			tcp_count(tcp, TCP_COUNT_bad_reset, 1);
		return;
	}
	if (!(segment->flags & WIRE_TCP_SYN)) {
		tcp_count(tcp, TCP_COUNT_bad_flags, 1);
		return;
	}
	tcp_take_options(tcp, flow, segment);
	if (!acks) {
		/* Both ends open at once (RFC 9293 3.5, figure 8). */
		flow->state = TCP_STATE_SYN_RCVD;
		flow->n_backoffs = 0;
		tcp_send_syn(tcp, flow);
		return;
	}
	tcp_established(tcp, flow, segment);
	/* The peer's first data may go with it. */
	tcp_ack_wait(tcp, flow);
}
