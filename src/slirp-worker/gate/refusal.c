/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds the answers to refused frames: TCP resets and ICMP errors.
 *
 * The source is the refused address. The gate has found the frame well formed.
 */
#include "slirp-worker/gate/refusal.h"

#include "base/bytes.h"
#include "slirp-worker/wire/ip.h"
#include "slirp-worker/wire/tcp_segment.h"

#include <errno.h>
#include <string.h>

/* The usual initial TTL; the answer crosses no router. */
#define ANSWER_TTL 64

/* RFC 1812 4.3.2.5: ICMP errors have the precedence "internetwork control". */
#define TOS_INTERNETWORK_CONTROL 0xc0

/* With a quote of this length, an error has the length that every IPv4 host (RFC 791 3.1,
 * RFC 1812 4.3.2.3) and every IPv6 link (RFC 4443 3.1) accepts. */
#define ERROR4_QUOTE_MAX (576 - WIRE_IP4_LEN - WIRE_ICMP_LEN)
#define ERROR6_QUOTE_MAX (1280 - WIRE_IP6_LEN - WIRE_ICMP_LEN)

/* RFC 792, RFC 1812 5.2.7.1 and RFC 4443 3.1 */
#define UNREACHABLE4_HOST 1
#define UNREACHABLE4_PORT 3
#define UNREACHABLE4_PROHIBITED 13
#define UNREACHABLE6_PROHIBITED 1
#define UNREACHABLE6_ADDRESS 3
#define UNREACHABLE6_PORT 4

/* Linux reports both as ENETUNREACH (icmp_err_convert in net/ipv4/icmp.c, tab_unreach in
 * net/ipv6/icmp.c). RFC 1812 5.2.7.1 prefers code 13 to code 9, but 13 is EHOSTUNREACH.
 * Code 0 of both families is ENETUNREACH too, but a UDP socket does not get it; so UDP of
 * IPv6 gets "port unreachable". */
#define UNREACHABLE4_NETWORK_PROHIBITED 9
#define UNREACHABLE6_NO_ROUTE 0

/* Offset of the next link's MTU in an ICMP error. */
#define ERROR_MTU 4

/* RFC 9293 3.10.7.1: the answer of a closed port. */
static size_t
build_reset(const uint8_t *frame, size_t frame_len, uint8_t *out)
{
	struct tcp_segment asked;
	struct tcp_head head;
	size_t len;

	if (!tcp_segment_parse(frame, frame_len, &asked) ||
	    (asked.flags & WIRE_TCP_RST) != 0)
		return 0;
	head = (struct tcp_head){
		.dst_mac = asked.src_mac,
		.src_mac = asked.dst_mac,
		.src = asked.dst,
		.dst = asked.src,
		.is_ip6 = asked.is_ip6,
		.src_port = asked.dst_port,
		.dst_port = asked.src_port,
		.flags = WIRE_TCP_RST,
		.ip_fragment = WIRE_IP4_DONT_FRAGMENT,
	};
	if ((asked.flags & WIRE_TCP_ACK_FLAG) != 0) {
		head.seq = asked.ack;
	} else {
		head.flags |= WIRE_TCP_ACK_FLAG;
		head.ack = asked.seq + asked.data_len;
		if ((asked.flags & WIRE_TCP_SYN) != 0)
			head.ack++;
		if ((asked.flags & WIRE_TCP_FIN) != 0)
			head.ack++;
	}
	len = tcp_head_write(out, &head, 0);
	tcp_head_sum(out, len, NULL, 0);
	return len;
}

static size_t
build_error(const uint8_t *frame, size_t frame_len, const struct refusal_error *error,
    uint8_t *out)
{
	bool is_ip6 = load_be16(frame + WIRE_ETH_TYPE) == WIRE_TYPE_IP6;
	const uint8_t *asked = frame + WIRE_ETH_LEN;
	const uint8_t *dst = asked + (is_ip6 ? WIRE_IP6_DST : WIRE_IP4_DST);
	const struct ip_head head = {
		.dst_mac = frame + WIRE_ETH_SRC,
		.src_mac = frame + WIRE_ETH_DST,
		.src = error->source ? error->source : dst,
		.dst = asked + (is_ip6 ? WIRE_IP6_SRC : WIRE_IP4_SRC),
		.is_ip6 = is_ip6,
		.protocol = is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
		.ttl = ANSWER_TTL,
		.tos = TOS_INTERNETWORK_CONTROL,
		/* Never fragmented, so the identification may be 0 (RFC 6864 4.1). */
		.fragment = WIRE_IP4_DONT_FRAGMENT,
	};
	size_t quote_max = is_ip6 ? ERROR6_QUOTE_MAX : ERROR4_QUOTE_MAX;
	size_t quote_len = frame_len - WIRE_ETH_LEN;
	size_t head_len, icmp_len;
	uint8_t *icmp;

	if (quote_len > quote_max)
		quote_len = quote_max;
	icmp_len = WIRE_ICMP_LEN + quote_len;
	head_len = ip_head_write(out, &head, icmp_len);
	icmp = out + head_len;
	memset(icmp, 0, WIRE_ICMP_LEN);
	icmp[WIRE_ICMP_TYPE] = error->type;
	icmp[WIRE_ICMP_CODE] = error->code;
	/* The MTU has 2 bytes in RFC 1191 4, and 4 bytes in RFC 4443 3.2. */
	if (is_ip6)
		store_be32(icmp + ERROR_MTU, error->mtu_bytes);
	else
		store_be16(icmp + ERROR_MTU + 2, (uint16_t)error->mtu_bytes);
	memcpy(icmp + WIRE_ICMP_LEN, asked, quote_len);
	store_be16(icmp + WIRE_ICMP_CHECKSUM,
	    ip_l4_checksum(out + WIRE_ETH_LEN, head.protocol, icmp, icmp_len));
	return head_len + icmp_len;
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

	if (parsed->ethertype == WIRE_TYPE_IP6) {
		error.type = WIRE_ICMP6_UNREACHABLE;
		error.code = is_closed_loopback && parsed->protocol != IPPROTO_UDP
		    ? UNREACHABLE6_NO_ROUTE
		    : UNREACHABLE6_PORT;
	}
	if (!can_be_answered(frame, out_size))
		return 0;
	if (parsed->protocol == IPPROTO_TCP && !is_closed_loopback)
		return build_reset(frame, parsed->len, out);
	return build_error(frame, parsed->len, &error, out);
}

bool
refusal_of_errno(int error, bool is_ip6, const uint8_t *gateway,
    struct refusal_error *answer)
{
	static const struct {
		int error;
		uint8_t code4, code6;
	} codes[] = {
		{ ECONNREFUSED, UNREACHABLE4_PORT, UNREACHABLE6_PORT },
		{ EHOSTUNREACH, UNREACHABLE4_HOST, UNREACHABLE6_ADDRESS },
		{ EACCES, UNREACHABLE4_PROHIBITED, UNREACHABLE6_PROHIBITED },
		{ EPERM, UNREACHABLE4_PROHIBITED, UNREACHABLE6_PROHIBITED },
		{ 0, 0, UNREACHABLE6_NO_ROUTE }, /* network, or no route: the last */
	};
	size_t i = 0;

	while (codes[i].error != error && codes[i].error != 0)
		i++;
	*answer = (struct refusal_error){
		.type = is_ip6 ? WIRE_ICMP6_UNREACHABLE : WIRE_ICMP4_UNREACHABLE,
		.code = is_ip6 ? codes[i].code6 : codes[i].code4,
		.source = error == ECONNREFUSED ? NULL : gateway,
	};
	return error != ETIMEDOUT;
}

size_t
refusal_build_error(const uint8_t *frame, size_t frame_len,
    const struct refusal_error *error, uint8_t *out, size_t out_size)
{
	return can_be_answered(frame, out_size)
	    ? build_error(frame, frame_len, error, out)
	    : 0;
}
