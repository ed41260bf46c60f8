/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends the guest's echo requests to outside hosts on ping sockets of the host (icmp(7)),
 * for both families. libslirp 4.7 sends no IPv6 requests, and opens a socket for every
 * IPv4 packet. Runs in the worker, after the gate. A flow is the requests of one ping(8):
 * it has one socket. The kernel replaces the guest's identifier by the socket's, and
 * ping.c restores it.
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

/* A flow ends after this time without a request. Answers take seconds at most, and the
 * guest's next request makes a new flow. */
#define PING_IDLE_MS 30000

struct ping_flow {
	int fd;      /* owned */
	uint8_t ttl; /* outgoing, of the last request */
	struct inaddr guest;
	struct inaddr host; /* of the same family */
	uint8_t guest_mac[WIRE_MAC_LEN];
	uint8_t gateway_mac[WIRE_MAC_LEN]; /* destination of the guest's frames */
	uint8_t id[2];                     /* the guest's identifier, as in the packet */
	size_t l4_len;                     /* of the last request */
	uint64_t last_ms;                  /* CLOCK_MONOTONIC, of the last request */
	int poll_index;                    /* in the current wait; -1: none */
};

/* Takes one frame for the guest, borrowed for the call. */
typedef void ping_to_guest_fn(void *ctx, const uint8_t *frame, size_t frame_len);

struct ping {
	/* The first n_flows are in use; the budget may allow fewer than the array holds.
	 * If all are in use, the flow with the oldest request is replaced. */
	struct ping_flow flows[BUDGET_PING_MAX];
	size_t n_flows;
	size_t n_flows_max;
	struct in_addr host4_be; /* the gateway: source of the worker's own errors */
	struct in6_addr host6;
	struct ipc_outbound outbound;
	ping_to_guest_fn *to_guest;
	void *ctx;
	uint16_t next_ip4_id; /* of answers, which may need fragmentation */
	bool barred_was_told;
};

/* n_flows_max is from 1 to BUDGET_PING_MAX. Only ctx stays borrowed after the call. */
void ping_init(struct ping *ping, const struct ipc_network *network,
    const struct ipc_outbound *outbound, size_t n_flows_max, ping_to_guest_fn *to_guest,
    void *ctx);

/* set_outbound() ends all flows, so answers to earlier requests are lost. */
extern const struct engine_ops ping_engine;

/* Sends an echo request for which gate_check() returned GATE_PING; borrowed for the call.
 * If it cannot be sent, answers with an ICMP error. */
void ping_request(struct ping *ping, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms);
