/* SPDX-License-Identifier: BSD-2-Clause */
/* From the parent's start message to a worker that can serve. Before the jail. */
#pragma once

#include "slirp-worker/worker.h"

/* Makes all that the message requests; a failure is fatal. adopt_tap_fd is the TAP, or
 * the listening socket of --target-type=bess. */
void setup_make(struct worker *worker, const struct ipc_start *start, int adopt_tap_fd);

/* The same without TAP, gate and offload; worker->network is set. */
void setup_make_engines(struct worker *worker);

/* Ends all flows and frees what setup_make_engines made; for tests. A worker leaves this to the
 * kernel. */
void setup_undo_engines(struct worker *worker);
