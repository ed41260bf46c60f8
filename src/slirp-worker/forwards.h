/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host forwards: the table of rules, and how one comes into it and out of it. A rule is
 * one port or a range, all of it or nothing. A change is made in slices, one a turn of
 * the loop, so that a range of thousands of ports holds up no packet; there is one change
 * at a time. Runs in the worker, before and after the jail; sends nothing itself.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"
#include "model/rules.h"
#include "slirp-worker/engine/relay/relay.h"
#include "slirp-worker/engine/slirp/stack.h"

/* Ports of all rules together, and so rules: every port of an address, and as many
 * sockets as the pollset can watch (pollset.c). */
#define FORWARDS_PORTS_MAX RULES_MAX

/* A slice ends after this: less than what a turn with a full batch of frames takes, and
 * enough for some hundred ports. */
#define FORWARDS_SLICE_MS 2

enum forwards_phase {
	FORWARDS_IDLE,
	FORWARDS_OPENING,
	FORWARDS_CLOSING, /* for a removal, or to undo what failed half way */
};

/* The change under way, or the last one. */
struct forwards_change {
	enum forwards_phase phase;
	bool is_addition;
	uint32_t n_open;         /* ports of the rule that are open, from its first on */
	struct ipc_hostfwd rule; /* as it stands, or stood, in the table */
	/* Of the end, and before that as far as it is known. The port and the rule in the
	 * way are for additions; a removal has an id only if there was such a rule. */
	struct ipc_hostfwd_result result;
};

struct forwards {
	struct stack *stack;               /* borrowed */
	struct relay *relay;               /* borrowed; for rules between the families */
	struct budget *budget;             /* borrowed */
	const struct ipc_network *network; /* borrowed */
	struct in6_addr guest6;            /* the guest's own address; :: if not known */
	struct forwards_change change;
	uint32_t n_tcp_ports;
	uint32_t n_udp_ports;
	uint32_t last_id;    /* ids count from 1 and are not used twice */
	struct rules *rules; /* owned */
};

/* Returns 0 or -1 with errno set. */
int forwards_init(struct forwards *forwards, struct stack *stack, struct relay *relay,
    struct budget *budget, const struct ipc_network *network,
    const struct in6_addr *guest6);

void forwards_free(struct forwards *forwards);

/*
 * Begin a change; there must be none under way. rule has passed the row's check; what
 * only the table and the kernel know is the outcome of the change. Go on with
 * forwards_proceed, which has to be called at least once.
 */
void forwards_add(struct forwards *forwards, const struct ipc_hostfwd *rule);
void forwards_remove(struct forwards *forwards, uint32_t id);

/* Does a slice of the change. True at its end: change.result and change.rule tell how it
 * went, until the next one. */
bool forwards_proceed(struct forwards *forwards);

static inline bool
forwards_is_busy(const struct forwards *forwards)
{
	return forwards->change.phase != FORWARDS_IDLE;
}

/* Fills in the rules with ids above after_id, and whether there are more. */
void forwards_fill_page(const struct forwards *forwards, uint32_t after_id,
    struct ipc_hostfwd_page *page);

/* The rule that a connection to this address and port of the host came by, NULL if none:
 * it may be gone. proto is IPPROTO_TCP or _UDP. */
const struct ipc_hostfwd *forwards_find_port(const struct forwards *forwards,
    uint8_t proto, bool is_ipv6, const uint8_t addr[IPC_ADDR6_LEN], uint16_t port);
