/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's one loop: wait, serve sockets, take a batch of frames, run timers. */
#pragma once

#include "slirp-worker/worker.h"

/* Serves until the parent closes its channel. */
void worker_loop_run(struct worker *worker);
