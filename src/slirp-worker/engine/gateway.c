/* SPDX-License-Identifier: BSD-2-Clause */
/* Names the gateway on the guest's link. */
#include "slirp-worker/engine/gateway.h"

#include <string.h>

/* libslirp's prefixes of MACs: two bytes, then the last four of the address (src/slirp.c,
 * if_encap4; src/util.c, in6_compute_ethaddr). */
static const uint8_t mac_prefix4[] = { 0x52, 0x55 };
static const uint8_t mac_prefix6[] = { 0x52, 0x56 };

struct inaddr
gateway_addr(const struct ipc_network *network, bool is_ipv6)
{
	return is_ipv6 ? inaddr_from6(&network->host6) : inaddr_from4(network->host_be);
}

struct mac
gateway_mac(const struct ipc_network *network, bool is_ipv6)
{
	struct mac mac;

	memcpy(mac.octets, is_ipv6 ? mac_prefix6 : mac_prefix4, sizeof(mac_prefix4));
	memcpy(mac.octets + sizeof(mac_prefix4),
	    is_ipv6 ? network->host6.s6_addr + 12 : (const uint8_t *)&network->host_be,
	    4);
	return mac;
}
