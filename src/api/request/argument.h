/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes one argument by its type. Used by request.c and by the description of verbs. */
#pragma once

#include <jansson.h>

#include "api/request/verb.h"

struct api_arg_type_info {
	const char *json_type; /* as query_commands shows it */
	const char *wanted;    /* for the detail of an error */
	uint32_t min, max;     /* of a number; both 0 for other types */
	/* Writes to the address of the argument's member. Returns 0 or -1. */
	int (*decode)(const json_t *json, void *value);
};

/* Indexed by enum api_arg_type. */
extern const struct api_arg_type_info api_arg_types[API_ARG_N_TYPES];
