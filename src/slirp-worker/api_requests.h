/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's requests. The api has read what clients wrote, so the worker does not trust it: a
 * message that is not as it should be costs the api the channel, and packets go on.
 */
#pragma once

#include "slirp-worker/worker.h"

/* The descriptor to wait for, or -1 while nothing is to be received: a change of the forwards is
 * being made. */
int api_requests_poll_fd(const struct worker *worker);

/* Receives and answers some of what the api has sent. */
void api_requests_receive(struct worker *worker);
