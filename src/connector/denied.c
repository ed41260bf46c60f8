/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps the lists of flows and names that the policy has denied. */
#include "connector/denied.h"

#include <string.h>

#include "base/siphash.h"
#include "model/policy/class.h"

static void
table_init(struct denied_table *table, struct denied_place *places, uint32_t n_max)
{
	table->places = places;
	table->n_max = n_max;
	TAILQ_INIT(&table->free);
	TAILQ_INIT(&table->once);
	TAILQ_INIT(&table->often);
}

void
denied_init(struct denied *denied, const uint64_t secret[2])
{
	memcpy(denied->secret, secret, sizeof(denied->secret));
	table_init(&denied->flows, denied->flow_places, DENIED_FLOWS_MAX);
	table_init(&denied->names, denied->name_places, DENIED_NAMES_MAX);
	table_init(&denied->origins, denied->origin_places, DENIED_ORIGINS_MAX);
}

static struct denied_list *
list_of(struct denied_table *table, const struct denied_place *place)
{
	return place->row.count > 1 ? &table->often : &table->once;
}

static struct denied_place *
find(const struct denied_table *table, uint64_t hash)
{
	struct denied_place *place;

	LIST_FOREACH(place, &table->buckets[hash % DENIED_N_BUCKETS], in_bucket)
	{
		if (place->hash == hash)
			return place;
	}
	return NULL;
}

static void
drop(struct denied_table *table, struct denied_place *place)
{
	LIST_REMOVE(place, in_bucket);
	TAILQ_REMOVE(list_of(table, place), place, aged);
	TAILQ_INSERT_HEAD(&table->free, place, aged);
	place->row = (struct ipc_denied){ 0 };
}

static struct denied_place *
take_place(struct denied_table *table)
{
	struct denied_place *place;

	if (TAILQ_EMPTY(&table->free) && table->n == table->n_max)
		drop(table,
		    TAILQ_FIRST(
			TAILQ_EMPTY(&table->once) ? &table->often : &table->once));
	place = TAILQ_FIRST(&table->free);
	if (place != NULL)
		TAILQ_REMOVE(&table->free, place, aged);
	else
		place = &table->places[table->n++];
	return place;
}

/* Makes row the entry with this hash. Its count is added to that of the entry. */
static void
put(struct denied_table *table, uint64_t hash, const struct ipc_denied *row)
{
	struct denied_place *place = find(table, hash);
	uint64_t count = row->count;

	if (place != NULL) {
		count += place->row.count;
		TAILQ_REMOVE(list_of(table, place), place, aged);
	} else {
		place = take_place(table);
		place->hash = hash;
		LIST_INSERT_HEAD(&table->buckets[hash % DENIED_N_BUCKETS], place,
		    in_bucket);
	}
	place->row = *row;
	place->row.count = count;
	TAILQ_INSERT_TAIL(list_of(table, place), place, aged);
}

void
denied_note_origin(struct denied *denied, const struct inaddr *addr, const char *name)
{
	/* The count stays 0: an address gives way by its age alone. */
	struct ipc_denied row = { .addr = *addr };

	memcpy(row.name, name, strlen(name) + 1);
	put(&denied->origins, siphash(denied->secret, addr, sizeof(*addr)), &row);
}

/* Flows are one entry if protocol, port and name are equal, and if both or neither may lead to class
 * internet. Without a name, the address counts. */
static uint64_t
hash_of_flow(const struct denied *denied, const struct ipc_denied *row)
{
	bool is_public = policy_name_may_lead_to(row->classes, false);
	struct siphash hash;

	siphash_begin(&hash, denied->secret);
	siphash_add(&hash, &row->proto, sizeof(row->proto));
	siphash_add(&hash, &row->port, sizeof(row->port));
	if (row->name[0] != '\0' && policy_name_may_lead_to(row->classes, true)) {
		siphash_add(&hash, row->name, sizeof(row->name));
		siphash_add(&hash, &is_public, sizeof(is_public));
	} else {
		siphash_add(&hash, &row->addr, sizeof(row->addr));
	}
	return siphash_end(&hash);
}

void
denied_note_flow(struct denied *denied, const struct ipc_denied *flow)
{
	const struct denied_place *origin = find(&denied->origins,
	    siphash(denied->secret, &flow->addr, sizeof(flow->addr)));
	struct ipc_denied row = *flow;

	row.count = 1;
	memset(row.name, 0, sizeof(row.name));
	if (origin != NULL)
		memcpy(row.name, origin->row.name, sizeof(row.name));
	put(&denied->flows, hash_of_flow(denied, &row), &row);
}

void
denied_note_name(struct denied *denied, const char *name, uint8_t reason)
{
	struct ipc_denied row = { .count = 1, .reason = reason };

	memcpy(row.name, name, strlen(name) + 1);
	put(&denied->names, siphash(denied->secret, row.name, sizeof(row.name)), &row);
}

static void
drop_from(struct denied_table *table, denied_test_fn *is_allowed, void *ctx)
{
	for (uint32_t i = 0; i < table->n; i++) {
		struct denied_place *place = &table->places[i];

		if (place->row.count > 0 && is_allowed(ctx, &place->row))
			drop(table, place);
	}
}

void
denied_drop_if(struct denied *denied, denied_test_fn *is_allowed, void *ctx)
{
	drop_from(&denied->flows, is_allowed, ctx);
	drop_from(&denied->names, is_allowed, ctx);
}

const struct ipc_denied *
denied_from(const struct denied *denied, uint32_t *place)
{
	while (*place < DENIED_FLOWS_MAX + DENIED_NAMES_MAX) {
		uint32_t i = (*place)++;
		const struct ipc_denied *row = i < DENIED_FLOWS_MAX
		    ? &denied->flow_places[i].row
		    : &denied->name_places[i - DENIED_FLOWS_MAX].row;

		/* A free place has the count 0. */
		if (row->count > 0)
			return row;
	}
	return NULL;
}
