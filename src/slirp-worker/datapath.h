/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path of a frame in both directions. From the guest: complete the checksums and
 * lengths that the kernel left to the device, pass the gate, reassemble fragments, enter
 * an engine. To the guest: fragment datagrams to the MTU, write to the TAP.
 */
#pragma once

#include "slirp-worker/worker.h"

/* Takes a frame that the TAP has read; the frame is borrowed and may be changed. */
void datapath_from_guest(struct worker *worker, uint8_t *frame, size_t frame_len);

/* To be called after each batch of frames: engines may have kept some until now. */
void datapath_end_batch(struct worker *worker);

/* Counts a frame that was written to the TAP of the worker (ctx): result is 0 or -1. */
void datapath_wrote_frame(void *ctx, int result, size_t frame_len);

/* Counts and logs a connection that the TCP engine of the worker (ctx) has refused because no
 * descriptor was free. */
void datapath_refused_tcp(void *ctx);

/* Counts and logs a UDP flow of the guest that has ended for a new one. */
void datapath_udp_gave_way(void *ctx);

/* Counts and logs a datagram of a new UDP flow: the guest has all that it may have. */
void datapath_udp_no_room(void *ctx);

/* Counts a flow of echo requests that got no socket because of a shortage. */
void datapath_refused_ping(void *ctx);

/* Counts and logs a UDP flow that got no socket because of a shortage. */
void datapath_refused_udp_socket(void *ctx);

/* Counts a datagram or echo request that was lost before its flow had a socket. */
void datapath_lost_waiting(void *ctx);

/* Sends a borrowed frame, of an engine or a refusal, to the guest of the worker (ctx). */
void datapath_to_guest(void *ctx, const uint8_t *frame, size_t frame_len);
