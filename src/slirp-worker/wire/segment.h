/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a TCP segment, of either family. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/wire/wire.h"

/* The longest Ethernet, IPv4 or IPv6, and TCP header together. */
#define SEGMENT_HEAD_MAX (WIRE_ETH_LEN + WIRE_IP4_MAX_LEN + WIRE_TCP_MAX_LEN)

/* Offsets count from the frame's first byte. */
struct segment {
	bool is_ip6;
	size_t l4_offset;
	size_t data_offset;
	size_t data_len; /* by the IP header, without Ethernet's padding */
};

/* Whether the frame (borrowed) holds a whole TCP segment with consistent lengths. False
 * for a fragment, and for IPv6 with an extension header. Fills in *segment if true. */
bool segment_parse(const uint8_t *frame, size_t frame_len, struct segment *segment);
