/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts by address, in a table of flows whose key is an address. */
#include "slirp-worker/flow/addr_count.h"

#include <assert.h>
#include <string.h>

#include "slirp-worker/wire/wire.h"

struct counter {
	struct flow_link link;
	uint64_t n; /* 64 bits, so that the size is a multiple of 8 */
};

int
addr_count_init(struct addr_count *counts, uint32_t n_addresses_max, uint32_t limit)
{
	counts->limit = limit;
	return flow_table_init(&counts->table, sizeof(struct counter), n_addresses_max);
}

void
addr_count_free(struct addr_count *counts)
{
	flow_table_free(&counts->table);
}

static struct flow_key
key_of(const struct inaddr *addr, uint16_t port)
{
	struct flow_key key = {
		.peer_port = port,
		.ethertype = addr->is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
	};

	memcpy(key.peer_address, addr->bytes, sizeof(key.peer_address));
	return key;
}

bool
addr_count_add_at(struct addr_count *counts, const struct inaddr *addr, uint16_t port)
{
	struct flow_key key = key_of(addr, port);
	struct counter *counter = flow_table_find(&counts->table, &key);

	if (counts->limit == 0 || (counter != NULL && counter->n >= counts->limit))
		return false;
	if (counter == NULL)
		counter = flow_table_add(&counts->table, &key);
	if (counter == NULL)
		return false;
	counter->n++;
	return true;
}

void
addr_count_remove_at(struct addr_count *counts, const struct inaddr *addr, uint16_t port)
{
	struct flow_key key = key_of(addr, port);
	struct counter *counter = flow_table_find(&counts->table, &key);

	assert(counter != NULL);
	if (--counter->n == 0) {
		flow_table_remove(&counts->table, counter);
		flow_table_reap(&counts->table);
	}
}

uint32_t
addr_count_get_at(const struct addr_count *counts, const struct inaddr *addr,
    uint16_t port)
{
	struct flow_key key = key_of(addr, port);
	const struct counter *counter = flow_table_find(&counts->table, &key);

	return counter != NULL ? (uint32_t)counter->n : 0;
}
