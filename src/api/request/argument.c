/* SPDX-License-Identifier: BSD-2-Clause */
/* Decodes the arguments of requests by their types. */
#include "api/request/argument.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "api/request/request.h"
#include "base/dnsname.h"
#include "base/endpoint.h"
#include "base/inaddr.h"
#include "model/policy/policy.h"

#define PORT_MAX UINT16_MAX

/* 64 bits. */
#define KEY_LEN 16

/* An integer from min to max. "80.0" is allowed: JSON has one kind of number, and some
 * languages print integers so. */
static int
decode_number(const json_t *json, uint32_t min, uint32_t max, uint32_t *number)
{
	double value;

	if (!json_is_number(json))
		return -1;
	value = json_number_value(json);
	if (!(value >= min && value <= max))
		return -1;
	*number = (uint32_t)value;
	return (double)*number == value ? 0 : -1;
}

static int
decode_protocol(const json_t *json, void *value)
{
	uint32_t *index = value;

	if (!json_is_string(json))
		return -1;
	for (uint32_t i = 0; api_protocols[i].name; i++) {
		if (strcmp(api_protocols[i].name, json_string_value(json)) == 0) {
			*index = i;
			return 0;
		}
	}
	return -1;
}

static int
decode_address(const json_t *json, void *value)
{
	struct api_address *address = value;
	const char *text = json_string_value(json);

	if (!text)
		return -1;
	/* An empty text means that the argument is missing. Clients of slirp4netns rely
	 * on it. */
	if (text[0] == '\0')
		return 0;
	address->is_given = inaddr_parse(text, &address->addr);
	return address->is_given ? 0 : -1;
}

static int
decode_port(const json_t *json, void *value)
{
	struct api_ports *ports = value;
	uint32_t number;

	if (decode_number(json, 1, PORT_MAX, &number) == -1)
		return -1;
	*ports = (struct api_ports){ (uint16_t)number, (uint16_t)number };
	return 0;
}

static int
decode_ports(const json_t *json, void *value)
{
	struct api_ports *ports = value;
	const char *text = json_string_value(json);
	struct endpoint range;

	if (!text)
		return decode_port(json, value);
	/* A single port must be a number, as in slirp4netns. */
	if (!strchr(text, '-') ||
	    endpoint_parse(text, strlen(text), &range) != ENDPOINT_OK || range.has_addr)
		return -1;
	*ports = (struct api_ports){ range.port_first, range.port_last };
	return 0;
}

static int
decode_id(const json_t *json, void *value)
{
	return decode_number(json, 1, UINT32_MAX, value);
}

static int
decode_events(const json_t *json, void *value)
{
	struct api_event_set *events = value;

	if (!json_is_array(json))
		return -1;
	for (size_t i = 0; i < json_array_size(json); i++) {
		const char *name = json_string_value(json_array_get(json, i));
		uint32_t kind = 0;

		if (!name)
			return -1;
		while (kind < API_EVENT_N && strcmp(api_event_str(kind), name) != 0)
			kind++;
		if (kind == API_EVENT_N)
			return -1;
		events->set |= 1U << kind;
	}
	events->is_given = true;
	return 0;
}

/* The text of the last request. Requests are decoded one after the other, and each is handled
 * before the next is. A line end takes less than the quotes of JSON. */
static char text_bytes[API_REQUEST_SIZE];

/* Adds a line, which must not have a line end. */
static int
add_line(struct api_text *text, const json_t *json)
{
	const char *line = json_string_value(json);
	size_t len = json_string_length(json);

	if (!line || memchr(line, '\n', len) || text->len + len + 1 > sizeof(text_bytes))
		return -1;
	memcpy(text_bytes + text->len, line, len);
	text_bytes[text->len + len] = '\n';
	text->len += len + 1;
	text->bytes = text_bytes;
	return 0;
}

static int
decode_line(const json_t *json, void *value)
{
	*(struct api_text *)value = (struct api_text){ 0 };
	return add_line(value, json);
}

static int
decode_lines(const json_t *json, void *value)
{
	*(struct api_text *)value = (struct api_text){ .bytes = text_bytes };
	if (!json_is_array(json))
		return -1;
	for (size_t i = 0; i < json_array_size(json); i++)
		if (add_line(value, json_array_get(json, i)) == -1)
			return -1;
	return 0;
}

static int
decode_boolean(const json_t *json, void *value)
{
	*(bool *)value = json_is_true(json);
	return json_is_boolean(json) ? 0 : -1;
}

/* Not every reader and writer of JSON keeps 64 bits of a number. */
static int
decode_key(const json_t *json, void *value)
{
	const char *text = json_string_value(json);

	if (!text || strlen(text) != KEY_LEN ||
	    strspn(text, "0123456789abcdef") != KEY_LEN)
		return -1;
	*(uint64_t *)value = strtoull(text, NULL, 16);
	return 0;
}

/* A protocol of rules, and not any. */
static int
decode_flow_protocol(const json_t *json, void *value)
{
	const char *text = json_string_value(json);
	int proto = text ? policy_word_find(policy_proto_words, text, strlen(text)) : -1;

	if (proto == -1 || proto == IPC_POLICY_PROTO_any)
		return -1;
	*(uint8_t *)value = (uint8_t)proto;
	return 0;
}

static int
decode_flow_port(const json_t *json, void *value)
{
	uint32_t number;

	if (decode_number(json, 1, PORT_MAX, &number) == -1)
		return -1;
	*(uint16_t *)value = (uint16_t)number;
	return 0;
}

/* In its canonical form. */
static int
decode_name(const json_t *json, void *value)
{
	const char *text = json_string_value(json);
	size_t len = text ? json_string_length(json) : 0;
	char *name = value;

	if (len > 1 && text[len - 1] == '.')
		len--;
	if (len == 0 || len >= IPC_POLICY_NAME_SIZE)
		return -1;
	memcpy(name, text, len);
	dnsname_fold(name, len);
	return dnsname_check(name, len) == DNSNAME_OK ? 0 : -1;
}

const struct api_arg_type_info api_arg_types[API_ARG_N_TYPES] = {
	[API_ARG_PROTOCOL] = { .json_type = "string",
	    .wanted = "one of tcp, udp, tcp4, udp4, tcp6, udp6",
	    .decode = decode_protocol },
	[API_ARG_ADDRESS] = { .json_type = "string",
	    .wanted = "an IPv4 or IPv6 address",
	    .decode = decode_address },
	[API_ARG_PORT] = { .json_type = "number",
	    .wanted = "a whole number from 1 to 65535",
	    .min = 1,
	    .max = PORT_MAX,
	    .decode = decode_port },
	[API_ARG_PORTS] = { .json_type = "number or string",
	    .wanted = "a whole number from 1 to 65535, or a string \"FIRST-LAST\"",
	    .min = 1,
	    .max = PORT_MAX,
	    .decode = decode_ports },
	[API_ARG_ID] = { .json_type = "number",
	    .wanted = "a whole number from 1 to 4294967295",
	    .min = 1,
	    .max = UINT32_MAX,
	    .decode = decode_id },
	[API_ARG_EVENTS] = { .json_type = "array of strings",
	    .wanted = "a list of names of events",
	    .decode = decode_events },
	[API_ARG_LINE] = { .json_type = "string",
	    .wanted = "a text without line ends",
	    .decode = decode_line },
	[API_ARG_LINES] = { .json_type = "array of strings",
	    .wanted = "a list of texts without line ends",
	    .decode = decode_lines },
	[API_ARG_BOOLEAN] = { .json_type = "boolean",
	    .wanted = "true or false",
	    .decode = decode_boolean },
	[API_ARG_KEY] = { .json_type = "string",
	    .wanted = "16 hexadecimal digits",
	    .decode = decode_key },
	[API_ARG_FLOW_PROTOCOL] = { .json_type = "string",
	    .wanted = "one of tcp, udp, icmp",
	    .decode = decode_flow_protocol },
	[API_ARG_FLOW_PORT] = { .json_type = "number",
	    .wanted = "a whole number from 1 to 65535",
	    .min = 1,
	    .max = PORT_MAX,
	    .decode = decode_flow_port },
	[API_ARG_NAME] = { .json_type = "string",
	    .wanted = "a name of a host",
	    .decode = decode_name },
};
