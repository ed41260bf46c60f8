/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the parts of TCP segments; compares each length with the frame's before use. */
#include "slirp-worker/wire/segment.h"

#include <netinet/in.h>

#include "base/bytes.h"

bool
segment_parse(const uint8_t *frame, size_t frame_len, struct segment *segment)
{
	const uint8_t *ip = frame + WIRE_ETH_LEN;
	size_t header_len, total_len, tcp_len;
	uint16_t type;

	if (frame_len < WIRE_ETH_LEN + WIRE_IP4_LEN)
		return false;
	frame_len -= WIRE_ETH_LEN;
	type = load_be16(frame + WIRE_ETH_TYPE);
	if (type == WIRE_TYPE_IP4) {
		if (ip[WIRE_IP4_PROTOCOL] != IPPROTO_TCP ||
		    (load_be16(ip + WIRE_IP4_FRAGMENT) &
			(WIRE_IP4_MORE_FRAGMENTS | WIRE_IP4_OFFSET_MASK)) != 0)
			return false;
		header_len = (size_t)(ip[WIRE_IP4_VERSION_IHL] & 0x0f) * 4;
		total_len = load_be16(ip + WIRE_IP4_TOTAL_LEN);
		if (header_len < WIRE_IP4_LEN)
			return false;
	} else if (type == WIRE_TYPE_IP6) {
		if (frame_len < WIRE_IP6_LEN || ip[WIRE_IP6_NEXT] != IPPROTO_TCP)
			return false;
		header_len = WIRE_IP6_LEN;
		total_len = header_len + load_be16(ip + WIRE_IP6_PAYLOAD_LEN);
	} else {
		return false;
	}
	if (total_len > frame_len || total_len < header_len + WIRE_TCP_LEN)
		return false;
	tcp_len = (size_t)(ip[header_len + WIRE_TCP_DATA_OFFSET] >> 4) * 4;
	if (tcp_len < WIRE_TCP_LEN || tcp_len > total_len - header_len)
		return false;
	*segment = (struct segment){
		.is_ip6 = type == WIRE_TYPE_IP6,
		.l4_offset = WIRE_ETH_LEN + header_len,
		.data_offset = WIRE_ETH_LEN + header_len + tcp_len,
		.data_len = total_len - header_len - tcp_len,
	};
	return true;
}
