/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP forwards: at the sockets of their ports (port_table.h) new peers come. Each peer then has
 * a flow with a socket of its own at the same port (udp.h).
 *
 * A port whose guest has no known MAC waits: it leaves epoll(7), and datagrams stay in its
 * socket while the caller asks the guest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/inaddr.h"
#include "model/flow_key.h"
#include "slirp-worker/engine/port_table.h"

/* Ports are found by the guest's port in chains. With a forward of
 * all ports, 16 are in each. */
#define UDP_PORT_CHAINS 4096

/* A guest answers at once, if it has the address. Three requests, because one can be lost
 * behind a bridge. */
#define UDP_PORT_ASKS 3
#define UDP_PORT_ASK_MS 200

struct udp_ports {
	struct port_table *table; /* borrowed */
	/* Chains by next_by_guest: a place plus 1; 0: none. */
	uint32_t by_guest[UDP_PORT_CHAINS];
	/* For the guest's MAC; n_asked requests of a port went out, and at due_ms the next one
	 * or the end comes. */
	struct port_list waiting;
	/* The guest's address that was asked for last, and when. */
	struct inaddr asked;
	uint64_t asked_ms;
};

/* table is borrowed. */
void udp_ports_init(struct udp_ports *ports, struct port_table *table);

/* Begins to wait for peers of a port that is PORT_AWAY. Returns false if the kernel has no room
 * for it in epoll(7): it is tried again. */
bool udp_ports_begin(struct udp_ports *ports, struct port *port, uint64_t now_ms);

/* Takes out a port that is about to be closed. */
void udp_ports_end(struct udp_ports *ports, struct port *port);

/* The port, for any address of the host, that leads to the guest's end of a flow, or NULL. */
const struct port *udp_port_to_guest(const struct udp_ports *ports,
    const struct flow_key *key);

/* Begins to wait for the guest's MAC; the first request is due at once. */
void udp_port_wait(struct udp_ports *ports, struct port *port, uint64_t now_ms);

/* Ends the wait. */
void udp_port_go_on(struct udp_ports *ports, struct port *port);

/* When the next request is due; DEADLINE_NONE if no port waits. */
uint64_t udp_ports_due(const struct udp_ports *ports);
