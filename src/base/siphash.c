/* SPDX-License-Identifier: BSD-2-Clause */
/* SipHash-2-4. */
#include "base/siphash.h"

#include <string.h>

static uint64_t
rotate(uint64_t word, int n_bits)
{
	return word << n_bits | word >> (64 - n_bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void
compress(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

static void
compress_bytes(uint64_t v[4], const uint8_t bytes[8])
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	compress(v, word);
}

void
siphash_begin(struct siphash *hash, const uint64_t secret[2])
{
	*hash = (struct siphash){
		.v = {
			secret[0] ^ UINT64_C(0x736f6d6570736575),
			secret[1] ^ UINT64_C(0x646f72616e646f6d),
			secret[0] ^ UINT64_C(0x6c7967656e657261),
			secret[1] ^ UINT64_C(0x7465646279746573),
		},
	};
}

void
siphash_add(struct siphash *hash, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t n_tail = hash->len % sizeof(hash->tail);

	hash->len += len;
	while (n_tail > 0 && len > 0) {
		hash->tail[n_tail++] = *from++;
		len--;
		if (n_tail < sizeof(hash->tail))
			continue;
		compress_bytes(hash->v, hash->tail);
		n_tail = 0;
	}
	for (; len >= sizeof(hash->tail); len -= sizeof(hash->tail)) {
		compress_bytes(hash->v, from);
		from += sizeof(hash->tail);
	}
	/* Either the tail is empty, or nothing is left. */
	if (len > 0)
		memcpy(hash->tail, from, len);
}

uint64_t
siphash_end(struct siphash *hash)
{
	uint8_t last[8] = { 0 };
	uint64_t word;

	memcpy(last, hash->tail, hash->len % sizeof(hash->tail));
	memcpy(&word, last, sizeof(word));
	/* The last word has the length in its highest byte. */
	compress(hash->v, word | (uint64_t)hash->len << 56);
	hash->v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(hash->v);
	return hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

uint64_t
siphash(const uint64_t secret[2], const void *bytes, size_t len)
{
	struct siphash hash;

	siphash_begin(&hash, secret);
	siphash_add(&hash, bytes, len);
	return siphash_end(&hash);
}
