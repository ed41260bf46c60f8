/*
 * How a packet walks. From the guest: gate, and reassembly where it is a fragment, then
 * the stack. To the guest: noted by the gate, cut where it is too long, then the TAP.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Takes one frame from the TAP; frame is borrowed and may be changed. */
void packet_from_guest(struct worker *worker, uint8_t *frame, size_t frame_len);

/* Takes one frame of the stack's, or one of our own, for the guest. */
void packet_to_guest(struct worker *worker, const uint8_t *frame, size_t frame_len);
