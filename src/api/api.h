/* SPDX-License-Identifier: BSD-2-Clause */
/* All that an api has; one exists, in main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "api/jail.h"
#include "api/pending.h"
#include "base/ratelimit.h"
#include "ipc/channel.h"
#include "model/rules.h"

/* Since the start of this process; query_stats shows them. */
struct api_counters {
	uint64_t n_connections;
	uint64_t n_requests;
	uint64_t n_errors;
	uint64_t n_gave_way; /* clients that were silent when places were short */
	uint64_t n_slow;     /* clients that lost what they did not read */
};

struct api {
	struct ipc_channel to_parent; /* descriptor 3 */
	struct ipc_channel to_worker; /* descriptor 4; its fd is -1 before it came */
	int listen_fd;                /* descriptor 5; -1 before it came */
	struct jail jail;
	bool ended; /* the parent has closed the channel */

	uint64_t now_ms; /* of this round */
	uint32_t own_pid;
	/* The table of clients, API_CLIENTS_MAX of them, in any order: the first
	 * n_clients are in use, so that a round looks at those alone. The kernel gives
	 * memory to places that were used. */
	struct api_client *clients;
	struct api_client *places[API_CLIENTS_MAX];
	uint32_t n_clients;
	uint32_t n_sessions;
	/* Calls that go on without a client, in any of API_LEFT_PLACES places. */
	struct api_client *left;
	uint32_t n_left;
	uint64_t accept_again_ms; /* 0: at any time */
	uint32_t n_rounds_of_one; /* to come: see accept.h */
	struct ratelimit accept_warning;
	struct api_lane parent_lane;
	struct api_lane worker_lane;
	/* The worker's forwards, as its answers on this channel have told them
	 * (forwards.c). */
	struct rules *forwards; /* owned */
	bool knows_forwards;    /* all of them, not only those of the first pages */
	struct api_counters counters;
	struct ratelimit audit;
};
