/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker's channel to the connector: sockets for flows, and ports of forwards. */
#pragma once

#include "slirp-worker/worker.h"

/* Handles the connector's messages that have come, up to a limit. A connector that breaks the protocol is fatal: slirpd then ends. */
void chan_connector_receive(struct worker *worker);

/* Before a wait: reports on ports. Returns when it is due again without an event
 * (base/deadline.h). */
uint64_t chan_connector_report(struct worker *worker);
