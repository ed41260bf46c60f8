/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a flow, by which the worker remembers it, and the hash that its tables use. The
 * hash is keyed (SipHash-2-4), because a guest chooses addresses and ports: without the key it
 * could fill one row of a table.
 */
#pragma once

#include <stdint.h>

/* What does not count in a table is 0. Addresses are in network order (IPv4 in the first four
 * bytes, then zeros), ports in host order. Compared and hashed as bytes. */
struct flow_key {
	uint8_t guest_address[16];
	uint8_t peer_address[16];
	uint16_t guest_port;
	uint16_t peer_port;
	uint16_t ethertype; /* WIRE_TYPE_IP4 or _IP6 */
	uint16_t protocol;  /* IPPROTO_... */
};

/* A UDP flow without its peer's address: libslirp finds its UDP sockets by the guest's address
 * and port alone. guest_address has 4 or 16 bytes, is borrowed, in network order. */
struct flow_key flow_key_udp(uint16_t ethertype, const uint8_t *guest_address,
    uint16_t guest_port, uint16_t peer_port);

/* Makes the secret of this process. Before it, all hashes are those of a secret of zeros.
 * Returns 0, or -1 with errno set. */
int flow_key_make_secret(void);

uint64_t flow_key_hash(const struct flow_key *key);
