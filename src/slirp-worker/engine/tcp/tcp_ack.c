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
 * A guest with Nagle's algorithm keeps a second short segment back until the first is
 * acknowledged (RFC 9293 3.7.4), while the host may wait for that second segment. So nobody
 * waits longer, with one exception: a flow in which lone requests and quick answers have
 * alternated, where nothing but an answer follows a request. Its acknowledgement waits over
 * a sleep for as long as an answer may take. One that is late ends that.
 */
#include "slirp-worker/engine/tcp/tcp_parts.h"

static struct tcp_flows *
list_of(struct tcp *tcp, const struct tcp_flow *flow)
{
	return flow->ack_sleeps ? &tcp->exchange_acks : &tcp->waiting_acks;
}

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
	/* Not the request of an exchange: the one before it has no answer yet. */
	if (flow->has_asked)
		flow->n_exchanges = 0;
	flow->has_asked = flow->ack_waits = true;
	flow->ack_sleeps = flow->n_exchanges == TCP_EXCHANGES_MIN && !flow->guest_fin;
	flow->ack_since_us = tcp->now_us;
	TAILQ_INSERT_TAIL(list_of(tcp, flow), flow, ack_entry);
}

void
tcp_ack_forget(struct tcp *tcp, struct tcp_flow *flow)
{
	flow->ack_now = false;
	if (flow->ack_waits)
		TAILQ_REMOVE(list_of(tcp, flow), flow, ack_entry);
	flow->ack_waits = false;
}

void
tcp_ack_answered(const struct tcp *tcp, struct tcp_flow *flow)
{
	if (!flow->has_asked)
		return;
	flow->has_asked = false;
	if (tcp->now_us - flow->ack_since_us > TCP_EXCHANGE_US)
		flow->n_exchanges = 0;
	else if (flow->n_exchanges < TCP_EXCHANGES_MIN)
		flow->n_exchanges++;
}

void
tcp_acknowledge(struct tcp *tcp, struct tcp_flow *flow)
{
	bool is_owed = flow->rcv_nxt != flow->last_ack_sent;
	bool waits = may_wait(flow);

	flow->n_turn_segments = 0;
	if (is_owed && !waits)
		flow->n_exchanges = 0;
	if (flow->ack_now || (is_owed && !waits))
		tcp_send_ack(tcp, flow);
	else if (is_owed)
		tcp_ack_wait(tcp, flow);
}

/* Sends the acknowledgements of a list that have waited for so long. If the guest's
 * interface refuses a frame, ack_now stays. */
static void
send_late(struct tcp *tcp, const struct tcp_flows *list, uint64_t wait_us)
{
	struct tcp_flow *flow;

	while (
	    (flow = TAILQ_FIRST(list)) && tcp->now_us - flow->ack_since_us >= wait_us) {
		if (flow->ack_sleeps)
			flow->n_exchanges = 0;
		tcp_ack_forget(tcp, flow);
		tcp_send_ack(tcp, flow);
	}
}

void
tcp_send_late_acks(struct tcp *tcp)
{
	send_late(tcp, &tcp->waiting_acks, TCP_ACK_WAIT_US);
	send_late(tcp, &tcp->exchange_acks, TCP_EXCHANGE_US);
}

bool
tcp_before_sleep(struct tcp *tcp)
{
	bool has_sent = !TAILQ_EMPTY(&tcp->waiting_acks);

	send_late(tcp, &tcp->waiting_acks, 0);
	return has_sent;
}

uint32_t
tcp_ack_wait_ms(const struct tcp *tcp)
{
	const struct tcp_flow *flow = TAILQ_FIRST(&tcp->exchange_acks);
	uint64_t waited_us;

	if (!flow)
		return UINT32_MAX;
	waited_us = tcp->now_us - flow->ack_since_us;
	if (waited_us >= TCP_EXCHANGE_US)
		return 0;
	return (
	    uint32_t)((TCP_EXCHANGE_US - waited_us + TCP_US_PER_MS - 1) / TCP_US_PER_MS);
}
