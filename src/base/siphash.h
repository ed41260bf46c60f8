/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed hash of 64 bits, for tables whose keys a
 * guest chooses, and for names of long texts. Words are read in host byte order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash {
	uint64_t v[4];
	uint8_t tail[8]; /* the first len % 8 bytes are not hashed yet */
	size_t len;      /* bytes that were added */
};

void siphash_begin(struct siphash *hash, const uint64_t secret[2]);

void siphash_add(struct siphash *hash, const void *bytes, size_t len);

/* Returns the hash. Nothing can be added after that. */
uint64_t siphash_end(struct siphash *hash);

/* The three together. */
uint64_t siphash(const uint64_t secret[2], const void *bytes, size_t len);
