/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy as messages: each process sends it with these, and takes it with these. */
#pragma once

#include "ipc/channel.h"
#include "model/policy/policy.h"

enum policy_feed_step {
	POLICY_FEED_DONE, /* no policy, or all of it is sent */
	POLICY_FEED_BEGIN,
	POLICY_FEED_SOURCES,
	POLICY_FEED_RULES,
	POLICY_FEED_PREFIXES,
	POLICY_FEED_NAMES,
	POLICY_FEED_COMMIT,
};

/* A policy that is being sent. All zeros: none. */
struct policy_feed {
	const struct policy *policy; /* borrowed until the feed is done */
	uint64_t generation;
	enum policy_feed_step step;
	uint32_t at; /* the next row of this step */
};

void policy_feed_begin(struct policy_feed *feed, const struct policy *policy,
    uint64_t generation);

/* Sends messages until the feed is done, or one is not taken. Returns 0, or -1 with errno set:
 * call it again if ipc_channel_can_retry(errno). */
int policy_feed_send(struct policy_feed *feed, struct ipc_channel *channel);

/* A policy that is being received, in a place of its own. */
struct policy_take {
	struct policy *policy; /* borrowed; not NULL */
	bool has_begun;
	uint64_t generation;
};

/* Take a message. Return false with *why set to a static text if it does not fit those before
 * it. policy_take_commit() leaves a whole policy. */
bool policy_take_begin(struct policy_take *take, const struct ipc_policy_begin *msg,
    const char **why);
bool policy_take_source(struct policy_take *take, const struct ipc_policy_source *msg,
    const char **why);
bool policy_take_rules(struct policy_take *take, const struct ipc_policy_rules *msg,
    const char **why);
bool policy_take_prefixes(struct policy_take *take, const struct ipc_policy_prefixes *msg,
    const char **why);
bool policy_take_names(struct policy_take *take, const struct ipc_policy_names *msg,
    const char **why);
bool policy_take_commit(struct policy_take *take, const struct ipc_policy_commit *msg,
    const char **why);
