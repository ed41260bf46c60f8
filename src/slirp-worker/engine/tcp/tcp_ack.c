/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides when an acknowledgement goes to the guest.
 *
 * Theory of operation. An acknowledgement is a frame of its own, unless it goes with data.
 * The answer to a request often comes within microseconds, and so does the end of a peer
 * after the guest's. The acknowledgement of a lone request or FIN therefore waits until the
 * worker is about to sleep, which is after the time that its wait looks for events
 * (poller.h). If the worker has no time to sleep, the wait ends at TCP_ACK_WAIT_US.
 *
 * No timer is needed, and nobody waits for milliseconds. A guest with Nagle's algorithm
 * keeps a second short segment back until the first is acknowledged (RFC 9293 3.7.4), while
 * the host may wait for that second segment.
 */
#include "slirp-worker/engine/tcp/tcp_parts.h"

/* The guest may be near the edge of its window: do not let it wait. */
static bool
is_window_short(const struct tcp_flow *flow)
{
	return flow->owes_update ||
	    flow->rcv_adv - flow->rcv_nxt < tcp_min(flow->want_wnd / 2, TCP_WINDOW_MIN);
}

/* RFC 9293 3.8.6.3: every second full segment is acknowledged; here every second one. */
static bool
may_wait(const struct tcp_flow *flow)
{
	return flow->n_turn_segments + flow->ack_waits <= 1 && !flow->gaps &&
	    flow->tail.n_bytes == 0 && !is_window_short(flow);
}

void
tcp_ack_wait(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->ack_waits)
		return;
	flow->ack_waits = true;
	flow->ack_since_us = tcp->now_us;
	TAILQ_INSERT_TAIL(&tcp->waiting_acks, flow, ack_entry);
}

void
tcp_ack_forget(struct tcp *tcp, struct tcp_flow *flow)
{
	flow->ack_now = false;
	if (flow->ack_waits)
		TAILQ_REMOVE(&tcp->waiting_acks, flow, ack_entry);
	flow->ack_waits = false;
}

void
tcp_acknowledge(struct tcp *tcp, struct tcp_flow *flow)
{
	bool is_owed = flow->rcv_nxt != flow->last_ack_sent;
	bool waits = may_wait(flow);

	flow->n_turn_segments = 0;
	if (flow->ack_now || (is_owed && !waits))
		tcp_send_ack(tcp, flow);
	else if (is_owed)
		tcp_ack_wait(tcp, flow);
}

/* If the guest's interface refuses the frame, ack_now stays. */
static void
send_first(struct tcp *tcp)
{
	struct tcp_flow *flow = TAILQ_FIRST(&tcp->waiting_acks);

	tcp_ack_forget(tcp, flow);
	tcp_send_ack(tcp, flow);
}

void
tcp_send_late_acks(struct tcp *tcp)
{
	const struct tcp_flow *flow;

	while ((flow = TAILQ_FIRST(&tcp->waiting_acks)) &&
	    tcp->now_us - flow->ack_since_us >= TCP_ACK_WAIT_US)
		send_first(tcp);
}

bool
tcp_before_sleep(struct tcp *tcp)
{
	bool has_sent = !TAILQ_EMPTY(&tcp->waiting_acks);

	while (!TAILQ_EMPTY(&tcp->waiting_acks))
		send_first(tcp);
	return has_sent;
}
