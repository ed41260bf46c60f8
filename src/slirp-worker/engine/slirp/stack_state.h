/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the stack share, and nobody else uses.
 * stack.c          libslirp itself: configuration, time, timers, frames, texts
 * stack_sockets.c  its sockets: their number, the limit on descriptors, waiting for them
 * stack_ports.c    ports of the host that lead to the guest
 */
#pragma once

#include <libslirp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/engine/slirp/stack.h"

/* Since configuration version 6, libslirp 4.9: sockets have a type of their own. */
#define HAVE_SOCKET_API (SLIRP_CONFIG_VERSION_MAX >= 6)

/* Sockets are told apart by their numbers up to here; none is higher, as the pollset
 * holds no more and the limit on open files is the same. */
#define FD_KNOWN_MAX UDP_FLOWS_FDS

/* A timer of the kind that libslirp knows by number. */
struct numbered_timer {
	struct stack *stack;
	void *cb_opaque;
	SlirpTimerId id;
	struct timer *timer; /* NULL: this one is free */
};

struct stack {
	Slirp *slirp;
	struct stack_host host;
	struct numbered_timer numbered[SLIRP_TIMER_NUM];
	const struct pollset *set; /* between prepare_wait and finish_wait */
	struct pollset *filling;
	struct stack_sockets sockets;
	uint8_t proto_of_fd[FD_KNOWN_MAX]; /* IPPROTO_...; 0: not counted */
	struct udp_flows udp;
	/* Of the datagram that goes in: what a socket that it takes is for. */
	struct flow_key admitted_end;
	enum udp_kind admitted_kind;
	bool opening_port; /* in slirp_add_hostxfwd */
	/* libslirp reads them at each new socket. */
	struct sockaddr_in outbound4;
	struct sockaddr_in6 outbound6;
	struct ipc_network network;
	int64_t now_ns;
	int64_t epoch_ns; /* where libslirp's time begins */
};

/* libslirp's callbacks about sockets; opaque is the stack. The first is called for every new
 * one of the guest's or of a peer's before it is used, the second also for sockets that were
 * never told of. */
void stack_on_register_fd(int fd, void *opaque);
void stack_on_unregister_fd(int fd, void *opaque);

/* The parts of stack_engine that concern sockets; self is the stack. */
void stack_prepare(void *self, struct pollset *set, uint32_t *timeout_ms,
    uint64_t now_ms);
void stack_finish(void *self, const struct pollset *set, bool wait_failed,
    uint64_t now_ms);
void stack_go_on(void *self);

/* Makes a UDP socket non-blocking. */
void stack_never_wait_for(int fd);

/* With the host's loopback closed, has what a UDP socket sends to groups not delivered to
 * members on this host. */
void stack_keep_groups_off_the_host(const struct stack *stack, int fd);
