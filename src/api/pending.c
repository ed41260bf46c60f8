/* SPDX-License-Identifier: BSD-2-Clause */
/* Queues the calls of clients to a peer, and matches the answers by their order. */
#include "api/pending.h"

#include <errno.h>
#include <stddef.h>

#include "api/client.h"

static void
append(struct api_queue *queue, struct api_client *client)
{
	client->call.next = NULL;
	if (queue->last)
		queue->last->call.next = client;
	else
		queue->first = client;
	queue->last = client;
}

/* Takes the entry after previous out of the queue; NULL: the first entry. */
static struct api_client *
take_after(struct api_queue *queue, struct api_client *previous)
{
	struct api_client **place = previous ? &previous->call.next : &queue->first;
	struct api_client *client = *place;

	*place = client->call.next;
	if (queue->last == client)
		queue->last = previous;
	return client;
}

void
api_pending_add(struct api_lane *lane, struct api_client *client)
{
	client->call.lane = lane;
	client->call.is_sent = false;
	append(&lane->waiting, client);
}

/* Returns the client before this one; NULL: it is the first. The client must be in the
 * queue. */
static struct api_client *
find_previous(const struct api_queue *queue, const struct api_client *client)
{
	struct api_client *previous = NULL;

	for (struct api_client *at = queue->first; at != client; at = at->call.next)
		previous = at;
	return previous;
}

void
api_pending_cancel(struct api_client *client)
{
	struct api_lane *lane = client->call.lane;

	take_after(&lane->waiting, find_previous(&lane->waiting, client));
	api_pending_end(lane, client);
}

void
api_pending_replace(struct api_client *client, struct api_client *heir)
{
	struct api_lane *lane = client->call.lane;
	struct api_queue *queue = client->call.is_sent ? &lane->sent : &lane->waiting;
	struct api_client *previous = find_previous(queue, client);

	if (previous)
		previous->call.next = heir;
	else
		queue->first = heir;
	if (queue->last == client)
		queue->last = heir;
	if (lane->exclusive == client)
		lane->exclusive = heir;
}

static bool
has(const struct api_queue *queue, enum ipc_message_id answer)
{
	for (const struct api_client *at = queue->first; at; at = at->call.next)
		if (at->call.answer == answer)
			return true;
	return false;
}

bool
api_pending_has(const struct api_lane *lane, enum ipc_message_id answer)
{
	return has(&lane->waiting, answer) || has(&lane->sent, answer);
}

static bool
may_go(const struct api_lane *lane, const struct api_client *client)
{
	return !client->call.is_exclusive || !lane->exclusive ||
	    lane->exclusive == client;
}

int
api_pending_send(struct api_lane *lane)
{
	struct api_client *previous = NULL;
	struct api_client *client = lane->waiting.first;

	lane->is_full = false;
	while (client && lane->n_sent < API_IN_FLIGHT_MAX) {
		struct api_client *next = client->call.next;

		if (!may_go(lane, client)) {
			previous = client;
			client = next;
			continue;
		}
		client->call.number = lane->last_number + 1;
		if (client->call.send(lane->channel, client) == -1) {
			lane->is_full = ipc_channel_can_retry(errno);
			return lane->is_full ? 0 : -1;
		}
		ipc_channel_await_reply(lane->channel, client->call.answer);
		lane->last_number++;
		lane->n_sent++;
		if (client->call.is_exclusive)
			lane->exclusive = client;
		client->call.is_sent = true;
		append(&lane->sent, take_after(&lane->waiting, previous));
		client = next;
	}
	return 0;
}

struct api_client *
api_pending_take(struct api_lane *lane, enum ipc_message_id answer, uint64_t number)
{
	struct api_client *client = lane->sent.first;

	if (!client || client->call.answer != answer || client->call.number != number)
		return NULL;
	lane->n_sent--;
	return take_after(&lane->sent, NULL);
}

void
api_pending_end(struct api_lane *lane, struct api_client *client)
{
	if (lane->exclusive == client)
		lane->exclusive = NULL;
}

struct api_client *
api_pending_fail_next(struct api_lane *lane)
{
	struct api_queue *queue = lane->sent.first ? &lane->sent : &lane->waiting;
	struct api_client *client;

	if (!queue->first)
		return NULL;
	if (queue == &lane->sent)
		lane->n_sent--;
	client = take_after(queue, NULL);
	api_pending_end(lane, client);
	return client;
}
