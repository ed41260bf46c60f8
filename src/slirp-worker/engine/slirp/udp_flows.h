/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libslirp's UDP sockets by the guest's end: it finds them by the guest's address and port
 * alone, so a datagram from another end takes a new socket. Only a memory, run in the worker.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/budget.h"
#include "slirp-worker/flow/flow_key.h"

/* No descriptor is higher: the pollset holds no more (pollset.c). */
#define UDP_FLOWS_FDS 65536

/* Rows of the table: as many as a guest may have flows, so that they are short. */
#define UDP_FLOWS_ROWS BUDGET_UDP_MAX

enum udp_kind {
	UDP_NONE,  /* not a socket of libslirp's */
	UDP_FLOW,  /* made for a datagram of the guest's */
	UDP_DNS,   /* the same, and all datagrams so far went to the name server */
	UDP_PORT,  /* a port of the host that is forwarded */
	UDP_INNER, /* the inner port of a relay */
};

struct udp_flow {
	struct flow_key end; /* the guest's */
	enum udp_kind kind;
	int next_fd; /* in its row; 0: none */
};

struct udp_flows {
	struct udp_flow by_fd[UDP_FLOWS_FDS];
	int first_fd[UDP_FLOWS_ROWS]; /* 0: none, as it is a standard stream */
};

/* fd is above 0, below UDP_FLOWS_FDS, and not in the table. */
void udp_flows_add(struct udp_flows *flows, int fd, const struct flow_key *end,
    enum udp_kind kind);

/* What is not in the table is left alone. */
void udp_flows_remove(struct udp_flows *flows, int fd);

/* The socket that was added last for this end, or NULL. Valid until it is removed. */
struct udp_flow *udp_flows_find(struct udp_flows *flows, const struct flow_key *end);
