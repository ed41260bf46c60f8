/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Conditions on the arguments of a call, from text to what a filter can test: a masked
 * comparison for equality. Pure functions.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "targets.h"

/* seccomp(2): a call has six arguments at most. */
#define CONDITION_N_ARGS 6

/* Where it stands in a filter, the loader puts in the process's own PID. Greater than any
 * PID (PID_MAX_LIMIT, 4194304), so a filter that was not filled in matches no process. */
#define CONDITION_SELF 0x7ffffff5U

/* True of an argument whose lower 32 bits agree with value in all bits of mask. */
struct condition_pattern {
	uint32_t mask; /* 0: any argument will do */
	uint32_t value;
};

/* All of them have to be true. */
struct condition_alternative {
	struct condition_pattern args[CONDITION_N_ARGS];
};

/* One of them has to be true; there is at least one. */
struct condition {
	struct condition_alternative *alternatives; /* owned */
	size_t n;
};

/*
 * Reads the text for one architecture; empty text is the condition that is always true.
 * Returns 0, or -1 with the reason in why, which holds why_size bytes.
 */
int condition_parse(struct condition *condition, const char *text, enum target target,
    char *why, size_t why_size);

void condition_free(struct condition *condition);

/* Whether every call meets it. */
bool condition_is_empty(const struct condition *condition);

/* Whether a call can meet both. */
bool condition_overlaps(const struct condition *a, const struct condition *b);

/* Whether a call of the process pid with these arguments meets it. */
bool condition_is_met(const struct condition *condition,
    const uint32_t args[CONDITION_N_ARGS], uint32_t pid);

bool condition_equals(const struct condition *a, const struct condition *b);
