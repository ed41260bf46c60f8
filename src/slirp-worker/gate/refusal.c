/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the answers to refused frames: TCP resets and ICMP errors.
 *
 * The source is the refused address. The gate has found the frame well formed.
 */
#include "slirp-worker/gate/refusal.h"

#include "base/bytes.h"
#include "slirp-worker/wire/ip.h"

#include <string.h>

/* The usual initial TTL; the answer crosses no router. */
#define ANSWER_TTL 64

/* RFC 1812 4.3.2.5: ICMP errors have the precedence "internetwork control". */
#define TOS_INTERNETWORK_CONTROL 0xc0

/* With a quote of this length, an error has the length that every IPv4 host (RFC 791 3.1,
 * RFC 1812 4.3.2.3) and every IPv6 link (RFC 4443 3.1) accepts. */
#define ERROR4_QUOTE_MAX (576 - WIRE_IP4_LEN - WIRE_ICMP_LEN)
#define ERROR6_QUOTE_MAX (1280 - WIRE_IP6_LEN - WIRE_ICMP_LEN)

/* RFC 792 and RFC 4443 3.1 */
#define UNREACHABLE4_PORT 3
#define UNREACHABLE6_PORT 4

/* Linux reports both as ENETUNREACH (icmp_err_convert in net/ipv4/icmp.c, tab_unreach in
 * net/ipv6/icmp.c). RFC 1812 5.2.7.1 prefers code 13 to code 9, but 13 is EHOSTUNREACH.
 * Code 0 of both families is ENETUNREACH too, but a UDP socket does not get it; so UDP of
 * IPv6 gets "port unreachable". */
#define UNREACHABLE4_NETWORK_PROHIBITED 9
#define UNREACHABLE6_NO_ROUTE 0

/* Offset of the next link's MTU in an ICMP error. */
#define ERROR_MTU 4

static bool
is_ip6(const struct gate_frame *parsed)
{
	return parsed->ethertype == WIRE_TYPE_IP6;
}

/* Writes the Ethernet and IP headers of an answer in front of l4_len bytes, and returns
 * their length. */
static size_t
put_headers(const struct gate_frame *parsed, const uint8_t *frame, uint8_t *out,
    const uint8_t *source, uint8_t protocol, size_t l4_len)
{
	const struct ip_head head = {
		.dst_mac = frame + WIRE_ETH_SRC,
		.src_mac = frame + WIRE_ETH_DST,
		.src = source,
		.dst = parsed->src,
		.is_ip6 = is_ip6(parsed),
		.protocol = protocol,
		.ttl = ANSWER_TTL,
		.tos = protocol == IPPROTO_ICMP ? TOS_INTERNETWORK_CONTROL : 0,
		/* Never fragmented, so the identification may be 0 (RFC 6864 4.1). */
		.fragment = WIRE_IP4_DONT_FRAGMENT,
	};

	return ip_head_write(out, &head, l4_len);
}

/* RFC 9293 3.10.7.1: the answer of a closed port. */
static size_t
build_reset(const struct gate_frame *parsed, const uint8_t *frame, uint8_t *out)
{
	const uint8_t *asked = frame + parsed->l4_offset;
	size_t head_len;
	uint8_t *tcp;
	uint8_t flags = asked[WIRE_TCP_FLAGS];
	size_t header_len = (size_t)(asked[WIRE_TCP_DATA_OFFSET] >> 4) * 4;
	uint32_t segment_len = (uint32_t)(parsed->l4_len - header_len);

	if ((flags & WIRE_TCP_RST) != 0)
		return 0;
	if ((flags & WIRE_TCP_SYN) != 0)
		segment_len++;
	if ((flags & WIRE_TCP_FIN) != 0)
		segment_len++;

	head_len =
	    put_headers(parsed, frame, out, parsed->dst, IPPROTO_TCP, WIRE_TCP_LEN);
	tcp = out + head_len;
	memset(tcp, 0, WIRE_TCP_LEN);
	memcpy(tcp + WIRE_TCP_SRC_PORT, asked + WIRE_TCP_DST_PORT, 2);
	memcpy(tcp + WIRE_TCP_DST_PORT, asked + WIRE_TCP_SRC_PORT, 2);
	tcp[WIRE_TCP_DATA_OFFSET] = WIRE_TCP_LEN / 4 << 4;
	if ((flags & WIRE_TCP_ACK_FLAG) != 0) {
		tcp[WIRE_TCP_FLAGS] = WIRE_TCP_RST;
		memcpy(tcp + WIRE_TCP_SEQ, asked + WIRE_TCP_ACK, 4);
	} else {
		tcp[WIRE_TCP_FLAGS] = WIRE_TCP_RST | WIRE_TCP_ACK_FLAG;
		store_be32(tcp + WIRE_TCP_ACK,
		    load_be32(asked + WIRE_TCP_SEQ) + segment_len);
	}
	store_be16(tcp + WIRE_TCP_CHECKSUM,
	    ip_l4_checksum(out + WIRE_ETH_LEN, IPPROTO_TCP, tcp, WIRE_TCP_LEN));
	return head_len + WIRE_TCP_LEN;
}

static size_t
build_error(const struct gate_frame *parsed, const uint8_t *frame,
    const struct refusal_error *error, uint8_t *out)
{
	uint8_t protocol = is_ip6(parsed) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	size_t quote_max = is_ip6(parsed) ? ERROR6_QUOTE_MAX : ERROR4_QUOTE_MAX;
	size_t quote_len = parsed->len - WIRE_ETH_LEN;
	size_t head_len, l4_len;
	uint8_t *icmp;

	if (quote_len > quote_max)
		quote_len = quote_max;
	l4_len = WIRE_ICMP_LEN + quote_len;

	head_len = put_headers(parsed, frame, out,
	    error->source ? error->source : parsed->dst, protocol, l4_len);
	icmp = out + head_len;
	memset(icmp, 0, WIRE_ICMP_LEN);
	icmp[WIRE_ICMP_TYPE] = error->type;
	icmp[WIRE_ICMP_CODE] = error->code;
	/* The MTU has 2 bytes in RFC 1191 4, and 4 bytes in RFC 4443 3.2. */
	if (is_ip6(parsed))
		store_be32(icmp + ERROR_MTU, error->mtu_bytes);
	else
		store_be16(icmp + ERROR_MTU + 2, (uint16_t)error->mtu_bytes);
	memcpy(icmp + WIRE_ICMP_LEN, frame + WIRE_ETH_LEN, quote_len);
	store_be16(icmp + WIRE_ICMP_CHECKSUM,
	    ip_l4_checksum(out + WIRE_ETH_LEN, protocol, icmp, l4_len));
	return head_len + l4_len;
}

/* The gate refuses only IP unicast from a valid source. The frame must also be Ethernet
 * unicast (RFC 1122 3.2.2). */
static bool
can_be_answered(const uint8_t *frame, size_t out_size)
{
	return out_size >= REFUSAL_MAX_LEN && (frame[WIRE_ETH_DST] & 1) == 0;
}

static bool
is_for_closed_loopback(const struct gate_frame *parsed)
{
	return parsed->reason == IPC_DROP_host_loopback_tcp ||
	    parsed->reason == IPC_DROP_host_loopback_udp ||
	    parsed->reason == IPC_DROP_host_loopback_icmp;
}

size_t
refusal_build(const struct gate_frame *parsed, const uint8_t *frame, uint8_t *out,
    size_t out_size)
{
	bool is_closed_loopback = is_for_closed_loopback(parsed);
	struct refusal_error error = {
		.type = WIRE_ICMP4_UNREACHABLE,
		.code = is_closed_loopback ? UNREACHABLE4_NETWORK_PROHIBITED
					   : UNREACHABLE4_PORT,
	};

	if (is_ip6(parsed)) {
		error.type = WIRE_ICMP6_UNREACHABLE;
		error.code = is_closed_loopback && parsed->protocol != IPPROTO_UDP
		    ? UNREACHABLE6_NO_ROUTE
		    : UNREACHABLE6_PORT;
	}
	if (!can_be_answered(frame, out_size))
		return 0;
	if (parsed->protocol == IPPROTO_TCP && !is_closed_loopback)
		return build_reset(parsed, frame, out);
	return build_error(parsed, frame, &error, out);
}

size_t
refusal_build_error(const struct gate_frame *parsed, const uint8_t *frame,
    const struct refusal_error *error, uint8_t *out, size_t out_size)
{
	return can_be_answered(frame, out_size) ? build_error(parsed, frame, error, out)
						: 0;
}
