/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state that the files of the stack share; no other file includes it.
 * stack.c          libslirp itself: configuration, time, timers, frames, messages
 * stack_sockets.c  its sockets: counting them, limiting descriptors, waiting
 * stack_ports.c    UDP ports of the host that lead to the guest
 */
#pragma once

#include <libslirp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/engine/slirp/stack.h"

/* Configuration version 6, of libslirp 4.9, added a type for sockets. */
#define HAVE_SOCKET_API (SLIRP_CONFIG_VERSION_MAX >= 6)

/* A timer that libslirp names by a number. */
struct numbered_timer {
	struct stack *stack;
	void *cb_opaque;
	SlirpTimerId id;
	struct timer *timer; /* NULL: free */
};

struct stack {
	Slirp *slirp;
	struct stack_host host;
	struct numbered_timer numbered[SLIRP_TIMER_NUM];
	const struct pollset *set; /* from prepare_wait to finish_wait */
	struct pollset *filling;
	uint32_t n_sockets;      /* of flows */
	uint32_t n_sockets_high; /* the most since memory was last returned */
	struct slirp_udp_flows udp;
	/* The key of the next datagram, and the kind of the socket that it may need. */
	struct flow_key admitted_end;
	enum udp_kind admitted_kind;
	bool opening_port; /* in slirp_add_hostxfwd */
	/* libslirp reads these for each new socket. */
	union inaddr_sock outbound[2]; /* by is_ipv6 */
	struct ipc_network network;
	int64_t now_ns;
	int64_t epoch_ns; /* start of libslirp's time */
};

/* Callbacks of libslirp; opaque is the stack. libslirp calls the first for every new
 * socket of the guest, before it uses the socket. It calls the second also for
 * sockets that were never registered. */
void stack_on_register_fd(int fd, void *opaque);
void stack_on_unregister_fd(int fd, void *opaque);

/* The parts of stack_engine that concern sockets; self is the stack. */
uint64_t stack_prepare(void *self, struct pollset *set, uint64_t now_ms);
void stack_finish(void *self, const struct pollset *set, bool wait_failed,
    uint64_t now_ms);

/* Makes a UDP socket non-blocking. */
void stack_never_wait_for(int fd);

/* With the host's loopback closed, has what a UDP socket sends to groups not delivered to
 * members on this host. */
void stack_keep_groups_off_the_host(const struct stack *stack, int fd);
