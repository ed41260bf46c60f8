/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker for tests and fuzzers: the real code with the real libslirp, in a network
 * namespace of this process. The test has the other ends of its channels to a parent, a
 * connector, a resolver and an api. Without a TAP, a jail and a loop.
 */
#pragma once

#include "slirp-worker/worker.h"

struct worker_box {
	struct worker worker;
	int parent_fd;                /* the parent's end, or -1 */
	struct ipc_channel connector; /* the connector's end, greeted */
	struct ipc_channel
	    resolver;           /* the resolver's end, greeted; its fd is -1 if closed */
	struct ipc_channel api; /* the api's end, greeted; its fd is -1 if closed */
	uint64_t n_apis;        /* number of the last api */
	uint32_t n_peers;       /* connectors and resolvers before */
};

/* Uses the usual network; clears box, which is large. A failure is fatal. */
void worker_box_open(struct worker_box *box, bool enable_ipv6);
void worker_box_close(struct worker_box *box);

/* Gives the worker a new channel to a connector, to a resolver or to an api, and greets. */
void worker_box_open_connector(struct worker_box *box);
void worker_box_open_resolver(struct worker_box *box);
void worker_box_open_api(struct worker_box *box);

/* Opens the port, and lets the worker take it. A failure is fatal. */
void worker_box_send_port(struct worker_box *box, const struct ipc_listener *listener);
