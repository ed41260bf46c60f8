/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a UDP flow of the guest leads on the host's side. Pure functions. */
#pragma once

#include <stdbool.h>

#include "base/inaddr.h"
#include "ipc/messages.h"
#include "model/flow_key.h"

/* Finds the address on the host's side. The gateway and all others of the virtual network
 * stand for the host's loopback, except the name server; so does a broadcast. The gate has
 * refused them if the loopback is closed; here it is refused once more. Returns false
 * then, and if the host has no name server of the family. */
bool outward_find(const struct ipc_network *network,
    const struct ipc_nameservers *nameservers, const struct flow_key *key,
    union inaddr_sock *to);

/* Whether the peer's address is the name server's. */
bool outward_is_nameserver(const struct ipc_network *network, const struct flow_key *key);

/* Whether the peer's address is outside the virtual network: the way to it has a router,
 * the worker. */
bool outward_is_outside(const struct ipc_network *network, const struct flow_key *key);

/* Whether the peer's address is a broadcast, of the network or 255.255.255.255. */
bool outward_is_broadcast(const struct ipc_network *network, const struct flow_key *key);
