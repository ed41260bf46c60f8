/* SPDX-License-Identifier: BSD-2-Clause */
/* The signals of the parent. All come from one descriptor of its loop. The answer to
 * SIGUSR1 is here as well. */
#pragma once

#include <stdbool.h>

#include "parent/supervise/supervisor.h"

/* Blocks the signals that the loop handles, until it runs: an end that is requested
 * during the start is orderly too. Writes to a closed reader or beyond a limit fail with
 * an error from now on. main() calls this first. */
void signals_prepare(void);

/* Gives the process the signal mask and the dispositions that slirpd was started with. For a child
 * that is to become another program. */
void signals_restore(void);

/* Leaves to the command of `slirpd run` the keys of the terminal that are to end or to interrupt it:
 * the kernel sends their signals to all processes in the foreground. */
void signals_leave_keys(void);

/* Returns the descriptor, which the caller owns. Fatal on failure. */
int signals_open(void);

/* Handles the pending signals. Returns whether a child has ended. The caller handles that
 * after all signals: ^C of a terminal also reaches the children, and is not a failure. */
bool signals_take(struct supervisor *sv);
