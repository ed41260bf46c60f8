/* SPDX-License-Identifier: BSD-2-Clause */
/* Computes rates of connections from counts of bytes. */
#include "slirpctl/view/rates.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/clock.h"
#include "slirpctl/view/cell.h"

/* The protocol and both ends. */
#define NAME_SIZE ((size_t)3 * CELL_SIZE)

/* The list has no other name of a connection than its ends. A new connection between the
 * ends of an old one has lower counts; see rates_per_s(). */
static void
name_format(char name[NAME_SIZE], const json_t *entry)
{
	char proto[CELL_SIZE], source[CELL_SIZE], dest[CELL_SIZE];

	cell_format(proto, sizeof(proto), json_object_get(entry, "proto"));
	cell_endpoint_format(source, entry, "source_addr", "source_port");
	cell_endpoint_format(dest, entry, "dest_addr", "dest_port");
	snprintf(name, NAME_SIZE, "%s %s %s", proto, source, dest);
}

/* Returns the connections by name, a new reference. Values are borrowed from the list. */
static json_t *
by_name(const json_t *connections)
{
	json_t *named = json_object();
	char name[NAME_SIZE];
	json_t *entry;
	size_t i;

	json_array_foreach(connections, i, entry)
	{
		name_format(name, entry);
		json_object_set(named, name, entry);
	}
	return named;
}

json_int_t
rates_per_s(json_int_t now, json_int_t before, uint64_t interval_ms)
{
	/* As doubles: a daemon that lies must not cause an overflow. */
	double growth = (double)now - (before >= 0 && before <= now ? (double)before : 0);
	double per_s;

	if (interval_ms == 0)
		return -1;
	per_s = growth * CLOCK_MS_PER_S / (double)interval_ms;
	return per_s >= 0 && per_s < (double)INT64_MAX ? (json_int_t)per_s : -1;
}

static void
rate_put(json_t *entry, const char *rate_key, const json_t *before, const char *key,
    uint64_t interval_ms)
{
	const json_t *count = json_object_get(entry, key);
	json_int_t per_s;

	/* The daemon has no member of this name, but may lie. */
	json_object_del(entry, rate_key);
	if (!json_is_integer(count))
		return;
	per_s = rates_per_s(json_integer_value(count),
	    json_integer_value(json_object_get(before, key)), interval_ms);
	if (per_s != -1)
		json_object_set_new(entry, rate_key, json_integer(per_s));
}

void
rates_put(const json_t *connections, const json_t *previous, uint64_t interval_ms)
{
	json_auto_t *named = by_name(previous);
	char name[NAME_SIZE];
	json_t *entry;
	size_t i;

	if (previous == NULL)
		interval_ms = 0;
	json_array_foreach(connections, i, entry)
	{
		const json_t *before;

		name_format(name, entry);
		before = json_object_get(named, name);
		rate_put(entry, RATES_IN, before, "bytes_in", interval_ms);
		rate_put(entry, RATES_OUT, before, "bytes_out", interval_ms);
	}
}
