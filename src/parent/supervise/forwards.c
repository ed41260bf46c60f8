/* SPDX-License-Identifier: BSD-2-Clause */
/* The forwards of the command line, and the parent's copy of all. */
#include "parent/supervise/forwards.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/exitcode.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/text.h"
#include "parent/jail.h"
#include "parent/supervise/wiring.h"

/* The size of a value of the command line in a log line. */
#define SHOWN_SIZE 128

/* The same for the part of the line that names the remedies. */
#define REMEDY_SIZE 192

/* Messages to a new connector in a turn of the loop: a range of ports has thousands. */
#define HANDOVER_TURN 256

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
parent_on_table_port(struct supervisor *sv, const struct ipc_table_port *msg,
    int adopt_fd)
{
	autofd int fd = adopt_fd;

	if (msg->forward <= sv->last_forward || msg->forward == UINT32_MAX ||
	    kept_add(&sv->kept, msg, take_fd(&fd)) == -1)
		report_contradiction(sv, "socket of forward", msg->forward);
}

void
parent_on_table_added(struct supervisor *sv, const struct ipc_table_added *msg)
{
	/* There are as many after it as there can be. */
	if (msg->entry.id <= sv->last_forward || msg->entry.id == UINT32_MAX ||
	    forward_table_add(sv->forwards, &msg->entry) == -1)
		report_contradiction(sv, "new forward", msg->entry.id);
	else
		sv->last_forward = msg->entry.id;
}

static void
send_dropped(struct supervisor *sv)
{
	sv->owes_dropped =
	    ipc_send_table_dropped(supervisor_channel(sv, IPC_ROLE_CONNECTOR)) == -1 &&
	    ipc_channel_can_retry(errno);
}

void
parent_on_table_removed(struct supervisor *sv, const struct ipc_table_removed *msg)
{
	if (forward_table_remove(sv->forwards, msg->id) == -1)
		report_contradiction(sv, "removed forward", msg->id);
	else
		kept_drop(&sv->kept, msg->id, msg->id);
	send_dropped(sv);
}

/* A forward whose sockets are not all here ends: the kernel had no descriptor for one. */
static void
drop_incomplete(struct supervisor *sv)
{
	const struct ipc_forward_entry *entry = sv->forwards->entries;
	uint32_t i = 0;

	while (i < sv->forwards->n) {
		const struct ipc_forward *forward = &entry[i].forward;
		uint32_t id = entry[i].id;
		uint32_t n = kept_find(&sv->kept, id + 1) - kept_find(&sv->kept, id);

		if (n ==
		    (uint32_t)forward->host_port_last - forward->host_port_first + 1) {
			i++;
			continue;
		}
		log_error(
		    "forward %u ended with the connector: no descriptor was left to "
		    "keep its sockets",
		    id);
		kept_drop(&sv->kept, id, id);
		forward_table_remove(sv->forwards, id);
	}
}

void
forwards_begin_handover(struct supervisor *sv)
{
	drop_incomplete(sv);
	sv->owes_dropped = false;
	sv->handover = (struct handover){ .is_active = true };
}

bool
forwards_have_more(const struct supervisor *sv)
{
	return sv->services[IPC_ROLE_CONNECTOR].is_ready &&
	    (sv->handover.is_active || sv->owes_dropped);
}

/* Sends the next message of the handover. Returns 0, or -1 with errno set. */
static int
hand_over_next(struct supervisor *sv)
{
	struct ipc_channel *connector = supervisor_channel(sv, IPC_ROLE_CONNECTOR);
	struct handover *handover = &sv->handover;
	const struct ipc_forward_entry *entry = &sv->forwards->entries[handover->place];
	const struct kept_port *port = &sv->kept.ports[handover->port];
	const struct ipc_kept_end end = { .last_id = sv->last_forward };

	if (handover->place >= sv->forwards->n) {
		if (ipc_send_kept_end(connector, &end) == -1)
			return -1;
		handover->is_active = false;
	} else if (!handover->is_begun) {
		if (ipc_send_kept_forward(connector,
			&(struct ipc_kept_forward){ .entry = *entry }) == -1)
			return -1;
		handover->is_begun = true;
	} else if (handover->port < sv->kept.n && port->about.forward == entry->id) {
		if (ipc_send_kept_port(connector,
			&(struct ipc_kept_port){ .port = port->about }, port->fd) == -1)
			return -1;
		handover->port++;
	} else {
		handover->place++;
		handover->is_begun = false;
	}
	return 0;
}

void
forwards_send(struct supervisor *sv)
{
	if (sv->owes_dropped)
		send_dropped(sv);
	for (int i = 0; i < HANDOVER_TURN && sv->handover.is_active; i++) {
		if (hand_over_next(sv) == 0)
			continue;
		/* unix(7): too many descriptors of the user are in queues. */
		if (errno == ETOOMANYREFS || fdio_is_shortage(errno))
			fdio_pause();
		else if (errno != EAGAIN)
			sv->handover.is_active = false; /* it has ended */
		return;
	}
	wiring_settle_connector(sv);
}
