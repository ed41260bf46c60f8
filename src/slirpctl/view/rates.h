/* SPDX-License-Identifier: BSD-2-Clause */
/* The rates of connections, from two lists of query_connections. */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* Members that rates_put() adds to a connection: bytes per second to the guest, and from
 * the guest. */
#define RATES_IN "in_per_s"
#define RATES_OUT "out_per_s"

/* Returns how much a count has grown per second, or -1 if interval_ms is 0 or a value is not
 * plausible. A count that is lower than before began again at 0. */
json_int_t rates_per_s(json_int_t now, json_int_t before, uint64_t interval_ms);

/* Adds its rates to each connection that has counts of bytes. `previous` is the list of
 * interval_ms ago, or NULL: no rate is known. A connection that it does not have began
 * since then. */
void rates_put(const json_t *connections, const json_t *previous, uint64_t interval_ms);
