/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps datagrams, or echo requests, of flows that wait for their sockets, in their order. A flow
 * has a queue. The memory is mapped once; only the pages of used places are resident, and the place that
 * was freed last is used first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"

/* The first datagrams of flows find a place as long as this many are not used by others: one for
 * each question that the connector has. */
#define HOLD_FIRST_PLACES IPC_FLOWS_ASKED_MAX

/* For the next datagrams of all flows: about those that a guest sends in the millisecond that a
 * socket takes on a busy machine. */
#define HOLD_NEXT_PLACES 256

#define HOLD_PLACES (HOLD_FIRST_PLACES + HOLD_NEXT_PLACES)

/* A place, for a frame of the usual MTU. All places have a mebibyte together. */
#define HOLD_LEN_SHORT 2048

/* Places for longer datagrams, which only a few programs send: two mebibytes. */
#define HOLD_LONG_PLACES 32
#define HOLD_LEN_MAX 65536

/* How the guest wants the fields of IP headers. */
struct hold_fate {
	uint8_t ttl;       /* behind this router; 0: as the host has it */
	uint8_t tos;       /* or IPv6's traffic class */
	bool may_fragment; /* IPv4 without Don't Fragment; or it came in fragments */
};

/* The datagrams of a flow: places plus 1; 0: none. */
struct hold_queue {
	uint16_t first, last;
};

struct held_datagram {
	uint16_t next; /* in its queue, or of the free places: a place plus 1 */
	uint16_t len;
	uint16_t long_place; /* of its data, plus 1; 0: the data is in its own place */
	struct hold_fate fate;
};

struct hold {
	uint8_t *data;      /* owned; first the short places, then the long ones */
	uint32_t free_long; /* a bit for each long place */
	struct held_datagram held[HOLD_PLACES];
	uint16_t first_free;
	uint16_t n_free;
};

/* Returns 0, or -1 with errno set; hold_free() may be called in both cases. */
int hold_init(struct hold *hold);
void hold_free(struct hold *hold);

/* Copies a datagram behind those of the queue. Returns false if there is no place for its
 * length. */
bool hold_add(struct hold *hold, struct hold_queue *queue, const uint8_t *data,
    size_t len, const struct hold_fate *fate);

/* The first datagram of the queue, until hold_take(); *data is borrowed. NULL: none. */
const struct held_datagram *hold_first(const struct hold *hold,
    const struct hold_queue *queue, const uint8_t **data);

/* Frees the place of the first one. */
void hold_take(struct hold *hold, struct hold_queue *queue);

/* Frees the places of all. */
void hold_drop(struct hold *hold, struct hold_queue *queue);
