/* SPDX-License-Identifier: BSD-2-Clause */
/* Notices that the caller has moved the parent into another control group. Podman does this
 * after ready, through systemd, and names the PID of the parent only. The kernel reports no such
 * move, so the parent looks: at fixed times after ready, and whenever it is awake. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/msg_cgroup.h"

struct cgroup_watch {
	char cgroup[IPC_CGROUP_SIZE]; /* at the last look; empty if nothing is watched */
	int root_fd; /* owned until the mover has it; -1 if the children can't be moved */
	bool is_told; /* the children need no move, or the mover knows of it */
	bool has_moved;
	uint64_t began_ms; /* CLOCK_MONOTONIC */
	uint64_t
	    next_look_ms; /* CLOCK_MONOTONIC; not before, unless a fixed time has come */
	uint32_t n_fixed; /* fixed times that have come */
};

/* Watches nothing yet. */
void parent_cgroup_init(struct cgroup_watch *watch);

/* Finds the control group of the parent, before its children are started in it. Opens the root
 * of cgroup2 if this user may move processes out of that control group. Otherwise there is
 * one line at level debug. */
void parent_cgroup_open(struct cgroup_watch *watch);

/* Begins to look, at ready. */
void parent_cgroup_begin(struct cgroup_watch *watch, uint64_t now_ms);

/* The mover must be told again: there is a new child. */
void parent_cgroup_note_child(struct cgroup_watch *watch);

/* The next look that cannot wait until the parent is awake anyway (deadline.h). */
uint64_t parent_cgroup_due_ms(const struct cgroup_watch *watch);

/* Call it whenever the parent is awake. Looks, at most once a second. Returns true if the
 * children must be moved; the caller notes success in is_told. */
bool parent_cgroup_handle(struct cgroup_watch *watch, uint64_t now_ms);
