/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends frames to the guest: data from the sockets, acknowledgements, and windows.
 *
 * Theory of operation. What is read from a socket stays in flow->kept until the guest
 * acknowledges it. No more is read than the windows let out at once, so all of kept has
 * been sent, unless a timeout or a window that the guest took back moved snd_nxt back.
 */
#include <errno.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"

/* Bytes for one read, in whole frames: a read of several saves system calls. More leave the
 * processor's cache before they are sent. */
#define READ_BYTES (UINT32_C(256) << 10)

/* Bytes for one read that the pool's reserve holds. Two thousand flows fit in it, so one goes
 * on beside hundreds whose guest acknowledges nothing. */
#define RESERVE_READ_BYTES TCP_CHUNK_SMALL

/* The unscaled part of a window field. */
#define WINDOW_FIELD_MAX 65535u

/* One frame, or the answer of emit. A frame that the guest's interface cannot take now is
 * sent again later; one that the kernel has lost counts as sent. */
static int
emit(struct tcp *tcp, const struct tcp_frame *frame)
{
	int error = tcp->world->emit(tcp->world->ctx, frame);

	if (error == 0)
		return 0;
	if (error == -EAGAIN || error == -EIO) {
		tcp->tap_stopped = true;
		tcp->tap_retry_at_ms =
		    tcp->now_ms + (error == -EIO ? TCP_TAP_DOWN_MS : TCP_TAP_FULL_MS);
		return error;
	}
	tcp_count(tcp, TCP_COUNT_frames_lost, 1);
	return 0;
}

static struct tcp_frame
frame_of(const struct tcp_flow *flow, uint32_t seq, uint8_t flags)
{
	return (struct tcp_frame){
		.key = &flow->link.key,
		.guest_mac = flow->guest_mac,
		.our_mac = flow->our_mac,
		.seq = seq,
		.ack = flags & WIRE_TCP_ACK_FLAG ? flow->rcv_nxt : 0,
		.flags = flags,
		.piece = flow->piece,
	};
}

static uint32_t
receive_room(const struct tcp *tcp, const struct tcp_flow *flow)
{
	uint32_t most = WINDOW_FIELD_MAX << flow->rcv_scale;
	uint32_t room = flow->want_wnd - tcp_min(flow->want_wnd, flow->tail.n_bytes);

	/* Promise no memory that is not there. */
	if (tcp_pool_free_bytes(&tcp->pool) < tcp_pool_size(&tcp->pool) / 4)
		room = tcp_min(room, TCP_WINDOW_START);
	return tcp_min(room, most);
}

/* The least change of the window that is worth telling (RFC 9293 3.8.6.2.2). */
static uint32_t
window_step(const struct tcp *tcp, const struct tcp_flow *flow)
{
	return tcp_min(flow->want_wnd / 2, tcp_our_mss(tcp, flow));
}

bool
tcp_window_opens(const struct tcp *tcp, const struct tcp_flow *flow)
{
	uint32_t room = receive_room(tcp, flow);
	uint32_t open = flow->rcv_adv - flow->rcv_nxt;

	/* No small steps, unless all that came has been taken. */
	return room > open &&
	    (room - open >= window_step(tcp, flow) || flow->tail.n_bytes == 0);
}

/* Moves the right edge if that is worth it, and returns the field. */
static uint16_t
window_field(struct tcp *tcp, struct tcp_flow *flow)
{
	uint32_t room = receive_room(tcp, flow);
	uint32_t open =
	    tcp_window_opens(tcp, flow) ? room : flow->rcv_adv - flow->rcv_nxt;
	uint32_t field = open >> flow->rcv_scale;
	/* Rounded up, because the right edge must not move left. Without room for that it is
	 * rounded down, or a guest that sends single bytes would move the edge with each.
	 * What was promised is taken all the same: rcv_adv stays. */
	if (field << flow->rcv_scale != open && field < WINDOW_FIELD_MAX &&
	    (field + 1) << flow->rcv_scale <= room)
		field++;
	open = field << flow->rcv_scale;
	if (seq_gt(flow->rcv_nxt + open, flow->rcv_adv))
		flow->rcv_adv = flow->rcv_nxt + open;
	flow->owes_update = open < window_step(tcp, flow);
	return (uint16_t)field;
}

/* The segment has told the guest all that acknowledgements wait to tell. */
static void
has_acknowledged(struct tcp *tcp, struct tcp_flow *flow)
{
	flow->last_ack_sent = flow->rcv_nxt;
	tcp_ack_forget(tcp, flow);
}

void
tcp_send_empty(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint8_t flags)
{
	struct tcp_frame frame = frame_of(flow, seq, flags);
	struct tcp_sack_block blocks[TCP_SACK_MAX];

	if (!(flags & WIRE_TCP_RST)) {
		frame.window = window_field(tcp, flow);
		frame.n_sack = (uint8_t)tcp_sack_blocks(flow, blocks);
		frame.sack = blocks;
	}
	if (emit(tcp, &frame) == 0) {
		if (flags == WIRE_TCP_ACK_FLAG)
			has_acknowledged(tcp, flow);
	} else if (flow->state == TCP_STATE_OPEN && flags == WIRE_TCP_ACK_FLAG) {
		flow->ack_now = true;
		tcp_make_ready(tcp, flow);
	}
}

/* The end of what was sent, also if a timeout has moved snd_nxt back: the guest ignores a
 * segment before what it has. But not beyond its window, whose edge may move left by the
 * rounding of the field (RFC 7323 2.4). */
uint32_t
tcp_empty_seq(const struct tcp_flow *flow)
{
	uint32_t edge = tcp_send_edge(flow);

	if (flow->state != TCP_STATE_OPEN)
		return flow->snd_nxt;
	if (seq_le(flow->snd_max, edge + (1u << flow->snd_scale)))
		return flow->snd_max;
	return seq_gt(edge, flow->snd_una) ? edge : flow->snd_una;
}

void
tcp_send_ack(struct tcp *tcp, struct tcp_flow *flow)
{
	tcp_send_empty(tcp, flow, tcp_empty_seq(flow), WIRE_TCP_ACK_FLAG);
}

void
tcp_send_syn(struct tcp *tcp, struct tcp_flow *flow)
{
	bool acks = flow->state != TCP_STATE_SYN_SENT;
	struct tcp_frame frame =
	    frame_of(flow, flow->iss, WIRE_TCP_SYN | (acks ? WIRE_TCP_ACK_FLAG : 0));

	/* RFC 7323 2.2: the window of a SYN is not scaled. */
	frame.window = (uint16_t)tcp_min(WINDOW_FIELD_MAX, flow->want_wnd);
	if (acks)
		flow->rcv_adv = flow->rcv_nxt + frame.window;
	frame.mss = (uint16_t)tcp_our_mss(tcp, flow);
	frame.has_wscale = flow->rcv_scale > 0;
	frame.wscale = flow->rcv_scale;
	frame.sack_ok = flow->has_sack;
	emit(tcp, &frame);
	if (acks)
		has_acknowledged(tcp, flow);
	flow->snd_nxt = flow->iss + 1;
	tcp_sent(tcp, flow, flow->iss, 1);
}

void
tcp_send_reset(struct tcp *tcp, const struct flow_key *key,
    const struct tcp_segment *segment)
{
	struct tcp_frame frame = {
		.key = key,
		.guest_mac = segment->src_mac,
		.our_mac = segment->dst_mac,
		.flags = WIRE_TCP_RST,
	};

	if (!tcp_may_reset(tcp))
		return;
	if (segment->flags & WIRE_TCP_ACK_FLAG) {
		frame.seq = segment->ack;
	} else {
		frame.flags |= WIRE_TCP_ACK_FLAG;
		frame.ack = segment->seq + segment->data_len +
		    (segment->flags & WIRE_TCP_SYN ? 1 : 0) +
		    (segment->flags & WIRE_TCP_FIN ? 1 : 0);
	}
	emit(tcp, &frame);
}

/* The FIN follows the last byte that was read, and is sent again with it. */
static bool
fin_is_next(const struct tcp_flow *flow, uint32_t seq)
{
	return flow->host_eof && !flow->host_failed && !flow->fin_acked &&
	    seq == tcp_kept_end(flow);
}

/* One frame with up to len bytes from seq on, and the FIN if it follows. Returns how many
 * bytes of the sequence went out, 0 if the frame could not be sent now. */
static uint32_t
send_frame(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint32_t len)
{
	struct tcp_frame frame = frame_of(flow, seq, WIRE_TCP_ACK_FLAG);
	struct tcp_sack_block blocks[TCP_SACK_MAX];
	uint32_t offset = seq - flow->snd_una;
	uint32_t n_out;

	len = tcp_min(len, tcp_frame_max(tcp, flow));
	if (len > 0)
		frame.n_data = tcp_queue_pieces(&tcp->pool, &flow->kept, offset, len,
		    frame.data, TCP_FRAME_PIECES);
	for (int i = 0; i < frame.n_data; i++)
		frame.data_len += (uint32_t)frame.data[i].iov_len;
	n_out = frame.data_len;
	if (n_out > 0 && seq + n_out == tcp_kept_end(flow))
		frame.flags |= WIRE_TCP_PSH;
	if (fin_is_next(flow, seq + n_out)) {
		frame.flags |= WIRE_TCP_FIN;
		n_out++;
	}
	if (n_out == 0)
		return 0;
	frame.window = window_field(tcp, flow);
	frame.n_sack = (uint8_t)tcp_sack_blocks(flow, blocks);
	frame.sack = blocks;
	if (emit(tcp, &frame) != 0)
		return 0;
	has_acknowledged(tcp, flow);
	tcp_big_sent(tcp, flow, seq, frame.data_len);
	if (frame.flags & WIRE_TCP_FIN) {
		if (!flow->fin_sent)
			flow->fin_first = !flow->guest_fin;
		flow->fin_sent = true;
	}
	return n_out;
}

uint32_t
tcp_send_range(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint32_t len)
{
	uint32_t n_out;

	tcp_big_lost(tcp, flow);
	n_out = send_frame(tcp, flow, seq, len);
	if (n_out > 0)
		tcp_sent(tcp, flow, seq, n_out);
	return n_out;
}

/* All that the failed socket gave is with the guest. */
static bool
is_delivered(const struct tcp_flow *flow)
{
	return flow->host_failed && flow->host_eof && flow->kept.n_bytes == 0;
}

bool
tcp_has_something(const struct tcp_flow *flow)
{
	return flow->snd_nxt != flow->snd_max || flow->in_recovery ||
	    fin_is_next(flow, flow->snd_nxt) || (flow->can_read && !flow->host_eof) ||
	    is_delivered(flow);
}

static uint32_t
kept_max(const struct tcp *tcp)
{
	uint32_t share = (uint32_t)(tcp_pool_free_bytes(&tcp->pool) / 4);

	return tcp_max(TCP_KEPT_MIN, tcp_min(TCP_KEPT_MAX, share));
}

/* The socket has ended or failed, and all that it gave has been read. */
static void
reading_ends(struct tcp *tcp, struct tcp_flow *flow, ssize_t result)
{
	flow->can_read = false;
	if (result < 0)
		tcp_note_failure(flow, (int)result);
	flow->host_eof = true;
	tcp_heard(tcp, flow);
}

/* Reads up to want bytes from the socket into kept. Returns false if there was no buffer. */
static bool
read_from_host(struct tcp *tcp, struct tcp_flow *flow, uint32_t want)
{
	struct iovec to[TCP_IOV_MAX];
	bool is_small = flow->read_hint < TCP_SMALL_READ;
	size_t n_room = 0;
	ssize_t n_read;
	int n;

	if (tcp_pool_is_reserve_only(&tcp->pool)) {
		if (flow->kept.n_bytes > 0 || flow->tail.n_bytes > 0)
			return false;
		is_small = true;
		want = tcp_min(want, RESERVE_READ_BYTES);
	}
	n = tcp_queue_reserve(&tcp->pool, &flow->kept, want, is_small, to, TCP_IOV_MAX);
	if (n == 0)
		return false;
	for (int i = 0; i < n; i++)
		n_room += to[i].iov_len;
	n_read = tcp->world->read(tcp->world->ctx, flow->fd, to, n);
	tcp_queue_commit(&tcp->pool, &flow->kept, n_read > 0 ? (size_t)n_read : 0);
	if (n_read > 0) {
		flow->read_hint = (uint16_t)tcp_min((uint32_t)n_read, UINT16_MAX);
		tcp_ack_answered(tcp, flow);
		/* A short read has emptied the socket; a hang-up has an end behind it. */
		if ((size_t)n_read < n_room && !flow->has_hangup)
			flow->can_read = false;
	} else if (n_read == -EAGAIN && !flow->host_failed) {
		flow->can_read = false;
	} else if (n_read != -EINTR) {
		reading_ends(tcp, flow, n_read);
	}
	return true;
}

/* Bytes that may go out now. */
static uint32_t
usable(const struct tcp_flow *flow)
{
	uint32_t edge = tcp_send_edge(flow);
	uint32_t by_window = seq_gt(edge, flow->snd_nxt) ? edge - flow->snd_nxt : 0;
	uint32_t pipe = tcp_pipe(flow);

	return tcp_min(by_window, flow->cwnd - tcp_min(flow->cwnd, pipe));
}

/* RFC 9293 3.8.6.2.1: what is worth a frame of its own. */
static bool
is_worth_sending(const struct tcp_flow *flow, uint32_t n)
{
	return n > 0 &&
	    (n >= tcp_min(flow->piece, flow->max_wnd / 2) || flow->may_override);
}

/* Nothing is out, and the window lets nothing or too little out. */
static void
wait_for_window(struct tcp *tcp, struct tcp_flow *flow, uint32_t n_usable)
{
	enum tcp_send_timer timer = n_usable > 0 ? TCP_OVERRIDE : TCP_PERSIST;

	if (flow->snd_una != flow->snd_nxt || flow->send_timer == timer)
		return;
	tcp_set_send_timer(tcp, flow, timer, TCP_WINDOW_WAIT_MS);
}

/* Sends the next frame of what was read. Returns whether there was one. */
static bool
send_next(struct tcp *tcp, struct tcp_flow *flow, uint32_t n_usable, uint32_t *n_bytes)
{
	uint32_t seq = flow->snd_nxt;
	uint32_t n_unsent = tcp_kept_end(flow) - seq;
	uint32_t n = tcp_min(n_unsent, n_usable);
	uint32_t n_out;

	/* fin_sent: snd_nxt is behind the FIN. */
	if (seq_gt(seq, tcp_kept_end(flow)))
		return false;
	if (n < n_unsent && !is_worth_sending(flow, n)) {
		wait_for_window(tcp, flow, n);
		return false;
	}
	if (n_unsent == 0 &&
	    (!fin_is_next(flow, seq) || !seq_gt(tcp_send_edge(flow), seq))) {
		if (fin_is_next(flow, seq))
			wait_for_window(tcp, flow, 0);
		return false;
	}
	n_out = send_frame(tcp, flow, seq, n);
	if (n_out == 0)
		return false;
	flow->snd_nxt = seq + n_out;
	tcp_sent(tcp, flow, seq, n_out);
	*n_bytes -= tcp_min(*n_bytes, n_out);
	return true;
}

/* Reads as much as may go out. Returns whether that brought something to send. */
static bool
fetch(struct tcp *tcp, struct tcp_flow *flow, uint32_t n_usable)
{
	uint32_t most = kept_max(tcp);
	uint32_t frame_max = tcp_frame_max(tcp, flow);
	uint32_t want = tcp_min(n_usable, READ_BYTES / frame_max * frame_max);
	uint32_t n_kept = flow->kept.n_bytes;

	if (!flow->can_read || flow->host_eof)
		return false;
	if (!is_worth_sending(flow, n_usable)) {
		wait_for_window(tcp, flow, n_usable);
		return false;
	}
	/* The guest's acknowledgements make room. */
	if (n_kept >= most)
		return false;
	want = tcp_min(want, most - n_kept);
	while (flow->can_read && flow->kept.n_bytes - n_kept < want)
		if (!read_from_host(tcp, flow, want - (flow->kept.n_bytes - n_kept))) {
			if (flow->kept.n_bytes == n_kept)
				tcp_starve(tcp, flow);
			break;
		}
	return flow->kept.n_bytes != n_kept || flow->host_eof;
}

/* The next of what may go out; what was lost comes first. Returns whether a frame went. */
static bool
send_one(struct tcp *tcp, struct tcp_flow *flow, uint32_t *n_bytes)
{
	uint32_t seq, len;

	if (flow->in_recovery && tcp_send_edge(flow) != flow->snd_una &&
	    tcp_next_hole(flow, &seq, &len)) {
		uint32_t n_out = tcp_send_range(tcp, flow, seq, len);

		flow->rexmit_nxt = seq + n_out;
		*n_bytes -= tcp_min(*n_bytes, n_out);
		return n_out > 0;
	}
	do {
		uint32_t n_usable = usable(flow);

		if (send_next(tcp, flow, n_usable, n_bytes))
			return true;
		if (tcp->tap_stopped || flow->snd_nxt != tcp_kept_end(flow) ||
		    !fetch(tcp, flow, n_usable))
			return false;
	} while (!is_delivered(flow));
	return false;
}

bool
tcp_visit(struct tcp *tcp, struct tcp_flow *flow, uint32_t *n_bytes)
{
	int n = 0;

	while (n < TCP_VISIT_FRAMES && !tcp->tap_stopped && send_one(tcp, flow, n_bytes))
		n++;
	flow->may_override = false;
	if (is_delivered(flow)) {
		tcp_abort(tcp, flow, (enum tcp_end)flow->end);
		return false;
	}
	if (flow->ack_now && !tcp->tap_stopped)
		tcp_send_ack(tcp, flow);
	return n == TCP_VISIT_FRAMES || tcp->tap_stopped;
}
