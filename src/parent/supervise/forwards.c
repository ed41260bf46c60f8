/* SPDX-License-Identifier: BSD-2-Clause */
/* The forwards of the command line, and the parent's copy of all. */
#include "parent/supervise/forwards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/exitcode.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/supervise/wiring.h"

/* The size of a value of the command line in a log line. */
#define SHOWN_SIZE 128

/* The same for the part of the line that names the sysctl. */
#define REMEDY_SIZE 128

/* "65536" with its newline and its NUL. */
#define PORT_LINE_SIZE 8

#define PORT_SYSCTL "/proc/sys/net/ipv4/ip_unprivileged_port_start"

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

/* Names the sysctl that refuses the port, and its value. */
static void
explain_privilege(uint32_t port, char *text, size_t size)
{
	char line[PORT_LINE_SIZE] = "";
	FILE *file = fopen(PORT_SYSCTL, "re");
	long first;

	if (!file)
		return;
	first = fgets(line, sizeof(line), file) ? strtol(line, NULL, 10) : 0;
	if (first > (long)port)
		snprintf(text, size,
		    "; on the host the sysctl net.ipv4.ip_unprivileged_port_start is %ld, "
		    "and has to be at most %u",
		    first, port);
	fclose(file);
}

static void
report_failure(const char *value, const struct ipc_forward_result *result)
{
	static const char *const meanings[] = {
#define OUTCOME_MEANING(name, meaning) meaning,
		IPC_FORWARD_OUTCOMES(OUTCOME_MEANING)
	};
	char shown[SHOWN_SIZE];
	char port[32] = "";
	char remedy[REMEDY_SIZE] = "";

	text_escape(shown, sizeof(shown), value, strlen(value));
	if (result->port != 0)
		snprintf(port, sizeof(port), "port %u: ", result->port);
	if (result->outcome == IPC_FORWARD_not_permitted)
		explain_privilege(result->port, remedy, sizeof(remedy));
	log_error("--publish=%s: %s%s%s%s%s; ending", shown, port,
	    meanings[result->outcome], result->error ? ": " : "",
	    result->error ? strerror((int)result->error) : "", remedy);
}

bool
forwards_note_published(struct supervisor *sv, const struct ipc_forward_result *result)
{
	if (result->outcome != IPC_FORWARD_done) {
		report_failure(sv->options->publish[sv->n_published].text, result);
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
