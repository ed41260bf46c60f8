/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Ethernet and IP headers of a frame, and the checksums that cover them. Both families
 * have one form here: an IPv6 header's hop limit is its ttl, and its next header its
 * protocol. Pure functions over bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/wire/wire.h"

/* An IP packet in a frame; borrows the frame. */
struct ip_packet {
	const uint8_t *header;
	const uint8_t *src, *dst; /* 4 or 16 bytes */
	const uint8_t *payload;   /* after IPv4 options, before IPv6 extension headers */
	size_t header_len;
	size_t payload_len; /* by the header, without Ethernet's padding */
	bool is_ip6;
	uint8_t protocol;
	uint8_t ttl;
	uint16_t fragment; /* IPv4's flags and fragment offset; IPv6: 0 */
};

/* Whether the frame holds a whole IP packet of the family that Ethernet's type names, with
 * consistent lengths. Does not check addresses, nor IPv4's checksum. Fills in *packet if
 * true. */
bool ip_parse(const uint8_t *frame, size_t frame_len, struct ip_packet *packet);

/* Whether an IPv4 packet is a part of a datagram. False for IPv6, where the next header
 * says so. */
static inline bool
ip4_is_fragment(const struct ip_packet *packet)
{
	return (packet->fragment & (WIRE_IP4_MORE_FRAGMENTS | WIRE_IP4_OFFSET_MASK)) != 0;
}

/* The longest headers that ip_head_write() writes. */
#define IP_HEAD_MAX (WIRE_ETH_LEN + WIRE_IP6_LEN)

/* The Ethernet and IP headers of a frame to write; borrows the addresses. */
struct ip_head {
	const uint8_t *dst_mac, *src_mac; /* 6 bytes */
	const uint8_t *src, *dst;         /* 4 or 16 bytes */
	bool is_ip6;
	uint8_t protocol;
	uint8_t ttl;
	/* IPv4 alone: */
	uint8_t tos;
	uint16_t id;
	uint16_t fragment;
};

/* Writes the headers in front of payload_len bytes, and returns their length. IPv4's total
 * length is 0 if it exceeds 65535, as in Linux's frames of that size ("BIG TCP",
 * net/ipv4/ip_output.c). An IPv6 payload has at most 65535 bytes. */
size_t ip_head_write(uint8_t out[IP_HEAD_MAX], const struct ip_head *head,
    size_t payload_len);

/* Computes the checksum of an IPv4 header with its options. */
void ip4_refresh_checksum(uint8_t *header);

/* The unfinished sum (checksum.h) of the pseudo header of RFC 9293 3.1 (IPv4) or RFC 8200
 * 8.1 (IPv6) for l4_len bytes behind an IP header. ICMP for IPv4 has no pseudo header: 0.
 * IPv4 has 16 bits for the length; a longer one is added in 32 bits, as in Linux
 * (csum_tcpudp_nofold). */
uint64_t ip_pseudo_sum(const uint8_t *header, uint8_t protocol, size_t l4_len);

/* Returns the checksum of the l4_len bytes of a TCP segment, UDP datagram or ICMP message
 * behind an IP header. Over bytes that contain their correct checksum it is 0. */
uint16_t ip_l4_checksum(const uint8_t *header, uint8_t protocol, const uint8_t *l4,
    size_t l4_len);
