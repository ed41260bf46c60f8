/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's channel to the api. It is always descriptor IPC_CHILD_FD_PEER, which the
 * system call filter checks. Without an api, that descriptor is /dev/null.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Adopts the channel to a new api and closes the old channel. api_number is the parent's
 * name for the api. */
void chan_api_open(struct worker *worker, int adopt_fd, uint64_t api_number);

/* Tells the parent that the channel to this api did not arrive, and why. */
void chan_api_miss(struct worker *worker, uint64_t api_number, const char *why);

void chan_api_close(struct worker *worker);

/* Closes the channel, and tells the parent which message was wrong. The parent then ends
 * the api. */
void chan_api_drop(struct worker *worker, const char *row, const char *why);

/* Checks the result of an ipc_send_...() to the api. Closes the channel if the api has
 * exited, or if its queue is full. */
void chan_api_check_sent(struct worker *worker, int result);
