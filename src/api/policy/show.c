/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers the commands that ask for the policy and its counts: rules and names from the api's copy,
 * the rest from the connector. */
#include "api/policy/show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "model/policy/expect.h"
#include "model/policy/print.h"

/* The longest setting: dns-types with all types. */
#define SETTING_SIZE 128

void
api_policy_refuse(struct api *api, struct api_client *client, enum api_error_class class,
    const char *detail)
{
	const struct api_verb *verb = client->request.verb;
	char desc[API_ERROR_DESC_SIZE];
	struct api_error error;

	snprintf(desc, sizeof(desc), "%s: refused", verb->name);
	api_error_set(&error, class, desc, "%s", detail);
	/* Not the detail: a part of it is the client's text. */
	if (verb->is_audited)
		api_audit(api, client, "%s: refused: %s", verb->name,
		    api_error_class_str(class));
	api_client_refuse(api, client, &error);
}

bool
api_policy_check(struct api *api, struct api_client *client)
{
	if (api->policy.known.has_policy)
		return true;
	api_policy_refuse(api, client, API_ERROR_NotSupported,
	    "slirpd was started without a policy; --policy=open is one that denies nothing");
	return false;
}

const char *
api_policy_id_format(uint64_t key, char buf[API_POLICY_ID_SIZE])
{
	snprintf(buf, API_POLICY_ID_SIZE, "%016" PRIx64, key);
	return buf;
}

static int
send_query_policy(struct ipc_channel *channel, const struct api_client *client)
{
	const struct ipc_query_policy msg = { .request = client->call.number };

	return ipc_send_query_policy(channel, &msg);
}

static int
send_list_hits(struct ipc_channel *channel, const struct api_client *client)
{
	const struct ipc_list_hits msg = {
		.request = client->call.number,
		.from = client->call.cursor,
	};

	return ipc_send_list_hits(channel, &msg);
}

void
api_start_query_policy(struct api *api, struct api_client *client)
{
	if (api_policy_check(api, client))
		api_peer_call(api, &api->connector, client, send_query_policy,
		    IPC_MSG_policy_state);
}

void
api_start_policy_get(struct api *api, struct api_client *client)
{
	if (api_policy_check(api, client))
		api_peer_call(api, &api->connector, client, send_list_hits,
		    IPC_MSG_hits_page);
}

static int
send_list_pins(struct ipc_channel *channel, const struct api_client *client)
{
	const struct ipc_list_pins msg = {
		.request = client->call.number,
		.from = client->call.cursor,
	};

	return ipc_send_list_pins(channel, &msg);
}

void
api_start_query_pins(struct api *api, struct api_client *client)
{
	if (api_policy_check(api, client))
		api_peer_call(api, &api->connector, client, send_list_pins,
		    IPC_MSG_pins_page);
}

static int
send_list_denied(struct ipc_channel *channel, const struct api_client *client)
{
	const struct ipc_list_denied msg = {
		.request = client->call.number,
		.from = client->call.cursor,
	};

	return ipc_send_list_denied(channel, &msg);
}

void
api_start_query_denied(struct api *api, struct api_client *client)
{
	if (api_policy_check(api, client))
		api_peer_call(api, &api->connector, client, send_list_denied,
		    IPC_MSG_denied_page);
}

void
api_on_policy_state(struct api *api, const struct ipc_policy_state *msg)
{
	const struct policy *policy = api->policy.in_force;
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_policy_state, msg->request);
	char hash[API_POLICY_ID_SIZE];
	struct api_out *out;

	if (!client)
		return;
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	api_out_string(out, "hash", api_policy_id_format(api->policy.hash, hash));
	api_out_string(out, "mode", policy_mode_words[policy->settings.mode]);
	api_out_string(out, "default",
	    policy_action_words[policy->settings.default_action]);
	api_out_bool(out, "locked", api->policy.known.is_locked);
	api_out_number(out, "rules", policy->n_rules);
	api_out_number(out, "prefixes", policy->n_prefixes);
	api_out_number(out, "names", policy->n_names);
	api_out_number(out, "allowed", msg->n_allowed);
	api_out_number(out, "denied", msg->n_denied);
	api_out_number(out, "by_default", msg->n_by_default);
	api_out_number(out, "flows_limited", msg->n_flows_limited);
	api_out_number(out, "names_denied", msg->n_names_denied);
	api_out_number(out, "names_limited", msg->n_names_limited);
	api_out_number(out, "addrs_cut", msg->n_addrs_cut);
	api_out_number(out, "pins", msg->n_pins);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

/* A line of the policy while it is put together; the memory is counted as the client's. */
static void
put_to_line(void *ctx, const char *text, size_t len)
{
	api_out_raw(ctx, text, len);
}

static void
write_line(struct api_out *out, const char *name, const struct policy *policy,
    uint32_t number)
{
	struct api_out line = { 0 };

	policy_print_one_line(policy, number, put_to_line, &line);
	api_out_raw(&line, "", 1);
	out->failed |= line.failed;
	api_out_string(out, name, line.failed ? "" : line.bytes);
	api_out_free(&line);
}

static void
write_rule(struct api_out *out, const struct policy *policy, uint32_t number,
    const struct ipc_rule_hits *hits)
{
	char id[API_POLICY_ID_SIZE], where[POLICY_WHERE_SIZE];

	api_out_open(out, NULL, '{');
	api_out_string(out, "id", api_policy_id_format(policy->rules[number].key, id));
	api_out_string(out, "where", policy_where(policy, number, where));
	write_line(out, "line", policy, number);
	api_out_number(out, "hits", hits->n);
	if (hits->n > 0)
		api_out_number(out, "idle_ms", hits->idle_ms);
	api_out_close(out, '}');
}

struct settings_writer {
	struct api_out *out;
	char line[SETTING_SIZE];
	size_t len;
};

static void
put_to_settings(void *ctx, const char *text, size_t len)
{
	struct settings_writer *writer = ctx;

	if (len == 1 && text[0] == '\n') {
		writer->line[writer->len] = '\0';
		api_out_string(writer->out, NULL, writer->line);
		writer->len = 0;
	} else if (writer->len + len < sizeof(writer->line)) {
		memcpy(writer->line + writer->len, text, len);
		writer->len += len;
	}
}

static void
reply_text(struct api *api, struct api_client *client)
{
	struct api_out *out = api_client_reply_begin(client);
	struct api_out *list = &client->call.list;
	struct settings_writer writer = { .out = out };

	out->failed |= list->failed;
	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	api_out_open(out, "settings", '[');
	policy_print_settings(api->policy.in_force, put_to_settings, &writer);
	api_out_close(out, ']');
	api_out_open(out, "rules", '[');
	api_out_raw(out, list->bytes, list->len);
	api_out_close(out, ']');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

/* Whether a page can be added to the list. If not, the list begins anew: during a change the connector
 * is ahead for a moment, and pages of two policies do not belong together. */
static bool
fits(struct api *api, struct api_client *client, uint64_t generation)
{
	struct api_call *call = &client->call;

	if (generation == api->policy.generation &&
	    (call->cursor == 0 || generation == call->generation)) {
		call->generation = generation;
		return true;
	}
	api_out_free(&call->list);
	call->cursor = 0;
	api_peer_call_again(api, &api->connector, client);
	return false;
}

void
api_on_hits_page(struct api *api, const struct ipc_hits_page *msg)
{
	const struct policy *policy = api->policy.in_force;
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_hits_page, msg->request);
	struct api_call *call;

	if (!client || !fits(api, client, msg->generation))
		return;
	call = &client->call;
	for (uint32_t i = 0; i < msg->n && call->cursor < policy->n_rules; i++)
		write_rule(&call->list, policy, call->cursor++, &msg->hits[i]);
	if (msg->n > 0 && call->cursor < policy->n_rules)
		api_peer_call_again(api, &api->connector, client);
	else
		reply_text(api, client);
}

/* All pages have come. */
static void
reply_list(struct api *api, struct api_client *client, const char *key)
{
	struct api_out *out = api_client_reply_begin(client);
	struct api_out *list = &client->call.list;

	out->failed |= list->failed;
	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	api_out_open(out, key, '[');
	api_out_raw(out, list->bytes, list->len);
	api_out_close(out, ']');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
write_pin(struct api_out *out, const struct policy *policy, const struct ipc_pin *pin)
{
	const struct ipc_policy_name *name = &policy->names[pin->name];
	char addr[INET6_ADDRSTRLEN], text[IPC_POLICY_NAME_SIZE + 2];

	/* The connector has the same names. */
	if (pin->name >= policy->n_names)
		return;
	snprintf(text, sizeof(text), "%s%s", name->is_wildcard ? "*." : "", name->text);
	api_out_open(out, NULL, '{');
	api_out_string(out, "addr", inaddr_format(&pin->addr, addr));
	api_out_string(out, "name", text);
	api_out_number(out, "life_s", pin->life_s);
	api_out_close(out, '}');
}

void
api_on_pins_page(struct api *api, const struct ipc_pins_page *msg)
{
	const struct policy *policy = api->policy.in_force;
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_pins_page, msg->request);
	struct api_out *list;

	if (!client || !fits(api, client, msg->generation))
		return;
	list = &client->call.list;
	for (uint32_t i = 0; i < msg->n; i++)
		write_pin(list, policy, &msg->pins[i]);
	if (msg->next != 0)
		api_peer_call_for_page(api, &api->connector, client, msg->next);
	else
		reply_list(api, client, "pins");
}

static void
write_classes(struct api_out *out, uint32_t classes)
{
	api_out_open(out, "classes", '[');
	for (int class = 0; class < IPC_POLICY_N_CLASSES; class ++) {
		if (classes & 1U << class)
			api_out_string(out, NULL, policy_class_words[class]);
	}
	api_out_close(out, ']');
}

static int
send_check_flow(struct ipc_channel *channel, const struct api_client *client)
{
	struct ipc_check_flow msg = client->request.args.flow;

	msg.request = client->call.number;
	msg.addr = client->request.args.addr.addr;
	return ipc_send_check_flow(channel, &msg);
}

void
api_start_policy_check(struct api *api, struct api_client *client)
{
	const struct api_args *args = &client->request.args;
	const struct ipc_check_flow *flow = &args->flow;

	if (!api_policy_check(api, client))
		return;
	if ((flow->proto == IPC_POLICY_PROTO_icmp) != (flow->port == 0))
		api_policy_refuse(api, client, API_ERROR_BadArgument,
		    "tcp and udp have a port, and icmp has none");
	else if (args->addr.is_given == (flow->name[0] != '\0'))
		api_policy_refuse(api, client, API_ERROR_BadArgument,
		    "a flow leads to one addr or to one name");
	else
		api_peer_call(api, &api->connector, client, send_check_flow,
		    IPC_MSG_flow_verdict);
}

static void
write_verdict(struct api_out *out, const struct policy *policy,
    const struct ipc_flow_verdict *msg)
{
	const struct policy_verdict verdict = {
		.is_allowed = msg->is_allowed,
		.reason = msg->reason,
		.rule = msg->rule,
	};
	char cause[POLICY_CAUSE_SIZE], id[API_POLICY_ID_SIZE];

	api_out_string(out, "verdict", verdict.is_allowed ? "allow" : "deny");
	api_out_string(out, "cause", policy_cause_format(policy, &verdict, cause));
	api_out_bool(out, "audit", policy->settings.mode == IPC_POLICY_MODE_audit);
	if (verdict.reason == POLICY_BY_RULE && verdict.rule < policy->n_rules) {
		write_line(out, "rule", policy, verdict.rule);
		api_out_string(out, "id",
		    api_policy_id_format(policy->rules[verdict.rule].key, id));
	}
	write_classes(out, msg->classes);
	api_out_open(out, "pins", '[');
	for (uint32_t i = 0; i < msg->n; i++)
		write_pin(out, policy, &msg->pins[i]);
	api_out_close(out, ']');
}

void
api_on_flow_verdict(struct api *api, const struct ipc_flow_verdict *msg)
{
	const struct policy *policy = api->policy.in_force;
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_flow_verdict, msg->request);
	struct api_out *out;

	if (!client || !fits(api, client, msg->generation))
		return;
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	write_verdict(out, policy, msg);
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
write_denied(struct api_out *out, const struct ipc_denied *entry)
{
	static const char *const reasons[] = {
#define WORD(name, word) word,
		IPC_DENIED_REASONS(WORD)
#undef WORD
	};
	char addr[INET6_ADDRSTRLEN];

	api_out_open(out, NULL, '{');
	if (entry->proto != IPC_POLICY_PROTO_any) {
		api_out_string(out, "proto", policy_proto_words[entry->proto]);
		if (entry->proto != IPC_POLICY_PROTO_icmp)
			api_out_number(out, "port", entry->port);
		api_out_string(out, "addr", inaddr_format(&entry->addr, addr));
	}
	write_classes(out, entry->classes);
	if (entry->name[0] != '\0')
		api_out_string(out, "name", entry->name);
	api_out_string(out, "denied_by", reasons[entry->reason]);
	api_out_number(out, "count", entry->count);
	api_out_close(out, '}');
}

void
api_on_denied_page(struct api *api, const struct ipc_denied_page *msg)
{
	struct api_client *client =
	    api_peer_answered(api, &api->connector, IPC_MSG_denied_page, msg->request);

	if (!client || !fits(api, client, msg->generation))
		return;
	for (uint32_t i = 0; i < msg->n; i++)
		write_denied(&client->call.list, &msg->entries[i]);
	if (msg->next != 0)
		api_peer_call_for_page(api, &api->connector, client, msg->next);
	else
		reply_list(api, client, "denied");
}
