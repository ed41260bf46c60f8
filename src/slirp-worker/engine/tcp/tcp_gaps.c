/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the guest's data that came ahead of a gap, and names it in SACK blocks. */
#include <string.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

static void
remove_range(struct tcp_gaps *gaps, int i)
{
	gaps->n_ranges--;
	memmove(&gaps->range[i], &gaps->range[i + 1],
	    (size_t)(gaps->n_ranges - i) * sizeof(gaps->range[0]));
	if (gaps->latest > i)
		gaps->latest--;
}

/* Joins range i + 1 to range i if they touch. */
static void
join_next(struct tcp *tcp, struct tcp_gaps *gaps, int i)
{
	struct tcp_range *range = &gaps->range[i];

	if (i + 1 >= gaps->n_ranges || range[1].left != range->right)
		return;
	tcp_queue_join(&tcp->pool, &range->data, &range[1].data);
	range->right = range[1].right;
	remove_range(gaps, i + 1);
}

/* Keeps [seq, seq + len), of which no range has a byte, behind the first i ranges. Returns
 * how many bytes were kept. */
static uint32_t
keep_piece(struct tcp *tcp, struct tcp_gaps *gaps, int i, uint32_t seq,
    const uint8_t *data, uint32_t len)
{
	struct tcp_queue queue = { 0 };
	uint32_t n_kept;

	if (i > 0 && gaps->range[i - 1].right == seq) {
		n_kept = (uint32_t)tcp_queue_append(&tcp->pool, &gaps->range[i - 1].data,
		    data, len);
		gaps->range[i - 1].right += n_kept;
		gaps->latest = (uint8_t)(i - 1);
		join_next(tcp, gaps, i - 1);
		return n_kept;
	}
	if (gaps->n_ranges == TCP_N_RANGES &&
	    (i == gaps->n_ranges || gaps->range[i].left != seq + len))
		return 0;
	n_kept = (uint32_t)tcp_queue_append(&tcp->pool, &queue, data, len);
	if (i < gaps->n_ranges && gaps->range[i].left == seq + len && n_kept == len) {
		tcp_queue_join(&tcp->pool, &queue, &gaps->range[i].data);
		gaps->range[i].data = queue;
		gaps->range[i].left = seq;
		gaps->latest = (uint8_t)i;
		return n_kept;
	}
	if (n_kept == 0 || gaps->n_ranges == TCP_N_RANGES) {
		tcp_queue_clear(&tcp->pool, &queue);
		return 0;
	}
	memmove(&gaps->range[i + 1], &gaps->range[i],
	    (size_t)(gaps->n_ranges - i) * sizeof(gaps->range[0]));
	gaps->range[i] = (struct tcp_range){ seq, seq + n_kept, queue };
	gaps->n_ranges++;
	gaps->latest = (uint8_t)i;
	return n_kept;
}

bool
tcp_keep_ahead(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, const uint8_t *data,
    uint32_t len)
{
	struct tcp_gaps *gaps;
	uint32_t end = seq + len;
	bool kept = false;

	/* A guest that leaves gaps open for ever must not use up what others need. */
	if (tcp_pool_free_bytes(&tcp->pool) < tcp_pool_size(&tcp->pool) / 4)
		return false;
	gaps = tcp_gaps_of(tcp, flow);
	if (!gaps)
		return false;
	while (seq != end) {
		uint32_t piece_end = end;
		uint32_t n_kept;
		int i = 0;

		while (i < gaps->n_ranges && seq_le(gaps->range[i].right, seq))
			i++;
		if (i < gaps->n_ranges && seq_le(gaps->range[i].left, seq)) {
			/* This range has the first bytes already. */
			uint32_t right = gaps->range[i].right;
			uint32_t n_old = seq_lt(right, end) ? right - seq : end - seq;

			gaps->latest = (uint8_t)i;
			kept = true;
			seq += n_old;
			data += n_old;
			continue;
		}
		if (i < gaps->n_ranges && seq_lt(gaps->range[i].left, end))
			piece_end = gaps->range[i].left;
		n_kept = keep_piece(tcp, gaps, i, seq, data, piece_end - seq);
		kept = kept || n_kept > 0;
		if (n_kept < piece_end - seq)
			break;
		seq += n_kept;
		data += n_kept;
	}
	tcp_gaps_put(tcp, flow);
	return kept;
}

void
tcp_close_gap(struct tcp *tcp, struct tcp_flow *flow)
{
	struct tcp_gaps *gaps = flow->gaps;

	while (gaps && gaps->n_ranges > 0 && seq_le(gaps->range[0].left, flow->rcv_nxt)) {
		struct tcp_range *range = &gaps->range[0];

		if (seq_gt(range->right, flow->rcv_nxt)) {
			tcp_queue_drop(&tcp->pool, &range->data,
			    flow->rcv_nxt - range->left);
			flow->rcv_nxt = range->right;
			tcp_queue_join(&tcp->pool, &flow->tail, &range->data);
		} else {
			tcp_queue_clear(&tcp->pool, &range->data);
		}
		remove_range(gaps, 0);
	}
	tcp_note_tail(tcp, flow);
	tcp_gaps_put(tcp, flow);
}

int
tcp_sack_blocks(const struct tcp_flow *flow, struct tcp_sack_block blocks[TCP_SACK_MAX])
{
	const struct tcp_gaps *gaps = flow->gaps;
	int n = 0;

	if (!flow->has_sack || !gaps || gaps->n_ranges == 0)
		return 0;
	/* RFC 2018 4: the block of the latest segment first. */
	for (int i = 0; i < gaps->n_ranges && n < TCP_SACK_MAX; i++) {
		int at = (gaps->latest + i) % gaps->n_ranges;

		blocks[n].left = gaps->range[at].left;
		blocks[n++].right = gaps->range[at].right;
	}
	return n;
}
