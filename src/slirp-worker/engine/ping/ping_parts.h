/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the ping engine share; no other file includes it. */
#pragma once

#include "slirp-worker/engine/ping/ping.h"

/* Answers and errors read from one flow in a turn; the next wait reports the rest. */
#define PING_READS_MAX 16

/* RFC 792 and RFC 4443: offset of the identifier. */
#define PING_ICMP_ID 4

/* Writes Ethernet and IP headers for l4_len bytes between the two ends of a flow. */
void ping_put_headers(struct ping *ping, const struct ping_flow *flow, uint8_t *frame,
    bool to_guest, size_t l4_len);

/* The length of the IP header. */
size_t ping_ip_len(const struct ping_flow *flow);

/* Sends the guest the ICMP errors that the kernel has queued for the flow. */
void ping_take_errors(struct ping *ping, struct ping_flow *flow);

/* A request of the flow, of which icmp has at least the ICMP header, cannot be sent; error is an
 * errno. */
void ping_answer_errno(struct ping *ping, struct ping_flow *flow, const uint8_t *icmp,
    int error);

/* Tells the guest that this request was not sent because of its length. Returns false if that is
 * not the reason. */
bool ping_too_big(struct ping *ping, struct ping_flow *flow, const uint8_t *icmp,
    size_t len);

/* A request has reached the end of its TTL in this router. */
void ping_time_exceeded(struct ping *ping, const uint8_t *frame,
    const struct gate_frame *parsed);
