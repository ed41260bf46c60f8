/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts by address, with one limit for each address: how many connections one guest or
 * one destination may have. The memory is fixed, and the time is constant: the hash is
 * keyed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "slirp-worker/flow/flow_table.h"

struct addr_count {
	struct flow_table table; /* of the addresses that are not at 0 */
	uint32_t limit;
};

/* Counts up to n_addresses_max different addresses at a time. Call flow_key_make_secret()
 * first. Returns 0, or -1 with errno set. addr_count_free() may be called in both cases. */
int addr_count_init(struct addr_count *counts, uint32_t n_addresses_max, uint32_t limit);
void addr_count_free(struct addr_count *counts);

/* Adds 1 to the count of an address. Returns false and adds nothing if the count is at
 * the limit, or too many other addresses are counted. */
bool addr_count_add(struct addr_count *counts, const struct inaddr *addr);

/* Takes back 1 that addr_count_add() added. */
void addr_count_remove(struct addr_count *counts, const struct inaddr *addr);

uint32_t addr_count_get(const struct addr_count *counts, const struct inaddr *addr);
