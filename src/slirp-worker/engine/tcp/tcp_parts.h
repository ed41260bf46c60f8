/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions and numbers that the files of the TCP machine share. */
#pragma once

#include "base/inaddr.h"
#include "slirp-worker/engine/tcp/tcp.h"
#include "slirp-worker/wire/tcp_seq.h"
#include "slirp-worker/wire/wire.h"

#define TCP_US_PER_MS 1000

/* Our window scale: windows of up to 8 MiB in steps of 128 bytes. */
#define TCP_OUR_WSCALE 7

/* Bytes of a flow that may wait for its socket: at the start one frame; at the least half of
 * that, so that many flows fit the guest's queue, but two segments (tcp_window_min()); at
 * most what keeps 10 Gbit/s going for 3 ms. */
#define TCP_WINDOW_START 65536u
#define TCP_WINDOW_MIN 32768u
#define TCP_WINDOW_MAX (UINT32_C(4) << 20)

/* All windows together: the guest's queue has room for 500 frames or more, of which the
 * kernel drops what exceeds it (drivers/net/tun.c, tun_net_xmit). */
#define TCP_WINDOWS_SUM (UINT32_C(16) << 20)

/* Congestion window: the start is one frame, or RFC 6928's ten segments; at most the
 * largest window. */
#define TCP_CWND_START 65536u
#define TCP_CWND_START_PIECES 10
#define TCP_CWND_MAX TCP_WINDOW_MAX

/* Shortest segment length that a guest may ask for: IPv4's 68 bytes of MTU, less headers
 * and 20 bytes of options (RFC 791 3.2), rounded up as Linux does (tcp_min_snd_mss). */
#define TCP_PIECE_MIN 88

/* A segment length without the option (RFC 9293 3.7.1). */
#define TCP_PIECE_DEFAULT4 536
#define TCP_PIECE_DEFAULT6 1220

/* Longer segments make the guest's window coarse, and gain nothing: a frame stands for
 * many segments. */
#define TCP_PIECE_MAX 1448

/* Bytes read for one flow and not acknowledged: at least one frame. */
#define TCP_KEPT_MIN 65536u
#define TCP_KEPT_MAX TCP_WINDOW_MAX

/* A flow whose last read was shorter gets small chunks, and is served first. */
#define TCP_SMALL_READ 2048

/* Chunks for one readv(2) or writev(2). */
#define TCP_IOV_MAX 16

/* Frames for one flow before others are served, and bytes for all in one turn: a request
 * waits for at most this many. */
#define TCP_VISIT_FRAMES 4
#define TCP_TURN_BYTES (UINT32_C(1) << 20)

/* Flows served in one turn, also if they have little to send. */
#define TCP_TURN_VISITS 256

/* Flows whose timers fire in one turn: 10,000 timeouts at once must not delay frames. */
#define TCP_TIMERS_A_TURN 256

/* Half-open flows: in all, of one guest address, and to one peer's address. */
#define TCP_OPENING_MAX 1024
#define TCP_OPENING_BY_GUEST 512
#define TCP_OPENING_BY_PEER 256

/* Half-open flows of forwards: in all, and to one port of an address of the guest. A server
 * that hangs must not keep peers from another one. More peers stay in the queues of the
 * listening sockets. */
#define TCP_ACCEPTED_MAX 1024
#define TCP_ACCEPTED_BY_PORT 256

/* A flow that has been half-open for so long gives way if others want in. */
#define TCP_OPENING_OLD_MS 20000

/* An attempt to connect that has no result: Linux gives up after 127 s, unless an
 * administrator wants more (ip-sysctl, tcp_syn_retries), and so does a guest. */
#define TCP_CONNECT_MAX_MS 180000

/* Nothing of a flow can be under way longer than this between the guest and here. */
#define TCP_TIME_WAIT_MS 2000
#define TCP_TIME_WAIT_MAX 4096

/* Flows with a gap at a time. A gap to or from a guest closes in milliseconds. Without a
 * record the data ahead is dropped, and the guest sends again. */
#define TCP_GAPS_MAX 4096

/* Places that TIME_WAIT leaves to new flows, as a part of the table: a batch of SYNs fits. */
#define TCP_TIME_WAIT_SPARE_DIVISOR 8

/* Retransmission (RFC 6298): the first is of a flow without a sample. The lower bound is
 * Linux's (TCP_RTO_MIN). */
#define TCP_RTO_FIRST_MS 1000
#define TCP_RTO_MIN_MS 200
#define TCP_RTO_MAX_MS 60000
#define TCP_BACKOFFS_MAX 12
#define TCP_SYN_BACKOFFS_MAX 5

/* A lost end of data is found after two round trips, at least 10 ms (RFC 8985 7.2); if one
 * frame is out, 40 ms more, for the guest's delayed acknowledgement. */
#define TCP_TAIL_PROBE_MIN_MS 10
#define TCP_TAIL_PROBE_ALONE_MS 40

/* Pause before less than a piece is sent into a small window (RFC 9293 3.8.6.2.1), and
 * before the first probe of a closed one. */
#define TCP_WINDOW_WAIT_MS 200

/* An acknowledgement waits so long for data to go with it, while the worker does not sleep:
 * as long as a wait looks before it sleeps (POLLER_SPIN_MAX_NS). */
#define TCP_ACK_WAIT_US 50

/* After so many requests with answers within this time, the acknowledgement of a request
 * waits so long for its answer: the round trip of a network nearby. */
#define TCP_EXCHANGES_MIN 3
#define TCP_EXCHANGE_US 2000

/* The guest is asked whether it still has the connection: after two hours (RFC 9293 3.8.4),
 * and of a half-closed one after 75 s: Linux forgets its half after 60 s if the program has
 * ended (tcp_fin_timeout). Four unanswered probes end the flow. */
#define TCP_IDLE_MS (UINT32_C(7200) * 1000)
#define TCP_IDLE_HALF_CLOSED_MS 75000
#define TCP_IDLE_PROBE_MS 15000
#define TCP_IDLE_PROBES_MAX 4

/* If fewer than this part of the places is free, half-closed flows are asked that have been
 * idle for so long; the flows are looked through once a second. */
#define TCP_NEARLY_FULL_DIVISOR 8
#define TCP_NEARLY_FULL_IDLE_MS 5000

/* A flow whose bytes have waited so long for the socket gets a smaller window. */
#define TCP_TAIL_SLOW_MS 100

/* Windows are shared among the flows in which the guest sent in this time. */
#define TCP_EPOCH_MS 100

/* Buffers for bulk are used up: a flow without progress for so long is ended. */
#define TCP_NO_PROGRESS_US (UINT64_C(30) * 1000 * 1000)
#define TCP_STARVED_LOOK_MS 1000

/* Pause before frames are tried again: the guest's interface is down, or its client's
 * queue is full. */
#define TCP_TAP_DOWN_MS 100
#define TCP_TAP_FULL_MS 1

/* Free chunks go back to the kernel so often. */
#define TCP_GIVE_BACK_MS 1000

/* Resets of unknown flows in a second. A worker that was started again resets each connection
 * that the guest had, and a guest has thousands. */
#define TCP_RESETS_PER_S 10000

/* Challenges and answers to old segments of one flow: one in this time. Without it two
 * ends with closed windows answer each other for ever. All flows together have no limit: a
 * container in the guest could learn from one whether a segment with a forged source was
 * challenged (CVE-2016-5696). */
#define TCP_CHALLENGE_MS 500

/* Reports of segments ahead that show a loss (RFC 5681 3.2). If few frames are out one is
 * enough: a frame stands for many segments. */
#define TCP_DUPACKS 3
#define TCP_FEW_FRAMES 3

/* The same for a guest whose frames overtake each other: doubled each time that what was
 * sent again was not lost. Below the number of duplicates that a flow counts. */
#define TCP_REORDERING_MAX 192

/* Trials of big frames that fail in a row before no flow tries any more: a single one may
 * be an ordinary loss. Each costs its flow a timeout. */
#define TCP_BIG_FAILURES_MAX 3

static inline void
tcp_count(struct tcp *tcp, enum tcp_counter counter, uint64_t n)
{
	tcp->counters[counter] += n;
}

static inline uint32_t
tcp_min(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t
tcp_max(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Whether the time at_ms has come. */
static inline bool
tcp_is_due(const struct tcp *tcp, uint32_t at_ms)
{
	return (int32_t)(tcp->now_ms - at_ms) >= 0;
}

static inline bool
tcp_is_ip6(const struct tcp_flow *flow)
{
	return flow_key_is_ip6(&flow->link.key);
}

/* The IP and TCP headers of a segment without options. */
static inline uint32_t
tcp_head_len(bool is_ip6)
{
	return (is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN) + WIRE_TCP_LEN;
}

/* Whether the next frame may exceed 65535 bytes. */
static inline bool
tcp_takes_big(const struct tcp *tcp, const struct tcp_flow *flow)
{
	return flow->big == TCP_BIG_WORKS ||
	    (flow->big == TCP_BIG_UNTRIED && tcp->n_big_failed < TCP_BIG_FAILURES_MAX);
}

/* The number of half-open flows that this one counts in. */
static inline uint32_t *
tcp_opening_counter(struct tcp *tcp, const struct tcp_flow *flow)
{
	return flow->is_forward ? &tcp->n_accepted : &tcp->n_opening;
}

/* Data of the longest frame for the flow. */
static inline uint32_t
tcp_frame_max(const struct tcp *tcp, const struct tcp_flow *flow)
{
	if (tcp_takes_big(tcp, flow))
		return tcp->config.big_frame_data_max;
	return tcp_max(tcp->config.frame_data_max, flow->piece);
}

/* Data of the longest segment that the guest may send. */
static inline uint32_t
tcp_our_mss(const struct tcp *tcp, const struct tcp_flow *flow)
{
	return tcp->config.mtu_bytes - tcp_head_len(tcp_is_ip6(flow));
}

/* A guest waits for its timer before it sends into a window below a segment; and a window is
 * rounded down to our scale. */
static inline uint32_t
tcp_window_min(const struct tcp *tcp, const struct tcp_flow *flow)
{
	return tcp_max(TCP_WINDOW_MIN,
	    2 * (tcp_our_mss(tcp, flow) + (1u << TCP_OUR_WSCALE)));
}

/* One past the last byte read from the socket. */
static inline uint32_t
tcp_kept_end(const struct tcp_flow *flow)
{
	return flow->snd_una + flow->kept.n_bytes;
}

/* One past the last byte that the guest's window allows. */
static inline uint32_t
tcp_send_edge(const struct tcp_flow *flow)
{
	return flow->snd_wl2 + flow->snd_wnd;
}

/* tcp.c */
void tcp_touch(struct tcp *tcp, struct tcp_flow *flow);      /* into tcp->touched */
void tcp_make_ready(struct tcp *tcp, struct tcp_flow *flow); /* into tcp->ready */
void tcp_starve(struct tcp *tcp, struct tcp_flow *flow);     /* into tcp->starved */
void tcp_unready(struct tcp *tcp, struct tcp_flow *flow);    /* out of both */
void tcp_schedule(struct tcp *tcp, struct tcp_flow *flow, uint32_t at_ms);
bool tcp_may_challenge(struct tcp *tcp, struct tcp_flow *flow);
bool tcp_may_reset(struct tcp *tcp);
struct tcp_gaps *tcp_gaps_of(struct tcp *tcp,
    struct tcp_flow *flow);                                /* NULL: none left */
void tcp_gaps_put(struct tcp *tcp, struct tcp_flow *flow); /* if empty */

/* tcp_open.c */
void tcp_open_from_guest(struct tcp *tcp, const struct flow_key *key,
    const struct tcp_segment *segment);
bool tcp_in_opening(struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);
/* A half-open flow; NULL if there is no room for it. */
struct tcp_flow *tcp_make_flow(struct tcp *tcp, const struct flow_key *key,
    bool is_forward);
/* Takes what the guest's SYN or SYN-ACK says. */
void tcp_take_options(const struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);
void tcp_start_sending(const struct tcp *tcp, struct tcp_flow *flow);
/* Data of a segment to the guest; mss is the guest's option, or 0. */
uint16_t tcp_piece_of(const struct tcp *tcp, bool is_ip6, uint16_t mss);
/* An attempt to connect has ended with these events (EPOLL...). */
void tcp_host_connected(struct tcp *tcp, struct tcp_flow *flow, uint32_t events);
void tcp_opening_timeout(struct tcp *tcp, struct tcp_flow *flow);
void tcp_established(struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);

/* tcp_accept.c */
void tcp_in_syn_sent(struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);

/* tcp_in.c */
/* The socket failed. Bytes that it has received are still to be delivered; then the guest
 * gets a reset (tcp_out.c). */
void tcp_host_fails(struct tcp *tcp, struct tcp_flow *flow, int error);
void tcp_note_failure(struct tcp_flow *flow, int error); /* of a read or write */
void tcp_flush_noted(struct tcp *tcp, struct tcp_flow *flow);
void tcp_note_tail(struct tcp *tcp, struct tcp_flow *flow); /* after it has grown */
void tcp_drain_tail(struct tcp *tcp, struct tcp_flow *flow);
void tcp_settle_input(struct tcp *tcp, struct tcp_flow *flow); /* at the end of a batch */
void tcp_take_window(struct tcp_flow *flow, const struct tcp_segment *segment,
    bool is_probe);

/* tcp_ack.c */
/* At the end of a batch: acknowledges what the guest has sent, or lets that wait. */
void tcp_acknowledge(struct tcp *tcp, struct tcp_flow *flow);
void tcp_ack_wait(struct tcp *tcp, struct tcp_flow *flow);
void tcp_ack_forget(struct tcp *tcp, struct tcp_flow *flow);         /* it is sent */
void tcp_ack_answered(const struct tcp *tcp, struct tcp_flow *flow); /* the host sent */
void tcp_send_late_acks(struct tcp *tcp);
uint32_t tcp_ack_wait_ms(const struct tcp *tcp); /* until one is late */

/* tcp_out.c */
void tcp_send_empty(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint8_t flags);
void tcp_send_ack(struct tcp *tcp, struct tcp_flow *flow);
uint32_t tcp_empty_seq(const struct tcp_flow *flow); /* of a segment without data */
void tcp_send_syn(struct tcp *tcp, struct tcp_flow *flow);
/* A reset as an answer to a segment (RFC 9293 3.10.7.1); src and dst of the segment are the
 * guest's and ours. flow: NULL, or the flow that the segment named. */
void tcp_send_reset(struct tcp *tcp, const struct flow_key *key,
    const struct tcp_segment *segment);
/* Sends what the flow may send, within *n_bytes; returns whether it wants another visit. */
bool tcp_visit(struct tcp *tcp, struct tcp_flow *flow, uint32_t *n_bytes);
/* Sends one frame of what was sent before, at most len bytes; returns how much of the
 * sequence went out. */
uint32_t tcp_send_range(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq,
    uint32_t len);
/* Whether the next segment can tell of a larger window. */
bool tcp_window_opens(const struct tcp *tcp, const struct tcp_flow *flow);
bool tcp_has_something(const struct tcp_flow *flow); /* to send to the guest */

/* tcp_loss.c */
uint32_t tcp_rto_ms(const struct tcp_flow *flow);
void tcp_sent(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq, uint32_t seq_len);
void tcp_set_send_timer(struct tcp *tcp, struct tcp_flow *flow, enum tcp_send_timer timer,
    uint32_t ms);
void tcp_arm_retransmit(struct tcp *tcp, struct tcp_flow *flow);
void tcp_acked(struct tcp *tcp, struct tcp_flow *flow, uint32_t ack);
/* Returns whether the segment reports bytes that none before it has reported. */
bool tcp_take_sack(struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);
void tcp_duplicate_ack(struct tcp *tcp, struct tcp_flow *flow);
void tcp_send_timeout(struct tcp *tcp, struct tcp_flow *flow);
/* The flow in this state whose segment under way an ICMP error quotes; NULL: none, and the
 * error is counted. */
struct tcp_flow *tcp_quoted(struct tcp *tcp, const struct flow_key *key, uint32_t seq,
    enum tcp_state state);
uint32_t tcp_pipe(const struct tcp_flow *flow); /* bytes under way to the guest */
bool tcp_next_hole(const struct tcp_flow *flow, uint32_t *seq, uint32_t *len);

/* tcp_gaps.c */
/* Keeps data ahead of a gap; returns whether any of it was kept. */
bool tcp_keep_ahead(struct tcp *tcp, struct tcp_flow *flow, uint32_t seq,
    const uint8_t *data, uint32_t len);
/* Moves what follows rcv_nxt to the tail. */
void tcp_close_gap(struct tcp *tcp, struct tcp_flow *flow);
int tcp_sack_blocks(const struct tcp_flow *flow,
    struct tcp_sack_block blocks[TCP_SACK_MAX]);

/* tcp_big.c: frames of more than 65535 bytes. */
/* From the guest's SYN or SYN-ACK: whether the flow may try one. */
void tcp_big_begin(const struct tcp *tcp, struct tcp_flow *flow,
    const struct tcp_segment *segment);
void tcp_big_sent(const struct tcp *tcp, struct tcp_flow *flow, uint32_t seq,
    uint32_t data_len);
void tcp_big_acked(struct tcp *tcp, struct tcp_flow *flow); /* snd_una has moved */
void tcp_big_lost(struct tcp *tcp, struct tcp_flow *flow);  /* something is sent again */

/* tcp_end.c: the only functions that end a flow. */
/* Closes the socket and frees everything; the guest hears nothing. */
void tcp_end_flow(struct tcp *tcp, struct tcp_flow *flow, enum tcp_end end);
/* The same, with a reset to the guest before. */
void tcp_abort(struct tcp *tcp, struct tcp_flow *flow, enum tcp_end end);
/* Ends the flow, or begins its TIME_WAIT, if both directions are done. */
void tcp_end_if_done(struct tcp *tcp, struct tcp_flow *flow);
void tcp_shorten_time_wait(struct tcp *tcp);
void tcp_uncount_opening(struct tcp *tcp, const struct flow_key *key, bool is_forward);
void tcp_not_opening(struct tcp *tcp,
    struct tcp_flow *flow); /* it is half-open no longer */
void tcp_idle_timeout(struct tcp *tcp, struct tcp_flow *flow);
/* The guest has ended, and answers a keep-alive probe with a reset: its program is gone. */
void tcp_guest_forgot(struct tcp *tcp, struct tcp_flow *flow);
void tcp_heard(struct tcp *tcp, struct tcp_flow *flow); /* the guest has it still */
/* Asks the guest at once for the half-closed flows that it may have forgotten. */
void tcp_probe_if_nearly_full(struct tcp *tcp);
