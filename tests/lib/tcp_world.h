/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A world for the TCP machine without a kernel: sockets and a guest that a test moves. Every
 * call of the machine becomes a line of text. All bytes follow a pattern of their place in
 * the stream, so that a wrong byte is noticed where it arrives.
 */
#pragma once

#include "slirp-worker/engine/tcp/tcp.h"

/* Flows differ in the guest's port. Each FAKE_FLOWS_A_PEER have a peer, and each
 * FAKE_FLOWS_A_GUEST an address of the guest: enough for the limits of half-open flows. */
#define FAKE_FLOWS 1800
#define FAKE_FLOWS_A_PEER 300
#define FAKE_FLOWS_A_GUEST 900
#define FAKE_GUEST_PORT 40000
#define FAKE_PEER_PORT 80

/* Flow N has this socket and N. */
#define FAKE_FD_FIRST 100

#define FAKE_LINES_MAX 4096
#define FAKE_LINE_LEN 200

/* A socket takes everything. */
#define FAKE_TAKES_ALL UINT64_MAX

/* For loops over bytes, of which a fuzzer learns nothing. */
#ifdef __clang__
#define FAKE_NO_COVERAGE __attribute__((no_sanitize("coverage")))
#else
#define FAKE_NO_COVERAGE
#endif

struct fake_flow {
	/* The socket. */
	bool is_open;
	bool wants_open;   /* open() was called */
	bool was_closed;   /* by the machine */
	bool was_reset;    /* the same, with a reset */
	int connect_error; /* negative errno that error() returns */
	uint64_t n_sent;   /* bytes that the peer has sent, and of these what was read */
	uint64_t n_read;
	bool has_eof;
	int read_error;   /* after the data */
	uint64_t n_taken; /* bytes from the machine, and how many more fit */
	uint64_t n_takes;
	uint64_t n_told; /* of these, in lines */
	int write_error;
	bool is_shut;
	/* Numbers in lines count from these. */
	uint32_t guest_isn, our_isn;
	bool knows_ours;
	struct flow_link handle; /* of the last open() */
	uint32_t index;
};

struct fake_world {
	struct tcp tcp;
	struct tcp_world calls;
	bool is_ip6;
	uint64_t now_us;
	int emit_error;
	unsigned n_emit_errors;
	bool is_awake; /* the worker does not sleep between turns */
	int n_used;    /* flows from here on never had a socket */
	struct fake_flow flow[FAKE_FLOWS];
	/* Instead of lines: gets each frame that was not refused. */
	void (*frame_hook)(struct fake_world *world, int flow,
	    const struct tcp_frame *frame);
	char lines[FAKE_LINES_MAX][FAKE_LINE_LEN];
	size_t n_lines, n_taken_lines;
	unsigned
	    check_every; /* turns, for a fuzzer that makes many; 0: check all of them */
	unsigned n_turns;
	const char *fault; /* what a wrong byte or call was; NULL: none */
};

/* Begins with a pool and windows as the worker has them. */
void fake_begin(struct fake_world *world, const struct tcp_config *config, bool is_ip6,
    uint64_t now_us);
void fake_end(struct fake_world *world);

struct flow_key fake_key(const struct fake_world *world, int flow);

/* A segment of the guest with data_len bytes of the pattern; seq and ack are absolute, and
 * options as in *segment. buffer has room for the data, and lasts until the batch ends. */
void fake_guest_sends(struct fake_world *world, int flow, struct tcp_segment *segment,
    uint8_t *buffer);

/* Gives the events to the flow's socket. */
void fake_host_event(struct fake_world *world, int flow, uint32_t events);

/* Ends the batch, and does what a turn of the worker does. Checks all invariants. */
void fake_turn(struct fake_world *world);
