/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a frame in both directions. From the guest: complete the checksums and lengths that
 * the kernel left to the device, pass the gate, reassemble fragments, enter an engine. To the
 * guest: merge TCP segments, cut other datagrams to the MTU, write to the TAP.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Takes the frame that the TAP has just read; it is borrowed and may be changed. */
void datapath_from_guest(struct worker *worker, uint8_t *frame, size_t frame_len);

/* Takes a frame of an engine's or a refusal for the worker's (ctx) guest; borrowed. */
void datapath_to_guest(void *ctx, const uint8_t *frame, size_t frame_len);

/* Writes a segment that comes out of the worker's (ctx) offload. */
void datapath_emit_segment(void *ctx, const uint8_t *head, size_t head_len,
    const uint8_t *data, size_t data_len);
