/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs requests for changes of the forwards, one at a time. */
#include "connector/forward/changes.h"

#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "connector/connector.h"

/* Begins the parent's pending request, if there is one. */
static void
begin_publish(struct connector *connector)
{
	struct changes *changes = &connector->changes;

	if (!changes->has_publish)
		return;
	changes->has_publish = false;
	changes->active = CHANGES_PUBLISH;
	forwards_add(&connector->forwards, &changes->publish);
}

void
changes_publish(struct connector *connector, const struct ipc_forward *forward)
{
	struct changes *changes = &connector->changes;

	if (changes->has_publish || changes->active == CHANGES_PUBLISH)
		fatalx("the parent published a forward before the last was answered");
	changes->publish = *forward;
	changes->has_publish = true;
	if (!changes_are_busy(changes)) {
		begin_publish(connector);
		changes_proceed(connector);
	}
}

static void
begin(struct connector *connector, enum changes_active active, uint64_t number)
{
	struct changes *changes = &connector->changes;

	assert(!changes_are_busy(changes));
	changes->active = active;
	changes->number = number;
	changes->api_number = connector->api.api_number;
}

void
changes_add(struct connector *connector, uint64_t number,
    const struct ipc_forward *forward)
{
	begin(connector, CHANGES_ADD, number);
	forwards_add(&connector->forwards, forward);
	changes_proceed(connector);
}

void
changes_remove(struct connector *connector, uint64_t number, uint32_t id)
{
	begin(connector, CHANGES_REMOVE, number);
	if (forward_table_find(connector->forwards.table, id))
		connector->changes.remove_id = id;
	else
		forwards_remove(&connector->forwards, id);
	changes_proceed(connector);
}

void
changes_go_on(struct connector *connector)
{
	struct changes *changes = &connector->changes;

	changes->waits_for_drop = false;
	forwards_remove(&connector->forwards, changes->remove_id);
	changes->remove_id = 0;
	changes_proceed(connector);
}

/* Whether the send is finished: the parent has the message, or has exited. */
static bool
is_over(int sent)
{
	return sent == 0 || !ipc_channel_can_retry(errno);
}

/* Gives the parent duplicates of the sockets of a new forward. True if it has all. */
static bool
give_sockets(struct connector *connector)
{
	struct changes *changes = &connector->changes;
	const struct forwards_change *change = &connector->forwards.change;
	const struct ipc_forward *forward = &change->forward;

	while (changes->n_kept < change->n_open) {
		const struct listener *listener =
		    listeners_find_open(&connector->listeners, forward->proto,
			&forward->host_addr,
			(uint16_t)(forward->host_port_first + changes->n_kept));
		const struct ipc_table_port port = {
			.forward = change->result.id,
			.listener = listener->about.id,
			.host_port = listener->about.host_port,
		};
		int sent =
		    ipc_send_table_port(&connector->to_parent, &port, listener->fd);

		/* unix(7): too many descriptors of the user are in queues. */
		if (sent == -1 && (errno == ETOOMANYREFS || fdio_is_shortage(errno))) {
			fdio_pause();
			return false;
		}
		if (!is_over(sent))
			return false;
		changes->n_kept++;
	}
	return true;
}

/* True if the parent has the messages of an addition. It was told of a removal before. */
static bool
tell_parent(struct connector *connector)
{
	const struct forwards_change *change = &connector->forwards.change;
	const struct ipc_table_added added = {
		.entry = { .id = change->result.id, .forward = change->forward },
	};

	if (change->result.outcome != IPC_FORWARD_done || !change->is_addition)
		return true;
	return give_sockets(connector) &&
	    is_over(ipc_send_table_added(&connector->to_parent, &added));
}

/* Has the parent close its duplicates. */
static void
ask_to_drop(struct connector *connector)
{
	struct changes *changes = &connector->changes;
	const struct ipc_table_removed removed = { .id = changes->remove_id };

	changes->waits_for_parent =
	    !is_over(ipc_send_table_removed(&connector->to_parent, &removed));
	if (changes->waits_for_parent)
		return;
	changes->waits_for_drop = true;
	ipc_channel_await_reply(&connector->to_parent, IPC_MSG_table_dropped);
}

static bool
answer_parent(struct connector *connector)
{
	const struct ipc_published published = {
		.result = connector->forwards.change.result,
	};

	return is_over(ipc_send_published(&connector->to_parent, &published));
}

static void
answer_api(struct connector *connector)
{
	const struct changes *changes = &connector->changes;
	const struct forwards_change *change = &connector->forwards.change;
	bool is_done = change->result.outcome == IPC_FORWARD_done;

	/* The api that sent the request has exited. */
	if (connector->api.channel.fd == -1 ||
	    changes->api_number != connector->api.api_number)
		return;
	if (changes->active == CHANGES_ADD) {
		struct ipc_forward_added added = {
			.request = changes->number,
			.result = change->result,
		};

		if (is_done)
			added.forward = change->forward;
		chan_api_check_sent(&connector->api,
		    ipc_send_forward_added(&connector->api.channel, &added));
	} else {
		struct ipc_forward_removed removed = {
			.request = changes->number,
			.outcome = change->result.outcome,
			.id = change->result.id,
		};

		if (is_done)
			removed.forward = change->forward;
		chan_api_check_sent(&connector->api,
		    ipc_send_forward_removed(&connector->api.channel, &removed));
	}
}

/* Tells the parent and the requester. False if the parent's queue is full. */
static bool
finish(struct connector *connector)
{
	struct changes *changes = &connector->changes;

	/* The worker first: if its queue has room, it knows the ports before anybody can ask it
	 * about them. */
	listeners_tell(&connector->listeners, &connector->to_worker, clock_now_ms());
	/* If the parent has the change but not the answer, send only the answer again. */
	if (!changes->is_parent_told && !tell_parent(connector))
		return false;
	changes->is_parent_told = true;
	if (changes->active == CHANGES_PUBLISH && !answer_parent(connector))
		return false;
	changes->is_parent_told = false;
	changes->n_kept = 0;
	if (changes->active != CHANGES_PUBLISH)
		answer_api(connector);
	changes->active = CHANGES_NONE;
	return true;
}

void
changes_proceed(struct connector *connector)
{
	struct changes *changes = &connector->changes;

	if (!changes_are_busy(changes) || changes->waits_for_drop)
		return;
	if (changes->remove_id != 0) {
		ask_to_drop(connector);
		return;
	}
	if (forwards_is_busy(&connector->forwards) &&
	    !forwards_proceed(&connector->forwards))
		return;
	changes->waits_for_parent = !finish(connector);
	if (!changes_are_busy(changes))
		begin_publish(connector);
}
