/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parent asks of the worker, and what the worker tells it unasked. */
#pragma once

#include "slirp-worker/worker.h"

/* Tells which libslirp this is. */
void worker_control_introduce(struct worker *worker);

/* Receives all that the parent has sent; sets worker->ended at its end. */
void worker_control_receive(struct worker *worker);

/* Waits for start and does it. False if the parent went away before. */
bool worker_control_wait_start(struct worker *worker);

/* The TAP can't be read any more: tells the parent, once, and lets go of it. */
void worker_control_tap_gone(struct worker *worker, int error);
