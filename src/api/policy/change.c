/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Changes the policy.
 *
 * Theory of operation: a new policy is made in the place that is not in force: of a text, or of the
 * policy in force and one rule. All faults are found here. The rows go to the parent, and behind them
 * change_policy. The parent compares the generation with its own, and answers when connector and
 * resolver follow the new policy; then the place is in force here too. One change at a time is on
 * its way.
 */
#include "api/policy/change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/handlers.h"
#include "api/parent.h"
#include "api/policy/show.h"
#include "api/session.h"
#include "model/policy_change.h"
#include "model/policy/print.h"

/* The rows that go to the parent. */
static struct policy_feed feed;

static void
refuse_conflict(struct api *api, struct api_client *client, uint64_t generation)
{
	char detail[API_ERROR_DETAIL_SIZE];

	snprintf(detail, sizeof(detail),
	    "the policy in force has generation %" PRIu64 "; look at it again",
	    generation);
	api_policy_refuse(api, client, API_ERROR_Conflict, detail);
}

static void
refuse_locked(struct api *api, struct api_client *client)
{
	api_policy_refuse(api, client, API_ERROR_Locked,
	    "--policy-lock: only policy_add_rule (slirpctl policy add) of deny or forbid "
	    "is possible");
}

/* Whether a change can be made now. If not, the client is refused. */
static bool
may_change(struct api *api, struct api_client *client)
{
	uint32_t base = client->request.args.base;

	if (!api_policy_check(api, client))
		return false;
	if (api_pending_has(&api->parent_lane, IPC_MSG_policy_changed)) {
		api_policy_refuse(api, client, API_ERROR_Busy,
		    "another change is being made");
		return false;
	}
	if (base != 0 && base != api->policy.generation) {
		refuse_conflict(api, client, api->policy.generation);
		return false;
	}
	return true;
}

/* May be called again: a part of the rows has been sent already. */
static int
send_change(struct ipc_channel *channel, const struct api_client *client)
{
	const struct ipc_change_policy msg = { .request = client->call.number };

	return policy_feed_send(&feed, channel) == -1
	    ? -1
	    : ipc_send_change_policy(channel, &msg);
}

/* The new policy is in the next place. */
static void
submit(struct api *api, struct api_client *client)
{
	const struct api_policy *policy = &api->policy;

	if (policy->known.is_locked &&
	    !policy_denies_more(policy->in_force, api_policy_next(policy))) {
		refuse_locked(api, client);
		return;
	}
	policy_feed_begin(&feed, api_policy_next(policy), policy->generation + 1);
	api_parent_call(api, client, send_change, IPC_MSG_policy_changed);
}

/* The parser has room for the texts of one policy. */
static void
reset_parser(struct policy_parser *parser, struct policy *policy)
{
	policy_init(policy);
	parser->policy = policy;
	parser->n_expects = 0;
	memset(parser->settings_at, 0, sizeof(parser->settings_at));
}

/* Checks the new policy. If it has a fault, the client is refused. */
static bool
finish(struct api *api, struct api_client *client)
{
	const struct ipc_listen *known = &api->policy.known;

	if (policy_finish(api->policy.parser, api->policy.matcher, known->is_audit,
		known->enable_dns))
		return true;
	api_policy_refuse(api, client, API_ERROR_BadPolicy, api->policy.parser->error);
	return false;
}

struct remarks {
	struct api_out *out;
	const struct policy *policy;
};

static void
write_remark(void *ctx, uint32_t rule, const char *text)
{
	const struct remarks *remarks = ctx;
	char where[POLICY_WHERE_SIZE], line[POLICY_WHERE_SIZE + POLICY_ERROR_SIZE];

	snprintf(line, sizeof(line), "%s: %s", policy_where(remarks->policy, rule, where),
	    text);
	api_out_string(remarks->out, NULL, line);
}

static void
reply_committed(struct api *api, struct api_client *client, const struct policy *policy)
{
	struct api_out *out = api_client_reply_begin(client);
	struct remarks remarks = { .out = out, .policy = policy };

	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	api_out_open(out, "remarks", '[');
	policy_lint(policy, write_remark, &remarks);
	api_out_close(out, ']');
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

void
api_start_policy_commit(struct api *api, struct api_client *client)
{
	struct api_policy *policy = &api->policy;
	struct policy *next;
	struct policy_text text = {
		.name = policy->text.name,
		.text = policy->text.bytes,
		.len = policy->text.len,
	};

	if (!api_policy_text_check(api, client) || !may_change(api, client))
		return;
	api_policy_text_leave(&policy->text, client);
	next = api_policy_next(policy);
	reset_parser(policy->parser, next);
	if (!policy_parse(policy->parser, next, &text, IPC_POLICY_FROM_FILE)) {
		api_policy_refuse(api, client, API_ERROR_BadPolicy,
		    policy->parser->error);
		return;
	}
	if (!finish(api, client))
		return;
	if (client->request.args.dry_run)
		reply_committed(api, client, next);
	else if (policy->known.is_locked)
		refuse_locked(api, client);
	else
		submit(api, client);
}

/* The number of the next rule of the api, as a line. */
static uint32_t
next_line(const struct policy *policy)
{
	uint32_t line = 0;

	for (uint32_t rule = 0; rule < policy->n_rules; rule++)
		if (policy->rules[rule].source == IPC_POLICY_FROM_API &&
		    policy->rules[rule].line > line)
			line = policy->rules[rule].line;
	return line + 1;
}

void
api_start_policy_add_rule(struct api *api, struct api_client *client)
{
	struct api_policy *policy = &api->policy;
	const struct api_text *line = &client->request.args.text;
	struct policy_text text = {
		.name = "api",
		.text = line->bytes,
		.len = line->len,
	};
	const char *why;
	struct policy *next;

	if (!may_change(api, client))
		return;
	next = api_policy_next(policy);
	reset_parser(policy->parser, next);
	if (!policy_parse_lines(policy->parser, next, &text, IPC_POLICY_FROM_API,
		next_line(policy->in_force))) {
		api_policy_refuse(api, client, API_ERROR_BadPolicy,
		    policy->parser->error);
		return;
	}
	if (next->n_rules != 1) {
		api_policy_refuse(api, client, API_ERROR_BadPolicy,
		    "the line is not a rule; only a new policy changes settings");
		return;
	}
	client->request.args.key = next->rules[0].key;
	if (!policy_append(next, policy->in_force, &why)) {
		api_policy_refuse(api, client, API_ERROR_BadPolicy, why);
		return;
	}
	if (finish(api, client))
		submit(api, client);
}

void
api_start_policy_remove_rule(struct api *api, struct api_client *client)
{
	struct api_policy *policy = &api->policy;

	if (!may_change(api, client))
		return;
	if (policy_copy_without(api_policy_next(policy), policy->in_force,
		client->request.args.key) == 0) {
		api_policy_refuse(api, client, API_ERROR_NotFound, "no rule has this id");
		return;
	}
	submit(api, client);
}

static void
reply_changed(struct api *api, struct api_client *client)
{
	char id[API_POLICY_ID_SIZE];
	struct api_out *out;

	if (client->request.verb->start == api_start_policy_commit) {
		reply_committed(api, client, api->policy.in_force);
		return;
	}
	out = api_client_reply_begin(client);
	api_out_open(out, NULL, '{');
	api_out_number(out, "generation", api->policy.generation);
	if (client->request.verb->start == api_start_policy_add_rule)
		api_out_string(out, "id",
		    api_policy_id_format(client->request.args.key, id));
	api_out_close(out, '}');
	api_client_reply_end(api, client);
}

static void
put_in_force(struct api *api, struct api_client *client, uint64_t generation)
{
	struct api_policy *policy = &api->policy;
	/* The reply may be the client's end. */
	const struct ucred peer = client->peer;
	const struct api_policy_change change = {
		.generation = generation,
		.command = client->request.verb->name,
		.peer = &peer,
	};
	const struct api_event_data data = { .policy = &change };

	api_policy_switch(policy, generation);
	api_audit(api, client, "%s: policy generation %" PRIu64 ", %u rules",
	    change.command, generation, policy->in_force->n_rules);
	reply_changed(api, client);
	api_session_event(api, API_EVENT_POLICY_CHANGED, &data);
}

void
api_on_policy_changed(struct api *api, const struct ipc_policy_changed *msg)
{
	struct api_client *client =
	    api_parent_answered(api, IPC_MSG_policy_changed, msg->request);

	switch ((enum ipc_policy_outcome)msg->outcome) {
	case IPC_POLICY_OUTCOME_done:
		put_in_force(api, client, msg->generation);
		break;
	case IPC_POLICY_OUTCOME_conflict:
		refuse_conflict(api, client, msg->generation);
		break;
	case IPC_POLICY_OUTCOME_locked:
		refuse_locked(api, client);
		break;
	default:
		api_policy_refuse(api, client, API_ERROR_Busy,
		    "a process of slirpd is being started; nothing was changed");
	}
}
