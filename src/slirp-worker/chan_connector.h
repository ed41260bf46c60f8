/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's channels to the connector, at IPC_CHILD_FD_CONNECTOR, and to the resolver, at
 * IPC_CHILD_FD_RESOLVER. Without a connector, new flows wait for the next one, and the others go
 * on. Without a resolver, the guest's queries are lost, and the guest asks again.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Adopts the channel to a new connector, which is asked for the sockets that are due. */
void chan_connector_open(struct worker *worker, int adopt_fd,
    const struct ipc_peer *connector);

void chan_resolver_open(struct worker *worker, int adopt_fd,
    const struct ipc_peer *resolver);

/* Handles the messages that have come. */
void chan_connector_receive(struct worker *worker);
void chan_resolver_receive(struct worker *worker);

/* Before a wait: reports on ports. Returns when it is due again without an event
 * (base/deadline.h). */
uint64_t chan_connector_report(struct worker *worker);
