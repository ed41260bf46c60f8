/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses ICMP errors about segments that do not reach their end in the guest. */
#include "slirp-worker/gate/gate_icmp_error.h"

#include <string.h>

#include "base/bytes.h"
#include "slirp-worker/wire/wire.h"

/* RFC 792: an error quotes the IP header and eight bytes more, which hold TCP's ports and
 * sequence number. */
#define QUOTED_L4_LEN 8

/* An IPv4 header of our segments: version 4, five words. */
#define VERSION_AND_LEN4 0x45

/* The caller has checked that the type is one of these errors. RFC 4443 3.2: a receiver
 * ignores the code of "too big". */
static bool
is_too_big(const uint8_t *icmp, bool is_ip6)
{
	return is_ip6 ? icmp[WIRE_ICMP_TYPE] == WIRE_ICMP6_TOO_BIG
		      : icmp[WIRE_ICMP_CODE] == WIRE_ICMP4_TOO_BIG;
}

/* Whether the quoted header is like those of our segments: without options, extensions and
 * fragments. */
static bool
is_like_ours(const uint8_t *ip, bool is_ip6)
{
	if (is_ip6)
		return ip[WIRE_IP6_VERSION] >> 4 == 6 && ip[WIRE_IP6_NEXT] == IPPROTO_TCP;
	return ip[WIRE_IP4_VERSION_IHL] == VERSION_AND_LEN4 &&
	    ip[WIRE_IP4_PROTOCOL] == IPPROTO_TCP &&
	    (load_be16(ip + WIRE_IP4_FRAGMENT) &
		(WIRE_IP4_OFFSET_MASK | WIRE_IP4_MORE_FRAGMENTS)) == 0;
}

bool
gate_icmp_error_parse(const struct gate_packet *packet, struct gate_icmp_error *out)
{
	const uint8_t *icmp = packet->l4;
	bool is_ip6 = packet->out->ethertype == WIRE_TYPE_IP6;
	size_t ip_len = is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN;
	size_t address_len = is_ip6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	const uint8_t *ip = icmp + WIRE_ICMP_LEN;
	const uint8_t *src = ip + (is_ip6 ? WIRE_IP6_SRC : WIRE_IP4_SRC);
	const uint8_t *dst = ip + (is_ip6 ? WIRE_IP6_DST : WIRE_IP4_DST);
	const uint8_t *tcp = ip + ip_len;

	if (packet->out->l4_len < WIRE_ICMP_LEN + ip_len + QUOTED_L4_LEN ||
	    !is_like_ours(ip, is_ip6) || memcmp(src, packet->out->dst, address_len) != 0)
		return false;
	out->is_too_big = is_too_big(icmp, is_ip6);
	/* RFC 1191 5: old routers say 0. */
	out->mtu_bytes =
	    is_ip6 ? load_be32(icmp + WIRE_ICMP6_MTU) : load_be16(icmp + WIRE_ICMP4_MTU);
	out->key = (struct flow_key){
		.guest_port = load_be16(tcp + WIRE_TCP_DST_PORT),
		.peer_port = load_be16(tcp + WIRE_TCP_SRC_PORT),
		.ethertype = packet->out->ethertype,
		.protocol = IPPROTO_TCP,
	};
	memcpy(out->key.guest_address, dst, address_len);
	memcpy(out->key.peer_address, src, address_len);
	out->seq = load_be32(tcp + WIRE_TCP_SEQ);
	return true;
}
