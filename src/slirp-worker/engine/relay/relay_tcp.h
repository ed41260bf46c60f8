/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP of relay.h: the connection of a peer, and one of ours to the inner port, as two sides
 * between which bytes are carried in both directions. There is no buffer: what a side has
 * received stays in the kernel until the other has taken it, so each is as slow for its
 * sender as the other is for us.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "slirp-worker/wire/address.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/pollset.h"

/* Accepted by us and not by libslirp yet, of all ports together. It takes one of each port in
 * a turn, so more would only wait here instead of at the port. */
#define RELAY_TCP_PENDING_MAX 16

struct relay_side {
	int fd; /* owned */
	int poll_index;
	bool has_ended;  /* its end of file was passed on */
	bool is_blocked; /* it takes nothing before it is writable */
};

struct relay_connection {
	struct relay_side peer;
	struct relay_side inner;
	union address inner_end; /* of the inner side: libslirp's, */
	union address own_end;   /* and ours */
	int stack_fd;    /* borrowed: libslirp's socket; -1: none yet, or no more */
	bool is_pending; /* libslirp has not accepted it yet */
};

struct relay_tcp {
	struct relay_connection *connections; /* owned; the first n */
	size_t n;
	size_t size; /* room */
	size_t n_pending;
	struct budget *budget;  /* borrowed */
	uint64_t accepts_at_ms; /* not before: the kernel lacks something */
};

void relay_tcp_free(struct relay_tcp *tcp);

/* Accepts what waits at the port, and connects each to the inner one. Not more than there
 * are descriptors for, libslirp's for the other end of each included: ones without it would
 * have descriptors that libslirp waits for. Returns whether any was accepted. */
bool relay_tcp_accept(struct relay_tcp *tcp, int port_fd, const union address *inner,
    uint64_t now_ms);

/* libslirp has a new socket; perhaps it is the other end of an inner side. */
void relay_tcp_note_accepted(struct relay_tcp *tcp, int fd);

/* libslirp is about to close a socket; perhaps it is the other end of an inner side. Then
 * nobody is there for what the peer still sends. */
void relay_tcp_note_closed(struct relay_tcp *tcp, int fd);

/* Whether one more can be accepted, as far as is known; shortens *timeout_ms if that changes
 * with time alone. */
bool relay_tcp_has_room(const struct relay_tcp *tcp, uint32_t *timeout_ms,
    uint64_t now_ms);

/* Also closes the connections that are over. */
void relay_tcp_prepare_wait(struct relay_tcp *tcp, struct pollset *set);
void relay_tcp_finish_wait(struct relay_tcp *tcp, const struct pollset *set);

/* The peer's socket, borrowed, of the connection whose other end is this socket of
 * libslirp's; -1 if there is none. */
int relay_tcp_find_peer(const struct relay_tcp *tcp, int stack_fd);
