/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses and writes TCP headers and their options (RFC 9293 3.1). */
#include "slirp-worker/wire/tcp_segment.h"

#include <netinet/in.h>
#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/checksum.h"
#include "slirp-worker/wire/ip.h"

/* The usual initial TTL; the segment crosses one router, the worker. */
#define HEAD_TTL 64

/* Kind and length, before the option's value. */
#define OPTION_HEAD_LEN 2

static void
parse_sack(const uint8_t *option, size_t len, struct tcp_segment *segment)
{
	size_t n = (len - OPTION_HEAD_LEN) / WIRE_TCP_SACK_BLOCK_LEN;

	if (n > TCP_SACK_MAX || len != OPTION_HEAD_LEN + n * WIRE_TCP_SACK_BLOCK_LEN)
		return;
	segment->n_sack = (uint8_t)n;
	option += OPTION_HEAD_LEN;
	for (size_t i = 0; i < n; i++, option += WIRE_TCP_SACK_BLOCK_LEN)
		segment->sack[i] = (struct tcp_sack_block){
			.left = load_be32(option),
			.right = load_be32(option + 4),
		};
}

/* RFC 9293 3.2, RFC 7323 2.2 and RFC 2018 2: three of the options belong to a SYN. */
static void
parse_option(const uint8_t *option, size_t len, struct tcp_segment *segment)
{
	const uint8_t *value = option + OPTION_HEAD_LEN;
	bool is_syn = (segment->flags & WIRE_TCP_SYN) != 0;

	switch (option[0]) {
	case WIRE_TCP_OPTION_MSS:
		if (is_syn && len == WIRE_TCP_OPTION_MSS_LEN)
			segment->mss = load_be16(value);
		break;
	case WIRE_TCP_OPTION_WSCALE:
		if (!is_syn || len != WIRE_TCP_OPTION_WSCALE_LEN)
			break;
		segment->has_wscale = true;
		segment->wscale =
		    *value < WIRE_TCP_WSCALE_MAX ? *value : WIRE_TCP_WSCALE_MAX;
		break;
	case WIRE_TCP_OPTION_SACK_OK:
		if (is_syn && len == WIRE_TCP_OPTION_SACK_OK_LEN)
			segment->sack_ok = true;
		break;
	case WIRE_TCP_OPTION_SACK:
		if (!is_syn)
			parse_sack(option, len, segment);
		break;
	}
}

static void
parse_options(const uint8_t *option, const uint8_t *end, struct tcp_segment *segment)
{
	size_t len;

	for (; option < end && *option != WIRE_TCP_OPTION_END; option += len) {
		len = 1;
		if (*option == WIRE_TCP_OPTION_NOP)
			continue;
		if (end - option < WIRE_TCP_OPTION_MIN_LEN)
			return;
		len = option[1];
		if (len < WIRE_TCP_OPTION_MIN_LEN || len > (size_t)(end - option))
			return;
		parse_option(option, len, segment);
	}
}

/* Finds the TCP header of a frame: it is *tcp_len bytes long, with options, at ip->payload.
 * False as in tcp_segment_parse(). */
static bool
find_header(const uint8_t *frame, size_t frame_len, struct ip_packet *ip, size_t *tcp_len)
{
	if (!ip_parse(frame, frame_len, ip) || ip->protocol != IPPROTO_TCP ||
	    ip4_is_fragment(ip) || ip->payload_len < WIRE_TCP_LEN)
		return false;
	*tcp_len = (size_t)(ip->payload[WIRE_TCP_DATA_OFFSET] >> 4) * 4;
	return *tcp_len >= WIRE_TCP_LEN && *tcp_len <= ip->payload_len;
}

bool
tcp_segment_parse(const uint8_t *frame, size_t frame_len, struct tcp_segment *segment)
{
	struct ip_packet ip;
	const uint8_t *tcp;
	size_t tcp_len;

	if (!find_header(frame, frame_len, &ip, &tcp_len))
		return false;
	tcp = ip.payload;
	*segment = (struct tcp_segment){
		.src_mac = frame + WIRE_ETH_SRC,
		.dst_mac = frame + WIRE_ETH_DST,
		.src = ip.src,
		.dst = ip.dst,
		.data = tcp + tcp_len,
		.data_len = (uint32_t)(ip.payload_len - tcp_len),
		.is_ip6 = ip.is_ip6,
		.ttl = ip.ttl,
		.flags = tcp[WIRE_TCP_FLAGS],
		.src_port = load_be16(tcp + WIRE_TCP_SRC_PORT),
		.dst_port = load_be16(tcp + WIRE_TCP_DST_PORT),
		.seq = load_be32(tcp + WIRE_TCP_SEQ),
		.ack = load_be32(tcp + WIRE_TCP_ACK),
		.window = load_be16(tcp + WIRE_TCP_WINDOW),
	};
	parse_options(tcp + WIRE_TCP_LEN, tcp + tcp_len, segment);
	return true;
}

/* The options are in the order, and padded in the way, of Linux (net/ipv4/tcp_output.c,
 * tcp_options_write): each has 4 bytes or a multiple. */

static uint8_t *
write_syn_options(uint8_t *at, const struct tcp_head *head)
{
	if (head->mss != 0) {
		*at++ = WIRE_TCP_OPTION_MSS;
		*at++ = WIRE_TCP_OPTION_MSS_LEN;
		store_be16(at, head->mss);
		at += 2;
	}
	if (head->sack_ok) {
		*at++ = WIRE_TCP_OPTION_NOP;
		*at++ = WIRE_TCP_OPTION_NOP;
		*at++ = WIRE_TCP_OPTION_SACK_OK;
		*at++ = WIRE_TCP_OPTION_SACK_OK_LEN;
	}
	if (head->has_wscale) {
		*at++ = WIRE_TCP_OPTION_NOP;
		*at++ = WIRE_TCP_OPTION_WSCALE;
		*at++ = WIRE_TCP_OPTION_WSCALE_LEN;
		*at++ = head->wscale;
	}
	return at;
}

static uint8_t *
write_sack(uint8_t *at, const struct tcp_head *head)
{
	if (head->n_sack == 0)
		return at;
	*at++ = WIRE_TCP_OPTION_NOP;
	*at++ = WIRE_TCP_OPTION_NOP;
	*at++ = WIRE_TCP_OPTION_SACK;
	*at++ = (uint8_t)(OPTION_HEAD_LEN + head->n_sack * WIRE_TCP_SACK_BLOCK_LEN);
	for (size_t i = 0; i < head->n_sack; i++, at += WIRE_TCP_SACK_BLOCK_LEN) {
		store_be32(at, head->sack[i].left);
		store_be32(at + 4, head->sack[i].right);
	}
	return at;
}

size_t
tcp_head_write(uint8_t out[TCP_HEAD_MAX], const struct tcp_head *head, size_t data_len)
{
	const struct ip_head ip = {
		.dst_mac = head->dst_mac,
		.src_mac = head->src_mac,
		.src = head->src,
		.dst = head->dst,
		.is_ip6 = head->is_ip6,
		.protocol = IPPROTO_TCP,
		.ttl = HEAD_TTL,
		.id = head->ip_id,
		.fragment = head->ip_fragment,
	};
	uint8_t *tcp = out + WIRE_ETH_LEN + (head->is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN);
	const uint8_t *end = (head->flags & WIRE_TCP_SYN) != 0
	    ? write_syn_options(tcp + WIRE_TCP_LEN, head)
	    : write_sack(tcp + WIRE_TCP_LEN, head);
	size_t tcp_len = (size_t)(end - tcp);
	uint64_t sum;

	ip_head_write(out, &ip, tcp_len + data_len);
	store_be16(tcp + WIRE_TCP_SRC_PORT, head->src_port);
	store_be16(tcp + WIRE_TCP_DST_PORT, head->dst_port);
	store_be32(tcp + WIRE_TCP_SEQ, head->seq);
	store_be32(tcp + WIRE_TCP_ACK, head->ack);
	tcp[WIRE_TCP_DATA_OFFSET] = (uint8_t)(tcp_len / 4 << 4);
	tcp[WIRE_TCP_FLAGS] = head->flags;
	store_be16(tcp + WIRE_TCP_WINDOW, head->window);
	store_be16(tcp + WIRE_TCP_URGENT, 0);
	sum = ip_pseudo_sum(out + WIRE_ETH_LEN, IPPROTO_TCP, tcp_len + data_len);
	store_be16(tcp + WIRE_TCP_CHECKSUM, (uint16_t)~checksum_finish(sum));
	return (size_t)(end - out);
}

void
tcp_head_sum(uint8_t *head, size_t head_len, const struct iovec *data, size_t n)
{
	bool is_ip6 = load_be16(head + WIRE_ETH_TYPE) == WIRE_TYPE_IP6;
	size_t l4_offset = WIRE_ETH_LEN + (is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN);
	/* The field already holds the sum of the pseudo header. */
	uint64_t sum = checksum_add(0, head + l4_offset, head_len - l4_offset);

	store_be16(head + l4_offset + WIRE_TCP_CHECKSUM,
	    checksum_finish(checksum_add_pieces(sum, data, n)));
}
