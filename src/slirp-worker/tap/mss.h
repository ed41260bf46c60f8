/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maximum segment size option (RFC 9293 3.7.1): how much data the other side may put
 * into a segment. Pure functions over a segment, of which only the headers must be there.
 */
#pragma once

#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* What fits an MTU, in bytes of data behind headers without options (RFC 9293 3.7.1). */
uint16_t mss_of_mtu(uint32_t mtu_bytes, bool is_ip6);

/* The option's value in bytes; 0 where there is none, and in segments without SYN, where
 * it would mean nothing. */
uint16_t mss_get(const uint8_t *frame, const struct segment *segment);

/* Sets the option where mss_get() finds one; the checksum follows. */
void mss_set(uint8_t *frame, const struct segment *segment, uint16_t mss_bytes);
