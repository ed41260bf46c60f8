/*
 * The UDP peers on the host's loopback that a guest may answer: a set-associative table,
 * and how it learns from the frames that the stack sends.
 */
#include "slirp-worker/gate_flows.h"

#include "base/bytes.h"
#include "slirp-worker/gate.h"
#include "slirp-worker/gate_dhcp.h"
#include "slirp-worker/wire.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* Keys are compared and hashed as bytes. */
static_assert(sizeof(struct gate_flow_key) == 22, "no padding in a key");

/* FNV-1a (32 bits). The hash need not withstand a guest: flows are made by processes on
 * the host, and what a full set costs is its oldest flow. */
#define FNV_OFFSET_BASIS 2166136261u
#define FNV_PRIME 16777619u

static unsigned int
set_of(const struct gate_flow_key *key)
{
	const uint8_t *bytes = (const uint8_t *)key;
	uint32_t hash = FNV_OFFSET_BASIS;

	for (size_t i = 0; i < sizeof(*key); i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	/* The low bits of FNV are its weakest. */
	return (hash ^ hash >> 16) % GATE_FLOW_SETS;
}

static bool
flow_is(const struct gate_flow *flow, const struct gate_flow_key *key)
{
	return memcmp(&flow->key, key, sizeof(*key)) == 0;
}

struct gate_flow_key
gate_flow_key(uint16_t ethertype, const uint8_t *guest_address, uint16_t guest_port,
    uint16_t peer_port)
{
	struct gate_flow_key key = {
		.guest_port = guest_port,
		.peer_port = peer_port,
		.ethertype = ethertype,
	};

	memcpy(key.guest_address, guest_address, ethertype == WIRE_TYPE_IP4 ? 4 : 16);
	return key;
}

void
gate_flows_note(struct gate_flows *flows, const struct gate_flow_key *key,
    uint64_t now_ms)
{
	struct gate_flow *set = flows->sets[set_of(key)];
	struct gate_flow *place = &set[0];

	for (int i = 0; i < GATE_FLOW_WAYS; i++) {
		if (flow_is(&set[i], key)) {
			place = &set[i];
			break;
		}
		/* All live equally long, so the first to expire is the oldest. */
		if (set[i].expires_ms < place->expires_ms)
			place = &set[i];
	}
	place->key = *key;
	place->expires_ms = now_ms + GATE_FLOW_LIFE_MS;
}

void
gate_flows_forget(struct gate_flows *flows, const struct gate_flow_key *key)
{
	struct gate_flow *set = flows->sets[set_of(key)];

	for (int i = 0; i < GATE_FLOW_WAYS; i++)
		if (flow_is(&set[i], key))
			set[i] = (struct gate_flow){ 0 };
}

bool
gate_flows_find(const struct gate_flows *flows, const struct gate_flow_key *key,
    uint64_t now_ms)
{
	const struct gate_flow *set = flows->sets[set_of(key)];

	for (int i = 0; i < GATE_FLOW_WAYS; i++) {
		if (flow_is(&set[i], key))
			return now_ms < set[i].expires_ms;
	}
	return false;
}

void
gate_note_to_guest(struct gate *gate, const uint8_t *frame, size_t frame_len,
    uint64_t now_ms)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN;
	const uint8_t *udp, *guest_address;
	uint16_t ethertype, peer_port, guest_port;
	struct gate_flow_key key;

	if (gate->config.allow_host_loopback || frame_len < WIRE_ETH_LEN)
		return;

	ethertype = load_be16(frame + WIRE_ETH_TYPE);
	switch (ethertype) {
	case WIRE_TYPE_IP4:
		if (frame_len < WIRE_ETH_LEN + WIRE_IP4_LEN + WIRE_UDP_LEN ||
		    ip[WIRE_IP4_PROTOCOL] != IPPROTO_UDP ||
		    memcmp(ip + WIRE_IP4_SRC, &gate->config.host_be, 4) != 0 ||
		    (load_be16(ip + WIRE_IP4_FRAGMENT) & WIRE_IP4_OFFSET_MASK) != 0)
			return;
		/* libslirp writes no IPv4 options. */
		udp = ip + WIRE_IP4_LEN;
		guest_address = ip + WIRE_IP4_DST;
		break;
	case WIRE_TYPE_IP6:
		if (frame_len < WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_UDP_LEN ||
		    ip[WIRE_IP6_NEXT] != IPPROTO_UDP ||
		    memcmp(ip + WIRE_IP6_SRC, &gate->config.host6, 16) != 0)
			return;
		udp = ip + WIRE_IP6_LEN;
		guest_address = ip + WIRE_IP6_DST;
		break;
	default:
		return;
	}

	/* The stack's own servers answer from the gateway address, and a guest can make
	 * them: their answers open nothing. libslirp 4.7 sends DHCPv6 from port 8962 (547
	 * in the wrong byte order), so that server's answers are known by the client's
	 * port, which gate_l4.c insists on. */
	peer_port = load_be16(udp + WIRE_UDP_SRC_PORT);
	guest_port = load_be16(udp + WIRE_UDP_DST_PORT);
	if (guest_port == GATE_DHCP4_CLIENT_PORT ||
	    guest_port == GATE_DHCP6_CLIENT_PORT || peer_port == GATE_DHCP4_SERVER_PORT ||
	    peer_port == GATE_DHCP6_SERVER_PORT || peer_port == WIRE_TFTP_PORT)
		return;

	key = gate_flow_key(ethertype, guest_address, guest_port, peer_port);
	gate_flows_note(&gate->flows, &key, now_ms);
}
