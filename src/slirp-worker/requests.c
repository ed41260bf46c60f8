/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs requests for changes of the forwards, one at a time. */
#include "slirp-worker/requests.h"

#include <assert.h>
#include <errno.h>

#include "base/log.h"
#include "slirp-worker/chan_api.h"
#include "slirp-worker/worker.h"

/* Begins the parent's pending request, if there is one. */
static void
begin_publish(struct worker *worker)
{
	struct requests *requests = &worker->requests;

	if (!requests->has_publish)
		return;
	requests->has_publish = false;
	requests->active = REQUESTS_PUBLISH;
	forwards_add(&worker->forwards, &requests->publish);
}

void
requests_publish(struct worker *worker, const struct ipc_forward *forward)
{
	struct requests *requests = &worker->requests;

	if (requests->has_publish || requests->active == REQUESTS_PUBLISH)
		fatalx("the parent published a forward before the last was answered");
	requests->publish = *forward;
	requests->has_publish = true;
	if (!requests_are_busy(requests)) {
		begin_publish(worker);
		requests_proceed(worker);
	}
}

static void
begin(struct worker *worker, enum requests_active active, uint64_t number)
{
	struct requests *requests = &worker->requests;

	assert(!requests_are_busy(requests));
	requests->active = active;
	requests->number = number;
	requests->api_number = worker->api_number;
}

void
requests_add(struct worker *worker, uint64_t number, const struct ipc_forward *forward)
{
	begin(worker, REQUESTS_ADD, number);
	forwards_add(&worker->forwards, forward);
	requests_proceed(worker);
}

void
requests_remove(struct worker *worker, uint64_t number, uint32_t id)
{
	begin(worker, REQUESTS_REMOVE, number);
	forwards_remove(&worker->forwards, id);
	requests_proceed(worker);
}

/* Whether the send is finished: the parent has the message, or has exited. */
static bool
is_over(int sent)
{
	return sent == 0 || !ipc_channel_can_retry(errno);
}

/* True if the parent has the message. */
static bool
tell_parent(struct worker *worker)
{
	const struct forwards_change *change = &worker->forwards.change;
	const struct ipc_table_removed removed = { .id = change->result.id };
	const struct ipc_table_added added = {
		.entry = { .id = change->result.id, .forward = change->forward },
	};
	int sent;

	if (change->result.outcome != IPC_FORWARD_done)
		return true;
	sent = change->is_addition ? ipc_send_table_added(&worker->to_parent, &added)
				   : ipc_send_table_removed(&worker->to_parent, &removed);
	return is_over(sent);
}

static bool
answer_parent(struct worker *worker)
{
	const struct ipc_published published = {
		.result = worker->forwards.change.result,
	};

	return is_over(ipc_send_published(&worker->to_parent, &published));
}

static void
answer_api(struct worker *worker)
{
	const struct requests *requests = &worker->requests;
	const struct forwards_change *change = &worker->forwards.change;
	bool is_done = change->result.outcome == IPC_FORWARD_done;

	/* The api that sent the request has exited. */
	if (worker->to_api.fd == -1 || requests->api_number != worker->api_number)
		return;
	if (requests->active == REQUESTS_ADD) {
		struct ipc_forward_added added = {
			.request = requests->number,
			.result = change->result,
		};

		if (is_done)
			added.forward = change->forward;
		chan_api_check_sent(worker,
		    ipc_send_forward_added(&worker->to_api, &added));
	} else {
		struct ipc_forward_removed removed = {
			.request = requests->number,
			.outcome = change->result.outcome,
			.id = change->result.id,
		};

		if (is_done)
			removed.forward = change->forward;
		chan_api_check_sent(worker,
		    ipc_send_forward_removed(&worker->to_api, &removed));
	}
}

/* Tells the parent and the requester. False if the parent's queue is full. */
static bool
finish(struct worker *worker)
{
	struct requests *requests = &worker->requests;

	/* If the parent has the change but not the answer, send only the answer again. */
	if (!requests->is_parent_told && !tell_parent(worker))
		return false;
	requests->is_parent_told = true;
	if (requests->active == REQUESTS_PUBLISH && !answer_parent(worker))
		return false;
	requests->is_parent_told = false;
	if (requests->active != REQUESTS_PUBLISH)
		answer_api(worker);
	requests->active = REQUESTS_NONE;
	return true;
}

void
requests_proceed(struct worker *worker)
{
	struct requests *requests = &worker->requests;

	if (!requests_are_busy(requests))
		return;
	if (forwards_is_busy(&worker->forwards) && !forwards_proceed(&worker->forwards))
		return;
	requests->waits_for_parent = !finish(worker);
	if (!requests_are_busy(requests))
		begin_publish(worker);
}
