/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes keys of flows, and their keyed hash. */
#include "model/flow_key.h"

#include <assert.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

/* The hash reads words of 64 bits. */
#define N_WORDS 5

static_assert(sizeof(struct flow_key) == N_WORDS * sizeof(uint64_t), "no padding");

static uint64_t secret[2];

struct flow_key
flow_key_udp(uint16_t ethertype, const uint8_t *guest_address, uint16_t guest_port,
    uint16_t peer_port)
{
	struct flow_key key = {
		.guest_port = guest_port,
		.peer_port = peer_port,
		.ethertype = ethertype,
		.protocol = IPPROTO_UDP,
	};

	memcpy(key.guest_address, guest_address, ethertype == ETHERTYPE_IP ? 4 : 16);
	return key;
}

int
flow_key_make_secret(void)
{
	/* getrandom(2): a request for up to 256 bytes is not cut short. */
	return getrandom(secret, sizeof(secret), 0) == sizeof(secret) ? 0 : -1;
}

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
sip_compress(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	sip_round(v);
	v[0] ^= word;
}

/* SipHash-2-4 (Aumasson and Bernstein, 2012) over whole words in host byte order. */
uint64_t
flow_key_hash(const struct flow_key *key)
{
	uint64_t words[N_WORDS];
	uint64_t v[4] = {
		secret[0] ^ UINT64_C(0x736f6d6570736575),
		secret[1] ^ UINT64_C(0x646f72616e646f6d),
		secret[0] ^ UINT64_C(0x6c7967656e657261),
		secret[1] ^ UINT64_C(0x7465646279746573),
	};

	memcpy(words, key, sizeof(words));
	for (int i = 0; i < N_WORDS; i++)
		sip_compress(v, words[i]);
	/* The last word has the length in its highest byte. */
	sip_compress(v, (uint64_t)sizeof(words) << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
