#include "parent/network.h"

#include <arpa/inet.h>
#include <string.h>

/* slirp4netns(1), --enable-ipv6: the prefix and the numbers in it are fixed. */
#define PREFIX6 "fd00::"
#define HOST6 "fd00::2"
#define NAMESERVER6 "fd00::3"

static void
fill_addr6(uint8_t addr[IPC_ADDR6_LEN], const char *text)
{
	/* The texts are the constants above. */
	inet_pton(AF_INET6, text, addr);
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
	fill_addr6(network->prefix6, PREFIX6);
	fill_addr6(network->host6, HOST6);
	fill_addr6(network->nameserver6, NAMESERVER6);
}
