/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who asked for a change of the forwards, and what is told to whom when it is made: first
 * the parent of every change, for its copy, then whoever asked. One change at a time; the
 * next request is not received before the last is answered.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"

struct worker;

enum requests_active {
	REQUESTS_NONE,
	REQUESTS_PUBLISH, /* the parent's */
	REQUESTS_ADD,     /* the api's, like the next */
	REQUESTS_REMOVE,
};

struct requests {
	enum requests_active active;
	uint64_t number;     /* the api's own, of its request */
	uint64_t api_number; /* of the api that asked; no other gets the answer */
	/* The change is made, and the parent's queue has no room for the news of it. */
	bool waits_for_parent;
	/* The parent knows of the rule, but has no room for its answer yet. */
	bool is_parent_told;
	/* The parent's request came while one of the api's was at work. */
	bool has_publish;
	struct ipc_hostfwd publish;
};

/* Each begins at once if nothing is at work. Only the first may be called while something
 * is; the parent sends one and waits for its answer. */
void requests_publish(struct worker *worker, const struct ipc_hostfwd *rule);
void requests_add(struct worker *worker, uint64_t number, const struct ipc_hostfwd *rule);
void requests_remove(struct worker *worker, uint64_t number, uint32_t id);

/* Goes on with what is at work. For each turn of the loop. */
void requests_proceed(struct worker *worker);

static inline bool
requests_are_busy(const struct requests *requests)
{
	return requests->active != REQUESTS_NONE;
}

/* Whether there is work for the next turn, whatever the wait says. */
static inline bool
requests_want_a_turn(const struct requests *requests)
{
	return requests_are_busy(requests) && !requests->waits_for_parent;
}
