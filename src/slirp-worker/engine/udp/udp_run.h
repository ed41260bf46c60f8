/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run: datagrams of the guest that belong to one flow and differ in their data only. They
 * go out in their order, by one call if the kernel can cut it (udp(7), UDP_SEGMENT). So all
 * of them but the last have the same length, and the last is not longer. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "slirp-worker/engine/hold.h"

/* Datagrams that a kernel cuts off one call: UDP_MAX_SEGMENTS of linux/udp.h before Linux
 * 6.9, which has 128. */
#define UDP_RUN_CUTS_MAX 64

/* The longest data of a call, whether the kernel cuts it or not: IPv4's longest datagram. */
#define UDP_RUN_CALL_MAX 65507

/* A part for each frame of a batch (TAPIO_BUFFERS). */
#define UDP_RUN_PARTS_MAX 16

/* Borrows the data and the MACs. */
struct udp_run {
	struct iovec parts[UDP_RUN_PARTS_MAX]; /* of whole datagrams each */
	unsigned int first, n_parts;           /* those that are left */
	size_t len;                            /* of all data that is left, bytes */
	size_t piece_len;                      /* of each datagram but the last */
	const uint8_t *guest_mac, *our_mac;    /* source and destination of the frames */
	struct hold_fate fate;
	bool is_group;
};

/* Makes the run that of a frame's data: len bytes in datagrams of piece_len bytes, of which
 * the last may be shorter. The other fields stay. */
void udp_run_begin(struct udp_run *run, const uint8_t *data, size_t len,
    size_t piece_len);

/* Adds the data of a further frame; false, without a change, if it doesn't fit the run. */
bool udp_run_add(struct udp_run *run, const uint8_t *data, size_t len, size_t piece_len);

/* The first len bytes of the run in one piece. Uses copy, which has room for them, if they
 * lie in several. */
const uint8_t *udp_run_front(const struct udp_run *run, size_t len, uint8_t *copy);

/* The same in up to UDP_RUN_PARTS_MAX parts. Returns their number. */
unsigned int udp_run_parts(const struct udp_run *run, size_t len, struct iovec *parts);

/* As many datagrams can go in one call, or one frame of a TAP; at least 1. */
size_t udp_run_pieces_max(const struct udp_run *run);

/* The datagrams in the first len bytes. */
static inline size_t
udp_run_count(const struct udp_run *run, size_t len)
{
	return run->piece_len == 0 ? 1 : (len - 1) / run->piece_len + 1;
}

/* Takes len bytes, of whole datagrams, from the run's front. */
void udp_run_drop(struct udp_run *run, size_t len);

/* The length of the last datagram. */
size_t udp_run_last_len(const struct udp_run *run);

static inline bool
udp_run_is_empty(const struct udp_run *run)
{
	return run->n_parts == 0;
}
