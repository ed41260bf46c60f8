/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much data the guest takes in one segment of a TCP connection, as it said in the
 * handshake, for as long as there is room to remember it. Only a memory: where it has been
 * forgotten, the caller takes what suits everybody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* 160 KB, of which only what is used becomes resident. Connections share a row by chance,
 * and the one that has been quiet longest gives way: with 2,000 of them open the next new
 * one finds a row that is full in one case of ten. */
#define TCPFLOWS_ROWS 1024
#define TCPFLOWS_ROW_LEN 4

/* IPv4 addresses are in the IPv4-mapped form (RFC 4291 2.5.5.2). Compared as bytes. */
struct tcpflow_key {
	uint8_t guest[16];
	uint8_t peer[16];
	uint8_t ports_be[4]; /* the guest's, the peer's */
};

struct tcpflow {
	struct tcpflow_key key;
	uint16_t mss_bytes; /* what the guest takes in one segment; 0: nobody's place */
};

struct tcpflows {
	struct tcpflow rows[TCPFLOWS_ROWS][TCPFLOWS_ROW_LEN]; /* latest in use first */
};

/* Whose segment this is; its direction says which end is the guest. */
struct tcpflow_key tcpflow_key(const uint8_t *frame, const struct segment *segment,
    bool from_guest);

/* In bytes; 0 for a connection that is not remembered. */
uint16_t tcpflows_get(struct tcpflows *flows, const struct tcpflow_key *key);

/* Remembers it, or what is new about it. */
void tcpflows_set(struct tcpflows *flows, const struct tcpflow_key *key,
    uint16_t mss_bytes);
