/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of flows.
 *
 * Theory of operation
 * The flows are an array; the index of a flow is its place. Places are linked by number,
 * and a link is a place plus 1, so that a zeroed table is an empty one and untouched
 * pages stay untouched. The number of chains grows with the flows (linear hashing): each new
 * flow splits at most CHAINS_A_FLOW chains, so that no flow waits for a whole table to be
 * hashed again, and few flows use few pages of chains. A flow is in one list: the chain
 * of its hash while it is live, the dead ones from its removal to the end of the turn,
 * then the free ones. The place that was freed last is used first: few pages are in use
 * if few flows are.
 */
#include "model/flow_table.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <sys/mman.h>

#include "base/mapping.h"

/* Handles have 32 bits for a place. This is far below, and keeps sizes small. */
#define PLACES_MAX (1U << 24)

#define GENERATION_MAX ((1U << FLOW_GENERATION_BITS) - 1)

/* A table has two chains for each flow, until n_chains_max. */
#define CHAINS_A_FLOW 2

enum { FLOW_FREE, FLOW_LIVE, FLOW_DEAD };

int
flow_table_init(struct flow_table *table, size_t flow_size, uint32_t n_max)
{
	*table = (struct flow_table){
		.flow_size = flow_size,
		.n_max = n_max,
		.n_chains = 1,
		.n_chains_max = 1,
	};
	if (n_max == 0 || n_max > PLACES_MAX || flow_size < sizeof(struct flow_link) ||
	    flow_size % sizeof(uint64_t) != 0) {
		errno = EINVAL;
		return -1;
	}
	while (table->n_chains_max < n_max)
		table->n_chains_max *= 2;
	table->mapping_len = n_max * flow_size + table->n_chains_max * sizeof(uint32_t);
	table->mapping = mapping_new(table->mapping_len);
	if (table->mapping == NULL)
		return -1;
	table->flows = table->mapping;
	table->chains = (uint32_t *)(table->flows + n_max * flow_size);
	return 0;
}

void
flow_table_free(struct flow_table *table)
{
	if (table->mapping != NULL)
		munmap(table->mapping, table->mapping_len);
	*table = (struct flow_table){ 0 };
}

static struct flow_link *
at(const struct flow_table *table, uint32_t index)
{
	return (struct flow_link *)(table->flows + index * table->flow_size);
}

static uint32_t *
chain_of(const struct flow_table *table, const struct flow_key *key)
{
	uint32_t hash = (uint32_t)flow_key_hash(key);
	uint32_t chain = hash & table->chain_mask;

	/* Not split yet. */
	if (chain >= table->n_chains)
		chain = hash & table->chain_mask >> 1;
	return &table->chains[chain];
}

/* Splits the next chain in two: the upper one gets the flows whose hash has one bit more. */
static void
split_chain(struct flow_table *table)
{
	uint32_t upper = table->n_chains, first;
	uint32_t *ends[2];

	if (upper > table->chain_mask)
		table->chain_mask = 2 * table->chain_mask + 1;
	ends[0] = &table->chains[upper & table->chain_mask >> 1];
	ends[1] = &table->chains[upper];
	first = *ends[0];
	table->n_chains++;
	*ends[0] = *ends[1] = 0;
	while (first != 0) {
		struct flow_link *link = at(table, first - 1);
		bool is_upper = chain_of(table, &link->key) == &table->chains[upper];

		*ends[is_upper] = first;
		ends[is_upper] = &link->next;
		first = link->next;
		link->next = 0;
	}
}

/* For one flow more. */
static bool
needs_chain(const struct flow_table *table)
{
	return table->n_chains < table->n_chains_max &&
	    table->n_chains / CHAINS_A_FLOW <= table->n_live;
}

uint32_t
flow_table_index(const struct flow_table *table, const void *flow)
{
	return (
	    uint32_t)((size_t)((const uint8_t *)flow - table->flows) / table->flow_size);
}

void *
flow_table_find(const struct flow_table *table, const struct flow_key *key)
{
	for (uint32_t next = *chain_of(table, key); next != 0;) {
		struct flow_link *link = at(table, next - 1);

		if (memcmp(&link->key, key, sizeof(*key)) == 0)
			return link;
		next = link->next;
	}
	return NULL;
}

void *
flow_table_at(const struct flow_table *table, uint32_t index, uint32_t generation)
{
	struct flow_link *link = index < table->n_places ? at(table, index) : NULL;

	return link != NULL && link->state == FLOW_LIVE && link->generation == generation
	    ? link
	    : NULL;
}

/* Takes a place that is free; NULL if none is. */
static struct flow_link *
take_place(struct flow_table *table)
{
	struct flow_link *link = NULL;

	if (table->first_free != 0) {
		link = at(table, table->first_free - 1);
		table->first_free = link->next;
	} else if (table->n_places < table->n_max) {
		link = at(table, table->n_places++);
	}
	return link;
}

void *
flow_table_add(struct flow_table *table, const struct flow_key *key)
{
	struct flow_link *link = take_place(table);
	uint32_t generation, n = 1, n_splits = 0;
	uint32_t *chain;

	if (link == NULL)
		return NULL;
	while (n_splits++ < CHAINS_A_FLOW && needs_chain(table))
		split_chain(table);
	chain = chain_of(table, key);
	generation = link->generation % GENERATION_MAX + 1;
	memset(link, 0, table->flow_size);
	link->key = *key;
	link->generation = generation & GENERATION_MAX;
	link->state = FLOW_LIVE;
	link->next = *chain;
	for (uint32_t next = *chain; next != 0; next = at(table, next - 1)->next)
		n++;
	table->n_long_chains += n > FLOW_CHAIN_LONG;
	*chain = flow_table_index(table, link) + 1;
	table->n_live++;
	return link;
}

void
flow_table_remove(struct flow_table *table, void *flow)
{
	struct flow_link *link = flow;
	uint32_t *next = chain_of(table, &link->key);
	uint32_t place = flow_table_index(table, flow) + 1;

	assert(link->state == FLOW_LIVE);
	while (*next != place)
		next = &at(table, *next - 1)->next;
	*next = link->next;
	link->state = FLOW_DEAD;
	link->next = table->first_dead;
	table->first_dead = place;
	table->n_live--;
}

void
flow_table_reap(struct flow_table *table)
{
	while (table->first_dead != 0) {
		uint32_t place = table->first_dead;
		struct flow_link *link = at(table, place - 1);

		table->first_dead = link->next;
		link->state = FLOW_FREE;
		link->next = table->first_free;
		table->first_free = place;
	}
}

void *
flow_table_next(const struct flow_table *table, const void *flow)
{
	return flow_table_from(table,
	    flow == NULL ? 0 : flow_table_index(table, flow) + 1);
}

void *
flow_table_from(const struct flow_table *table, uint32_t index)
{
	for (; index < table->n_places; index++) {
		struct flow_link *link = at(table, index);

		if (link->state == FLOW_LIVE)
			return link;
	}
	return NULL;
}
