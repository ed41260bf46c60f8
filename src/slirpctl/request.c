/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes requests in JSON from the arguments of the command line. */
#include "slirpctl/request.h"

#include <bsd/stdlib.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/endpoint.h"
#include "base/inaddr.h"
#include "base/log.h"

/* "65535-65535" */
#define PORTS_SIZE 12

static json_t *
no_memory(void)
{
	log_error("no memory for a request");
	return NULL;
}

static json_t *
checked(json_t *request)
{
	return request != NULL ? request : no_memory();
}

static bool
take_endpoint(const char *side, const char *text, struct endpoint *endpoint)
{
	enum endpoint_outcome outcome = endpoint_parse(text, strlen(text), endpoint);

	if (outcome == ENDPOINT_OK)
		return true;
	log_error("add: %s '%s': %s", side, text, endpoint_outcome_str(outcome));
	return false;
}

/* NULL if there is no address: json_pack(3) then leaves the member out. */
static const char *
addr_format(const struct endpoint *endpoint, char buf[INET6_ADDRSTRLEN])
{
	return endpoint->has_addr ? inaddr_format(&endpoint->addr, buf) : NULL;
}

/* A number, or text for a range, which slirp4netns refuses. */
static json_t *
ports_json(const struct endpoint *endpoint)
{
	char text[PORTS_SIZE];

	if (endpoint->port_first == endpoint->port_last)
		return json_integer(endpoint->port_first);
	snprintf(text, sizeof(text), "%u-%u", (unsigned int)endpoint->port_first,
	    (unsigned int)endpoint->port_last);
	return json_string(text);
}

static bool
proto_is_known(const char *proto)
{
	static const char *const known[] = { "tcp", "udp", "tcp4", "udp4", "tcp6",
		"udp6" };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcmp(proto, known[i]) == 0)
			return true;
	}
	log_error("add: protocol '%s': not tcp, udp, tcp4, udp4, tcp6 or udp6", proto);
	return false;
}

json_t *
request_add(const char *const args[3])
{
	struct endpoint host, guest;
	char host_addr[INET6_ADDRSTRLEN], guest_addr[INET6_ADDRSTRLEN];

	if (!proto_is_known(args[0]) || !take_endpoint("HOST", args[1], &host) ||
	    !take_endpoint("GUEST", args[2], &guest))
		return NULL;
	if (guest.port_first != guest.port_last) {
		log_error(
		    "add: GUEST '%s': a range belongs in HOST; give its first port here",
		    args[2]);
		return NULL;
	}
	return checked(json_pack("{s:s, s:{s:s, s:s*, s:o, s:s*, s:i}}", "execute",
	    "add_hostfwd", "arguments", "proto", args[0], "host_addr",
	    addr_format(&host, host_addr), "host_port", ports_json(&host), "guest_addr",
	    addr_format(&guest, guest_addr), "guest_port", (int)guest.port_first));
}

json_t *
request_ids(const char *const *args, size_t n_args)
{
	json_auto_t *ids = json_array();

	for (size_t i = 0; i < n_args; i++) {
		const char *problem = NULL;
		long long id = 0;

		if (args[i][strspn(args[i], "0123456789")] == '\0')
			id = strtonum(args[i], 1, UINT32_MAX, &problem);
		if (id == 0) {
			log_error("remove: '%s' is not the id of a forward", args[i]);
			return NULL;
		}
		if (json_array_append_new(ids, json_integer(id)) == -1)
			return no_memory();
	}
	return json_incref(ids);
}

json_t *
request_remove(json_int_t id)
{
	return checked(json_pack("{s:s, s:{s:I}}", "execute", "remove_hostfwd",
	    "arguments", "id", id));
}

json_t *
request_subscribe(const char *const *names, size_t n_names)
{
	json_auto_t *events = json_array();

	if (n_names == 0)
		return request_plain("subscribe");
	for (size_t i = 0; i < n_names; i++) {
		/* The daemon knows the names of events. JSON needs UTF-8. */
		json_t *name = json_string(names[i]);

		if (name == NULL) {
			log_error("events: '%s' is not a name", names[i]);
			return NULL;
		}
		if (json_array_append_new(events, name) == -1)
			return no_memory();
	}
	return checked(json_pack("{s:s, s:{s:O}}", "execute", "subscribe", "arguments",
	    "events", events));
}

json_t *
request_plain(const char *verb)
{
	return checked(json_pack("{s:s}", "execute", verb));
}
