/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the parts of TCP segments. */
#include "slirp-worker/wire/segment.h"

#include <netinet/in.h>

#include "slirp-worker/wire/ip.h"

bool
segment_parse(const uint8_t *frame, size_t frame_len, struct segment *segment)
{
	struct ip_packet ip;
	size_t tcp_len;

	if (!ip_parse(frame, frame_len, &ip) || ip.protocol != IPPROTO_TCP ||
	    ip4_is_fragment(&ip) || ip.payload_len < WIRE_TCP_LEN)
		return false;
	tcp_len = (size_t)(ip.payload[WIRE_TCP_DATA_OFFSET] >> 4) * 4;
	if (tcp_len < WIRE_TCP_LEN || tcp_len > ip.payload_len)
		return false;
	*segment = (struct segment){
		.is_ip6 = ip.is_ip6,
		.l4_offset = WIRE_ETH_LEN + ip.header_len,
		.data_offset = WIRE_ETH_LEN + ip.header_len + tcp_len,
		.data_len = ip.payload_len - tcp_len,
	};
	return true;
}
