/* SPDX-License-Identifier: BSD-2-Clause */
/* Derives the network of the messages from the options. */
#include "parent/cmdline/network.h"

#include <string.h>

/* The fixed numbers in the IPv6 prefix: slirp4netns(1), --enable-ipv6. */
#define HOST6_NUMBER 2
#define NAMESERVER6_NUMBER 3

static void
fill_addr6(uint8_t addr[IPC_ADDR6_LEN], const struct in6_addr *prefix, uint8_t number)
{
	memcpy(addr, prefix, IPC_ADDR6_LEN);
	addr[IPC_ADDR6_LEN - 1] = number;
}

void
network_fill(struct ipc_network *network, const struct options *options)
{
	*network = (struct ipc_network){
		.network_be = options->network.network_be,
		.netmask_be = options->addresses.netmask_be,
		.host_be = options->addresses.host_be,
		.nameserver_be = options->addresses.dns_be,
		.dhcp_start_be = options->addresses.dhcp_start_be,
		.guest_be = options->addresses.recommended_be,
		.prefix_len = options->network.prefix_len,
		.mtu_bytes = options->mtu_bytes,
		.enable_ipv6 = options->enable_ipv6,
		.enable_dns = options->enable_dns,
		.allow_host_loopback = options->allow_host_loopback,
	};
	fill_addr6(network->prefix6, &options->prefix6, 0);
	fill_addr6(network->host6, &options->prefix6, HOST6_NUMBER);
	fill_addr6(network->nameserver6, &options->prefix6, NAMESERVER6_NUMBER);
}
