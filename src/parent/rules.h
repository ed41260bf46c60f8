/*
 * The parent's copy of the worker's forwards, as far as the worker has told: what a worker
 * that is started again would be given.
 */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

/* Ports that the worker's table can hold, and so rules (slirp-worker/forwards.h). */
#define RULES_MAX 65536

struct rules {
	uint32_t n;
	/* Ascending by id. The kernel gives memory to what is used. */
	struct ipc_hostfwd_entry entries[RULES_MAX];
};

/* Returns an empty copy, owned by the caller (free(3)), or NULL with errno set. */
struct rules *rules_new(void);

/* 0, or -1 for what a sound worker does not say: an id that is not above all others, or one
 * rule too many. */
int rules_add(struct rules *rules, const struct ipc_hostfwd_entry *entry);

/* 0, or -1 if there is none with this id. */
int rules_remove(struct rules *rules, uint32_t id);
