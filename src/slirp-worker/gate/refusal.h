/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Builds answers to refused frames, so that a program in the guest fails at once instead
 * of after a timeout: with "Network is unreachable" if the loopback is closed, otherwise
 * with "Connection refused".
 */
#pragma once

#include "slirp-worker/gate/gate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest answer: an ICMPv6 error with IPv6's minimum MTU (RFC 4443 3.1). */
#define REFUSAL_MAX_LEN (14 + 1280)

/* Writes to out the answer to a frame for which gate_check() returned GATE_REFUSE. TCP to
 * a closed port gets a reset (RFC 9293 3.10.7.1), other packets an ICMP error that quotes
 * the packet. Returns its length, or 0 if the frame must not be answered or out_size is
 * below REFUSAL_MAX_LEN. */
size_t refusal_build(const struct gate_frame *parsed, const uint8_t *frame, uint8_t *out,
    size_t out_size);

/* An ICMP error, of the same family as the frame. */
struct refusal_error {
	uint8_t type; /* RFC 792 or RFC 4443 */
	uint8_t code;
	const uint8_t
	    *source; /* source address, 4 or 16 bytes; NULL: the frame's destination */
	uint32_t mtu_bytes; /* MTU of the next link, if the error has one; else 0 */
};

/* Makes *answer the error for what a socket of the host could not send because of this errno.
 * gateway is its source, unless it is the answer of a closed port. Returns false if the guest
 * gets no answer: ETIMEDOUT, the connector's answer if the policy has "refuse drop". */
bool refusal_of_errno(int error, bool is_ip6, const uint8_t *gateway,
    struct refusal_error *answer);

/* Writes an error that quotes the packet to out. The frame has a whole IP header, without
 * options, and no padding; the packet may be cut behind what the error is to quote. Returns
 * the same as refusal_build(). */
size_t refusal_build_error(const uint8_t *frame, size_t frame_len,
    const struct refusal_error *error, uint8_t *out, size_t out_size);
