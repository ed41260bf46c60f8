/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers TCP connections, in a hash table whose rows are lists in order of use.
 *
 * If a guest makes connections that share a row, only its own connections get slower.
 */
#include "slirp-worker/tap/tcpflows.h"

#include <assert.h>
#include <string.h>

/* 2^64 divided by the golden ratio, made odd: it spreads neighbouring ports. */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL
#define HASH_BITS 10

static_assert(TCPFLOWS_ROWS == 1 << HASH_BITS, "a row for every hash");
static_assert(sizeof(struct tcpflow_key) == 36, "no padding in a key");

static void
put_address(uint8_t address[16], const uint8_t *frame, bool is_ip6, size_t offset)
{
	if (is_ip6) {
		memcpy(address, frame + WIRE_ETH_LEN + offset, 16);
		return;
	}
	memset(address, 0, 10);
	memset(address + 10, 0xff, 2);
	memcpy(address + 12, frame + WIRE_ETH_LEN + offset, 4);
}

struct tcpflow_key
tcpflow_key(const uint8_t *frame, const struct segment *segment, bool from_guest)
{
	const uint8_t *tcp = frame + segment->l4_offset;
	bool is_ip6 = segment->is_ip6;
	size_t src = is_ip6 ? WIRE_IP6_SRC : WIRE_IP4_SRC;
	size_t dst = is_ip6 ? WIRE_IP6_DST : WIRE_IP4_DST;
	struct tcpflow_key key;

	put_address(key.guest, frame, is_ip6, from_guest ? src : dst);
	put_address(key.peer, frame, is_ip6, from_guest ? dst : src);
	memcpy(key.ports_be, tcp + (from_guest ? WIRE_TCP_SRC_PORT : WIRE_TCP_DST_PORT),
	    2);
	memcpy(key.ports_be + 2,
	    tcp + (from_guest ? WIRE_TCP_DST_PORT : WIRE_TCP_SRC_PORT), 2);
	return key;
}

static struct tcpflow *
row_of(struct tcpflows *flows, const struct tcpflow_key *key)
{
	uint64_t words[4], hash;
	uint32_t ports;

	memcpy(words, key, sizeof(words));
	memcpy(&ports, key->ports_be, sizeof(ports));
	hash = ports * HASH_FACTOR;
	for (int i = 0; i < 4; i++)
		hash = (hash ^ words[i]) * HASH_FACTOR;
	return flows->rows[hash >> (64 - HASH_BITS)];
}

/* Moves the entries before i up by one; entry i is lost, and the first is free. */
static void
row_move_up(struct tcpflow *row, int i)
{
	memmove(row + 1, row, (size_t)i * sizeof(*row));
}

/* Moves the connection to the front of its row, if it is there. */
static bool
row_find(struct tcpflow *row, const struct tcpflow_key *key)
{
	for (int i = 0; i < TCPFLOWS_ROW_LEN && row[i].mss_bytes != 0; i++) {
		struct tcpflow found = row[i];

		if (memcmp(&found.key, key, sizeof(*key)) != 0)
			continue;
		row_move_up(row, i);
		row[0] = found;
		return true;
	}
	return false;
}

uint16_t
tcpflows_get(struct tcpflows *flows, const struct tcpflow_key *key)
{
	struct tcpflow *row = row_of(flows, key);

	return row_find(row, key) ? row[0].mss_bytes : 0;
}

void
tcpflows_set(struct tcpflows *flows, const struct tcpflow_key *key, uint16_t mss_bytes)
{
	struct tcpflow *row = row_of(flows, key);

	if (!row_find(row, key))
		row_move_up(row, TCPFLOWS_ROW_LEN - 1);
	row[0] = (struct tcpflow){ .key = *key, .mss_bytes = mss_bytes };
}
