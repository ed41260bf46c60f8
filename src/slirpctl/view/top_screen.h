/* SPDX-License-Identifier: BSD-2-Clause */
/* One screen of `slirpctl top`, as text. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Lines above the titles of the table. */
#define TOP_HEAD_LINES 3

enum top_order {
	TOP_ORDER_RATE,  /* both directions together, the highest first */
	TOP_ORDER_QUEUE, /* bytes in both queues, the most first */
	TOP_ORDER_STATE,
	TOP_ORDER_SOURCE,
	TOP_ORDER_DESTINATION,
	TOP_ORDER_N,
};

struct top_screen {
	enum top_order order;
	bool is_reversed;
	bool shows_help;
	size_t first; /* the number of the first connection shown */
	unsigned int n_rows;
	unsigned int n_columns;
	time_t now;
	const json_t *status;   /* of query_status; NULL: nothing has come yet */
	const json_t *stats;    /* of query_stats */
	const json_t *previous; /* the stats before, or NULL */
	uint64_t interval_ms;   /* between the two */
	const json_t
	    *connections; /* the list of query_connections, with rates (rates.h) */
};

/* Writes one screen, printable ASCII without control sequences but newlines. No line is
 * wider than the screen, and no newline follows the last one. Lowers screen->first if
 * less would be shown than fits. */
void top_screen_write(FILE *out, struct top_screen *screen);
