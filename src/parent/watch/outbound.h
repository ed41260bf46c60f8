/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --outbound-addr and --outbound-addr6: which addresses of the host the guest's
 * connections leave by. An address stays what it is; an interface is asked for its
 * address at the start, and followed by rtnetlink(7), on sockets that are opened before
 * the parent locks itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ratelimit.h"
#include "ipc/messages.h"
#include "parent/cmdline/options.h"

struct outbound {
	struct ipc_outbound addresses; /* the last that were found */
	const char *ifname4;           /* borrowed; NULL unless given by name */
	const char *ifname6;
	bool is_lost4; /* the interface has no address now; the one it had stays in use */
	bool is_lost6;
	int events_fd; /* owned: tells of changes; -1 where nothing is followed */
	int query_fd;  /* owned: answers questions; -1 likewise */
	bool look_due;
	bool is_told;          /* the worker knows of `addresses` */
	uint64_t next_look_ms; /* CLOCK_MONOTONIC; none earlier */
	struct ratelimit log_limit;
};

/* Follows nothing yet. */
void parent_outbound_init(struct outbound *outbound);

/* Finds the addresses that the options ask for. Fatal, naming option and value, where the
 * host has no such interface or address. */
void parent_outbound_open(struct outbound *outbound, const struct options *options);

/* What to poll for POLLIN, -1 for nothing. */
int parent_outbound_fd(const struct outbound *outbound);

/* Milliseconds from now_ms until parent_outbound_handle must be called again, or -1. */
int parent_outbound_timeout_ms(const struct outbound *outbound, uint64_t now_ms);

/* To be called when the descriptor is ready or the time is over; logs what has changed.
 * True while the worker has to be told, which the caller notes in is_told. */
bool parent_outbound_handle(struct outbound *outbound, bool fd_ready, uint64_t now_ms);
