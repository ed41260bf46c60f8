/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's requests to the worker. The api parses the text of clients, so the worker
 * does not trust it: an invalid message ends the channel, and packets go on.
 */
#pragma once

#include "slirp-worker/worker.h"

/* The descriptor to poll; -1 during a change of the forwards, and for a while after a costly
 * request. */
int api_requests_poll_fd(const struct worker *worker);

/* Receives and answers up to RECEIVE_MAX requests. */
void api_requests_receive(struct worker *worker);
