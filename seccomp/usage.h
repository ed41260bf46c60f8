/* SPDX-License-Identifier: BSD-2-Clause */
/* Compares recorded calls with a policy: which lines are used. */
#pragma once

#include <stdio.h>

#include "policy.h"

/*
 * Reads calls from `in`, one a line: the PID, the name, and up to six arguments in C's
 * notation. For each line of the policy that holds for target, writes a line with tabs to
 * `out`: the number of calls it matched, marker, call, condition, reason, file:line. As
 * in a filter, a line without a condition matches all calls of its name, and a call
 * counts for each line that matches it. Prints each call that no line matches to standard
 * error, and returns their number. Ends the program on malformed input.
 */
size_t usage_count(FILE *in, FILE *out, const struct policy *policy, enum target target);
