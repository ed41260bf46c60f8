/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header that a TAP with offloads puts before each frame (struct virtio_net_hdr,
 * linux/virtio_net.h; virtio 1.2, 5.1.6): in it the kernel says what it left undone, and
 * we do. Pure functions over bytes. Its numbers are little-endian, as the helper has asked
 * for (TUNSETVNETLE).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/drop_reasons.h"
#include "ipc/messages.h"
#include "slirp-worker/wire/segment.h"

#define VNET_HEADER_LEN IPC_TAP_OFFLOAD_HEADER_LEN

/*
 * Takes a frame from the TAP and completes its TCP or UDP checksum, or that of what
 * is in a tunnel over UDP, if that was left to us. The kernel makes the header, out of what a guest may have put into a raw socket's
 * (PF_PACKET with PACKET_VNET_HDR), so nothing in it is believed. False with *reason set
 * for a frame to be dropped.
 */
bool vnet_accept(const uint8_t header[VNET_HEADER_LEN], uint8_t *frame, size_t frame_len,
    enum ipc_drop_reason *reason);

/*
 * Makes the header for a segment to the guest, whose checksum is left to the kernel: the
 * frame's own becomes the sum of the pseudo header. Of the frame, the headers must be
 * there. gso_size_bytes is the length of the pieces that the segment would be cut into if
 * it ever had to leave the kernel's hands, or 0 where it is one piece.
 */
void vnet_mark(uint8_t header[VNET_HEADER_LEN], uint8_t *frame,
    const struct segment *segment, uint16_t gso_size_bytes);
