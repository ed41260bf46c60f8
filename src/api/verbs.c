/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of commands, and its description for query_commands. */
#include "api/request/verb.h"

#include <netinet/in.h>
#include <string.h>

#include "api/forwards.h"
#include "api/policy/change.h"
#include "api/policy/show.h"
#include "api/policy/text.h"
#include "api/queries.h"
#include "api/request/argument.h"
#include "api/request/error.h"
#include "api/request/types.h"
#include "api/session.h"

#define OFFSET(member) offsetof(struct api_args, member)
#define ARGS(array) .args = (array), .n_args = sizeof(array) / sizeof((array)[0])

static const struct api_arg add_forward_args[] = {
	{ .name = "proto",
	    .type = API_ARG_PROTOCOL,
	    .is_required = true,
	    .offset = OFFSET(proto),
	    .meaning = "the protocol; a 4 or 6 at its end is the family of host_addr" },
	{ .name = "host_addr",
	    .type = API_ARG_ADDRESS,
	    .offset = OFFSET(host_addr),
	    .default_text = "0.0.0.0; :: for tcp6 and udp6",
	    .meaning = "the host's address to listen on" },
	{ .name = "host_port",
	    .type = API_ARG_PORTS,
	    .is_required = true,
	    .offset = OFFSET(host_port),
	    .meaning = "the host's port, or a range of them" },
	{ .name = "guest_addr",
	    .type = API_ARG_ADDRESS,
	    .offset = OFFSET(guest_addr),
	    .default_text = "the guest's own, of the family of host_addr",
	    .meaning = "the guest's address" },
	{ .name = "guest_port",
	    .type = API_ARG_PORT,
	    .is_required = true,
	    .offset = OFFSET(guest_port),
	    .meaning = "the guest's port; of a range, the first" },
};

static const struct api_arg remove_forward_args[] = {
	{ .name = "id",
	    .type = API_ARG_ID,
	    .is_required = true,
	    .offset = OFFSET(id),
	    .meaning = "the forward, as add_hostfwd returned it" },
};

static const struct api_arg policy_begin_args[] = {
	{ .name = "name",
	    .type = API_ARG_LINE,
	    .offset = OFFSET(text),
	    .default_text = "api",
	    .meaning = "the name of the text in errors, and in where of its rules" },
};

static const struct api_arg policy_add_args[] = {
	{ .name = "lines",
	    .type = API_ARG_LINES,
	    .is_required = true,
	    .offset = OFFSET(text),
	    .meaning = "the next lines of the text" },
};

static const struct api_arg policy_commit_args[] = {
	{ .name = "base",
	    .type = API_ARG_ID,
	    .offset = OFFSET(base),
	    .default_text = "the one in force",
	    .meaning = "the generation of the policy that is to be replaced" },
	{ .name = "dry_run",
	    .type = API_ARG_BOOLEAN,
	    .offset = OFFSET(dry_run),
	    .default_text = "false",
	    .meaning = "check the text, and change nothing" },
};

static const struct api_arg policy_add_rule_args[] = {
	{ .name = "line",
	    .type = API_ARG_LINE,
	    .is_required = true,
	    .offset = OFFSET(text),
	    .meaning = "the rule" },
	{ .name = "base",
	    .type = API_ARG_ID,
	    .offset = OFFSET(base),
	    .default_text = "the one in force",
	    .meaning = "the generation of the policy that is to be changed" },
};

static const struct api_arg policy_remove_rule_args[] = {
	{ .name = "id",
	    .type = API_ARG_KEY,
	    .is_required = true,
	    .offset = OFFSET(key),
	    .meaning = "the rule, as in policy_get" },
	{ .name = "base",
	    .type = API_ARG_ID,
	    .offset = OFFSET(base),
	    .default_text = "the one in force",
	    .meaning = "the generation of the policy that is to be changed" },
};

static const struct api_arg policy_check_args[] = {
	{ .name = "proto",
	    .type = API_ARG_FLOW_PROTOCOL,
	    .is_required = true,
	    .offset = OFFSET(flow.proto),
	    .meaning = "the protocol" },
	{ .name = "port",
	    .type = API_ARG_FLOW_PORT,
	    .offset = OFFSET(flow.port),
	    .default_text = "none, for icmp",
	    .meaning = "the port of the destination; tcp and udp need it" },
	{ .name = "addr",
	    .type = API_ARG_ADDRESS,
	    .offset = OFFSET(addr),
	    .default_text = "none, with a name",
	    .meaning = "the address of the destination" },
	{ .name = "name",
	    .type = API_ARG_NAME,
	    .offset = OFFSET(flow.name),
	    .default_text = "none, with an address",
	    .meaning = "the name of the destination" },
};

static const struct api_arg subscribe_args[] = {
	{ .name = "events",
	    .type = API_ARG_EVENTS,
	    .offset = OFFSET(events),
	    .default_text = "all",
	    .meaning = "which events to send from now on" },
};

const struct api_verb api_verbs[] = {
	{ .name = "add_hostfwd",
	    .meaning = "forward ports of the host to the guest",
	    .returns = "hostfwd_id",
	    .is_audited = true,
	    ARGS(add_forward_args),
	    .start = api_start_add_forward },
	{ .name = "remove_hostfwd",
	    .meaning = "end a forward",
	    .returns = "empty",
	    .is_audited = true,
	    ARGS(remove_forward_args),
	    .start = api_start_remove_forward },
	{ .name = "list_hostfwd",
	    .meaning = "all forwards",
	    .returns = "hostfwds",
	    .repeats_return = true,
	    .start = api_start_list_forwards },
	{ .name = "query_version",
	    .meaning = "the versions of slirpd and libslirp",
	    .returns = "version",
	    .start = api_start_get_status,
	    .on_status = api_reply_version },
	{ .name = "query_commands",
	    .meaning = "all commands, events and classes of errors",
	    .returns = "description",
	    .start = api_start_query_commands },
	{ .name = "query_status",
	    .meaning = "the network, the processes and their confinement",
	    .returns = "status",
	    .start = api_start_get_status,
	    .on_status = api_reply_status },
	{ .name = "query_stats",
	    .meaning = "counters, drops, open sockets, requests",
	    .returns = "stats",
	    .start = api_start_get_status,
	    .on_status = api_ask_worker },
	{ .name = "query_connections",
	    .meaning = "all connections, flows and forwarded ports",
	    .returns = "connections",
	    .start = api_start_query_connections },
	{ .name = "query_policy",
	    .meaning = "the policy in force, and counts of flows",
	    .returns = "policy",
	    .start = api_start_query_policy },
	{ .name = "policy_get",
	    .meaning = "the lines of the policy, and how often each rule has decided",
	    .returns = "policy_text",
	    .start = api_start_policy_get },
	{ .name = "query_pins",
	    .meaning = "the addresses of names that the guest may connect to",
	    .returns = "policy_pins",
	    .start = api_start_query_pins },
	{ .name = "query_denied",
	    .meaning = "the destinations and names that the policy has denied, "
		       "or would deny in mode audit",
	    .returns = "policy_denied",
	    .start = api_start_query_denied },
	{ .name = "policy_check",
	    .meaning =
		"whether the policy allows a flow, by which rule; nothing is opened or counted",
	    .returns = "policy_verdict",
	    ARGS(policy_check_args),
	    .start = api_start_policy_check },
	{ .name = "policy_begin",
	    .meaning = "begin the text of a policy that replaces all of the present one",
	    .returns = "empty",
	    .only_in_session = true,
	    ARGS(policy_begin_args),
	    .start = api_start_policy_begin },
	{ .name = "policy_add",
	    .meaning = "add lines to the text",
	    .returns = "empty",
	    .only_in_session = true,
	    ARGS(policy_add_args),
	    .start = api_start_policy_add },
	{ .name = "policy_commit",
	    .meaning = "put the policy of the text in force",
	    .returns = "policy_committed",
	    .only_in_session = true,
	    .is_audited = true,
	    ARGS(policy_commit_args),
	    .start = api_start_policy_commit },
	{ .name = "policy_add_rule",
	    .meaning = "put one rule before all others",
	    .returns = "policy_added",
	    .is_audited = true,
	    ARGS(policy_add_rule_args),
	    .start = api_start_policy_add_rule },
	{ .name = "policy_remove_rule",
	    .meaning = "remove the rules with this id",
	    .returns = "policy_removed",
	    .is_audited = true,
	    ARGS(policy_remove_rule_args),
	    .start = api_start_policy_remove_rule },
	{ .name = "qmp_capabilities",
	    .meaning = "make a session of this connection",
	    .returns = "empty",
	    .begins_session = true,
	    .start = api_start_qmp_capabilities },
	{ .name = "subscribe",
	    .meaning = "send events in this session",
	    .returns = "empty",
	    .only_in_session = true,
	    ARGS(subscribe_args),
	    .start = api_start_subscribe },
	{ .name = NULL },
};

const struct api_protocol api_protocols[] = {
	{ "tcp", IPPROTO_TCP, API_FAMILY_IPV4 | API_FAMILY_IPV6 },
	{ "udp", IPPROTO_UDP, API_FAMILY_IPV4 | API_FAMILY_IPV6 },
	{ "tcp4", IPPROTO_TCP, API_FAMILY_IPV4 },
	{ "udp4", IPPROTO_UDP, API_FAMILY_IPV4 },
	{ "tcp6", IPPROTO_TCP, API_FAMILY_IPV6 },
	{ "udp6", IPPROTO_UDP, API_FAMILY_IPV6 },
	{ NULL, 0, 0 },
};

struct named_meaning {
	const char *name;
	const char *meaning;
	const char *data; /* the type of an event's data; NULL for classes of errors */
};

#define EVENT(name, meaning, data) { #name, meaning, data },
#define ERROR_CLASS(name, meaning) { #name, meaning, NULL },
/* In the order of enum api_event. */
static const struct named_meaning events[] = { IPC_EVENTS(EVENT) API_OWN_EVENTS(EVENT) };
static const struct named_meaning error_classes[] = { API_ERROR_CLASSES(ERROR_CLASS) };
#undef EVENT
#undef ERROR_CLASS

const struct api_verb *
api_verb_find(const char *name)
{
	for (const struct api_verb *verb = api_verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

const char *
api_event_str(enum api_event event)
{
	return events[event].name;
}

const char *
api_event_data(enum api_event event)
{
	return events[event].data;
}

static void
describe_argument(struct api_out *out, const struct api_arg *arg)
{
	const struct api_arg_type_info *type = &api_arg_types[arg->type];

	api_out_open(out, NULL, '{');
	api_out_string(out, "name", arg->name);
	api_out_string(out, "type", type->json_type);
	api_out_bool(out, "required", arg->is_required);
	if (type->max) {
		api_out_number(out, "min", type->min);
		api_out_number(out, "max", type->max);
	}
	if (arg->default_text)
		api_out_string(out, "default", arg->default_text);
	api_out_string(out, "wanted", type->wanted);
	api_out_string(out, "meaning", arg->meaning);
	api_out_close(out, '}');
}

static void
describe_verb(struct api_out *out, const struct api_verb *verb)
{
	api_out_open(out, NULL, '{');
	api_out_string(out, "name", verb->name);
	api_out_string(out, "meaning", verb->meaning);
	api_out_bool(out, "only_in_session", verb->only_in_session);
	api_out_open(out, "arguments", '[');
	for (size_t i = 0; i < verb->n_args; i++)
		describe_argument(out, &verb->args[i]);
	api_out_close(out, ']');
	api_out_string(out, "returns", verb->returns);
	api_out_close(out, '}');
}

static void
describe_names(struct api_out *out, const char *key, const struct named_meaning *names,
    size_t n)
{
	api_out_open(out, key, '[');
	for (size_t i = 0; i < n; i++) {
		api_out_open(out, NULL, '{');
		api_out_string(out, "name", names[i].name);
		api_out_string(out, "meaning", names[i].meaning);
		if (names[i].data)
			api_out_string(out, "data", names[i].data);
		api_out_close(out, '}');
	}
	api_out_close(out, ']');
}

void
api_verb_describe_all(struct api_out *out)
{
	api_out_open(out, NULL, '{');
	api_out_open(out, "commands", '[');
	for (const struct api_verb *verb = api_verbs; verb->name; verb++)
		describe_verb(out, verb);
	api_out_close(out, ']');
	describe_names(out, "events", events, API_EVENT_N);
	describe_names(out, "error_classes", error_classes, API_ERROR_N);
	api_types_describe(out);
	api_out_close(out, '}');
}
