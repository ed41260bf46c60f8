/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions on the arguments of a call, from text to masked comparisons for equality,
 * which a filter can test. Pure functions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "targets.h"

/* seccomp(2): a call has six arguments at most. */
#define CONDITION_N_ARGS 6

/* The loader replaces this number in a filter by the process's PID. It is greater than
 * any PID (PID_MAX_LIMIT, 4194304), so it matches no process before. */
#define CONDITION_SELF 0x7ffffff5U

/* True if the lower 32 bits of the argument agree with value in all bits of mask. */
struct condition_pattern {
	uint32_t mask; /* 0: any argument */
	uint32_t value;
};

/* All patterns must be true. */
struct condition_alternative {
	struct condition_pattern args[CONDITION_N_ARGS];
};

/* One alternative must be true. There is at least one. */
struct condition {
	struct condition_alternative *alternatives; /* owned */
	size_t n;
};

/* Parses the text for one architecture. Empty text is a condition that is always true.
 * Returns 0, or -1 with the reason in why, which holds why_size bytes. */
int condition_parse(struct condition *condition, const char *text, enum target target,
    char *why, size_t why_size);

void condition_free(struct condition *condition);

/* Whether every call meets the condition. */
bool condition_is_empty(const struct condition *condition);

/* Whether a call can meet both conditions. */
bool condition_overlaps(const struct condition *a, const struct condition *b);

/* Whether a call of the process pid with these arguments meets the condition. */
bool condition_is_met(const struct condition *condition,
    const uint32_t args[CONDITION_N_ARGS], uint32_t pid);

bool condition_equals(const struct condition *a, const struct condition *b);
