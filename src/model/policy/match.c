/* SPDX-License-Identifier: BSD-2-Clause */
/* Decides by the tables of a policy. */
#include "model/policy/match.h"

#include <string.h>

#include "base/dnsname.h"
#include "model/policy/tables.h"

#define NO_RANK UINT32_MAX

/* A decision while the lists are read. */
struct decision {
	const struct policy_matcher *matcher;
	uint8_t proto;
	uint16_t port;
	const struct policy_ranks *fits; /* rules for the protocol and port */
	uint32_t best;                   /* the least rank that was found so far */
};

static struct decision
begin(const struct policy_matcher *matcher, uint8_t proto, uint16_t port)
{
	return (struct decision){
		.matcher = matcher,
		.proto = proto,
		.port = port,
		.fits = policy_ports_find(matcher, proto, port),
		.best = NO_RANK,
	};
}

static const struct ipc_policy_rule *
rule_of(const struct policy_matcher *matcher, uint32_t rank)
{
	return &matcher->policy->rules[matcher->rules[rank]];
}

static bool
is_allow(const struct policy_matcher *matcher, uint32_t rank)
{
	return rule_of(matcher, rank)->action == IPC_POLICY_ACTION_allow;
}

static bool
is_fit(const struct decision *decision, uint32_t rank)
{
	return decision->fits->words[rank / 64] & 1ULL << rank % 64;
}

/* Reads an ascending list. without_allow: rules that allow do not count. */
static void
read_list(struct decision *decision, const uint16_t *ranks, size_t n, bool without_allow)
{
	for (size_t i = 0; i < n && ranks[i] < decision->best; i++) {
		if (is_fit(decision, ranks[i]) &&
		    !(without_allow && is_allow(decision->matcher, ranks[i]))) {
			decision->best = ranks[i];
			return;
		}
	}
}

static void
read_class(struct decision *decision, const struct policy_ranks *of_class)
{
	for (uint32_t i = 0; i < POLICY_RANK_WORDS && 64 * i < decision->best; i++) {
		uint64_t both = of_class->words[i] & decision->fits->words[i];
		uint32_t rank =
		    both != 0 ? 64 * i + (uint32_t)__builtin_ctzll(both) : NO_RANK;

		if (rank < decision->best)
			decision->best = rank;
	}
}

static void
read_classes(struct decision *decision, uint32_t classes)
{
	for (int class = 0; class < IPC_POLICY_N_CLASSES; class ++) {
		if (classes & 1U << class)
			read_class(decision, &decision->matcher->of_class[class]);
	}
}

/* Reads the rules of all prefixes around the address. Rules that allow count for prefixes of at
 * least this length. */
static void
read_prefixes(struct decision *decision, const struct inaddr *addr,
    unsigned int allow_len_min)
{
	const struct policy_matcher *matcher = decision->matcher;

	for (uint16_t at = policy_tables_find(matcher, addr); at != POLICY_NO_NODE;
	     at = matcher->nodes[at].parent) {
		const struct policy_node *node = &matcher->nodes[at];

		read_list(decision, matcher->node_ranks + node->first, node->n,
		    node->len < allow_len_min);
	}
}

static bool
is_private(const struct ipc_policy_rule *rule)
{
	return rule->options & IPC_POLICY_OPTION_PRIVATE;
}

/* An answer of a name server is not a way to what the operator did not name. */
static bool
may_pin(const struct ipc_policy_rule *rule, uint32_t classes)
{
	return rule->action == IPC_POLICY_ACTION_allow &&
	    policy_name_may_lead_to(classes, is_private(rule));
}

static void
read_pattern(struct decision *decision, uint16_t number, uint32_t classes)
{
	const struct policy_matcher *matcher = decision->matcher;
	const struct policy_pattern *pattern = &matcher->patterns[number];

	for (size_t i = 0; i < pattern->n; i++) {
		uint16_t rank = matcher->pattern_ranks[pattern->first + i];

		if (rank < decision->best && is_fit(decision, rank) &&
		    may_pin(rule_of(matcher, rank), classes))
			decision->best = rank;
	}
}

static struct policy_verdict
conclude(const struct decision *decision, uint32_t classes)
{
	const struct policy_matcher *matcher = decision->matcher;
	const struct ipc_policy_settings *settings = &matcher->policy->settings;
	struct policy_verdict verdict = {
		.reason = POLICY_BY_DEFAULT,
		.is_allowed = settings->default_action == IPC_POLICY_ACTION_allow,
		.classes = classes,
	};

	bool is_forbidden = decision->best != NO_RANK &&
	    rule_of(matcher, decision->best)->action == IPC_POLICY_ACTION_forbid;

	if (!is_forbidden && settings->is_dns_exclusive &&
	    !(classes & IPC_POLICY_BIT(nameserver)) &&
	    decision->proto != IPC_POLICY_PROTO_icmp &&
	    (decision->port == DNS_PORT || decision->port == DNS_TLS_PORT)) {
		verdict.reason = POLICY_BY_DNS_EXCLUSIVE;
		verdict.is_allowed = false;
	} else if (decision->best != NO_RANK) {
		verdict.reason = POLICY_BY_RULE;
		verdict.is_allowed = is_allow(matcher, decision->best);
		verdict.rule = matcher->rules[decision->best];
	}
	return verdict;
}

struct policy_verdict
policy_match(const struct policy_matcher *matcher, const struct policy_place *place,
    const struct policy_question *question)
{
	struct decision decision = begin(matcher, question->proto, question->port);
	uint32_t classes = policy_classify(place, &question->addr);
	unsigned int allow_len_min = 0;
	struct inaddr inside;

	/* All addresses of the guest's network lead to the host's loopback. A wider prefix, such
	 * as 10.0.0.0/8, does not open that. */
	if (classes & (IPC_POLICY_BIT(gateway) | IPC_POLICY_BIT(nameserver)))
		allow_len_min = question->addr.is_ipv6
		    ? 64
		    : (unsigned int)__builtin_popcount(place->netmask_be);
	read_classes(&decision, classes);
	read_prefixes(&decision, &question->addr, allow_len_min);
	/* An IPv6 address can lead to an address of IPv4 inside it. Rules that deny the inner
	 * address then count; rules that allow it do not. */
	if (policy_embedded4(&question->addr, &inside))
		read_prefixes(&decision, &inside, UINT32_MAX);
	for (size_t i = 0; i < question->n_patterns; i++)
		read_pattern(&decision, question->patterns[i], classes);
	return conclude(&decision, classes);
}

size_t
policy_patterns_find(const struct policy_matcher *matcher, const char *name, size_t len,
    uint16_t *patterns)
{
	size_t n = 0;
	uint16_t found = policy_tables_find_pattern(matcher, name, len, false);

	if (found != POLICY_NO_PATTERN)
		patterns[n++] = found;
	for (const char *dot = memchr(name, '.', len); dot != NULL;
	     dot = memchr(name, '.', len)) {
		len -= (size_t)(dot + 1 - name);
		name = dot + 1;
		found = policy_tables_find_pattern(matcher, name, len, true);
		if (found != POLICY_NO_PATTERN && n < POLICY_PATTERNS_MAX)
			patterns[n++] = found;
	}
	return n;
}

bool
policy_patterns_may_be_private(const struct policy_matcher *matcher,
    const uint16_t *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct policy_pattern *pattern = &matcher->patterns[patterns[i]];

		for (size_t at = 0; at < pattern->n; at++) {
			uint16_t rank = matcher->pattern_ranks[pattern->first + at];

			if (is_allow(matcher, rank) && is_private(rule_of(matcher, rank)))
				return true;
		}
	}
	return false;
}

/* The least rank that stops the name, and the least that lists it; ports do not count. */
static void
find_ranks(const struct policy_matcher *matcher, const uint16_t *patterns, size_t n,
    uint32_t *stop, uint32_t *list)
{
	*stop = *list = NO_RANK;
	for (size_t i = 0; i < n; i++) {
		const struct policy_pattern *pattern = &matcher->patterns[patterns[i]];

		for (size_t at = 0; at < pattern->n; at++) {
			uint16_t rank = matcher->pattern_ranks[pattern->first + at];
			uint32_t *least = is_allow(matcher, rank) ? list : stop;

			if (rank < *least)
				*least = rank;
		}
	}
}

struct policy_verdict
policy_match_query(const struct policy_matcher *matcher, const char *name, size_t len)
{
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t n = policy_patterns_find(matcher, name, len, patterns);
	struct policy_verdict verdict = {
		.reason = POLICY_BY_DEFAULT,
		.is_allowed = matcher->dns_is_any,
	};
	uint32_t stop, list;

	find_ranks(matcher, patterns, n, &stop, &list);
	if (stop == NO_RANK && list == NO_RANK)
		return verdict;
	verdict.reason = POLICY_BY_RULE;
	verdict.is_allowed = list < stop;
	verdict.rule = matcher->rules[verdict.is_allowed ? list : stop];
	return verdict;
}

struct policy_verdict
policy_match_name(const struct policy_matcher *matcher, uint8_t proto, uint16_t port,
    const char *name, size_t len)
{
	const uint32_t classes = IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet);
	uint16_t patterns[POLICY_PATTERNS_MAX];
	size_t n = policy_patterns_find(matcher, name, len, patterns);
	struct policy_verdict query = policy_match_query(matcher, name, len);
	struct decision decision = begin(matcher, proto, port);

	if (!query.is_allowed)
		return query;
	read_classes(&decision, classes);
	for (size_t i = 0; i < n; i++)
		read_pattern(&decision, patterns[i], classes);
	return conclude(&decision, classes);
}
