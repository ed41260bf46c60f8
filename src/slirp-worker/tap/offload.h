/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles TCP segments longer than the guest's MTU, in both directions; neither side
 * notices. It merges the stack's consecutive segments. The guest's kernel takes the long
 * segment, because the header says into what pieces it could be cut.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/tap/merge.h"
#include "slirp-worker/tap/tcpflows.h"
#include "slirp-worker/tap/vnet.h"

/* Takes one frame for the TAP in two parts, borrowed for the call: the headers with the
 * TAP's own header before them, and the data. */
typedef void offload_emit_fn(void *ctx, const uint8_t *headers, size_t headers_len,
    const uint8_t *data, size_t data_len);

struct offload {
	bool is_on;         /* the TAP has offloads */
	uint32_t mtu_bytes; /* the interface's MTU */
	offload_emit_fn *emit;
	void *ctx;
	struct tcpflows flows;
	struct merge merge;
};

/* offload_to_guest() and offload_flush() pass segments to emit(ctx). */
void offload_init(struct offload *offload, bool tap_has_offloads, uint32_t mtu_bytes,
    offload_emit_fn *emit, void *ctx);

/* The MTU that the stack must use for the guest's TCP. */
uint32_t offload_stack_mtu(const struct offload *offload);

/* Call before the stack, after the gate: remembers the MSS of the guest's handshake. */
void offload_from_guest(struct offload *offload, const uint8_t *frame, size_t frame_len);

/* Call after the stack: takes a TCP segment, and passes it to emit() now, or at the
 * latest in offload_flush(). Segments keep their order. False for other frames, which the
 * caller must send. */
bool offload_to_guest(struct offload *offload, const uint8_t *frame, size_t frame_len);

/* Passes the held segment to emit(). */
void offload_flush(struct offload *offload);
