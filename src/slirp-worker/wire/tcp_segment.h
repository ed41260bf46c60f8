/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP segments of the guest, parsed, and the headers of segments to the guest,
 * written. Ports, numbers and windows are in host byte order. Pure functions over bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "slirp-worker/wire/wire.h"

/* The longest Ethernet, IP and TCP headers that tcp_head_write() writes. */
#define TCP_HEAD_MAX (WIRE_ETH_LEN + WIRE_IP6_LEN + WIRE_TCP_MAX_LEN)

/* TCP's 40 bytes for options hold this many blocks (RFC 2018 3). */
#define TCP_SACK_MAX 4

/* Data that the receiver has behind a gap; right is one past its end. */
struct tcp_sack_block {
	uint32_t left, right;
};

/* A TCP segment of the guest; borrows the frame. */
struct tcp_segment {
	const uint8_t *src_mac, *dst_mac; /* 6 bytes */
	const uint8_t *src, *dst;         /* 4 or 16 bytes */
	const uint8_t *data;
	uint32_t data_len; /* by the IP header, without Ethernet's padding */
	bool is_ip6;
	uint8_t ttl;
	uint8_t flags;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint16_t window; /* unscaled */

	/* The options of a segment with SYN. */
	uint16_t mss; /* 0: absent */
	bool has_wscale;
	uint8_t wscale; /* at most WIRE_TCP_WSCALE_MAX */
	bool sack_ok;

	/* The option of a segment without SYN. */
	uint8_t n_sack;
	struct tcp_sack_block sack[TCP_SACK_MAX];
};

/*
 * Whether the frame holds a whole TCP segment with consistent lengths. False for a
 * fragment, and for IPv6 with an extension header. Fills in *segment if true. Does not
 * check addresses, ports, flags or checksums.
 *
 * An option whose length is not that of its kind is skipped; a length that does not fit
 * ends the options, and the options before it count. Linux does both
 * (net/ipv4/tcp_input.c, tcp_parse_options).
 */
bool tcp_segment_parse(const uint8_t *frame, size_t frame_len,
    struct tcp_segment *segment);

/* The headers of a frame to the guest; borrows addresses and blocks. */
struct tcp_head {
	const uint8_t *dst_mac, *src_mac; /* 6 bytes */
	const uint8_t *src, *dst;         /* 4 or 16 bytes */
	bool is_ip6;
	uint16_t src_port, dst_port;
	uint32_t seq, ack;
	uint8_t flags;
	uint16_t window;      /* unscaled */
	uint16_t ip_id;       /* IPv4 */
	uint16_t ip_fragment; /* IPv4's flags; 0: routers inside the guest may cut it */

	/* Written with SYN alone. */
	uint16_t mss; /* 0: none */
	bool has_wscale;
	uint8_t wscale;
	bool sack_ok;

	/* Written without SYN alone. */
	uint8_t n_sack; /* at most TCP_SACK_MAX */
	const struct tcp_sack_block *sack;
};

/*
 * Writes Ethernet, IP and TCP headers in front of data_len bytes, and returns their
 * length. Lengths above 65535 are as in ip_head_write(). TCP's checksum field gets the sum
 * of the pseudo header, which the guest's kernel completes (VIRTIO_NET_HDR_F_NEEDS_CSUM,
 * virtio 1.2, 5.1.6.2) or tcp_head_sum().
 */
size_t tcp_head_write(uint8_t out[TCP_HEAD_MAX], const struct tcp_head *head,
    size_t data_len);

/* Completes the checksum of headers from tcp_head_write(), for a TAP without offloads. The
 * n pieces of data are the segment's whole data, and may have odd lengths. */
void tcp_head_sum(uint8_t *head, size_t head_len, const struct iovec *data, size_t n);
