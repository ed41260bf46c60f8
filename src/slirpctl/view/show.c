/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints replies as tables, as lines of names and values, or as JSON. */
#include "slirpctl/view/show.h"

#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/leaves.h"
#include "slirpctl/view/rates.h"
#include "slirpctl/view/units.h"

/* The widest table below has 12. */
#define N_COLUMNS_MAX 12

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Spaces between columns. */
#define GAP 2

/* Columns that do not fit the terminal are on a second line, behind these spaces. */
#define INDENT 4

#define MICROSECONDS_MAX 999999

/* jansson escapes all bytes but this one that are not printable ASCII. */
#define DEL 0x7f

void
show_json(FILE *out, const json_t *value)
{
	autofree char *text = json_dumps(value, CELL_DUMP_FLAGS);

	/* If memory is short, text is NULL and an empty line is printed. */
	for (const char *c = text == NULL ? "" : text; *c != '\0'; c++) {
		if (*c == DEL)
			fputs("\\u007f", out);
		else
			putc(*c, out);
	}
	putc('\n', out);
}

enum column_kind {
	COLUMN_PLAIN,
	COLUMN_ENDPOINT, /* an address with its port */
	COLUMN_BYTES,    /* with a unit on a terminal, like the next two */
	COLUMN_US,       /* microseconds */
	COLUMN_MS,       /* milliseconds */
	COLUMN_UP,       /* how long an instance is up, or its state */
};

struct column {
	const char *title;
	enum column_kind kind;
	const char *key;
	const char *port_key; /* of an endpoint */
};

static const struct column forward_columns[] = {
	{ "ID", COLUMN_PLAIN, "id", NULL },
	{ "PROTO", COLUMN_PLAIN, "proto", NULL },
	{ "HOST", COLUMN_ENDPOINT, "host_addr", "host_port" },
	{ "GUEST", COLUMN_ENDPOINT, "guest_addr", "guest_port" },
};

static const struct column connection_columns[] = {
	{ "PROTO", COLUMN_PLAIN, "proto", NULL },
	{ "STATE", COLUMN_PLAIN, "state", NULL },
	{ "SOURCE", COLUMN_ENDPOINT, "source_addr", "source_port" },
	{ "DESTINATION", COLUMN_ENDPOINT, "dest_addr", "dest_port" },
	{ "RECV-Q", COLUMN_PLAIN, "recv_queue_bytes", NULL },
	{ "SEND-Q", COLUMN_PLAIN, "send_queue_bytes", NULL },
	{ "FORWARD", COLUMN_PLAIN, "hostfwd", NULL },
	{ "IN", COLUMN_BYTES, "bytes_in", NULL },
	{ "OUT", COLUMN_BYTES, "bytes_out", NULL },
	{ "RETRANS", COLUMN_BYTES, "retransmitted_bytes", NULL },
	{ "RTT", COLUMN_US, "round_trip_us", NULL },
	{ "AGE", COLUMN_MS, "age_ms", NULL },
};

static const struct column policy_columns[] = {
	{ "HITS", COLUMN_PLAIN, "hits", NULL },
	{ "WHERE", COLUMN_PLAIN, "where", NULL },
	{ "ID", COLUMN_PLAIN, "id", NULL },
	{ "RULE", COLUMN_PLAIN, "line", NULL },
};

static const struct column pin_columns[] = {
	{ "ADDRESS", COLUMN_PLAIN, "addr", NULL },
	{ "SECONDS", COLUMN_PLAIN, "life_s", NULL },
	{ "NAME", COLUMN_PLAIN, "name", NULL },
};

static const struct column denied_columns[] = {
	{ "COUNT", COLUMN_PLAIN, "count", NULL },
	{ "PROTO", COLUMN_PLAIN, "proto", NULL },
	{ "PORT", COLUMN_PLAIN, "port", NULL },
	{ "ADDRESS", COLUMN_PLAIN, "addr", NULL },
	{ "DENIED BY", COLUMN_PLAIN, "denied_by", NULL },
	{ "NAME", COLUMN_PLAIN, "name", NULL },
};

/* The first columns are those that no narrow terminal may cut off. */
static const struct column rate_columns[] = {
	{ "IN/S", COLUMN_BYTES, RATES_IN, NULL },
	{ "OUT/S", COLUMN_BYTES, RATES_OUT, NULL },
	{ "PROTO", COLUMN_PLAIN, "proto", NULL },
	{ "SOURCE", COLUMN_ENDPOINT, "source_addr", "source_port" },
	{ "DESTINATION", COLUMN_ENDPOINT, "dest_addr", "dest_port" },
	{ "STATE", COLUMN_PLAIN, "state", NULL },
	{ "RECV-Q", COLUMN_PLAIN, "recv_queue_bytes", NULL },
	{ "SEND-Q", COLUMN_PLAIN, "send_queue_bytes", NULL },
	{ "FORWARD", COLUMN_PLAIN, "hostfwd", NULL },
};

static const struct column instance_columns[] = {
	{ "PID", COLUMN_PLAIN, "pid", NULL },
	{ "UP", COLUMN_UP, "state", NULL },
	{ "TAP", COLUMN_PLAIN, "tap_name", NULL },
	{ "GUEST", COLUMN_PLAIN, "guest_addr", NULL },
	{ "FORWARDS", COLUMN_PLAIN, "n_forwards", NULL },
	{ "SOCKET", COLUMN_PLAIN, "socket", NULL },
};

static void
up_format(char cell[CELL_SIZE], const json_t *entry, const char *state)
{
	json_int_t uptime_ms = json_integer_value(json_object_get(entry, "uptime_ms"));
	char up[UNITS_SIZE];

	if (strcmp(state, INSTANCE_RUNNING) == 0)
		state = units_duration(uptime_ms > 0 ? (uint64_t)uptime_ms : 0, up);
	else if (strcmp(state, INSTANCE_NO_REPLY) == 0)
		state = "no reply";
	snprintf(cell, CELL_SIZE, "%s", state);
}

/* Returns whether the value is not text: a number, or missing. */
static bool
column_format(char cell[CELL_SIZE], const json_t *entry, const struct column *column,
    const struct view *view)
{
	const json_t *value = json_object_get(entry, column->key);

	switch (column->kind) {
	case COLUMN_PLAIN:
		break;
	case COLUMN_ENDPOINT:
		cell_endpoint_format(cell, entry, column->key, column->port_key);
		return false;
	case COLUMN_BYTES:
		cell_unit_format(cell, value, units_bytes, view->is_terminal);
		return true;
	case COLUMN_US:
		cell_unit_format(cell, value, units_microseconds, view->is_terminal);
		return true;
	case COLUMN_MS:
		cell_unit_format(cell, value, units_duration, view->is_terminal);
		return true;
	case COLUMN_UP:
		up_format(cell, entry, json_string_value(value));
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

/* Numbers are right-aligned. No spaces follow the last cell of a line. */
static void
cell_write(FILE *out, const char *text, size_t width, bool is_numeric, bool is_last)
{
	if (is_numeric)
		pad(out, width - strlen(text));
	fputs(text, out);
	if (is_last) {
		putc('\n', out);
		return;
	}
	if (!is_numeric)
		pad(out, width - strlen(text));
	pad(out, GAP);
}

struct table {
	const struct view *view;
	const struct column *columns;
	size_t n_columns;
	size_t width[N_COLUMNS_MAX];
	bool is_numeric[N_COLUMNS_MAX];
	bool ends_line[N_COLUMNS_MAX]; /* the column is the last one of its line */
};

static void
table_measure(struct table *table, const json_t *entries)
{
	char cell[CELL_SIZE];
	const json_t *entry;
	size_t row;

	for (size_t i = 0; i < table->n_columns; i++) {
		table->is_numeric[i] = true;
		table->width[i] = strlen(table->columns[i].title);
		json_array_foreach(entries, row, entry)
		{
			if (!column_format(cell, entry, &table->columns[i], table->view))
				table->is_numeric[i] = false;
			if (strlen(cell) > table->width[i])
				table->width[i] = strlen(cell);
		}
	}
}

/* A column that is wider than the terminal has a line of its own. */
static void
table_fold(struct table *table)
{
	unsigned int n_terminal_columns = table->view->n_columns;
	size_t line = 0;

	for (size_t i = 0; i < table->n_columns; i++) {
		if (i > 0 && n_terminal_columns > 0 &&
		    line + table->width[i] > n_terminal_columns) {
			table->ends_line[i - 1] = true;
			line = INDENT;
		}
		line += table->width[i] + GAP;
	}
	table->ends_line[table->n_columns - 1] = true;
}

/* Writes an entry, or the titles (NULL). */
static void
row_write(FILE *out, const struct table *table, const json_t *entry)
{
	char cell[CELL_SIZE];

	for (size_t i = 0; i < table->n_columns; i++) {
		if (i > 0 && table->ends_line[i - 1])
			pad(out, INDENT);
		if (entry != NULL)
			column_format(cell, entry, &table->columns[i], table->view);
		cell_write(out, entry != NULL ? cell : table->columns[i].title,
		    table->width[i], table->is_numeric[i], table->ends_line[i]);
	}
}

static void
table_write(FILE *out, const json_t *entries, const struct view *view,
    const struct column *columns, size_t n_columns)
{
	struct table table = { view, columns, n_columns, { 0 }, { 0 }, { 0 } };
	const json_t *entry;
	size_t row;

	table_measure(&table, entries);
	table_fold(&table);
	row_write(out, &table, NULL);
	json_array_foreach(entries, row, entry)
	{
		row_write(out, &table, entry);
	}
}

void
show_forwards(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, forward_columns, N_ELEMENTS(forward_columns));
}

void
show_connections(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, connection_columns,
	    N_ELEMENTS(connection_columns));
}

void
show_policy(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, policy_columns, N_ELEMENTS(policy_columns));
}

void
show_pins(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, pin_columns, N_ELEMENTS(pin_columns));
}

void
show_denied(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, denied_columns, N_ELEMENTS(denied_columns));
}

void
show_rates(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, rate_columns, N_ELEMENTS(rate_columns));
}

void
show_instances(FILE *out, const json_t *entries, const struct view *view)
{
	table_write(out, entries, view, instance_columns, N_ELEMENTS(instance_columns));
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

	leaves_each(object, field_measure, &fields);
	leaves_each(object, field_write, &fields);
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
	char cell[CELL_SIZE], time[UNITS_TIME_SIZE];

	if (microseconds < 0 || microseconds > MICROSECONDS_MAX)
		microseconds = 0;
	cell_format(cell, sizeof(cell), json_object_get(event, "event"));
	fprintf(out, "%s %s", units_time(seconds, (int)microseconds, time), cell);
	if (json_is_object(data) && json_object_size(data) > 0)
		leaves_each(data, event_field_write, out);
	putc('\n', out);
}
