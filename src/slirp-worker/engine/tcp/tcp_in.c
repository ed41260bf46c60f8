/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes the guest's segments (RFC 9293 3.10.7.4, RFC 5961), and writes their data to the
 * sockets.
 *
 * Theory of operation. Data in order is only noted, until the batch of frames has ended.
 * Then one writev(2) gives a flow's segments to the socket, and one acknowledgement
 * covers them. A socket that takes less leaves the rest in the tail, a queue whose room
 * the window has promised. Data ahead of a gap waits in ranges (tcp_gaps.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

#define FLAGS_THAT_COUNT (WIRE_TCP_FIN | WIRE_TCP_SYN | WIRE_TCP_RST | WIRE_TCP_ACK_FLAG)

static struct flow_key
key_of(const struct tcp_segment *segment)
{
	size_t address_len = segment->is_ip6 ? 16 : 4;
	struct flow_key key = {
		.guest_port = segment->src_port,
		.peer_port = segment->dst_port,
		.ethertype = segment->is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
		.protocol = IPPROTO_TCP,
	};

	memcpy(key.guest_address, segment->src, address_len);
	memcpy(key.peer_address, segment->dst, address_len);
	return key;
}

/* A peer that resets after its FIN causes EPIPE (net/ipv4/tcp_input.c, tcp_reset). */
static bool
is_reset_error(int error)
{
	return error == -ECONNRESET || error == -EPIPE;
}

void
tcp_note_failure(struct tcp_flow *flow, int error)
{
	/* The kernel reports the cause once; a later call gets EPIPE. */
	if (!flow->host_failed)
		flow->end =
		    is_reset_error(error) ? TCP_END_reset_by_host : TCP_END_host_error;
	flow->host_failed = true;
}

void
tcp_host_fails(struct tcp *tcp, struct tcp_flow *flow, int error)
{
	tcp_note_failure(flow, error);
	flow->can_read = flow->has_hangup = true;
	tcp_queue_clear(&tcp->pool, &flow->tail);
	tcp_make_ready(tcp, flow);
}

/* Writes to the socket; returns how many bytes it took. */
static size_t
write_to_host(struct tcp *tcp, struct tcp_flow *flow, const struct iovec *from, int n,
    size_t n_bytes)
{
	ssize_t n_taken;

	if (!flow->can_write || flow->host_failed)
		return 0;
	n_taken = tcp->world->write(tcp->world->ctx, flow->fd, from, n);
	if (n_taken < 0) {
		flow->can_write = false;
		if (n_taken != -EAGAIN && n_taken != -EINTR)
			tcp_host_fails(tcp, flow, (int)n_taken);
		return 0;
	}
	if ((size_t)n_taken < n_bytes)
		flow->can_write = false;
	flow->bytes_from_guest += (uint64_t)n_taken;
	flow->progress_at_us = tcp->now_us;
	return (size_t)n_taken;
}

static void
shrink_window(struct tcp *tcp, struct tcp_flow *flow)
{
	if (tcp->now_ms - flow->tail_since_ms >= TCP_TAIL_SLOW_MS)
		flow->want_wnd = tcp_max(flow->want_wnd / 2, tcp_window_min(tcp, flow));
}

void
tcp_note_tail(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->tail.n_bytes == 0 || flow->has_tailed)
		return;
	flow->has_tailed = true;
	flow->tail_since_ms = tcp->now_ms;
}

void
tcp_drain_tail(struct tcp *tcp, struct tcp_flow *flow)
{
	struct iovec pieces[TCP_IOV_MAX];

	while (flow->tail.n_bytes > 0 && flow->can_write && !flow->host_failed) {
		int n = tcp_queue_pieces(&tcp->pool, &flow->tail, 0, flow->tail.n_bytes,
		    pieces, TCP_IOV_MAX);
		size_t n_bytes = 0;

		for (int i = 0; i < n; i++)
			n_bytes += pieces[i].iov_len;
		tcp_queue_drop(&tcp->pool, &flow->tail,
		    (uint32_t)write_to_host(tcp, flow, pieces, n, n_bytes));
	}
	if (flow->tail.n_bytes > 0)
		return;
	if (flow->has_tailed)
		shrink_window(tcp, flow);
	flow->has_tailed = false;
	if (flow->guest_fin && !flow->host_shut && !flow->host_failed) {
		flow->host_shut = true;
		tcp->world->end(tcp->world->ctx, flow->fd);
	}
	tcp_end_if_done(tcp, flow);
}

/* Keeps what the socket did not take. Bytes that find no room were never accepted: the
 * guest has no acknowledgement of them yet, and sends them again. */
static void
keep_in_tail(struct tcp *tcp, struct tcp_flow *flow, const struct iovec *from, int n,
    size_t n_taken)
{
	uint32_t n_lost = 0;

	for (int i = 0; i < n; i++) {
		const uint8_t *data = from[i].iov_base;
		size_t len = from[i].iov_len;
		size_t n_skipped = n_taken < len ? n_taken : len;

		n_taken -= n_skipped;
		data += n_skipped;
		len -= n_skipped;
		if (n_lost == 0)
			len -= tcp_queue_append(&tcp->pool, &flow->tail, data, len);
		n_lost += (uint32_t)len;
	}
	tcp_note_tail(tcp, flow);
	if (n_lost > 0) {
		tcp_count(tcp, TCP_COUNT_data_not_kept, n_lost);
		flow->rcv_nxt -= n_lost;
	}
}

void
tcp_flush_noted(struct tcp *tcp, struct tcp_flow *flow)
{
	struct iovec pieces[TCP_NOTED_MAX];
	size_t n_bytes = 0, n_taken = 0;
	int n = 0;

	if (flow->n_noted == 0)
		return;
	for (size_t i = 0; i < tcp->n_noted; i++)
		if (tcp->noted[i].flow == flow) {
			pieces[n++] = tcp->noted[i].data;
			n_bytes += tcp->noted[i].data.iov_len;
			tcp->noted[i].flow = NULL;
		}
	flow->n_noted = 0;
	if (flow->tail.n_bytes > 0)
		tcp_drain_tail(tcp, flow);
	if (flow->tail.n_bytes == 0)
		n_taken = write_to_host(tcp, flow, pieces, n, n_bytes);
	if (n_taken < n_bytes && !flow->host_failed)
		keep_in_tail(tcp, flow, pieces, n, n_taken);
}

/* The guest's last byte has been taken. */
static void
take_fin(struct tcp_flow *flow)
{
	if (!flow->has_fin || flow->guest_fin || flow->rcv_nxt != flow->fin_seq)
		return;
	flow->guest_fin = true;
	flow->rcv_nxt++;
	if (seq_lt(flow->rcv_adv, flow->rcv_nxt))
		flow->rcv_adv = flow->rcv_nxt;
}

/* A guest that fills its window while the socket takes everything gets a larger one. */
static void
grow_window(const struct tcp *tcp, struct tcp_flow *flow)
{
	uint32_t most = tcp_max(tcp_window_min(tcp, flow),
	    tcp_min(TCP_WINDOW_MAX, TCP_WINDOWS_SUM / tcp_max(1, tcp->n_senders)));

	if (flow->want_wnd > most)
		flow->want_wnd = most;
	else if (flow->tail.n_bytes == 0 &&
	    flow->rcv_adv - flow->rcv_nxt < flow->want_wnd / 2)
		flow->want_wnd = tcp_min(flow->want_wnd * 2, most);
}

void
tcp_settle_input(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->state != TCP_STATE_OPEN)
		return;
	tcp_flush_noted(tcp, flow);
	take_fin(flow);
	tcp_drain_tail(tcp, flow);
	if (flow->state == TCP_STATE_OPEN) {
		tcp_heard(tcp, flow);
		if (flow->n_turn_segments > 0)
			grow_window(tcp, flow);
	}
	/* A flow that has ended has acknowledged before (tcp_end_if_done). */
	if (flow->state == TCP_STATE_OPEN)
		tcp_acknowledge(tcp, flow);
	if (flow->state == TCP_STATE_OPEN && tcp_has_something(flow))
		tcp_make_ready(tcp, flow);
}

static void
challenge(struct tcp *tcp, struct tcp_flow *flow)
{
	if (!tcp_may_challenge(tcp, flow))
		return;
	tcp_count(tcp, TCP_COUNT_challenges, 1);
	flow->ack_now = true;
}

static void
note_sender(struct tcp *tcp, struct tcp_flow *flow)
{
	if (flow->epoch == tcp->epoch)
		return;
	flow->epoch = tcp->epoch;
	tcp->n_senders_now++;
}

static void
note(struct tcp *tcp, struct tcp_flow *flow, const uint8_t *data, uint32_t len)
{
	tcp->noted[tcp->n_noted++] =
	    (struct tcp_noted){ flow, { (void *)(uintptr_t)data, len } };
	flow->n_noted++;
	flow->rcv_nxt += len;
}

/* seq and len lie in the window. */
static void
take_data(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, const uint8_t *data,
    uint32_t len)
{
	uint32_t weight = len < tcp_our_mss(tcp, flow) ? 1 : 2;

	flow->n_turn_segments =
	    (uint8_t)tcp_min(flow->n_turn_segments + weight, UINT8_MAX);
	note_sender(tcp, flow);
	if (seq != flow->rcv_nxt) {
		flow->ack_now = true;
		tcp_count(tcp, TCP_COUNT_gaps, 1);
		if (!tcp_keep_ahead(tcp, flow, seq, data, len))
			tcp_count(tcp, TCP_COUNT_gap_dropped, 1);
		return;
	}
	note(tcp, flow, data, len);
	if (flow->gaps && flow->gaps->n_ranges > 0 &&
	    seq_le(flow->gaps->range[0].left, flow->rcv_nxt)) {
		flow->ack_now = true;
		tcp_flush_noted(tcp, flow);
		tcp_close_gap(tcp, flow);
	}
}

static uint32_t
window_of(const struct tcp_flow *flow, const struct tcp_segment *segment)
{
	return (uint32_t)segment->window << flow->snd_scale;
}

/* Whether the window is newer than the one that counts. Of segments with the same numbers the
 * largest window is the newest, because edges do not move left; but a window that is closed
 * is believed (as in Linux, tcp_may_update_window). Behind a veth, acknowledgements overtake
 * each other. */
static bool
has_newer_window(const struct tcp_flow *flow, const struct tcp_segment *segment,
    uint32_t window, bool is_probe)
{
	if (seq_lt(flow->snd_wl2, segment->ack) || seq_lt(flow->snd_wl1, segment->seq))
		return true;
	/* The number of a keep-alive is old, and its window is not. */
	return (flow->snd_wl1 == segment->seq || is_probe) &&
	    flow->snd_wl2 == segment->ack && (window > flow->snd_wnd || window == 0);
}

void
tcp_take_window(struct tcp_flow *flow, const struct tcp_segment *segment, bool is_probe)
{
	uint32_t window = window_of(flow, segment);

	if (has_newer_window(flow, segment, window, is_probe)) {
		if (!is_probe)
			flow->snd_wl1 = segment->seq;
		flow->snd_wl2 = segment->ack;
		flow->snd_wnd = window;
		flow->max_wnd = tcp_max(flow->max_wnd, window);
	}
	if (seq_lt(tcp_send_edge(flow), flow->snd_nxt)) {
		flow->is_shrunk = true;
	} else if (flow->is_shrunk && tcp_send_edge(flow) != flow->snd_una) {
		/* The guest has dropped what was under way (Linux does, since 6.6 under
		 * memory pressure). */
		flow->is_shrunk = false;
		flow->snd_nxt = flow->snd_una;
	}
}

/* The acknowledgement, window and SACK blocks. Returns whether the segment may go on. */
static bool
take_ack(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment,
    bool is_probe)
{
	uint32_t edge = tcp_send_edge(flow);
	bool is_duplicate, is_same_window, reports_more;

	if (seq_gt(segment->ack, flow->snd_max) ||
	    seq_lt(segment->ack, flow->snd_una - flow->max_wnd)) {
		tcp_count(tcp, TCP_COUNT_bad_ack, 1);
		challenge(tcp, flow);
		return false;
	}
	if (seq_lt(segment->ack, flow->snd_una))
		return true;
	is_duplicate = segment->data_len == 0 && !(segment->flags & WIRE_TCP_FIN) &&
	    !is_probe && segment->ack == flow->snd_una && flow->snd_una != flow->snd_max;
	is_same_window = window_of(flow, segment) == flow->snd_wnd;
	reports_more = segment->n_sack > 0 && tcp_take_sack(tcp, flow, segment);
	if (segment->ack != flow->snd_una)
		tcp_acked(tcp, flow, segment->ack);
	flow->n_window_probes = 0;
	tcp_take_window(flow, segment, is_probe);
	if (flow->send_timer == TCP_PERSIST && seq_gt(tcp_send_edge(flow), flow->snd_una))
		flow->n_backoffs = 0;
	/* Linux's window grows with each segment ahead of a gap: a new report counts also if the
	 * window has changed (RFC 6675 2). */
	if (is_duplicate &&
	    (reports_more || (is_same_window && tcp_send_edge(flow) == edge)))
		tcp_duplicate_ack(tcp, flow);
	return true;
}

/* RFC 5961 3.2. */
static void
take_reset(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	if (segment->seq == flow->rcv_nxt) {
		if (flow->guest_fin && flow->n_probes > 0)
			tcp_guest_forgot(tcp, flow);
		else
			tcp_end_flow(tcp, flow, TCP_END_reset_by_guest);
		return;
	}
	tcp_count(tcp, TCP_COUNT_bad_reset, 1);
	if (seq_gt(segment->seq, flow->rcv_nxt) && seq_lt(segment->seq, flow->rcv_adv))
		challenge(tcp, flow);
}

/* A segment that has nothing for the window, or a probe of it. */
static void
answer_outside(struct tcp *tcp, struct tcp_flow *flow, bool has_text)
{
	tcp_count(tcp, TCP_COUNT_outside_window, 1);
	if (has_text)
		flow->ack_now = true;
	else
		challenge(tcp, flow);
}

/* Whether data at or behind seq is kept: a FIN before it is a lie. */
static bool
has_data_after(const struct tcp_flow *flow, uint32_t seq)
{
	const struct tcp_gaps *gaps = flow->gaps;

	return gaps && gaps->n_ranges > 0 &&
	    seq_gt(gaps->range[gaps->n_ranges - 1].right, seq);
}

/* Whether the text that ends at end shows that the guest has lied about its last byte. */
static bool
contradicts_fin(const struct tcp_flow *flow, uint32_t end, bool has_fin)
{
	if (!flow->has_fin)
		return has_fin && has_data_after(flow, end);
	return has_fin ? end != flow->fin_seq
		       : seq_gt(end, flow->fin_seq + (flow->guest_fin ? 1 : 0));
}

static void
take_text(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	uint32_t seq = segment->seq;
	const uint8_t *data = segment->data;
	uint32_t len = segment->data_len;
	bool has_fin = segment->flags & WIRE_TCP_FIN;

	if (seq_lt(seq, flow->rcv_nxt)) {
		uint32_t n_old = tcp_min(flow->rcv_nxt - seq, len);

		flow->ack_now = true;
		seq += n_old;
		data += n_old;
		len -= n_old;
	}
	if (seq_gt(seq + len, flow->rcv_adv)) {
		tcp_count(tcp, TCP_COUNT_outside_window, 1);
		flow->ack_now = true;
		len = flow->rcv_adv - seq;
		has_fin = false;
	}
	if (contradicts_fin(flow, seq + len, has_fin))
		tcp_count(tcp, TCP_COUNT_bad_fin, 1);
	/* RFC 9293 3.10.7.4: nothing follows a FIN. */
	if (flow->has_fin && seq_gt(seq + len, flow->fin_seq))
		len = seq_lt(seq, flow->fin_seq) ? flow->fin_seq - seq : 0;
	if (has_fin && !flow->has_fin && !has_data_after(flow, seq + len)) {
		flow->has_fin = true;
		flow->fin_seq = seq + len;
	}
	if (len > 0 && !flow->guest_fin)
		take_data(tcp, flow, seq, data, len);
	/* A FIN that is not the next to be taken: ahead of a gap, or once more. */
	if (has_fin && (!flow->has_fin || flow->rcv_nxt != flow->fin_seq))
		flow->ack_now = true;
}

static void
in_open(struct tcp *tcp, struct tcp_flow *flow, const struct tcp_segment *segment)
{
	uint32_t text_len = segment->data_len + (segment->flags & WIRE_TCP_FIN ? 1 : 0);
	bool is_probe = segment->data_len <= 1 && segment->seq == flow->rcv_nxt - 1 &&
	    !(segment->flags & (WIRE_TCP_FIN | WIRE_TCP_SYN | WIRE_TCP_RST));

	tcp_touch(tcp, flow);
	if (segment->flags & WIRE_TCP_RST) {
		take_reset(tcp, flow, segment);
		return;
	}
	if (segment->flags & WIRE_TCP_SYN) {
		/* RFC 5961 4.2: a guest that has started over answers with a reset. */
		challenge(tcp, flow);
		return;
	}
	if (!(segment->flags & WIRE_TCP_ACK_FLAG)) {
		tcp_count(tcp, TCP_COUNT_bad_flags, 1);
		return;
	}
	if (is_probe) {
		/* RFC 9293 3.8.4. */
		flow->ack_now = true;
		if (!flow->is_probed) {
			flow->is_probed = true;
			tcp->world->keep_alive(tcp->world->ctx, flow->fd);
		}
		take_ack(tcp, flow, segment, true);
		return;
	}
	if (seq_lt(segment->seq + text_len, flow->rcv_nxt) ||
	    (text_len > 0 && segment->seq + text_len == flow->rcv_nxt) ||
	    seq_gt(segment->seq, flow->rcv_adv)) {
		answer_outside(tcp, flow, text_len > 0);
		return;
	}
	if (take_ack(tcp, flow, segment, false) && flow->state == TCP_STATE_OPEN &&
	    text_len > 0)
		take_text(tcp, flow, segment);
}

static bool
has_possible_flags(const struct tcp_segment *segment)
{
	uint8_t flags = segment->flags & FLAGS_THAT_COUNT;

	return flags != 0 &&
	    !((flags & WIRE_TCP_SYN) && (flags & (WIRE_TCP_FIN | WIRE_TCP_RST)));
}

static bool
opens(const struct tcp_segment *segment)
{
	return (segment->flags & FLAGS_THAT_COUNT) == WIRE_TCP_SYN;
}

/* A segment of no flow. */
static void
take_stranger(struct tcp *tcp, const struct flow_key *key,
    const struct tcp_segment *segment)
{
	if (opens(segment)) {
		tcp_open_from_guest(tcp, key, segment);
		return;
	}
	tcp_count(tcp, TCP_COUNT_no_flow, 1);
	if (!(segment->flags & WIRE_TCP_RST))
		tcp_send_reset(tcp, key, segment);
}

void
tcp_from_guest(struct tcp *tcp, const struct tcp_segment *segment)
{
	struct flow_key key = key_of(segment);
	struct tcp_flow *flow = flow_table_find(&tcp->flows, &key);

	if (!has_possible_flags(segment)) {
		tcp_count(tcp, TCP_COUNT_bad_flags, 1);
		return;
	}
	if (tcp->n_noted == TCP_NOTED_MAX) {
		tcp_end_batch(tcp);
		/* The end of the batch may have ended the flow. */
		flow = flow_table_find(&tcp->flows, &key);
	}
	if (!flow)
		take_stranger(tcp, &key, segment);
	else if (tcp_in_opening(tcp, flow, segment))
		in_open(tcp, flow, segment);
}
