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
fin_seq(struct textbook *g)
{
	return g->iss + 1 + g->n_stream;
}

static uint32_t
window_now(struct textbook *g)
{
	uint32_t unread = g->nxt_in - (g->irs + 1) - g->n_read;
	uint32_t room = g->buffer - tcp_min(g->buffer, unread);
	uint32_t open = g->adv - g->nxt_in;

	/* RFC 9293 3.8.6.2.2; the edge does not move left. */
	if (seq_gt(g->nxt_in, g->adv))
		open = 0;
	if (room > open && room - open >= tcp_min(g->mss, g->buffer / 2))
		open = room;
	open = open >> g->scale << g->scale;
	open = tcp_min(open, 65535u << g->scale);
	if (seq_gt(g->nxt_in + open, g->adv))
		g->adv = g->nxt_in + open;
	return open >> g->scale;
}

/* The end of a run of bytes that the guest has, or has not. */
FAKE_NO_COVERAGE static uint32_t
run_end(struct textbook *g, uint32_t at, uint8_t has)
{
	while (at < g->has_end && g->has[at] == has)
		at++;
	return at;
}

static void
send_segment(struct textbook *g, uint32_t seq, uint32_t len, uint8_t flags)
{
	struct textbook_frame frame = { .seq = seq,
		.ack = g->nxt_in,
		.len = len,
		.flags = flags | WIRE_TCP_ACK_FLAG };
	uint32_t at = g->nxt_in - (g->irs + 1);

	frame.window = window_now(g);
	while (g->has_sack && frame.n_sack < TCP_SACK_MAX && at < g->has_end) {
		uint32_t left = run_end(g, at, 0);

		at = run_end(g, left, 1);
		if (at > left)
			frame.sack[frame.n_sack++] =
			    (struct tcp_sack_block){ g->irs + 1 + left, g->irs + 1 + at };
	}
	g->acks_now = g->acks_later = false;
	g->send(g, &frame);
}

static void
send_syn(struct textbook *g)
{
	struct textbook_frame frame = { .seq = g->iss, .flags = WIRE_TCP_SYN };

	frame.window = tcp_min(g->buffer, 65535);
	frame.mss = (uint16_t)g->mss;
	frame.has_wscale = g->scales;
	frame.sack_ok = g->has_sack;
	if (g->state == TEXTBOOK_SYN_RCVD) {
		frame.flags |= WIRE_TCP_ACK_FLAG;
		frame.ack = g->nxt_in;
		g->adv = g->nxt_in + frame.window;
	}
	g->nxt = g->max = g->iss + 1;
	g->rto_at_ms = g->now_ms + g->rto_ms;
	g->send(g, &frame);
}

/* Data and FIN from seq on, as far as the windows let them; returns how much went out. */
static uint32_t
send_from(struct textbook *g, uint32_t seq)
{
	uint32_t edge = g->una + tcp_min(g->wnd, g->cwnd);
	uint32_t len = 0;
	uint8_t flags = 0;

	if (seq_gt(seq, fin_seq(g)))
		return 0;
	if (seq_gt(edge, seq))
		len = tcp_min(tcp_min(edge - seq, g->mss), fin_seq(g) - seq);
	if (seq + len == fin_seq(g) && (seq_lt(seq + len, edge) || len > 0))
		flags = WIRE_TCP_FIN;
	if (len == 0 && !flags)
		return 0;
	send_segment(g, seq, len, flags);
	len += !!flags;
	if (seq_gt(seq + len, g->max))
		g->max = seq + len;
	if (g->rto_at_ms == TEXTBOOK_NEVER)
		g->rto_at_ms = g->now_ms + g->rto_ms;
	return len;
}

static void
send_all(struct textbook *g)
{
	uint32_t n;

	if (g->state != TEXTBOOK_OPEN)
		return;
	while ((n = send_from(g, g->nxt)) > 0)
		g->nxt += n;
	/* A closed window is probed by the same timer (RFC 9293 3.8.6.1). */
	if (g->rto_at_ms == TEXTBOOK_NEVER && seq_le(g->nxt, fin_seq(g)))
		g->rto_at_ms = g->now_ms + g->rto_ms;
}

static void
on_rto(struct textbook *g)
{
	g->rto_ms = tcp_min(g->rto_ms * 2, RTO_MAX_MS);
	g->rto_at_ms = g->now_ms + g->rto_ms;
	if (g->state == TEXTBOOK_SYN_SENT || g->state == TEXTBOOK_SYN_RCVD) {
		send_syn(g);
	} else if (g->wnd == 0) {
		if (seq_lt(g->una, fin_seq(g))) {
			send_segment(g, g->una, 1, 0);
			if (seq_le(g->max, g->una))
				g->max = g->una + 1;
		} else {
			send_segment(g, g->una, 0, WIRE_TCP_FIN);
			g->max = fin_seq(g) + 1;
		}
	} else {
		g->ssthresh = tcp_max((g->max - g->una) / 2, 2 * g->mss);
		g->cwnd = g->mss;
		g->nxt = g->una + send_from(g, g->una);
	}
}

/* The guest's receiver. */

static void
send_reset(struct textbook *g, const struct textbook_frame *frame)
{
	struct textbook_frame reset = { .flags = WIRE_TCP_RST };

	if (frame->flags & WIRE_TCP_RST)
		return;
	reset.seq = frame->ack;
	g->send(g, &reset);
}

static void
opens(struct textbook *g, const struct textbook_frame *frame)
{
	g->irs = frame->seq;
	g->nxt_in = g->adv = frame->seq + 1;
	g->mss = tcp_min(g->mss, frame->mss);
	g->scales = g->scales && frame->has_wscale;
	g->has_sack = g->has_sack && frame->sack_ok;
	if (!g->scales)
		g->scale = 0;
	g->peer_scale = g->scales ? TCP_OUR_WSCALE : 0;
	g->cwnd = 10 * g->mss;
	g->ssthresh = UINT32_MAX;
}

static void
established(struct textbook *g, const struct textbook_frame *frame)
{
	g->state = TEXTBOOK_OPEN;
	g->una = frame->ack;
	g->wnd = frame->window << (frame->flags & WIRE_TCP_SYN ? 0 : g->peer_scale);
	g->wl1 = frame->seq;
	g->wl2 = frame->ack;
	g->rto_ms = TEXTBOOK_RTO_FIRST_MS;
	g->rto_at_ms = TEXTBOOK_NEVER;
}

static void
in_handshake(struct textbook *g, const struct textbook_frame *frame)
{
	bool acks = frame->flags & WIRE_TCP_ACK_FLAG && frame->ack == g->iss + 1;

	if (frame->flags & WIRE_TCP_RST) {
		if (g->state == TEXTBOOK_SYN_SENT ? acks : frame->seq == g->nxt_in)
			g->is_reset = true;
		return;
	}
	if (g->state == TEXTBOOK_LISTEN && frame->flags == WIRE_TCP_SYN) {
		g->state = TEXTBOOK_SYN_RCVD;
		opens(g, frame);
		send_syn(g);
	} else if (g->state == TEXTBOOK_SYN_SENT && frame->flags & WIRE_TCP_SYN && acks) {
		opens(g, frame);
		established(g, frame);
		g->acks_now = true;
	} else if (g->state == TEXTBOOK_SYN_RCVD && frame->flags & WIRE_TCP_SYN) {
		send_syn(g);
	} else if (g->state == TEXTBOOK_SYN_RCVD && acks && frame->seq == g->nxt_in) {
		established(g, frame);
	}
}

static void
take_ack(struct textbook *g, const struct textbook_frame *frame)
{
	uint32_t window = frame->window << g->peer_scale;
	bool is_same = window == g->wnd;

	if (seq_lt(g->wl1, frame->seq) ||
	    (g->wl1 == frame->seq && seq_le(g->wl2, frame->ack))) {
		g->wnd = window;
		g->wl1 = frame->seq;
		g->wl2 = frame->ack;
	}
	if (frame->ack == g->una) {
		if (frame->len > 0 || !is_same || g->una == g->max ||
		    ++g->n_dupacks != TCP_DUPACKS)
			return;
		g->ssthresh = tcp_max((g->max - g->una) / 2, 2 * g->mss);
		g->cwnd = g->ssthresh;
		send_from(g, g->una);
		return;
	}
	g->n_dupacks = 0;
	g->cwnd += g->cwnd < g->ssthresh ? g->mss : g->mss * g->mss / g->cwnd;
	g->cwnd = tcp_min(g->cwnd, CWND_MAX);
	g->una = frame->ack;
	if (seq_lt(g->nxt, g->una))
		g->nxt = g->una;
	g->rto_ms = TEXTBOOK_RTO_FIRST_MS;
	g->rto_at_ms = g->una == g->max ? TEXTBOOK_NEVER : g->now_ms + g->rto_ms;
}

/* The part of the frame in the window. */
static void
take_text(struct textbook *g, const struct textbook_frame *frame)
{
	uint32_t seq = frame->seq, end = frame->seq + frame->len;
	uint32_t last = g->nxt_in;
	bool has_fin = frame->flags & WIRE_TCP_FIN;

	if (frame->len == 0 && !has_fin)
		return;
	if (has_fin) {
		promise(!g->got_fin || g->fin_at == end - (g->irs + 1));
		g->got_fin = true;
		g->fin_at = end - (g->irs + 1);
	}
	if (seq_lt(seq, g->nxt_in))
		seq = g->nxt_in;
	if (seq_gt(end, g->adv)) {
		end = g->adv;
		g->acks_now = true;
		if (has_fin)
			g->got_fin = false;
	}
	if (seq_lt(seq, end)) {
		uint32_t at = seq - (g->irs + 1);

		promise(at + (end - seq) <= g->n_peer_stream);
		memset(&g->has[at], 1, end - seq);
		g->has_end = tcp_max(g->has_end, at + (end - seq));
	}
	if (!g->got_fin || g->nxt_in - (g->irs + 1) <= g->fin_at)
		g->nxt_in = g->irs + 1 + run_end(g, g->nxt_in - (g->irs + 1), 1);
	if (g->got_fin && g->nxt_in - (g->irs + 1) == g->fin_at) {
		promise(g->fin_at == g->n_peer_stream);
		g->nxt_in++;
		g->acks_now = true;
	}
	/* RFC 5681 4.2: what is out of order, and every second segment, at once. */
	if (g->nxt_in == last || g->acks_later || g->has_end > g->nxt_in - (g->irs + 1))
		g->acks_now = true;
	g->acks_later = true;
	g->ack_at_ms = g->now_ms + DELAYED_ACK_MS;
}

static bool
is_acceptable(struct textbook *g, const struct textbook_frame *frame)
{
	uint32_t len = frame->len + !!(frame->flags & WIRE_TCP_FIN);
	uint32_t end = frame->seq + len;

	if (len == 0)
		return seq_ge(frame->seq, g->nxt_in) && seq_le(frame->seq, g->adv);
	return seq_gt(end, g->nxt_in) && seq_lt(frame->seq, g->adv);
}

bool
textbook_has_all(const struct textbook *g)
{
	return g->got_fin && g->nxt_in == g->irs + 2 + g->fin_at;
}

void
textbook_take(struct textbook *g, const struct textbook_frame *frame)
{
	if (g->state == TEXTBOOK_CLOSED) {
		send_reset(g, frame);
		return;
	}
	if (g->state < TEXTBOOK_OPEN) {
		in_handshake(g, frame);
		return;
	}
	if (!is_acceptable(g, frame) && !(frame->flags & WIRE_TCP_RST)) {
		g->acks_now = true;
		return;
	}
	if (frame->flags & WIRE_TCP_RST) {
		if (frame->seq == g->nxt_in)
			g->is_reset = !textbook_has_all(g);
		if (frame->seq == g->nxt_in)
			g->state = TEXTBOOK_CLOSED;
		else if (is_acceptable(g, frame))
			g->acks_now = true;
		return;
	}
	if (frame->flags & WIRE_TCP_SYN || !(frame->flags & WIRE_TCP_ACK_FLAG) ||
	    seq_gt(frame->ack, g->max)) {
		g->acks_now = true;
		return;
	}
	if (seq_ge(frame->ack, g->una))
		take_ack(g, frame);
	take_text(g, frame);
	if (g->una == fin_seq(g) + 1 && textbook_has_all(g)) {
		g->state = TEXTBOOK_OVER;
		g->over_at_ms = g->now_ms + TIME_WAIT_MS;
	}
}

void
textbook_work(struct textbook *g)
{
	if (g->state == TEXTBOOK_OVER && g->now_ms >= g->over_at_ms && !g->acks_now)
		g->state = TEXTBOOK_CLOSED;
	if (g->state != TEXTBOOK_CLOSED && g->state != TEXTBOOK_OVER &&
	    g->now_ms >= g->rto_at_ms)
		on_rto(g);
	if (g->state < TEXTBOOK_OPEN)
		return;
	send_all(g);
	if (g->acks_now || (g->acks_later && g->now_ms >= g->ack_at_ms))
		send_segment(g, g->max, 0, 0);
}

void
textbook_open(struct textbook *g)
{
	g->state = TEXTBOOK_SYN_SENT;
	send_syn(g);
}

uint64_t
textbook_wakes_ms(const struct textbook *g)
{
	uint64_t at_ms = g->rto_at_ms;

	return g->acks_later && g->ack_at_ms < at_ms ? g->ack_at_ms : at_ms;
}

void
textbook_read(struct textbook *g, uint32_t n_bytes)
{
	uint32_t unread = g->nxt_in - (g->irs + 1) - g->n_read;
	uint32_t room = g->adv - g->nxt_in;

	/* Behind its FIN, the peer's stream is one number longer. */
	if (g->state < TEXTBOOK_OPEN || g->n_read == g->n_peer_stream)
		return;
	g->n_read += tcp_min(unread, n_bytes);
	window_now(g);
	if (room < g->mss && g->adv - g->nxt_in > room)
		g->acks_now = true;
}
