/*
 * How a packet walks. From the guest: what the kernel left undone is done, then gate, and
 * reassembly where it is a fragment, then the stack. To the guest: merged and marked where
 * it is TCP, cut where it is something else and too long, then the TAP.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Takes the frame that the TAP has just read; it is borrowed and may be changed. */
void packet_from_guest(struct worker *worker, uint8_t *frame, size_t frame_len);

/* Takes one frame of the stack's, or one of our own, for the guest. */
void packet_to_guest(struct worker *worker, const uint8_t *frame, size_t frame_len);

/* Writes a segment that comes out of the worker's (ctx) offload. */
void packet_emit_segment(void *ctx, const uint8_t *head, size_t head_len,
    const uint8_t *data, size_t data_len);
