/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds Ethernet frames as a guest sends them. Addresses are text; a colon makes the
 * frame IPv6. All checksums are right until a test changes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest reassembled IPv6 packet in Ethernet, and some bytes for errors. */
#define FRAME_MAX_LEN (14 + 60 + 65535 + 8)

struct frame {
	size_t len;
	uint8_t bytes[FRAME_MAX_LEN];
};

extern const uint8_t frame_guest_mac[6];
extern const uint8_t frame_stack_mac[6];

void frame_arp(struct frame *frame, uint16_t operation, const char *sender_ip,
    const char *target_ip);

/* An IP header and l4_len bytes of data (zeros if l4 is NULL). */
void frame_ip(struct frame *frame, const char *src, const char *dst, uint8_t protocol,
    const void *l4, size_t l4_len);

/* options may be NULL; its length must be a multiple of 4. */
void frame_tcp_options(struct frame *frame, const char *src, uint16_t src_port,
    const char *dst, uint16_t dst_port, uint8_t flags, const void *options,
    size_t options_len);
void frame_tcp(struct frame *frame, const char *src, uint16_t src_port, const char *dst,
    uint16_t dst_port, uint8_t flags);
/* data may be NULL for a pattern that does not repeat. */
void frame_udp(struct frame *frame, const char *src, uint16_t src_port, const char *dst,
    uint16_t dst_port, const void *data, size_t data_len);
void frame_echo(struct frame *frame, const char *src, const char *dst, size_t data_len);
/* An ICMPv6 message of neighbor discovery: hop limit 255. */
void frame_nd(struct frame *frame, const char *src, const char *dst, uint8_t type,
    const char *target, const void *options, size_t options_len);
/* A DHCP message with the given options after the cookie, or with the usual options. */
void frame_dhcp_options(struct frame *frame, const char *dst, const void *options,
    size_t options_len);
void frame_dhcp(struct frame *frame, const char *dst, uint8_t message_type);
/* A DHCPv6 message from port 546. */
void frame_dhcp6(struct frame *frame, const char *src, const char *dst, uint8_t type,
    const void *options, size_t options_len);

/* Puts 4 bytes or a multiple of IPv4 options into a frame without any. */
void frame_add_ip4_options(struct frame *frame, const void *options, size_t options_len);

/* One fragment of a whole frame: len bytes of its IP payload from offset on. */
void frame_fragment(struct frame *fragment, const struct frame *whole, size_t offset,
    size_t len, bool more, uint32_t id);

/* The offset of the IP header's end. */
size_t frame_l4_offset(const struct frame *frame);

/* Corrects the checksums after a change: the IPv4 header's, and the transport's if the
 * packet is whole. */
void frame_fix_checksums(struct frame *frame);
bool frame_checksums_are_right(const uint8_t *bytes, size_t len);
