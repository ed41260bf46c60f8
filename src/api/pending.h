/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls: requests of clients to another process, and their answers. A peer
 * answers in the order of the requests. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/request/out.h"
#include "ipc/channel.h"

struct api;
struct api_client;

/* Requests that a peer has not answered yet. A peer drops an api that does not read
 * its answers, so all of these must fit in the queue of this process: 8 pages of 2 KiB.
 * The kernel's default (net.core.wmem_default) holds some 50. */
#define API_IN_FLIGHT_MAX 8

/* The call of a client. */
struct api_call {
	struct api_client *next; /* in one of the lane's two lists */
	struct api_lane *lane;   /* borrowed */
	uint64_t since_ms;       /* when the client asked, CLOCK_MONOTONIC */
	uint64_t number;
	bool is_sent; /* the peer has the request and will answer */
	/* Sends the request; returns the result of ipc_send_...(). */
	int (*send)(struct ipc_channel *channel, const struct api_client *client);
	enum ipc_message_id answer; /* the row of the answer */
	bool is_exclusive;   /* no other exclusive call may run between its pages */
	uint32_t cursor;     /* for the next page; 0 at the begin */
	uint64_t generation; /* of the policy whose pages they are */
	uint32_t n_restarts, n_forwards;
	struct api_out list; /* entries so far */
};

struct api_queue {
	struct api_client *first;
	struct api_client *last;
};

/* The lanes to the worker, the connector and the parent. */
#define API_N_LANES 3

/* The calls to one peer. */
struct api_lane {
	struct ipc_channel *channel;
	struct api_queue waiting;
	struct api_queue sent; /* oldest first */
	uint32_t n_sent;
	uint64_t last_number;
	const struct api_client *exclusive; /* owner of the current exclusive call */
	bool is_full; /* the peer's queue is full: wait until it is not */
	bool is_late; /* the log says already that the peer does not answer */
};

/* Puts the client's call into the lane. Its send and answer must be set. Also for the
 * next page of a call. */
void api_pending_add(struct api_lane *lane, struct api_client *client);
/* Whether a call waits for this answer, sent or not. */
bool api_pending_has(const struct api_lane *lane, enum ipc_message_id answer);
/* Sends calls as far as the limits permit. Returns 0, or -1 if the peer is gone. */
int api_pending_send(struct api_lane *lane);
/* Takes the client out of the lane that an answer is for. NULL: the answer does not
 * match the oldest request, and the peer breaks the protocol. */
struct api_client *api_pending_take(struct api_lane *lane, enum ipc_message_id answer,
    uint64_t number);
/* Ends the call; it may be exclusive. */
void api_pending_end(struct api_lane *lane, struct api_client *client);
/* Takes out a client whose request was not sent, and ends the call. */
void api_pending_cancel(struct api_client *client);
/* Replaces the client by `heir`, which has a copy of its call. */
void api_pending_replace(struct api_client *client, struct api_client *heir);
/* Takes out the oldest client; NULL: the lane is empty. */
struct api_client *api_pending_fail_next(struct api_lane *lane);
