/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libslirp's UDP sockets by the guest's end. libslirp finds them by the guest's address
 * and port alone, so a datagram from another end needs a new socket.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "slirp-worker/budget.h"
#include "slirp-worker/flow/flow_key.h"

/* As many rows as a guest may have flows, so that rows are short. */
#define UDP_FLOWS_ROWS BUDGET_UDP_MAX

enum udp_kind {
	UDP_NONE,  /* not a socket of libslirp */
	UDP_FLOW,  /* for a datagram of the guest */
	UDP_DNS,   /* the same, with the name server as only destination */
	UDP_PORT,  /* a forwarded port of the host */
	UDP_INNER, /* the inner port of a relay */
};

struct slirp_udp_flow {
	struct flow_key end; /* the guest's end */
	enum udp_kind kind;
	int next_fd; /* next in its row; 0: none */
};

struct slirp_udp_flows {
	struct slirp_udp_flow by_fd[BUDGET_FILES_MAX];
	int first_fd[UDP_FLOWS_ROWS]; /* 0, a standard stream: none */
};

/* fd is above 0, below BUDGET_FILES_MAX, and not in the table. */
void udp_flows_add(struct slirp_udp_flows *flows, int fd, const struct flow_key *end,
    enum udp_kind kind);

/* Does nothing if fd is not in the table. */
void udp_flows_remove(struct slirp_udp_flows *flows, int fd);

/* The newest socket of this end, or NULL. Valid until it is removed. */
struct slirp_udp_flow *udp_flows_find(struct slirp_udp_flows *flows,
    const struct flow_key *end);
