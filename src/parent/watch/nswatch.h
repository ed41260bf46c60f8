/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices when the guest's network namespace has no user any more. The kernel does not
 * tell, because the open TAP keeps the namespace alive. So the parent watches one process
 * in the namespace after the other. If the namespace is only mounted, the parent watches
 * the mount table. A user that it cannot see counts as present (a descriptor, or a mount
 * in another mount namespace): ending too late harms less than ending too early.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"

struct nswatch {
	dev_t dev; /* the namespace's identity */
	ino_t ino;
	const char *path;      /* borrowed: the path from the user; NULL for none */
	int pid_fd;            /* a process in the namespace, -1 for none */
	int mounts_fd;         /* /proc/self/mountinfo, watched if there is no process */
	uint64_t next_scan_ms; /* CLOCK_MONOTONIC; no scan earlier */
	bool is_empty;         /* the last scan found no user */
	bool scan_due;
	bool was_short; /* the last scan lacked descriptors or memory */
};

/* Watches nothing yet. */
void parent_nswatch_init(struct nswatch *watch);

/* Begins to watch the namespace of netns_fd (borrowed for the call). first_pid is a
 * process that is known to be in it, or -1. helper_pid is a process of ours that may
 * still be in it and is about to end, or 0. path is the path from the user (kept), or
 * NULL. */
void parent_nswatch_begin(struct nswatch *watch, int netns_fd, pid_t first_pid,
    pid_t helper_pid, const char *path, uint64_t now_ms);

/* The descriptor to poll, -1 for none; sets *events as for poll(2). */
int parent_nswatch_fd(const struct nswatch *watch, short *events);

/* The time when parent_nswatch_is_gone() must be called again; DEADLINE_NONE: never. */
uint64_t parent_nswatch_due_ms(const struct nswatch *watch);

/* Call it when the descriptor is ready, or when the time is over. Only the caller's poll
 * can tell that a mount table has changed: it reports a change once. Returns true when
 * the namespace has no user any more. */
bool parent_nswatch_is_gone(struct nswatch *watch, bool fd_ready, uint64_t now_ms);

void parent_nswatch_end(struct nswatch *watch);
