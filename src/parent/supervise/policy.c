/* SPDX-License-Identifier: BSD-2-Clause */
/* Takes the rows of the policy from the policy-reader, and sends them to the connector, the
 * resolver and the api. */
#include "parent/supervise/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "model/policy_change.h"
#include "parent/output/report.h"
#include "parent/supervise/children.h"
#include "parent/supervise/service.h"
#include "parent/supervise/wiring.h"

/* The rows of the largest policy are followed in a tenth of a second, and a loaded machine takes
 * longer. Until then no other change is made. */
#define FOLLOW_TIMEOUT_MS 10000

void
policy_open(struct supervisor *sv)
{
	struct parent_policy *policy = &sv->policy;

	if (!options_has_policy(sv->options))
		return;
	policy_texts_open(&policy->texts, sv->options);
	/* Only the pages in use are memory. */
	policy->rows = calloc(1, sizeof(*policy->rows));
	policy->next = calloc(1, sizeof(*policy->next));
	if (policy->rows == NULL || policy->next == NULL)
		fatal("get memory for the policy");
	policy->take.policy = policy->rows;
	parent_hostlist_open(&sv->hostlist);
}

/* Returns false if the queue is full. */
static bool
send_host(const struct hostlist *list, struct ipc_channel *channel)
{
	uint32_t at = 0;

	do {
		struct ipc_host_addrs msg = { .is_first = at == 0 };
		uint32_t n = list->n - at;

		msg.n = (uint8_t)(n < IPC_HOST_ADDRS_N ? n : IPC_HOST_ADDRS_N);
		memcpy(msg.addrs, list->addrs + at, msg.n * sizeof(msg.addrs[0]));
		at += msg.n;
		msg.is_last = at == list->n;
		if (ipc_send_host_addrs(channel, &msg) == -1)
			return false;
	} while (at < list->n);
	return true;
}

/* The processes that judge by the policy. */
static bool
is_user(const struct supervisor *sv, size_t role)
{
	return (role == IPC_ROLE_CONNECTOR || role == IPC_ROLE_RESOLVER) &&
	    sv->services[role].is_ready;
}

void
policy_tell_host(struct supervisor *sv)
{
	sv->hostlist.is_told = true;
	for (size_t role = 0; role < IPC_ROLE_END; role++) {
		/* One that has ended is told when it is there again. */
		if (is_user(sv, role) &&
		    !send_host(&sv->hostlist, supervisor_channel(sv, role)) &&
		    ipc_channel_can_retry(errno))
			sv->hostlist.is_told = false;
	}
}

void
policy_begin_reading(struct supervisor *sv, const int program_fds[IPC_ROLE_END])
{
	if (sv->policy.rows == NULL || sv->phase != SUPERVISE_STARTING)
		return;
	service_fork(sv, IPC_ROLE_POLICY_READER, program_fds);
	if (sv->phase == SUPERVISE_STARTING)
		ipc_channel_await_reply(supervisor_channel(sv, IPC_ROLE_POLICY_READER),
		    IPC_MSG_policy_reader_ready);
}

bool
policy_is_read(const struct supervisor *sv)
{
	return sv->policy.rows == NULL || sv->policy.is_read;
}

bool
policy_is_followed(const struct supervisor *sv)
{
	return sv->policy.is_in_force &&
	    (sv->policy.is_known || !sv->options->enable_dns);
}

bool
policy_is_feeding(const struct supervisor *sv, enum ipc_role role)
{
	return sv->policy.feeds[role].step != POLICY_FEED_DONE;
}

void
policy_begin_feed(struct supervisor *sv, enum ipc_role role)
{
	if (sv->policy.rows == NULL)
		return;
	policy_feed_begin(&sv->policy.feeds[role], sv->policy.rows,
	    sv->policy.generation);
	/* The api only shows the policy. */
	if (role != IPC_ROLE_API) {
		ipc_channel_await_reply(supervisor_channel(sv, role),
		    role == IPC_ROLE_CONNECTOR ? IPC_MSG_policy_committed
					       : IPC_MSG_policy_known);
		/* This process has not heard of them. */
		sv->hostlist.is_told = false;
		sv->policy.follow_by_ms = clock_now_ms() + FOLLOW_TIMEOUT_MS;
	}
	policy_feed(sv, role);
}

static void
end_if_ready(struct supervisor *sv, enum ipc_role role)
{
	struct child *child = supervisor_child(sv, role);

	if (!sv->services[role].is_ready)
		return;
	log_error("%s[%d] hangs: it does not follow the policy after %d s; ending it",
	    child->role->name, child->pid, FOLLOW_TIMEOUT_MS / CLOCK_MS_PER_S);
	children_kill(child);
}

void
policy_end_hanging(struct supervisor *sv, uint64_t now_ms)
{
	const struct parent_policy *policy = &sv->policy;

	if (policy->rows == NULL || now_ms < policy->follow_by_ms)
		return;
	if (!policy->is_in_force)
		end_if_ready(sv, IPC_ROLE_CONNECTOR);
	if (!policy->is_known)
		end_if_ready(sv, IPC_ROLE_RESOLVER);
}

void
policy_feed(struct supervisor *sv, enum ipc_role role)
{
	struct policy_feed *feed = &sv->policy.feeds[role];
	bool needs_host = role != IPC_ROLE_API;

	/* Class host is right before the first flow. */
	if (needs_host && !sv->hostlist.is_told)
		policy_tell_host(sv);
	if (needs_host && !sv->hostlist.is_told)
		return;
	if (policy_feed_send(feed, supervisor_channel(sv, role)) == 0)
		return;
	if (ipc_channel_can_retry(errno))
		return;
	feed->step = POLICY_FEED_DONE;
	wiring_fail_send(sv, "send the policy");
}

void
parent_on_policy_committed(struct supervisor *sv, const struct ipc_policy_committed *msg)
{
	sv->policy.is_in_force = msg->generation == sv->policy.generation;
	wiring_settle_connector(sv);
	wiring_start_worker(sv);
}

void
parent_on_policy_known(struct supervisor *sv, const struct ipc_policy_known *msg)
{
	sv->policy.is_known = msg->generation == sv->policy.generation;
	wiring_start_worker(sv);
}

void
parent_on_policy_reader_ready(struct supervisor *sv)
{
	struct ipc_channel *reader = supervisor_channel(sv, IPC_ROLE_POLICY_READER);

	ipc_channel_set_running(reader);
	if (policy_texts_send(&sv->policy.texts, reader) == -1)
		wiring_fail_send(sv, "send the policy's texts to the policy-reader");
}

void
parent_on_policy_said(struct supervisor *sv, const struct ipc_policy_said *msg)
{
	char text[LOG_TEXT_SIZE];

	text_escape_rest(text, sizeof(text), msg->text, strlen(msg->text));
	if (!msg->is_error) {
		report_line(LOG_LEVEL_WARNING, "%s", text);
		return;
	}
	report_line(LOG_LEVEL_ERROR, "%s", text);
	supervisor_child(sv, IPC_ROLE_POLICY_READER)->gave_reason = true;
	supervise_end(sv, options_usage_status(sv->options));
}

/* The policy-reader sends the rows of one policy, once, and ends before there is an api. The api
 * sends those of changes. */
static enum ipc_role
sender(const struct supervisor *sv)
{
	bool is_reading = sv->policy.rows != NULL && !sv->policy.is_read;

	return is_reading ? IPC_ROLE_POLICY_READER : IPC_ROLE_API;
}

static void
check_row(struct supervisor *sv, bool is_good, const char *why)
{
	struct child *child = supervisor_child(sv, sender(sv));

	if (is_good)
		return;
	log_error("%s[%d] broke the protocol: policy: %s; ending it", child->role->name,
	    child->pid, why);
	child->gave_reason = true;
	children_kill(child);
}

void
parent_on_policy_begin(struct supervisor *sv, const struct ipc_policy_begin *msg)
{
	const char *why = "there is none";
	bool is_good;

	sv->policy.has_next = false;
	/* A client that has gone may have left its change unfinished. */
	if (sv->policy.is_read)
		sv->policy.take.has_begun = false;
	is_good =
	    sv->policy.rows != NULL && policy_take_begin(&sv->policy.take, msg, &why);
	check_row(sv, is_good, why);
}

#define TAKE(step) \
	void parent_on_policy_##step(struct supervisor *sv, \
	    const struct ipc_policy_##step *msg) \
	{ \
		const char *why = ""; \
		bool is_good = policy_take_##step(&sv->policy.take, msg, &why); \
\
		check_row(sv, is_good, why); \
	}
TAKE(source)
TAKE(rules)
TAKE(prefixes)
TAKE(names)

void
parent_on_policy_commit(struct supervisor *sv, const struct ipc_policy_commit *msg)
{
	struct parent_policy *policy = &sv->policy;
	const char *why = "";
	bool is_good = policy_take_commit(&policy->take, msg, &why);

	check_row(sv, is_good, why);
	if (policy->is_read) {
		policy->has_next = is_good;
	} else if (is_good) {
		policy->is_read = true;
		policy->generation = msg->generation;
		policy->take.policy = policy->next;
	}
}

/* Returns false if the queue is full. */
static bool
answer(struct supervisor *sv, uint64_t request, enum ipc_policy_outcome outcome)
{
	const struct ipc_policy_changed msg = {
		.request = request,
		.generation = sv->policy.generation,
		.outcome = outcome,
	};

	return ipc_send_policy_changed(supervisor_channel(sv, IPC_ROLE_API), &msg) == 0 ||
	    !ipc_channel_can_retry(errno);
}

/* Whether a process is being told of the policy, or the policy is not followed yet. */
static bool
is_busy(const struct supervisor *sv)
{
	for (size_t role = 0; role < IPC_ROLE_END; role++) {
		if (policy_is_feeding(sv, (enum ipc_role)role))
			return true;
	}
	return sv->policy.owes_answer || !policy_is_followed(sv);
}

static enum ipc_policy_outcome
judge_change(const struct supervisor *sv)
{
	const struct parent_policy *policy = &sv->policy;

	if (is_busy(sv))
		return IPC_POLICY_OUTCOME_busy;
	if (policy->take.generation != policy->generation + 1)
		return IPC_POLICY_OUTCOME_conflict;
	/* The api has checked it; but the api reads the text of clients. */
	if (sv->options->policy_lock && !policy_denies_more(policy->rows, policy->next))
		return IPC_POLICY_OUTCOME_locked;
	return IPC_POLICY_OUTCOME_done;
}

void
parent_on_change_policy(struct supervisor *sv, const struct ipc_change_policy *msg)
{
	struct parent_policy *policy = &sv->policy;
	struct policy *old = policy->rows;
	enum ipc_policy_outcome outcome;

	if (!policy->has_next) {
		check_row(sv, false, "change_policy without its rows");
		return;
	}
	outcome = judge_change(sv);
	if (outcome != IPC_POLICY_OUTCOME_done) {
		/* If the queue is full, it is lost: the api asks faster than it reads. */
		(void)answer(sv, msg->request, outcome);
		return;
	}
	policy->rows = policy->next;
	policy->next = policy->take.policy = old;
	policy->has_next = false;
	policy->generation++;
	policy->is_in_force = policy->is_known = false;
	policy->request = msg->request;
	policy->owes_answer = true;
	/* One that is not ready gets the policy when it is. */
	for (size_t role = 0; role < IPC_ROLE_END; role++) {
		if (is_user(sv, role))
			policy_begin_feed(sv, (enum ipc_role)role);
	}
}

void
policy_proceed(struct supervisor *sv)
{
	struct parent_policy *policy = &sv->policy;

	if (policy->owes_answer && sv->services[IPC_ROLE_API].is_ready &&
	    policy_is_followed(sv))
		policy->owes_answer =
		    !answer(sv, policy->request, IPC_POLICY_OUTCOME_done);
}

void
policy_forget_request(struct supervisor *sv)
{
	sv->policy.owes_answer = false;
}
