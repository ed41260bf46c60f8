/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notices that the guest's network namespace is used by nobody any more. The kernel
 * can't tell: the open TAP itself keeps the namespace alive. So the parent watches one
 * process that lives in it after the other, and where it is only mounted somewhere,
 * the mount table. What can't be seen (a namespace held by a descriptor, or mounted in
 * another mount namespace) counts as used: ending too late harms less than too early.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nswatch {
	dev_t dev; /* the namespace's identity */
	ino_t ino;
	const char *path;      /* borrowed: where the user named it; NULL for none */
	int pid_fd;            /* of a process in the namespace, -1 for none */
	int mounts_fd;         /* /proc/self/mountinfo, watched where no process is */
	uint64_t next_scan_ms; /* CLOCK_MONOTONIC; no scan earlier */
	bool is_empty;         /* the last look found nobody */
	bool scan_due;
	bool was_short; /* of descriptors or memory, in the last scan */
};

/* Watches nothing yet. */
void parent_nswatch_init(struct nswatch *watch);

/*
 * Begins to watch the namespace of netns_fd (borrowed, needed only for the call).
 * first_pid is a process known to be in it, or -1. helper_pid, or 0, is one of ours that
 * is about to end, and may still be in it. path is where it was named, or NULL.
 */
void parent_nswatch_begin(struct nswatch *watch, int netns_fd, pid_t first_pid,
    pid_t helper_pid, const char *path, uint64_t now_ms);

/* What to poll for, -1 for nothing: *events as for poll(2). */
int parent_nswatch_fd(const struct nswatch *watch, short *events);

/* Milliseconds from now_ms until parent_nswatch_is_gone must be called again, or -1. */
int parent_nswatch_timeout_ms(const struct nswatch *watch, uint64_t now_ms);

/* To be called when the descriptor is ready (which only the caller's poll can tell: that
 * of a mount table says it once) or the time is over. True when nobody uses the
 * namespace any more. */
bool parent_nswatch_is_gone(struct nswatch *watch, bool fd_ready, uint64_t now_ms);

void parent_nswatch_end(struct nswatch *watch);
