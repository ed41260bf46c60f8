/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy: the lines of one or more files, read, checked, and compared with each
 * other. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "condition.h"
#include "targets.h"

/* What a line does to calls that meet its condition. */
struct policy_line {
	const char *path; /* borrowed: as on the command line */
	unsigned int number;
	char *text;             /* owned; the next three point into it */
	const char *call;       /* name of the system call */
	const char *conditions; /* as written, "" for none */
	const char *reason;
	unsigned int targets; /* set of 1 << enum target that it holds for */
	bool hot;
	bool rare;
	uint32_t error; /* errno that the call fails with; 0: it is allowed */
	struct condition condition[TARGET_N];
};

struct policy {
	struct policy_line *lines; /* owned */
	size_t n_lines;
	unsigned int n_errors; /* each has been printed */
};

/* Whether the call exists there; false in both when nobody knows the name. */
struct policy_calls {
	bool (*is_known)(const char *call);
	bool (*exists)(const char *call, enum target target);
};

/*
 * Reads a file into the policy, behind those read before, which it may widen. Errors in
 * lines go to standard error, "path:line: text", all of them. path is borrowed for as
 * long as the policy lives.
 */
void policy_read(struct policy *policy, const char *path,
    const struct policy_calls *calls);

void policy_free(struct policy *policy);

/* "x86_64,aarch64" for a set of targets; buf holds buf_size bytes. Returns buf. */
const char *policy_targets_str(unsigned int targets, char *buf, size_t buf_size);

const char *policy_target_name(enum target target);
