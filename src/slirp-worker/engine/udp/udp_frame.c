/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the frames of UDP datagrams. */
#include "slirp-worker/engine/udp/udp_parts.h"

#include <netinet/in.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

size_t
udp_put_heads(const struct udp_heads *heads, uint8_t *data)
{
	bool is_ip6 = heads->src.is_ipv6;
	size_t ip_len = is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	uint8_t *udp = data - WIRE_UDP_LEN, *ip = udp - ip_len;
	const struct ip_head head = {
		.dst_mac = heads->dst_mac,
		.src_mac = heads->src_mac,
		.src = heads->src.bytes,
		.dst = heads->dst.bytes,
		.is_ip6 = is_ip6,
		.protocol = IPPROTO_UDP,
		.ttl = heads->ttl,
		.tos = heads->tos,
		.id = heads->ip_id,
	};

	store_be16(udp + WIRE_UDP_SRC_PORT, heads->src_port);
	store_be16(udp + WIRE_UDP_DST_PORT, heads->dst_port);
	store_be16(udp + WIRE_UDP_LENGTH, (uint16_t)(WIRE_UDP_LEN + heads->data_len));
	store_be16(udp + WIRE_UDP_CHECKSUM, 0);
	ip_head_write(ip - WIRE_ETH_LEN, &head, WIRE_UDP_LEN + heads->data_len);
	/* IPv6's traffic class follows the version. */
	if (is_ip6)
		store_be16(ip, (uint16_t)(6 << 12 | heads->tos << 4));
	return WIRE_ETH_LEN + ip_len + WIRE_UDP_LEN;
}

void
udp_frame_send(struct udp_host *host, struct udp_heads *heads, uint8_t *data)
{
	uint8_t *udp = data - WIRE_UDP_LEN, *frame, *ip;
	size_t l4_len = WIRE_UDP_LEN + heads->data_len, head_len, frame_len;
	uint16_t checksum;

	heads->ip_id = host->ip_id++;
	head_len = udp_put_heads(heads, data);
	frame = data - head_len;
	ip = frame + WIRE_ETH_LEN;
	frame_len = head_len + heads->data_len;
	if (host->has_offloads && frame_len - WIRE_ETH_LEN <= host->network.mtu_bytes) {
		struct iovec part = { frame - VNET_HEADER_LEN,
			VNET_HEADER_LEN + frame_len };

		store_be16(udp + WIRE_UDP_CHECKSUM,
		    (uint16_t)~checksum_finish(ip_pseudo_sum(ip, IPPROTO_UDP, l4_len)));
		vnet_mark_udp(frame - VNET_HEADER_LEN, (size_t)(udp - frame));
		host->wrote_frame(host->ctx, tapio_writev(host->tap, &part, 1),
		    frame_len);
		return;
	}
	checksum = ip_l4_checksum(ip, IPPROTO_UDP, udp, l4_len);
	/* RFC 768: 0 means that there is no checksum. */
	store_be16(udp + WIRE_UDP_CHECKSUM, checksum == 0 ? UINT16_MAX : checksum);
	host->to_guest(host->ctx, frame, frame_len);
}

void
udp_frame_add(struct udp_host *host, const struct udp_heads *heads,
    const struct udp_read *read)
{
	struct udp_heads own = *heads;
	size_t at = 0;

	do {
		own.data_len =
		    read->len - at < read->piece_len ? read->len - at : read->piece_len;
		/* The headers take the place of the datagram before. */
		udp_frame_send(host, &own, read->data + at);
		at += own.data_len;
	} while (at < read->len);
}

void
udp_frame_end(struct udp_host *host)
{
	(void)host;
}
