/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP of relay.h: each peer of a port gets a socket of its own towards the inner port, so
 * that libslirp, and the guest, know one from the other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/wire/address.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/gate/gate_flows.h"
#include "slirp-worker/pollset.h"

/* A peer that is silent for this long, in both directions, is forgotten: as long as
 * libslirp keeps a UDP socket of the guest's (src/udp.h, SO_EXPIRE). */
#define RELAY_UDP_IDLE_MS 240000

struct relay_udp_peer {
	union address address;
	int port_fd;      /* borrowed: the port that it sends to */
	int fd;           /* owned: connected to the inner port */
	uint64_t last_ms; /* CLOCK_MONOTONIC, of the last datagram */
	int poll_index;
	struct flow_key flow; /* the guest's way back to fd */
};

struct relay_udp {
	/* The first n, of which the budget may allow fewer. When all are taken, the one that has
	 * been silent longest gives way. */
	struct relay_udp_peer peers[BUDGET_PEER_MAX];
	size_t n;
	size_t n_max;
	struct gate_flows *flows; /* borrowed */
};

void relay_udp_free(struct relay_udp *udp);

/* Carries a datagram that came to the port on to the inner one, which leads to the guest's. */
void relay_udp_receive(struct relay_udp *udp, int port_fd, const union address *inner,
    const union address *guest, uint64_t now_ms);

/* Forgets the peers of a port that is being closed. */
void relay_udp_forget_port(struct relay_udp *udp, int port_fd);

void relay_udp_prepare_wait(struct relay_udp *udp, struct pollset *set,
    uint32_t *timeout_ms, uint64_t now_ms);

/* Carries back what the guest has answered, and forgets silent peers. */
void relay_udp_finish_wait(struct relay_udp *udp, const struct pollset *set,
    bool wait_failed, uint64_t now_ms);
