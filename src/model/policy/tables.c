/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes the tables of match.h, and looks things up in them. */
#include "model/policy/tables.h"

#include <string.h>

#include "base/bytes.h"
#include "base/siphash.h"

/* Orders two numbers of rows: negative, 0, or positive. */
typedef int order_fn(const struct policy_matcher *matcher, uint16_t a, uint16_t b);

static void
sift(const struct policy_matcher *matcher, uint16_t *heap, uint32_t at, uint32_t n,
    order_fn *order)
{
	for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
		uint16_t old = heap[at];

		if (child + 1 < n && order(matcher, heap[child], heap[child + 1]) < 0)
			child++;
		if (order(matcher, old, heap[child]) >= 0)
			return;
		heap[at] = heap[child];
		heap[child] = old;
	}
}

/* Sorts matcher->sorted. Heapsort: qsort(3) allocates, and may take quadratic time. */
static void
sort(struct policy_matcher *matcher, uint32_t n, order_fn *order)
{
	uint16_t *heap = matcher->sorted;

	for (uint32_t i = 0; i < n; i++)
		heap[i] = (uint16_t)i;
	for (uint32_t i = n / 2; i-- > 0;)
		sift(matcher, heap, i, n, order);
	for (uint32_t i = n; i-- > 1;) {
		uint16_t last = heap[i];

		heap[i] = heap[0];
		heap[0] = last;
		sift(matcher, heap, 0, i, order);
	}
}

static void
rank_rule(struct policy_matcher *matcher, uint32_t rule, uint16_t rank)
{
	uint32_t classes = matcher->policy->rules[rule].classes;

	matcher->ranks[rule] = rank;
	matcher->rules[rank] = (uint16_t)rule;
	for (int class = 0; class < IPC_POLICY_N_CLASSES; class ++) {
		if (classes & 1U << class)
			matcher->of_class[class].words[rank / 64] |= 1ULL << rank % 64;
	}
}

static void
rank_rules(struct policy_matcher *matcher)
{
	const struct policy *policy = matcher->policy;
	uint16_t rank = 0;

	memset(matcher->of_class, 0, sizeof(matcher->of_class));
	for (int is_forbid = 1; is_forbid >= 0; is_forbid--) {
		for (uint32_t rule = 0; rule < policy->n_rules; rule++) {
			bool forbids =
			    policy->rules[rule].action == IPC_POLICY_ACTION_forbid;

			if (forbids == is_forbid)
				rank_rule(matcher, rule, rank++);
		}
	}
}

static uint64_t
load_be64(const uint8_t *bytes)
{
	return (uint64_t)load_be32(bytes) << 32 | load_be32(bytes + 4);
}

static int
compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int
order_prefixes(const struct policy_matcher *matcher, uint16_t a, uint16_t b)
{
	const struct ipc_policy_prefix *one = &matcher->policy->prefixes[a];
	const struct ipc_policy_prefix *other = &matcher->policy->prefixes[b];
	int order = one->addr.is_ipv6 - other->addr.is_ipv6;

	if (order == 0)
		order =
		    memcmp(one->addr.bytes, other->addr.bytes, sizeof(one->addr.bytes));
	if (order == 0)
		order = one->len - other->len;
	return order != 0 ? order
			  : matcher->ranks[one->rule] - matcher->ranks[other->rule];
}

static bool
contains(const struct policy_node *node, uint64_t high, uint64_t low)
{
	if (node->len == 0)
		return true;
	if (node->len <= 64)
		return (node->high ^ high) >> (64 - node->len) == 0;
	return node->high == high && (node->low ^ low) >> (128 - node->len) == 0;
}

/* The node that contains the address: `at`, or one around it. */
static uint16_t
climb(const struct policy_matcher *matcher, uint16_t at, uint64_t high, uint64_t low)
{
	while (at != POLICY_NO_NODE && !contains(&matcher->nodes[at], high, low))
		at = matcher->nodes[at].parent;
	return at;
}

static void
make_nodes(struct policy_matcher *matcher)
{
	const struct policy *policy = matcher->policy;
	struct policy_node *node = NULL;
	const struct ipc_policy_prefix *last = NULL;

	sort(matcher, policy->n_prefixes, order_prefixes);
	matcher->n_nodes[0] = matcher->n_nodes[1] = 0;
	for (uint32_t i = 0; i < policy->n_prefixes; i++) {
		const struct ipc_policy_prefix *prefix =
		    &policy->prefixes[matcher->sorted[i]];
		bool is_same_family =
		    last != NULL && last->addr.is_ipv6 == prefix->addr.is_ipv6;
		uint16_t at = (uint16_t)(matcher->n_nodes[0] + matcher->n_nodes[1]);

		matcher->node_ranks[i] = matcher->ranks[prefix->rule];
		if (!is_same_family || prefix->len != last->len ||
		    !inaddr_is_equal(&prefix->addr, &last->addr)) {
			node = &matcher->nodes[at];
			*node = (struct policy_node){
				.high = load_be64(prefix->addr.bytes),
				.low = load_be64(prefix->addr.bytes + 8),
				.len = prefix->len,
				.first = (uint16_t)i,
			};
			/* Sorted, so what is around it is the last one or around that. */
			node->parent = climb(matcher,
			    is_same_family ? (uint16_t)(at - 1) : POLICY_NO_NODE,
			    node->high, node->low);
			matcher->n_nodes[prefix->addr.is_ipv6]++;
		}
		node->n++;
		last = prefix;
	}
}

uint16_t
policy_tables_find(const struct policy_matcher *matcher, const struct inaddr *addr)
{
	uint64_t high = load_be64(addr->bytes), low = load_be64(addr->bytes + 8);
	uint32_t begin = addr->is_ipv6 ? matcher->n_nodes[0] : 0;
	uint32_t left = begin, right = begin + matcher->n_nodes[addr->is_ipv6];

	/* The first node that begins behind the address. */
	while (left < right) {
		uint32_t middle = left + (right - left) / 2;
		const struct policy_node *node = &matcher->nodes[middle];
		int order = compare_numbers(node->high, high);

		if (order == 0)
			order = compare_numbers(node->low, low);
		if (order <= 0)
			left = middle + 1;
		else
			right = middle;
	}
	/* Of those before it, the last one is inside of the innermost that contains the
	 * address, or is that one. */
	return left == begin ? POLICY_NO_NODE
			     : climb(matcher, (uint16_t)(left - 1), high, low);
}

static int
order_names(const struct policy_matcher *matcher, uint16_t a, uint16_t b)
{
	const struct ipc_policy_name *one = &matcher->policy->names[a];
	const struct ipc_policy_name *other = &matcher->policy->names[b];
	int order = one->is_wildcard - other->is_wildcard;

	if (order == 0)
		order = strcmp(one->text, other->text);
	return order != 0 ? order
			  : matcher->ranks[one->rule] - matcher->ranks[other->rule];
}

/* A guest chooses the names that are looked up, but none that are in the table. */
static uint32_t
slot_of(const char *text, size_t len, bool is_wildcard)
{
	const uint64_t secret[2] = { is_wildcard, 0 };

	return (uint32_t)siphash(secret, text, len) % POLICY_NAME_SLOTS;
}

static bool
is_pattern(const struct policy_matcher *matcher, uint16_t number, const char *text,
    size_t len, bool is_wildcard)
{
	const struct ipc_policy_name *name =
	    &matcher->policy->names[matcher->patterns[number].name];

	return name->is_wildcard == is_wildcard && strlen(name->text) == len &&
	    memcmp(name->text, text, len) == 0;
}

uint16_t
policy_tables_find_pattern(const struct policy_matcher *matcher, const char *text,
    size_t len, bool is_wildcard)
{
	uint32_t slot;

	if (matcher->n_patterns == 0)
		return POLICY_NO_PATTERN;
	slot = slot_of(text, len, is_wildcard);
	while (matcher->slots[slot] != 0) {
		uint16_t number = (uint16_t)(matcher->slots[slot] - 1);

		if (is_pattern(matcher, number, text, len, is_wildcard))
			return number;
		slot = (slot + 1) % POLICY_NAME_SLOTS;
	}
	return POLICY_NO_PATTERN;
}

static void
add_slot(struct policy_matcher *matcher, const struct ipc_policy_name *name,
    uint16_t number)
{
	uint32_t slot = slot_of(name->text, strlen(name->text), name->is_wildcard);

	while (matcher->slots[slot] != 0)
		slot = (slot + 1) % POLICY_NAME_SLOTS;
	matcher->slots[slot] = (uint16_t)(number + 1);
}

static void
make_patterns(struct policy_matcher *matcher)
{
	const struct policy *policy = matcher->policy;
	struct policy_pattern *pattern = NULL;

	sort(matcher, policy->n_names, order_names);
	matcher->n_patterns = 0;
	memset(matcher->slots, 0, sizeof(matcher->slots));
	for (uint32_t i = 0; i < policy->n_names; i++) {
		uint16_t at = matcher->sorted[i];
		const struct ipc_policy_name *name = &policy->names[at];

		matcher->pattern_ranks[i] = matcher->ranks[name->rule];
		if (pattern == NULL ||
		    !is_pattern(matcher, (uint16_t)(matcher->n_patterns - 1), name->text,
			strlen(name->text), name->is_wildcard)) {
			pattern = &matcher->patterns[matcher->n_patterns];
			*pattern = (struct policy_pattern){
				.name = at,
				.first = (uint16_t)i,
			};
			add_slot(matcher, name, matcher->n_patterns++);
		}
		pattern->n++;
	}
}

void
policy_matcher_make(struct policy_matcher *matcher, const struct policy *policy)
{
	matcher->policy = policy;
	matcher->dns_is_any = policy_dns_is_any(policy);
	rank_rules(matcher);
	policy_ports_make(matcher);
	make_nodes(matcher);
	make_patterns(matcher);
}
