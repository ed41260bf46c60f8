/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's loop: wait, read a batch of frames, serve sockets. */
#pragma once

#include "slirp-worker/worker.h"

/* Serves until the parent closes its channel. */
void worker_loop_run(struct worker *worker);
