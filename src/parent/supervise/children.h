/* SPDX-License-Identifier: BSD-2-Clause */
/* What children say, and which of them have ended. What their messages ask for is done in the
 * file whose matter it is. */
#pragma once

#include <sys/types.h>

#include "parent/supervise/supervisor.h"

/* Receives up to n_max messages of the child. A violation ends the child. */
void children_receive(struct supervisor *sv, struct child *child, int n_max);

/* Closes the child's channel and kills it; it is reaped like one that died by itself. */
void children_kill(struct child *child);

/* NULL if there is none. */
struct child *children_find(struct supervisor *sv, pid_t pid);

/*
 * Waits for a child that has ended, without blocking; NULL if there is none. As PID 1 of a
 * container, or a subreaper, the parent is given orphans that it has not started, and they stay
 * zombies until it waits for them (pid_namespaces(7)). Sets sv->reap_again if orphans are left.
 */
struct child *children_wait_for_ended(struct supervisor *sv, int *wait_status);
