/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the parent and the api for changes of the forwards. After each change the
 * connector tells the parent, which keeps a copy, and then answers the requester. It makes
 * one change at a time, and receives the next request after the last answer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"

struct connector;

enum changes_active {
	CHANGES_NONE,
	CHANGES_PUBLISH, /* the parent's request */
	CHANGES_ADD,     /* the api's request, as is the next */
	CHANGES_REMOVE,
};

struct changes {
	enum changes_active active;
	uint64_t number;     /* the api's number of its request */
	uint32_t api_number; /* the api that asked; no other api gets the answer */
	/* The change is made, and the parent's queue is full. */
	bool waits_for_parent;
	/* A forward is removed when the parent has closed its sockets: else they would keep the
	 * ports when the requester has its answer. */
	bool waits_for_drop;
	uint32_t remove_id; /* not begun; 0: none */
	uint32_t n_kept;    /* sockets of a new forward that the parent has */
	/* The parent has the change, but not its answer yet. */
	bool is_parent_told;
	/* The parent's request arrived during a request of the api. */
	bool has_publish;
	struct ipc_forward publish;
};

/* Each begins at once if no request is active. Only changes_publish() may be called
 * during a request; the parent sends one request and waits for its answer. */
void changes_publish(struct connector *connector, const struct ipc_forward *forward);
void changes_add(struct connector *connector, uint64_t number,
    const struct ipc_forward *forward);
void changes_remove(struct connector *connector, uint64_t number, uint32_t id);

/* The parent has closed the sockets of the forward that is removed. */
void changes_go_on(struct connector *connector);

/* Continues the active request. Call it in each turn of the loop. */
void changes_proceed(struct connector *connector);

static inline bool
changes_are_busy(const struct changes *changes)
{
	return changes->active != CHANGES_NONE;
}

/* Whether the next turn has work, even if no descriptor is ready. */
static inline bool
changes_want_a_turn(const struct changes *changes)
{
	return changes_are_busy(changes) && !changes->waits_for_parent &&
	    !changes->waits_for_drop;
}
