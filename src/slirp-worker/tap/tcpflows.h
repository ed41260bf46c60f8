/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Remembers how much data the guest takes in one segment of each TCP connection, from the
 * handshake. For a connection that was forgotten, the caller uses a default.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/wire/segment.h"

/* 160 KB, of which only used pages become resident. A new connection replaces the one in
 * its row that was used least recently. With 2,000 connections, one new connection in ten
 * finds a full row. */
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
	uint16_t mss_bytes; /* most data that the guest takes in a segment; 0: free */
};

struct tcpflows {
	struct tcpflow rows[TCPFLOWS_ROWS][TCPFLOWS_ROW_LEN]; /* latest in use first */
};

/* The key of this segment's connection; from_guest tells which end is the guest. */
struct tcpflow_key tcpflow_key(const uint8_t *frame, const struct segment *segment,
    bool from_guest);

/* In bytes; 0 if the connection is unknown. */
uint16_t tcpflows_get(struct tcpflows *flows, const struct tcpflow_key *key);

/* Adds or updates the connection. */
void tcpflows_set(struct tcpflows *flows, const struct tcpflow_key *key,
    uint16_t mss_bytes);
