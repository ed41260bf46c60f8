/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gate: what a guest's bytes meet before the network stack sees them. Pure functions
 * over bytes, lengths and a configuration. One file for each question of an audit:
 * gate.c        Ethernet, ARP, IP headers and addresses
 * gate_l4.c     TCP, UDP, ICMP, and which of them may go where
 * gate_dhcp.c   the form of DHCP and DHCPv6 requests
 * gate_flows.c  which UDP peers on the host's loopback a guest may answer
 */
#pragma once

#include "ipc/drop_reasons.h"
#include "slirp-worker/gate/gate_dhcp.h"
#include "slirp-worker/gate/gate_flows.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the gate knows of the virtual network; the same that the stack is told. */
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
	/* The gateway's and the name server's interface identifiers below fe80::/64,
	 * where libslirp answers for them too. */
	struct in6_addr link_host6;
	struct in6_addr link_nameserver6;
	struct gate_flows flows;
	struct gate_dhcp dhcp;
};

enum gate_verdict {
	GATE_PASS,     /* hand frame->len bytes to an engine */
	GATE_PING,     /* hand to ping_request(): an echo request to the outside */
	GATE_FRAGMENT, /* hand to reass_add(), then check what comes out */
	GATE_REFUSE,   /* not handed on; refusal_build() makes the answer */
	GATE_DROP,     /* not handed on, nothing answered */
};

/* What the stack needs for a UDP datagram that has been passed. */
enum gate_udp {
	GATE_UDP_NOTHING, /* it is not UDP, or answered by the stack itself */
	GATE_UDP_SOCKET,  /* to one host */
	GATE_UDP_GROUP,   /* a socket, too, and nobody may answer it with an error */
	GATE_UDP_DNS,     /* a socket, too, to the name server */
};

/* A frame as the gate understood it. Offsets count from the frame's first byte. What a
 * drop leaves behind is set as far as the gate came; `reason` is always right. */
struct gate_frame {
	size_t len; /* the true length: Ethernet's padding is not in it */
	size_t l3_offset;
	size_t l4_offset; /* behind an IPv6 fragment header */
	size_t l4_len;    /* transport header and data, to the frame's end */
	uint16_t ethertype;
	uint8_t protocol; /* IPPROTO_TCP, _UDP, _ICMP or _ICMPV6; 0 for ARP */
	/* For GATE_PASS only. */
	enum gate_udp udp;
	/* For GATE_FRAGMENT only. */
	bool fragment_more;
	uint16_t fragment_offset; /* bytes */
	uint32_t fragment_id;
	/* For GATE_REFUSE and GATE_DROP only. */
	enum ipc_drop_reason reason;
};

/* Takes a copy of the configuration. Nothing is allocated. */
void gate_init(struct gate *gate, const struct gate_config *config);

/*
 * Judges one frame from the guest; *out is borrowed and always filled in. The frame's
 * checksums must be complete (tapio's work). Writes to the frame in two cases: TCP's URG
 * flag and pointer are cleared, and an IP length that exceeds UDP's is cut to it; the
 * checksums follow. What has been passed can be passed again and comes out the same.
 */
enum gate_verdict gate_check(struct gate *gate, uint8_t *frame, size_t frame_len,
    uint64_t now_ms, struct gate_frame *out);

/* Whether a frame that has been passed opens a TCP connection. */
bool gate_opens_tcp(const struct gate_frame *parsed, const uint8_t *frame);
