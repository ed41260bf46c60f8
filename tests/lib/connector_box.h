/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connector for tests and fuzzers: the real code, in a network namespace of this process.
 * The test has the other ends of its channels to the parent, the worker, a resolver and an api.
 * Without a jail and a loop.
 */
#pragma once

#include "connector/connector.h"

struct connector_box {
	struct connector connector;
	struct ipc_channel parent; /* the parent's end, greeted */
	struct ipc_channel worker; /* the worker's end, greeted */
	struct ipc_channel
	    resolver;           /* the resolver's end, greeted; its fd is -1 if closed */
	struct ipc_channel api; /* the api's end, greeted; its fd is -1 if closed */
	uint32_t n_peers;       /* workers and resolvers before */
	uint64_t n_apis;        /* number of the last api */
};

/* Uses the usual network; clears box, which is large. The host's loopback is closed. A failure is
 * fatal. */
void connector_box_open(struct connector_box *box);
void connector_box_close(struct connector_box *box);

/* Opens the host's loopback to the guest. */
void connector_box_allow_loopback(struct connector_box *box);

/* Gives the connector a new channel to a worker, to a resolver or to an api, and greets. */
void connector_box_open_worker(struct connector_box *box);
void connector_box_open_resolver(struct connector_box *box);
void connector_box_open_api(struct connector_box *box);
