/* SPDX-License-Identifier: BSD-2-Clause */
/* Receives the messages of children, and waits for children that have ended. Each message
 * is handled in the file of its subject. */
#pragma once

#include <sys/types.h>

#include "parent/supervise/supervisor.h"

/* Receives up to n_max messages of the child. A violation of the protocol ends the
 * child. */
void children_receive(struct supervisor *sv, struct child *child, int n_max);

/* Closes the child's channel and kills it. The exit is handled as for any child. */
void children_kill(struct child *child);

/* Returns the child with this PID, or NULL. */
struct child *children_find(struct supervisor *sv, pid_t pid);

/* Returns a child that has ended, without blocking, or NULL. If the parent is PID 1 of a
 * container or a subreaper, it also gets orphans, which stay zombies until it waits for
 * them (pid_namespaces(7)). Sets sv->reap_again if orphans are left. */
struct child *children_wait_for_ended(struct supervisor *sv, int *wait_status);
