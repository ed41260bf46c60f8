/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver's questions for sockets that lead to the host's name servers, and the answers. */
#pragma once

#include "connector/connector.h"

/* Answers the resolver's questions that have come, up to a limit. A resolver that breaks the
 * protocol is fatal: slirpd then ends. */
void connector_lend_receive(struct connector *connector);

/* Makes a connection to the resolver. Returns its other end, which the caller owns, or -1 with
 * errno set: EMFILE also if the resolver's queue is full. */
int connector_lend_connect(struct connector *connector);

/* Sends the answer that the resolver's queue did not take; the queue has room now. */
void connector_lend_answer(struct connector *connector);

/* Adopts the channel to a new resolver, and forgets the old one. */
void connector_lend_begin(struct connector *connector, int adopt_fd,
    const struct ipc_peer *resolver);
