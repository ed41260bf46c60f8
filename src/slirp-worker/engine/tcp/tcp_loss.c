/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds and repairs losses on the way to the guest: times, congestion window, SACK. */
#include "slirp-worker/engine/tcp/tcp_parts.h"

/* Weights of RFC 6298 2.3, as shifts. */
#define SRTT_SHIFT 3
#define RTTVAR_SHIFT 2

uint32_t
tcp_rto_ms(const struct tcp_flow *flow)
{
	uint32_t ms = TCP_RTO_FIRST_MS;

	if (flow->srtt_us > 0)
		ms = tcp_max(TCP_RTO_MIN_MS,
		    (flow->srtt_us + 4 * flow->rttvar_us) / TCP_US_PER_MS);
	/* 2^12 times the least is over the bound, and far from a wrap. */
	for (int i = 0; i < flow->n_backoffs && ms < TCP_RTO_MAX_MS; i++)
		ms *= 2;
	return tcp_min(ms, TCP_RTO_MAX_MS);
}

void
tcp_set_send_timer(struct tcp *tcp, struct tcp_flow *flow, enum tcp_send_timer timer,
    uint32_t ms)
{
	flow->send_timer = (uint8_t)timer;
	flow->send_at_ms = tcp->now_ms + ms;
	if (timer != TCP_NO_TIMER)
		tcp_schedule(tcp, flow, flow->send_at_ms);
}

static uint32_t
tail_probe_ms(const struct tcp *tcp, const struct tcp_flow *flow)
{
	uint32_t ms = tcp_max(2 * flow->srtt_us / TCP_US_PER_MS, TCP_TAIL_PROBE_MIN_MS);

	if (flow->snd_max - flow->snd_una <= tcp_frame_max(tcp, flow))
		ms += TCP_TAIL_PROBE_ALONE_MS;
	return ms;
}

void
tcp_arm_retransmit(struct tcp *tcp, struct tcp_flow *flow)
{
	uint32_t rto_ms = tcp_rto_ms(flow);
	uint32_t probe_ms = tail_probe_ms(tcp, flow);

	/* RFC 8985 7.2: not in recovery, and once for each end of data. */
	if (flow->srtt_us > 0 && !flow->tail_probed && !flow->in_recovery &&
	    flow->n_backoffs == 0 && probe_ms < rto_ms)
		tcp_set_send_timer(tcp, flow, TCP_TAIL_PROBE, probe_ms);
	else
		tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, rto_ms);
}

void
tcp_sent(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint32_t seq_len)
{
	uint32_t end = seq + seq_len;

	if (seq_lt(seq, flow->snd_max)) {
		tcp_count(tcp, TCP_COUNT_retransmitted, 1);
		flow->n_retransmitted += seq_len;
		flow->undo_bytes += seq_len;
		/* Karn: an acknowledgement may be of either copy. */
		flow->is_timed = false;
	} else if (!flow->is_timed) {
		flow->is_timed = true;
		flow->timed_seq = end;
		flow->timed_at_us = tcp->now_us;
	}
	if (seq_gt(end, flow->snd_max))
		flow->snd_max = end;
	if (flow->state == TCP_STATE_OPEN && flow->send_timer != TCP_RETRANSMIT &&
	    flow->send_timer != TCP_TAIL_PROBE)
		tcp_arm_retransmit(tcp, flow);
}

/* RFC 6298 2, in microseconds: a round trip over a TAP takes 50. */
static void
take_sample(struct tcp_flow *flow, uint64_t us)
{
	uint32_t sample = us > 0 ? (uint32_t)us : 1;

	if (us > UINT64_C(1000) * TCP_RTO_MAX_MS)
		sample = TCP_RTO_MAX_MS * 1000;
	if (flow->srtt_us == 0) {
		flow->srtt_us = sample;
		flow->rttvar_us = sample / 2;
		return;
	}
	uint32_t difference =
	    sample > flow->srtt_us ? sample - flow->srtt_us : flow->srtt_us - sample;

	flow->rttvar_us +=
	    (difference >> RTTVAR_SHIFT) - (flow->rttvar_us >> RTTVAR_SHIFT);
	flow->srtt_us += (sample >> SRTT_SHIFT) - (flow->srtt_us >> SRTT_SHIFT);
	if (flow->srtt_us == 0)
		flow->srtt_us = 1;
}

/* RFC 5681 3.1, by bytes (RFC 3465). */
static void
grow_cwnd(struct tcp_flow *flow, uint32_t n_acked)
{
	uint64_t step = n_acked;

	/* Small acknowledgements count too: at least one byte. */
	if (flow->cwnd >= flow->ssthresh)
		step = (uint64_t)flow->piece * n_acked / flow->cwnd + 1;
	flow->cwnd = (uint32_t)(flow->cwnd + step);
	if (flow->cwnd > TCP_CWND_MAX)
		flow->cwnd = TCP_CWND_MAX;
}

static uint32_t
n_sacked_bytes(const struct tcp_flow *flow)
{
	uint32_t n = 0;

	for (int i = 0; flow->gaps && i < flow->gaps->n_sacked; i++)
		n += flow->gaps->sacked[i].right - flow->gaps->sacked[i].left;
	return n;
}

static void
forget_sacked_below(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq)
{
	struct tcp_gaps *gaps = flow->gaps;
	int n = 0;

	if (!gaps)
		return;
	for (int i = 0; i < gaps->n_sacked; i++) {
		struct tcp_sack_block block = gaps->sacked[i];

		if (seq_le(block.right, seq))
			continue;
		if (seq_lt(block.left, seq))
			block.left = seq;
		gaps->sacked[n++] = block;
	}
	gaps->n_sacked = (uint8_t)n;
	tcp_gaps_put(tcp, flow);
}

static void
leave_recovery(struct tcp_flow *flow)
{
	flow->in_recovery = false;
	flow->cwnd = tcp_max(flow->ssthresh, flow->piece);
}

void
tcp_acked(struct tcp *tcp, struct tcp_flow *flow, uint32_t ack)
{
	uint32_t n_acked = ack - flow->snd_una;
	uint32_t n_data = tcp_min(n_acked, flow->kept.n_bytes);

	if (flow->is_timed && seq_ge(ack, flow->timed_seq)) {
		take_sample(flow, tcp->now_us - flow->timed_at_us);
		flow->is_timed = false;
	}
	if (flow->fin_sent && ack == flow->snd_max)
		flow->fin_acked = true;
	tcp_queue_drop(&tcp->pool, &flow->kept, n_data);
	flow->bytes_to_guest += n_data;
	flow->progress_at_us = tcp->now_us;
	flow->snd_una = ack;
	if (seq_lt(flow->snd_nxt, ack))
		flow->snd_nxt = ack;
	tcp_big_acked(tcp, flow);
	flow->n_dupacks = 0;
	flow->n_backoffs = 0;
	flow->tail_probed = false;
	forget_sacked_below(tcp, flow, ack);
	if (!flow->in_recovery) {
		grow_cwnd(flow, n_acked);
	} else if (seq_ge(ack, flow->recover)) {
		leave_recovery(flow);
	} else if (seq_lt(flow->rexmit_nxt, ack) || !flow->has_sack) {
		/* RFC 6582 3.2: a partial acknowledgement shows the next loss. */
		flow->rexmit_nxt = ack;
	}
	if (flow->snd_una == flow->snd_max)
		tcp_set_send_timer(tcp, flow, TCP_NO_TIMER, 0);
	else
		tcp_arm_retransmit(tcp, flow);
	if (flow->state == TCP_STATE_OPEN)
		tcp_end_if_done(tcp, flow);
}

/* Adds a block to the sorted list. If the list is full, the block is forgotten: its bytes
 * are sent again. */
static void
add_sacked(struct tcp_gaps *gaps, struct tcp_sack_block block)
{
	int i = 0, n_joined = 0;

	while (i < gaps->n_sacked && seq_lt(gaps->sacked[i].right, block.left))
		i++;
	while (i + n_joined < gaps->n_sacked &&
	    seq_le(gaps->sacked[i + n_joined].left, block.right)) {
		const struct tcp_sack_block *old = &gaps->sacked[i + n_joined++];

		if (seq_lt(old->left, block.left))
			block.left = old->left;
		if (seq_gt(old->right, block.right))
			block.right = old->right;
	}
	if (n_joined == 0 && gaps->n_sacked == TCP_N_SACKED)
		return;
	if (n_joined == 0) {
		for (int k = gaps->n_sacked++; k > i; k--)
			gaps->sacked[k] = gaps->sacked[k - 1];
	} else {
		for (int k = i + n_joined; k < gaps->n_sacked; k++)
			gaps->sacked[k - n_joined + 1] = gaps->sacked[k];
		gaps->n_sacked = (uint8_t)(gaps->n_sacked - n_joined + 1);
	}
	gaps->sacked[i] = block;
}

/* RFC 2883: the guest has got bytes twice. If that is all that was sent again, nothing was
 * lost (RFC 3708 3), frames overtook each other. */
static void
take_duplicate(struct tcp_flow *flow, const struct tcp_sack_block *block)
{
	flow->undo_bytes -= tcp_min(flow->undo_bytes, block->right - block->left);
	if (flow->undo_bytes > 0 || flow->undo_cwnd == 0)
		return;
	flow->cwnd = tcp_max(flow->cwnd, flow->undo_cwnd);
	flow->ssthresh = tcp_max(flow->ssthresh, flow->undo_ssthresh);
	flow->undo_cwnd = 0;
	flow->in_recovery = false;
	flow->n_dupacks = 0;
	flow->reordering = (uint8_t)tcp_min(2u * flow->reordering, TCP_REORDERING_MAX);
}

/* RFC 2883 4: a first block of old bytes, or of bytes that the second has too. */
static bool
is_duplicate(const struct tcp_segment *segment)
{
	const struct tcp_sack_block *block = segment->sack;

	if (segment->n_sack == 0 || !seq_lt(block[0].left, block[0].right))
		return false;
	return seq_le(block[0].right, segment->ack) ||
	    (segment->n_sack > 1 && seq_ge(block[0].left, block[1].left) &&
		seq_le(block[0].right, block[1].right));
}

bool
tcp_take_sack(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	bool has_duplicate = is_duplicate(segment);
	uint32_t n_before = n_sacked_bytes(flow);

	/* RFC 2018 2: only an end that has seen SACK permitted may send blocks. */
	if (!flow->has_sack) {
		tcp_count(tcp, TCP_COUNT_bad_sack, segment->n_sack);
		return false;
	}
	if (has_duplicate)
		take_duplicate(flow, &segment->sack[0]);
	for (int i = 0; i < segment->n_sack; i++) {
		struct tcp_sack_block block = segment->sack[i];
		struct tcp_gaps *gaps;

		/* The first block may be a duplicate's, below the acknowledgement. */
		if (i == 0 && has_duplicate && seq_le(block.right, segment->ack))
			continue;
		if (!seq_lt(block.left, block.right) ||
		    seq_le(block.left, segment->ack) ||
		    seq_gt(block.right, flow->snd_max)) {
			tcp_count(tcp, TCP_COUNT_bad_sack, 1);
			continue;
		}
		gaps = tcp_gaps_of(tcp, flow);
		if (!gaps)
			break;
		add_sacked(gaps, block);
	}
	return n_sacked_bytes(flow) > n_before;
}

static bool
has_sacked(const struct tcp_flow *flow)
{
	return flow->gaps && flow->gaps->n_sacked > 0;
}

/* What is lost is sent again from here on. */
static uint32_t
hole_start(const struct tcp_flow *flow)
{
	return seq_gt(flow->rexmit_nxt, flow->snd_una) ? flow->rexmit_nxt : flow->snd_una;
}

/* In recovery, what was not reported below the highest block is lost, until it is sent
 * again (RFC 6675 4). */
uint32_t
tcp_pipe(const struct tcp_flow *flow)
{
	uint32_t n = flow->snd_nxt - flow->snd_una;
	uint32_t n_sacked = n_sacked_bytes(flow);
	uint32_t n_lost = 0;

	if (flow->in_recovery && has_sacked(flow)) {
		uint32_t seq = hole_start(flow);

		for (int i = 0; i < flow->gaps->n_sacked; i++) {
			const struct tcp_sack_block *block = &flow->gaps->sacked[i];

			if (seq_gt(block->left, seq))
				n_lost += block->left - seq;
			if (seq_gt(block->right, seq))
				seq = block->right;
		}
	}
	return n - tcp_min(n, n_sacked + n_lost);
}

bool
tcp_next_hole(const struct tcp_flow *flow, uint32_t *seq, uint32_t *len)
{
	uint32_t from =
	    seq_gt(flow->rexmit_nxt, flow->snd_una) ? flow->rexmit_nxt : flow->snd_una;

	if (!has_sacked(flow)) {
		/* One frame for each acknowledgement that shows a loss. */
		if (from != flow->snd_una || from == flow->snd_max)
			return false;
		*seq = from;
		*len = flow->snd_max - from;
		return true;
	}
	if (from != flow->snd_una && tcp_pipe(flow) >= flow->cwnd)
		return false;
	for (int i = 0; i < flow->gaps->n_sacked; i++) {
		const struct tcp_sack_block *block = &flow->gaps->sacked[i];

		if (seq_lt(from, block->left)) {
			*seq = from;
			*len = block->left - from;
			return true;
		}
		if (seq_lt(from, block->right))
			from = block->right;
	}
	return false;
}

static void
halve(struct tcp_flow *flow)
{
	uint32_t in_flight = flow->snd_max - flow->snd_una;

	flow->ssthresh = tcp_max(in_flight / 2, 2u * flow->piece);
}

void
tcp_duplicate_ack(struct tcp *tcp, struct tcp_flow *flow)
{
	uint32_t n_out = flow->snd_max - flow->snd_una;
	bool is_few = n_out <= TCP_FEW_FRAMES * tcp_frame_max(tcp, flow) &&
	    flow->reordering == TCP_DUPACKS;

	if (flow->n_dupacks < UINT8_MAX)
		flow->n_dupacks++;
	if (flow->in_recovery || flow->snd_nxt != flow->snd_max)
		return;
	if (flow->n_dupacks < flow->reordering && !(is_few && flow->n_dupacks > 0) &&
	    n_sacked_bytes(flow) < flow->reordering * (uint32_t)flow->piece)
		return;
	tcp_count(tcp, TCP_COUNT_fast_retransmits, 1);
	flow->undo_cwnd = flow->cwnd;
	flow->undo_ssthresh = flow->ssthresh;
	flow->undo_bytes = 0;
	halve(flow);
	flow->cwnd = flow->ssthresh;
	flow->in_recovery = true;
	flow->recover = flow->snd_max;
	flow->rexmit_nxt = flow->snd_una;
	tcp_arm_retransmit(tcp, flow);
	tcp_make_ready(tcp, flow);
}

static void
probe_tail(struct tcp *tcp, struct tcp_flow *flow)
{
	uint32_t out = flow->snd_max - flow->snd_una;
	uint32_t n = tcp_min(out, flow->piece);

	tcp_count(tcp, TCP_COUNT_tail_probes, 1);
	flow->tail_probed = true;
	tcp_send_range(tcp, flow, flow->snd_max - n, n);
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, tcp_rto_ms(flow));
}

/* RFC 9293 3.8.6.1: asks a guest for its window. The segment is old, so that every guest
 * answers; a segment at snd_nxt without data gets no answer. */
static void
probe_window(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->n_window_probes == TCP_BACKOFFS_MAX) {
		tcp_abort(tcp, flow, TCP_END_not_acknowledged);
		return;
	}
	tcp_count(tcp, TCP_COUNT_window_probes, 1);
	tcp_send_empty(tcp, flow, flow->snd_una - 1, WIRE_TCP_ACK_FLAG);
	flow->n_window_probes++;
	if (flow->n_backoffs < TCP_BACKOFFS_MAX)
		flow->n_backoffs++;
	tcp_set_send_timer(tcp, flow, TCP_PERSIST,
	    tcp_min(TCP_WINDOW_WAIT_MS << flow->n_backoffs, TCP_RTO_MAX_MS));
}

static void
retransmit_all(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->n_backoffs == TCP_BACKOFFS_MAX) {
		tcp_abort(tcp, flow, TCP_END_not_acknowledged);
		return;
	}
	tcp_count(tcp, TCP_COUNT_timeouts, 1);
	if (flow->n_backoffs == 0)
		halve(flow);
	flow->n_backoffs++;
	flow->undo_cwnd = 0;
	flow->reordering = TCP_DUPACKS;
	tcp_big_lost(tcp, flow);
	flow->big = TCP_BIG_NEVER;
	flow->cwnd = flow->piece;
	flow->in_recovery = flow->is_timed = flow->is_shrunk = false;
	flow->n_dupacks = 0;
	/* RFC 2018 8: the guest may have dropped what it reported. */
	if (flow->gaps)
		flow->gaps->n_sacked = 0;
	tcp_gaps_put(tcp, flow);
	flow->snd_nxt = flow->snd_una;
	tcp_set_send_timer(tcp, flow, TCP_RETRANSMIT, tcp_rto_ms(flow));
	tcp_make_ready(tcp, flow);
}

void
tcp_send_timeout(struct tcp *tcp, struct tcp_flow *flow)
{
	/* A guest whose interface is down is not slow: try again without a back-off. */
	if (tcp->tap_stopped) {
		tcp_set_send_timer(tcp, flow, (enum tcp_send_timer)flow->send_timer,
		    TCP_RTO_MIN_MS);
		return;
	}
	switch (flow->send_timer) {
	case TCP_RETRANSMIT:
		/* The guest took back its whole window. */
		if (seq_le(tcp_send_edge(flow), flow->snd_una))
			probe_window(tcp, flow);
		else
			retransmit_all(tcp, flow);
		break;
	case TCP_TAIL_PROBE:
		probe_tail(tcp, flow);
		break;
	case TCP_PERSIST:
		probe_window(tcp, flow);
		break;
	case TCP_OVERRIDE:
		tcp_set_send_timer(tcp, flow, TCP_NO_TIMER, 0);
		flow->may_override = true;
		tcp_make_ready(tcp, flow);
		break;
	}
}

struct tcp_flow *
tcp_quoted(struct tcp *tcp, const struct flow_key *key, uint32_t seq,
    enum tcp_state state)
{
	struct tcp_flow *flow = flow_table_find(&tcp->flows, key);

	if (flow && flow->state == state && seq_ge(seq, flow->snd_una) &&
	    seq_lt(seq, flow->snd_max))
		return flow;
	tcp_count(tcp, TCP_COUNT_icmp_ignored, 1);
	return NULL;
}

void
tcp_too_big(struct tcp *tcp, const struct flow_key *key, uint32_t seq, uint32_t mtu_bytes)
{
	struct tcp_flow *flow = tcp_quoted(tcp, key, seq, TCP_STATE_OPEN);
	uint32_t head_len, piece;

	if (!flow)
		return;
	head_len = tcp_head_len(tcp_is_ip6(flow));
	piece = mtu_bytes - tcp_min(mtu_bytes, head_len);
	piece =
	    tcp_max(piece, tcp_is_ip6(flow) ? TCP_PIECE_DEFAULT6 : TCP_PIECE_DEFAULT4);
	if (piece >= flow->piece)
		return;
	flow->piece = (uint16_t)piece;
	flow->is_timed = false;
	flow->snd_nxt = flow->snd_una;
	tcp_make_ready(tcp, flow);
}
