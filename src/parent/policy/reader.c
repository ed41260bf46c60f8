/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy-reader: parses the policy's texts, sends the rows, and ends. */
#include "parent/policy/reader.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "confine/limits.h"
#include "confine/namespaces.h"
#include "confine/stages.h"
#include "ipc/dispatch.h"
#include "model/policy/expect.h"
#include "model/policy/out.h"
#include "model/policy/rows.h"
#include "process/child.h"
#include "seccomp/policy-reader_policy.h"

struct reader {
	struct ipc_channel to_parent;
	bool is_refused; /* the error has been sent */
	bool is_done;
};

#define DECLARE(...) IPC_DECLARE_HANDLER(reader, struct reader, __VA_ARGS__)
#define CALL(...) IPC_CALL_HANDLER(reader, &reader, &msg, __VA_ARGS__)
IPC_ROWS_PARENT_TO_CHILD(DECLARE)
IPC_ROWS_PARENT_TO_POLICY_READER(DECLARE)

/* This process makes one policy. In the heap: the parent, which is the same program, has no use
 * for so much memory. */
static struct policy *policy;
static struct policy_parser *parser;
static struct policy_matcher *matcher;
static char names[IPC_POLICY_N_SOURCES][IPC_POLICY_SOURCE_SIZE];

void
policy_reader_lock(const struct ipc_confine *orders, struct ipc_confined *reached)
{
	reached->stages |= IPC_STAGE_BIT(descriptors);
	(void)confine_ns_query(&reached->namespaces);
	if (orders->sandbox_mode != IPC_JAIL_OFF) {
		confine_stage_kept_capabilities(orders, reached, 0);
		confine_stage_all_limits(orders, reached);
		confine_stage_landlock(orders, reached, -1,
		    CONFINE_LANDLOCK_DENY_TCP | CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX |
			CONFINE_LANDLOCK_DENY_SIGNALS);
	}
	confine_stage_seccomp(orders, reached, seccomp_policy_reader_filter,
	    SECCOMP_POLICY_READER_FILTER_LEN, seccomp_policy_reader_self_at,
	    SECCOMP_POLICY_READER_N_CALLS);
}

void
reader_on_confine(struct reader *reader, const struct ipc_confine *msg)
{
	struct ipc_confined reached = { 0 };

	policy_reader_lock(msg, &reached);
	child_check_sent(ipc_send_confined(&reader->to_parent, &reached),
	    "report the jail to the parent");
	child_check_sent(ipc_send_policy_reader_ready(&reader->to_parent),
	    "report to the parent");
}

/* Waits until the parent's queue has room. The parent waits for this process. */
static void
wait_for_room(const struct reader *reader)
{
	struct pollfd channel = { .fd = reader->to_parent.fd, .events = POLLOUT };

	poll(&channel, 1, -1);
}

static void
say(struct reader *reader, bool is_error, const char *text)
{
	struct ipc_policy_said msg = { .is_error = is_error };
	int result;

	snprintf(msg.text, sizeof(msg.text), "%s", text);
	while ((result = ipc_send_policy_said(&reader->to_parent, &msg)) == -1 &&
	    ipc_channel_can_retry(errno))
		wait_for_room(reader);
	child_check_sent(result, "send a remark to the parent");
}

static void
refuse(struct reader *reader, const char *text)
{
	reader->is_refused = true;
	say(reader, true, text);
}

/* name lives as long as the parser. */
static const char *
keep_name(uint32_t source, const char *name)
{
	snprintf(names[source], sizeof(names[source]), "%s", name);
	return names[source];
}

void
reader_on_policy_inline(struct reader *reader, const struct ipc_policy_inline *msg)
{
	struct policy_text text = {
		.name = keep_name(msg->source, msg->name),
		.text = msg->text,
		.len = strlen(msg->text),
	};
	bool is_good;

	if (reader->is_refused)
		return;
	if (msg->source < IPC_POLICY_FROM_FILE)
		is_good = policy_parse_out(parser, policy, &text, (uint16_t)msg->source,
		    msg->line);
	else
		is_good = policy_parse(parser, policy, &text, (uint16_t)msg->source);
	if (!is_good)
		refuse(reader, parser->error);
}

void
reader_on_policy_file(struct reader *reader, const struct ipc_policy_file *msg,
    int adopt_fd)
{
	static char bytes[POLICY_TEXT_MAX + 1];
	autofd int fd = adopt_fd;
	struct policy_text text = {
		.name = keep_name(msg->source, msg->name),
		.text = bytes,
	};
	char error[POLICY_ERROR_SIZE];
	ssize_t len;

	if (reader->is_refused)
		return;
	/* One byte more than there may be: the parser finds a text too long. */
	len = fdio_read_all(fd, bytes, POLICY_TEXT_MAX + 1);
	if (len == -1) {
		snprintf(error, sizeof(error), "%s: read it: %s", text.name,
		    strerror(errno));
		refuse(reader, error);
		return;
	}
	text.len = (size_t)len;
	if (!policy_parse(parser, policy, &text, (uint16_t)msg->source))
		refuse(reader, parser->error);
}

static void
say_remark(void *ctx, uint32_t rule, const char *text)
{
	char where[POLICY_WHERE_SIZE], line[POLICY_ERROR_SIZE];

	snprintf(line, sizeof(line), "%s: %s", policy_where(policy, rule, where), text);
	say(ctx, false, line);
}

static void
send_rows(struct reader *reader)
{
	struct policy_feed feed;
	int result;

	policy_feed_begin(&feed, policy, 1);
	while ((result = policy_feed_send(&feed, &reader->to_parent)) == -1 &&
	    ipc_channel_can_retry(errno))
		wait_for_room(reader);
	child_check_sent(result, "send the policy to the parent");
}

void
reader_on_policy_read(struct reader *reader, const struct ipc_policy_read *msg)
{
	reader->is_done = true;
	if (reader->is_refused)
		return;
	if (!policy_finish(parser, matcher, msg->is_audit, msg->enable_dns)) {
		refuse(reader, parser->error);
		return;
	}
	if (msg->is_check)
		policy_lint(policy, say_remark, reader);
	else
		policy_lint_slips(policy, say_remark, reader);
	if (policy->settings.mode == IPC_POLICY_MODE_audit && !msg->is_check)
		say(reader, false, "policy: mode audit: nothing is denied");
	send_rows(reader);
}

void
policy_reader_run(pid_t parent_pid)
{
	static struct reader reader;
	struct ipc_message msg;

	(void)parent_pid;
	policy = calloc(1, sizeof(*policy));
	parser = calloc(1, sizeof(*parser));
	matcher = calloc(1, sizeof(*matcher));
	if (policy == NULL || parser == NULL || matcher == NULL)
		fatal("get memory for the policy");
	policy_init(policy);
	child_begin(&reader.to_parent, IPC_ROLE_POLICY_READER, "slirpd-policy");
	while (!reader.is_done && child_wait(&reader.to_parent, &msg)) {
		switch (msg.id) {
			IPC_ROWS_PARENT_TO_CHILD(CALL)
			IPC_ROWS_PARENT_TO_POLICY_READER(CALL)
		default:
			break;
		}
	}
}
