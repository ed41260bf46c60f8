/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An api that sends anything to the parent: real dispatch, and the parent's copy of the policy. The
 * first byte says whether the policy is locked; datagrams as in datagram.h follow.
 *
 * Nothing may crash. What connector and resolver get is the policy that the parent keeps, as a
 * whole. A locked policy only denies more.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "datagram.h"
#include "harness.h"
#include "model/policy/parse.h"
#include "model/policy_change.h"
#include "parent/supervise/children.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/start.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The other ends of the parent's channels, and the policy that came. */
struct end {
	enum ipc_role role;
	struct ipc_channel channel;
	struct policy policy;
	struct policy_take take;
};

static const char policy_text[] = "policy 1\nallow tcp 443 to pypi.test, 192.0.2.0/24\n"
				  "deny to private\nallow to internet\n";
static struct options options = { .program_name = "slirpd", .enable_dns = true };
static struct supervisor sv;
static struct policy first, places[2];
static struct policy_parser parser;
static struct end ends[] = { { .role = IPC_ROLE_API }, { .role = IPC_ROLE_CONNECTOR },
	{ .role = IPC_ROLE_RESOLVER } };
static struct end *const api = &ends[0];

#define N_ENDS (sizeof(ends) / sizeof(ends[0]))

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const struct policy_text text = { "a", policy_text, sizeof(policy_text) - 1 };

	(void)argc;
	(void)argv;
	harness_silence();
	policy_init(&first);
	assert(policy_parse(&parser, &first, &text, IPC_POLICY_FROM_FILE));
	return 0;
}

static void
open_end(struct end *end)
{
	struct ipc_channel *parent = supervisor_channel(&sv, end->role);
	struct ipc_message msg;
	const char *why;
	int parent_fd, end_fd;

	assert(ipc_channel_pair(&parent_fd, &end_fd) == 0);
	ipc_channel_open(parent, parent_fd, IPC_ROLE_PARENT, end->role);
	ipc_channel_open(&end->channel, end_fd, end->role, IPC_ROLE_PARENT);
	assert(ipc_channel_greet(parent) == 0 && ipc_channel_greet(&end->channel) == 0);
	assert(ipc_channel_recv(parent, &msg, &why) == IPC_OUTCOME_MESSAGE);
	assert(ipc_channel_recv(&end->channel, &msg, &why) == IPC_OUTCOME_MESSAGE);
	ipc_channel_set_running(parent);
	ipc_channel_set_running(&end->channel);
	sv.services[end->role].is_ready = true;
	end->take = (struct policy_take){ .policy = &end->policy };
}

static void
begin(bool is_locked)
{
	options.policy_lock = is_locked;
	memset(&sv, 0, sizeof(sv));
	sv.options = &options;
	sv.task = &start_task;
	sv.phase = SUPERVISE_RUNNING;
	for (size_t i = 0; i < IPC_ROLE_END; i++) {
		sv.services[i].child.channel.fd = -1;
		sv.services[i].child.role = &roles[i];
		sv.services[i].child.log_limit =
		    (struct ratelimit){ .burst = 1, .interval_ms = 1000 };
	}
	sv.policy.rows = &places[0];
	sv.policy.next = sv.policy.take.policy = &places[1];
	memcpy(sv.policy.rows, &first, sizeof(first));
	sv.policy.generation = 1;
	sv.policy.is_read = sv.policy.is_in_force = sv.policy.is_known = true;
	sv.is_connector_settled = true;
	sv.forwards = forward_table_new();
	assert(sv.forwards != NULL);
	for (size_t i = 0; i < N_ENDS; i++)
		open_end(&ends[i]);
}

static bool
is_equal(const struct policy *a, const struct policy *b)
{
	return memcmp(&a->settings, &b->settings, sizeof(a->settings)) == 0 &&
	    a->n_rules == b->n_rules && a->n_prefixes == b->n_prefixes &&
	    a->n_names == b->n_names &&
	    memcmp(a->rules, b->rules, a->n_rules * sizeof(a->rules[0])) == 0 &&
	    memcmp(a->prefixes, b->prefixes, a->n_prefixes * sizeof(a->prefixes[0])) ==
	    0 &&
	    memcmp(a->names, b->names, a->n_names * sizeof(a->names[0])) == 0;
}

/* The connector's or the resolver's part. */
static void
take_row(struct end *end, const struct ipc_message *msg)
{
	const union ipc_payload *payload = &msg->payload;
	const struct ipc_policy_committed committed = { sv.policy.generation };
	const struct ipc_policy_known known = { sv.policy.generation };
	const char *why = NULL;

	switch (msg->id) {
#define TAKE(step) \
	case IPC_MSG_policy_##step: \
		assert(policy_take_##step(&end->take, &payload->policy_##step, &why)); \
		break;
		TAKE(begin)
		TAKE(source)
		TAKE(rules)
		TAKE(prefixes)
		TAKE(names)
	case IPC_MSG_policy_commit:
		assert(policy_take_commit(&end->take, &payload->policy_commit, &why));
		assert(end->take.generation == sv.policy.generation);
		assert(is_equal(&end->policy, sv.policy.rows));
		if (end->role == IPC_ROLE_CONNECTOR)
			assert(ipc_send_policy_committed(&end->channel, &committed) == 0);
		else
			assert(ipc_send_policy_known(&end->channel, &known) == 0);
		children_receive(&sv, supervisor_child(&sv, end->role), 1);
		break;
	default:
		assert(msg->id == IPC_MSG_host_addrs ||
		    (end == api &&
			(msg->id == IPC_MSG_policy_changed ||
			    msg->id == IPC_MSG_status)));
	}
}

static void
take_all(struct end *end)
{
	struct ipc_message msg;
	const char *why;

	/* A surplus answer is as good as none. */
	if (end == api) {
		ipc_channel_await_reply(&end->channel, IPC_MSG_policy_changed);
		ipc_channel_await_reply(&end->channel, IPC_MSG_status);
	}
	while (ipc_channel_recv(&end->channel, &msg, &why) == IPC_OUTCOME_MESSAGE)
		take_row(end, &msg);
}

/* A turn of the parent's loop, and of the others'. */
static void
turn(void)
{
	bool is_feeding;

	children_receive(&sv, supervisor_child(&sv, IPC_ROLE_API), 1);
	do {
		is_feeding = false;
		for (size_t i = 1; i < N_ENDS; i++) {
			if (policy_is_feeding(&sv, ends[i].role))
				policy_feed(&sv, ends[i].role);
			take_all(&ends[i]);
			is_feeding |= policy_is_feeding(&sv, ends[i].role);
		}
	} while (is_feeding);
	policy_proceed(&sv);
	assert(sv.phase == SUPERVISE_RUNNING && !sv.policy.owes_answer);
	take_all(api);
	assert(!options.policy_lock || policy_denies_more(&first, sv.policy.rows));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	begin(data[0] & 1);
	data++;
	size--;
	while (supervisor_channel(&sv, IPC_ROLE_API)->fd != -1 &&
	    datagram_send(api->channel.fd, -1, &data, &size))
		turn();
	for (size_t i = 0; i < N_ENDS; i++) {
		ipc_channel_close(supervisor_channel(&sv, ends[i].role));
		ipc_channel_close(&ends[i].channel);
	}
	free(sv.forwards);
	return 0;
}
