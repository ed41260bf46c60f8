/* SPDX-License-Identifier: BSD-2-Clause */
/* Replaces the host's loopback by the gateway as source of frames to the guest. */
#include "slirp-worker/engine/slirp/peer_source.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/wire.h"

/* Only these two: libslirp sends UDP to the gateway to 127.0.0.1 or ::1. A peer at
 * another address of 127/8 would not get the answer, and another process might. */
static const uint8_t loopback4[4] = { 127, 0, 0, 1 };
static const uint8_t loopback6[16] = { [15] = 1 };

bool
peer_source_is_loopback(const uint8_t *frame, size_t frame_len)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN;

	if (frame_len < WIRE_ETH_LEN + WIRE_IP4_LEN)
		return false;
	switch (load_be16(frame + WIRE_ETH_TYPE)) {
	case WIRE_TYPE_IP4:
		return ip[WIRE_IP4_PROTOCOL] == IPPROTO_UDP &&
		    memcmp(ip + WIRE_IP4_SRC, loopback4, sizeof(loopback4)) == 0;
	case WIRE_TYPE_IP6:
		return frame_len >= WIRE_ETH_LEN + WIRE_IP6_LEN &&
		    ip[WIRE_IP6_NEXT] == IPPROTO_UDP &&
		    memcmp(ip + WIRE_IP6_SRC, loopback6, sizeof(loopback6)) == 0;
	default:
		return false;
	}
}

void
peer_source_replace(const struct ipc_network *network, uint8_t *frame, size_t frame_len)
{
	bool is_ip4 = load_be16(frame + WIRE_ETH_TYPE) == WIRE_TYPE_IP4;
	uint8_t *ip = frame + WIRE_ETH_LEN;
	uint8_t *source = ip + (is_ip4 ? WIRE_IP4_SRC : WIRE_IP6_SRC);
	const uint8_t *gateway =
	    is_ip4 ? (const uint8_t *)&network->host_be : network->host6.s6_addr;
	size_t len = is_ip4 ? sizeof(network->host_be) : sizeof(network->host6);
	/* libslirp writes no IPv4 options and no extension headers. */
	uint8_t *udp = ip + (is_ip4 ? WIRE_IP4_LEN : WIRE_IP6_LEN);
	bool has_udp_header =
	    !is_ip4 || (load_be16(ip + WIRE_IP4_FRAGMENT) & WIRE_IP4_OFFSET_MASK) == 0;
	uint8_t *checksum = udp + WIRE_UDP_CHECKSUM;

	if (has_udp_header && frame_len >= (size_t)(udp - frame) + WIRE_UDP_LEN &&
	    load_be16(checksum) != 0) {
		checksum_replace(checksum, source, gateway, len);
		/* RFC 768: 0 means that there is no checksum. */
		if (load_be16(checksum) == 0)
			store_be16(checksum, UINT16_MAX);
	}
	if (is_ip4)
		checksum_replace(ip + WIRE_IP4_CHECKSUM, source, gateway, len);
	memcpy(source, gateway, len);
}
