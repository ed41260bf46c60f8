/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the parts of TCP segments. */
#include "slirp-worker/wire/segment.h"

#include "slirp-worker/wire/ip.h"
#include "slirp-worker/wire/tcp_segment.h"

bool
segment_parse(const uint8_t *frame, size_t frame_len, struct segment *segment)
{
	struct ip_packet ip;
	size_t tcp_len;

	if (!tcp_find(frame, frame_len, &ip, &tcp_len))
		return false;
	*segment = (struct segment){
		.is_ip6 = ip.is_ip6,
		.l4_offset = WIRE_ETH_LEN + ip.header_len,
		.data_offset = WIRE_ETH_LEN + ip.header_len + tcp_len,
		.data_len = ip.payload_len - tcp_len,
	};
	return true;
}
