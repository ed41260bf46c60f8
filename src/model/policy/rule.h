/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses a rule, or an expect. For parse.c. */
#pragma once

#include "model/policy/parse.h"

/* The present token is the action, or a label before it. Return false with the error set. */
bool policy_rule_parse(struct policy_parser *parser);
bool policy_expect_parse(struct policy_parser *parser);
