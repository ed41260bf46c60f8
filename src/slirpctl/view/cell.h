/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of replies as one piece of text. All results are printable ASCII: others may
 * have chosen parts of a reply. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer than any value for a table. --json shows values in full. */
#define CELL_SIZE 256

/* Digits that a double keeps. All 17 would show 0.1 as 0.10000000000000001. */
#define CELL_REAL_DIGITS 15

#define CELL_DUMP_FLAGS \
	(JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY | \
	    JSON_REAL_PRECISION(CELL_REAL_DIGITS))

/* Formats a value, cut off to size bytes. A missing value (NULL) is "-". */
void cell_format(char *cell, size_t size, const json_t *value);

/* Formats a number with its unit, by a function of units.h, or alone. */
void cell_unit_format(char cell[CELL_SIZE], const json_t *value,
    const char *(*format)(uint64_t n, char *buf), bool with_unit);

/* Formats an address and its port, or ports: "10.0.2.100:80", "[::1]:8000-8099". The
 * number of ports is that of the entry's "host_port" and "host_port_end". */
void cell_endpoint_format(char cell[CELL_SIZE], const json_t *entry, const char *addr_key,
    const char *port_key);
