/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts by address, with one limit for each address: how many connections one guest or
 * one destination may have. A table can count ports of addresses instead. The memory is fixed, and the time is constant: the hash is
 * keyed.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "model/flow_table.h"

struct addr_count {
	struct flow_table table; /* of the addresses that are not at 0 */
	uint32_t limit;
};

/* Counts up to n_addresses_max different addresses at a time. Call flow_key_make_secret()
 * first. Returns 0, or -1 with errno set. addr_count_free() may be called in both cases. */
int addr_count_init(struct addr_count *counts, uint32_t n_addresses_max, uint32_t limit);
void addr_count_free(struct addr_count *counts);

/* Adds 1 to the count of an address, or of a port (host byte order) of an address. Returns
 * false and adds nothing if the count is at the limit, or too many others are counted. */
bool addr_count_add_at(struct addr_count *counts, const struct inaddr *addr,
    uint16_t port);

/* Takes back 1 that addr_count_add_at() added. */
void addr_count_remove_at(struct addr_count *counts, const struct inaddr *addr,
    uint16_t port);

uint32_t addr_count_get_at(const struct addr_count *counts, const struct inaddr *addr,
    uint16_t port);

/* The same for an address as a whole, which has no port 0. */
static inline bool
addr_count_add(struct addr_count *counts, const struct inaddr *addr)
{
	return addr_count_add_at(counts, addr, 0);
}

static inline void
addr_count_remove(struct addr_count *counts, const struct inaddr *addr)
{
	addr_count_remove_at(counts, addr, 0);
}

static inline uint32_t
addr_count_get(const struct addr_count *counts, const struct inaddr *addr)
{
	return addr_count_get_at(counts, addr, 0);
}
