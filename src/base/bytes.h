/* SPDX-License-Identifier: BSD-2-Clause */
/* Integers at any address, for the fields of packets (big-endian) and of virtio headers
 * (little-endian). Nothing in a frame is aligned. */
#pragma once

#include <stdint.h>

static inline uint16_t
load_be16(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
load_be32(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void
store_be16(void *bytes, uint16_t value)
{
	uint8_t *b = bytes;

	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static inline void
store_be32(void *bytes, uint32_t value)
{
	uint8_t *b = bytes;

	b[0] = (uint8_t)(value >> 24);
	b[1] = (uint8_t)(value >> 16);
	b[2] = (uint8_t)(value >> 8);
	b[3] = (uint8_t)value;
}

static inline uint16_t
load_le16(const void *bytes)
{
	const uint8_t *b = bytes;

	return (uint16_t)(b[1] << 8 | b[0]);
}

static inline void
store_le16(void *bytes, uint16_t value)
{
	uint8_t *b = bytes;

	b[0] = (uint8_t)value;
	b[1] = (uint8_t)(value >> 8);
}
