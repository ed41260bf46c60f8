/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints the counters of a daemon. */
#include "slirpctl/view/stats.h"

#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/leaves.h"
#include "slirpctl/view/units.h"

/* Spaces between columns. */
#define GAP 2

/* "1023.9 KiB/s", and numbers that are longer. */
#define RATE_SIZE (UNITS_SIZE + 2)

struct rows {
	FILE *out;
	const struct view *view;
	const struct stats_rates *rates; /* NULL: without rates */
	int name_width;
	int value_width;
};

struct wanted {
	const char *name;
	const json_t *value;
};

static void
find_leaf(void *context, const char *name, const json_t *value)
{
	struct wanted *wanted = context;

	if (strcmp(name, wanted->name) == 0)
		wanted->value = value;
}

static bool
counts_bytes(const char *name)
{
	return strstr(name, "bytes") != NULL;
}

/* The other sections have numbers that also fall. */
static bool
only_grows(const char *name)
{
	static const char *const sections[] = { "counters.", "drops.", "tcp.",
		"tcp_ends." };

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
		if (strncmp(name, sections[i], strlen(sections[i])) == 0)
			return true;
	return false;
}

static bool
is_shown(const struct rows *rows, const json_t *value)
{
	return rows->view->shows_all || !json_is_integer(value) ||
	    json_integer_value(value) != 0;
}

static void
value_format(const struct rows *rows, const char *name, const json_t *value,
    char cell[CELL_SIZE])
{
	cell_unit_format(cell, value, units_bytes,
	    rows->view->is_terminal && counts_bytes(name));
}

static void
rate_format(const struct rows *rows, const char *name, const json_t *value,
    char cell[RATE_SIZE])
{
	const struct stats_rates *rates = rows->rates;
	struct wanted before = { .name = name };
	char text[UNITS_SIZE];
	double per_s;

	snprintf(cell, RATE_SIZE, "-");
	if (rates->previous == NULL || rates->interval_ms == 0 || !only_grows(name))
		return;
	leaves_each(rates->previous, find_leaf, &before);
	if (!json_is_integer(value) || !json_is_integer(before.value))
		return;
	/* As doubles: a daemon that lies must not cause an overflow. */
	per_s = ((double)json_integer_value(value) -
		    (double)json_integer_value(before.value)) *
	    CLOCK_MS_PER_S / (double)rates->interval_ms;
	if (per_s < 0)
		return;
	if (rows->view->is_terminal && counts_bytes(name) && per_s < (double)INT64_MAX)
		snprintf(cell, RATE_SIZE, "%s/s", units_bytes((uint64_t)per_s, text));
	else
		snprintf(cell, RATE_SIZE, "%.0f", per_s);
}

static void
measure(void *context, const char *name, const json_t *value)
{
	struct rows *rows = context;
	char cell[CELL_SIZE];

	if (!is_shown(rows, value))
		return;
	value_format(rows, name, value, cell);
	if ((int)strlen(name) > rows->name_width)
		rows->name_width = (int)strlen(name);
	if ((int)strlen(cell) > rows->value_width)
		rows->value_width = (int)strlen(cell);
}

static void
write_row(void *context, const char *name, const json_t *value)
{
	const struct rows *rows = context;
	char cell[CELL_SIZE], rate[RATE_SIZE];

	if (!is_shown(rows, value))
		return;
	value_format(rows, name, value, cell);
	fprintf(rows->out, "%-*s%*s", rows->name_width + GAP, name, rows->value_width,
	    cell);
	if (rows->rates != NULL) {
		rate_format(rows, name, value, rate);
		fprintf(rows->out, "%*s%*s", GAP, "", (int)strlen("PER SECOND"), rate);
	}
	putc('\n', rows->out);
}

void
stats_show(FILE *out, const json_t *stats, const struct stats_rates *rates,
    const struct view *view)
{
	struct rows rows = { .out = out, .view = view, .rates = rates };

	if (rates != NULL) {
		rows.name_width = (int)strlen("NAME");
		rows.value_width = (int)strlen("VALUE");
	}
	leaves_each(stats, measure, &rows);
	if (rates != NULL)
		fprintf(out, "%-*s%*s%*s%s\n", rows.name_width + GAP, "NAME",
		    rows.value_width, "VALUE", GAP, "", "PER SECOND");
	leaves_each(stats, write_row, &rows);
}
