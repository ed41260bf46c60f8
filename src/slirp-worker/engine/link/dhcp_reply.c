/* SPDX-License-Identifier: BSD-2-Clause */
/* Corrects DHCP replies: their address and checksum, and DHCPv6's server identifier. */
#include "slirp-worker/engine/link/dhcp_reply.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

/* libslirp writes no IPv4 options and no extension headers. */
#define UDP4_OFFSET (WIRE_ETH_LEN + WIRE_IP4_LEN)
#define UDP6_OFFSET (WIRE_ETH_LEN + WIRE_IP6_LEN)
#define MESSAGE4_OFFSET (UDP4_OFFSET + WIRE_UDP_LEN)

/* RFC 8415 7.3 */
#define DHCP6_REPLY 7

static bool
is_reply4(const struct gate_dhcp *last, const struct ip_packet *ip)
{
	const uint8_t *udp = ip->payload;

	return ip->payload_len >= WIRE_UDP_LEN + WIRE_DHCP_OPTIONS &&
	    load_be32(ip->dst) == INADDR_BROADCAST &&
	    load_be16(udp + WIRE_UDP_SRC_PORT) == GATE_DHCP4_SERVER_PORT &&
	    load_be16(udp + WIRE_UDP_DST_PORT) == GATE_DHCP4_CLIENT_PORT &&
	    load_be32(udp + WIRE_UDP_LEN + WIRE_DHCP_XID) == last->xid4;
}

/* The source port is not checked: libslirp 4.7 sends 547 in the wrong byte order. */
static bool
is_reply6(const struct gate_dhcp *last, const struct ip_packet *ip)
{
	const uint8_t *udp = ip->payload;

	return ip->payload_len >= WIRE_UDP_LEN + WIRE_DHCP6_LEN &&
	    load_be16(udp + WIRE_UDP_DST_PORT) == GATE_DHCP6_CLIENT_PORT &&
	    load_be32(udp + WIRE_UDP_LEN) ==
	    ((uint32_t)DHCP6_REPLY << 24 | last->transaction_id6);
}

bool
dhcp_reply_is_one(const struct gate_dhcp *last, const uint8_t *frame, size_t frame_len)
{
	struct ip_packet ip;

	/* The lengths must be able to grow. */
	if (frame_len > UDP6_OFFSET + UINT16_MAX - DHCP_REPLY_GROWTH_MAX ||
	    !ip_parse(frame, frame_len, &ip) || ip.protocol != IPPROTO_UDP)
		return false;
	return ip.is_ip6 ? is_reply6(last, &ip) : is_reply4(last, &ip);
}

static void
rewrite4(const struct gate_dhcp *last, uint8_t *frame)
{
	const uint8_t *message = frame + MESSAGE4_OFFSET;
	uint8_t *ip = frame + WIRE_ETH_LEN;
	uint8_t *dst = ip + WIRE_IP4_DST;
	uint8_t *checksum = frame + UDP4_OFFSET + WIRE_UDP_CHECKSUM;

	if (memcmp(message + WIRE_DHCP_YIADDR, last->ciaddr, sizeof(last->ciaddr)) == 0) {
		checksum_replace(ip + WIRE_IP4_CHECKSUM, dst, last->ciaddr, 4);
		checksum_replace(checksum, dst, last->ciaddr, 4);
		memcpy(dst, last->ciaddr, 4);
		memcpy(frame + WIRE_ETH_DST, message + WIRE_DHCP_CHADDR, WIRE_MAC_LEN);
	}
	/* RFC 768 writes a checksum of zero as all ones, which BusyBox's udhcpc refuses
	 * (networking/udhcp/dhcpc.c). Every client accepts zero, "no checksum". */
	if (load_be16(checksum) == UINT16_MAX)
		store_be16(checksum, 0);
}

static size_t
append_server_id6(uint8_t *frame, size_t frame_len)
{
	/* OPTION_SERVERID and its length, DUID-LL, Ethernet */
	static const uint8_t option[] = { 0, 2, 0, 4 + WIRE_MAC_LEN, 0, 3, 0, 1 };
	uint8_t *ip = frame + WIRE_ETH_LEN;
	uint8_t *udp = frame + UDP6_OFFSET;
	uint16_t udp_len, checksum;

	memcpy(frame + frame_len, option, sizeof(option));
	memcpy(frame + frame_len + sizeof(option), frame + WIRE_ETH_SRC, WIRE_MAC_LEN);
	frame_len += sizeof(option) + WIRE_MAC_LEN;

	udp_len = (uint16_t)(frame_len - UDP6_OFFSET);
	store_be16(ip + WIRE_IP6_PAYLOAD_LEN, udp_len);
	store_be16(udp + WIRE_UDP_LENGTH, udp_len);
	store_be16(udp + WIRE_UDP_CHECKSUM, 0);
	checksum = ip_l4_checksum(ip, IPPROTO_UDP, udp, udp_len);
	store_be16(udp + WIRE_UDP_CHECKSUM, checksum != 0 ? checksum : UINT16_MAX);
	return frame_len;
}

size_t
dhcp_reply_rewrite(const struct gate_dhcp *last, uint8_t *frame, size_t frame_len)
{
	if (load_be16(frame + WIRE_ETH_TYPE) == WIRE_TYPE_IP6)
		return append_server_id6(frame, frame_len);
	rewrite4(last, frame);
	return frame_len;
}
