/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's MACs by IP address: who gets a frame to an address of the guest. A guest can
 * have many addresses, and MACs behind a bridge. The table learns from frames that passed
 * the gate; an address that it does not know is asked for by ARP (RFC 826) or a neighbor
 * solicitation (RFC 4861 7.2.2). Pure functions over bytes and a clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "base/mac.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/wire/wire.h"

/* More than the containers that a rootless user runs behind one bridge. The search is
 * linear. A guest that fills the table with invented addresses costs itself one more
 * request for each real one. */
#define NEIGH_MAX 256

/* A MAC may change while the guest is silent, and nothing tells. A request costs one
 * frame, so ask again after a minute; Linux asks after 15 to 45 s (arp(7),
 * base_reachable_time). */
#define NEIGH_LIFE_MS 60000

struct neigh_entry {
	struct inaddr addr;
	struct mac mac;
	uint64_t seen_ms; /* CLOCK_MONOTONIC, of the last frame that told */
};

/* All zeros is an empty table. */
struct neigh {
	struct neigh_entry entries[NEIGH_MAX];
	size_t n;
	size_t last; /* the entry of the last frame, which the next frame often has too */
};

/*
 * Notes what a frame tells: the sender of ARP, the source of IP, the target of a neighbor
 * advertisement. The last frame is right. If the table is full, the address that has been
 * silent for longest is forgotten. frame and parsed are from a gate_check() that returned
 * GATE_PASS or GATE_PING.
 */
void neigh_learn(struct neigh *neigh, const struct gate *gate, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms);

/* Finds the MAC of the guest's address. False if no frame told it in NEIGH_LIFE_MS: the
 * caller asks. */
bool neigh_find(const struct neigh *neigh, const struct inaddr *addr, uint64_t now_ms,
    struct mac *mac);

/* The longest request: a neighbor solicitation with the asker's MAC. */
#define NEIGH_REQUEST_MAX \
	(WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_ND_NEIGHBOR_LEN + WIRE_ND_OPTION_UNIT)

/* Writes a frame that asks everybody for the MAC of addr, and returns its length. The
 * answer goes to the asker, whose address has the same family. The answer is a frame of
 * the guest, for neigh_learn(). */
size_t neigh_write_request(uint8_t out[NEIGH_REQUEST_MAX], const struct inaddr *addr,
    const struct inaddr *asker, const struct mac *asker_mac);
