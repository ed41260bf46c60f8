/* SPDX-License-Identifier: BSD-2-Clause */
/* What policyc writes: headers, listings, disassembly. */
#pragma once

#include <linux/filter.h>
#include <stddef.h>
#include <stdio.h>

#include "policy.h"

struct program {
	struct sock_filter *instructions; /* owned */
	size_t n;
};

/* The header that the role includes; paths are those of the policy's files. */
void output_header(FILE *out, const char *role, const struct policy *policy,
    const struct program programs[TARGET_N]);

/* One line for each line of the policy, fields separated by tabs: call, "hot", "rare" or
 * "-", architectures, condition, "allow" or the error's number, reason, file and line. */
void output_calls(FILE *out, const struct policy *policy);

/* The program as text, one instruction a line. name_of gives a call's name, or NULL;
 * it may reuse its buffer. */
void output_disassembly(FILE *out, const struct program *program, enum target target,
    const char *(*name_of)(uint32_t number, enum target target));
