/* The address and the checksum of DHCP replies. */
#include "slirp-worker/dhcp_reply.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "slirp-worker/wire.h"

/* libslirp writes no IPv4 options. */
#define UDP_OFFSET (WIRE_ETH_LEN + WIRE_IP4_LEN)
#define MESSAGE_OFFSET (UDP_OFFSET + WIRE_UDP_LEN)

bool
dhcp_reply_is_one(const uint8_t *frame, size_t frame_len)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN;
	const uint8_t *udp = frame + UDP_OFFSET;

	return frame_len >= MESSAGE_OFFSET + WIRE_DHCP_OPTIONS &&
	    load_be16(frame + WIRE_ETH_TYPE) == WIRE_TYPE_IP4 &&
	    ip[WIRE_IP4_PROTOCOL] == IPPROTO_UDP &&
	    load_be32(ip + WIRE_IP4_DST) == INADDR_BROADCAST &&
	    load_be16(udp + WIRE_UDP_SRC_PORT) == GATE_DHCP4_SERVER_PORT &&
	    load_be16(udp + WIRE_UDP_DST_PORT) == GATE_DHCP4_CLIENT_PORT;
}

/* Writes the destination's half at offset, and updates both checksums that cover it. */
static void
set_destination_half(uint8_t *frame, size_t offset, const uint8_t *address)
{
	uint8_t *checksums[] = {
		frame + WIRE_ETH_LEN + WIRE_IP4_CHECKSUM,
		frame + UDP_OFFSET + WIRE_UDP_CHECKSUM,
	};
	uint8_t *half = frame + WIRE_ETH_LEN + WIRE_IP4_DST + offset;

	for (int i = 0; i < 2; i++)
		store_be16(checksums[i],
		    checksum_update(load_be16(checksums[i]), load_be16(half),
			load_be16(address + offset)));
	memcpy(half, address + offset, 2);
}

void
dhcp_reply_rewrite(const struct gate_dhcp4 *last_request, uint8_t *frame)
{
	const uint8_t *message = frame + MESSAGE_OFFSET;
	uint8_t *checksum = frame + UDP_OFFSET + WIRE_UDP_CHECKSUM;

	if (load_be32(message + WIRE_DHCP_XID) == last_request->xid &&
	    memcmp(message + WIRE_DHCP_YIADDR, last_request->ciaddr,
		sizeof(last_request->ciaddr)) == 0) {
		set_destination_half(frame, 0, last_request->ciaddr);
		set_destination_half(frame, 2, last_request->ciaddr);
		memcpy(frame + WIRE_ETH_DST, message + WIRE_DHCP_CHADDR, WIRE_MAC_LEN);
	}
	/* RFC 768 writes a checksum of zero as all ones, which BusyBox's udhcpc takes for
	 * wrong (networking/udhcp/packet.c). None at all is right for every client. */
	if (load_be16(checksum) == UINT16_MAX)
		store_be16(checksum, 0);
}
