/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of flows: found by key, by place, or one after the other. Its memory is mapped
 * once, before the jail, and flows do not move. Pages of places that were never used are
 * not resident.
 *
 * Every function but flow_table_reap() and the walks takes a constant time: the hash is
 * keyed, so a guest cannot make a chain long.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/flow_key.h"

/* A generation has this many bits, so that it fits a handle beside a place and a kind. */
#define FLOW_GENERATION_BITS 24

/* Longer than any chain of a random hash: with as many chains as places, one in 10^14. */
#define FLOW_CHAIN_LONG 16

/* The first member of each flow. Others read key and generation only. */
struct flow_link {
	struct flow_key key;
	uint32_t
	    next; /* in its chain, or in a list of the table: a place plus 1; 0: none */
	uint32_t generation : FLOW_GENERATION_BITS;
	uint32_t state : 8;
};

struct flow_table {
	uint8_t *flows;
	uint32_t *chains; /* the first flow of each: its place plus 1 */
	size_t flow_size;
	uint32_t n_chains;     /* in use; never fewer than before */
	uint32_t n_chains_max; /* a power of two */
	uint32_t chain_mask;   /* the least power of two not below n_chains, less 1 */
	uint32_t n_max;
	uint32_t n_places; /* that were used at some time; the others follow them */
	uint32_t n_live;
	uint32_t first_free; /* of the free places among these; the last one used first */
	uint32_t first_dead; /* of the removed flows */
	uint64_t
	    n_long_chains; /* flows added to a chain over FLOW_CHAIN_LONG: a defect */
	void *mapping;
	size_t mapping_len;
};

/* A table of n_max flows of flow_size bytes, which is a multiple of 8. Call
 * flow_key_make_secret() first. Returns 0, or -1 with errno set. flow_table_free() may be
 * called in both cases. */
int flow_table_init(struct flow_table *table, size_t flow_size, uint32_t n_max);
void flow_table_free(struct flow_table *table);

/* A new flow, which the table does not have yet: zeros but for its link. The table owns
 * it. NULL: the table is full. */
void *flow_table_add(struct flow_table *table, const struct flow_key *key);

/* NULL: the table does not have it. */
void *flow_table_find(const struct flow_table *table, const struct flow_key *key);

/* The flow of a handle: a place and a generation, which is never 0. NULL: the flow of
 * this handle was removed. */
void *flow_table_at(const struct flow_table *table, uint32_t index, uint32_t generation);

/* The place of a flow; the generation of its handle is in its link. */
uint32_t flow_table_index(const struct flow_table *table, const void *flow);

/* Makes the flow unfindable: its key may be added again at once, and its handle is stale.
 * The memory stays as it is until flow_table_reap(). */
void flow_table_remove(struct flow_table *table, void *flow);

/* The end of the turn: places of removed flows may be used again. */
void flow_table_reap(struct flow_table *table);

/* The live flow in the next place after this one's; flow may be removed already. NULL
 * starts, and ends. A walk looks at all places that were used at some time. Flows that
 * are added during a walk may be missed. */
void *flow_table_next(const struct flow_table *table, const void *flow);

/* The live flow in the first place from index on; NULL: there is none. A walk that goes on
 * later by places meets no flow twice. */
void *flow_table_from(const struct flow_table *table, uint32_t index);
