/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes router advertisements. */
#include "slirp-worker/engine/link/router_advert.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/engine/gateway.h"

/* RFC 4861 4.2 */
#define ADVERT_HOP_LIMIT 4
#define ADVERT_LIFETIME 6
#define ADVERT_LEN 16

/* RFC 4861 4.6: type, length in units; then what the type has. */
#define MAC_OPTION_LEN 8
#define PREFIX 3
#define PREFIX_BITS 2
#define PREFIX_FLAGS 3
#define PREFIX_VALID 4
#define PREFIX_PREFERRED 8
#define PREFIX_ADDR 16
#define PREFIX_LEN 32
#define PREFIX_ON_LINK 0x80
#define PREFIX_AUTONOMOUS 0x40

/* RFC 8106 5.1 */
#define RDNSS 25
#define RDNSS_LIFETIME 4
#define RDNSS_ADDR 8
#define RDNSS_LEN 24

/* The usual initial hop limit of hosts. */
#define HOSTS_HOP_LIMIT 64

/* Three times the longest interval, 600 s: RFC 4861 6.2.1, RFC 8106 5.1. */
#define ROUTER_LIFETIME_S 1800

/* As libslirp has them; RFC 4861 6.2.1 has 30 days and 7 days. */
#define PREFIX_VALID_S 86400
#define PREFIX_PREFERRED_S 14400

/* Stateless autoconfiguration works only with this length. */
#define PREFIX6_BITS 64

/* Writes the head of an option of len bytes, which are zero. Returns the option. */
static uint8_t *
begin_option(uint8_t *frame, size_t *at, uint8_t type, size_t len)
{
	uint8_t *option = frame + *at;

	option[0] = type;
	option[1] = (uint8_t)(len / WIRE_ND_OPTION_UNIT);
	*at += len;
	return option;
}

static void
put_prefix(uint8_t *option, const struct ipc_network *network)
{
	option[PREFIX_BITS] = PREFIX6_BITS;
	option[PREFIX_FLAGS] = PREFIX_ON_LINK | PREFIX_AUTONOMOUS;
	store_be32(option + PREFIX_VALID, PREFIX_VALID_S);
	store_be32(option + PREFIX_PREFERRED, PREFIX_PREFERRED_S);
	memcpy(option + PREFIX_ADDR, &network->prefix6, sizeof(network->prefix6));
}

static void
put_name_server(uint8_t *option, const struct ipc_network *network)
{
	store_be32(option + RDNSS_LIFETIME, ROUTER_LIFETIME_S);
	memcpy(option + RDNSS_ADDR, &network->nameserver6, sizeof(network->nameserver6));
}

/* Writes the headers and the checksum of a message that ends at len. */
static void
put_headers(uint8_t *frame, size_t len, const struct mac *mac,
    const struct ipc_network *network)
{
	static const uint8_t all_nodes_mac[] = { 0x33, 0x33, 0, 0, 0, 1 };
	static const uint8_t all_nodes[16] = { 0xff, 0x02, [15] = 1 };
	/* The gateway's link-local address, which RFC 4861 4.2 asks for. */
	uint8_t source[16] = { 0xfe, 0x80 };
	const struct ip_head head = {
		.dst_mac = all_nodes_mac,
		.src_mac = mac->octets,
		.src = source,
		.dst = all_nodes,
		.is_ip6 = true,
		.protocol = IPPROTO_ICMPV6,
		.ttl = WIRE_ND_HOP_LIMIT,
	};
	uint8_t *icmp = frame + IP_HEAD_MAX;

	memcpy(source + 8, network->host6.s6_addr + 8, 8);
	ip_head_write(frame, &head, len - IP_HEAD_MAX);
	store_be16(icmp + WIRE_ICMP_CHECKSUM,
	    ip_l4_checksum(frame + WIRE_ETH_LEN, IPPROTO_ICMPV6, icmp,
		len - IP_HEAD_MAX));
}

size_t
router_advert_write(const struct ipc_network *network, uint8_t out[ROUTER_ADVERT_MAX])
{
	const struct mac mac = gateway_mac(network, true);
	uint8_t *advert = out + IP_HEAD_MAX;
	size_t len = IP_HEAD_MAX + ADVERT_LEN;

	memset(out, 0, ROUTER_ADVERT_MAX);
	advert[WIRE_ICMP_TYPE] = WIRE_ICMP6_ROUTER_ADVERTISEMENT;
	advert[ADVERT_HOP_LIMIT] = HOSTS_HOP_LIMIT;
	store_be16(advert + ADVERT_LIFETIME, ROUTER_LIFETIME_S);
	memcpy(begin_option(out, &len, WIRE_ND_SOURCE_MAC, MAC_OPTION_LEN) +
		WIRE_ND_OPTION_MAC,
	    mac.octets, sizeof(mac.octets));
	put_prefix(begin_option(out, &len, PREFIX, PREFIX_LEN), network);
	if (network->enable_dns)
		put_name_server(begin_option(out, &len, RDNSS, RDNSS_LEN), network);
	put_headers(out, len, &mac, network);
	return len;
}
