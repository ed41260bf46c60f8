/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes keys of flows, and their keyed hash. */
#include "model/flow_key.h"

#include <assert.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>

#include "base/siphash.h"

static_assert(sizeof(struct flow_key) == 40, "no padding, which would be hashed");

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

uint64_t
flow_key_hash(const struct flow_key *key)
{
	return siphash(secret, key, sizeof(*key));
}
