/* All that an api has; one exists, in main.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/client.h"
#include "api/jail.h"
#include "api/pending.h"
#include "base/ratelimit.h"
#include "ipc/channel.h"

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
	struct api_client *clients; /* API_CLIENTS_MAX of them */
	uint32_t n_clients;
	uint32_t n_sessions;
	uint64_t accept_again_ms; /* 0: at any time */
	struct ratelimit accept_warning;
	struct api_lane parent_lane;
	struct api_lane worker_lane;
	struct api_counters counters;
	struct ratelimit audit;
};
