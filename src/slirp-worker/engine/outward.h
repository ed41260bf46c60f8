/* SPDX-License-Identifier: BSD-2-Clause */
/* Classifies the peer of a UDP flow: pure functions. The connector decides where the flow leads. */
#pragma once

#include <stdbool.h>

#include "ipc/messages.h"
#include "model/flow_key.h"

/* Whether the peer's address is outside the virtual network: the way to it has a router,
 * the worker. */
bool outward_is_outside(const struct ipc_network *network, const struct flow_key *key);

/* Whether the peer's address is a broadcast, of the network or 255.255.255.255. */
bool outward_is_broadcast(const struct ipc_network *network, const struct flow_key *key);
