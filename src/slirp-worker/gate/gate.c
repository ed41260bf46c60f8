/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks Ethernet, ARP, IPv4 and IPv6 headers of each frame from the guest.
 *
 * gate.c classifies the destination address; gate_l4.c checks the payload. Both compare
 * each length with the frame's length before use.
 */
#include "slirp-worker/gate/gate.h"

#include "base/bytes.h"
#include "slirp-worker/gate/gate_l4.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

#include <string.h>

/* RFC 4291 2.7: a scope up to this value does not leave the link. */
#define IP6_SCOPE_LINK 2

/* In a /64 and in fe80::/64 the second half of an address is the interface identifier. */
#define IP6_HALF 8

/* libslirp's own source address for router advertisements and errors. */
static const uint8_t router_link_address[16] = { 0xfe, 0x80, [15] = 2 };

void
gate_init(struct gate *gate, const struct gate_config *config)
{
	memset(gate, 0, sizeof(*gate));
	gate->config = *config;
	memcpy(&gate->link_host6, router_link_address, IP6_HALF);
	memcpy(&gate->link_nameserver6, router_link_address, IP6_HALF);
	memcpy(gate->link_host6.s6_addr + IP6_HALF, config->host6.s6_addr + IP6_HALF,
	    IP6_HALF);
	memcpy(gate->link_nameserver6.s6_addr + IP6_HALF,
	    config->nameserver6.s6_addr + IP6_HALF, IP6_HALF);
}

bool
gate_mac_is_one_host(const uint8_t *mac)
{
	static const uint8_t zero[WIRE_MAC_LEN];

	return (mac[0] & 1) == 0 && memcmp(mac, zero, sizeof(zero)) != 0;
}

/* The IPv4 addresses of these functions are in host order. */

static bool
ip4_is_in_network(const struct gate_config *config, uint32_t address)
{
	return (htonl(address) & config->netmask_be.s_addr) == config->network_be.s_addr;
}

static bool
ip4_is_network_broadcast(const struct gate_config *config, uint32_t address)
{
	return ip4_is_in_network(config, address) &&
	    (htonl(address) | config->netmask_be.s_addr) == INADDR_BROADCAST;
}

/* Linux accepts 0/8 and 127/8 as addresses of its own loopback. 240/4 is reserved, but
 * some users choose a guest network in it to avoid conflicts. */
static bool
ip4_is_never_on_a_wire(const struct gate_config *config, uint32_t address)
{
	uint32_t net = address >> 24;

	return net == 0 || net == 127 ||
	    (net >= 240 && address != INADDR_BROADCAST &&
		!ip4_is_in_network(config, address));
}

static bool
ip4_may_be_the_guest(const struct gate_config *config, uint32_t address)
{
	return !ip4_is_never_on_a_wire(config, address) && address != INADDR_BROADCAST &&
	    !IN_MULTICAST(address) && !ip4_is_network_broadcast(config, address) &&
	    htonl(address) != config->host_be.s_addr &&
	    htonl(address) != config->nameserver_be.s_addr;
}

static enum gate_place
ip4_place(const struct gate_config *config, uint32_t address)
{
	if (address == INADDR_BROADCAST)
		return GATE_PLACE_BROADCAST;
	if (IN_MULTICAST(address))
		return GATE_PLACE_MULTICAST;
	if (htonl(address) == config->host_be.s_addr)
		return GATE_PLACE_GATEWAY;
	if (htonl(address) == config->nameserver_be.s_addr)
		return GATE_PLACE_NAMESERVER;
	if (ip4_is_network_broadcast(config, address))
		return GATE_PLACE_NETWORK_BROADCAST;
	if (ip4_is_in_network(config, address))
		return GATE_PLACE_NETWORK;
	return GATE_PLACE_OUTSIDE;
}

static bool
ip6_equal(const uint8_t *address, const struct in6_addr *other)
{
	return memcmp(address, other, sizeof(*other)) == 0;
}

static bool
ip6_is_unspecified(const uint8_t *address)
{
	return ip6_equal(address, &in6addr_any);
}

/* ::/96, which contains :: and ::1, and the IPv4-mapped addresses ::ffff:0:0/96. */
static bool
ip6_is_never_on_a_wire(const uint8_t *address)
{
	static const uint8_t zero[10];
	uint16_t sixth = load_be16(address + sizeof(zero));

	return memcmp(address, zero, sizeof(zero)) == 0 &&
	    (sixth == 0 || sixth == 0xffff);
}

bool
gate_may_be_guest6(const struct gate *gate, const uint8_t *address)
{
	return !ip6_is_never_on_a_wire(address) && address[0] != 0xff &&
	    !ip6_equal(address, &gate->config.host6) &&
	    !ip6_equal(address, &gate->config.nameserver6) &&
	    !ip6_equal(address, &gate->link_host6) &&
	    !ip6_equal(address, &gate->link_nameserver6) &&
	    memcmp(address, router_link_address, sizeof(router_link_address)) != 0;
}

static enum gate_place
ip6_place(const struct gate *gate, const uint8_t *address)
{
	if (address[0] == 0xff && (address[1] & 0x0f) <= IP6_SCOPE_LINK)
		return GATE_PLACE_LINK_GROUP;
	if (address[0] == 0xff)
		return GATE_PLACE_MULTICAST;
	if (ip6_equal(address, &gate->link_host6) ||
	    ip6_equal(address, &gate->link_nameserver6))
		return GATE_PLACE_LINK_OWN;
	if (address[0] == 0xfe && (address[1] & 0xc0) == 0x80)
		return GATE_PLACE_LINK;
	if (ip6_equal(address, &gate->config.host6))
		return GATE_PLACE_GATEWAY;
	if (ip6_equal(address, &gate->config.nameserver6))
		return GATE_PLACE_NAMESERVER;
	if (memcmp(address, &gate->config.prefix6, IP6_HALF) == 0)
		return GATE_PLACE_NETWORK;
	return GATE_PLACE_OUTSIDE;
}

static enum gate_verdict
check_arp(const struct gate *gate, const uint8_t *frame, size_t len,
    struct gate_frame *out)
{
	const uint8_t *arp = frame + WIRE_ETH_LEN;
	uint16_t operation;
	uint32_t sender;

	if (len < WIRE_ETH_LEN + WIRE_ARP_LEN)
		return gate_drop(out, IPC_DROP_arp_header);
	operation = load_be16(arp + WIRE_ARP_OPERATION);
	if (load_be16(arp + WIRE_ARP_HARDWARE) != WIRE_ARP_ETHERNET ||
	    load_be16(arp + WIRE_ARP_PROTOCOL) != WIRE_TYPE_IP4 ||
	    arp[WIRE_ARP_HARDWARE_LEN] != WIRE_MAC_LEN ||
	    arp[WIRE_ARP_PROTOCOL_LEN] != 4 ||
	    (operation != WIRE_ARP_REQUEST && operation != WIRE_ARP_REPLY))
		return gate_drop(out, IPC_DROP_arp_header);

	/* A sender of 0.0.0.0 probes whether an address is free (RFC 5227 2.1.1). */
	sender = load_be32(arp + WIRE_ARP_SENDER_IP);
	if (!gate_mac_is_one_host(arp + WIRE_ARP_SENDER_MAC) ||
	    (sender != INADDR_ANY && !ip4_may_be_the_guest(&gate->config, sender)))
		return gate_drop(out, IPC_DROP_arp_sender);

	out->len = WIRE_ETH_LEN + WIRE_ARP_LEN;
	return GATE_PASS;
}

static void
note_packet(struct gate_frame *out, const uint8_t *frame, const struct ip_packet *ip)
{
	out->src = ip->src;
	out->dst = ip->dst;
	out->l4_offset = (size_t)(ip->payload - frame);
	out->l4_len = ip->payload_len;
	out->len = out->l4_offset + ip->payload_len;
	out->protocol = ip->protocol;
	out->ttl = ip->ttl;
}

static enum gate_verdict
check_ip4(struct gate *gate, uint8_t *frame, size_t len, uint64_t now_ms,
    struct gate_frame *out)
{
	struct ip_packet ip;
	uint32_t src, dst;

	/* libslirp takes a packet with the reserved flag for a fragment. */
	if (!ip_parse(frame, len, &ip) || (ip.fragment & WIRE_IP4_RESERVED) != 0)
		return gate_drop(out, IPC_DROP_ip4_header);
	if (checksum_finish(checksum_add(0, ip.header, ip.header_len)) != 0)
		return gate_drop(out, IPC_DROP_ip4_checksum);
	/* libslirp strips IPv4 options, so they do not help the guest. It has had bugs in
	 * handling their lengths. RFC 7126 advises routers to drop most options. */
	if (ip.header_len != WIRE_IP4_LEN)
		return gate_drop(out, IPC_DROP_ip4_options);
	if (ip.ttl == 0)
		return gate_drop(out, IPC_DROP_ip_ttl);

	note_packet(out, frame, &ip);
	out->fragment_id = load_be16(ip.header + WIRE_IP4_ID);
	out->fragment_more = (ip.fragment & WIRE_IP4_MORE_FRAGMENTS) != 0;
	out->fragment_offset =
	    (uint16_t)((ip.fragment & WIRE_IP4_OFFSET_MASK) * WIRE_FRAGMENT_UNIT);

	/* A DHCP client sends from 0.0.0.0; gate_l4.c drops other packets from it. */
	src = load_be32(ip.src);
	if (src != INADDR_ANY && !ip4_may_be_the_guest(&gate->config, src))
		return gate_drop(out, IPC_DROP_ip4_source);
	dst = load_be32(ip.dst);
	if (ip4_is_never_on_a_wire(&gate->config, dst))
		return gate_drop(out, IPC_DROP_ip4_destination);

	if (out->protocol != IPPROTO_TCP && out->protocol != IPPROTO_UDP &&
	    out->protocol != IPPROTO_ICMP)
		return gate_drop(out, IPC_DROP_ip_protocol);
	if (ip4_is_fragment(&ip))
		return GATE_FRAGMENT;
	return gate_l4_check(&(struct gate_packet){
	    .gate = gate,
	    .l3 = frame + WIRE_ETH_LEN,
	    .l4 = frame + out->l4_offset,
	    .out = out,
	    .place = ip4_place(&gate->config, dst),
	    .from_unspecified = src == INADDR_ANY,
	    .now_ms = now_ms,
	});
}

/* Whether a packet that begins with this header of hop-by-hop options is a report of
 * multicast listener discovery. Linux sends them for each address (RFC 3810 section 5,
 * RFC 2710 section 3). */
static bool
is_listener_report(const uint8_t *options, size_t len)
{
	if (len < WIRE_OPTIONS6_UNIT + 1 ||
	    options[WIRE_OPTIONS6_NEXT] != IPPROTO_ICMPV6 ||
	    options[WIRE_OPTIONS6_MORE] != 0)
		return false;
	switch (options[WIRE_OPTIONS6_UNIT + WIRE_ICMP_TYPE]) {
	case WIRE_ICMP6_LISTENER_REPORT:
	case WIRE_ICMP6_LISTENER_DONE:
	case WIRE_ICMP6_LISTENER_REPORT_V2:
		return true;
	default:
		return false;
	}
}

static enum gate_verdict
check_ip6(struct gate *gate, uint8_t *frame, size_t len, uint64_t now_ms,
    struct gate_frame *out)
{
	struct ip_packet ip;
	bool is_fragment;

	if (!ip_parse(frame, len, &ip))
		return gate_drop(out, IPC_DROP_ip6_header);
	if (ip.ttl == 0)
		return gate_drop(out, IPC_DROP_ip_ttl);

	note_packet(out, frame, &ip);
	is_fragment = ip.protocol == IPPROTO_FRAGMENT;
	if (is_fragment) {
		const uint8_t *header = ip.payload;
		uint16_t offset;

		if (ip.payload_len < WIRE_FRAGMENT6_LEN)
			return gate_drop(out, IPC_DROP_ip6_header);
		offset = load_be16(header + WIRE_FRAGMENT6_OFFSET);
		out->l4_offset += WIRE_FRAGMENT6_LEN;
		out->l4_len -= WIRE_FRAGMENT6_LEN;
		out->protocol = header[WIRE_FRAGMENT6_NEXT];
		out->fragment_id = load_be32(header + WIRE_FRAGMENT6_ID);
		out->fragment_more = (offset & WIRE_FRAGMENT6_MORE) != 0;
		out->fragment_offset = offset & (uint16_t) ~(WIRE_FRAGMENT_UNIT - 1);
	}

	/* RFC 4861: a node without an address sends from ::; gate_l4.c checks that. */
	if (!ip6_is_unspecified(ip.src) && !gate_may_be_guest6(gate, ip.src))
		return gate_drop(out, IPC_DROP_ip6_source);
	if (ip6_is_never_on_a_wire(ip.dst))
		return gate_drop(out, IPC_DROP_ip6_destination);

	switch (out->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMPV6:
		break;
	case IPPROTO_HOPOPTS:
		return gate_drop(out,
		    is_listener_report(frame + out->l4_offset, out->l4_len)
			? IPC_DROP_ip6_mld
			: IPC_DROP_ip6_extension);
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_NONE:
	case IPPROTO_DSTOPTS:
	case IPPROTO_MH:
		return gate_drop(out, IPC_DROP_ip6_extension);
	default:
		return gate_drop(out, IPC_DROP_ip_protocol);
	}
	if (is_fragment)
		return GATE_FRAGMENT;
	return gate_l4_check(&(struct gate_packet){
	    .gate = gate,
	    .l3 = frame + WIRE_ETH_LEN,
	    .l4 = frame + out->l4_offset,
	    .out = out,
	    .place = ip6_place(gate, ip.dst),
	    .from_unspecified = ip6_is_unspecified(ip.src),
	    .now_ms = now_ms,
	});
}

enum gate_verdict
gate_check(struct gate *gate, uint8_t *frame, size_t frame_len, uint64_t now_ms,
    struct gate_frame *out)
{
	*out = (struct gate_frame){ .len = frame_len };

	if (frame_len < WIRE_ETH_LEN)
		return gate_drop(out, IPC_DROP_frame_short);
	if (!gate_mac_is_one_host(frame + WIRE_ETH_SRC))
		return gate_drop(out, IPC_DROP_ether_source);

	out->ethertype = load_be16(frame + WIRE_ETH_TYPE);
	switch (out->ethertype) {
	case WIRE_TYPE_ARP:
		return check_arp(gate, frame, frame_len, out);
	case WIRE_TYPE_IP4:
		return check_ip4(gate, frame, frame_len, now_ms, out);
	case WIRE_TYPE_IP6:
		if (gate->config.enable_ipv6)
			return check_ip6(gate, frame, frame_len, now_ms, out);
		return gate_drop(out, IPC_DROP_ip6_off);
	}
	/* Drops VLAN tags too, and NC-SI (0x88f8), which libslirp would parse. */
	return gate_drop(out, IPC_DROP_ethertype);
}
