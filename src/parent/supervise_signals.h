/*
 * Signals, as a part of supervision: all that the parent takes come out of one descriptor
 * of its loop, and what SIGUSR1 asks for is here as well.
 */
#pragma once

struct supervisor;

/* Holds back the signals that the loop takes until it runs: an end that is asked for
 * during the start is an end in order, too. What is written to a reader that is gone, or
 * beyond a limit, is an error from now on and no death. The first thing that main does. */
void supervise_prepare_signals(void);

/* Returns the descriptor, which the caller owns. Fatal on failure. */
int supervise_signals_open(void);

/* Does what those ask for that have come. */
void supervise_signals_take(struct supervisor *sv);
