/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Echo requests of the guest to hosts outside, of both families, on ping sockets of the
 * host's (icmp(7)): libslirp 4.7 sends none of IPv6, and takes a socket for every packet
 * of IPv4. Runs in the worker, behind the gate. A flow is what one ping(8) sends: one
 * socket, whose number the kernel puts in the place of the guest's identifier and we put
 * back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/pollset.h"
#include "slirp-worker/wire/wire.h"

/* A flow without a request for this long is over: answers take seconds at most, and a
 * guest that goes on asking gets a new one. */
#define PING_IDLE_MS 30000

struct ping_flow {
	int fd; /* owned */
	bool is_ip6;
	uint8_t ttl;                  /* of the last request, on its way out */
	uint8_t guest[IPC_ADDR6_LEN]; /* IPv4 in the first four bytes, then zeros */
	uint8_t host[IPC_ADDR6_LEN];
	uint8_t guest_mac[WIRE_MAC_LEN];
	uint8_t gateway_mac[WIRE_MAC_LEN]; /* whom the guest sends to */
	uint8_t id[2];                     /* the guest's, as on the wire */
	size_t l4_len;                     /* of the last request */
	uint64_t last_ms;                  /* CLOCK_MONOTONIC, of the last request */
	int poll_index;                    /* in the set of this wait; -1: none */
};

/* Takes one frame for the guest, borrowed for the call. */
typedef void ping_to_guest_fn(void *ctx, const uint8_t *frame, size_t frame_len);

struct ping {
	/* The first n_flows, of which the budget may allow fewer. When all are taken, the one
	 * that has gone longest without a request gives way. */
	struct ping_flow flows[BUDGET_PING_MAX];
	size_t n_flows;
	size_t n_flows_max;
	struct in_addr host4_be; /* the gateway, whose errors are ours */
	struct in6_addr host6;
	struct ipc_outbound outbound;
	ping_to_guest_fn *to_guest;
	void *ctx;
	uint16_t next_ip4_id; /* of answers, which may have to be cut */
	bool barred_was_told;
};

/* n_flows_max is from 1 to BUDGET_PING_MAX; the others are borrowed for the call but ctx. */
void ping_init(struct ping *ping, const struct ipc_network *network,
    const struct ipc_outbound *outbound, size_t n_flows_max, ping_to_guest_fn *to_guest,
    void *ctx);

/* After new outbound addresses, answers to earlier requests are lost. */
extern const struct engine_ops ping_engine;

/* Sends an echo request for which gate_check() said GATE_PING; borrowed for the call.
 * What can't be sent is answered with an ICMP error. */
void ping_request(struct ping *ping, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms);
