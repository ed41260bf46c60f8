/* SPDX-License-Identifier: BSD-2-Clause */
/* Chooses the address and port by which the guest sees a peer of a forward. */
#include "slirp-worker/engine/forward/peer.h"

#include <string.h>

#include "slirp-worker/engine/gateway.h"
#include "slirp-worker/wire/wire.h"

/* The second half of an IPv6 address is the interface identifier. */
#define PREFIX6_BYTES 8

/* Distinguishes the hash for ports from the hash of the table: no key of a flow has such a
 * protocol, of which each number is one. */
#define PORT_PROTOCOL 0x8000

/* RFC 3927 */
#define LINK_LOCAL4 0xa9fe0000u
#define LINK_LOCAL4_MASK 0xffff0000u

void
peer_take(struct peer_incoming *incoming, const union inaddr_sock *peer)
{
	/* Always of one of the two families: the listening socket is. */
	inaddr_from_sockaddr(&incoming->peer, &peer->any);
	incoming->peer_port = inaddr_sock_port(peer);
	if (incoming->peer.is_ipv6 && IN6_IS_ADDR_V4MAPPED(&peer->in6.sin6_addr))
		incoming->peer = inaddr_from_bytes(incoming->peer.bytes + 12, false);
}

static bool
is_reachable4(const struct ipc_network *network, const struct inaddr *peer)
{
	in_addr_t peer_be = inaddr_to4(peer);
	uint32_t address = ntohl(peer_be);
	uint32_t net = address >> 24;

	/* The gate drops packets to 0/8, 127/8 and 240/4; groups send no SYN. */
	return net != 0 && net != IN_LOOPBACKNET && net < 224 &&
	    (address & LINK_LOCAL4_MASK) != LINK_LOCAL4 &&
	    (peer_be & network->netmask_be) != network->network_be &&
	    peer_be != network->host_be && peer_be != network->nameserver_be;
}

static bool
is_reachable6(const struct ipc_network *network, const struct inaddr *peer)
{
	static const uint8_t zero[12];

	/* ::/96 has the loopback, and the gate drops packets to it. */
	return memcmp(peer->bytes, zero, sizeof(zero)) != 0 && peer->bytes[0] != 0xff &&
	    !inaddr_is_link_local6(peer) &&
	    memcmp(peer->bytes, &network->prefix6, PREFIX6_BYTES) != 0 &&
	    memcmp(peer->bytes, &network->host6, sizeof(network->host6)) != 0 &&
	    memcmp(peer->bytes, &network->nameserver6, sizeof(network->nameserver6)) != 0;
}

bool
peer_is_reachable(const struct ipc_network *network, const struct peer_incoming *incoming)
{
	if (incoming->peer.is_ipv6 != incoming->guest.is_ipv6)
		return false;
	return incoming->peer.is_ipv6 ? is_reachable6(network, &incoming->peer)
				      : is_reachable4(network, &incoming->peer);
}

size_t
peer_write_request(const struct ipc_network *network, const struct inaddr *guest,
    uint8_t out[NEIGH_REQUEST_MAX])
{
	const struct inaddr asker = gateway_addr(network, guest->is_ipv6);
	const struct mac asker_mac = gateway_mac(network, guest->is_ipv6);

	return neigh_write_request(out, guest, &asker, &asker_mac);
}

static struct flow_key
make_key(const struct peer_incoming *incoming, const struct inaddr *peer)
{
	struct flow_key key = {
		.guest_port = incoming->guest_port,
		.peer_port = incoming->peer_port,
		.ethertype = incoming->guest.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
		.protocol = IPPROTO_TCP,
	};

	memcpy(key.guest_address, incoming->guest.bytes, sizeof(key.guest_address));
	memcpy(key.peer_address, peer->bytes, sizeof(key.peer_address));
	return key;
}

/* A peer cannot choose the port: others' connections would hide by it. The peer's own
 * address is in the hash: peers that have one port get different ones. */
static uint16_t
other_port(const struct peer_incoming *incoming, unsigned int number)
{
	struct flow_key hashed = make_key(incoming, &incoming->peer);

	hashed.protocol = (uint16_t)(PORT_PROTOCOL + number);
	return (uint16_t)(PEER_PORT_MIN +
	    flow_key_hash(&hashed) % (UINT16_MAX - PEER_PORT_MIN + 1));
}

struct flow_key
peer_key(const struct ipc_network *network, const struct peer_incoming *incoming,
    unsigned int number)
{
	const struct inaddr gateway = gateway_addr(network, incoming->guest.is_ipv6);
	bool is_own = number == 0 && peer_is_reachable(network, incoming);
	struct flow_key key = make_key(incoming, is_own ? &incoming->peer : &gateway);

	if (number > 0)
		key.peer_port = other_port(incoming, number);
	return key;
}
