/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface between the worker and its engines, which end the guest's flows on sockets of
 * the host: echo requests (ping), TCP and UDP; and libslirp (stack), which answers by
 * itself. The worker keeps the engines in an array; its loop calls them only through
 * this interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* The functions of an engine. NULL: the engine does not need the call. */
struct engine_ops {
	/* Before a wait. Returns when the engine is due without an event
	 * (base/deadline.h). */
	uint64_t (*prepare)(void *self, uint64_t now_ms);
	/* After the wait: serves the sockets that are ready (poller.h), and ends idle
	 * flows. */
	void (*finish)(void *self, uint64_t now_ms);
	/* Ends all flows and frees what the engine owns. */
	void (*free)(void *self);
};

struct engine {
	const struct engine_ops *ops;
	void *self; /* owned through ops->free */
};

/* The engines: stack, ping, tcp_forward, tcp_host, udp_host. */
#define ENGINES_MAX 5

/* In the order of the calls. */
struct engines {
	struct engine list[ENGINES_MAX];
	size_t n;
};

/* The caller must add at most ENGINES_MAX. */
void engines_add(struct engines *engines, const struct engine_ops *ops, void *self);

/* Each calls the function in every engine that has one. */
uint64_t engines_prepare(const struct engines *engines, uint64_t now_ms);
void engines_finish(const struct engines *engines, uint64_t now_ms);

/* Frees the engines in reverse order. */
void engines_free(struct engines *engines);
