/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker's questions to the connector for sockets. It answers them in their order. At most
 * IPC_FLOWS_ASKED_MAX are without an answer; the others wait here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/channel.h"

/* Twice as many as half-open connections of the TCP engine (TCP_OPENING_MAX): questions of flows
 * that have ended meanwhile wait among the others. */
#define ASKS_WAITING_MAX 2048

/* The functions of the engine that asks. */
struct asks_ops {
	/* Whether the flow still wants its socket. */
	bool (*is_wanted)(void *ctx, uint64_t flow);
	/* A flow that did not want it any more was not asked for. */
	void (*on_dropped)(void *ctx, uint64_t flow);
	/* The socket, which is adopted. The flow may be gone. */
	void (*on_opened)(void *ctx, uint64_t flow, int adopt_fd);
	/* There is none, because of this errno. The flow may be gone. */
	void (*on_refused)(void *ctx, uint64_t flow, int error);
};

struct asks {
	struct ipc_channel *channel; /* borrowed; to the connector */
	const struct asks_ops *ops;
	void *ctx;
	/* Rings: the questions without an answer, and those that wait. */
	uint64_t asked[IPC_FLOWS_ASKED_MAX];
	size_t first_asked, n_asked;
	struct ipc_flow_open waiting[ASKS_WAITING_MAX];
	size_t first_waiting, n_waiting;
};

/* Asks now or, after others, later. Returns 0, or -1 if too many wait. */
int asks_add(struct asks *asks, const struct ipc_flow_open *question);

/* Asks for those that wait, as far as the limit and the queue allow. */
void asks_send(struct asks *asks);

/* Handles the answers that have come, and asks for those that wait. Returns false if the connector
 * has closed the channel. A connector that breaks the protocol is fatal: slirpd then ends. */
bool asks_receive(struct asks *asks);
