/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals, as a part of supervision: all that the parent takes come out of one descriptor
 * of its loop, and what SIGUSR1 asks for is here as well.
 */
#pragma once

#include <stdbool.h>

#include "parent/supervise/supervisor.h"

/* Holds back the signals that the loop takes until it runs: an end that is asked for
 * during the start is an end in order, too. What is written to a reader that is gone, or
 * beyond a limit, is an error from now on and no death. The first thing that main does. */
void signals_prepare(void);

/* Returns the descriptor, which the caller owns. Fatal on failure. */
int signals_open(void);

/* Does what the signals ask for that have come. Returns whether a child has ended. The caller
 * looks after it behind all of them: a terminal's ^C reaches the children too, and is not a
 * failure. */
bool signals_take(struct supervisor *sv);
