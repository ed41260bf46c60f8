/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides where a connection of the guest leads. */
#include "connector/destination.h"

#include <string.h>

#include "base/dnsname.h"

/* A network of IPv6 is a /64. */
#define PREFIX6_BYTES 8

/* RFC 4291 2.7: groups of at most this scope stay on the guest's link. */
#define SCOPE6_LINK 2

static bool
is_of_the_network(const struct ipc_network *network, const struct inaddr *addr)
{
	if (addr->is_ipv6)
		return memcmp(addr->bytes, &network->prefix6, PREFIX6_BYTES) == 0;
	return (inaddr_to4(addr) & network->netmask_be) == network->network_be;
}

static bool
is_broadcast(const struct ipc_network *network, const struct inaddr *addr)
{
	return inaddr_is_broadcast(addr) ||
	    (!addr->is_ipv6 && is_of_the_network(network, addr) &&
		(inaddr_to4(addr) | network->netmask_be) == INADDR_BROADCAST);
}

/* RFC 1122 3.2.1.3: this network, loopback, and reserved addresses from 240.0.0.0. A user may
 * have chosen a virtual network among the last. */
static bool
is_never4(const struct ipc_network *network, const struct inaddr *addr)
{
	uint32_t first = ntohl(inaddr_to4(addr)) >> 24;

	return first == 0 || first == 127 ||
	    (first >= 240 && !is_of_the_network(network, addr) &&
		!is_broadcast(network, addr));
}

/* RFC 4291 2.4 and 2.5.5: unspecified, loopback, IPv4 in IPv6. The link of the guest is not a
 * link of the host. */
static bool
is_never6(const struct ipc_network *network, const struct inaddr *addr)
{
	static const uint8_t zeros[10];
	uint8_t eleventh = addr->bytes[10], twelfth = addr->bytes[11];

	return !network->enable_ipv6 || inaddr_is_link_local6(addr) ||
	    (inaddr_is_multicast(addr) && (addr->bytes[1] & 0x0f) <= SCOPE6_LINK) ||
	    (memcmp(addr->bytes, zeros, sizeof(zeros)) == 0 && eleventh == twelfth &&
		(eleventh == 0 || eleventh == 0xff));
}

/* Only datagrams go to many hosts. */
static bool
is_never(const struct ipc_network *network, uint8_t proto, const struct inaddr *addr)
{
	if (proto != IPPROTO_UDP &&
	    (inaddr_is_multicast(addr) || is_broadcast(network, addr)))
		return true;
	return addr->is_ipv6 ? is_never6(network, addr) : is_never4(network, addr);
}

static bool
is_nameserver(const struct ipc_network *network, const struct inaddr *addr)
{
	if (addr->is_ipv6)
		return memcmp(addr->bytes, &network->nameserver6,
			   sizeof(network->nameserver6)) == 0;
	return inaddr_to4(addr) == network->nameserver_be;
}

static enum destination
find_nameserver(const struct ipc_network *network, uint8_t proto, uint16_t port)
{
	/* The name server's address has no other port. */
	if (port != DNS_PORT || !network->enable_dns)
		return DESTINATION_REFUSED;
	/* The worker gives DNS over UDP to the resolver. */
	return proto == IPPROTO_UDP ? DESTINATION_NEVER : DESTINATION_RESOLVER;
}

enum destination
destination_find(const struct connector_rules *rules, uint8_t proto,
    const struct inaddr *peer, uint16_t port, union inaddr_sock *to)
{
	const struct ipc_network *network = &rules->network;
	struct inaddr addr = *peer;

	if (is_never(network, proto, &addr))
		return DESTINATION_NEVER;
	if (is_nameserver(network, &addr))
		return find_nameserver(network, proto, port);
	/* The gateway and all other addresses of the network stand for the host's loopback, and
	 * so does a broadcast, which could name it. */
	if (is_of_the_network(network, &addr) || is_broadcast(network, &addr)) {
		if (!network->allow_host_loopback)
			return DESTINATION_REFUSED;
		addr = inaddr_loopback(addr.is_ipv6);
	}
	*to = inaddr_sock_make(&addr, port);
	return DESTINATION_FOUND;
}
