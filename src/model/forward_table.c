/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of forwards: add, remove and find by id. */
#include "model/forward_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct rules *
rules_new(void)
{
	return calloc(1, sizeof(struct rules));
}

uint32_t
rules_last_id(const struct rules *rules)
{
	return rules->n > 0 ? rules->entries[rules->n - 1].id : 0;
}

int
rules_add(struct rules *rules, const struct ipc_hostfwd_entry *entry)
{
	if (rules->n == RULES_MAX || entry->id <= rules_last_id(rules))
		return -1;
	rules->entries[rules->n++] = *entry;
	return 0;
}

uint32_t
rules_place_after(const struct rules *rules, uint32_t after_id)
{
	uint32_t low = 0, high = rules->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (rules->entries[middle].id <= after_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct ipc_hostfwd_entry *
rules_find(const struct rules *rules, uint32_t id)
{
	/* Id 0 wraps to the place behind the last. */
	uint32_t place = rules_place_after(rules, id - 1);

	if (place == rules->n || rules->entries[place].id != id)
		return NULL;
	return &rules->entries[place];
}

int
rules_remove(struct rules *rules, uint32_t id)
{
	const struct ipc_hostfwd_entry *entry = rules_find(rules, id);
	size_t place;

	if (!entry)
		return -1;
	place = (size_t)(entry - rules->entries);
	rules->n--;
	memmove(rules->entries + place, rules->entries + place + 1,
	    (rules->n - place) * sizeof(rules->entries[0]));
	return 0;
}
