/* SPDX-License-Identifier: BSD-2-Clause */
/* "[ADDR:]PORT[-LAST]": one side of a forward as users write it, with IPv6 addresses in
 * brackets: "8080", "127.0.0.1:8080", "[::1]:8000-8099". Strict as inaddr_parse() is. Names of
 * hosts and services are not accepted: their meaning may change. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"

struct endpoint {
	bool has_addr;
	struct inaddr addr;  /* zeros unless has_addr */
	uint16_t port_first; /* host order, 1 to 65535 */
	uint16_t port_last;  /* equals port_first if there is no range */
};

enum endpoint_outcome {
	ENDPOINT_OK,
	ENDPOINT_BAD_ADDRESS,
	ENDPOINT_BAD_PORT,
	ENDPOINT_BAD_RANGE, /* the last port is below the first */
};

/* Describes the outcome, without the text that was parsed. Never NULL. */
const char *endpoint_outcome_str(enum endpoint_outcome outcome);

/* Parses the first len bytes of text. Leaves *endpoint unchanged on failure. */
enum endpoint_outcome endpoint_parse(const char *text, size_t len,
    struct endpoint *endpoint);
