/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The UDP engine: the table (udp.h) on sockets of the host and frames of the TAP.
 * udp_host.c     what the worker calls
 * udp_batch.c    puts the datagrams of a batch of frames together
 * udp_open.c     asks for sockets
 * udp_send.c     sends on them
 * udp_read.c     reads sockets
 * udp_receive.c  finds the flow and the headers of what was read
 * udp_error.c    reads their errors, and tells the guest
 * udp_frame.c    writes frames
 * udp_dns.c      gives DNS to the resolver, and takes its answers
 * udp_forward.c  uses the ports of forwards, and finds the guest's MAC
 */
#pragma once

#include "base/inaddr.h"
#include "ipc/messages.h"
#include "model/budget.h"
#include "slirp-worker/engine/asks.h"
#include "slirp-worker/engine/engine.h"
#include "slirp-worker/engine/udp/udp.h"
#include "slirp-worker/engine/udp/udp_batch.h"
#include "slirp-worker/engine/udp/udp_dns.h"
#include "slirp-worker/engine/udp/udp_port.h"
#include "slirp-worker/gate/gate.h"
#include "slirp-worker/gate/neigh.h"
#include "slirp-worker/poller.h"
#include "slirp-worker/tap/tapio.h"

struct udp_host {
	struct udp udp;
	struct udp_world world;
	struct udp_ports ports; /* of forwards */
	/* Borrowed. */
	struct asks *asks;
	const struct neigh *neigh;
	struct poller *poller;
	struct tapio *tap;
	void (*wrote_frame)(void *ctx, int result, size_t frame_len);
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	void (*gave_way)(void *ctx);
	void (*no_room)(void *ctx);
	void (*no_socket)(void *ctx);
	void (*lost)(void *ctx);
	void *ctx;

	struct udp_batch batch;
	struct ipc_network network;
	struct udp_dns dns;
	struct discovery_paths paths;
	bool has_offloads; /* of the TAP: the guest's kernel sums frames */
	bool has_uso;      /* and cuts datagrams off them */
	bool can_cut;      /* the host's kernel cuts runs */
	uint16_t ip_id;    /* of the next IPv4 packet */
	uint64_t now_ms;   /* at the last call of the worker */
};

/* What the engine needs of the worker; everything is borrowed. */
struct udp_host_config {
	const struct ipc_network *network;
	struct asks *asks; /* for sockets */
	struct hold *hold;
	struct poller *poller;
	struct tapio *tap;
	struct budget *budget;
	const struct neigh *neigh;
	struct ipc_channel *to_resolver;
	struct port_table *ports; /* of forwards */
	bool has_offloads, has_uso;
	/* Told of each frame: 0 or -1, and its length without the driver's header. */
	void (*wrote_frame)(void *ctx, int result, size_t frame_len);
	/* Takes a frame whose checksums are complete, of any length. */
	void (*to_guest)(void *ctx, const uint8_t *frame, size_t frame_len);
	/* Told of each flow of the guest that ends for a new one, and of each datagram that is
	 * lost because none may end. */
	void (*gave_way)(void *ctx);
	void (*no_room)(void *ctx);
	/* Told of each flow of the guest that is refused because of a shortage, and of each
	 * datagram that is lost because too many wait for a socket. */
	void (*no_socket)(void *ctx);
	void (*lost)(void *ctx);
	void *ctx;
};

/* Maps the memory; to be called before the jail. Returns 0, or -1 with errno set. host must
 * not move. */
int udp_host_init(struct udp_host *host, const struct udp_host_config *config);

/* Gives a datagram to the name server to the resolver. Returns false if it is lost. */
bool udp_host_ask_name(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame);

/* Takes a datagram that passed the gate and needs a socket. piece_len is that of the frame's
 * struct vnet_frame: the frame may hold several. The frame must stay until
 * udp_host_end_batch(), by which all is sent. */
void udp_host_from_guest(struct udp_host *host, const struct gate_frame *parsed,
    const uint8_t *frame, uint16_t piece_len, uint64_t now_ms);

/* Sends what has come since the last call. */
void udp_host_end_batch(struct udp_host *host);

/* udp_may_answer(): the guest may answer a forward's peer that it sees as the gateway, also
 * if the host's loopback is closed. self is the udp_host. */
bool udp_host_knows(void *self, const struct flow_key *key);

/* The engine's part of struct engine_ops; self is the udp_host. */
extern const struct engine_ops udp_host_engine;
