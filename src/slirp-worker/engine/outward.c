/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds where a flow of the guest leads on the host's side. */
#include "slirp-worker/engine/outward.h"

#include <netinet/in.h>
#include <string.h>

#include "slirp-worker/wire/wire.h"

/* RFC 1035 4.2. The gate passes no other port of the name server. */
#define DNS_PORT 53

/* The first half of an IPv6 address is the network. */
#define PREFIX6_BYTES 8

static bool
is_ip6(const struct flow_key *key)
{
	return key->ethertype == WIRE_TYPE_IP6;
}

static bool
is_of_the_network(const struct ipc_network *network, const struct flow_key *key)
{
	uint32_t peer_be;

	if (is_ip6(key))
		return memcmp(key->peer_address, &network->prefix6, PREFIX6_BYTES) == 0 ||
		    (key->peer_address[0] == 0xfe && key->peer_address[1] == 0x80);
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	return (peer_be & network->netmask_be) == network->network_be;
}

bool
outward_is_nameserver(const struct ipc_network *network, const struct flow_key *key)
{
	if (is_ip6(key))
		return memcmp(key->peer_address, &network->nameserver6, 16) == 0;
	return memcmp(key->peer_address, &network->nameserver_be, 4) == 0;
}

bool
outward_is_broadcast(const struct ipc_network *network, const struct flow_key *key)
{
	uint32_t peer_be;

	if (is_ip6(key))
		return false;
	memcpy(&peer_be, key->peer_address, sizeof(peer_be));
	return peer_be == INADDR_BROADCAST ||
	    (is_of_the_network(network, key) &&
		(peer_be | network->netmask_be) == INADDR_BROADCAST);
}

bool
outward_is_outside(const struct ipc_network *network, const struct flow_key *key)
{
	return !is_of_the_network(network, key) && !outward_is_nameserver(network, key) &&
	    !outward_is_broadcast(network, key);
}

/* The host's name server of the same family, which may be on the host's loopback. Returns
 * false if there is none, DNS is off, or the port is not that of DNS. */
static bool
find_nameserver(const struct ipc_network *network,
    const struct ipc_nameservers *nameservers, const struct flow_key *key,
    union inaddr_sock *to)
{
	if (!network->enable_dns || key->peer_port != DNS_PORT)
		return false;
	for (size_t i = 0; i < nameservers->n; i++) {
		const struct ipc_nameserver *server = &nameservers->servers[i];

		if (server->addr.is_ipv6 != is_ip6(key))
			continue;
		*to = inaddr_sock_make(&server->addr, DNS_PORT);
		if (is_ip6(key))
			to->in6.sin6_scope_id = server->scope_id;
		return true;
	}
	return false;
}

bool
outward_find(const struct ipc_network *network, const struct ipc_nameservers *nameservers,
    const struct flow_key *key, union inaddr_sock *to)
{
	struct inaddr addr = inaddr_from_bytes(key->peer_address, is_ip6(key));

	if (outward_is_nameserver(network, key))
		return find_nameserver(network, nameservers, key, to);
	if (!outward_is_outside(network, key)) {
		if (!network->allow_host_loopback)
			return false;
		addr = inaddr_loopback(addr.is_ipv6);
	}
	*to = inaddr_sock_make(&addr, key->peer_port);
	return true;
}
