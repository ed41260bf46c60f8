/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of forwards. The worker has it. The parent keeps a copy to give to a worker
 * that is started again, and the api keeps one to answer list_hostfwd. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

/* Every port of an address: each forward has a port at least. */
#define RULES_MAX 65536

struct rules {
	uint32_t n;
	/* Ascending by id. The kernel allocates pages of used entries only. */
	struct ipc_hostfwd_entry entries[RULES_MAX];
};

/* Returns an empty table, owned by the caller (free(3)), or NULL with errno set. */
struct rules *rules_new(void);

/* Returns 0, or -1 if the id is not above all others or the table is full. */
int rules_add(struct rules *rules, const struct ipc_hostfwd_entry *entry);

/* Returns 0, or -1 if no forward has the id. */
int rules_remove(struct rules *rules, uint32_t id);

/* Returns NULL if no forward has the id. The result is valid until the next change. */
const struct ipc_hostfwd_entry *rules_find(const struct rules *rules, uint32_t id);

/* Returns the place in entries of the first forward with an id above after_id; n:
 * none. */
uint32_t rules_place_after(const struct rules *rules, uint32_t after_id);

/* Returns 0 if there is no forward. */
uint32_t rules_last_id(const struct rules *rules);
