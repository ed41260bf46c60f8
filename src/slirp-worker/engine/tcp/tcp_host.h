/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP engine: the machine (tcp.h) on sockets of the host and frames of the TAP.
 */
#pragma once

#include "base/mac.h"
#include "ipc/messages.h"
#include "model/budget.h"
#include "slirp-worker/engine/asks.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/tcp/tcp.h"
#include "slirp-worker/poller.h"
#include "slirp-worker/tap/tapio.h"

struct tcp_host {
	struct tcp tcp;
	struct tcp_world world;
	/* Borrowed. */
	struct asks *asks;
	struct poller *poller;
	struct tapio *tap;
	struct budget *budget;
	void (*wrote_frame)(void *ctx, int result, size_t frame_len);
	void (*no_descriptor)(void *ctx);
	void *ctx;

	struct ipc_network network;
	bool has_offloads; /* of the TAP: the guest's kernel cuts frames, and sums them */
	uint16_t ip_id;    /* of the next IPv4 packet */
};

/* What the engine needs of the worker; everything is borrowed. */
struct tcp_host_config {
	const struct ipc_network *network;
	struct asks *asks; /* for the sockets */
	struct poller *poller;
	struct tapio *tap;
	struct budget *budget;
	bool has_offloads;
	/* The MAC of the guest's interface; NULL: it gets no frames above 65535 bytes. */
	const struct mac *guest_mac;
	/* Told of each frame: 0 or -1 with errno, and its length without the driver's
	 * header. */
	void (*wrote_frame)(void *ctx, int result, size_t frame_len);
	/* Told of each connection of the guest that is refused because no descriptor is
	 * free. */
	void (*no_descriptor)(void *ctx);
	void *ctx;
};

/* Maps the memory; to be called before the jail. Returns 0, or -1 with errno set. host must
 * not move. */
int tcp_host_init(struct tcp_host *host, const struct tcp_host_config *config);

/* The engine's part of struct engine_ops; self is the tcp_host. */
extern const struct engine_ops tcp_host_engine;
