/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses, writes and sums IP headers; compares each length with the frame's before use. */
#include "slirp-worker/wire/ip.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"

static bool
parse4(const uint8_t *ip, size_t len, struct ip_packet *packet)
{
	size_t header_len, total_len;

	if (len < WIRE_IP4_LEN || ip[WIRE_IP4_VERSION_IHL] >> 4 != 4)
		return false;
	header_len = (size_t)(ip[WIRE_IP4_VERSION_IHL] & 0x0f) * 4;
	total_len = load_be16(ip + WIRE_IP4_TOTAL_LEN);
	if (header_len < WIRE_IP4_LEN || header_len > total_len || total_len > len)
		return false;
	*packet = (struct ip_packet){
		.header = ip,
		.src = ip + WIRE_IP4_SRC,
		.dst = ip + WIRE_IP4_DST,
		.payload = ip + header_len,
		.header_len = header_len,
		.payload_len = total_len - header_len,
		.protocol = ip[WIRE_IP4_PROTOCOL],
		.ttl = ip[WIRE_IP4_TTL],
		.fragment = load_be16(ip + WIRE_IP4_FRAGMENT),
	};
	return true;
}

static bool
parse6(const uint8_t *ip, size_t len, struct ip_packet *packet)
{
	size_t payload_len;

	if (len < WIRE_IP6_LEN || ip[WIRE_IP6_VERSION] >> 4 != 6)
		return false;
	/* A jumbogram (RFC 2675) has length 0, which no transport header fits in. */
	payload_len = load_be16(ip + WIRE_IP6_PAYLOAD_LEN);
	if (payload_len > len - WIRE_IP6_LEN)
		return false;
	*packet = (struct ip_packet){
		.header = ip,
		.src = ip + WIRE_IP6_SRC,
		.dst = ip + WIRE_IP6_DST,
		.payload = ip + WIRE_IP6_LEN,
		.header_len = WIRE_IP6_LEN,
		.payload_len = payload_len,
		.is_ip6 = true,
		.protocol = ip[WIRE_IP6_NEXT],
		.ttl = ip[WIRE_IP6_HOP_LIMIT],
	};
	return true;
}

bool
ip_parse(const uint8_t *frame, size_t frame_len, struct ip_packet *packet)
{
	if (frame_len < WIRE_ETH_LEN)
		return false;
	switch (load_be16(frame + WIRE_ETH_TYPE)) {
	case WIRE_TYPE_IP4:
		return parse4(frame + WIRE_ETH_LEN, frame_len - WIRE_ETH_LEN, packet);
	case WIRE_TYPE_IP6:
		return parse6(frame + WIRE_ETH_LEN, frame_len - WIRE_ETH_LEN, packet);
	default:
		return false;
	}
}

static void
write4(uint8_t *ip, const struct ip_head *head, size_t payload_len)
{
	size_t total_len = WIRE_IP4_LEN + payload_len;

	ip[WIRE_IP4_VERSION_IHL] = 4 << 4 | WIRE_IP4_LEN / 4;
	ip[WIRE_IP4_TOS] = head->tos;
	store_be16(ip + WIRE_IP4_TOTAL_LEN,
	    total_len > UINT16_MAX ? 0 : (uint16_t)total_len);
	store_be16(ip + WIRE_IP4_ID, head->id);
	store_be16(ip + WIRE_IP4_FRAGMENT, head->fragment);
	ip[WIRE_IP4_TTL] = head->ttl;
	ip[WIRE_IP4_PROTOCOL] = head->protocol;
	memcpy(ip + WIRE_IP4_SRC, head->src, 4);
	memcpy(ip + WIRE_IP4_DST, head->dst, 4);
	ip4_refresh_checksum(ip);
}

static void
write6(uint8_t *ip, const struct ip_head *head, size_t payload_len)
{
	store_be32(ip + WIRE_IP6_VERSION, 6u << 28);
	store_be16(ip + WIRE_IP6_PAYLOAD_LEN, (uint16_t)payload_len);
	ip[WIRE_IP6_NEXT] = head->protocol;
	ip[WIRE_IP6_HOP_LIMIT] = head->ttl;
	memcpy(ip + WIRE_IP6_SRC, head->src, 16);
	memcpy(ip + WIRE_IP6_DST, head->dst, 16);
}

size_t
ip_head_write(uint8_t out[IP_HEAD_MAX], const struct ip_head *head, size_t payload_len)
{
	memcpy(out + WIRE_ETH_DST, head->dst_mac, WIRE_MAC_LEN);
	memcpy(out + WIRE_ETH_SRC, head->src_mac, WIRE_MAC_LEN);
	store_be16(out + WIRE_ETH_TYPE, head->is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4);
	if (head->is_ip6) {
		write6(out + WIRE_ETH_LEN, head, payload_len);
		return WIRE_ETH_LEN + WIRE_IP6_LEN;
	}
	write4(out + WIRE_ETH_LEN, head, payload_len);
	return WIRE_ETH_LEN + WIRE_IP4_LEN;
}

void
ip4_refresh_checksum(uint8_t *header)
{
	size_t header_len = (size_t)(header[WIRE_IP4_VERSION_IHL] & 0x0f) * 4;

	store_be16(header + WIRE_IP4_CHECKSUM, 0);
	store_be16(header + WIRE_IP4_CHECKSUM,
	    checksum_finish(checksum_add(0, header, header_len)));
}

uint64_t
ip_pseudo_sum(const uint8_t *header, uint8_t protocol, size_t l4_len)
{
	const uint32_t rest[] = { htonl(protocol), htonl((uint32_t)l4_len) };
	uint64_t sum = checksum_add(0, rest, sizeof(rest));

	/* In the header, the destination is behind the source. */
	if (header[WIRE_IP6_VERSION] >> 4 == 6)
		return checksum_add(sum, header + WIRE_IP6_SRC, 32);
	return protocol == IPPROTO_ICMP ? 0 : checksum_add(sum, header + WIRE_IP4_SRC, 8);
}

uint16_t
ip_l4_checksum(const uint8_t *header, uint8_t protocol, const uint8_t *l4, size_t l4_len)
{
	return checksum_finish(
	    checksum_add(ip_pseudo_sum(header, protocol, l4_len), l4, l4_len));
}
