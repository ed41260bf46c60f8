/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of a daemon, with units and rates. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "slirpctl/view/view.h"

/* What the rates of a result are counted from. */
struct stats_rates {
	const json_t
	    *previous; /* an earlier value of query_stats, or NULL: no rate is known */
	uint64_t interval_ms; /* since then */
};

/* Prints the values of query_stats that are not 0, or all of them (view). On a terminal,
 * bytes have binary units. Unless rates is NULL, there are a column of rates and a line of
 * titles: counters have rates; numbers of open sockets, forwards and clients have none. */
void stats_show(FILE *out, const json_t *stats, const struct stats_rates *rates,
    const struct view *view);
