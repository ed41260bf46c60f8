/*
 * TCP segments longer than the guest's MTU, in both directions, without a word of it to
 * either side. The stack sends long ones, because it is told of a large MTU; the guest's
 * kernel takes them whole, because it is told into what pieces they would have to be cut.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/tcpflows.h"
#include "slirp-worker/vnet.h"

struct offload {
	bool is_on;         /* the TAP has offloads */
	uint32_t mtu_bytes; /* the interface's */
	struct tcpflows flows;
};

/* Takes one frame for the TAP in two parts, both borrowed for the call: the headers, with
 * the TAP's own before them, and the data behind them. */
typedef void offload_emit_fn(void *ctx, const uint8_t *headers, size_t headers_len,
    const uint8_t *data, size_t data_len);

void offload_init(struct offload *offload, bool tap_has_offloads, uint32_t mtu_bytes);

/* The MTU that the stack is to take for that of the guest's TCP. */
uint32_t offload_stack_mtu(const struct offload *offload);

/* Before the stack: what the guest says of itself in TCP's handshake is remembered, and
 * rewritten so that the stack sends long segments. */
void offload_from_guest(struct offload *offload, uint8_t *frame, size_t frame_len);

/* Behind the stack: hands a TCP segment to emit(), marked for the TAP. False, with nothing
 * done, for all other frames. */
bool offload_to_guest(struct offload *offload, const uint8_t *frame, size_t frame_len,
    offload_emit_fn *emit, void *ctx);
