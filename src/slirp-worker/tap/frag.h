/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cuts UDP and ICMP datagrams from the network stack into fragments that fit the guest's
 * interface. The stack knows only its own large MTU.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes one frame, borrowed for the call. false: stop. */
typedef bool frag_emit_fn(void *ctx, const uint8_t *frame, size_t frame_len);

/* Whether the frame holds an IP packet longer than mtu_bytes. */
bool frag_needed(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes);

/*
 * Passes the frame to emit() in fragments of at most mtu_bytes each, or unchanged if it
 * fits. IPv4 fragments carry the packet's own identification, IPv6 fragments carry id.
 * scratch must hold the Ethernet header and mtu_bytes. The MTU must hold the headers and
 * 8 bytes; for IPv6 it may be below the minimum of 1280.
 *
 * Returns the number of frames that emit() took, or -1 with nothing emitted if the frame
 * cannot be fragmented: TCP, Don't Fragment, an IPv6 extension header, inconsistent
 * lengths, or too small an MTU or scratch.
 */
int frag_split(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes,
    uint32_t id, uint8_t *scratch, size_t scratch_size, frag_emit_fn *emit, void *ctx);
