/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints replies as tables, as lines of names and values, or as JSON. */
#include "slirpctl/show.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/text.h"

/* Longer than any value for a table. --json shows values in full. */
#define CELL_SIZE 256

/* The size of a leaf's name with the names of the objects around it, and the number of
 * these. Replies have two levels now. Deeper objects are shown as JSON. */
#define NAME_SIZE 256
#define DEPTH_MAX 6

/* The widest table below has 7. */
#define N_COLUMNS_MAX 8

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Spaces between columns. */
#define GAP 2

/* Digits that a double keeps. All 17 would show 0.1 as 0.10000000000000001. */
#define REAL_DIGITS 15

/* "2026-11-21 23:04:59" */
#define TIME_SIZE 32

#define DUMP_FLAGS \
	(JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | \
	    JSON_REAL_PRECISION(REAL_DIGITS))

/* jansson escapes all bytes but this one that are not printable ASCII. */
#define DEL 0x7f

void
show_json(FILE *out, const json_t *value)
{
	autofree char *text = json_dumps(value, DUMP_FLAGS);

	/* If memory is short, text is NULL and an empty line is printed. */
	for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
		if (*c == DEL)
			fputs("\\u007f", out);
		else
			putc(*c, out);
	}
	putc('\n', out);
}

/* Formats a value as text, cut off to size bytes. */
static void
cell_format(char *cell, size_t size, const json_t *value)
{
	if (value == NULL || json_is_null(value)) {
		snprintf(cell, size, "-");
	} else if (json_is_string(value)) {
		text_escape(cell, size, json_string_value(value),
		    json_string_length(value));
		if (cell[0] == '\0')
			snprintf(cell, size, "-");
	} else if (json_is_boolean(value)) {
		snprintf(cell, size, json_is_true(value) ? "yes" : "no");
	} else {
		autofree char *text = json_dumps(value, DUMP_FLAGS);
		const char *known = text != NULL ? text : "?";

		text_escape(cell, size, known, strlen(known));
	}
}

/* A column of a table: a value, or an address with its port. */
struct column {
	const char *title;
	const char *key;
	const char *port_key; /* NULL: `key` alone */
};

static const struct column forward_columns[] = {
	{ "ID", "id", NULL },
	{ "PROTO", "proto", NULL },
	{ "HOST", "host_addr", "host_port" },
	{ "GUEST", "guest_addr", "guest_port" },
};

static const struct column connection_columns[] = {
	{ "PROTO", "proto", NULL },
	{ "STATE", "state", NULL },
	{ "SOURCE", "source_addr", "source_port" },
	{ "DESTINATION", "dest_addr", "dest_port" },
	{ "RECV-Q", "recv_queue_bytes", NULL },
	{ "SEND-Q", "send_queue_bytes", NULL },
	{ "FORWARD", "hostfwd", NULL },
};

/* Returns how many ports of a range follow the first. The guest's side has no last
 * port. */
static json_int_t
n_more_ports(const json_t *entry)
{
	json_int_t first = json_integer_value(json_object_get(entry, "host_port"));
	json_int_t last = json_integer_value(json_object_get(entry, "host_port_end"));

	/* Sums of this do not overflow, whatever the daemon sends. */
	return first > 0 && last > first && last <= UINT16_MAX ? last - first : 0;
}

/* "10.0.2.100:80", "[::1]:8000-8099" */
static void
endpoint_format(char cell[CELL_SIZE], const json_t *entry, const struct column *column)
{
	const json_t *port = json_object_get(entry, column->port_key);
	json_int_t n_more = n_more_ports(entry);
	char addr_text[CELL_SIZE / 2], port_text[CELL_SIZE / 4], last_text[CELL_SIZE / 8];

	cell_format(addr_text, sizeof(addr_text), json_object_get(entry, column->key));
	cell_format(port_text, sizeof(port_text), port);
	last_text[0] = '\0';
	if (n_more > 0 && json_integer_value(port) <= UINT16_MAX)
		snprintf(last_text, sizeof(last_text), "-%" JSON_INTEGER_FORMAT,
		    json_integer_value(port) + n_more);
	snprintf(cell, CELL_SIZE,
	    strchr(addr_text, ':') != NULL ? "[%s]:%s%s" : "%s:%s%s", addr_text,
	    port_text, last_text);
}

/* Returns whether the value is not text: a number, or missing. */
static bool
column_format(char cell[CELL_SIZE], const json_t *entry, const struct column *column)
{
	const json_t *value = json_object_get(entry, column->key);

	if (column->port_key != NULL) {
		endpoint_format(cell, entry, column);
		return false;
	}
	cell_format(cell, CELL_SIZE, value);
	return value == NULL || json_is_null(value) || json_is_number(value);
}

static void
pad(FILE *out, size_t n)
{
	fprintf(out, "%*s", (int)n, "");
}

/* Numbers are right-aligned. No spaces follow the last column. */
static void
cell_write(FILE *out, const char *text, size_t width, bool is_numeric, bool is_last)
{
	if (is_numeric)
		pad(out, width - strlen(text));
	fputs(text, out);
	if (!is_numeric && !is_last)
		pad(out, width - strlen(text));
	if (is_last)
		putc('\n', out);
	else
		pad(out, GAP);
}

static void
table_write(FILE *out, const json_t *entries, const struct column *columns,
    size_t n_columns)
{
	bool is_numeric[N_COLUMNS_MAX];
	size_t width[N_COLUMNS_MAX];
	char cell[CELL_SIZE];
	const json_t *entry;
	size_t row;

	for (size_t i = 0; i < n_columns; i++) {
		is_numeric[i] = true;
		width[i] = strlen(columns[i].title);
		json_array_foreach(entries, row, entry)
		{
			if (!column_format(cell, entry, &columns[i]))
				is_numeric[i] = false;
			if (strlen(cell) > width[i])
				width[i] = strlen(cell);
		}
	}
	for (size_t i = 0; i < n_columns; i++)
		cell_write(out, columns[i].title, width[i], is_numeric[i],
		    i + 1 == n_columns);
	json_array_foreach(entries, row, entry)
	{
		for (size_t i = 0; i < n_columns; i++) {
			column_format(cell, entry, &columns[i]);
			cell_write(out, cell, width[i], is_numeric[i],
			    i + 1 == n_columns);
		}
	}
}

void
show_forwards(FILE *out, const json_t *entries)
{
	table_write(out, entries, forward_columns, N_ELEMENTS(forward_columns));
}

void
show_connections(FILE *out, const json_t *entries)
{
	table_write(out, entries, connection_columns, N_ELEMENTS(connection_columns));
}

/* A leaf: `name` is escaped. */
typedef void leaf_fn(void *context, const char *name, const json_t *value);

static bool
is_leaf(const json_t *value, int depth)
{
	if (depth == DEPTH_MAX)
		return true;
	if (json_is_object(value))
		return depth > 0 && json_object_size(value) == 0;
	/* A list of words or numbers is one value. A list of objects is several. */
	return !json_is_array(value) || !json_is_object(json_array_get(value, 0));
}

/* name holds NAME_SIZE bytes. The first len are the names of the objects around. */
static void
walk(char *name, size_t len, const json_t *value, int depth, leaf_fn *leaf, void *context)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (is_leaf(value, depth)) {
		leaf(context, name, value);
		return;
	}
	if (len > 0 && len + 1 < NAME_SIZE)
		name[len++] = '.';
	if (json_is_array(value)) {
		json_array_foreach(value, i, inner)
		{
			int n = snprintf(name + len, NAME_SIZE - len, "%zu", i);

			walk(name, len + (size_t)n < NAME_SIZE ? len + (size_t)n : len,
			    inner, depth + 1, leaf, context);
		}
		return;
	}
	json_object_foreach((json_t *)value, key, inner)
	{
		size_t n = text_escape(name + len, NAME_SIZE - len, key, strlen(key));

		walk(name, len + n, inner, depth + 1, leaf, context);
	}
}

struct fields {
	FILE *out;
	size_t name_width;
	size_t number_width;
	bool is_numeric; /* all values */
};

static void
field_measure(void *context, const char *name, const json_t *value)
{
	struct fields *fields = context;
	char cell[CELL_SIZE];

	cell_format(cell, sizeof(cell), value);
	if (strlen(name) > fields->name_width)
		fields->name_width = strlen(name);
	if (strlen(cell) > fields->number_width)
		fields->number_width = strlen(cell);
	if (!json_is_number(value))
		fields->is_numeric = false;
}

/* Formats a list of plain values without JSON's punctuation. */
static void
list_write(FILE *out, const json_t *list)
{
	char cell[CELL_SIZE];
	const json_t *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		cell_format(cell, sizeof(cell), value);
		fprintf(out, "%s%s", i == 0 ? "" : " ", cell);
	}
	fputs(json_array_size(list) == 0 ? "-\n" : "\n", out);
}

static void
field_write(void *context, const char *name, const json_t *value)
{
	struct fields *fields = context;
	char cell[CELL_SIZE];

	fprintf(fields->out, "%-*s", (int)fields->name_width + GAP, name);
	if (json_is_array(value)) {
		list_write(fields->out, value);
		return;
	}
	cell_format(cell, sizeof(cell), value);
	if (fields->is_numeric)
		pad(fields->out, fields->number_width - strlen(cell));
	fprintf(fields->out, "%s\n", cell);
}

void
show_fields(FILE *out, const json_t *object)
{
	struct fields fields = { .out = out, .is_numeric = true };
	char name[NAME_SIZE] = "";

	walk(name, 0, object, 0, field_measure, &fields);
	walk(name, 0, object, 0, field_write, &fields);
}

static void
event_field_write(void *context, const char *name, const json_t *value)
{
	FILE *out = context;
	char cell[CELL_SIZE];

	cell_format(cell, sizeof(cell), value);
	fprintf(out, " %s=%s", name, cell);
}

void
show_event(FILE *out, const json_t *event)
{
	const json_t *timestamp = json_object_get(event, "timestamp");
	const json_t *data = json_object_get(event, "data");
	json_int_t microseconds =
	    json_integer_value(json_object_get(timestamp, "microseconds"));
	time_t seconds = json_integer_value(json_object_get(timestamp, "seconds"));
	char cell[CELL_SIZE], text[TIME_SIZE], name[NAME_SIZE] = "";
	struct tm tm;

	/* localtime_r(3) fails if the year does not fit an int. */
	if (localtime_r(&seconds, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm) == 0)
		snprintf(text, sizeof(text), "-");
	cell_format(cell, sizeof(cell), json_object_get(event, "event"));
	fprintf(out, "%s.%06d %s", text,
	    microseconds >= 0 && microseconds < 1000000 ? (int)microseconds : 0, cell);
	if (json_is_object(data) && json_object_size(data) > 0)
		walk(name, 0, data, 0, event_field_write, out);
	putc('\n', out);
}
