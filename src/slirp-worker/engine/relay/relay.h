/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwards between the address families. A port of libslirp's has one family, that of the
 * guest's address too (libslirp 4.7 ends in an assertion else). So a port of the other
 * family is a socket of ours, and what comes to it goes on, over the host's loopback, to a
 * port that libslirp has there: an inner port. The guest's peer is the gateway, as it is
 * for everything that comes from the loopback. Runs in the worker.
 * relay.c      the ports
 * relay_tcp.c  connections that came to them
 * relay_udp.c  peers that sent to them
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "slirp-worker/wire/address.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/pollset.h"
#include "slirp-worker/engine/relay/relay_tcp.h"
#include "slirp-worker/engine/relay/relay_udp.h"
#include "slirp-worker/engine/slirp/stack.h"

struct relay_port {
	int fd; /* owned */
	uint8_t proto;
	union address host;
	union address inner; /* libslirp's port on the loopback */
	union address guest;
	int poll_index; /* in the set of this wait; -1: none */
};

struct relay {
	struct stack *stack;      /* borrowed */
	struct relay_port *ports; /* owned; in the order in which they were opened */
	size_t n_ports;
	size_t size;  /* room */
	size_t first; /* at which one is accepted next: those before it had their turn */
	struct relay_tcp tcp;
	struct relay_udp udp;
};

/* All stay the caller's. Where the loopback is closed to the guest, flows are what it may
 * answer on it. */
void relay_init(struct relay *relay, struct stack *stack, struct gate_flows *flows,
    struct budget *budget);

extern const struct engine_ops relay_engine;

/* Opens a port, as stack_port_open() does, but for a host and a guest of different
 * families. Returns 0, or -1 with errno as the kernel said of the host's port; where the
 * loopback has no port left it is EAGAIN, and without a loopback ENETUNREACH. */
int relay_open(struct relay *relay, uint8_t proto, const struct sockaddr *host,
    const struct sockaddr *guest);

/* Closes the port. Connections that came in by it go on; UDP peers are forgotten. */
void relay_close(struct relay *relay, uint8_t proto, const struct sockaddr *host);

/* The port that leads to that inner port, valid until the next change of ports; NULL if
 * there is none. */
const struct relay_port *relay_find_port(const struct relay *relay, uint8_t proto,
    const union address *inner);
