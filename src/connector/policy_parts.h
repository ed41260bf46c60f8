/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy in force: what its judge (policy.c) and the answers about it (policy_answers.c) share. */
#pragma once

#include "connector/denied.h"
#include "connector/pins.h"
#include "model/policy/match.h"
#include "model/policy/rows.h"

/* How often a rule has decided, and when it did last. */
struct hits {
	uint64_t n, last_ms;
};

struct loaded {
	uint64_t generation;
	struct policy policy;
	struct policy_matcher matcher;
	struct hits hits[IPC_POLICY_RULES_MAX];
};

struct policy_state {
	bool has_policy;
	/* Two, if has_policy. The one that is not in force is the place of the next. */
	struct loaded *loaded;
	struct loaded *in_force; /* NULL: none has come */
	struct policy_take take;
	struct policy_place place;
	/* For pins that the resolver sends before it knows the policy in force: the pattern here
	 * of each of the policy before, whose generation it is. */
	uint64_t old_generation; /* 0: none */
	uint32_t n_old_patterns;
	uint16_t new_patterns[PINS_N_PATTERNS];
	struct pins pins;      /* to patterns of the policy in force */
	struct denied *denied; /* owned; NULL without a policy */
	/* As in ipc_policy_state. */
	uint64_t n_allowed, n_denied, n_by_default;
	uint64_t n_names_denied, n_names_limited, n_addrs_cut;
	uint32_t n_new_host; /* of a list of addresses that is not complete */
	struct inaddr new_host[POLICY_HOST_ADDRS_MAX];
};

extern struct policy_state policy_state;

/* patterns are those of the address. */
struct policy_verdict policy_judge_dest(uint8_t proto, uint16_t port,
    const struct inaddr *addr, const uint16_t *patterns, size_t n_patterns);
