/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of forwards, as the worker has it, and as the parent and the api have a copy
 * of it from what the worker tells them: what a worker that is started again would be
 * given, and what a client that asks for a list gets.
 */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"

/* Each rule has a port at least, and this is every port of an address. */
#define RULES_MAX 65536

struct rules {
	uint32_t n;
	/* Ascending by id. The kernel gives memory to what is used. */
	struct ipc_hostfwd_entry entries[RULES_MAX];
};

/* Returns an empty table, owned by the caller (free(3)), or NULL with errno set. */
struct rules *rules_new(void);

/* 0, or -1 for what is no new rule: an id that is not above all others, or one rule too
 * many. */
int rules_add(struct rules *rules, const struct ipc_hostfwd_entry *entry);

/* 0, or -1 if there is none with this id. */
int rules_remove(struct rules *rules, uint32_t id);

/* NULL if there is none with this id. It is good until the next change. */
const struct ipc_hostfwd_entry *rules_find(const struct rules *rules, uint32_t id);

/* The place in entries of the first rule with an id above after_id; n if there is
 * none. */
uint32_t rules_place_after(const struct rules *rules, uint32_t after_id);

/* 0 if there is no rule. */
uint32_t rules_last_id(const struct rules *rules);
