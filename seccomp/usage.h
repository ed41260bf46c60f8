/* SPDX-License-Identifier: BSD-2-Clause */
/* Which lines of a policy are used: what ran, compared with what is allowed. */
#pragma once

#include <stdio.h>

#include "policy.h"

/*
 * Reads calls from `in`, one a line: the PID, the name, and up to six arguments, numbers
 * in C's notation. Writes a line with tabs to `out` for each of the policy's lines that
 * holds for target: how many of the calls it took, marker, call, condition, reason,
 * file:line. As in a filter, a line without a condition takes all of its call; of lines
 * that overlap, each takes what it matches. Returns how many calls no line takes, each of
 * which has been printed to standard error; ends the program on input that is not as
 * described.
 */
size_t usage_count(FILE *in, FILE *out, const struct policy *policy, enum target target);
