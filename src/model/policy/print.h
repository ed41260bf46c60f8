/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a policy as text in one canonical form: the same rows give the same text, and the text
 * gives the same rows. */
#pragma once

#include "model/policy/policy.h"

/* Takes a piece of the text, of len bytes. */
typedef void policy_put_fn(void *ctx, const char *text, size_t len);

/* The header, the settings that differ from their defaults, and all rules. Sets are written
 * out. */
void policy_print(const struct policy *policy, policy_put_fn *put, void *ctx);

/* One rule, with its line end. */
void policy_print_rule(const struct policy *policy, uint32_t rule, policy_put_fn *put,
    void *ctx);

/* The same in one line, however long, and without the line end. */
void policy_print_one_line(const struct policy *policy, uint32_t rule, policy_put_fn *put,
    void *ctx);

/* The settings that differ from their defaults, each with a line end. */
void policy_print_settings(const struct policy *policy, policy_put_fn *put, void *ctx);

/* The hash of the rule without its label. */
uint64_t policy_print_key(const struct policy *policy, uint32_t rule);

/* The hash of the text that policy_print() writes: policies that decide alike may differ in it. */
uint64_t policy_print_hash(const struct policy *policy);

/* The first prefix or name of a rule: an index, n_prefixes or n_names if no rule from this one
 * on has any. */
uint32_t policy_first_prefix(const struct policy *policy, uint32_t rule);
uint32_t policy_first_name(const struct policy *policy, uint32_t rule);
