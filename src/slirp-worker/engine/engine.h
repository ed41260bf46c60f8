/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between the worker and its engines, which end the guest's flows on sockets of the host:
 * libslirp (stack), echo (ping), and forwards between the address families (relay). The worker
 * keeps them in an array; its loop knows none of them by name.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/pollset.h"

/* The functions of one engine. NULL: the engine does not need the call. */
struct engine_ops {
	/* Sets the time (CLOCK_MONOTONIC) that counts until the next call. */
	void (*set_time)(void *self, int64_t now_ns);
	/* Before a wait: adds sockets to the set, and shortens *timeout_ms, which comes in as
	 * the limit of the engines before (UINT32_MAX: none). */
	void (*prepare)(void *self, struct pollset *set, uint32_t *timeout_ms,
	    uint64_t now_ms);
	/* After the wait: serves the sockets that are ready, and ends idle flows. wait_failed:
	 * the set says nothing. */
	void (*finish)(void *self, const struct pollset *set, bool wait_failed,
	    uint64_t now_ms);
	/* Sends what waited for a frame of the guest that has come since. */
	void (*go_on)(void *self);
	/* Binds new sockets to these addresses. */
	void (*set_outbound)(void *self, const struct ipc_outbound *outbound);
	/* Ends all flows and frees what the engine owns. */
	void (*free)(void *self);
};

struct engine {
	const struct engine_ops *ops;
	void *self; /* owned through ops->free */
};

/* As many as there are: the stack, ping, relay. */
#define ENGINES_MAX 3

/* Engines in the order in which they are called. */
struct engines {
	struct engine list[ENGINES_MAX];
	size_t n;
};

/* The caller adds ENGINES_MAX at most. */
void engines_add(struct engines *engines, const struct engine_ops *ops, void *self);

/* Each calls the function of every engine that has it. */
void engines_set_time(const struct engines *engines, int64_t now_ns);
void engines_prepare(const struct engines *engines, struct pollset *set,
    uint32_t *timeout_ms, uint64_t now_ms);
void engines_finish(const struct engines *engines, const struct pollset *set,
    bool wait_failed, uint64_t now_ms);
void engines_go_on(const struct engines *engines);
void engines_set_outbound(const struct engines *engines,
    const struct ipc_outbound *outbound);

/* Frees the engines, the last first: a relay closes ports of the stack. */
void engines_free(struct engines *engines);
