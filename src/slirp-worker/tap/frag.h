/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cuts UDP and ICMP datagrams from the network stack, which knows only its own large
 * MTU, into fragments that fit the guest's interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes one frame, borrowed for the call. false: the rest would be in vain. */
typedef bool frag_emit_fn(void *ctx, const uint8_t *frame, size_t frame_len);

/* Whether the frame holds an IP packet longer than mtu_bytes. */
bool frag_needed(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes);

/*
 * Hands the frame to emit() in fragments of at most mtu_bytes each, or as it is when it
 * fits. IPv4 fragments carry the packet's own identification, IPv6 ones carry id. scratch
 * must have room for the Ethernet header and mtu_bytes. Any MTU that leaves room for the
 * headers and 8 bytes will do, for IPv6 also below its minimum of 1280.
 *
 * Returns the number of frames that emit() took, or -1 with nothing emitted when the
 * frame can't be cut: TCP, Don't Fragment, an IPv6 extension header, lengths that don't
 * add up, too small an MTU or scratch.
 */
int frag_split(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes,
    uint32_t id, uint8_t *scratch, size_t scratch_size, frag_emit_fn *emit, void *ctx);
