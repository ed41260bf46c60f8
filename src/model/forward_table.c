/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of forwards: add, remove and find by id. */
#include "model/forward_table.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct forward_table *
forward_table_new(void)
{
	return calloc(1, sizeof(struct forward_table));
}

uint32_t
forward_table_last_id(const struct forward_table *table)
{
	return table->n > 0 ? table->entries[table->n - 1].id : 0;
}

int
forward_table_add(struct forward_table *table, const struct ipc_forward_entry *entry)
{
	if (table->n == FORWARD_TABLE_MAX || entry->id <= forward_table_last_id(table))
		return -1;
	table->entries[table->n++] = *entry;
	return 0;
}

uint32_t
forward_table_place_after(const struct forward_table *table, uint32_t after_id)
{
	uint32_t low = 0, high = table->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (table->entries[middle].id <= after_id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct ipc_forward_entry *
forward_table_find(const struct forward_table *table, uint32_t id)
{
	/* Id 0 wraps to the place behind the last. */
	uint32_t place = forward_table_place_after(table, id - 1);

	if (place == table->n || table->entries[place].id != id)
		return NULL;
	return &table->entries[place];
}

int
forward_table_remove(struct forward_table *table, uint32_t id)
{
	const struct ipc_forward_entry *entry = forward_table_find(table, id);
	size_t place;

	if (!entry)
		return -1;
	place = (size_t)(entry - table->entries);
	table->n--;
	memmove(table->entries + place, table->entries + place + 1,
	    (table->n - place) * sizeof(table->entries[0]));
	return 0;
}
