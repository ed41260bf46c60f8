/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TCP part of relay.h: carries bytes between two sides, the connection of a peer and
 * a connection to the inner port. It has no buffer: data stays in the kernel until the
 * other side takes it, so each side slows down the sender of the other.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/inaddr.h"
#include "slirp-worker/budget.h"
#include "slirp-worker/pollset.h"

/* Connections that libslirp has not accepted yet, of all ports together. libslirp accepts
 * one for each port in a turn; more would wait here instead of in the listen queue. */
#define RELAY_TCP_PENDING_MAX 16

struct relay_side {
	int fd; /* owned */
	int poll_index;
	bool has_ended;  /* its end of file was passed on */
	bool is_blocked; /* takes nothing until it is writable */
};

struct relay_connection {
	struct relay_side peer;
	struct relay_side inner;
	union inaddr_sock inner_end; /* libslirp's end of the inner side */
	union inaddr_sock own_end;   /* the worker's end */
	int stack_fd;                /* borrowed: libslirp's socket; -1: none */
	bool is_pending;             /* libslirp has not accepted it yet */
};

struct relay_tcp {
	struct relay_connection *connections; /* owned; the first n are in use */
	size_t n;
	size_t size; /* allocated */
	size_t n_pending;
	struct budget *budget;  /* borrowed */
	uint64_t accepts_at_ms; /* not before; the kernel lacked memory or files */
};

void relay_tcp_free(struct relay_tcp *tcp);

/* Accepts connections at the port, and connects each to the inner port, while there are
 * descriptors for it and libslirp's end. Returns whether it accepted any. */
bool relay_tcp_accept(struct relay_tcp *tcp, int port_fd, const union inaddr_sock *inner,
    uint64_t now_ms);

/* Call after libslirp has opened a socket: it may be the other end of an inner side. */
void relay_tcp_note_accepted(struct relay_tcp *tcp, int fd);

/* Call before libslirp closes a socket, which may be the other end of an inner side. The
 * peer's further data is then discarded. */
void relay_tcp_note_closed(struct relay_tcp *tcp, int fd);

/* Whether another connection can be accepted; if not, sets *due_ms to the next try. */
bool relay_tcp_has_room(const struct relay_tcp *tcp, uint64_t *due_ms, uint64_t now_ms);

/* Also closes ended connections. */
void relay_tcp_prepare_wait(struct relay_tcp *tcp, struct pollset *set);
void relay_tcp_finish_wait(struct relay_tcp *tcp, const struct pollset *set);

/* The peer's socket, borrowed, of the connection whose other end is this socket of
 * libslirp; -1 if there is none. */
int relay_tcp_find_peer(const struct relay_tcp *tcp, int stack_fd);
