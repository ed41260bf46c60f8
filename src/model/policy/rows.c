/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends and takes a policy as messages. */
#include "model/policy/rows.h"

#include <string.h>

static uint32_t
least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static void
next_step(struct policy_feed *feed)
{
	feed->step = feed->step == POLICY_FEED_COMMIT ? POLICY_FEED_DONE : feed->step + 1;
	feed->at = 0;
}

void
policy_feed_begin(struct policy_feed *feed, const struct policy *policy,
    uint64_t generation)
{
	*feed = (struct policy_feed){
		.policy = policy,
		.generation = generation,
		.step = POLICY_FEED_BEGIN,
	};
}

static int
send_begin(struct policy_feed *feed, struct ipc_channel *channel)
{
	const struct ipc_policy_begin msg = {
		.generation = feed->generation,
		.settings = feed->policy->settings,
	};

	if (ipc_send_policy_begin(channel, &msg) == -1)
		return -1;
	next_step(feed);
	return 0;
}

static int
send_source(struct policy_feed *feed, struct ipc_channel *channel)
{
	struct ipc_policy_source msg = { .source = feed->at };

	if (feed->at == IPC_POLICY_N_SOURCES) {
		next_step(feed);
		return 0;
	}
	memcpy(msg.name, feed->policy->sources[feed->at], sizeof(msg.name));
	if (msg.name[0] != '\0' && ipc_send_policy_source(channel, &msg) == -1)
		return -1;
	feed->at++;
	return 0;
}

static int
send_rules(struct policy_feed *feed, struct ipc_channel *channel)
{
	struct ipc_policy_rules msg = {
		.n = least(feed->policy->n_rules - feed->at, IPC_POLICY_RULES_N),
	};

	memcpy(msg.rules, feed->policy->rules + feed->at, msg.n * sizeof(msg.rules[0]));
	if (msg.n > 0 && ipc_send_policy_rules(channel, &msg) == -1)
		return -1;
	feed->at += msg.n;
	if (msg.n == 0)
		next_step(feed);
	return 0;
}

static int
send_prefixes(struct policy_feed *feed, struct ipc_channel *channel)
{
	struct ipc_policy_prefixes msg = {
		.n = least(feed->policy->n_prefixes - feed->at, IPC_POLICY_PREFIXES_N),
	};

	memcpy(msg.prefixes, feed->policy->prefixes + feed->at,
	    msg.n * sizeof(msg.prefixes[0]));
	if (msg.n > 0 && ipc_send_policy_prefixes(channel, &msg) == -1)
		return -1;
	feed->at += msg.n;
	if (msg.n == 0)
		next_step(feed);
	return 0;
}

static int
send_names(struct policy_feed *feed, struct ipc_channel *channel)
{
	uint32_t n = least(feed->policy->n_names - feed->at, IPC_POLICY_NAMES_N);
	struct ipc_policy_names msg = { .n = (uint16_t)n };

	memcpy(msg.names, feed->policy->names + feed->at, n * sizeof(msg.names[0]));
	if (n > 0 && ipc_send_policy_names(channel, &msg) == -1)
		return -1;
	feed->at += n;
	if (n == 0)
		next_step(feed);
	return 0;
}

static int
send_commit(struct policy_feed *feed, struct ipc_channel *channel)
{
	const struct ipc_policy_commit msg = {
		.generation = feed->generation,
		.n_rules = feed->policy->n_rules,
		.n_prefixes = feed->policy->n_prefixes,
		.n_names = feed->policy->n_names,
	};

	if (ipc_send_policy_commit(channel, &msg) == -1)
		return -1;
	next_step(feed);
	return 0;
}

int
policy_feed_send(struct policy_feed *feed, struct ipc_channel *channel)
{
	static int (*const steps[])(struct policy_feed *, struct ipc_channel *) = {
		[POLICY_FEED_BEGIN] = send_begin,
		[POLICY_FEED_SOURCES] = send_source,
		[POLICY_FEED_RULES] = send_rules,
		[POLICY_FEED_PREFIXES] = send_prefixes,
		[POLICY_FEED_NAMES] = send_names,
		[POLICY_FEED_COMMIT] = send_commit,
	};

	while (feed->step != POLICY_FEED_DONE) {
		if (steps[feed->step](feed, channel) == -1)
			return -1;
	}
	return 0;
}

/* Whether a policy is being received. */
static bool
has_begun(const struct policy_take *take, const char **why)
{
	if (!take->has_begun)
		*why = "a row before policy_begin";
	return take->has_begun;
}

bool
policy_take_begin(struct policy_take *take, const struct ipc_policy_begin *msg,
    const char **why)
{
	if (take->policy == NULL) {
		*why = "this process was started without one";
		return false;
	}
	if (take->has_begun) {
		*why = "the policy before it is not complete";
		return false;
	}
	policy_init(take->policy);
	take->policy->settings = msg->settings;
	take->generation = msg->generation;
	take->has_begun = true;
	return true;
}

bool
policy_take_source(struct policy_take *take, const struct ipc_policy_source *msg,
    const char **why)
{
	if (!has_begun(take, why))
		return false;
	memcpy(take->policy->sources[msg->source], msg->name, sizeof(msg->name));
	return true;
}

bool
policy_take_rules(struct policy_take *take, const struct ipc_policy_rules *msg,
    const char **why)
{
	if (!has_begun(take, why))
		return false;
	for (uint32_t i = 0; i < msg->n; i++) {
		if (!policy_add_rule(take->policy, &msg->rules[i], why))
			return false;
	}
	return true;
}

bool
policy_take_prefixes(struct policy_take *take, const struct ipc_policy_prefixes *msg,
    const char **why)
{
	if (!has_begun(take, why))
		return false;
	for (uint32_t i = 0; i < msg->n; i++) {
		if (!policy_add_prefix(take->policy, &msg->prefixes[i], why))
			return false;
	}
	return true;
}

bool
policy_take_names(struct policy_take *take, const struct ipc_policy_names *msg,
    const char **why)
{
	if (!has_begun(take, why))
		return false;
	for (uint32_t i = 0; i < msg->n; i++) {
		if (!policy_add_name(take->policy, &msg->names[i], why))
			return false;
	}
	return true;
}

bool
policy_take_commit(struct policy_take *take, const struct ipc_policy_commit *msg,
    const char **why)
{
	const struct policy *policy = take->policy;

	if (!has_begun(take, why))
		return false;
	if (msg->generation != take->generation || msg->n_rules != policy->n_rules ||
	    msg->n_prefixes != policy->n_prefixes || msg->n_names != policy->n_names) {
		*why = "not all rows of the policy have come";
		return false;
	}
	take->has_begun = false;
	return policy_is_whole(policy, why);
}
