/* SPDX-License-Identifier: BSD-2-Clause */
/* All addresses of the host's interfaces, for class host of a policy. They are followed by
 * rtnetlink(7); the sockets for this are opened before the parent enters its jail. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/deadline.h"
#include "base/inaddr.h"
#include "model/policy/class.h"

struct hostlist {
	int events_fd; /* owned: receives events; -1 if nothing is followed */
	int query_fd;  /* owned: for requests; -1 likewise */
	bool look_due;
	bool is_told;          /* the connector knows of `addrs` */
	bool is_cut;           /* the host has more addresses */
	uint64_t next_look_ms; /* CLOCK_MONOTONIC; none earlier */
	uint32_t n;
	struct inaddr addrs[POLICY_HOST_ADDRS_MAX];
};

/* Follows nothing. */
void parent_hostlist_init(struct hostlist *list);

/* Finds the addresses, and follows them from now on. Fatal on failure, or if there are too
 * many. */
void parent_hostlist_open(struct hostlist *list);

/* The time when parent_hostlist_handle() must be called again; DEADLINE_NONE: never. */
uint64_t parent_hostlist_due_ms(const struct hostlist *list);

/* Call it when the descriptor for events is ready or the time is over. Returns true if the
 * connector must be told; the caller notes success in is_told. */
bool parent_hostlist_handle(struct hostlist *list, bool fd_ready, uint64_t now_ms);
