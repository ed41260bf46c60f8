/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate checks each frame from the guest before the network stack gets it. It consists
 * of pure functions over bytes, lengths and a configuration:
 * gate.c        Ethernet, ARP, IP headers and addresses
 * gate_l4.c     TCP, UDP, ICMP, and where each may go
 * gate_dhcp.c   the form of DHCP and DHCPv6 requests
 * gate_icmp_error.c ICMP errors about segments to the guest
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/drop_reasons.h"
#include "model/flow_key.h"
#include "slirp-worker/gate/gate_dhcp.h"

/* The configuration of the virtual network; the stack gets the same one. */
struct gate_config {
	bool allow_host_loopback; /* the gateway address reaches the host's loopback */
	bool enable_ipv6;
	bool enable_dns; /* the name server's address answers on port 53 */
	struct in_addr network_be;
	struct in_addr netmask_be;
	struct in_addr host_be; /* the gateway */
	struct in_addr nameserver_be;
	struct in6_addr prefix6; /* a /64 */
	struct in6_addr host6;   /* the gateway */
	struct in6_addr nameserver6;
};

struct gate {
	struct gate_config config;
	/* libslirp also answers for these addresses below fe80::/64, with the interface
	 * identifiers of the gateway and the name server. */
	struct in6_addr link_host6;
	struct in6_addr link_nameserver6;
	struct gate_dhcp dhcp;
	/* Whether the UDP engine has the flow: if the host's loopback is closed, a guest
	 * may answer a peer of a forward there. NULL: it has none. */
	bool (*knows_udp)(void *ctx, const struct flow_key *key);
	void *ctx; /* borrowed */
};

enum gate_verdict {
	GATE_PASS, /* give frame->len bytes to an engine */
	GATE_PING, /* give to ping_request(): an echo request to an outside host */
	/* give to tcp_too_big() or tcp_unreachable(): an ICMP error about a segment */
	GATE_ICMP_ERROR,
	GATE_FRAGMENT, /* give to reass_add(), then check the result */
	GATE_REFUSE,   /* drop, and send the answer of refusal_build() */
	GATE_DROP,     /* drop without an answer */
};

/* The socket that a UDP datagram that passed needs. */
enum gate_udp {
	GATE_UDP_NOTHING, /* not UDP, or the stack answers it without a socket */
	GATE_UDP_SOCKET,  /* to one host */
	GATE_UDP_GROUP,   /* to a group: nobody may answer it with an error */
	GATE_UDP_DNS,     /* to the name server */
};

/* An ICMP error of a router in the guest. Nothing in it is believed: the key and the number
 * may belong to no segment that was sent. */
struct gate_icmp_error {
	struct flow_key key; /* of the quoted segment's flow */
	uint32_t seq;        /* the number of the quoted segment */
	bool is_too_big;     /* or nobody takes the segment */
	uint32_t mtu_bytes;  /* if is_too_big: any value */
};

/* A parsed frame. Offsets count from the frame's first byte. After a drop, only the
 * fields that the gate reached are set; `reason` is always set. */
struct gate_frame {
	size_t len;               /* without Ethernet's padding */
	const uint8_t *src, *dst; /* of IP, in the frame: 4 or 16 bytes */
	size_t l4_offset;         /* after an IPv6 fragment header */
	size_t l4_len;            /* transport header and data, up to the frame's end */
	uint16_t ethertype;
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _ICMP or _ICMPV6; 0 for ARP */
	uint8_t ttl;
	/* For GATE_PASS only. */
	enum gate_udp udp;
	/* For GATE_PASS and GATE_PING only, set by the caller: the guest has sent it in
	 * fragments. */
	bool was_cut;
	/* For GATE_ICMP_ERROR only. */
	struct gate_icmp_error icmp_error;
	/* For GATE_FRAGMENT only. */
	bool fragment_more;
	uint16_t fragment_offset; /* bytes */
	uint32_t fragment_id;
	/* For GATE_REFUSE and GATE_DROP only. */
	enum ipc_drop_reason reason;
};

/* Copies the configuration. Allocates nothing. */
void gate_init(struct gate *gate, const struct gate_config *config);

/* Checks one frame from the guest; *out is borrowed and always filled in. The frame's
 * checksums must be complete (vnet.c does that). Clears TCP's URG flag and pointer,
 * reduces an IP length that exceeds UDP's, and updates the checksums. A frame that passed
 * once passes again unchanged. */
enum gate_verdict gate_check(struct gate *gate, uint8_t *frame, size_t frame_len,
    uint64_t now_ms, struct gate_frame *out);
