/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembly of the guest's IPv4 and IPv6 fragments (RFC 791, RFC 8200 4.5), so that none
 * ever reaches the network stack. Memory is allocated once; no packet allocates.
 */
#pragma once

#include "ipc/drop_reasons.h"
#include "slirp-worker/gate/gate.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Datagrams in the making at once, each with room for the longest: 2.2 MB at most, and
 * only what is used becomes resident. A guest's kernel queues the fragments of a datagram
 * one behind the other, so this is the number of its processors that may be in the middle
 * of one. When all are taken, the one that has gone longest without a new fragment gives
 * way: a datagram that moves survives a flood as long as fewer than this many new ones
 * come between two of its fragments. There is no limit for a single source: a source
 * address is only what a guest says.
 */
#define REASS_MAX_DATAGRAMS 32

/* From the first fragment to come. IPv4: RFC 1122 3.3.2 asks for a fixed time and its
 * 60 s suits slow paths; here there is none, and 30 s is what Linux takes. */
#define REASS_LIFE4_MS 30000
/* RFC 8200 4.5. */
#define REASS_LIFE6_MS 60000

/* The longest IPv4 payload in the 48-byte pieces that IPv4's smallest MTU of 68 leaves
 * (RFC 791 3.2): no path makes more fragments of one datagram. */
#define REASS_MAX_FRAGMENTS ((65535 - 20 + 47) / 48)

struct reass_datagram;

struct reass {
	struct reass_datagram *datagrams; /* and a spare one behind the last */
	uint64_t n_steps; /* orders the datagrams by their last fragment */
	/* Datagrams lost without a frame of their own to blame; only ever grow. */
	uint64_t n_evicted;
	uint64_t n_expired;
};

enum reass_outcome {
	REASS_KEPT,     /* more fragments are needed */
	REASS_COMPLETE, /* *whole_frame is a frame of its own, to be checked again */
	REASS_DROPPED,  /* *reason says why */
};

/* Returns 0, or -1 with errno set. reass_free() may follow in both cases. */
int reass_init(struct reass *reass);
void reass_free(struct reass *reass);

/*
 * Takes a frame for which gate_check() said GATE_FRAGMENT. The whole frame has no
 * fragment header and a right IP header; it belongs to reass, may be written to, and
 * stays until the next call.
 *
 * Fragments that overlap or disagree on the end give the whole datagram up, and what
 * still comes of it until its time is over (RFC 5722; IPv4 is treated likewise). A
 * fragment that came before, with the same bytes, is ignored (RFC 8200 4.5). An IPv6
 * fragment that is the whole datagram stands for itself (RFC 6946).
 */
enum reass_outcome reass_add(struct reass *reass, const struct gate_frame *parsed,
    const uint8_t *frame, uint64_t now_ms, uint8_t **whole_frame, size_t *whole_len,
    enum ipc_drop_reason *reason);

/* Gives up datagrams whose time is over; returns how many. */
unsigned int reass_expire(struct reass *reass, uint64_t now_ms);

/* When reass_expire() has something to do next; UINT64_MAX when nothing waits. */
uint64_t reass_next_deadline(const struct reass *reass);
