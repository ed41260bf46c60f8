/*
 * Big-endian integers at any address: what a packet's fields are read and written with,
 * since nothing in a frame is aligned.
 */
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
