/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP part of relay.h: each peer of a port gets its own socket to the inner port, so
 * that libslirp and the guest can tell the peers apart.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/inaddr.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/gate/gate_flows.h"
#include "slirp-worker/pollset.h"

/* A peer is forgotten after this time without a datagram in either direction. libslirp
 * keeps its UDP sockets as long (src/udp.h, SO_EXPIRE). */
#define RELAY_UDP_IDLE_MS 240000

struct relay_udp_peer {
	union inaddr_sock address;
	int port_fd;      /* borrowed: the peer's destination */
	int fd;           /* owned; connected to the inner port */
	uint64_t last_ms; /* CLOCK_MONOTONIC, of the last datagram */
	int poll_index;
	struct flow_key flow; /* the guest may answer to fd */
};

struct relay_udp {
	/* The first n are in use; the budget may allow fewer than the array holds. If all
	 * are in use, the peer that has been silent longest is replaced. */
	struct relay_udp_peer peers[BUDGET_PEER_MAX];
	size_t n;
	size_t n_max;
	struct gate_flows *flows; /* borrowed */
};

void relay_udp_free(struct relay_udp *udp);

/* Carries a datagram from the port to the inner port. */
void relay_udp_receive(struct relay_udp *udp, int port_fd, const union inaddr_sock *inner,
    const union inaddr_sock *guest, uint64_t now_ms);

/* Forgets the peers of a port that is being closed. */
void relay_udp_forget_port(struct relay_udp *udp, int port_fd);

/* Returns when the next peer has been silent too long. */
uint64_t relay_udp_prepare_wait(struct relay_udp *udp, struct pollset *set);

/* Carries the guest's answers back, and forgets silent peers. */
void relay_udp_finish_wait(struct relay_udp *udp, const struct pollset *set,
    bool wait_failed, uint64_t now_ms);
