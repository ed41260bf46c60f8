/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reply, as slirpctl reads it from a socket that anybody may have made: it is understood
 * or refused, and not a byte of it reaches the terminal that is not printable ASCII.
 */

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "slirpctl/reply.h"
#include "slirpctl/view/show.h"
#include "slirpctl/view/stats.h"
#include "slirpctl/view/status.h"
#include "slirpctl/view/rates.h"
#include "slirpctl/view/top_screen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
emit_nothing(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

/* A narrow terminal: columns are on a second line. */
static const struct view view = { .is_terminal = true, .n_columns = 40 };

static void
show_forwards_narrow(FILE *out, const json_t *value)
{
	show_forwards(out, value, &view);
}

static void
show_connections_narrow(FILE *out, const json_t *value)
{
	show_connections(out, value, &view);
}

static void
show_status(FILE *out, const json_t *value)
{
	status_show(out, value, value, json_object_get(value, "entries"), value, 0,
	    &view);
}

static void
show_stats(FILE *out, const json_t *value)
{
	stats_show(out, value, NULL, &view);
	stats_show(out, value,
	    &(struct stats_rates){ .previous = value, .interval_ms = 1 }, &view);
}

static void
show_top(FILE *out, const json_t *value)
{
	const json_t *entries = json_object_get(value, "entries");

	rates_put(entries, entries, 1);
	for (int order = 0; order < TOP_ORDER_N; order++) {
		struct top_screen screen = {
			.order = (enum top_order)order,
			.first = 1,
			.n_rows = 7,
			.n_columns = 40,
			.status = value,
			.stats = value,
			.previous = value,
			.interval_ms = 1,
			.connections = entries,
		};

		top_screen_write(out, &screen);
	}
}

static void
check_show(void (*show)(FILE *, const json_t *), const json_t *value)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert(out != NULL);
	show(out, value);
	assert(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		assert(text[i] == '\n' || (text[i] >= ' ' && text[i] < 0x7f));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	const json_t *value, *entries;

	log_set_emit(emit_nothing);
	while (size > 0) {
		json_auto_t *reply = reply_take("/s", &bytes, &size);

		if (reply == NULL)
			break;
		check_show(show_json, reply);
		check_show(show_event, reply);
		check_show(show_fields, reply);
		check_show(show_stats, reply);
		if (reply_value(reply, "/s", "list", false, &value) != OUTCOME_OK)
			continue;
		entries = reply_entries(value, "entries", "/s", "list");
		if (entries == NULL)
			continue;
		check_show(show_forwards_narrow, entries);
		check_show(show_connections_narrow, entries);
		check_show(show_status, value);
		check_show(show_top, value);
	}
	return 0;
}
