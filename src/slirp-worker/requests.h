/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the parent and the api for changes of the forwards. After each change the
 * worker tells the parent, which keeps a copy, and then answers the requester. It makes
 * one change at a time, and receives the next request after the last answer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"

struct worker;

enum requests_active {
	REQUESTS_NONE,
	REQUESTS_PUBLISH, /* the parent's request */
	REQUESTS_ADD,     /* the api's request, as is the next */
	REQUESTS_REMOVE,
};

struct requests {
	enum requests_active active;
	uint64_t number;     /* the api's number of its request */
	uint64_t api_number; /* the api that asked; no other api gets the answer */
	/* The change is made, and the parent's queue is full. */
	bool waits_for_parent;
	/* The parent has the change, but not its answer yet. */
	bool is_parent_told;
	/* The parent's request arrived during a request of the api. */
	bool has_publish;
	struct ipc_forward publish;
};

/* Each begins at once if no request is active. Only requests_publish() may be called
 * during a request; the parent sends one request and waits for its answer. */
void requests_publish(struct worker *worker, const struct ipc_forward *forward);
void requests_add(struct worker *worker, uint64_t number,
    const struct ipc_forward *forward);
void requests_remove(struct worker *worker, uint64_t number, uint32_t id);

/* Continues the active request. Call it in each turn of the loop. */
void requests_proceed(struct worker *worker);

static inline bool
requests_are_busy(const struct requests *requests)
{
	return requests->active != REQUESTS_NONE;
}

/* Whether the next turn has work, even if no descriptor is ready. */
static inline bool
requests_want_a_turn(const struct requests *requests)
{
	return requests_are_busy(requests) && !requests->waits_for_parent;
}
