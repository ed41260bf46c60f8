/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks TCP, UDP and ICMP of each packet of the guest, and decides where it may go.
 *
 * Theory of operation
 * gate_l4.c runs in the worker. It decides whether a guest reaches the host's loopback. All
 * addresses of the virtual network but the name server's stand for it, so the gate closes
 * the whole network. Answers to a forward's peers pass.
 */
#include "slirp-worker/gate/gate_l4.h"

#include "base/bytes.h"
#include "base/dnsname.h"
#include "slirp-worker/gate/gate_dhcp.h"
#include "slirp-worker/gate/gate_icmp_error.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

#include <string.h>

#define ND_SOLICITATION_LEN 8 /* of a router; neighbor messages have a target too */

const uint8_t gate_solicited_node_prefix[GATE_SOLICITED_NODE_PREFIX_LEN] = { 0xff,
	0x02, [11] = 1, [12] = 0xff };

/* RFC 8415 7.1: ff02::1:2 */
static const uint8_t dhcp6_servers[16] = { 0xff, 0x02, [13] = 1, [15] = 2 };

static bool
is_ip4(const struct gate_packet *packet)
{
	return packet->out->ethertype == WIRE_TYPE_IP4;
}

static bool
loopback_is_closed(const struct gate_packet *packet)
{
	return !packet->gate->config.allow_host_loopback;
}

static enum gate_verdict
drop_source(const struct gate_packet *packet)
{
	return gate_drop(packet->out,
	    is_ip4(packet) ? IPC_DROP_ip4_source : IPC_DROP_ip6_source);
}

static enum gate_verdict
check_nameserver(const struct gate_packet *packet, uint16_t port)
{
	if (packet->gate->config.enable_dns && port == DNS_PORT)
		return GATE_PASS;
	return gate_refuse(packet->out, IPC_DROP_nameserver);
}

static bool
tcp_options_are_well_formed(const uint8_t *option, size_t len)
{
	while (len > 0 && option[0] != WIRE_TCP_OPTION_END) {
		size_t option_len = 1;

		if (option[0] != WIRE_TCP_OPTION_NOP) {
			if (len < WIRE_TCP_OPTION_MIN_LEN ||
			    option[1] < WIRE_TCP_OPTION_MIN_LEN || option[1] > len)
				return false;
			option_len = option[1];
		}
		if (option[0] == WIRE_TCP_OPTION_MSS &&
		    option_len != WIRE_TCP_OPTION_MSS_LEN)
			return false;
		option += option_len;
		len -= option_len;
	}
	return true;
}

/* Sets an aligned 16-bit field that the packet's checksum covers. */
static void
rewrite_be16(uint8_t *field, uint16_t value, uint8_t *checksum)
{
	store_be16(checksum,
	    checksum_update(load_be16(checksum), load_be16(field), value));
	store_be16(field, value);
}

/* Stacks disagree on urgent data, and attacks have used this. RFC 6093 advises programs
 * not to use it. Without the flag the data stays in line. */
static void
tcp_clear_urgent(uint8_t *tcp)
{
	uint16_t offset_and_flags = load_be16(tcp + WIRE_TCP_DATA_OFFSET);

	if ((offset_and_flags & WIRE_TCP_URG) == 0 &&
	    load_be16(tcp + WIRE_TCP_URGENT) == 0)
		return;
	rewrite_be16(tcp + WIRE_TCP_DATA_OFFSET,
	    offset_and_flags & (uint16_t)~WIRE_TCP_URG, tcp + WIRE_TCP_CHECKSUM);
	rewrite_be16(tcp + WIRE_TCP_URGENT, 0, tcp + WIRE_TCP_CHECKSUM);
}

/* A SYN without ACK opens a connection, whatever other flags are set. */
static bool
tcp_opens(const uint8_t *tcp)
{
	return (tcp[WIRE_TCP_FLAGS] & (WIRE_TCP_SYN | WIRE_TCP_ACK_FLAG)) == WIRE_TCP_SYN;
}

static enum gate_verdict
check_tcp(const struct gate_packet *packet)
{
	struct gate_frame *out = packet->out;
	uint8_t *tcp = packet->l4;
	size_t header_len;

	if (out->l4_len < WIRE_TCP_LEN)
		return gate_drop(out, IPC_DROP_tcp_header);
	header_len = (size_t)(tcp[WIRE_TCP_DATA_OFFSET] >> 4) * 4;
	if (header_len < WIRE_TCP_LEN || header_len > out->l4_len)
		return gate_drop(out, IPC_DROP_tcp_header);
	if (!tcp_options_are_well_formed(tcp + WIRE_TCP_LEN, header_len - WIRE_TCP_LEN))
		return gate_drop(out, IPC_DROP_tcp_options);
	if (packet->from_unspecified)
		return drop_source(packet);
	tcp_clear_urgent(tcp);

	switch (packet->place) {
	case GATE_PLACE_OUTSIDE:
		return GATE_PASS;
	case GATE_PLACE_NAMESERVER:
		return check_nameserver(packet, load_be16(tcp + WIRE_TCP_DST_PORT));
	case GATE_PLACE_GATEWAY:
	case GATE_PLACE_NETWORK:
		/* Other segments belong to a connection that the stack knows; the stack
		 * resets the rest. So the guest's replies to a forward's peers on the
		 * host's loopback pass. */
		if (loopback_is_closed(packet) && tcp_opens(tcp))
			return gate_refuse(out, IPC_DROP_host_loopback_tcp);
		return GATE_PASS;
	case GATE_PLACE_LINK:
	case GATE_PLACE_LINK_OWN:
		return gate_drop(out, IPC_DROP_ip6_link_scope);
	case GATE_PLACE_NETWORK_BROADCAST:
	case GATE_PLACE_BROADCAST:
	case GATE_PLACE_MULTICAST:
	case GATE_PLACE_LINK_GROUP:
		break;
	}
	return gate_drop(out, IPC_DROP_tcp_group);
}

/* libslirp uses the IP length in some places and UDP's in others: make them equal. */
static void
udp_trim(const struct gate_packet *packet, size_t udp_len)
{
	struct gate_frame *out = packet->out;

	out->len -= out->l4_len - udp_len;
	out->l4_len = udp_len;
	if (is_ip4(packet))
		rewrite_be16(packet->l3 + WIRE_IP4_TOTAL_LEN,
		    (uint16_t)(out->len - WIRE_ETH_LEN), packet->l3 + WIRE_IP4_CHECKSUM);
	else
		store_be16(packet->l3 + WIRE_IP6_PAYLOAD_LEN, (uint16_t)udp_len);
}

/* The servers of engine/link on UDP. */
static bool
is_for_dhcp4(const struct gate_packet *packet, uint16_t port)
{
	return is_ip4(packet) && port == GATE_DHCP4_SERVER_PORT &&
	    (packet->place == GATE_PLACE_GATEWAY ||
		packet->place == GATE_PLACE_BROADCAST);
}

static bool
is_for_dhcp6(const struct gate_packet *packet, uint16_t port)
{
	return !is_ip4(packet) && port == GATE_DHCP6_SERVER_PORT &&
	    (packet->place == GATE_PLACE_GATEWAY ||
		memcmp(packet->out->dst, dhcp6_servers, sizeof(dhcp6_servers)) == 0);
}

static bool
is_for_tftp(const struct gate_packet *packet, uint16_t port)
{
	return port == WIRE_TFTP_PORT && packet->place != GATE_PLACE_OUTSIDE &&
	    packet->place != GATE_PLACE_MULTICAST;
}

static bool
udp_is_reply(const struct gate_packet *packet, uint16_t src_port, uint16_t dst_port)
{
	const struct gate *gate = packet->gate;
	struct flow_key key =
	    flow_key_udp(packet->out->ethertype, packet->out->src, src_port, dst_port);

	memcpy(key.peer_address, packet->out->dst, is_ip4(packet) ? 4 : 16);
	return gate->knows_udp && gate->knows_udp(gate->ctx, &key);
}

static enum gate_verdict
check_udp_place(const struct gate_packet *packet, uint16_t src_port, uint16_t dst_port)
{
	struct gate_frame *out = packet->out;

	switch (packet->place) {
	case GATE_PLACE_OUTSIDE:
	case GATE_PLACE_MULTICAST:
		return GATE_PASS;
	case GATE_PLACE_NAMESERVER:
		return check_nameserver(packet, dst_port);
	case GATE_PLACE_GATEWAY:
		if (!loopback_is_closed(packet) ||
		    udp_is_reply(packet, src_port, dst_port))
			return GATE_PASS;
		return gate_refuse(out, IPC_DROP_host_loopback_udp);
	case GATE_PLACE_NETWORK:
		if (!loopback_is_closed(packet))
			return GATE_PASS;
		return gate_refuse(out, IPC_DROP_host_loopback_udp);
	case GATE_PLACE_NETWORK_BROADCAST:
	case GATE_PLACE_BROADCAST:
		if (!loopback_is_closed(packet))
			return GATE_PASS;
		return gate_drop(out, IPC_DROP_broadcast);
	case GATE_PLACE_LINK:
	case GATE_PLACE_LINK_OWN:
	case GATE_PLACE_LINK_GROUP:
		break;
	}
	return gate_drop(out, IPC_DROP_ip6_link_scope);
}

static enum gate_udp
udp_need(enum gate_place place)
{
	switch (place) {
	case GATE_PLACE_NAMESERVER:
		return GATE_UDP_DNS;
	case GATE_PLACE_OUTSIDE:
	case GATE_PLACE_GATEWAY:
	case GATE_PLACE_NETWORK:
		return GATE_UDP_SOCKET;
	default:
		return GATE_UDP_GROUP;
	}
}

static enum gate_verdict
check_udp(const struct gate_packet *packet)
{
	struct gate_frame *out = packet->out;
	const uint8_t *udp = packet->l4;
	const uint8_t *message = udp + WIRE_UDP_LEN;
	uint16_t src_port, dst_port;
	size_t udp_len, message_len;

	if (out->l4_len < WIRE_UDP_LEN)
		return gate_drop(out, IPC_DROP_udp_length);
	udp_len = load_be16(udp + WIRE_UDP_LENGTH);
	if (udp_len < WIRE_UDP_LEN || udp_len > out->l4_len)
		return gate_drop(out, IPC_DROP_udp_length);
	if (!is_ip4(packet) && load_be16(udp + WIRE_UDP_CHECKSUM) == 0)
		return gate_drop(out, IPC_DROP_udp_checksum);
	if (udp_len < out->l4_len)
		udp_trim(packet, udp_len);

	message_len = udp_len - WIRE_UDP_LEN;
	src_port = load_be16(udp + WIRE_UDP_SRC_PORT);
	dst_port = load_be16(udp + WIRE_UDP_DST_PORT);

	if (is_for_dhcp4(packet, dst_port)) {
		if (!gate_dhcp4_is_request(message, message_len))
			return gate_drop(out, IPC_DROP_dhcp);
		gate_dhcp4_note_request(&packet->gate->dhcp, message);
		return GATE_PASS;
	}
	if (packet->from_unspecified)
		return drop_source(packet);
	if (is_for_dhcp6(packet, dst_port)) {
		/* RFC 8415 7.2: clients send from this port. */
		if (src_port != GATE_DHCP6_CLIENT_PORT ||
		    !gate_dhcp6_is_information_request(message, message_len))
			return gate_drop(out, IPC_DROP_dhcp6);
		return GATE_PASS;
	}
	if (is_for_tftp(packet, dst_port))
		return gate_drop(out, IPC_DROP_tftp);
	out->udp = udp_need(packet->place);
	return check_udp_place(packet, src_port, dst_port);
}

/* The stack answers echo requests to its own addresses; ping.c sends the others to the
 * host's network. The kernel computes a new checksum, so check the guest's first. */
static enum gate_verdict
check_echo(const struct gate_packet *packet)
{
	struct gate_frame *out = packet->out;

	if (packet->l4[WIRE_ICMP_CODE] != 0)
		return gate_drop(out, IPC_DROP_icmp_type);
	if (packet->from_unspecified)
		return drop_source(packet);

	switch (packet->place) {
	case GATE_PLACE_GATEWAY:
	case GATE_PLACE_NAMESERVER:
	case GATE_PLACE_LINK_OWN:
		return GATE_PASS;
	case GATE_PLACE_NETWORK:
		if (loopback_is_closed(packet))
			return gate_refuse(out, IPC_DROP_host_loopback_icmp);
		break;
	case GATE_PLACE_OUTSIDE:
		break;
	case GATE_PLACE_LINK:
	case GATE_PLACE_LINK_GROUP:
		return gate_drop(out, IPC_DROP_ip6_link_scope);
	case GATE_PLACE_NETWORK_BROADCAST:
	case GATE_PLACE_BROADCAST:
	case GATE_PLACE_MULTICAST:
		return gate_drop(out, IPC_DROP_icmp_group);
	}
	if (ip_l4_checksum(packet->l3, out->protocol, packet->l4, out->l4_len) != 0)
		return gate_drop(out, IPC_DROP_icmp_checksum);
	return GATE_PING;
}

/* A router of the guest says that a segment of ours is too long for it, or reaches nobody.
 * Only addresses that send segments to the guest may be meant. */
static enum gate_verdict
check_icmp_error(const struct gate_packet *packet)
{
	struct gate_frame *out = packet->out;

	if (packet->from_unspecified)
		return drop_source(packet);
	if (packet->place != GATE_PLACE_OUTSIDE && packet->place != GATE_PLACE_GATEWAY &&
	    packet->place != GATE_PLACE_NAMESERVER && packet->place != GATE_PLACE_NETWORK)
		return gate_drop(out, IPC_DROP_icmp_type);
	if (!gate_icmp_error_parse(packet, &out->icmp_error))
		return gate_drop(out, IPC_DROP_icmp_type);
	if (ip_l4_checksum(packet->l3, out->protocol, packet->l4, out->l4_len) != 0)
		return gate_drop(out, IPC_DROP_icmp_checksum);
	return GATE_ICMP_ERROR;
}

static enum gate_verdict
check_icmp4(const struct gate_packet *packet)
{
	struct gate_frame *out = packet->out;

	if (out->l4_len < WIRE_ICMP_LEN)
		return gate_drop(out, IPC_DROP_icmp_length);
	switch (packet->l4[WIRE_ICMP_TYPE]) {
	case WIRE_ICMP4_ECHO:
		return check_echo(packet);
	case WIRE_ICMP4_UNREACHABLE:
		return check_icmp_error(packet);
	default:
		return gate_drop(out, IPC_DROP_icmp_type);
	}
}

static bool
nd_options_are_well_formed(const uint8_t *option, size_t len)
{
	while (len > 0) {
		size_t option_len;

		if (len < WIRE_ND_OPTION_UNIT || option[1] == 0)
			return false;
		option_len = (size_t)option[1] * WIRE_ND_OPTION_UNIT;
		if (option_len > len)
			return false;
		option += option_len;
		len -= option_len;
	}
	return true;
}

/* The checks of RFC 4861 6.1.1, 7.1.1 and 7.1.2 that do not need a node's state. */
static bool
nd_is_well_formed(const struct gate_packet *packet, size_t head_len)
{
	const uint8_t *nd = packet->l4;
	bool has_target = head_len > WIRE_ND_TARGET;

	if (packet->out->l4_len < head_len || nd[WIRE_ICMP_CODE] != 0 ||
	    packet->out->ttl != WIRE_ND_HOP_LIMIT)
		return false;
	if (packet->place == GATE_PLACE_OUTSIDE || packet->place == GATE_PLACE_MULTICAST)
		return false;
	if (has_target && nd[WIRE_ND_TARGET] == 0xff)
		return false;
	if (packet->from_unspecified) {
		if (nd[WIRE_ICMP_TYPE] == WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT)
			return false;
		if (nd[WIRE_ICMP_TYPE] == WIRE_ICMP6_NEIGHBOR_SOLICITATION &&
		    memcmp(packet->out->dst, gate_solicited_node_prefix,
			sizeof(gate_solicited_node_prefix)) != 0)
			return false;
	}
	return nd_options_are_well_formed(nd + head_len, packet->out->l4_len - head_len);
}

static enum gate_verdict
check_icmp6(const struct gate_packet *packet)
{
	size_t nd_head_len = WIRE_ND_NEIGHBOR_LEN;

	if (packet->out->l4_len < WIRE_ICMP_LEN)
		return gate_drop(packet->out, IPC_DROP_icmp_length);

	switch (packet->l4[WIRE_ICMP_TYPE]) {
	case WIRE_ICMP6_ECHO:
		return check_echo(packet);
	case WIRE_ICMP6_UNREACHABLE:
	case WIRE_ICMP6_TOO_BIG:
		return check_icmp_error(packet);
	case WIRE_ICMP6_ROUTER_SOLICITATION:
		nd_head_len = ND_SOLICITATION_LEN;
		break;
	case WIRE_ICMP6_NEIGHBOR_SOLICITATION:
	case WIRE_ICMP6_NEIGHBOR_ADVERTISEMENT:
		break;
	default:
		return gate_drop(packet->out, IPC_DROP_icmp_type);
	}
	if (!nd_is_well_formed(packet, nd_head_len))
		return gate_drop(packet->out, IPC_DROP_nd_message);
	if (ip_l4_checksum(packet->l3, packet->out->protocol, packet->l4,
		packet->out->l4_len) != 0)
		return gate_drop(packet->out, IPC_DROP_icmp_checksum);
	return GATE_PASS;
}

enum gate_verdict
gate_l4_check(const struct gate_packet *packet)
{
	/* gate.c passes only the ICMP of the packet's family. */
	switch (packet->out->protocol) {
	case IPPROTO_TCP:
		return check_tcp(packet);
	case IPPROTO_UDP:
		return check_udp(packet);
	case IPPROTO_ICMP:
		return check_icmp4(packet);
	default:
		return check_icmp6(packet);
	}
}
