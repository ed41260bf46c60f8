/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of types: the objects in replies and events, and their members.
 * query_commands prints it, the JSON Schema is made from it, and the tests compare every
 * reply and event with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "api/request/out.h"

/* The number of the API. It grows when a client that follows slirpd-api(7), STABILITY,
 * would no longer work. */
#define API_NUMBER 1

/* The basic types. Any other word is the name of an entry of api_types. */
#define API_TYPE_INTEGER "integer" /* from 0 to 2^64 - 1 */
#define API_TYPE_STRING "string"
#define API_TYPE_BOOLEAN "boolean"

struct api_member {
	const char *name;
	const char *type;
	bool is_array;    /* an array of values of this type */
	bool is_optional; /* not in every object */
};

struct api_type {
	const char *name;
	const struct api_member *members;
	size_t n_members;
	/* The members follow the inside of slirpd, not API_NUMBER: each may go. */
	bool is_internal;
};

/* Ends with an entry whose name is NULL. */
extern const struct api_type api_types[];

/* Writes the value of "types" in the reply to query_commands. */
void api_types_describe(struct api_out *out);
