/*
 * What the guest said about its end of a TCP connection, for as long as there is room to
 * remember it. Only a memory: where a connection has been forgotten, its segments take
 * values that suit everybody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/segment.h"

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
	uint16_t window_bytes; /* the largest that it has announced */
};

struct tcpflows {
	struct tcpflow rows[TCPFLOWS_ROWS][TCPFLOWS_ROW_LEN]; /* latest in use first */
};

/* Whose segment this is; its direction says which end is the guest. */
struct tcpflow_key tcpflow_key(const uint8_t *frame, const struct segment *segment,
    bool from_guest);

/* NULL for a connection that is not remembered. What it points to belongs to flows and is
 * good until the next call. */
struct tcpflow *tcpflows_find(struct tcpflows *flows, const struct tcpflow_key *key);

/* A place for a connection that is not remembered, likewise; all but the key is 0, and
 * the caller sets mss_bytes. */
struct tcpflow *tcpflows_add(struct tcpflows *flows, const struct tcpflow_key *key);
