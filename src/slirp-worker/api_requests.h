/* SPDX-License-Identifier: BSD-2-Clause */
/* The api's requests to the worker (process/chan_api.h). */
#pragma once

#include "slirp-worker/worker.h"

/* Whether requests are received now: not for a while after a costly request. */
bool api_requests_are_heard(const struct worker *worker);

/* Receives and answers up to RECEIVE_MAX requests. */
void api_requests_receive(struct worker *worker);

/* The channel's part of struct chan_api; ctx is the worker. */
int api_requests_watch(void *ctx, int fd);
