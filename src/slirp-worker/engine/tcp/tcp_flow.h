/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A TCP connection of the guest: its two ends, and what is on the way between them.
 *
 * The machine in this folder is the guest's peer. Sequence numbers are in host byte
 * order; rcv_ is the direction from the guest, snd_ the direction to it (RFC 9293 3.3.1).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/tcp_counters.h"
#include "slirp-worker/engine/tcp/tcp_pool.h"
#include "slirp-worker/engine/tcp/tcp_wheel.h"
#include "model/flow_table.h"
#include "slirp-worker/wire/tcp_segment.h"

/* TCP_STATE_CONNECT: the guest's SYN has arrived, the host connects, the guest has heard nothing.
 * TCP_STATE_SYN_SENT: the flow is a forward's, and the guest has not answered its SYN.
 * TCP_STATE_TIME_WAIT: the flow has no socket any more. TCP_STATE_DEAD: freed at the end of the turn. */
enum tcp_state {
	TCP_STATE_CONNECT,
	TCP_STATE_SYN_RCVD,
	TCP_STATE_SYN_SENT,
	TCP_STATE_OPEN,
	TCP_STATE_TIME_WAIT,
	TCP_STATE_DEAD,
};

/* Why a flow ended, as the list in ipc/tcp_counters.h. */
enum tcp_end {
#define X(name, text) TCP_END_##name,
	IPC_TCP_ENDS(X)
#undef X
	    TCP_N_ENDS
};

/* Whether the flow gets frames of more than 65535 bytes (tcp_big.c). */
enum tcp_big {
	TCP_BIG_NEVER,
	TCP_BIG_UNTRIED, /* the next long frame is a trial */
	TCP_BIG_TRYING,  /* it is not acknowledged yet */
	TCP_BIG_WORKS,
};

/* A timer of a flow towards the guest; a flow needs one of these at a time. */
enum tcp_send_timer {
	TCP_NO_TIMER,
	TCP_RETRANSMIT, /* something is out that the guest has not acknowledged */
	TCP_TAIL_PROBE, /* the same, before the retransmission timeout */
	TCP_PERSIST,    /* the guest's window lets nothing out */
	TCP_OVERRIDE,   /* the window lets less than a piece out, and nothing is out */
};

/* Ranges of bytes from the guest that came ahead of a gap. Each needs 24 bytes; frames of a
 * guest with two CPUs arrive in two or three ranges. */
#define TCP_N_RANGES 16

/* Ranges to the guest that it has reported as received ahead of a gap. */
#define TCP_N_SACKED 8

struct tcp_range {
	uint32_t left, right; /* right is one past the end */
	struct tcp_queue data;
};

/* The part of a flow that only a gap needs. */
struct tcp_gaps {
	struct tcp_gaps *next_free;
	uint8_t n_ranges; /* from the guest, sorted, disjoint, not adjacent */
	uint8_t latest;   /* the range that the last segment changed: RFC 2018 4 */
	uint8_t n_sacked; /* to the guest, sorted, disjoint, not adjacent */
	struct tcp_range range[TCP_N_RANGES];
	struct tcp_sack_block sacked[TCP_N_SACKED];
};

/* The lists that a flow may be in. Each flow is in at most one of waiting and starved. */
TAILQ_HEAD(tcp_flows, tcp_flow);

struct tcp_flow {
	struct flow_link
	    link; /* the key: the peer's address and port as the guest names them */
	TAILQ_ENTRY(tcp_flow) turn_entry;  /* in tcp->touched */
	TAILQ_ENTRY(tcp_flow) ready_entry; /* in tcp->ready or tcp->starved */
	TAILQ_ENTRY(tcp_flow) age_entry;   /* in tcp->opening or tcp->time_wait */
	TAILQ_ENTRY(tcp_flow) ack_entry; /* in tcp->waiting_acks or tcp->exchange_acks */
	struct tcp_timer timer;          /* at the earliest of the flow's times */
	struct tcp_gaps *gaps;           /* NULL: no gap */
	int fd;                          /* -1: none; owned */
	uint8_t guest_mac[6], our_mac[6];

	uint8_t state; /* enum tcp_state */
	uint8_t end;   /* enum tcp_end, of a dead flow; if host_failed: how it will end */
	bool is_forward : 1;
	bool is_touched : 1, is_ready : 1, is_starved : 1, is_ageing : 1;
	bool is_counted : 1; /* in the counts of half-open flows */

	/* The socket. The edges of epoll set the first two; a short transfer clears them. */
	bool can_read : 1, can_write : 1;
	bool has_hangup : 1; /* EPOLLRDHUP or an error: read on to the end of file */
	bool host_eof : 1;   /* read returned 0 */
	bool host_shut : 1;  /* shut down for writing */
	bool
	    host_failed : 1; /* a write or read failed: reset the guest when all is delivered */
	bool is_probed : 1; /* SO_KEEPALIVE is on */

	bool guest_fin : 1; /* taken */
	bool has_fin : 1;   /* fin_seq is valid: the FIN may be ahead of a gap */
	bool fin_sent : 1, fin_acked : 1;
	bool fin_first : 1; /* our FIN went out before the guest's came */
	bool has_sack : 1;

	bool ack_now : 1;
	bool ack_waits : 1;  /* for data to go with (tcp_ack.c) */
	bool ack_sleeps : 1; /* if ack_waits: in tcp->exchange_acks */
	bool
	    has_asked : 1; /* an acknowledgement has waited, and no answer has come since */
	bool owes_update : 1; /* the last window was small: say when it opens */
	bool has_tailed : 1;  /* the tail is not empty */
	bool is_shrunk : 1;   /* the guest took back a window that was in use */
	bool is_timed : 1;    /* timed_seq is valid */
	bool in_recovery : 1;
	bool tail_probed : 1;  /* once for each flight */
	bool may_override : 1; /* send less than a piece in the next visit */

	/* From the guest. */
	uint16_t epoch; /* the last one in which the guest sent data */
	uint32_t irs;
	uint32_t rcv_nxt; /* all before has been accepted */
	uint32_t rcv_adv; /* the right edge that the guest knows; never moves left */
	uint32_t fin_seq;
	uint32_t last_ack_sent;
	uint32_t want_wnd;      /* bytes that may wait here for the socket */
	struct tcp_queue tail;  /* accepted, and not taken by the socket yet */
	uint32_t tail_since_ms; /* if has_tailed */
	uint64_t ack_since_us;  /* the last wait of an acknowledgement */
	uint8_t n_exchanges;    /* lone requests with quick answers, in a row */
	uint8_t n_noted;        /* segments in tcp->noted */
	/* Data segments in this batch. One that is not short counts as two. */
	uint8_t n_turn_segments;
	uint8_t rcv_scale, snd_scale;
	uint8_t n_probes; /* keep-alive probes without an answer */

	/* To the guest. */
	uint16_t read_hint; /* length of the last read, saturated */
	uint32_t iss;
	uint32_t snd_una, snd_nxt, snd_max;
	uint32_t snd_wl1, snd_wl2;
	uint32_t snd_wnd, max_wnd;
	struct tcp_queue
	    kept;           /* from snd_una on: read from the socket, not acknowledged */
	uint16_t piece;     /* data bytes of a segment to the guest */
	uint8_t big;        /* enum tcp_big */
	uint8_t reordering; /* pieces ahead of a gap that show a loss */
	uint32_t big_seq;   /* of the big frame that is tried */
	uint32_t cwnd, ssthresh;
	uint32_t recover, rexmit_nxt;
	/* Before the last recovery; 0: none that can be undone. undo_bytes: sent again since
	 * then, and not reported as a duplicate. */
	uint32_t undo_cwnd, undo_ssthresh, undo_bytes;
	uint32_t srtt_us, rttvar_us; /* 0: no sample yet */
	uint32_t timed_seq;
	uint32_t send_at_ms; /* of send_timer */
	uint64_t timed_at_us;
	uint64_t
	    progress_at_us; /* the last time that a queue became shorter, or the flow began */
	uint8_t send_timer; /* enum tcp_send_timer */
	uint8_t
	    n_backoffs; /* of the timer, since data was acknowledged or the window opened */
	uint8_t n_window_probes; /* without an answer */
	uint8_t n_dupacks;
	uint32_t idle_at_ms;
	uint32_t
	    challenge_at_ms; /* no challenge or answer to an old segment before this */
	uint32_t rule;       /* id of the forward, or 0 */

	uint64_t bytes_from_guest, bytes_to_guest;
	uint64_t n_retransmitted; /* bytes */
	uint64_t opened_at_ms;
};
