/* SPDX-License-Identifier: BSD-2-Clause */
/* Look-ups in the tables of match.h, for match.c. */
#pragma once

#include "model/policy/match.h"

#define POLICY_NO_PATTERN UINT16_MAX

/* Makes the sets of rules for each port, from the ranks. */
void policy_ports_make(struct policy_matcher *matcher);

/* The rules for this protocol and port, whatever the destination. */
const struct policy_ranks *policy_ports_find(const struct policy_matcher *matcher,
    uint8_t proto, uint16_t port);

/* The innermost prefix that contains the address, or POLICY_NO_NODE. */
uint16_t policy_tables_find(const struct policy_matcher *matcher,
    const struct inaddr *addr);

/* The pattern with exactly this text, or POLICY_NO_PATTERN. */
uint16_t policy_tables_find_pattern(const struct policy_matcher *matcher,
    const char *text, size_t len, bool is_wildcard);
