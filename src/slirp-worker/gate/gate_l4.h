/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between the gate's two halves: gate.c knows addresses and hands over what they
 * mean, gate_l4.c knows protocols and decides what may go there. Used by gate*.c alone.
 */
#pragma once

#include "slirp-worker/gate/gate.h"

#include <stdbool.h>
#include <stdint.h>

/* What a destination address means to the stack, in either family. */
enum gate_place {
	GATE_PLACE_OUTSIDE,
	GATE_PLACE_GATEWAY,    /* names the host's loopback */
	GATE_PLACE_NAMESERVER, /* names the host's resolver on port 53 */
	GATE_PLACE_NETWORK,    /* any other unicast address of the virtual network */
	GATE_PLACE_NETWORK_BROADCAST, /* 10.0.2.255 of 10.0.2.0/24 */
	GATE_PLACE_BROADCAST,         /* 255.255.255.255 names the host's loopback, too */
	GATE_PLACE_MULTICAST,         /* of more than one link */
	GATE_PLACE_LINK,              /* fe80::/10 where nobody is */
	GATE_PLACE_LINK_OWN,          /* fe80::/64 where the stack answers */
	GATE_PLACE_LINK_GROUP,        /* ff02::1 names the host's loopback, too */
};

/* A packet whose IP header has been found right. */
struct gate_packet {
	struct gate *gate;
	uint8_t *l3;
	uint8_t *l4; /* out->l4_len bytes */
	struct gate_frame *out;
	enum gate_place place;
	bool from_unspecified; /* the source is 0.0.0.0 or :: */
	uint64_t now_ms;
};

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
