/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The api's requests to the worker. The api parses the text of clients, so the worker
 * does not trust it: an invalid message ends the channel, and packets go on.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Whether requests are received now: not during a change of the forwards, and not for a
 * while after a costly request. */
bool api_requests_are_heard(const struct worker *worker);

/* Receives and answers up to RECEIVE_MAX requests. */
void api_requests_receive(struct worker *worker);
