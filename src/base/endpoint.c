/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses "[ADDR:]PORT[-LAST]", one side of a forward. */
#include "base/endpoint.h"

#include <string.h>

/* "65535" */
#define PORT_DIGITS_MAX 5

const char *
endpoint_outcome_str(enum endpoint_outcome outcome)
{
	switch (outcome) {
	case ENDPOINT_OK:
		return "an endpoint";
	case ENDPOINT_BAD_ADDRESS:
		return "not an IP address; IPv6 is written in brackets";
	case ENDPOINT_BAD_PORT:
		return "not a port from 1 to 65535";
	case ENDPOINT_BAD_RANGE:
		return "the last port is below the first";
	}
	return "unknown outcome";
}

/* Returns text[0] to text[len - 1] as a decimal port, or 0 if it is not one. */
static uint16_t
port_parse(const char *text, size_t len)
{
	uint32_t port = 0;

	if (len < 1 || len > PORT_DIGITS_MAX)
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		port = port * 10 + (uint32_t)(text[i] - '0');
	}
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool
addr_parse(const char *text, size_t len, struct inaddr *addr)
{
	bool is_in_brackets = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	char copy[INET6_ADDRSTRLEN];

	if (is_in_brackets) {
		text++;
		len -= 2;
	}
	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inaddr_parse(copy, addr) && addr->is_ipv6 == is_in_brackets;
}

enum endpoint_outcome
endpoint_parse(const char *text, size_t len, struct endpoint *endpoint)
{
	struct endpoint parsed = { 0 };
	const char *colon = memrchr(text, ':', len);
	const char *ports = colon == NULL ? text : colon + 1;
	size_t ports_len = (size_t)(text + len - ports);
	const char *dash = memchr(ports, '-', ports_len);
	size_t first_len = dash == NULL ? ports_len : (size_t)(dash - ports);

	/* Without a port, the last colon belongs to the address. */
	if (len > 0 && text[len - 1] == ']')
		return ENDPOINT_BAD_PORT;
	parsed.has_addr = colon != NULL;
	if (parsed.has_addr && !addr_parse(text, (size_t)(colon - text), &parsed.addr))
		return ENDPOINT_BAD_ADDRESS;
	parsed.port_first = port_parse(ports, first_len);
	parsed.port_last = parsed.port_first;
	if (dash != NULL)
		parsed.port_last = port_parse(dash + 1, ports_len - first_len - 1);
	if (parsed.port_first == 0 || parsed.port_last == 0)
		return ENDPOINT_BAD_PORT;
	if (parsed.port_last < parsed.port_first)
		return ENDPOINT_BAD_RANGE;
	*endpoint = parsed;
	return ENDPOINT_OK;
}
