/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker for tests and fuzzers: the real code with the real libslirp, in a network
 * namespace of this process's own, with a channel to a parent and one to an api whose other
 * ends are the test's. Without a TAP, a jail and a loop.
 */
#pragma once

#include "slirp-worker/worker.h"

struct worker_box {
	struct worker worker;
	int parent_fd;          /* the parent's end, or -1 */
	struct ipc_channel api; /* the api's end, greeted; its fd is -1 when closed */
	uint64_t n_apis;        /* so far: the number of the last one */
};

/* Moves the process into user and network namespaces of its own, and brings lo up. Fatal
 * where that can't be had. */
void worker_box_enter_namespace(void);

/* With the usual network; box is large, and cleared here. Fatal on failure. */
void worker_box_open(struct worker_box *box, bool enable_ipv6);
void worker_box_close(struct worker_box *box);

/* Gives the worker a new channel to an api, and greets. */
void worker_box_open_api(struct worker_box *box);
