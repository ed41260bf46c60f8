/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer that has connected to a forward, and how the guest sees it: by its own address, or
 * as the gateway. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "base/mac.h"
#include "ipc/messages.h"
#include "model/flow_key.h"
#include "slirp-worker/gate/neigh.h"

/* A connection that was accepted, and is not in the machine's table yet. */
struct peer_incoming {
	struct inaddr peer, guest;
	uint16_t peer_port, guest_port; /* host byte order */
	uint32_t rule;                  /* id of the forward */
	int fd;                         /* owned */
};

/* Keys that a connection may have: the first, then the gateway with other ports. A guest
 * that has hundreds of connections of the gateway leaves most of 64,512 ports free. */
#define PEER_KEYS 9

/* Ports from here on need no privilege (net.ipv4.ip_unprivileged_port_start). Some servers
 * trust lower ones. */
#define PEER_PORT_MIN 1024

/* Takes the peer from accept(2). An IPv4 address in IPv6 (::ffff:a.b.c.d) becomes IPv4. */
void peer_take(struct peer_incoming *incoming, const union inaddr_sock *peer);

/* Whether the guest can answer the peer's own address: the gate lets the answer pass, and
 * the guest sends it to the gateway's MAC. */
bool peer_is_reachable(const struct ipc_network *network,
    const struct peer_incoming *incoming);

/* The key with this number, below PEER_KEYS. The first has the peer's own port, and its
 * own address if the guest can reach it. */
struct flow_key peer_key(const struct ipc_network *network,
    const struct peer_incoming *incoming, unsigned int number);

/* Writes the gateway's request for the MAC of the guest's address; returns its length. */
size_t peer_write_request(const struct ipc_network *network, const struct inaddr *guest,
    uint8_t out[NEIGH_REQUEST_MAX]);
