/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments UDP and ICMP datagrams that the network stack sends to the guest. */
#include "slirp-worker/tap/frag.h"

#include "base/bytes.h"
#include "slirp-worker/wire/ip.h"

#include <netinet/in.h>
#include <string.h>

#define IP4_OPTION_END 0
#define IP4_OPTION_NOP 1
#define IP4_OPTION_COPIED 0x80 /* the option must be in every fragment (RFC 791 3.1) */

#define IP4_MAX_LEN 65535

bool
frag_needed(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes)
{
	uint16_t type;

	if (frame_len <= WIRE_ETH_LEN + (size_t)mtu_bytes)
		return false;
	type = load_be16(frame + WIRE_ETH_TYPE);
	return type == WIRE_TYPE_IP4 || type == WIRE_TYPE_IP6;
}

static bool
may_be_cut(const struct ip_packet *packet)
{
	size_t offset;

	if (packet->protocol != IPPROTO_UDP &&
	    packet->protocol != (packet->is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return false;
	if (packet->is_ip6)
		return true;

	/* libslirp fragments packets that exceed its MTU, so this may be a fragment. */
	offset = (size_t)(packet->fragment & WIRE_IP4_OFFSET_MASK) * WIRE_FRAGMENT_UNIT;
	if ((packet->fragment & WIRE_IP4_MORE_FRAGMENTS) != 0 &&
	    packet->payload_len % WIRE_FRAGMENT_UNIT != 0)
		return false;
	return (packet->fragment & WIRE_IP4_DONT_FRAGMENT) == 0 &&
	    packet->header_len + offset + packet->payload_len <= IP4_MAX_LEN;
}

/* Replaces options that only the first fragment carries with padding. */
static void
ip4_options_for_the_rest(uint8_t *option, size_t len)
{
	while (len > 0 && *option != IP4_OPTION_END) {
		size_t option_len = *option == IP4_OPTION_NOP || len < 2 ? 1 : option[1];

		if (option_len == 0 || option_len > len)
			option_len = len;
		if ((*option & IP4_OPTION_COPIED) == 0)
			memset(option, IP4_OPTION_NOP, option_len);
		option += option_len;
		len -= option_len;
	}
}

/* Writes the header of the fragment at offset; the packet may be a fragment itself. */
static void
put_header4(const struct ip_packet *packet, uint8_t *ip, size_t offset, size_t len)
{
	uint16_t fragment = packet->fragment;

	if (offset != 0)
		ip4_options_for_the_rest(ip + WIRE_IP4_LEN,
		    packet->header_len - WIRE_IP4_LEN);
	if (offset + len < packet->payload_len)
		fragment |= WIRE_IP4_MORE_FRAGMENTS;
	store_be16(ip + WIRE_IP4_TOTAL_LEN, (uint16_t)(packet->header_len + len));
	store_be16(ip + WIRE_IP4_FRAGMENT,
	    (uint16_t)(fragment + offset / WIRE_FRAGMENT_UNIT));
	ip4_refresh_checksum(ip);
}

static void
put_header6(const struct ip_packet *packet, uint8_t *ip, size_t offset, size_t len,
    uint32_t id)
{
	uint8_t *header = ip + WIRE_IP6_LEN;
	uint16_t more = offset + len < packet->payload_len ? WIRE_FRAGMENT6_MORE : 0;

	store_be16(ip + WIRE_IP6_PAYLOAD_LEN, (uint16_t)(WIRE_FRAGMENT6_LEN + len));
	ip[WIRE_IP6_NEXT] = IPPROTO_FRAGMENT;
	memset(header, 0, WIRE_FRAGMENT6_LEN);
	header[WIRE_FRAGMENT6_NEXT] = packet->protocol;
	/* The field has units of 8 bytes, shifted left by 3: the offset in bytes. */
	store_be16(header + WIRE_FRAGMENT6_OFFSET, (uint16_t)(offset | more));
	store_be32(header + WIRE_FRAGMENT6_ID, id);
}

int
frag_split(const uint8_t *frame, size_t frame_len, unsigned int mtu_bytes, uint32_t id,
    uint8_t *scratch, size_t scratch_size, frag_emit_fn *emit, void *ctx)
{
	struct ip_packet packet;
	size_t head_len, piece_len, len;
	int n = 0;

	if (!frag_needed(frame, frame_len, mtu_bytes))
		return emit(ctx, frame, frame_len) ? 1 : 0;
	if (!ip_parse(frame, frame_len, &packet) || !may_be_cut(&packet))
		return -1;

	head_len = packet.header_len + (packet.is_ip6 ? WIRE_FRAGMENT6_LEN : 0);
	if (mtu_bytes < head_len + WIRE_FRAGMENT_UNIT ||
	    scratch_size < WIRE_ETH_LEN + (size_t)mtu_bytes)
		return -1;
	piece_len = (mtu_bytes - head_len) / WIRE_FRAGMENT_UNIT * WIRE_FRAGMENT_UNIT;

	memcpy(scratch, frame, WIRE_ETH_LEN + packet.header_len);
	for (size_t offset = 0; offset < packet.payload_len; offset += len) {
		len = packet.payload_len - offset;
		if (len > piece_len)
			len = piece_len;
		if (packet.is_ip6)
			put_header6(&packet, scratch + WIRE_ETH_LEN, offset, len, id);
		else
			put_header4(&packet, scratch + WIRE_ETH_LEN, offset, len);
		memcpy(scratch + WIRE_ETH_LEN + head_len, packet.payload + offset, len);
		if (!emit(ctx, scratch, WIRE_ETH_LEN + head_len + len))
			break;
		n++;
	}
	return n;
}
