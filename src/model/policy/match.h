/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides by a policy. The tables are made once for each policy. A decision reads:
 *
 * - the set of rules for its protocol and port, one for each interval between ports that rules
 *   name;
 * - a tree of the prefixes of each family: they are nested or disjoint, so all that contain an
 *   address are the innermost one and those around it;
 * - the rules of each class of the address;
 * - the rules of the names that the address is pinned for.
 *
 * A rule's rank is its place in the order of evaluation, `forbid` before all others. The least
 * rank in the set and in one of the others decides.
 */
#pragma once

#include <assert.h>

#include "model/policy/class.h"

/* Twice as many as names, so that chains stay short. */
#define POLICY_NAME_SLOTS (2 * IPC_POLICY_NAMES_MAX)

/* A name under a policy matches no more patterns than it has labels, and itself. */
#define POLICY_PATTERNS_MAX 128

/* A distinct prefix, and its rules. */
struct policy_node {
	uint64_t high, low; /* the address; IPv4 in the highest bits */
	uint16_t parent;    /* the prefix around it, or POLICY_NO_NODE */
	uint16_t first;     /* of node_ranks */
	uint16_t n;
	uint8_t len;
};

#define POLICY_NO_NODE UINT16_MAX

/* A distinct pattern of names, and its rules. */
struct policy_pattern {
	uint16_t name;  /* index in policy->names, of the first with this text */
	uint16_t first; /* of pattern_ranks */
	uint16_t n;
};

#define POLICY_RANK_WORDS (IPC_POLICY_RULES_MAX / 64)

/* A set of ranks. */
struct policy_ranks {
	uint64_t words[POLICY_RANK_WORDS];
};

/* Two ports of each range, and port 0. */
#define POLICY_PORT_INTERVALS_MAX (2 * IPC_POLICY_PORTS_MAX * IPC_POLICY_RULES_MAX + 1)

/* The rules for each port of a protocol. Few pages are in use if few ports are named. */
struct policy_port_table {
	uint16_t n;
	uint16_t first_ports[POLICY_PORT_INTERVALS_MAX]; /* of each interval, ascending */
	struct policy_ranks fits[POLICY_PORT_INTERVALS_MAX];
};

struct policy_matcher {
	const struct policy *policy;
	bool dns_is_any;
	uint16_t ranks[IPC_POLICY_RULES_MAX]; /* by rule */
	uint16_t rules[IPC_POLICY_RULES_MAX]; /* by rank */
	struct policy_port_table ports[2];    /* of TCP, of UDP */
	struct policy_ranks icmp;
	struct policy_ranks of_class[IPC_POLICY_N_CLASSES];
	uint16_t n_nodes[2];                               /* by is_ipv6 */
	struct policy_node nodes[IPC_POLICY_PREFIXES_MAX]; /* of IPv4, then of IPv6 */
	uint16_t node_ranks[IPC_POLICY_PREFIXES_MAX];
	uint16_t n_patterns;
	struct policy_pattern patterns[IPC_POLICY_NAMES_MAX];
	uint16_t pattern_ranks[IPC_POLICY_NAMES_MAX];
	uint16_t
	    slots[POLICY_NAME_SLOTS]; /* hash table of patterns; number + 1, 0: free */
	uint16_t sorted[IPC_POLICY_PREFIXES_MAX]; /* while the tables are made */
};

/* Makes the tables. The policy is borrowed as long as the matcher is used. */
void policy_matcher_make(struct policy_matcher *matcher, const struct policy *policy);

/* A flow that the guest wants. */
struct policy_question {
	uint8_t proto; /* enum ipc_policy_proto: not any */
	uint16_t port; /* host order; 0 for icmp */
	struct inaddr addr;
	const uint16_t *patterns; /* that the address is pinned for; borrowed */
	size_t n_patterns;
};

enum policy_reason {
	POLICY_BY_RULE,
	POLICY_BY_DEFAULT,
	POLICY_BY_DNS_EXCLUSIVE,
	POLICY_BY_QUERIES, /* a flow to the name server: names decide, one by one */
};

static_assert(POLICY_BY_QUERIES + 1 == IPC_POLICY_N_REASONS,
    "a verdict in a message has each reason");

struct policy_verdict {
	bool is_allowed;
	enum policy_reason reason;
	uint32_t rule;    /* if POLICY_BY_RULE */
	uint32_t classes; /* of the address */
};

struct policy_verdict policy_match(const struct policy_matcher *matcher,
    const struct policy_place *place, const struct policy_question *question);

/* The patterns that a canonical name has. Returns their number; `patterns` holds
 * POLICY_PATTERNS_MAX. */
size_t policy_patterns_find(const struct policy_matcher *matcher, const char *name,
    size_t len, uint16_t *patterns);

/* Whether a rule with one of the patterns lets names lead to class private. */
bool policy_patterns_may_be_private(const struct policy_matcher *matcher,
    const uint16_t *patterns, size_t n);

/* Whether a query for a canonical name may go upstream. rule is the one that stops or lists it
 * (POLICY_BY_RULE). */
struct policy_verdict policy_match_query(const struct policy_matcher *matcher,
    const char *name, size_t len);

/* The verdict on a flow to a name, as if it had a public address that no other rule mentions. */
struct policy_verdict policy_match_name(const struct policy_matcher *matcher,
    uint8_t proto, uint16_t port, const char *name, size_t len);
