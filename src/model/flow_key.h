/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key of a flow in tables, and its hash. A guest chooses addresses and
 * ports; the hash is keyed (SipHash-2-4), so that a guest cannot fill one row of a table.
 */
#pragma once

#include <net/ethernet.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/inaddr.h"

/* Fields that a table does not use are 0. Addresses are in network byte order (IPv4 in
 * the first four bytes, then zeros), ports in host order. Compared and hashed as
 * bytes. */
struct flow_key {
	uint8_t guest_address[16];
	uint8_t peer_address[16];
	uint16_t guest_port;
	uint16_t peer_port;
	uint16_t ethertype; /* ETHERTYPE_IP or _IPV6 */
	uint16_t protocol;  /* IPPROTO_... */
};

/* The key of a UDP flow without the peer's address, which the caller adds, or of an end of
 * the guest with peer_port 0. guest_address (4 or 16 bytes) is borrowed. */
struct flow_key flow_key_udp(uint16_t ethertype, const uint8_t *guest_address,
    uint16_t guest_port, uint16_t peer_port);

/* Makes the secret of this process, 0 until then. Returns 0, or -1 with errno set. */
int flow_key_make_secret(void);

uint64_t flow_key_hash(const struct flow_key *key);

static inline bool
flow_key_is_ip6(const struct flow_key *key)
{
	return key->ethertype == ETHERTYPE_IPV6;
}

static inline struct inaddr
flow_key_guest(const struct flow_key *key)
{
	return inaddr_from_bytes(key->guest_address, flow_key_is_ip6(key));
}

static inline struct inaddr
flow_key_peer(const struct flow_key *key)
{
	return inaddr_from_bytes(key->peer_address, flow_key_is_ip6(key));
}
