/* SPDX-License-Identifier: BSD-2-Clause */
/* Describes the connections and listening sockets of the TCP engine for lists. Pure: the
 * entries come from the engine's tables alone. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/tcp/tcp.h"
#include "slirp-worker/engine/port_table.h"

/* Fills in an entry. The source of a forward's connection is the peer as the guest sees it. */
void tcp_list_describe(const struct tcp *tcp, const struct tcp_flow *flow,
    struct ipc_connection *entry);
void tcp_list_describe_port(const struct port *port, struct ipc_connection *entry);
