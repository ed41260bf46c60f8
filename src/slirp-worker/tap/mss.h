/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maximum segment size option (RFC 9293 3.7.1): the most data that the other side may
 * put into a segment. Pure functions over the headers of a segment.
 */
#pragma once

#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* The bytes of data that fit an MTU after headers without options (RFC 9293 3.7.1). */
uint16_t mss_of_mtu(uint32_t mtu_bytes, bool is_ip6);

/* The option's value in bytes; 0 if there is none or the segment is not a SYN. */
uint16_t mss_get(const uint8_t *frame, const struct segment *segment);

/* Sets the option if mss_get() finds one, and updates the checksum. */
void mss_set(uint8_t *frame, const struct segment *segment, uint16_t mss_bytes);
