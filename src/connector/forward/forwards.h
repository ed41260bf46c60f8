/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forwards: their table, and how a forward is added and removed. A forward is one port or
 * a range, of which all ports are open or none. A change runs in slices, one in each turn
 * of the loop, so that a range of thousands of ports delays no packet. There is one
 * change at a time. Sends no messages.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "connector/forward/listeners.h"
#include "ipc/messages.h"
#include "model/budget.h"
#include "model/forward_table.h"

/* Ports of all forwards together, which also limits the forwards: every port of an
 * address. The budget has a limit too: the ports that the worker can have. */
#define FORWARDS_PORTS_MAX FORWARD_TABLE_MAX

/* So long a question of the worker waits at most; enough for some hundred ports. */
#define FORWARDS_SLICE_MS 2

enum forwards_phase {
	FORWARDS_IDLE,
	FORWARDS_OPENING,
	FORWARDS_CLOSING, /* to remove a forward, or to undo a failed addition */
};

/* The current change, or the last one. */
struct forwards_change {
	enum forwards_phase phase;
	bool is_addition;
	uint32_t n_open; /* open ports of the forward, counted from its first */
	struct ipc_forward forward; /* the forward as in the table */
	/* Complete at the end of the change. The port and the conflicting forward are for
	 * additions; a removal has an id only if the forward existed. */
	struct ipc_forward_result result;
};

struct forwards {
	struct listeners *listeners;       /* borrowed */
	const struct ipc_network *network; /* borrowed */
	struct in6_addr guest6;            /* the guest's own address; :: if unknown */
	struct budget budget;              /* of the worker; BUDGET_PORT is used */
	struct forwards_change change;
	uint32_t last_id;            /* ids start at 1 and are not used twice */
	struct forward_table *table; /* owned */
};

/* Returns 0 or -1 with errno set. */
int forwards_init(struct forwards *forwards, struct listeners *listeners,
    const struct ipc_network *network, const struct budget *budget);

void forwards_free(struct forwards *forwards);

/* Take a forward, and one of its ports, of the connector before, and the last id of that. The
 * sockets stay with the listeners. Return -1 if this contradicts what has come before. */
int forwards_adopt(struct forwards *forwards, const struct ipc_forward_entry *entry);
int forwards_adopt_port(struct forwards *forwards, const struct ipc_table_port *port,
    int adopt_fd);
void forwards_end_adoption(struct forwards *forwards, uint32_t last_id);

/* Begin a change; no other change may be in progress. The row's check has accepted forward;
 * the outcome of the change tells what the table and the kernel say. Then call
 * forwards_proceed() at least once. */
void forwards_add(struct forwards *forwards, const struct ipc_forward *forward);
void forwards_remove(struct forwards *forwards, uint32_t id);

/* Runs a slice of the change. Returns true at the end of the change; change.result and
 * change.forward stay valid until the next change. */
bool forwards_proceed(struct forwards *forwards);

static inline bool
forwards_is_busy(const struct forwards *forwards)
{
	return forwards->change.phase != FORWARDS_IDLE;
}

/* The UDP port, at any address of the host, that leads to this port of the guest; 0: none. Looks at
 * all forwards. */
uint16_t forwards_udp_port_of(const struct forwards *forwards, const struct inaddr *guest,
    uint16_t guest_port);

/* Fills in the forwards with ids above after_id, and whether there are more. */
void forwards_fill_page(const struct forwards *forwards, uint32_t after_id,
    struct ipc_forwards_page *page);
