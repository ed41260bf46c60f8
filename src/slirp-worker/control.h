/* SPDX-License-Identifier: BSD-2-Clause */
/* The messages between the parent and the worker. */
#pragma once

#include "slirp-worker/worker.h"

/* Sends the version of libslirp. */
void worker_control_introduce(struct worker *worker);

/* Receives the parent's messages; sets worker->ended if the parent closed the channel. */
void worker_control_receive(struct worker *worker);

/* Waits for the start message and handles it. False if the parent closed the channel. */
bool worker_control_wait_start(struct worker *worker);

/* Call when the TAP has failed: tells the parent, once, and closes the TAP. */
void worker_control_tap_gone(struct worker *worker, int error);
