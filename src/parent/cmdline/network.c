/* SPDX-License-Identifier: BSD-2-Clause */
/* Derives the network of the messages from the options. */
#include "parent/cmdline/network.h"

/* The fixed numbers in the IPv6 prefix: slirp4netns(1), --enable-ipv6. */
#define HOST6_NUMBER 2
#define NAMESERVER6_NUMBER 3

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
		.prefix6 = options->prefix6,
		.host6 = options->prefix6,
		.nameserver6 = options->prefix6,
		.prefix_len = options->network.prefix_len,
		.mtu_bytes = options->mtu_bytes,
		.enable_ipv6 = options->enable_ipv6,
		.enable_dns = options->enable_dns,
		.allow_host_loopback = options->allow_host_loopback,
	};
	network->host6.s6_addr[15] = HOST6_NUMBER;
	network->nameserver6.s6_addr[15] = NAMESERVER6_NUMBER;
}
