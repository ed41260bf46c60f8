/* SPDX-License-Identifier: BSD-2-Clause */
/* Describes the connections and listening sockets of the TCP engine for lists. Pure: the
 * entries come from the engine's tables alone. */
#pragma once

#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/tcp/tcp.h"
#include "slirp-worker/engine/forward/tcp_listen.h"

/* The state of the engine's own end, which is the guest's peer, in the words of RFC 9293
 * 3.3.2. The connection between the host and the real peer can be in another state. */
enum ipc_tcp_state tcp_list_state(const struct tcp_flow *flow);

/* Fills in an entry. The source of a forward's connection is the peer as the guest sees it. */
void tcp_list_describe(const struct tcp *tcp, const struct tcp_flow *flow,
    struct ipc_connection *entry);
void tcp_list_describe_port(const struct tcp_listener *listener,
    struct ipc_connection *entry);
