/* SPDX-License-Identifier: BSD-2-Clause */
/* --outbound-addr and --outbound-addr6: the host's addresses from which the guest's
 * connections leave. A given address is fixed. The address of a given interface is looked
 * up at the start and followed by rtnetlink(7). The sockets for this are opened before
 * the parent enters its jail. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/ratelimit.h"
#include "ipc/messages.h"
#include "parent/cmdline/options.h"

struct outbound {
	struct ipc_outbound addresses; /* the last addresses that were found */
	/* By is_ipv6. */
	const char *ifname[2]; /* borrowed; NULL unless given by name */
	bool is_lost[2]; /* the interface has no address now; its last one stays in use */
	int events_fd;   /* owned: receives events; -1 if nothing is followed */
	int query_fd;    /* owned: for requests; -1 likewise */
	bool look_due;
	bool is_told;          /* the worker knows of `addresses` */
	uint64_t next_look_ms; /* CLOCK_MONOTONIC; none earlier */
	struct ratelimit log_limit;
};

/* Follows nothing yet. */
void parent_outbound_init(struct outbound *outbound);

/* Finds the addresses that the options name. Fatal, naming option and value, if the host
 * lacks the interface or address. */
void parent_outbound_open(struct outbound *outbound, const struct options *options);

/* The descriptor to poll for POLLIN, -1 for none. */
int parent_outbound_fd(const struct outbound *outbound);

/* The time when parent_outbound_handle() must be called again; DEADLINE_NONE: never. */
uint64_t parent_outbound_due_ms(const struct outbound *outbound);

/* Call it when the descriptor is ready or the time is over. Logs changes. Returns true if
 * the worker must be told; the caller notes success in is_told. */
bool parent_outbound_handle(struct outbound *outbound, bool fd_ready, uint64_t now_ms);
