/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembles the guest's IPv4 and IPv6 fragments (RFC 791, RFC 8200 4.5), so that the
 * network stack gets none. Allocates memory once, at its start.
 */
#pragma once

#include "ipc/drop_reasons.h"
#include "slirp-worker/gate/gate.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Incomplete datagrams at once, each with a buffer for the longest datagram: 2.2 MB at
 * most, and only used pages become resident. A guest's kernel queues all fragments of a
 * datagram together, so this limits how many of the guest's processors can be inside one.
 *
 * If all are in use, a new datagram evicts the one that has been longest without a new
 * fragment. So a datagram survives a flood as long as fewer than this many new ones
 * arrive between two of its fragments. There is no limit for each source: a guest can
 * send from any address.
 */
#define REASS_MAX_DATAGRAMS 32

/* Counted from the first fragment. RFC 1122 3.3.2 advises a fixed time for IPv4, and 60 s
 * for slow paths. This path is fast; Linux uses 30 s. */
#define REASS_LIFE4_MS 30000
/* RFC 8200 4.5. */
#define REASS_LIFE6_MS 60000

/* IPv4's smallest MTU of 68 leaves 48 bytes for data (RFC 791 3.2): no path makes more
 * fragments of the longest IPv4 payload. */
#define REASS_MAX_FRAGMENTS ((65535 - 20 + 47) / 48)

struct reass_datagram;

struct reass {
	struct reass_datagram *datagrams; /* REASS_MAX_DATAGRAMS, and one spare */
	uint64_t n_steps; /* orders the datagrams by their last fragment */
	/* Datagrams lost without a drop reason for a frame; only increase. */
	uint64_t n_evicted;
	uint64_t n_expired;
};

enum reass_outcome {
	REASS_KEPT,     /* more fragments are needed */
	REASS_COMPLETE, /* *whole_frame is a whole frame; check it again */
	REASS_DROPPED,  /* for *reason */
};

/* Returns 0, or -1 with errno set. Tests call reass_free() in both cases; a worker leaves the
 * memory to the kernel. */
int reass_init(struct reass *reass);
void reass_free(struct reass *reass);

/*
 * Takes a frame for which gate_check() returned GATE_FRAGMENT. The whole frame has no
 * fragment header and a valid IP header. It belongs to reass, may be changed, and stays
 * valid until the next call.
 *
 * If fragments overlap or disagree on the end, the whole datagram is given up, and its
 * later fragments are dropped until its timeout (RFC 5722; IPv4 is treated likewise). A
 * duplicate with the same bytes is ignored (RFC 8200 4.5). An IPv6 fragment that is a
 * whole datagram does not affect others (RFC 6946).
 */
enum reass_outcome reass_add(struct reass *reass, const struct gate_frame *parsed,
    const uint8_t *frame, uint64_t now_ms, uint8_t **whole_frame, size_t *whole_len,
    enum ipc_drop_reason *reason);

/* Gives up datagrams after their timeout; returns how many. */
unsigned int reass_expire(struct reass *reass, uint64_t now_ms);

/* The time of the next timeout; DEADLINE_NONE if there is none. */
uint64_t reass_next_deadline(const struct reass *reass);
