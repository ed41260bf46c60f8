/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections of forwards that wait for the guest's MAC. For each address of the guest, the
 * caller asks by ARP or a neighbor solicitation, and takes the connections when the answer
 * is there or the time is over. Pure functions over a clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slirp-worker/engine/forward/peer.h"

/* Connections that wait, in all and for one address: an address that nobody has must leave
 * room for others. Further peers stay in the queues of the listening sockets. */
#define TCP_HELD_MAX 256
#define TCP_HELD_BY_GUEST 64

/* A guest answers at once, if it has the address. Three requests, because one can be lost
 * behind a bridge. */
#define TCP_HOLD_ASKS 3
#define TCP_HOLD_ASK_MS 200

/* While the guest's interface is down, requests do not count. A peer waits at most as long
 * as for an answer to its SYN (tcp_parts.h: 1, 2, 4, 8 and 16 s). */
#define TCP_HOLD_MAX_MS 31000

/* An address of the guest that is asked for. */
struct tcp_wanted {
	struct inaddr guest;
	uint32_t n_held;
	uint32_t n_asked; /* requests that went out */
	uint64_t due_ms;  /* the next request, or the end */
	uint64_t ends_ms;
};

/* All zeros is an empty one. */
struct tcp_hold {
	struct peer_incoming held[TCP_HELD_MAX]; /* in the order of their arrival */
	size_t n_held;
	struct tcp_wanted wanted[TCP_HELD_MAX]; /* each has a connection that waits */
	size_t n_wanted;
};

enum tcp_hold_action {
	TCP_HOLD_WAIT,
	TCP_HOLD_ASK,
	TCP_HOLD_GIVE_UP,
};

bool tcp_hold_has_room(const struct tcp_hold *hold, const struct inaddr *guest);

/* Adds a connection; there must be room. Owns its descriptor until it is taken. */
void tcp_hold_add(struct tcp_hold *hold, const struct peer_incoming *incoming,
    uint64_t now_ms);

/* What to do for an address. */
enum tcp_hold_action tcp_hold_look(const struct tcp_wanted *wanted, uint64_t now_ms);

/* A request was sent; went_out: the guest's interface has taken it. */
void tcp_hold_asked(struct tcp_wanted *wanted, bool went_out, uint64_t now_ms);

/* Takes the oldest connection to this address. The last one takes the entry of the address
 * with it, and another entry moves to its place. False if there is none. */
bool tcp_hold_take(struct tcp_hold *hold, const struct inaddr *guest,
    struct peer_incoming *incoming);

/* When the next action is due; DEADLINE_NONE if nothing waits. */
uint64_t tcp_hold_due(const struct tcp_hold *hold);
