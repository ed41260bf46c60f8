/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes one screen of `slirpctl top`: the rates of the guest, then the connections. */
#include "slirpctl/view/top_screen.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/rates.h"
#include "slirpctl/view/show.h"
#include "slirpctl/view/units.h"

/* Longer than a wide terminal. */
#define LINE_SIZE 512

static const char help_line[] =
    "q quit  space now  s order  r reverse  j k up down  h this help";

static const char first_line[] = "waiting for the first reply; q quit";

static const char *const order_names[TOP_ORDER_N] = {
	[TOP_ORDER_RATE] = "rate",
	[TOP_ORDER_QUEUE] = "queue",
	[TOP_ORDER_STATE] = "state",
	[TOP_ORDER_SOURCE] = "source",
	[TOP_ORDER_DESTINATION] = "destination",
};

/* qsort(3) takes no context. */
static enum top_order compared_order;
static bool compared_reversed;

/* Compares the sums of two members, the higher one first. */
static int
compare_sum(const json_t *a, const json_t *b, const char *key, const char *other_key)
{
	const json_t *entries[] = { a, b };
	double sum[2];

	/* As doubles: a daemon that lies must not cause an overflow. */
	for (size_t i = 0; i < 2; i++)
		sum[i] = (double)json_integer_value(json_object_get(entries[i], key)) +
		    (double)json_integer_value(json_object_get(entries[i], other_key));
	return (sum[0] < sum[1]) - (sum[0] > sum[1]);
}

static int
compare_text(const json_t *a, const json_t *b, const char *key, const char *port_key)
{
	char text_a[CELL_SIZE], text_b[CELL_SIZE];

	if (port_key != NULL) {
		cell_endpoint_format(text_a, a, key, port_key);
		cell_endpoint_format(text_b, b, key, port_key);
	} else {
		cell_format(text_a, sizeof(text_a), json_object_get(a, key));
		cell_format(text_b, sizeof(text_b), json_object_get(b, key));
	}
	/* 10.0.2.9 comes before 10.0.2.10. */
	return strverscmp(text_a, text_b);
}

static int
compare(const void *left, const void *right)
{
	const json_t *a = *(json_t *const *)left, *b = *(json_t *const *)right;
	int result = 0;

	switch (compared_order) {
	case TOP_ORDER_RATE:
		result = compare_sum(a, b, RATES_IN, RATES_OUT);
		break;
	case TOP_ORDER_QUEUE:
		result = compare_sum(a, b, "recv_queue_bytes", "send_queue_bytes");
		break;
	case TOP_ORDER_STATE:
		result = compare_text(a, b, "state", NULL);
		break;
	case TOP_ORDER_SOURCE:
		break;
	case TOP_ORDER_DESTINATION:
		result = compare_text(a, b, "dest_addr", "dest_port");
		break;
	case TOP_ORDER_N:
		break;
	}
	if (result == 0)
		result = compare_text(a, b, "source_addr", "source_port");
	return compared_reversed ? -result : result;
}

/* Returns a sorted list, a new reference, or NULL if memory is short. */
static json_t *
sorted(const struct top_screen *screen)
{
	size_t n = json_array_size(screen->connections);
	autofree const json_t **entries = calloc(n + 1, sizeof(json_t *));
	json_t *list;

	if (entries == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++)
		entries[i] = json_array_get(screen->connections, i);
	compared_order = screen->order;
	compared_reversed = screen->is_reversed;
	qsort(entries, n, sizeof(json_t *), compare);
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append(list, (json_t *)entries[i]);
	return list;
}

/* Writes a line, cut off at the width of the screen. */
static void
line_write(FILE *out, const struct top_screen *screen, const char *line, size_t len)
{
	fwrite(line, 1, len < screen->n_columns ? len : screen->n_columns, out);
}

static json_int_t
counter(const json_t *stats, const char *key)
{
	return json_integer_value(
	    json_object_get(json_object_get(stats, "counters"), key));
}

/* Returns a counter's growth per second; 0 if it is not known. */
static uint64_t
rate(const struct top_screen *screen, const char *key)
{
	json_int_t per_s = rates_per_s(counter(screen->stats, key),
	    counter(screen->previous, key), screen->interval_ms);

	return screen->previous != NULL && per_s > 0 ? (uint64_t)per_s : 0;
}

static void
head_write(FILE *out, const struct top_screen *screen)
{
	json_int_t uptime_ms =
	    json_integer_value(json_object_get(screen->status, "uptime_ms"));
	json_int_t n_forwards =
	    json_integer_value(json_object_get(screen->stats, "hostfwds"));
	char time[UNITS_TIME_SIZE], up[UNITS_SIZE], from[UNITS_SIZE], to[UNITS_SIZE];
	char pid[UNITS_SIZE], line[LINE_SIZE];

	cell_format(pid, sizeof(pid),
	    json_object_get(json_object_get(screen->status, "pids"), "parent"));
	snprintf(line, sizeof(line),
	    "slirpd %s, up %s; connections %zu, forwards %" JSON_INTEGER_FORMAT "; %s",
	    pid, units_duration(uptime_ms > 0 ? (uint64_t)uptime_ms : 0, up),
	    json_array_size(screen->connections), n_forwards,
	    units_time(screen->now, -1, time));
	line_write(out, screen, line, strlen(line));
	putc('\n', out);
	snprintf(line, sizeof(line),
	    "from guest %s/s, %" PRIu64 " frames/s; to guest %s/s, %" PRIu64 " frames/s",
	    units_bytes(rate(screen, "bytes_from_guest"), from),
	    rate(screen, "frames_from_guest"),
	    units_bytes(rate(screen, "bytes_to_guest"), to),
	    rate(screen, "frames_to_guest"));
	line_write(out, screen, line, strlen(line));
	putc('\n', out);
	if (screen->shows_help)
		snprintf(line, sizeof(line), "%s", help_line);
	else
		snprintf(line, sizeof(line), "order: %s%s; h help, q quit",
		    order_names[screen->order], screen->is_reversed ? ", reversed" : "");
	line_write(out, screen, line, strlen(line));
}

void
top_screen_write(FILE *out, struct top_screen *screen)
{
	static const struct view wide = { .is_terminal = true };
	size_t n = json_array_size(screen->connections);
	size_t n_shown =
	    screen->n_rows > TOP_HEAD_LINES + 1 ? screen->n_rows - TOP_HEAD_LINES - 1 : 0;
	json_auto_t *list = sorted(screen);
	autofree char *table = NULL;
	const char *line;
	size_t size;
	FILE *memory;

	if (screen->status == NULL) {
		line_write(out, screen, first_line, strlen(first_line));
		return;
	}
	head_write(out, screen);
	memory = open_memstream(&table, &size);
	if (memory == NULL)
		return;
	show_rates(memory, list, &wide);
	if (fclose(memory) == EOF)
		return;
	if (screen->first + n_shown > n)
		screen->first = n > n_shown ? n - n_shown : 0;
	line = table;
	for (size_t i = 0; *line != '\0'; i++) {
		size_t len = strcspn(line, "\n");

		/* The titles, then a window of the entries. */
		if (screen->n_rows > TOP_HEAD_LINES &&
		    (i == 0 || (i > screen->first && i <= screen->first + n_shown))) {
			putc('\n', out);
			line_write(out, screen, line, len);
		}
		line += len + (line[len] == '\n');
	}
}
