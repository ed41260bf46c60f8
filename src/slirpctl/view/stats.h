/* SPDX-License-Identifier: BSD-2-Clause */
/* The counters of a daemon, with units and rates. */
#pragma once

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "slirpctl/view/view.h"

/* Prints the values of query_stats that are not 0, or all of them (view). On a terminal,
 * bytes have binary units. */
void stats_show(FILE *out, const json_t *stats, const struct view *view);

/* The same with a column of rates and a line of titles. previous is the value of
 * interval_ms before, or NULL. Counters have rates. Numbers of open sockets, forwards
 * and clients have none. */
void stats_show_rates(FILE *out, const json_t *stats, const json_t *previous,
    uint64_t interval_ms, const struct view *view);
