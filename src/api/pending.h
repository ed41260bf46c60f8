/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls: requests of clients on their way to the worker or the parent and back. A peer's
 * answers come in the order of the requests.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/request/out.h"
#include "ipc/channel.h"

struct api;
struct api_client;

/*
 * Requests that a peer has and has not answered. The worker drops an api that does not
 * take its answers, so all of these must fit our queue: 8 pages of 2 KiB, where the
 * kernel's default (net.core.wmem_default) holds some 50.
 */
#define API_IN_FLIGHT_MAX 8

/* The call that a client has under way. */
struct api_call {
	struct api_client *next; /* in one of the lane's two lists */
	struct api_lane *lane;   /* borrowed */
	uint64_t since_ms;       /* when the client asked, CLOCK_MONOTONIC */
	uint64_t number;
	bool is_sent; /* the peer has it, and will answer */
	/* Sends the request; returns what ipc_send_...() does. */
	int (*send)(struct ipc_channel *channel, const struct api_client *client);
	enum ipc_message_id answer; /* the row that it is to be answered with */
	bool is_exclusive; /* its pages depend on no other being made in between */
	uint32_t cursor;   /* where the next page begins */
	uint32_t n_api_restarts;
	struct api_out list; /* entries that came so far */
};

struct api_queue {
	struct api_client *first;
	struct api_client *last;
};

/* The worker's and the parent's. */
#define API_N_LANES 2

/* One for each peer. */
struct api_lane {
	struct ipc_channel *channel;
	struct api_queue waiting;
	struct api_queue sent; /* oldest first */
	uint32_t n_sent;
	uint64_t last_number;
	const struct api_client *exclusive; /* who has begun an exclusive call */
	bool is_full; /* the peer's queue took no more: wait until it does */
	bool is_late; /* the log has been told that the peer does not answer */
};

/* Puts the client's call, whose send and answer are set, into the lane; also for a call's
 * next page. */
void api_pending_add(struct api_lane *lane, struct api_client *client);
/* Sends what may be sent. Returns 0, or -1 when the peer is gone. */
int api_pending_send(struct api_lane *lane);
/*
 * The client that an answer is for, taken out of the lane. NULL if it is no answer to the
 * oldest request: the peer breaks the protocol.
 */
struct api_client *api_pending_take(struct api_lane *lane, enum ipc_message_id answer,
    uint64_t number);
/* The call is over, whether or not it was exclusive. */
void api_pending_end(struct api_lane *lane, struct api_client *client);
/* Takes out a client whose request has not been sent: nothing comes of it. */
void api_pending_cancel(struct api_client *client);
/* `heir`, which has a copy of the client's call, takes its place. */
void api_pending_replace(struct api_client *client, struct api_client *heir);
/* Takes any client out, the oldest first; NULL when there is none left. */
struct api_client *api_pending_fail_next(struct api_lane *lane);
