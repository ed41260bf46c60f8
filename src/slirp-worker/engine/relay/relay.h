/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP forwards between address families. A port of libslirp has one family, which must also
 * be the family of the guest's address (otherwise libslirp 4.7 fails an assertion). So
 * the relay opens a port of the other family itself. It passes the traffic over the
 * host's loopback to a port of libslirp, the inner port. The guest's peer is the gateway,
 * as for all traffic from the loopback. Runs in the worker.
 * relay.c      the ports
 * relay_udp.c  their peers
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/inaddr.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/relay/relay_udp.h"
#include "slirp-worker/engine/slirp/stack.h"
#include "slirp-worker/pollset.h"

struct relay_port {
	int fd; /* owned */
	union inaddr_sock host;
	union inaddr_sock inner; /* libslirp's port on the loopback */
	union inaddr_sock guest;
	int poll_index; /* in the current wait; -1: none */
};

struct relay {
	struct stack *stack;      /* borrowed */
	struct relay_port *ports; /* owned; in the order in which they were opened */
	size_t n_ports;
	size_t size; /* allocated */
	struct relay_udp udp;
};

/* All stay borrowed. If the loopback is closed to the guest, flows has the peers that it
 * may answer there. */
void relay_init(struct relay *relay, struct stack *stack, struct gate_flows *flows,
    struct budget *budget);

extern const struct engine_ops relay_engine;

/* Opens a port like stack_port_open(), for a host and a guest of different families.
 * Returns 0, or -1 with errno of the host's port; EAGAIN if the loopback has no free
 * port, ENETUNREACH without a loopback. */
int relay_open(struct relay *relay, const struct sockaddr *host,
    const struct sockaddr *guest);

/* Closes the port, and forgets its peers. */
void relay_close(struct relay *relay, const struct sockaddr *host);

/* The port that leads to this inner port, or NULL. Valid until ports change. */
const struct relay_port *relay_find_port(const struct relay *relay,
    const union inaddr_sock *inner);
