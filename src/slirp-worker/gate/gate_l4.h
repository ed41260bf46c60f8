/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interface between gate.c, which classifies addresses, gate_l4.c, which checks protocols,
 * and neigh.c, which remembers the guest's MACs. Only these include it.
 */
#pragma once

#include "slirp-worker/gate/gate.h"

#include <stdbool.h>
#include <stdint.h>

/* RFC 4291 2.7.1: ff02::1:ff00:0/104, before the last three bytes of an address. */
#define GATE_SOLICITED_NODE_PREFIX_LEN 13
extern const uint8_t gate_solicited_node_prefix[GATE_SOLICITED_NODE_PREFIX_LEN];

/* The meaning of a destination address for the stack, in either family. */
enum gate_place {
	GATE_PLACE_OUTSIDE,
	GATE_PLACE_GATEWAY,    /* stands for the host's loopback */
	GATE_PLACE_NAMESERVER, /* stands for the host's resolver on port 53 */
	GATE_PLACE_NETWORK,    /* any other unicast address of the virtual network */
	GATE_PLACE_NETWORK_BROADCAST, /* 10.0.2.255 of 10.0.2.0/24 */
	GATE_PLACE_BROADCAST,  /* 255.255.255.255 also stands for the host's loopback */
	GATE_PLACE_MULTICAST,  /* with a scope of more than one link */
	GATE_PLACE_LINK,       /* fe80::/10 except the stack's addresses */
	GATE_PLACE_LINK_OWN,   /* the stack's addresses in fe80::/64 */
	GATE_PLACE_LINK_GROUP, /* ff02::1 also stands for the host's loopback */
};

/* A packet with a valid IP header. */
struct gate_packet {
	struct gate *gate;
	uint8_t *l3;
	uint8_t *l4; /* out->l4_len bytes */
	struct gate_frame *out;
	enum gate_place place;
	bool from_unspecified; /* the source is 0.0.0.0 or :: */
	uint64_t now_ms;
};

/* Whether an interface can have this MAC (6 bytes): no group's, and not zeros. */
bool gate_mac_is_one_host(const uint8_t *mac);

/* Whether the guest may have this IPv6 address (16 bytes). The stack's own are not its. */
bool gate_may_be_guest6(const struct gate *gate, const uint8_t *address);

enum gate_verdict gate_l4_check(const struct gate_packet *packet);

static inline enum gate_verdict
gate_drop(struct gate_frame *out, enum ipc_drop_reason reason)
{
	out->reason = reason;
	return GATE_DROP;
}

static inline enum gate_verdict
gate_refuse(struct gate_frame *out, enum ipc_drop_reason reason)
{
	out->reason = reason;
	return GATE_REFUSE;
}
