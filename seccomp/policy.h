/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy: the lines of one or more files, parsed, checked, and compared with each
 * other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "condition.h"
#include "targets.h"

/* The effect of a line on calls that meet its condition. */
struct policy_line {
	const char *path; /* borrowed, from the command line */
	unsigned int number;
	char *text;             /* owned; the next three point into it */
	const char *call;       /* name of the system call */
	const char *conditions; /* as written; "": none */
	const char *reason;
	unsigned int targets; /* set of 1 << enum target */
	bool hot;
	bool rare;
	uint32_t error; /* errno that the call fails with; 0: allowed */
	struct condition condition[TARGET_N];
};

struct policy {
	struct policy_line *lines; /* owned */
	size_t n_lines;
	unsigned int n_errors; /* all of them were printed */
};

/* Whether the architecture has the call. False for all architectures: the name is
 * unknown. */
struct policy_calls {
	bool (*is_known)(const char *call);
	bool (*exists)(const char *call, enum target target);
};

/* Reads a file into the policy after those read before, which it may widen. Prints all
 * errors in lines to standard error as "path:line: text". path is borrowed as long as the
 * policy exists. */
void policy_read(struct policy *policy, const char *path,
    const struct policy_calls *calls);

void policy_free(struct policy *policy);

/* Formats a set of targets: "x86_64,aarch64". buf holds buf_size bytes. Returns buf. */
const char *policy_targets_str(unsigned int targets, char *buf, size_t buf_size);

const char *policy_target_name(enum target target);
