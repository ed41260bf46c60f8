/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds where a flow of the guest leads on the host's side. */
#include "slirp-worker/engine/outward.h"

#include <netinet/in.h>
#include <string.h>

/* The first half of an IPv6 address is the network. */
#define PREFIX6_BYTES 8

static bool
is_of_the_network(const struct ipc_network *network, const struct flow_key *key)
{
	uint32_t peer_be;

	if (flow_key_is_ip6(key))
		return memcmp(key->peer_address, &network->prefix6, PREFIX6_BYTES) == 0 ||
		    (key->peer_address[0] == 0xfe && key->peer_address[1] == 0x80);
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	return (peer_be & network->netmask_be) == network->network_be;
}

static bool
is_nameserver(const struct ipc_network *network, const struct flow_key *key)
{
	if (flow_key_is_ip6(key))
		return memcmp(key->peer_address, &network->nameserver6, 16) == 0;
	return memcmp(key->peer_address, &network->nameserver_be, 4) == 0;
}

bool
outward_is_broadcast(const struct ipc_network *network, const struct flow_key *key)
{
	uint32_t peer_be;

	if (flow_key_is_ip6(key))
		return false;
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	return peer_be == INADDR_BROADCAST ||
	    (is_of_the_network(network, key) &&
		(peer_be | network->netmask_be) == INADDR_BROADCAST);
}

bool
outward_is_outside(const struct ipc_network *network, const struct flow_key *key)
{
	return !is_of_the_network(network, key) && !is_nameserver(network, key) &&
	    !outward_is_broadcast(network, key);
}
