/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules for each protocol and port. */
#include <string.h>

#include "model/policy/tables.h"

#define N_PORTS 65536

/* The ranges of a rule in ascending order and apart from each other. */
struct ranges {
	int n;
	struct ipc_policy_ports ranges[IPC_POLICY_PORTS_MAX];
};

static void
insert(struct ranges *ranges, struct ipc_policy_ports ports)
{
	int at = ranges->n++;

	for (; at > 0 && ranges->ranges[at - 1].first > ports.first; at--)
		ranges->ranges[at] = ranges->ranges[at - 1];
	ranges->ranges[at] = ports;
}

static struct ranges
ranges_of(const struct ipc_policy_rule *rule)
{
	struct ranges sorted = { 0 }, merged = { 0 };

	if (rule->n_ports == 0)
		insert(&sorted, (struct ipc_policy_ports){ 0, N_PORTS - 1 });
	for (int i = 0; i < rule->n_ports; i++)
		insert(&sorted, rule->ports[i]);
	merged.ranges[merged.n++] = sorted.ranges[0];
	for (int i = 1; i < sorted.n; i++) {
		struct ipc_policy_ports *last = &merged.ranges[merged.n - 1];

		if (sorted.ranges[i].first > last->last + 1)
			merged.ranges[merged.n++] = sorted.ranges[i];
		else if (sorted.ranges[i].last > last->last)
			last->last = sorted.ranges[i].last;
	}
	return merged;
}

/* The interval that contains the port. */
static uint32_t
find(const struct policy_port_table *table, uint32_t port)
{
	uint32_t low = 0, high = table->n;

	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (table->first_ports[middle] <= port)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static bool
is_of(const struct ipc_policy_rule *rule, uint8_t proto)
{
	return rule->proto == IPC_POLICY_PROTO_any || rule->proto == proto;
}

/* Each port at which a range begins, or has ended, begins an interval. */
static void
make_intervals(struct policy_port_table *table, const struct policy *policy,
    uint8_t proto)
{
	uint64_t begins[N_PORTS / 64] = { 1 };

	for (uint32_t rule = 0; rule < policy->n_rules; rule++) {
		struct ranges ranges = ranges_of(&policy->rules[rule]);

		for (int i = 0; is_of(&policy->rules[rule], proto) && i < ranges.n; i++) {
			uint32_t first = ranges.ranges[i].first;
			uint32_t end = ranges.ranges[i].last + 1U;

			begins[first / 64] |= 1ULL << first % 64;
			if (end < N_PORTS)
				begins[end / 64] |= 1ULL << end % 64;
		}
	}
	table->n = 0;
	for (uint32_t port = 0; port < N_PORTS; port++) {
		if (begins[port / 64] & 1ULL << port % 64)
			table->first_ports[table->n++] = (uint16_t)port;
	}
}

static void
flip(struct policy_port_table *table, uint32_t interval, uint16_t rank)
{
	table->fits[interval].words[rank / 64] ^= 1ULL << rank % 64;
}

/* First marks at which intervals a rule begins and ends to fit, then adds the marks up. */
static void
make_table(struct policy_matcher *matcher, struct policy_port_table *table, uint8_t proto)
{
	const struct policy *policy = matcher->policy;

	make_intervals(table, policy, proto);
	memset(table->fits, 0, table->n * sizeof(table->fits[0]));
	for (uint32_t rule = 0; rule < policy->n_rules; rule++) {
		struct ranges ranges = ranges_of(&policy->rules[rule]);

		for (int i = 0; is_of(&policy->rules[rule], proto) && i < ranges.n; i++) {
			uint32_t end = ranges.ranges[i].last + 1U;

			flip(table, find(table, ranges.ranges[i].first),
			    matcher->ranks[rule]);
			if (end < N_PORTS)
				flip(table, find(table, end), matcher->ranks[rule]);
		}
	}
	for (uint32_t i = 1; i < table->n; i++) {
		for (int word = 0; word < POLICY_RANK_WORDS; word++)
			table->fits[i].words[word] ^= table->fits[i - 1].words[word];
	}
}

void
policy_ports_make(struct policy_matcher *matcher)
{
	const struct policy *policy = matcher->policy;

	make_table(matcher, &matcher->ports[0], IPC_POLICY_PROTO_tcp);
	make_table(matcher, &matcher->ports[1], IPC_POLICY_PROTO_udp);
	memset(&matcher->icmp, 0, sizeof(matcher->icmp));
	for (uint32_t rule = 0; rule < policy->n_rules; rule++) {
		uint16_t rank = matcher->ranks[rule];

		if (is_of(&policy->rules[rule], IPC_POLICY_PROTO_icmp))
			matcher->icmp.words[rank / 64] |= 1ULL << rank % 64;
	}
}

const struct policy_ranks *
policy_ports_find(const struct policy_matcher *matcher, uint8_t proto, uint16_t port)
{
	const struct policy_port_table *table =
	    &matcher->ports[proto == IPC_POLICY_PROTO_udp];

	return proto == IPC_POLICY_PROTO_icmp ? &matcher->icmp
					      : &table->fits[find(table, port)];
}
