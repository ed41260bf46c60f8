/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP segments longer than the guest's MTU, in both directions, without a word of it to
 * either side. What the stack sends in a row is merged, and the guest's kernel takes it
 * whole, because it is told into what pieces it would have to be cut.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/tap/merge.h"
#include "slirp-worker/tap/tcpflows.h"
#include "slirp-worker/tap/vnet.h"

/* Takes one frame for the TAP in two parts, both borrowed for the call: the headers, with
 * the TAP's own before them, and the data behind them. */
typedef void offload_emit_fn(void *ctx, const uint8_t *headers, size_t headers_len,
    const uint8_t *data, size_t data_len);

struct offload {
	bool is_on;         /* the TAP has offloads */
	uint32_t mtu_bytes; /* the interface's */
	offload_emit_fn *emit;
	void *ctx;
	struct tcpflows flows;
	struct merge merge;
};

/* emit(ctx) is where segments go that have been through here. */
void offload_init(struct offload *offload, bool tap_has_offloads, uint32_t mtu_bytes,
    offload_emit_fn *emit, void *ctx);

/* The MTU that the stack is to take for that of the guest's TCP. */
uint32_t offload_stack_mtu(const struct offload *offload);

/* Before the stack: what the guest says of itself in TCP's handshake is remembered. The
 * frame is one that the gate has passed. */
void offload_from_guest(struct offload *offload, const uint8_t *frame, size_t frame_len);

/* Behind the stack: takes a TCP segment, which comes out of emit() now or at the latest
 * with offload_flush(). False for all other frames, which are the caller's. Whatever comes
 * out does so in the order in which it came in. */
bool offload_to_guest(struct offload *offload, const uint8_t *frame, size_t frame_len);

/* Hands out what still waits for more. */
void offload_flush(struct offload *offload);
