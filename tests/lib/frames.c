/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds frames for tests field by field, with an own checksum: slow, obvious, and
 * without the code under test. */
#include "frames.h"

#include "base/bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40

const uint8_t frame_guest_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
const uint8_t frame_stack_mac[6] = { 0x52, 0x55, 0x0a, 0x00, 0x02, 0x02 };

static uint32_t
sum16(const uint8_t *bytes, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
		if (sum > 0xffff)
			sum -= 0xffff;
	}
	return sum;
}

static void
put_address(uint8_t *at, const char *text)
{
	if (inet_pton(strchr(text, ':') != NULL ? AF_INET6 : AF_INET, text, at) != 1)
		abort();
}

static void
put_ethernet(struct frame *frame, uint16_t type)
{
	memcpy(frame->bytes, frame_stack_mac, 6);
	memcpy(frame->bytes + 6, frame_guest_mac, 6);
	store_be16(frame->bytes + 12, type);
}

static bool
is_ip4(const uint8_t *bytes)
{
	return load_be16(bytes + 12) == 0x0800;
}

static size_t
l4_offset(const uint8_t *bytes)
{
	if (!is_ip4(bytes))
		return ETH_LEN + IP6_LEN;
	return ETH_LEN + (size_t)(bytes[ETH_LEN] & 15) * 4;
}

size_t
frame_l4_offset(const struct frame *frame)
{
	return l4_offset(frame->bytes);
}

/* The offset of the transport's checksum, or 0 if the protocol has none. */
static size_t
checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return 16;
	case IPPROTO_UDP:
		return 6;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return 2;
	default:
		return 0;
	}
}

static uint32_t
l4_sum(const uint8_t *bytes, size_t len, uint8_t protocol)
{
	const uint8_t *ip = bytes + ETH_LEN;
	size_t at = l4_offset(bytes);
	uint32_t sum = 0;

	if (protocol != IPPROTO_ICMP) {
		sum = (uint32_t)(len - at) + protocol;
		if (sum > 0xffff)
			sum -= 0xffff;
		sum = is_ip4(bytes) ? sum16(ip + 12, 8, sum) : sum16(ip + 8, 32, sum);
	}
	return sum16(bytes + at, len - at, sum);
}

static uint8_t
protocol_of(const uint8_t *bytes)
{
	return bytes[ETH_LEN + (is_ip4(bytes) ? 9 : 6)];
}

static bool
is_fragment(const uint8_t *bytes)
{
	return is_ip4(bytes) && (load_be16(bytes + ETH_LEN + 6) & 0x3fff) != 0;
}

void
frame_fix_checksums(struct frame *frame)
{
	uint8_t *ip = frame->bytes + ETH_LEN;
	uint8_t protocol = protocol_of(frame->bytes);
	size_t at = frame_l4_offset(frame);
	size_t checksum = checksum_offset(protocol);

	if (is_ip4(frame->bytes)) {
		store_be16(ip + 10, 0);
		store_be16(ip + 10, (uint16_t)~sum16(ip, at - ETH_LEN, 0));
	}
	if (checksum != 0 && !is_fragment(frame->bytes) &&
	    frame->len >= at + checksum + 2) {
		uint8_t *field = frame->bytes + at + checksum;
		uint16_t value;

		store_be16(field, 0);
		value = (uint16_t)~l4_sum(frame->bytes, frame->len, protocol);
		store_be16(field, protocol == IPPROTO_UDP && value == 0 ? 0xffff : value);
	}
}

bool
frame_checksums_are_right(const uint8_t *bytes, size_t len)
{
	uint8_t protocol = protocol_of(bytes);

	if (is_ip4(bytes) &&
	    sum16(bytes + ETH_LEN, l4_offset(bytes) - ETH_LEN, 0) != 0xffff)
		return false;
	return checksum_offset(protocol) == 0 || is_fragment(bytes) ||
	    l4_sum(bytes, len, protocol) == 0xffff;
}

void
frame_arp(struct frame *frame, uint16_t operation, const char *sender_ip,
    const char *target_ip)
{
	uint8_t *arp = frame->bytes + ETH_LEN;

	memset(frame, 0, sizeof(*frame));
	put_ethernet(frame, 0x0806);
	memset(frame->bytes, 0xff, 6);
	store_be16(arp, 1);
	store_be16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	store_be16(arp + 6, operation);
	memcpy(arp + 8, frame_guest_mac, 6);
	put_address(arp + 14, sender_ip);
	put_address(arp + 24, target_ip);
	frame->len = ETH_LEN + 28;
}

void
frame_ip(struct frame *frame, const char *src, const char *dst, uint8_t protocol,
    const void *l4, size_t l4_len)
{
	uint8_t *ip = frame->bytes + ETH_LEN;
	bool is_ip6 = strchr(dst, ':') != NULL;

	memset(frame, 0, sizeof(*frame));
	if (is_ip6) {
		put_ethernet(frame, 0x86dd);
		ip[0] = 0x60;
		store_be16(ip + 4, (uint16_t)l4_len);
		ip[6] = protocol;
		ip[7] = 64;
		put_address(ip + 8, src);
		put_address(ip + 24, dst);
		frame->len = ETH_LEN + IP6_LEN + l4_len;
	} else {
		put_ethernet(frame, 0x0800);
		ip[0] = 0x45;
		store_be16(ip + 2, (uint16_t)(IP4_LEN + l4_len));
		store_be16(ip + 4, 0x1234);
		ip[8] = 64;
		ip[9] = protocol;
		put_address(ip + 12, src);
		put_address(ip + 16, dst);
		frame->len = ETH_LEN + IP4_LEN + l4_len;
	}
	if (l4 != NULL)
		memcpy(frame->bytes + frame_l4_offset(frame), l4, l4_len);
	frame_fix_checksums(frame);
}

void
frame_tcp_options(struct frame *frame, const char *src, uint16_t src_port,
    const char *dst, uint16_t dst_port, uint8_t flags, const void *options,
    size_t options_len)
{
	uint8_t tcp[60] = { 0 };

	store_be16(tcp, src_port);
	store_be16(tcp + 2, dst_port);
	store_be32(tcp + 4, 0x01020304);
	store_be32(tcp + 8, 0x0a0b0c0d);
	tcp[12] = (uint8_t)((20 + options_len) / 4 << 4);
	tcp[13] = flags;
	store_be16(tcp + 14, 0x7210);
	if (options_len > 0)
		memcpy(tcp + 20, options, options_len);
	frame_ip(frame, src, dst, IPPROTO_TCP, tcp, 20 + options_len);
}

void
frame_tcp(struct frame *frame, const char *src, uint16_t src_port, const char *dst,
    uint16_t dst_port, uint8_t flags)
{
	frame_tcp_options(frame, src, src_port, dst, dst_port, flags, NULL, 0);
}

/* Consecutive 16-bit numbers: no two pieces of a datagram are equal. */
static void
put_pattern(uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i % 2 == 0 ? i / 512 : i / 2);
}

void
frame_udp(struct frame *frame, const char *src, uint16_t src_port, const char *dst,
    uint16_t dst_port, const void *data, size_t data_len)
{
	uint8_t *udp;

	frame_ip(frame, src, dst, IPPROTO_UDP, NULL, 8 + data_len);
	udp = frame->bytes + frame_l4_offset(frame);
	store_be16(udp, src_port);
	store_be16(udp + 2, dst_port);
	store_be16(udp + 4, (uint16_t)(8 + data_len));
	if (data != NULL)
		memcpy(udp + 8, data, data_len);
	else
		put_pattern(udp + 8, data_len);
	frame_fix_checksums(frame);
}

void
frame_echo(struct frame *frame, const char *src, const char *dst, size_t data_len)
{
	bool is_ip6 = strchr(dst, ':') != NULL;
	uint8_t *icmp;

	frame_ip(frame, src, dst, is_ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, NULL,
	    8 + data_len);
	icmp = frame->bytes + frame_l4_offset(frame);
	icmp[0] = is_ip6 ? 128 : 8;
	store_be16(icmp + 4, 0x4242);
	store_be16(icmp + 6, 1);
	put_pattern(icmp + 8, data_len);
	frame_fix_checksums(frame);
}

void
frame_nd(struct frame *frame, const char *src, const char *dst, uint8_t type,
    const char *target, const void *options, size_t options_len)
{
	size_t head_len = target != NULL ? 24 : 8;
	uint8_t *nd;

	frame_ip(frame, src, dst, IPPROTO_ICMPV6, NULL, head_len + options_len);
	frame->bytes[ETH_LEN + 7] = 255;
	nd = frame->bytes + frame_l4_offset(frame);
	nd[0] = type;
	if (target != NULL)
		put_address(nd + 8, target);
	if (options_len > 0)
		memcpy(nd + head_len, options, options_len);
	frame_fix_checksums(frame);
}

void
frame_dhcp_options(struct frame *frame, const char *dst, const void *options,
    size_t options_len)
{
	uint8_t message[240 + 512] = { 0 };

	if (options_len > 512)
		abort();
	message[0] = 1; /* BOOTREQUEST */
	message[1] = 1;
	message[2] = 6;
	store_be32(message + 4, 0xdecafbad);
	memcpy(message + 28, frame_guest_mac, 6);
	store_be32(message + 236, 0x63825363);
	if (options_len > 0)
		memcpy(message + 240, options, options_len);
	frame_udp(frame, "0.0.0.0", 68, dst, 67, message, 240 + options_len);
}

void
frame_dhcp(struct frame *frame, const char *dst, uint8_t message_type)
{
	/* The form of udhcpc: client id, requested options, padding to 300 bytes. */
	uint8_t options[60] = { 53, 1, message_type, 61, 7, 1, 0x52, 0x54, 0, 0x12, 0x34,
		0x56, 57, 2, 2, 0x40, 55, 4, 1, 3, 6, 15, 60, 3, 'u', 'd', 'h', 255 };

	frame_dhcp_options(frame, dst, options, sizeof(options));
}

void
frame_dhcp6(struct frame *frame, const char *src, const char *dst, uint8_t type,
    const void *options, size_t options_len)
{
	uint8_t message[2048] = { type, 0xab, 0xcd, 0xef };

	if (options_len > sizeof(message) - 4)
		abort();
	if (options_len > 0)
		memcpy(message + 4, options, options_len);
	frame_udp(frame, src, 546, dst, 547, message, 4 + options_len);
}

void
frame_add_ip4_options(struct frame *frame, const void *options, size_t options_len)
{
	uint8_t *ip = frame->bytes + ETH_LEN;

	memmove(ip + IP4_LEN + options_len, ip + IP4_LEN, frame->len - ETH_LEN - IP4_LEN);
	memcpy(ip + IP4_LEN, options, options_len);
	frame->len += options_len;
	ip[0] = (uint8_t)(0x40 | (IP4_LEN + options_len) / 4);
	store_be16(ip + 2, (uint16_t)(frame->len - ETH_LEN));
	frame_fix_checksums(frame);
}

void
frame_fragment(struct frame *fragment, const struct frame *whole, size_t offset,
    size_t len, bool more, uint32_t id)
{
	size_t at = frame_l4_offset(whole);
	uint8_t *ip = fragment->bytes + ETH_LEN;
	size_t head_len = at;

	memset(fragment, 0, sizeof(*fragment));
	memcpy(fragment->bytes, whole->bytes, at);
	if (is_ip4(whole->bytes)) {
		store_be16(ip + 2, (uint16_t)(at - ETH_LEN + len));
		store_be16(ip + 4, (uint16_t)id);
		store_be16(ip + 6, (uint16_t)(offset / 8 | (more ? 0x2000 : 0)));
	} else {
		store_be16(ip + 4, (uint16_t)(8 + len));
		ip[6] = IPPROTO_FRAGMENT;
		fragment->bytes[at] = protocol_of(whole->bytes);
		store_be16(fragment->bytes + at + 2, (uint16_t)(offset | (more ? 1 : 0)));
		store_be32(fragment->bytes + at + 4, id);
		head_len += 8;
	}
	memcpy(fragment->bytes + head_len, whole->bytes + at + offset, len);
	fragment->len = head_len + len;
	if (is_ip4(whole->bytes)) {
		store_be16(ip + 10, 0);
		store_be16(ip + 10, (uint16_t)~sum16(ip, at - ETH_LEN, 0));
	}
}
