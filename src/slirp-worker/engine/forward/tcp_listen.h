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
#include "slirp-worker/budget.h"
#include "slirp-worker/engine/forward/peer.h"
#include "slirp-worker/poller.h"

/* The queue of a socket: Linux's default limit (net.core.somaxconn since 5.4). */
#define TCP_LISTEN_BACKLOG 4096

/* Connections accepted in a turn, of one socket and of all: each costs about as much as a
 * frame, and frames must not wait for long. */
#define TCP_ACCEPTS_EACH 16
#define TCP_ACCEPTS_A_TURN 64

/* Paused sockets looked at in a turn. */
#define TCP_RESUMES_A_TURN 64

/* Places of a socket are found by its port, in chains. With a forward of all ports, 16 are
 * in each. */
#define TCP_LISTEN_CHAINS 4096

struct tcp_listener {
	TAILQ_ENTRY(tcp_listener) paused_entry;
	union inaddr_sock host;
	struct inaddr guest;
	uint16_t guest_port; /* host byte order */
	bool is_paused;
	uint32_t rule; /* id of the forward */
	int fd;        /* owned; -1: the place is free */
	uint32_t generation;
	uint32_t next; /* in its chain, or of the free places: a place plus 1; 0: none */
};

TAILQ_HEAD(tcp_listeners, tcp_listener);

/* What the owner of the connections decides. */
struct tcp_listen_owner {
	void *ctx;
	/* Whether one more connection to this port of the guest may be accepted. */
	bool (*may_accept)(void *ctx, const struct inaddr *guest, uint16_t port);
	/* Takes the connection; its descriptor counts in BUDGET_TCP. */
	void (*accepted)(void *ctx, const struct peer_incoming *incoming);
};

struct tcp_listen {
	struct tcp_listener *places; /* owned */
	uint32_t n_max;
	uint32_t n_places; /* that were used at some time */
	uint32_t first_free;
	uint32_t chains[TCP_LISTEN_CHAINS];
	struct tcp_listeners paused; /* in the order of their turns */
	uint64_t accepts_at_ms;      /* the kernel lacked memory or files */
	/* Borrowed. */
	struct poller *poller;
	struct budget *budget;
	const struct tcp_listen_owner *owner;
	uint64_t *n_pauses; /* a counter */
};

/* Maps memory for n_max sockets; call it before the jail. All pointers are borrowed.
 * Returns 0, or -1 with errno set. */
int tcp_listen_init(struct tcp_listen *listen, uint32_t n_max, struct poller *poller,
    struct budget *budget, const struct tcp_listen_owner *owner, uint64_t *n_pauses);

/* Closes all sockets; also after a failed tcp_listen_init(). */
void tcp_listen_free(struct tcp_listen *listen);

/* Opens a port of the host, host, for a port of the guest. rule is the id of the forward.
 * Returns 0, or -1 with errno of socket(2), bind(2), listen(2) or epoll_ctl(2). */
int tcp_listen_open(struct tcp_listen *listen, const union inaddr_sock *host,
    const struct inaddr *guest, uint16_t guest_port, uint32_t rule);

/* Closes the port, which must be open. Its connections continue. */
void tcp_listen_close(struct tcp_listen *listen, const union inaddr_sock *host);

/* Accepts from the sockets that the last wait found ready, the same number from each. */
void tcp_listen_accept(struct tcp_listen *listen, uint64_t now_ms);

/* Before a wait: lets paused sockets accept again, if there is room. Returns when it has to
 * be called again; DEADLINE_NONE: after an event. */
uint64_t tcp_listen_resume(struct tcp_listen *listen, uint64_t now_ms);
