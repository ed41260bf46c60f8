/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP peers on the host's loopback that a guest may answer while the loopback is closed.
 * These peers sent to the guest first, through a forward. The table has a fixed size.
 * libslirp's read of a datagram adds a flow; the end of the port removes it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/flow/flow_key.h"

/* libslirp closes a UDP socket after 240 s without traffic (SO_EXPIRE); a flow lasts as
 * long. Only datagrams from the host renew a flow. If the guest's answers renewed it, a
 * guest could keep a port that its owner has closed, and reach the next process there. */
#define GATE_FLOW_LIFE_MS 240000

/* 4096 flows, 224 KiB: enough for the peers of a busy service within the lifetime of a
 * flow. Sets of 8 make it unlikely that a set overflows early. */
#define GATE_FLOW_SETS 512
#define GATE_FLOW_WAYS 8

/* The guest may answer this peer; the key is flow_key_udp() of the guest and its peer. */
struct gate_flow {
	struct flow_key key;
	int port_fd; /* descriptor number of the forwarded port, used as a name only */
	uint64_t expires_ms; /* 0: free */
};

struct gate_flows {
	struct gate_flow sets[GATE_FLOW_SETS][GATE_FLOW_WAYS];
};

/* Records the flow or renews it; replaces the oldest of its set. */
void gate_flows_note(struct gate_flows *flows, const struct flow_key *key, int port_fd,
    uint64_t now_ms);

/* Removes the flow: the next process that binds the peer's port must get no answers. */
void gate_flows_forget(struct gate_flows *flows, const struct flow_key *key);

/* Removes all flows of this port. Searches the whole table. */
void gate_flows_forget_port(struct gate_flows *flows, int port_fd);

/* The whole key must match: libslirp compares only the guest's address and port. */
bool gate_flows_find(const struct gate_flows *flows, const struct flow_key *key,
    uint64_t now_ms);
