/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's questions, and the answers. */
#pragma once

#include "connector/connector.h"

/* Answers the worker's questions that have come, up to a limit. A worker that breaks the
 * protocol is fatal: slirpd then ends. */
void connector_requests_receive(struct connector *connector);

/* Sends the answer that the worker's queue did not take; the worker's queue has room now. */
void connector_requests_answer(struct connector *connector);

/* Adopts the channel to a new worker, and forgets the old worker and its flows. */
void connector_requests_begin(struct connector *connector, int adopt_fd,
    const struct ipc_peer *worker);
