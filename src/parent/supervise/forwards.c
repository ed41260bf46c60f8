/* SPDX-License-Identifier: BSD-2-Clause */
/* The forwards of the command line, and the parent's copy of all. */
#include "parent/supervise/forwards.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/jail.h"
#include "parent/supervise/wiring.h"

/* The size of a value of the command line in a log line. */
#define SHOWN_SIZE 128

/* The same for the part of the line that names the remedies. */
#define REMEDY_SIZE 192

bool
forwards_are_published(const struct supervisor *sv)
{
	return sv->n_published == sv->options->n_publish;
}

void
forwards_publish(struct supervisor *sv)
{
	struct ipc_channel *connector = supervisor_channel(sv, IPC_ROLE_CONNECTOR);
	struct ipc_publish msg;

	if (sv->phase != SUPERVISE_STARTING || forwards_are_published(sv))
		return;
	msg.forward = sv->options->publish[sv->n_published].forward;
	if (ipc_send_publish(connector, &msg) == -1)
		wiring_fail_send(sv, "send publish to connector");
	else
		ipc_channel_await_reply(connector, IPC_MSG_published);
}

/* Names the sysctl that refuses the port, its value, and the other remedy. */
static void
explain_privilege(const struct supervisor *sv, uint32_t port, char *text, size_t size)
{
	uint32_t first = parent_jail_first_free_port();

	/* If the connector has the capability, the sysctl is not the reason. */
	if (first > port && !sv->orders.keeps_bind && !sv->orders.has_runas)
		snprintf(text, size,
		    "; on the host the sysctl net.ipv4.ip_unprivileged_port_start is %u, "
		    "and has to be at most %u, or slirpd needs " IPC_FORWARD_CAPABILITY,
		    first, port);
}

static void
report_failure(const struct supervisor *sv, const struct ipc_forward_result *result)
{
	static const char *const meanings[] = {
#define OUTCOME_MEANING(name, meaning) meaning,
		IPC_FORWARD_OUTCOMES(OUTCOME_MEANING)
	};
	const char *value = sv->options->publish[sv->n_published].text;
	char shown[SHOWN_SIZE];
	char port[32] = "";
	char remedy[REMEDY_SIZE] = "";

	text_escape(shown, sizeof(shown), value, strlen(value));
	if (result->port != 0)
		snprintf(port, sizeof(port), "port %u: ", result->port);
	if (result->outcome == IPC_FORWARD_not_permitted)
		explain_privilege(sv, result->port, remedy, sizeof(remedy));
	log_error("--publish=%s: %s%s%s%s%s; ending", shown, port,
	    meanings[result->outcome], result->error ? ": " : "",
	    result->error ? strerror((int)result->error) : "", remedy);
}

bool
forwards_note_published(struct supervisor *sv, const struct ipc_forward_result *result)
{
	if (result->outcome != IPC_FORWARD_done) {
		report_failure(sv, result);
		supervise_end(sv, EXITCODE_FAILURE);
		return false;
	}
	sv->n_published++;
	return true;
}

/* Logs a message that contradicts the copy, under a limit of its own. slirpd goes on:
 * only the copy is wrong. */
static void
report_contradiction(struct supervisor *sv, const char *what, uint32_t id)
{
	if (ratelimit_allow(&sv->contradictions, clock_now_ms()))
		log_error("connector: %s %u does not fit the copy of the forwards", what,
		    id);
}

void
parent_on_table_added(struct supervisor *sv, const struct ipc_table_added *msg)
{
	if (forward_table_add(sv->forwards, &msg->entry) == -1)
		report_contradiction(sv, "new forward", msg->entry.id);
}

void
parent_on_table_removed(struct supervisor *sv, const struct ipc_table_removed *msg)
{
	if (forward_table_remove(sv->forwards, msg->id) == -1)
		report_contradiction(sv, "removed forward", msg->id);
}
