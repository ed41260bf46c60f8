/* SPDX-License-Identifier: BSD-2-Clause */
/* Corrects the address and checksum of DHCP replies. */
#include "slirp-worker/engine/link/dhcp_reply.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

/* libslirp writes no IPv4 options. */
#define UDP_OFFSET (WIRE_ETH_LEN + WIRE_IP4_LEN)
#define MESSAGE_OFFSET (UDP_OFFSET + WIRE_UDP_LEN)

static bool
is_reply(const struct gate_dhcp *last, const struct ip_packet *ip)
{
	const uint8_t *udp = ip->payload;

	return ip->payload_len >= WIRE_UDP_LEN + WIRE_DHCP_OPTIONS &&
	    load_be32(ip->dst) == INADDR_BROADCAST &&
	    load_be16(udp + WIRE_UDP_SRC_PORT) == GATE_DHCP4_SERVER_PORT &&
	    load_be16(udp + WIRE_UDP_DST_PORT) == GATE_DHCP4_CLIENT_PORT &&
	    load_be32(udp + WIRE_UDP_LEN + WIRE_DHCP_XID) == last->xid4;
}

bool
dhcp_reply_is_one(const struct gate_dhcp *last, const uint8_t *frame, size_t frame_len)
{
	struct ip_packet ip;

	return ip_parse(frame, frame_len, &ip) && !ip.is_ip6 &&
	    ip.protocol == IPPROTO_UDP && is_reply(last, &ip);
}

void
dhcp_reply_rewrite(const struct gate_dhcp *last, uint8_t *frame)
{
	const uint8_t *message = frame + MESSAGE_OFFSET;
	uint8_t *ip = frame + WIRE_ETH_LEN;
	uint8_t *dst = ip + WIRE_IP4_DST;
	uint8_t *checksum = frame + UDP_OFFSET + WIRE_UDP_CHECKSUM;

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
