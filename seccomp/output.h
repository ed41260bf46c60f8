/* SPDX-License-Identifier: BSD-2-Clause */
/* The output of policyc: headers, lists of calls, disassembly. */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdio.h>

#include "policy.h"

struct program {
	struct sock_filter *instructions; /* owned */
	size_t n;
};

/* Writes the header that the role includes. paths are the files of the policy. */
void output_header(FILE *out, const char *role, const struct policy *policy,
    const struct program programs[TARGET_N]);

/* Writes one line for each line of the policy, with tabs between fields: call, "hot",
 * "rare" or "-", architectures, condition, "allow" or the errno, reason, file and
 * line. */
void output_calls(FILE *out, const struct policy *policy);

/* Writes the program as text, one instruction a line. name_of returns a call's name or
 * NULL, and may reuse its buffer. */
void output_disassembly(FILE *out, const struct program *program, enum target target,
    const char *(*name_of)(uint32_t number, enum target target));
