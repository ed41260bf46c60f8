/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening sockets of forwards, and the connections that they accept.
 *
 * A socket that cannot accept, because descriptors or other room are used up, is paused: it
 * leaves epoll(7), where it would be ready in each wait. Its peers stay in its queue. It
 * comes back when there is room.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/inaddr.h"
#include "model/budget.h"
#include "slirp-worker/engine/forward/peer.h"
#include "slirp-worker/engine/port_table.h"
#include "slirp-worker/poller.h"

/* Connections accepted in a turn, of one socket and of all: each costs about as much as a
 * frame, and frames must not wait for long. */
#define TCP_ACCEPTS_EACH 16
#define TCP_ACCEPTS_A_TURN 64

/* Paused sockets looked at in a turn. */
#define TCP_RESUMES_A_TURN 64

/* What the owner of the connections decides. */
struct tcp_listen_owner {
	void *ctx;
	/* Whether one more connection to this port of the guest may be accepted. */
	bool (*may_accept)(void *ctx, const struct inaddr *guest, uint16_t port);
	/* Takes the connection; its descriptor counts in BUDGET_TCP. */
	void (*accepted)(void *ctx, const struct peer_incoming *incoming);
};

struct tcp_listen {
	struct port_list paused; /* PORT_AWAY, in the order of their turns */
	uint64_t accepts_at_ms;  /* the kernel lacked memory or files */
	/* Borrowed. */
	struct port_table *table;
	const struct poller *poller;
	struct budget *budget;
	const struct tcp_listen_owner *owner;
	uint64_t *n_pauses; /* a counter */
};

/* All pointers are borrowed. */
void tcp_listen_init(struct tcp_listen *listen, struct port_table *table,
    const struct tcp_listen_owner *owner, uint64_t *n_pauses);

/* Begins to accept from a port that is PORT_AWAY. Returns false if the kernel has no room for it in
 * epoll(7): it is paused. */
bool tcp_listen_open(struct tcp_listen *listen, struct port *port);

/* Before a port that has a descriptor is closed. Its connections continue. */
void tcp_listen_close(struct tcp_listen *listen, struct port *port);

/* Accepts from the sockets that the last wait found ready, the same number from each. */
void tcp_listen_accept(struct tcp_listen *listen, uint64_t now_ms);

/* Before a wait: lets paused sockets accept again, if there is room. Returns when it has to
 * be called again; DEADLINE_NONE: after an event. */
uint64_t tcp_listen_resume(struct tcp_listen *listen, uint64_t now_ms);
