/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With the host's loopback closed, the UDP peers on it that a guest may answer: those
 * that sent to the guest first, through a host forward. A table of fixed size. A flow is
 * noted where a datagram is taken from a port, and ends with the port.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/flow/flow_key.h"

/*
 * 240 s is libslirp's life of an idle UDP socket (SO_EXPIRE), so a flow lasts as long as
 * with an outgoing socket. Only what comes from the host renews it: were the guest's
 * answers to count, a guest could hold on to a port after its owner had gone, and reach
 * whoever on the host gets that port next.
 */
#define GATE_FLOW_LIFE_MS 240000

/* 4096 flows, 128 kB: as many peers at once as a busy forwarded service has within the
 * life of a flow. A set is 8 wide, so that a set's first loss comes late. */
#define GATE_FLOW_SETS 512
#define GATE_FLOW_WAYS 8

/* A way back: flow_key_udp() of the guest and its peer. */
struct gate_flow {
	struct flow_key key;
	int port_fd;         /* a number that stands for the port that it came by */
	uint64_t expires_ms; /* 0: never used */
};

struct gate_flows {
	struct gate_flow sets[GATE_FLOW_SETS][GATE_FLOW_WAYS];
};

/* Records the flow or renews it, in the place of the set's oldest. */
void gate_flows_note(struct gate_flows *flows, const struct flow_key *key, int port_fd,
    uint64_t now_ms);

/* Closes the way back: nobody who gets the peer's port next is meant. */
void gate_flows_forget(struct gate_flows *flows, const struct flow_key *key);

/* The same for all that came by this port. Looks at the whole table. */
void gate_flows_forget_port(struct gate_flows *flows, int port_fd);

/* libslirp finds UDP sockets by the guest's address and port alone, so nothing less than
 * the whole key may match. */
bool gate_flows_find(const struct gate_flows *flows, const struct flow_key *key,
    uint64_t now_ms);
