/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guesses how many frames the guest answers with while write(2) gives it a lone frame: an
 * acknowledgement at once, a delayed one after a while, or more. A read that finds no frame
 * costs a system call, so the loop reads only what it expects. The TAP is level-triggered:
 * frames that are left end the next wait at once.
 */
#pragma once

#include <stdbool.h>

struct answers {
	int n;         /* frames after the last lone frame */
	bool is_known; /* and after the one before it */
};

/* How many frames to read, at most n_most. */
static inline int
answers_expected(const struct answers *answers, int n_most)
{
	return answers->is_known ? answers->n : n_most;
}

/* n frames were read, and then there was no other. */
static inline void
answers_were(struct answers *answers, int n)
{
	answers->is_known = n == answers->n;
	answers->n = n;
}

/* A frame was left: the guess was wrong. */
static inline void
answers_forget(struct answers *answers)
{
	answers->is_known = false;
}
