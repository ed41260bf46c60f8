/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of --allow-out and --deny-out. */
#pragma once

#include "model/policy/parse.h"

/* Adds the rule for "HOST:PORT[-PORT][/tcp|/udp]". HOST is a destination of the language, IPv6 in
 * brackets. text->name, "--allow-out", is the place in errors; source is FROM_ALLOW_OUT or
 * FROM_DENY_OUT, and line counts the values. Returns false with parser->error set. */
bool policy_parse_out(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source, uint32_t line);
