/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwards of the TCP engine: takes accepted connections, finds the guest's MAC, and opens
 * their flows. tcp_listen.h has the sockets, tcp_hold.h the connections that wait for a MAC,
 * peer.h how the guest sees a peer.
 */
#pragma once

#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/forward/tcp_hold.h"
#include "slirp-worker/engine/tcp/tcp_host.h"
#include "slirp-worker/engine/forward/tcp_listen.h"
#include "slirp-worker/gate/neigh.h"

struct tcp_forward {
	struct tcp_host *host;     /* borrowed */
	const struct neigh *neigh; /* borrowed */
	struct tcp_listen_owner owner;
	struct tcp_listen listen;
	struct tcp_hold hold;
};

/* Call it after tcp_host_init() and before the jail. All pointers are borrowed; forward must not
 * move. */
void tcp_forward_init(struct tcp_forward *forward, struct tcp_host *host,
    const struct neigh *neigh, struct port_table *ports);

/* self is the tcp_forward. It comes before tcp_host_engine: new flows have timers. */
extern const struct engine_ops tcp_forward_engine;
