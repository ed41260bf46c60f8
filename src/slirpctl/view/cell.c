/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats values of replies. */
#include "slirpctl/view/cell.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/text.h"
#include "slirpctl/view/units.h"

/* RFC 4291, 2.5.5.2: the IPv4 address of a socket that serves both families. */
#define MAPPED_PREFIX "::ffff:"

void
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
		autofree char *text = json_dumps(value, CELL_DUMP_FLAGS);
		const char *known = text != NULL ? text : "?";

		text_escape(cell, size, known, strlen(known));
	}
}

void
cell_unit_format(char cell[CELL_SIZE], const json_t *value,
    const char *(*format)(uint64_t n, char *buf), bool with_unit)
{
	if (with_unit && json_is_integer(value) && json_integer_value(value) >= 0)
		format((uint64_t)json_integer_value(value), cell);
	else
		cell_format(cell, CELL_SIZE, value);
}

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

void
cell_endpoint_format(char cell[CELL_SIZE], const json_t *entry, const char *addr_key,
    const char *port_key)
{
	const json_t *port = json_object_get(entry, port_key);
	json_int_t n_more = n_more_ports(entry);
	char addr_text[CELL_SIZE / 2], port_text[CELL_SIZE / 4], last_text[CELL_SIZE / 8];
	const char *addr = addr_text;

	cell_format(addr_text, sizeof(addr_text), json_object_get(entry, addr_key));
	if (strncmp(addr, MAPPED_PREFIX, strlen(MAPPED_PREFIX)) == 0 &&
	    strchr(addr, '.') != NULL)
		addr += strlen(MAPPED_PREFIX);
	cell_format(port_text, sizeof(port_text), port);
	last_text[0] = '\0';
	if (n_more > 0 && json_integer_value(port) <= UINT16_MAX)
		snprintf(last_text, sizeof(last_text), "-%" JSON_INTEGER_FORMAT,
		    json_integer_value(port) + n_more);
	snprintf(cell, CELL_SIZE, strchr(addr, ':') != NULL ? "[%s]:%s%s" : "%s:%s%s",
	    addr, port_text, last_text);
}
