/* FNV-1a (32 bits) of bytes, for tables whose keys need not withstand who chooses them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HASH_OFFSET_BASIS 2166136261u
#define HASH_PRIME 16777619u

static inline uint32_t
hash_bytes(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t hash = HASH_OFFSET_BASIS;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * HASH_PRIME;
	/* The low bits of FNV are its weakest. */
	return hash ^ hash >> 16;
}
