/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the expects of a policy, and says what is unusual in its rules. */
#pragma once

#include "model/policy/match.h"
#include "model/policy/parse.h"

/* Writes "allow tcp 443 to pypi.org" and so on. Returns buf. */
#define POLICY_FLOW_SIZE (IPC_POLICY_NAME_SIZE + 32)
const char *policy_flow_format(const char *action, uint8_t proto, uint16_t port,
    const char *to, char buf[POLICY_FLOW_SIZE]);

/* "rule ci.policy:3", or what else decided. */
#define POLICY_CAUSE_SIZE (POLICY_WHERE_SIZE + 8)
const char *policy_cause_format(const struct policy *policy,
    const struct policy_verdict *verdict, char buf[POLICY_CAUSE_SIZE]);

/* The verdict on the flow of an expect. The classes host and gateway are empty. */
struct policy_verdict policy_expect_judge(const struct policy_matcher *matcher,
    const struct policy_expect *expect);

/* Writes the flow of an expect behind the action. Returns buf. */
const char *policy_expect_format(const struct policy_expect *expect, const char *action,
    char buf[POLICY_FLOW_SIZE]);

/* Returns false with parser->error set if an expect fails. The matcher is of the parser's
 * policy. */
bool policy_expects_check(struct policy_parser *parser,
    const struct policy_matcher *matcher);

/* All texts are read. is_audit: mode audit, whatever the texts say. has_dns: there is a name server.
 * Makes the matcher, and checks names and expects. Returns false with parser->error set. */
bool policy_finish(struct policy_parser *parser, struct policy_matcher *matcher,
    bool is_audit, bool has_dns);

/* Takes a warning about a rule: a text without a line end. */
typedef void policy_lint_fn(void *ctx, uint32_t rule, const char *text);

/* Reports rules that may not mean what their author meant. */
void policy_lint(const struct policy *policy, policy_lint_fn *report, void *ctx);

/* Of these, reports only names that are probably a class with a mistake in writing. */
void policy_lint_slips(const struct policy *policy, policy_lint_fn *report, void *ctx);
