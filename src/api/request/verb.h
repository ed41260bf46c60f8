/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands: names, arguments with types, type of the reply, and handlers.
 * The decoder of requests reads it, query_commands prints it, the JSON Schema is made
 * from it, and a test compares slirpd-api(7) with it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/request/out.h"
#include "ipc/messages.h"

struct api;
struct api_client;

/* An optional address. */
struct api_address {
	bool is_given;
	struct inaddr addr; /* zeros unless given */
};

struct api_ports {
	uint16_t first;
	uint16_t last;
};

struct api_event_set {
	bool is_given;
	uint32_t set; /* of 1 << enum api_event */
};

/* Borrowed until the next request is decoded. */
struct api_text {
	const char *bytes; /* NULL: not given; lines, each with a line end */
	size_t len;
};

/* All arguments. A verb uses those that its table names. */
struct api_args {
	uint32_t proto; /* index into api_protocols */
	struct api_address host_addr;
	struct api_ports host_port;
	struct api_address guest_addr;
	struct api_ports guest_port; /* first == last */
	uint32_t id;
	struct api_event_set events;
	struct api_text text;
	uint32_t base; /* 0: not given */
	bool dry_run;
	uint64_t key; /* of a rule */
	struct ipc_check_flow flow;
	struct api_address addr;
};

enum api_arg_type {
	API_ARG_PROTOCOL,
	API_ARG_ADDRESS,
	API_ARG_PORT,
	API_ARG_PORTS,
	API_ARG_ID,
	API_ARG_EVENTS,
	API_ARG_LINE,
	API_ARG_LINES,
	API_ARG_BOOLEAN,
	API_ARG_KEY,
	API_ARG_FLOW_PROTOCOL,
	API_ARG_FLOW_PORT,
	API_ARG_NAME,
	API_ARG_N_TYPES,
};

struct api_arg {
	const char *name;
	enum api_arg_type type;
	bool is_required;
	size_t offset; /* of its value in struct api_args */
	const char *default_text;
	const char *meaning;
};

struct api_verb {
	const char *name;
	const char *meaning;
	bool only_in_session;
	bool begins_session;
	bool is_audited; /* the request changes something */
	/* Outside of a session the members of "return" are also beside it. */
	bool repeats_return;
	const char *returns; /* the type of "return", an entry of api_types */
	const struct api_arg *args;
	size_t n_args;
	/* Replies, or starts a call that will reply. The request is in the client. */
	void (*start)(struct api *api, struct api_client *client);
	/* Goes on with the parent's status; for a verb that starts with api_start_get_status(). */
	void (*on_status)(struct api *api, struct api_client *client,
	    const struct ipc_status *status);
};

/* Ends with an entry whose name is NULL. */
extern const struct api_verb api_verbs[];

/* Returns NULL if no verb has the name. */
const struct api_verb *api_verb_find(const char *name);

/* The meaning of a protocol's name in a request. */
struct api_protocol {
	const char *name;
	uint8_t proto; /* IPPROTO_TCP or IPPROTO_UDP */
	/* API_FAMILY_IPV4 | API_FAMILY_IPV6: the families that host_addr may have. */
	uint8_t families;
};

#define API_FAMILY_IPV4 1
#define API_FAMILY_IPV6 2

/* Ends with an entry whose name is NULL. */
extern const struct api_protocol api_protocols[];

/* clang-format off */
/* Events of the api; the parent's are IPC_EVENTS. Name, meaning, type of the data. */
#define API_OWN_EVENTS(EVENT) \
	EVENT(HOSTFWD_ADDED, "a forward was added through the control socket", "hostfwd") \
	EVENT(HOSTFWD_REMOVED, "a forward was removed through the control socket", "hostfwd") \
	EVENT(POLICY_CHANGED, "a client of the control socket has changed the policy", "policy_change")

enum api_event {
#define API_EVENT_ENUM(name, ...) API_EVENT_##name,
	IPC_EVENTS(API_EVENT_ENUM) /* same numbers as enum ipc_event_kind */
	API_OWN_EVENTS(API_EVENT_ENUM)
#undef API_EVENT_ENUM
	API_EVENT_N,
};
/* clang-format on */

/* The name of an event, and the type of its data. */
const char *api_event_str(enum api_event event);
const char *api_event_data(enum api_event event);

/* Writes the value of query_commands' "return". */
void api_verb_describe_all(struct api_out *out);
