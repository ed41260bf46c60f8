/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One end of a TCP connection as in a textbook (RFC 9293, 5681, 6298, 2018), for tests of the
 * TCP machine. It knows no time and no wire but those of the test, and no bytes: only which
 * of them have arrived. Aborts if the other end breaks a rule.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/wire/tcp_segment.h"

#define TEXTBOOK_STREAM_MAX 0x20000
#define TEXTBOOK_RTO_FIRST_MS 300
#define TEXTBOOK_NEVER UINT64_MAX

struct textbook_frame {
	uint32_t seq, ack, len;
	uint32_t window; /* as it stands in the header */
	uint8_t flags;
	uint16_t mss;
	bool has_wscale, sack_ok;
	uint8_t n_sack;
	struct tcp_sack_block sack[TCP_SACK_MAX];
};

enum textbook_state {
	TEXTBOOK_CLOSED,
	TEXTBOOK_LISTEN,
	TEXTBOOK_SYN_SENT,
	TEXTBOOK_SYN_RCVD,
	TEXTBOOK_OPEN,
	TEXTBOOK_OVER, /* both ends have closed */
};

struct textbook {
	/* Set by the test before the first call. */
	void (*send)(struct textbook *tb, const struct textbook_frame *frame);
	uint64_t now_ms; /* before each call */
	uint32_t iss;
	uint32_t n_stream;      /* bytes that it sends; then comes the FIN */
	uint32_t n_peer_stream; /* what has to arrive before the peer's FIN */
	uint32_t mss, buffer;
	bool scales, has_sack;
	uint8_t scale;

	enum textbook_state state;
	bool is_reset;
	/* From here to the peer. */
	uint32_t una, nxt, max, wnd, wl1, wl2;
	uint32_t cwnd, ssthresh, n_dupacks;
	uint8_t peer_scale;
	uint64_t rto_at_ms;
	uint32_t rto_ms;
	/* From the peer. */
	uint32_t irs;
	uint32_t nxt_in; /* all before has come, the FIN too */
	uint32_t adv;    /* the right edge that it has told; never moves left */
	uint32_t n_read; /* bytes that its program has taken */
	bool got_fin;
	uint32_t fin_at;
	bool acks_now, acks_later;
	uint64_t ack_at_ms, over_at_ms;
	uint8_t has[TEXTBOOK_STREAM_MAX];
	uint32_t has_end; /* none at or behind it */
};

/* Sends a SYN; the state is SYN_SENT. A listening end waits for one. */
void textbook_open(struct textbook *tb);

/* A frame arrives. The answer comes with textbook_work(). */
void textbook_take(struct textbook *tb, const struct textbook_frame *frame);

/* Runs timers, sends what the windows let out, and acknowledges. */
void textbook_work(struct textbook *tb);

/* When textbook_work() has something to do without a frame. */
uint64_t textbook_wakes_ms(const struct textbook *tb);

/* Its program takes up to n_bytes. */
void textbook_read(struct textbook *tb, uint32_t n_bytes);

/* Whether all of the peer's stream and its FIN have arrived. */
bool textbook_has_all(const struct textbook *tb);
