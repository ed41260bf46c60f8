/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's end of its channel to the api. It is always descriptor IPC_CHILD_FD_PEER, which the
 * system call filter goes by; without an api that is /dev/null, as the worker is born with it.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Takes the channel to a new api, in the place of one before. The number is the parent's
 * name for it. */
void chan_api_open(struct worker *worker, int adopt_fd, uint64_t api_number);

/* Tells the parent that the channel to the api of this number did not come, and why. */
void chan_api_miss(struct worker *worker, uint64_t api_number, const char *why);

void chan_api_close(struct worker *worker);

/* Closes it, and tells the parent which message was wrong and why; the parent ends the api. */
void chan_api_drop(struct worker *worker, const char *row, const char *why);

/* For the result of an ipc_send_...() to the api: an api that takes no answers, or is
 * gone, loses the channel. */
void chan_api_check_sent(struct worker *worker, int result);
