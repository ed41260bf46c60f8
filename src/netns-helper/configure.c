/* SPDX-License-Identifier: BSD-2-Clause */
/* The work of --configure in the guest's network namespace. */
#include "netns-helper/configure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mac.h"
#include "netns-helper/rtnl.h"

/* RFC 4291 section 2.5.6: fe80::/64, then 64 bits of interface identifier. */
#define PREFIX6_LEN 64

/* RFC 8200 section 5: the kernel has no IPv6 on an interface with a smaller MTU. Clients
 * ask for IPv6 with any MTU, and expect IPv4 to work. */
#define IPV6_MTU_MIN_BYTES 1280

/* ETH_MIN_MTU of the kernel's include/uapi/linux/if_ether.h, from Linux 4.10 on. */
#ifndef ETH_MIN_MTU
#define ETH_MIN_MTU 68
#endif

/* More addresses than a guest has, as a rule. Only a warning depends on the others. */
#define N_ADDRESSES_MAX 64

static unsigned int
find_interface(const char *name)
{
	unsigned int ifindex = if_nametoindex(name);

	if (ifindex == 0)
		fatal("find interface %s", name);
	return ifindex;
}

static void
read_mac(const struct rtnl *rtnl, const char *name, struct mac *mac)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	/* netdevice(7): any socket of the namespace takes this request. */
	if (ioctl(rtnl->fd, SIOCGIFHWADDR, &request) == -1)
		fatal("read the MAC address of %s", name);
	memcpy(mac->octets, request.ifr_hwaddr.sa_data, sizeof(mac->octets));
}

/* Warns of another interface with the address that this one is about to get: replies to
 * the guest's address may then take either. It may be the TAP of another slirpd. */
static void
warn_of_same_address(const struct rtnl *rtnl, const char *name,
    const struct ipc_network *network)
{
	struct ifreq entries[N_ADDRESSES_MAX];
	struct ifconf list = { .ifc_len = sizeof(entries), .ifc_req = entries };
	char text[INET_ADDRSTRLEN];

	/* netdevice(7): all interfaces that have an IPv4 address. */
	if (ioctl(rtnl->fd, SIOCGIFCONF, &list) == -1)
		return;
	for (size_t i = 0; i < (size_t)list.ifc_len / sizeof(entries[0]); i++) {
		struct sockaddr_in address;

		memcpy(&address, &entries[i].ifr_addr, sizeof(address));
		if (address.sin_addr.s_addr != network->guest_be ||
		    strncmp(entries[i].ifr_name, name, IFNAMSIZ) == 0)
			continue;
		inet_ntop(AF_INET, &network->guest_be, text, sizeof(text));
		log_warning("%.*s has the address %s of %s already, perhaps by another "
			    "slirpd: give this one another network with --cidr",
		    IFNAMSIZ, entries[i].ifr_name, text, name);
		return;
	}
}

static void
configure_ip4(struct rtnl *rtnl, unsigned int ifindex, const char *name,
    const struct ipc_network *network)
{
	char text[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &network->guest_be, text, sizeof(text));
	if (rtnl_addr4_set(rtnl, ifindex, network->guest_be, network->prefix_len) == -1)
		fatal("add address %s/%u to %s", text, network->prefix_len, name);
	inet_ntop(AF_INET, &network->host_be, text, sizeof(text));
	if (rtnl_default_route_set(rtnl, ifindex, &network->host_be,
		sizeof(network->host_be)) == -1)
		fatal("add default route via %s on %s", text, name);
}

/* Whether the error means that the namespace has no IPv6: a sysctl switches it off
 * (EACCES), or the kernel lacks it. Clients ask for IPv6 in any case, and expect IPv4 to
 * work. */
static bool
is_without_ip6(int error)
{
	return error == EACCES || error == EAFNOSUPPORT || error == EOPNOTSUPP;
}

/* Returns 0, or -1 with errno set if the namespace has no IPv6. */
static int
configure_ip6(struct rtnl *rtnl, unsigned int ifindex, const char *name,
    const struct ipc_network *network)
{
	const struct in6_addr link_local = { { { 0xfe, 0x80 } } };
	struct in6_addr addr, gateway = network->host6;
	struct mac mac;

	read_mac(rtnl, name, &mac);
	/* A router advertisement only confirms these. */
	addr = mac_to_addr6(&link_local, &mac);
	if (rtnl_addr6_set(rtnl, ifindex, &addr, PREFIX6_LEN) == -1) {
		if (is_without_ip6(errno))
			return -1;
		fatal("add the IPv6 link-local address to %s", name);
	}
	addr = mac_to_addr6(&network->prefix6, &mac);
	if (rtnl_addr6_set(rtnl, ifindex, &addr, PREFIX6_LEN) == -1)
		fatal("add the IPv6 address to %s", name);
	/* libslirp answers neighbour solicitations for the link-local address with the
	 * same interface identifier, and sends its router advertisements from there. */
	memcpy(&gateway, &link_local, sizeof(gateway) / 2);
	if (rtnl_default_route_set(rtnl, ifindex, &gateway, sizeof(gateway)) == -1)
		fatal("add the IPv6 default route on %s", name);
	return 0;
}

void
netns_configure(const struct ipc_make_tap *request)
{
	const struct ipc_network *network = &request->network;
	const char *name = request->tap_name;
	bool enable_ipv6 =
	    network->enable_ipv6 && network->mtu_bytes >= IPV6_MTU_MIN_BYTES;
	unsigned int ifindex = find_interface(name);
	struct rtnl rtnl;

	if (rtnl_open(&rtnl) == -1)
		fatal("open a routing socket");
	if (rtnl_link_set_up(&rtnl, find_interface("lo")) == -1)
		fatal("bring lo up");
	/* Linux changes the MAC of an interface that is down with any driver. */
	if (request->has_mac &&
	    rtnl_link_set_mac(&rtnl, ifindex, request->mac.octets) == -1)
		fatal("set the MAC address of %s", name);
	if (rtnl_link_set_mtu(&rtnl, ifindex, network->mtu_bytes) == -1) {
		if (errno == EINVAL && network->mtu_bytes < ETH_MIN_MTU)
			fatalx(
			    "set the MTU of %s to %u: %s; an interface takes %d or more",
			    name, network->mtu_bytes, strerror(errno), ETH_MIN_MTU);
		fatal("set the MTU of %s to %u", name, network->mtu_bytes);
	}
	if (network->enable_ipv6 && !enable_ipv6)
		log_warning("%s stays without IPv6, which needs an MTU of %d", name,
		    IPV6_MTU_MIN_BYTES);
	if (enable_ipv6 && rtnl_link_stop_autoconf6(&rtnl, ifindex) == -1 &&
	    !is_without_ip6(errno))
		fatal("set up IPv6 on %s", name);
	if (rtnl_link_set_up(&rtnl, ifindex) == -1)
		fatal("bring %s up", name);
	warn_of_same_address(&rtnl, name, network);
	configure_ip4(&rtnl, ifindex, name, network);
	if (enable_ipv6 && configure_ip6(&rtnl, ifindex, name, network) == -1)
		log_warning("%s stays without IPv6: %s", name, strerror(errno));
	rtnl_close(&rtnl);
}
