/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends the guest's echo requests to outside hosts on ping sockets of the host (icmp(7)),
 * for both families. Runs in the worker, after the gate. A flow is the requests of one
 * ping(8) to one host: it has one socket, connected to the host. The kernel replaces the
 * guest's identifier by the socket's, and ping.c restores it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/asks.h"
#include "slirp-worker/engine/discovery.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/hold.h"
#include "model/flow_table.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/poller.h"
#include "slirp-worker/wire/wire.h"

/* A flow ends after this time without a request. Answers take seconds at most, and the
 * guest's next request makes a new flow. */
#define PING_IDLE_MS 30000

/* A flow whose requests have had no answer for so long gets a new socket: the source address
 * of the old one may have left the host, and IPv6 goes on to send from it. An answer that
 * takes longer is lost. */
#define PING_SILENT_MS 5000

struct ping_flow {
	struct flow_link
	    link; /* the first member; guest_port is the guest's identifier */
	TAILQ_ENTRY(ping_flow) aged;
	uint64_t last_ms;       /* CLOCK_MONOTONIC, of the last request */
	uint64_t asked_ms;      /* of the first request since the last answer; 0: none */
	int fd;                 /* owned; -1: asked for */
	struct hold_queue held; /* requests that wait for the socket */
	struct inaddr to;       /* the host that is asked, if there is a socket */
	uint16_t l4_len;        /* of the last request, bytes */
	uint8_t ttl;            /* outgoing, of the last request; 0: as the host has it */
	struct discovery discovery;
	uint8_t guest_mac[WIRE_MAC_LEN];
	uint8_t gateway_mac[WIRE_MAC_LEN]; /* destination of the guest's frames */
};

TAILQ_HEAD(ping_flows, ping_flow);

/* Takes one frame for the guest, borrowed for the call. */
typedef void ping_to_guest_fn(void *ctx, const uint8_t *frame, size_t frame_len);

struct ping {
	/* If the table is full, a new flow takes the place of the one with the oldest
	 * request. */
	struct flow_table flows;
	struct ping_flows aged;  /* the one with the oldest request is first */
	struct in_addr host4_be; /* the gateway: source of the worker's own errors */
	struct in6_addr host6;
	/* Borrowed. */
	struct asks *asks;
	struct hold *hold;
	struct poller *poller;
	ping_to_guest_fn *to_guest;
	void (*lost)(void *ctx);
	void (*no_socket)(void *ctx);
	void *ctx;
	struct discovery_paths paths;
	uint16_t next_ip4_id; /* of answers, which may need fragmentation */
};

/* What the engine needs of the worker; everything is borrowed. */
struct ping_config {
	const struct ipc_network *network;
	struct asks *asks; /* for sockets */
	struct hold *hold;
	struct poller *poller;
	uint32_t n_flows_max; /* at least 1 */
	ping_to_guest_fn *to_guest;
	/* Told of each request that is lost because too many wait for a socket. */
	void (*lost)(void *ctx);
	/* Told of each flow that is refused because of a shortage. */
	void (*no_socket)(void *ctx);
	void *ctx;
};

/* Maps the memory; to be called before the jail. Returns 0, or -1 with errno set. ping must
 * not move. */
int ping_init(struct ping *ping, const struct ping_config *config);

extern const struct engine_ops ping_engine;

/* Sends an echo request for which gate_check() returned GATE_PING; borrowed for the call.
 * If it cannot be sent, the guest gets an ICMP error. */
void ping_request(struct ping *ping, const uint8_t *frame,
    const struct gate_frame *parsed, uint64_t now_ms);

/* The next live flow, as flow_table_next() has it. */
const struct ping_flow *ping_next(const struct ping *ping, const struct ping_flow *flow);

static inline bool
ping_is_ip6(const struct ping_flow *flow)
{
	return flow_key_is_ip6(&flow->link.key);
}
