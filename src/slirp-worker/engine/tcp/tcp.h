/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP machine: ends the guest's connections, and joins each to a socket of the host.
 *
 * It is pure: it gets parsed segments, events of sockets and the time, and acts only
 * through struct tcp_world. tcp_open.c and tcp_accept.c begin flows, tcp_in.c takes
 * segments, tcp_out.c sends them, tcp_loss.c finds and repairs losses, tcp_end.c ends flows.
 *
 * A turn of the worker: tcp_set_time(), then tcp_from_guest() for each segment of a batch,
 * tcp_end_batch(), tcp_host_ready() for each event, tcp_serve(), tcp_run_timers(),
 * tcp_end_turn(); then tcp_before_sleep() if nothing is ready.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "ipc/tcp_counters.h"
#include "slirp-worker/engine/tcp/tcp_flow.h"
#include "slirp-worker/flow/addr_count.h"

/* Pieces of data in a frame: 128 KiB in chunks of 4 KiB, of which two are not full. */
#define TCP_FRAME_PIECES 34

/* A frame to the guest. Everything is borrowed for the call. */
struct tcp_frame {
	const struct flow_key *key;
	const uint8_t *guest_mac, *our_mac;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window; /* as it stands in the header */
	/* Options of a SYN. mss 0: no options. */
	uint16_t mss;
	bool has_wscale, sack_ok;
	uint8_t wscale;
	uint8_t n_sack;
	const struct tcp_sack_block *sack;
	struct iovec data[TCP_FRAME_PIECES];
	int n_data;
	uint32_t data_len;
	uint16_t piece; /* the frame stands for segments of this length */
};

/* How an attempt to open a socket ended without one. */
enum tcp_outcome {
	TCP_REFUSED,          /* ECONNREFUSED and what is not below: a reset */
	TCP_HOST_UNREACHABLE, /* ICMP */
	TCP_NET_UNREACHABLE,  /* ICMP */
	TCP_PROHIBITED,       /* ICMP, administratively prohibited */
	TCP_TIMED_OUT,        /* nothing: the guest's own timer ends at the same time */
	TCP_SHORTAGE,         /* of our own: a reset */
	TCP_IGNORED,          /* nothing: the guest tries again */
};

/* The calls of the machine to the world. Results are as of the system calls, but a failure
 * is a negative errno. */
struct tcp_world {
	void *ctx;
	/* Sends a frame to the guest. 0; -EIO: the guest's interface is down; -EAGAIN: call
	 * tcp_tap_ready() later; anything else: the frame is lost. */
	int (*emit)(void *ctx, const struct tcp_frame *frame);
	/* Answers the guest's SYN with ICMP. outcome is one of the three that say so. */
	void (*unreachable)(void *ctx, const struct tcp_flow *flow,
	    enum tcp_outcome outcome);
	/* Asks for a socket to flow->link.key. The answer is tcp_opened() or tcp_refused(),
	 * also from within this call. */
	void (*open)(void *ctx, struct tcp_flow *flow);
	/* SO_ERROR of a socket: 0 or the negative errno. */
	int (*error)(void *ctx, int fd);
	ssize_t (*read)(void *ctx, int fd, const struct iovec *to, int n);
	ssize_t (*write)(void *ctx, int fd, const struct iovec *from, int n);
	/* shutdown(SHUT_WR). */
	void (*end)(void *ctx, int fd);
	/* Turns SO_KEEPALIVE on: the guest has shown that it wants this. */
	void (*keep_alive)(void *ctx, int fd);
	/* Closes the socket. is_reset: its peer gets a reset. Else both sides have ended the
	 * connection. */
	void (*close)(void *ctx, int fd, bool is_reset);
};

struct tcp_config {
	uint32_t n_flows_max;
	uint32_t n_sockets_max; /* flows with a socket; 0: as many as flows */
	size_t pool_bytes;
	uint16_t mtu_bytes;
	uint32_t
	    frame_data_max; /* data of a frame to the guest; below a piece: one piece */
	/* Data of a frame that exceeds IPv4's 65535 bytes; 0: none. For flows of the guest's
	 * own interface, whose MAC is guest_mac (tcp_big.c). */
	uint32_t big_frame_data_max;
	uint8_t guest_mac[6];
};

/* As the list in ipc/tcp_counters.h. */
enum tcp_counter {
#define X(name, text) TCP_COUNT_##name,
	IPC_TCP_COUNTERS(X)
#undef X
	    TCP_N_COUNTERS
};

/* Data segments noted in a batch: as many as frames are read for each wait. */
#define TCP_NOTED_MAX 16

struct tcp_noted {
	struct tcp_flow *flow;
	struct iovec data; /* in the frame, which stays until tcp_end_batch() */
};

struct tcp {
	const struct tcp_world *world; /* borrowed */
	struct tcp_config config;
	uint64_t now_us;
	uint32_t now_ms;
	struct flow_table flows;
	struct tcp_pool pool;
	struct tcp_wheel wheel;
	struct tcp_gaps *gaps, *free_gaps;   /* arena, and what was used and is free */
	uint32_t n_gaps;                     /* of the arena, ever used */
	struct tcp_flows touched;            /* by a segment of this batch */
	struct tcp_flows ready;              /* have something to do for the guest */
	struct tcp_flows starved;            /* wait for buffers, in order */
	struct tcp_flows opening;            /* half-open, the oldest first */
	struct tcp_flows time_wait;          /* the oldest first */
	struct tcp_flows waiting_acks;       /* until the sleep, the oldest first */
	struct tcp_flows exchange_acks;      /* also over a sleep, the oldest first */
	struct addr_count by_guest, by_peer; /* half-open flows of the guest */
	struct addr_count
	    by_forwarded; /* half-open flows of forwards, by the guest's port */
	uint32_t n_opening, n_accepted; /* half-open flows: of the guest, of forwards */
	uint32_t n_time_wait;
	struct tcp_noted noted[TCP_NOTED_MAX];
	size_t n_noted;
	uint32_t n_senders,
	    n_senders_now; /* flows with data in the last epoch, in this one */
	uint32_t epoch_ends_ms;
	uint16_t epoch;
	uint32_t give_back_at_ms;
	uint32_t starved_look_at_ms;
	uint32_t n_resets; /* of unknown flows, in this second */
	uint32_t second_ends_ms;
	bool has_looked_for_idle; /* in this second: the places are nearly used up */
	uint8_t n_big_failed;     /* trials of big frames in a row */
	bool tap_stopped;         /* emit said that the guest takes no frames */
	uint32_t tap_retry_at_ms;
	uint64_t counters[TCP_N_COUNTERS];
	uint64_t ends[TCP_N_ENDS];
};

/* Maps the memory; call it before the filter, after flow_key_make_secret(). world is
 * borrowed. Returns 0, or -1 with errno set. */
int tcp_init(struct tcp *tcp, const struct tcp_config *config,
    const struct tcp_world *world, uint64_t now_us);

/* Resets all flows towards the guest, closes their sockets, and frees the memory. */
void tcp_free(struct tcp *tcp);

/* The time (CLOCK_MONOTONIC) that is valid until the next call. */
void tcp_set_time(struct tcp *tcp, uint64_t now_us);

/* Takes a segment that the gate has passed. The frame must stay until tcp_end_batch(). */
void tcp_from_guest(struct tcp *tcp, const struct tcp_segment *segment);

/* The guest's routers say that a segment was longer than mtu_bytes (RFC 1191, RFC 8201).
 * key is of the flow, seq the number in the quoted segment. */
void tcp_too_big(struct tcp *tcp, const struct flow_key *key, uint32_t seq,
    uint32_t mtu_bytes);

/* The guest or its routers say that a segment reached nobody: as a reset if it was the SYN
 * of a forward (RFC 5461). */
void tcp_unreachable(struct tcp *tcp, const struct flow_key *key, uint32_t seq);

/* Writes the data of the batch to the sockets, and acknowledges it. */
void tcp_end_batch(struct tcp *tcp);

/* The answer to world->open: a socket that connects or has connected. fd is adopted, also if
 * the flow is gone. */
void tcp_opened(struct tcp *tcp, uint32_t index, uint32_t generation, int fd);
void tcp_refused(struct tcp *tcp, uint32_t index, uint32_t generation,
    enum tcp_outcome outcome);

/* Whether one more peer of a forward to this port of the guest may be accepted: the guest has
 * answered enough of those before it. May end an old one in its favour. */
bool tcp_may_accept(struct tcp *tcp, const struct inaddr *guest, uint16_t port);

/* Whether no flow has this key, or one that is over. */
bool tcp_key_is_free(const struct tcp *tcp, const struct flow_key *key);

/* A peer has connected to a forward. Opens a connection to the guest; key's peer is how the
 * guest sees the peer. fd is adopted. Returns NULL, with fd closed by a reset, if the key
 * is in use or there is no room. */
struct tcp_flow *tcp_accepted(struct tcp *tcp, int fd, const struct flow_key *key,
    const uint8_t guest_mac[6], const uint8_t our_mac[6], uint32_t rule);

/* Events (EPOLL...) of a flow's socket; of a flow that is gone: nothing happens. */
void tcp_host_ready(struct tcp *tcp, uint32_t index, uint32_t generation,
    uint32_t events);

/* Sends what flows have for the guest, within a budget. */
void tcp_serve(struct tcp *tcp);

/* The guest takes frames again; tcp_run_timers() tries it too. */
void tcp_tap_ready(struct tcp *tcp);

void tcp_run_timers(struct tcp *tcp);

/* Sends the acknowledgements that wait for data to go with. Call it before each sleep, not
 * before a look at what is ready. Returns whether there were any: tcp_wait_ms() may have
 * changed. */
bool tcp_before_sleep(struct tcp *tcp);

/* Frees the flows that have ended: their places may be used again. */
void tcp_end_turn(struct tcp *tcp);

/* Time until the machine wants a turn, at most a day; 0: at once. */
uint32_t tcp_wait_ms(const struct tcp *tcp);

const char *tcp_end_str(enum tcp_end end);

/* What a negative errno of connect(2) means for the guest. */
enum tcp_outcome tcp_outcome_of(int error);
