/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of forwards. The connector has it. The parent keeps a copy to give to a connector
 * that is started again, and the api keeps one to answer list_hostfwd. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

/* Every port of an address: each forward has a port at least. */
#define FORWARD_TABLE_MAX 65536

struct forward_table {
	uint32_t n;
	/* Ascending by id. The kernel allocates pages of used entries only. */
	struct ipc_forward_entry entries[FORWARD_TABLE_MAX];
};

/* Returns an empty table, owned by the caller (free(3)), or NULL with errno set. */
struct forward_table *forward_table_new(void);

/* Returns 0, or -1 if the id is not above all others or the table is full. */
int forward_table_add(struct forward_table *table, const struct ipc_forward_entry *entry);

/* Returns 0, or -1 if no forward has the id. */
int forward_table_remove(struct forward_table *table, uint32_t id);

/* Returns NULL if no forward has the id. The result is valid until the next change. */
const struct ipc_forward_entry *forward_table_find(const struct forward_table *table,
    uint32_t id);

/* Returns the place in entries of the first forward with an id above after_id; n:
 * none. */
uint32_t forward_table_place_after(const struct forward_table *table, uint32_t after_id);

/* Returns 0 if there is no forward. */
uint32_t forward_table_last_id(const struct forward_table *table);
