/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the api. One exists, in main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "api/jail.h"
#include "api/peer.h"
#include "api/pending.h"
#include "api/policy/copy.h"
#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "model/forward_table.h"

/* Counters since the start of this process. query_stats shows them. */
struct api_counters {
	uint64_t n_connections;
	uint64_t n_requests;
	uint64_t n_errors;
	uint64_t n_gave_way; /* silent clients that gave way to others */
	uint64_t n_slow;     /* clients that lost output that they did not read */
};

struct api {
	struct ipc_channel to_parent; /* descriptor 3 */
	struct api_peer worker;       /* descriptor 4 */
	struct api_peer connector;    /* descriptor 5 */
	int listen_fd;                /* descriptor 6; -1 until it comes */
	struct jail jail;
	bool is_joined; /* the first channel to the worker has come */
	bool ended;     /* the parent has closed the channel */

	uint64_t now_ms; /* of this round */
	uint32_t own_pid;
	/* The table of clients: API_CLIENTS_MAX entries in any order. The first
	 * n_clients are in use, so a round looks at those only. The kernel allocates
	 * pages of used entries only. */
	struct api_client *clients;
	struct api_client *places[API_CLIENTS_MAX];
	uint32_t n_clients;
	uint32_t n_sessions;
	/* Calls without a client, at any of API_LEFT_PLACES places. */
	struct api_client *left;
	uint32_t n_left;
	uint64_t accept_again_ms; /* 0: at any time */
	uint32_t n_rounds_of_one; /* see accept.h */
	struct ratelimit accept_warning;
	struct api_lane parent_lane;
	/* The connector's forwards, learnt from its answers on this channel (forwards.c). */
	struct forward_table *forwards; /* owned */
	bool knows_forwards;            /* forwards is complete */
	struct api_policy policy;
	struct api_counters counters;
	struct ratelimit audit;
};
