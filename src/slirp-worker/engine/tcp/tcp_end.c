/* SPDX-License-Identifier: BSD-2-Clause */
/* Ends flows: every way out of the table goes through tcp_end_flow(). */
#include "slirp-worker/engine/tcp/tcp_parts.h"

static struct tcp_flows *
age_list(struct tcp *tcp, const struct tcp_flow *flow)
{
	return flow->state == TCP_STATE_TIME_WAIT ? &tcp->time_wait : &tcp->opening;
}

static void
leave_age_list(struct tcp *tcp, struct tcp_flow *flow)
{
	if (!flow->is_ageing)
		return;
	TAILQ_REMOVE(age_list(tcp, flow), flow, age_entry);
	flow->is_ageing = false;
	if (flow->state == TCP_STATE_TIME_WAIT)
		tcp->n_time_wait--;
	else
		--*tcp_opening_counter(tcp, flow);
}

void
tcp_uncount_opening(struct tcp *tcp, const struct flow_key *key, bool is_forward)
{
	const struct inaddr guest = flow_key_guest(key);
	const struct inaddr peer = flow_key_peer(key);

	if (is_forward) {
		addr_count_remove_at(&tcp->by_forwarded, &guest, key->guest_port);
		return;
	}
	addr_count_remove(&tcp->by_guest, &guest);
	addr_count_remove(&tcp->by_peer, &peer);
}

void
tcp_not_opening(struct tcp *tcp, struct tcp_flow *flow)
{
	leave_age_list(tcp, flow);
	if (!flow->is_counted)
		return;
	flow->is_counted = false;
	tcp_uncount_opening(tcp, &flow->link.key, flow->is_forward);
}

/* Gives up what only an open flow needs; the socket goes with it. */
static void
release(struct tcp *tcp, struct tcp_flow *flow, bool is_reset)
{
	if (flow->fd != -1)
		tcp->world->close(tcp->world->ctx, flow->fd, is_reset);
	flow->fd = -1;
	tcp_not_opening(tcp, flow);
	tcp_unready(tcp, flow);
	if (flow->is_touched)
		TAILQ_REMOVE(&tcp->touched, flow, turn_entry);
	flow->is_touched = false;
	for (size_t i = 0; flow->n_noted > 0 && i < tcp->n_noted; i++)
		if (tcp->noted[i].flow == flow)
			tcp->noted[i].flow = NULL;
	flow->n_noted = 0;
	tcp_queue_clear(&tcp->pool, &flow->kept);
	tcp_queue_clear(&tcp->pool, &flow->tail);
	if (flow->gaps) {
		for (int i = 0; i < flow->gaps->n_ranges; i++)
			tcp_queue_clear(&tcp->pool, &flow->gaps->range[i].data);
		flow->gaps->n_ranges = flow->gaps->n_sacked = 0;
	}
	tcp_gaps_put(tcp, flow);
	flow->send_timer = TCP_NO_TIMER;
	tcp_ack_forget(tcp, flow);
	tcp_wheel_cancel(&tcp->wheel, &flow->timer);
}

void
tcp_end_flow(struct tcp *tcp, struct tcp_flow *flow, enum tcp_end end)
{
	if (flow->state == TCP_STATE_DEAD)
		return;
	release(tcp, flow, end != TCP_END_closed);
	flow->state = TCP_STATE_DEAD;
	flow->end = (uint8_t)end;
	tcp->ends[end]++;
	flow_table_remove(&tcp->flows, flow);
}

void
tcp_abort(struct tcp *tcp, struct tcp_flow *flow, enum tcp_end end)
{
	if (flow->state != TCP_STATE_CONNECT && flow->state != TCP_STATE_TIME_WAIT &&
	    flow->state != TCP_STATE_DEAD) {
		/* A SYN that has no answer yet is not acknowledged by a reset. */
		uint8_t ack = flow->state == TCP_STATE_SYN_SENT ? 0 : WIRE_TCP_ACK_FLAG;

		tcp_send_empty(tcp, flow, tcp_empty_seq(flow),
		    (uint8_t)(WIRE_TCP_RST | ack));
	}
	tcp_end_flow(tcp, flow, end);
}

/* A busy guest must not fill the table with flows that are over. A place is free at the end
 * of the turn. */
void
tcp_shorten_time_wait(struct tcp *tcp)
{
	uint32_t n_max =
	    tcp->flows.n_max - tcp->flows.n_max / TCP_TIME_WAIT_SPARE_DIVISOR - 1;

	while (tcp->n_time_wait > 0 &&
	    (tcp->n_time_wait >= TCP_TIME_WAIT_MAX || tcp->flows.n_live > n_max))
		tcp_end_flow(tcp, TAILQ_FIRST(&tcp->time_wait), TCP_END_closed);
}

static void
begin_time_wait(struct tcp *tcp, struct tcp_flow *flow)
{
	tcp_shorten_time_wait(tcp);
	release(tcp, flow, false);
	flow->state = TCP_STATE_TIME_WAIT;
	flow->is_ageing = true;
	TAILQ_INSERT_TAIL(&tcp->time_wait, flow, age_entry);
	tcp->n_time_wait++;
	flow->idle_at_ms = tcp->now_ms + TCP_TIME_WAIT_MS;
	tcp_schedule(tcp, flow, flow->idle_at_ms);
}

void
tcp_end_if_done(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->state != TCP_STATE_OPEN || !flow->guest_fin || !flow->fin_acked ||
	    flow->tail.n_bytes > 0)
		return;
	if (flow->rcv_nxt != flow->last_ack_sent)
		tcp_send_ack(tcp, flow);
	/* Our acknowledgement of the guest's FIN may get lost. */
	if (flow->fin_first)
		begin_time_wait(tcp, flow);
	else
		tcp_end_flow(tcp, flow, TCP_END_closed);
}

/* Linux forgets its half of a connection 60 s after the program has ended. The peer still
 * gets all that the guest sent, and no reset, as from a kernel without a proxy. */
void
tcp_guest_forgot(struct tcp *tcp, struct tcp_flow *flow)
{
	tcp_queue_clear(&tcp->pool, &flow->kept);
	if (flow->gaps)
		flow->gaps->n_sacked = 0;
	tcp_gaps_put(tcp, flow);
	tcp_set_send_timer(tcp, flow, TCP_NO_TIMER, 0);
	flow->in_recovery = flow->is_shrunk = false;
	flow->snd_una = flow->snd_nxt = flow->snd_max;
	flow->host_eof = flow->fin_sent = flow->fin_acked = true;
	tcp_end_if_done(tcp, flow);
}

static bool
is_half_closed(const struct tcp_flow *flow)
{
	return flow->guest_fin || flow->host_eof;
}

static uint32_t
idle_ms(const struct tcp_flow *flow)
{
	return is_half_closed(flow) ? TCP_IDLE_HALF_CLOSED_MS : TCP_IDLE_MS;
}

void
tcp_heard(struct tcp *tcp, struct tcp_flow *flow)
{
	flow->n_probes = 0;
	flow->idle_at_ms = tcp->now_ms + idle_ms(flow);
	tcp_schedule(tcp, flow, flow->idle_at_ms);
}

/* Asks with an old sequence number (RFC 9293 3.8.4): a guest that has the connection
 * acknowledges, and one that has forgotten it sends a reset. */
void
tcp_idle_timeout(struct tcp *tcp, struct tcp_flow *flow)
{
	/* Both have ended, and the socket takes the last bytes slowly: it has its own
	 * timers. A guest that is through answers a probe with a reset. */
	if (flow->guest_fin && flow->fin_acked) {
		tcp_heard(tcp, flow);
		return;
	}
	if (flow->n_probes == TCP_IDLE_PROBES_MAX && !tcp->tap_stopped) {
		tcp_abort(tcp, flow, TCP_END_idle);
		return;
	}
	flow->idle_at_ms = tcp->now_ms + TCP_IDLE_PROBE_MS;
	if (!tcp->tap_stopped)
		tcp_send_empty(tcp, flow, flow->snd_una - 1, WIRE_TCP_ACK_FLAG);
	/* A guest whose interface is down has not been asked. */
	if (!tcp->tap_stopped)
		flow->n_probes++;
}

void
tcp_probe_if_nearly_full(struct tcp *tcp)
{
	uint32_t n_max = tcp->config.n_sockets_max;
	struct tcp_flow *flow = NULL;

	if (tcp->has_looked_for_idle ||
	    tcp->flows.n_live - tcp->n_time_wait <=
		n_max - n_max / TCP_NEARLY_FULL_DIVISOR)
		return;
	tcp->has_looked_for_idle = true;
	while ((flow = flow_table_next(&tcp->flows, flow))) {
		uint32_t left_ms = flow->idle_at_ms - tcp->now_ms;

		/* A flow that has been asked already has its next time soon. */
		if (flow->state != TCP_STATE_OPEN || !is_half_closed(flow) ||
		    flow->n_probes > 0 ||
		    left_ms > TCP_IDLE_HALF_CLOSED_MS - TCP_NEARLY_FULL_IDLE_MS)
			continue;
		flow->idle_at_ms = tcp->now_ms;
		tcp_schedule(tcp, flow, flow->idle_at_ms);
	}
}
