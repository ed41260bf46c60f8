/* SPDX-License-Identifier: BSD-2-Clause */
/* Opens flows up to TCP_STATE_OPEN; tcp_accept.c has what only those of forwards need. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "slirp-worker/engine/asks.h"
#include "slirp-worker/engine/tcp/tcp_parts.h"

/* RFC 6528: the clock of initial sequence numbers ticks every 4 us. */
#define ISN_TICK_US 4

/* Distinguishes the hash for initial sequence numbers from the hash of the table: no key
 * of a flow has this protocol. */
#define ISN_PROTOCOL UINT16_MAX

static uint32_t
initial_sequence(const struct tcp *tcp, const struct flow_key *key)
{
	struct flow_key hashed = *key;

	hashed.protocol = ISN_PROTOCOL;
	return (uint32_t)flow_key_hash(&hashed) + (uint32_t)(tcp->now_us / ISN_TICK_US);
}

uint16_t
tcp_piece_of(const struct tcp *tcp, bool is_ip6, uint16_t mss)
{
	uint32_t head_len = tcp_head_len(is_ip6);
	uint32_t piece = mss;

	if (piece == 0)
		piece = is_ip6 ? TCP_PIECE_DEFAULT6 : TCP_PIECE_DEFAULT4;
	piece = tcp_min(piece, tcp->config.mtu_bytes - head_len);
	return (uint16_t)tcp_max(tcp_min(piece, TCP_PIECE_MAX), TCP_PIECE_MIN);
}

void
tcp_take_options(const struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment)
{
	flow->irs = segment->seq;
	flow->rcv_nxt = flow->rcv_adv = segment->seq + 1;
	flow->piece = tcp_piece_of(tcp, segment->is_ip6, segment->mss);
	flow->has_sack = segment->sack_ok;
	flow->snd_scale = segment->has_wscale ? segment->wscale : 0;
	flow->rcv_scale = segment->has_wscale ? TCP_OUR_WSCALE : 0;
	flow->snd_wnd = flow->max_wnd = segment->window;
	flow->snd_wl1 = segment->seq;
	tcp_big_begin(tcp, flow, segment);
	memcpy(flow->guest_mac, segment->src_mac, sizeof(flow->guest_mac));
	memcpy(flow->our_mac, segment->dst_mac, sizeof(flow->our_mac));
}

void
tcp_start_sending(const struct tcp *tcp, struct tcp_flow *flow)
{
	flow->iss = initial_sequence(tcp, &flow->link.key);
	flow->snd_una = flow->snd_nxt = flow->snd_max = flow->iss;
}

static bool
has_addresses(const struct flow_key *key, const struct inaddr *guest,
    const struct inaddr *peer)
{
	const struct inaddr its_guest = flow_key_guest(key);
	const struct inaddr its_peer = flow_key_peer(key);

	return (!guest || inaddr_is_equal(&its_guest, guest)) &&
	    (!peer || inaddr_is_equal(&its_peer, peer));
}

/* Ends the guest's oldest half-open flow of these addresses (NULL: of any), if it is old: its peer
 * is a black hole, and must not keep a guest from others for two minutes. */
static void
end_an_old(struct tcp *tcp, const struct inaddr *guest, const struct inaddr *peer)
{
	struct tcp_flow *flow;

	TAILQ_FOREACH(flow, &tcp->opening, age_entry)
	{
		if (tcp->now_ms - (uint32_t)flow->opened_at_ms < TCP_OPENING_OLD_MS)
			return;
		if (!flow->is_forward && has_addresses(&flow->link.key, guest, peer)) {
			tcp_end_flow(tcp, flow, TCP_END_gave_way);
			return;
		}
	}
}

/* Room for one more half-open flow, within the limits. A forward's has limits of its own:
 * peers of forwards must not keep the guest from the host's network. */
static bool
count_opening(struct tcp *tcp, const struct flow_key *key, bool is_forward)
{
	const struct inaddr guest = flow_key_guest(key);
	const struct inaddr peer = flow_key_peer(key);

	if (is_forward)
		return tcp_may_accept(tcp, &guest, key->guest_port) &&
		    addr_count_add_at(&tcp->by_forwarded, &guest, key->guest_port);
	if (addr_count_get(&tcp->by_peer, &peer) == TCP_OPENING_BY_PEER)
		end_an_old(tcp, NULL, &peer);
	if (addr_count_get(&tcp->by_guest, &guest) == TCP_OPENING_BY_GUEST)
		end_an_old(tcp, &guest, NULL);
	if (tcp->n_opening == TCP_OPENING_MAX)
		end_an_old(tcp, NULL, NULL);
	if (tcp->n_opening == TCP_OPENING_MAX)
		return false;
	if (!addr_count_add(&tcp->by_guest, &guest))
		return false;
	if (addr_count_add(&tcp->by_peer, &peer))
		return true;
	addr_count_remove(&tcp->by_guest, &guest);
	return false;
}

struct tcp_flow *
tcp_make_flow(struct tcp *tcp, const struct flow_key *key, bool is_forward)
{
	struct tcp_flow *flow;

	if (!count_opening(tcp, key, is_forward)) {
		tcp_count(tcp, TCP_COUNT_syn_dropped, 1);
		return NULL;
	}
	flow = flow_table_add(&tcp->flows, key);
	if (!flow) {
		tcp_uncount_opening(tcp, key, is_forward);
		tcp_count(tcp, TCP_COUNT_flows_full, 1);
		return NULL;
	}
	tcp_shorten_time_wait(tcp);
	flow->fd = -1;
	flow->is_forward = is_forward;
	flow->is_counted = flow->is_ageing = true;
	TAILQ_INSERT_TAIL(&tcp->opening, flow, age_entry);
	++*tcp_opening_counter(tcp, flow);
	flow->opened_at_ms = tcp->now_us / TCP_US_PER_MS;
	flow->progress_at_us = tcp->now_us;
	flow->want_wnd = tcp_max(TCP_WINDOW_START, tcp_window_min(tcp, flow));
	flow->ssthresh = TCP_CWND_MAX;
	flow->reordering = TCP_DUPACKS;
	flow->challenge_at_ms = flow->idle_at_ms = tcp->now_ms;
	tcp_probe_if_nearly_full(tcp);
	return flow;
}

void
tcp_open_from_guest(struct tcp *tcp, const struct flow_key *key,
    const struct tcp_segment *segment)
{
	struct tcp_flow *flow = tcp_make_flow(tcp, key, false);

	/* The guest tries again: an answer would tell a flood that it works. */
	if (!flow)
		return;
	flow->state = TCP_STATE_CONNECT;
	tcp_take_options(tcp, flow, segment);
	tcp_start_sending(tcp, flow);
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, TCP_CONNECT_MAX_MS);
	tcp->world->open(tcp->world->ctx, flow);
}

void
tcp_opened(struct tcp *tcp, uint32_t index, uint32_t generation, int fd)
{
	struct tcp_flow *flow = flow_table_at(&tcp->flows, index, generation);

	if (!flow || flow->state != TCP_STATE_CONNECT || flow->fd != -1) {
		tcp->world->close(tcp->world->ctx, fd, true);
		return;
	}
	flow->fd = fd;
}

/* A SYN that gets a reset must see itself acknowledged (RFC 9293 3.10.7.3). */
static void
refuse(struct tcp *tcp, struct tcp_flow *flow)
{
	struct tcp_frame frame = {
		.key = &flow->link.key,
		.guest_mac = flow->guest_mac,
		.our_mac = flow->our_mac,
		.ack = flow->irs + 1,
		.flags = WIRE_TCP_RST | WIRE_TCP_ACK_FLAG,
	};

	tcp->world->emit(tcp->world->ctx, &frame);
}

enum tcp_outcome
tcp_outcome_of(int error)
{
	switch (-error) {
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return TCP_HOST_UNREACHABLE;
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL:
	case EINVAL:
		return TCP_NET_UNREACHABLE;
	case EACCES:
	case EPERM:
		return TCP_PROHIBITED;
	case ETIMEDOUT:
		return TCP_TIMED_OUT;
	default:
		return asks_is_shortage(-error) ? TCP_SHORTAGE : TCP_REFUSED;
	}
}

void
tcp_refused(struct tcp *tcp, uint32_t index, uint32_t generation,
    enum tcp_outcome outcome)
{
	static const enum tcp_end ends[] = {
		[TCP_REFUSED] = TCP_END_refused,
		[TCP_HOST_UNREACHABLE] = TCP_END_unreachable,
		[TCP_NET_UNREACHABLE] = TCP_END_unreachable,
		[TCP_PROHIBITED] = TCP_END_prohibited,
		[TCP_TIMED_OUT] = TCP_END_timed_out,
		[TCP_SHORTAGE] = TCP_END_shortage,
		[TCP_IGNORED] = TCP_END_shortage,
	};
	struct tcp_flow *flow = flow_table_at(&tcp->flows, index, generation);

	if (!flow || flow->state != TCP_STATE_CONNECT)
		return;
	switch (outcome) {
	case TCP_SHORTAGE:
	case TCP_REFUSED:
		refuse(tcp, flow);
		break;
	case TCP_HOST_UNREACHABLE:
	case TCP_NET_UNREACHABLE:
	case TCP_PROHIBITED:
		tcp->world->unreachable(tcp->world->ctx, flow, outcome);
		break;
	case TCP_TIMED_OUT:
	case TCP_IGNORED:
		break;
	}
	tcp_end_flow(tcp, flow, ends[outcome]);
}

void
tcp_host_connected(struct tcp *tcp, struct tcp_flow *flow, uint32_t events)
{
	int error = 0;

	/* A socket that has failed has both of these (net/ipv4/tcp.c, tcp_poll). */
	if (events & (EPOLLERR | EPOLLHUP))
		error = tcp->world->error(tcp->world->ctx, flow->fd);
	if (error) {
		tcp_refused(tcp, flow_table_index(&tcp->flows, flow),
		    flow->link.generation, tcp_outcome_of(error));
		return;
	}
	flow->state = TCP_STATE_SYN_RCVD;
	tcp_send_syn(tcp, flow);
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, TCP_RTO_FIRST_MS);
}

/* 1, 2, 4, 8, 16 s; then the peer's connection is reset. While the host connects, the guest
 * has heard nothing, and hears nothing now: its own timer ends at the same time. */
void
tcp_opening_timeout(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->state == TCP_STATE_CONNECT) {
		tcp_end_flow(tcp, flow, TCP_END_timed_out);
		return;
	}
	if (flow->n_backoffs + 1 == TCP_SYN_BACKOFFS_MAX) {
		tcp_end_flow(tcp, flow, TCP_END_no_answer);
		return;
	}
	if (!tcp->tap_stopped)
		tcp_send_syn(tcp, flow);
	/* The guest's interface is down: this was not a try. */
	if (tcp->tap_stopped) {
		tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, TCP_RTO_FIRST_MS);
		return;
	}
	flow->n_backoffs++;
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT,
	    TCP_RTO_FIRST_MS << flow->n_backoffs);
}

void
tcp_established(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	tcp_not_opening(tcp, flow);
	flow->state = TCP_STATE_OPEN;
	tcp_set_send_timer(tcp, flow, TCP_NO_TIMER, 0);
	/* The SYN and its acknowledgement. */
	tcp_acked(tcp, flow, flow->iss + 1);
	flow->snd_nxt = flow->snd_max = flow->snd_una;
	flow->snd_wl1 = segment->seq;
	flow->snd_wl2 = segment->ack;
	/* RFC 7323 2.2: the window of a SYN is not scaled. */
	flow->snd_wnd = (uint32_t)segment->window
	    << (segment->flags & WIRE_TCP_SYN ? 0 : flow->snd_scale);
	flow->max_wnd = tcp_max(flow->max_wnd, flow->snd_wnd);
	flow->cwnd =
	    tcp_max(TCP_CWND_START, (uint32_t)TCP_CWND_START_PIECES * flow->piece);
	/* A peer of a forward may have sent before the edges of its socket were watched. */
	if (flow->is_forward)
		flow->can_read = flow->can_write = true;
	tcp_heard(tcp, flow);
	tcp_make_ready(tcp, flow);
}

static void
in_connect(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	if (segment->flags & WIRE_TCP_RST) {
		if (segment->seq == flow->irs || segment->seq == flow->irs + 1)
			tcp_end_flow(tcp, flow, TCP_END_reset_by_guest);
		else
			tcp_count(tcp, TCP_COUNT_bad_reset, 1);
		return;
	}
	if ((segment->flags & (WIRE_TCP_SYN | WIRE_TCP_ACK_FLAG)) != WIRE_TCP_SYN) {
		tcp_count(tcp,
		    segment->flags & WIRE_TCP_ACK_FLAG ? TCP_COUNT_bad_ack
						       : TCP_COUNT_bad_flags,
		    1);
		tcp_send_reset(tcp, &flow->link.key, segment);
		return;
	}
	/* The same SYN again changes nothing. Another one: the guest has started over. */
	if (segment->seq != flow->irs)
		tcp_take_options(tcp, flow, segment);
}

/* A reset in SYN_RCVD must be exact (RFC 5961 3.2). */
static void
reset_in_syn_rcvd(struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment)
{
	if (segment->seq == flow->rcv_nxt) {
		tcp_end_flow(tcp, flow, TCP_END_reset_by_guest);
		return;
	}
	tcp_count(tcp, TCP_COUNT_bad_reset, 1);
	if (seq_gt(segment->seq, flow->rcv_nxt) && seq_lt(segment->seq, flow->rcv_adv) &&
	    tcp_may_challenge(tcp, flow)) {
		tcp_count(tcp, TCP_COUNT_challenges, 1);
		tcp_send_ack(tcp, flow);
	}
}

/* Whether the segment has opened the flow: its data and FIN are still to be taken. */
static bool
in_syn_rcvd(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	if (segment->flags & WIRE_TCP_RST) {
		reset_in_syn_rcvd(tcp, flow, segment);
		return false;
	}
	if (segment->flags & WIRE_TCP_SYN) {
		if (segment->seq == flow->irs)
			tcp_send_syn(tcp, flow);
		else if (tcp_may_challenge(tcp, flow)) {
			tcp_count(tcp, TCP_COUNT_challenges, 1);
			tcp_send_ack(tcp, flow);
		}
		/* The guest's part of a simultaneous open acknowledges our SYN. */
		if (!flow->is_forward || segment->seq != flow->irs)
			return false;
	}
	if (!(segment->flags & WIRE_TCP_ACK_FLAG)) {
		/* The guest's SYN of a simultaneous open may come again. */
		if (!(segment->flags & WIRE_TCP_SYN))
			tcp_count(tcp, TCP_COUNT_bad_flags, 1);
		return false;
	}
	if (segment->ack != flow->iss + 1) {
		tcp_count(tcp, TCP_COUNT_bad_ack, 1);
		tcp_send_reset(tcp, &flow->link.key, segment);
		return false;
	}
	if (!(segment->flags & WIRE_TCP_SYN) &&
	    (seq_lt(segment->seq, flow->rcv_nxt) ||
		seq_gt(segment->seq, flow->rcv_adv))) {
		tcp_count(tcp, TCP_COUNT_outside_window, 1);
		if (tcp_may_challenge(tcp, flow))
			tcp_send_ack(tcp, flow);
		return false;
	}
	tcp_established(tcp, flow, segment);
	return true;
}

static void
in_time_wait(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	if (segment->flags & WIRE_TCP_RST) {
		if (segment->seq == flow->rcv_nxt)
			tcp_end_flow(tcp, flow, TCP_END_closed);
		else
			tcp_count(tcp, TCP_COUNT_bad_reset, 1);
		return;
	}
	/* RFC 9293 3.10.7.4, RFC 6191: numbers beyond the old ones begin a new connection. */
	if ((segment->flags & (WIRE_TCP_SYN | WIRE_TCP_ACK_FLAG)) == WIRE_TCP_SYN &&
	    seq_gt(segment->seq, flow->rcv_nxt)) {
		struct flow_key key = flow->link.key;

		tcp_end_flow(tcp, flow, TCP_END_closed);
		tcp_open_from_guest(tcp, &key, segment);
		return;
	}
	/* Both ends are done: there is no window any more. */
	if ((segment->flags & (WIRE_TCP_SYN | WIRE_TCP_FIN)) || segment->data_len > 0) {
		tcp_count(tcp, TCP_COUNT_outside_window, 1);
		if (tcp_may_challenge(tcp, flow))
			tcp_send_ack(tcp, flow);
	} else if (segment->seq != flow->rcv_nxt) {
		tcp_count(tcp, TCP_COUNT_outside_window, 1);
	}
}

bool
tcp_in_opening(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	switch (flow->state) {
	case TCP_STATE_CONNECT:
		in_connect(tcp, flow, segment);
		return false;
	case TCP_STATE_SYN_RCVD:
		return in_syn_rcvd(tcp, flow, segment);
	case TCP_STATE_SYN_SENT:
		tcp_in_syn_sent(tcp, flow, segment);
		return false;
	case TCP_STATE_TIME_WAIT:
		in_time_wait(tcp, flow, segment);
		return false;
	default:
		return true;
	}
}
