/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the value of --publish. */
#include "parent/cmdline/publish.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/endpoint.h"

/* The parts are ADDR, PORT, GUEST, PORT. */
#define N_PARTS_MAX 4

/* A part of the text, not terminated. */
struct part {
	const char *text;
	size_t len;
};

/* Cuts the text at the colons that are not in brackets. Returns the number of parts, or 0
 * if there are more than N_PARTS_MAX. */
static size_t
cut(const char *text, size_t len, struct part parts[N_PARTS_MAX])
{
	bool is_in_brackets = false;
	size_t n_parts = 1;

	parts[0] = (struct part){ .text = text };
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '[')
			is_in_brackets = true;
		else if (text[i] == ']')
			is_in_brackets = false;
		if (text[i] != ':' || is_in_brackets) {
			parts[n_parts - 1].len++;
			continue;
		}
		if (n_parts == N_PARTS_MAX)
			return 0;
		parts[n_parts++] = (struct part){ .text = text + i + 1 };
	}
	return n_parts;
}

/* Whether the part has only bytes of ports, which no address has alone. */
static bool
is_port(const struct part *part)
{
	return strspn(part->text, "0123456789-") >= part->len;
}

static bool
parse_proto(const char *name, uint8_t *proto)
{
	if (strcmp(name, "/tcp") == 0)
		*proto = IPPROTO_TCP;
	else if (strcmp(name, "/udp") == 0)
		*proto = IPPROTO_UDP;
	else
		return false;
	return true;
}

/* Parses one side. Its one or two parts are adjacent in the text. */
static bool
parse_side(const struct part *parts, size_t n_parts, struct endpoint *side,
    const char **why)
{
	const struct part *last = &parts[n_parts - 1];
	size_t len = (size_t)(last->text - parts[0].text) + last->len;
	enum endpoint_outcome outcome = endpoint_parse(parts[0].text, len, side);

	if (outcome == ENDPOINT_OK)
		return true;
	*why = endpoint_outcome_str(outcome);
	return false;
}

bool
publish_parse(const char *text, struct ipc_forward *forward, const char **why)
{
	size_t len = strcspn(text, "/");
	uint8_t proto = IPPROTO_TCP;
	struct part parts[N_PARTS_MAX];
	size_t n_parts = cut(text, len, parts);
	struct endpoint host = { 0 }, guest = { 0 };
	size_t n_host_parts;
	uint32_t n_more;

	*why = "not of the form [ADDR:]PORT[-PORT]:[GUEST:]PORT[/udp]";
	if (n_parts < 2)
		return false;
	if (text[len] != '\0' && !parse_proto(text + len, &proto)) {
		*why = "the protocol is neither /tcp nor /udp";
		return false;
	}
	/* With three parts the second decides: a port belongs to the address before
	 * it. */
	n_host_parts = n_parts == 4 || (n_parts == 3 && is_port(&parts[1])) ? 2 : 1;
	if (!parse_side(parts, n_host_parts, &host, why) ||
	    !parse_side(parts + n_host_parts, n_parts - n_host_parts, &guest, why))
		return false;
	n_more = (uint32_t)host.port_last - host.port_first;
	if (guest.port_last != guest.port_first &&
	    (uint32_t)guest.port_last - guest.port_first != n_more) {
		*why = "the two ranges of ports differ in length";
		return false;
	}
	if (guest.port_first + n_more > UINT16_MAX) {
		*why = "the guest's ports would go beyond 65535";
		return false;
	}
	*forward = (struct ipc_forward){
		.host_port_first = host.port_first,
		.host_port_last = host.port_last,
		.guest_port_first = guest.port_first,
		.proto = proto,
		.host_addr = host.addr,
		.guest_addr = guest.addr,
	};
	/* A side without an address has the family of the other. */
	if (!host.has_addr)
		forward->host_addr.is_ipv6 = guest.addr.is_ipv6;
	if (!guest.has_addr)
		forward->guest_addr.is_ipv6 = host.addr.is_ipv6;
	return true;
}
