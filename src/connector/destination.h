/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides where a connection of the guest leads. Pure. */
#pragma once

#include "base/inaddr.h"
#include "connector/connector.h"

enum destination {
	DESTINATION_FOUND,
	DESTINATION_RESOLVER, /* to the resolver, in the name server's place */
	DESTINATION_REFUSED,  /* a rule forbids it */
	/* The worker's gate drops all packets to such an address, so a worker that asks for
	 * it is not in order. */
	DESTINATION_NEVER,
};

/* peer and port (host byte order) are as the guest named them; proto is as in
 * struct ipc_flow_open. Sets *to if FOUND; a group leads to itself. */
enum destination destination_find(const struct connector_rules *rules, uint8_t proto,
    const struct inaddr *peer, uint16_t port, union inaddr_sock *to);
