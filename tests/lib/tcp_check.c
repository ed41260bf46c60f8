/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the TCP machine's invariants, for tests: each is a sentence that holds between two
 * calls. */
#include "tcp_check.h"

#include <stdio.h>
#include <stdlib.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

#define holds(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, \
			    __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static size_t
queue_bytes(const struct tcp *tcp, const struct tcp_queue *queue)
{
	size_t n = tcp_queue_check(&tcp->pool, queue);

	holds(n != SIZE_MAX);
	return n;
}

/* Ranges are sorted, disjoint, apart, and between their ends; returns the bytes of their
 * chunks. */
static size_t
check_gaps(const struct tcp *tcp, const struct tcp_flow *flow)
{
	const struct tcp_gaps *gaps = flow->gaps;
	uint32_t last = flow->rcv_nxt;
	size_t n = 0;

	if (!gaps)
		return 0;
	holds(gaps->n_ranges > 0 || gaps->n_sacked > 0);
	holds(gaps->n_ranges <= TCP_N_RANGES && gaps->n_sacked <= TCP_N_SACKED);
	holds(gaps->n_ranges == 0 || gaps->latest < gaps->n_ranges);
	for (int i = 0; i < gaps->n_ranges; i++) {
		const struct tcp_range *range = &gaps->range[i];

		holds(seq_gt(range->left, last));
		holds(seq_gt(range->right, range->left));
		holds(range->right - range->left == range->data.n_bytes);
		last = range->right;
		n += queue_bytes(tcp, &range->data);
	}
	holds(seq_le(last, flow->rcv_adv));
	last = flow->snd_una;
	for (int i = 0; i < gaps->n_sacked; i++) {
		holds(seq_gt(gaps->sacked[i].left, last) || i == 0);
		holds(seq_ge(gaps->sacked[i].left, last));
		holds(seq_gt(gaps->sacked[i].right, gaps->sacked[i].left));
		last = gaps->sacked[i].right;
	}
	holds(seq_le(last, flow->snd_max));
	return n;
}

static void
check_open(const struct tcp_flow *flow)
{
	uint32_t fin = flow->fin_sent && !flow->fin_acked ? 1 : 0;

	holds(flow->fd != -1);
	holds(
	    seq_le(flow->snd_una, flow->snd_nxt) && seq_le(flow->snd_nxt, flow->snd_max));
	/* All that was read has been sent, unless the guest's interface refuses frames. */
	holds(seq_le(flow->snd_max, tcp_kept_end(flow) + fin));
	holds(flow->snd_max - flow->snd_una <= TCP_KEPT_MAX + TCP_KEPT_MIN);
	holds(flow->kept.n_bytes <= TCP_KEPT_MAX);
	holds(seq_le(flow->rcv_nxt, flow->rcv_adv));
	/* What waits and what was promised fit one window; a FIN takes no buffer. */
	holds(flow->tail.n_bytes + (flow->rcv_adv - flow->rcv_nxt) <= TCP_WINDOW_MAX + 1);
	holds(flow->cwnd >= TCP_PIECE_MIN && flow->cwnd <= TCP_CWND_MAX);
	holds(!flow->guest_fin || flow->has_fin);
	holds(!flow->fin_acked || flow->fin_sent);
	holds(!flow->host_shut || flow->guest_fin);
}

/* No state without a way out: a timer, an edge of the socket, or a list. */
static void
check_progress(const struct tcp *tcp, const struct tcp_flow *flow)
{
	bool is_out = flow->snd_una != flow->snd_max;

	holds(!is_out || flow->send_timer != TCP_NO_TIMER || flow->is_ready ||
	    flow->is_starved);
	holds(flow->send_timer == TCP_NO_TIMER || tcp_timer_is_set(&flow->timer));
	holds(!flow->ack_waits || flow->rcv_nxt != flow->last_ack_sent);
	holds(flow->n_exchanges <= TCP_EXCHANGES_MIN);
	holds(flow->rcv_nxt == flow->last_ack_sent || flow->ack_waits || flow->ack_now);
	holds(tcp_timer_is_set(&flow->timer));
	/* Bytes for the socket wait for its edge. */
	holds(flow->tail.n_bytes == 0 || !flow->can_write || flow->host_failed);
	/* An owed acknowledgement waits only for the guest's interface, or its turn after it. */
	holds(!flow->ack_now || flow->is_touched || flow->is_ready || tcp->tap_stopped);
	/* What may be read waits for the window, which has a timer or an answer to come. */
	holds(!flow->can_read || flow->host_eof || flow->is_ready || flow->is_starved ||
	    is_out || flow->send_timer != TCP_NO_TIMER);
}

static void
check_pool(const struct tcp *tcp, size_t n_used)
{
	holds(tcp_pool_check(&tcp->pool));
	holds(n_used == tcp_pool_size(&tcp->pool) - tcp_pool_free_bytes(&tcp->pool));
}

static uint32_t
length(const struct tcp_flows *list, bool is_opening)
{
	const struct tcp_flow *flow;
	uint32_t n = 0;

	TAILQ_FOREACH(flow, list, age_entry)
	{
		holds(flow->is_ageing);
		holds((flow->state == TCP_STATE_TIME_WAIT) != is_opening);
		n++;
	}
	return n;
}

void
tcp_check(const struct tcp *tcp)
{
	const struct tcp_flow *flow = NULL;
	uint32_t n_counted = 0;
	size_t n_used = 0;

	while ((flow = flow_table_next(&tcp->flows, flow))) {
		n_used += queue_bytes(tcp, &flow->kept) + queue_bytes(tcp, &flow->tail) +
		    check_gaps(tcp, flow);
		n_counted += flow->is_counted;
		holds(flow->state != TCP_STATE_DEAD);
		holds(!flow->is_ready || !flow->is_starved);
		if (flow->state == TCP_STATE_OPEN) {
			holds(!flow->is_counted && !flow->is_ageing);
			check_open(flow);
			check_progress(tcp, flow);
		} else if (flow->state == TCP_STATE_TIME_WAIT) {
			holds(flow->fd == -1 && tcp_timer_is_set(&flow->timer));
		} else {
			holds(flow->is_counted && flow->is_ageing);
			holds(tcp_timer_is_set(&flow->timer));
		}
	}
	holds(n_counted == tcp->n_opening + tcp->n_accepted);
	holds(length(&tcp->opening, true) == n_counted);
	holds(tcp->n_opening <= TCP_OPENING_MAX && tcp->n_accepted <= TCP_ACCEPTED_MAX);
	holds(length(&tcp->time_wait, false) == tcp->n_time_wait);
	check_pool(tcp, n_used);
}
