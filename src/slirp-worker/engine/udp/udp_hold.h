/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps datagrams of flows that wait for their sockets, in their order. A flow has a queue.
 * The memory is mapped once; only the pages of used places are resident, and the place that
 * was freed last is used first.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "slirp-worker/engine/udp/udp_run.h"

/* The first datagrams of flows find a place as long as this many are not used by others: one for
 * each question that the connector has. */
#define UDP_HOLD_FIRST_PLACES IPC_FLOWS_ASKED_MAX

/* For the next datagrams of all flows: about those that a guest sends in the millisecond that a
 * socket takes on a busy machine. */
#define UDP_HOLD_NEXT_PLACES 256

#define UDP_HOLD_PLACES (UDP_HOLD_FIRST_PLACES + UDP_HOLD_NEXT_PLACES)

/* Any datagram fits. With all places it is 32 MiB of address space. */
#define UDP_HOLD_LEN_MAX 65536

/* The datagrams of a flow: places plus 1; 0: none. */
struct udp_queue {
	uint16_t first, last;
};

struct udp_held {
	uint16_t next; /* in its queue, or of the free places: a place plus 1 */
	uint16_t len;
	struct udp_fate fate;
};

struct udp_hold {
	uint8_t *data; /* owned; UDP_HOLD_LEN_MAX for each place */
	struct udp_held held[UDP_HOLD_PLACES];
	uint16_t first_free;
	uint16_t n_free;
};

/* Returns 0, or -1 with errno set; udp_hold_free() may be called in both cases. */
int udp_hold_init(struct udp_hold *hold);
void udp_hold_free(struct udp_hold *hold);

/* Copies a datagram behind those of the queue. Returns false if there is no place. */
bool udp_hold_add(struct udp_hold *hold, struct udp_queue *queue, const uint8_t *data,
    size_t len, const struct udp_fate *fate);

/* The first datagram of the queue, until udp_hold_take(); *data is borrowed. NULL: none. */
const struct udp_held *udp_hold_first(const struct udp_hold *hold,
    const struct udp_queue *queue, const uint8_t **data);

/* Frees the place of the first one. */
void udp_hold_take(struct udp_hold *hold, struct udp_queue *queue);

/* Frees the places of all. */
void udp_hold_drop(struct udp_hold *hold, struct udp_queue *queue);
