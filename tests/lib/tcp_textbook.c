/* SPDX-License-Identifier: BSD-2-Clause */
/* Plays one end of a TCP connection as in a textbook. */
#include "tcp_textbook.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"
#include "tcp_world.h"

#define RTO_MAX_MS 60000
#define DELAYED_ACK_MS 40
#define TIME_WAIT_MS 60000
#define CWND_MAX (1u << 20)

#define promise(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
			    #condition); \
			abort(); \
		} \
	} while (0)

/* The guest's sender. */

static uint32_t
fin_seq(struct textbook *tb)
{
	return tb->iss + 1 + tb->n_stream;
}

static uint32_t
window_now(struct textbook *tb)
{
	uint32_t unread = tb->nxt_in - (tb->irs + 1) - tb->n_read;
	uint32_t room = tb->buffer - tcp_min(tb->buffer, unread);
	uint32_t open = tb->adv - tb->nxt_in;

	/* RFC 9293 3.8.6.2.2; the edge does not move left. */
	if (seq_gt(tb->nxt_in, tb->adv))
		open = 0;
	if (room > open && room - open >= tcp_min(tb->mss, tb->buffer / 2))
		open = room;
	open = open >> tb->scale << tb->scale;
	open = tcp_min(open, 65535u << tb->scale);
	if (seq_gt(tb->nxt_in + open, tb->adv))
		tb->adv = tb->nxt_in + open;
	return open >> tb->scale;
}

/* The end of a run of bytes that the guest has, or has not. */
FAKE_NO_COVERAGE static uint32_t
run_end(struct textbook *tb, uint32_t at, uint8_t has)
{
	while (at < tb->has_end && tb->has[at] == has)
		at++;
	return at;
}

static void
send_segment(struct textbook *tb, uint32_t seq, uint32_t len, uint8_t flags)
{
	struct textbook_frame frame = { .seq = seq,
		.ack = tb->nxt_in,
		.len = len,
		.flags = flags | WIRE_TCP_ACK_FLAG };
	uint32_t at = tb->nxt_in - (tb->irs + 1);

	frame.window = window_now(tb);
	while (tb->has_sack && frame.n_sack < TCP_SACK_MAX && at < tb->has_end) {
		uint32_t left = run_end(tb, at, 0);

		at = run_end(tb, left, 1);
		if (at > left)
			frame.sack[frame.n_sack++] =
			    (struct tcp_sack_block){ tb->irs + 1 + left,
				    tb->irs + 1 + at };
	}
	tb->acks_now = tb->acks_later = false;
	tb->send(tb, &frame);
}

static void
send_syn(struct textbook *tb)
{
	struct textbook_frame frame = { .seq = tb->iss, .flags = WIRE_TCP_SYN };

	frame.window = tcp_min(tb->buffer, 65535);
	frame.mss = (uint16_t)tb->mss;
	frame.has_wscale = tb->scales;
	frame.sack_ok = tb->has_sack;
	if (tb->state == TEXTBOOK_SYN_RCVD) {
		frame.flags |= WIRE_TCP_ACK_FLAG;
		frame.ack = tb->nxt_in;
		tb->adv = tb->nxt_in + frame.window;
	}
	tb->nxt = tb->max = tb->iss + 1;
	tb->rto_at_ms = tb->now_ms + tb->rto_ms;
	tb->send(tb, &frame);
}

/* Data and FIN from seq on, as far as the windows let them; returns how much went out. */
static uint32_t
send_from(struct textbook *tb, uint32_t seq)
{
	uint32_t edge = tb->una + tcp_min(tb->wnd, tb->cwnd);
	uint32_t len = 0;
	uint8_t flags = 0;

	if (seq_gt(seq, fin_seq(tb)))
		return 0;
	if (seq_gt(edge, seq))
		len = tcp_min(tcp_min(edge - seq, tb->mss), fin_seq(tb) - seq);
	if (seq + len == fin_seq(tb) && (seq_lt(seq + len, edge) || len > 0))
		flags = WIRE_TCP_FIN;
	if (len == 0 && !flags)
		return 0;
	send_segment(tb, seq, len, flags);
	len += !!flags;
	if (seq_gt(seq + len, tb->max))
		tb->max = seq + len;
	if (tb->rto_at_ms == TEXTBOOK_NEVER)
		tb->rto_at_ms = tb->now_ms + tb->rto_ms;
	return len;
}

static void
send_all(struct textbook *tb)
{
	uint32_t n;

	if (tb->state != TEXTBOOK_OPEN)
		return;
	while ((n = send_from(tb, tb->nxt)) > 0)
		tb->nxt += n;
	/* A closed window is probed by the same timer (RFC 9293 3.8.6.1). */
	if (tb->rto_at_ms == TEXTBOOK_NEVER && seq_le(tb->nxt, fin_seq(tb)))
		tb->rto_at_ms = tb->now_ms + tb->rto_ms;
}

static void
on_rto(struct textbook *tb)
{
	tb->rto_ms = tcp_min(tb->rto_ms * 2, RTO_MAX_MS);
	tb->rto_at_ms = tb->now_ms + tb->rto_ms;
	if (tb->state == TEXTBOOK_SYN_SENT || tb->state == TEXTBOOK_SYN_RCVD) {
		send_syn(tb);
	} else if (tb->wnd == 0) {
		if (seq_lt(tb->una, fin_seq(tb))) {
			send_segment(tb, tb->una, 1, 0);
			if (seq_le(tb->max, tb->una))
				tb->max = tb->una + 1;
		} else {
			send_segment(tb, tb->una, 0, WIRE_TCP_FIN);
			tb->max = fin_seq(tb) + 1;
		}
	} else {
		tb->ssthresh = tcp_max((tb->max - tb->una) / 2, 2 * tb->mss);
		tb->cwnd = tb->mss;
		tb->nxt = tb->una + send_from(tb, tb->una);
	}
}

/* The guest's receiver. */

static void
send_reset(struct textbook *tb, const struct textbook_frame *frame)
{
	struct textbook_frame reset = { .flags = WIRE_TCP_RST };

	if (frame->flags & WIRE_TCP_RST)
		return;
	reset.seq = frame->ack;
	tb->send(tb, &reset);
}

static void
opens(struct textbook *tb, const struct textbook_frame *frame)
{
	tb->irs = frame->seq;
	tb->nxt_in = tb->adv = frame->seq + 1;
	tb->mss = tcp_min(tb->mss, frame->mss);
	tb->scales = tb->scales && frame->has_wscale;
	tb->has_sack = tb->has_sack && frame->sack_ok;
	if (!tb->scales)
		tb->scale = 0;
	tb->peer_scale = tb->scales ? TCP_OUR_WSCALE : 0;
	tb->cwnd = 10 * tb->mss;
	tb->ssthresh = UINT32_MAX;
}

static void
established(struct textbook *tb, const struct textbook_frame *frame)
{
	tb->state = TEXTBOOK_OPEN;
	tb->una = frame->ack;
	tb->wnd = frame->window << (frame->flags & WIRE_TCP_SYN ? 0 : tb->peer_scale);
	tb->wl1 = frame->seq;
	tb->wl2 = frame->ack;
	tb->rto_ms = TEXTBOOK_RTO_FIRST_MS;
	tb->rto_at_ms = TEXTBOOK_NEVER;
}

static void
in_handshake(struct textbook *tb, const struct textbook_frame *frame)
{
	bool acks = frame->flags & WIRE_TCP_ACK_FLAG && frame->ack == tb->iss + 1;

	if (frame->flags & WIRE_TCP_RST) {
		if (tb->state == TEXTBOOK_SYN_SENT ? acks : frame->seq == tb->nxt_in)
			tb->is_reset = true;
		return;
	}
	if (tb->state == TEXTBOOK_LISTEN && frame->flags == WIRE_TCP_SYN) {
		tb->state = TEXTBOOK_SYN_RCVD;
		opens(tb, frame);
		send_syn(tb);
	} else if (tb->state == TEXTBOOK_SYN_SENT && frame->flags & WIRE_TCP_SYN &&
	    acks) {
		opens(tb, frame);
		established(tb, frame);
		tb->acks_now = true;
	} else if (tb->state == TEXTBOOK_SYN_RCVD && frame->flags & WIRE_TCP_SYN) {
		send_syn(tb);
	} else if (tb->state == TEXTBOOK_SYN_RCVD && acks && frame->seq == tb->nxt_in) {
		established(tb, frame);
	}
}

static void
take_ack(struct textbook *tb, const struct textbook_frame *frame)
{
	uint32_t window = frame->window << tb->peer_scale;
	bool is_same = window == tb->wnd;

	if (seq_lt(tb->wl1, frame->seq) ||
	    (tb->wl1 == frame->seq && seq_le(tb->wl2, frame->ack))) {
		tb->wnd = window;
		tb->wl1 = frame->seq;
		tb->wl2 = frame->ack;
	}
	if (frame->ack == tb->una) {
		if (frame->len > 0 || !is_same || tb->una == tb->max ||
		    ++tb->n_dupacks != TCP_DUPACKS)
			return;
		tb->ssthresh = tcp_max((tb->max - tb->una) / 2, 2 * tb->mss);
		tb->cwnd = tb->ssthresh;
		send_from(tb, tb->una);
		return;
	}
	tb->n_dupacks = 0;
	tb->cwnd += tb->cwnd < tb->ssthresh ? tb->mss : tb->mss * tb->mss / tb->cwnd;
	tb->cwnd = tcp_min(tb->cwnd, CWND_MAX);
	tb->una = frame->ack;
	if (seq_lt(tb->nxt, tb->una))
		tb->nxt = tb->una;
	tb->rto_ms = TEXTBOOK_RTO_FIRST_MS;
	tb->rto_at_ms = tb->una == tb->max ? TEXTBOOK_NEVER : tb->now_ms + tb->rto_ms;
}

/* The part of the frame in the window. */
static void
take_text(struct textbook *tb, const struct textbook_frame *frame)
{
	uint32_t seq = frame->seq, end = frame->seq + frame->len;
	uint32_t last = tb->nxt_in;
	bool has_fin = frame->flags & WIRE_TCP_FIN;

	if (frame->len == 0 && !has_fin)
		return;
	if (has_fin) {
		promise(!tb->got_fin || tb->fin_at == end - (tb->irs + 1));
		tb->got_fin = true;
		tb->fin_at = end - (tb->irs + 1);
	}
	if (seq_lt(seq, tb->nxt_in))
		seq = tb->nxt_in;
	if (seq_gt(end, tb->adv)) {
		end = tb->adv;
		tb->acks_now = true;
		if (has_fin)
			tb->got_fin = false;
	}
	if (seq_lt(seq, end)) {
		uint32_t at = seq - (tb->irs + 1);

		promise(at + (end - seq) <= tb->n_peer_stream);
		memset(&tb->has[at], 1, end - seq);
		tb->has_end = tcp_max(tb->has_end, at + (end - seq));
	}
	if (!tb->got_fin || tb->nxt_in - (tb->irs + 1) <= tb->fin_at)
		tb->nxt_in = tb->irs + 1 + run_end(tb, tb->nxt_in - (tb->irs + 1), 1);
	if (tb->got_fin && tb->nxt_in - (tb->irs + 1) == tb->fin_at) {
		promise(tb->fin_at == tb->n_peer_stream);
		tb->nxt_in++;
		tb->acks_now = true;
	}
	/* RFC 5681 4.2: what is out of order, and every second segment, at once. */
	if (tb->nxt_in == last || tb->acks_later ||
	    tb->has_end > tb->nxt_in - (tb->irs + 1))
		tb->acks_now = true;
	tb->acks_later = true;
	tb->ack_at_ms = tb->now_ms + DELAYED_ACK_MS;
}

static bool
is_acceptable(struct textbook *tb, const struct textbook_frame *frame)
{
	uint32_t len = frame->len + !!(frame->flags & WIRE_TCP_FIN);
	uint32_t end = frame->seq + len;

	if (len == 0)
		return seq_ge(frame->seq, tb->nxt_in) && seq_le(frame->seq, tb->adv);
	return seq_gt(end, tb->nxt_in) && seq_lt(frame->seq, tb->adv);
}

bool
textbook_has_all(const struct textbook *tb)
{
	return tb->got_fin && tb->nxt_in == tb->irs + 2 + tb->fin_at;
}

void
textbook_take(struct textbook *tb, const struct textbook_frame *frame)
{
	if (tb->state == TEXTBOOK_CLOSED) {
		send_reset(tb, frame);
		return;
	}
	if (tb->state < TEXTBOOK_OPEN) {
		in_handshake(tb, frame);
		return;
	}
	if (!is_acceptable(tb, frame) && !(frame->flags & WIRE_TCP_RST)) {
		tb->acks_now = true;
		return;
	}
	if (frame->flags & WIRE_TCP_RST) {
		if (frame->seq == tb->nxt_in)
			tb->is_reset = !textbook_has_all(tb);
		if (frame->seq == tb->nxt_in)
			tb->state = TEXTBOOK_CLOSED;
		else if (is_acceptable(tb, frame))
			tb->acks_now = true;
		return;
	}
	if (frame->flags & WIRE_TCP_SYN || !(frame->flags & WIRE_TCP_ACK_FLAG) ||
	    seq_gt(frame->ack, tb->max)) {
		tb->acks_now = true;
		return;
	}
	if (seq_ge(frame->ack, tb->una))
		take_ack(tb, frame);
	take_text(tb, frame);
	if (tb->una == fin_seq(tb) + 1 && textbook_has_all(tb)) {
		tb->state = TEXTBOOK_OVER;
		tb->over_at_ms = tb->now_ms + TIME_WAIT_MS;
	}
}

void
textbook_work(struct textbook *tb)
{
	if (tb->state == TEXTBOOK_OVER && tb->now_ms >= tb->over_at_ms && !tb->acks_now)
		tb->state = TEXTBOOK_CLOSED;
	if (tb->state != TEXTBOOK_CLOSED && tb->state != TEXTBOOK_OVER &&
	    tb->now_ms >= tb->rto_at_ms)
		on_rto(tb);
	if (tb->state < TEXTBOOK_OPEN)
		return;
	send_all(tb);
	if (tb->acks_now || (tb->acks_later && tb->now_ms >= tb->ack_at_ms))
		send_segment(tb, tb->max, 0, 0);
}

void
textbook_open(struct textbook *tb)
{
	tb->state = TEXTBOOK_SYN_SENT;
	send_syn(tb);
}

uint64_t
textbook_wakes_ms(const struct textbook *tb)
{
	uint64_t at_ms = tb->rto_at_ms;

	return tb->acks_later && tb->ack_at_ms < at_ms ? tb->ack_at_ms : at_ms;
}

void
textbook_read(struct textbook *tb, uint32_t n_bytes)
{
	uint32_t unread = tb->nxt_in - (tb->irs + 1) - tb->n_read;
	uint32_t room = tb->adv - tb->nxt_in;

	/* Behind its FIN, the peer's stream is one number longer. */
	if (tb->state < TEXTBOOK_OPEN || tb->n_read == tb->n_peer_stream)
		return;
	tb->n_read += tcp_min(unread, n_bytes);
	window_now(tb);
	if (room < tb->mss && tb->adv - tb->nxt_in > room)
		tb->acks_now = true;
}
