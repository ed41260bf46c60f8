/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The header that a TAP with offloads puts before each frame (struct virtio_net_hdr,
 * linux/virtio_net.h; virtio 1.2, 5.1.6). In it the kernel says what it has left to the
 * worker. Pure functions over bytes. The header is little-endian, as the helper has
 * requested (TUNSETVNETLE).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/drop_reasons.h"
#include "ipc/messages.h"

#define VNET_HEADER_LEN IPC_TAP_OFFLOAD_HEADER_LEN

/* What the kernel says of a frame's TCP or UDP checksum. */
enum vnet_sum {
	VNET_SUM_UNKNOWN, /* complete; nobody has verified it */
	VNET_SUM_VALID,   /* complete and verified */
	VNET_SUM_OPEN,    /* the kernel left it out: the frame came from its own stack */
};

/* What the kernel says of a frame from the guest. */
struct vnet_frame {
	enum vnet_sum sum;
	/* The length of each UDP datagram's data but the last one's, if the frame may hold
	 * several; else 0. */
	uint16_t piece_len;
};

/* As many UDP datagrams can be in a frame from the guest: UDP_MAX_SEGMENTS of the kernel
 * (linux/udp.h) since Linux 6.9, and 64 before. */
#define VNET_PIECES_MAX 128

/* Completes a UDP checksum that the kernel left to the worker, also inside a tunnel over
 * UDP, and finds a TCP checksum that it left. Completes this too if the segment has URG:
 * the gate changes such a header, and updates only a complete checksum. Finds the
 * lengths of several UDP datagrams in the frame, whose checksum stays open. Checks every
 * field: the kernel copies fields that a guest wrote to a raw socket (PF_PACKET with
 * PACKET_VNET_HDR). False with *reason set if the frame must be dropped. */
bool vnet_accept(const uint8_t header[VNET_HEADER_LEN], uint8_t *frame, size_t frame_len,
    struct vnet_frame *out, enum ipc_drop_reason *reason);

/* Makes the header of a TCP frame from tcp_head_write() (wire/tcp_segment.h). head_len is
 * the length of its headers with Ethernet's. A frame with more data than a piece stands for
 * segments of that length. */
void vnet_mark_tcp(uint8_t header[VNET_HEADER_LEN], bool is_ip6, size_t head_len,
    size_t data_len, uint16_t piece);

/* Makes the header of a UDP frame whose checksum field has the sum of the pseudo header:
 * the guest's kernel completes it. l4_offset is that of UDP's header in the frame. A frame
 * with more data than a piece stands for datagrams of that length. */
void vnet_mark_udp(uint8_t header[VNET_HEADER_LEN], size_t l4_offset, size_t data_len,
    size_t piece_len);
