/* SPDX-License-Identifier: BSD-2-Clause */
/* The state of the connector. One exists, in main.c. */
#pragma once

#include <stdbool.h>

#include "connector/forward/changes.h"
#include "connector/flows.h"
#include "connector/forward/forwards.h"
#include "connector/jail.h"
#include "connector/forward/listeners.h"
#include "ipc/channel.h"
#include "process/chan_api.h"

/* The host's network, as the parent has reported it. */
struct connector_rules {
	struct ipc_network network;
	struct ipc_outbound outbound;
	struct ipc_nameservers nameservers;
};

/* An answer to the worker that its queue did not take. */
struct connector_answer {
	int fd;         /* owned; the socket, or -1 */
	int answers_fd; /* owned; that of a group, which is sent first, or -1 */
	uint32_t error; /* without a socket */
	struct ipc_flow_opened opened;
};

/* An answer to the resolver that its queue did not take. */
struct connector_lent {
	uint64_t number;
	int fd;         /* owned; the socket, or -1 */
	uint32_t error; /* without a socket */
	bool is_pin;    /* the answer to dns_pin: error tells that nothing is pinned */
};

struct connector {
	struct ipc_channel to_parent;   /* descriptor 3 */
	struct ipc_channel to_worker;   /* descriptor 4; its fd is -1 without a worker */
	struct chan_api api;            /* descriptor 5 */
	struct ipc_channel to_resolver; /* descriptor 6; as to_worker */
	struct ipc_peer worker, resolver; /* the last ones, as the parent names them */
	struct jail jail;
	struct connector_rules rules;
	struct flows flows;
	struct connector_answer answer; /* if has_answer */
	bool has_answer;                /* the worker is not heard meanwhile */
	struct connector_lent lent;     /* to the resolver, if has_lent */
	bool has_lent;                  /* the resolver is not heard meanwhile */
	bool barred_was_told;           /* that the host bars ping sockets */
	struct listeners listeners;
	struct forwards forwards;
	struct changes changes; /* of the forwards */
	bool is_ready;
	bool ended; /* the parent has closed the channel */
};
