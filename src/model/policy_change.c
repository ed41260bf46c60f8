/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a policy of another one, and compares two. */
#include "model/policy_change.h"

#include <string.h>

#include "model/policy/print.h"

static void
copy_sources(struct policy *policy, const struct policy *from)
{
	for (size_t i = 0; i < IPC_POLICY_N_SOURCES; i++) {
		if (policy->sources[i][0] == '\0')
			memcpy(policy->sources[i], from->sources[i],
			    sizeof(policy->sources[i]));
	}
}

/* Adds rule number `rule` of `from` with its prefixes and names. */
static bool
copy_rule(struct policy *policy, const struct policy *from, uint32_t rule,
    const char **why)
{
	uint16_t number = (uint16_t)policy->n_rules;

	if (!policy_add_rule(policy, &from->rules[rule], why))
		return false;
	for (uint32_t i = policy_first_prefix(from, rule);
	     i < from->n_prefixes && from->prefixes[i].rule == rule; i++) {
		struct ipc_policy_prefix prefix = from->prefixes[i];

		prefix.rule = number;
		if (!policy_add_prefix(policy, &prefix, why))
			return false;
	}
	for (uint32_t i = policy_first_name(from, rule);
	     i < from->n_names && from->names[i].rule == rule; i++) {
		struct ipc_policy_name name = from->names[i];

		name.rule = number;
		if (!policy_add_name(policy, &name, why))
			return false;
	}
	return true;
}

bool
policy_append(struct policy *policy, const struct policy *tail, const char **why)
{
	policy->settings = tail->settings;
	copy_sources(policy, tail);
	for (uint32_t rule = 0; rule < tail->n_rules; rule++) {
		if (!copy_rule(policy, tail, rule, why))
			return false;
	}
	return true;
}

uint32_t
policy_copy_without(struct policy *policy, const struct policy *from, uint64_t key)
{
	uint32_t n_left_out = 0;
	const char *why;

	policy_init(policy);
	policy->settings = from->settings;
	copy_sources(policy, from);
	for (uint32_t rule = 0; rule < from->n_rules; rule++) {
		if (from->rules[rule].key == key)
			n_left_out++;
		else
			(void)copy_rule(policy, from, rule, &why);
	}
	return n_left_out;
}

/* Whether the rows of both policies are equal, with `n_more` rules before those of `changed`. */
static bool
ends_with(const struct policy *changed, const struct policy *old, uint32_t n_more)
{
	uint32_t n_prefixes = changed->n_prefixes - old->n_prefixes;
	uint32_t n_names = changed->n_names - old->n_names;

	if (memcmp(changed->rules + n_more, old->rules,
		old->n_rules * sizeof(old->rules[0])) != 0)
		return false;
	for (uint32_t i = 0; i < old->n_prefixes; i++) {
		struct ipc_policy_prefix prefix = old->prefixes[i];

		prefix.rule = (uint16_t)(prefix.rule + n_more);
		if (memcmp(&changed->prefixes[n_prefixes + i], &prefix, sizeof(prefix)) !=
		    0)
			return false;
	}
	for (uint32_t i = 0; i < old->n_names; i++) {
		struct ipc_policy_name name = old->names[i];

		name.rule = (uint16_t)(name.rule + n_more);
		if (memcmp(&changed->names[n_names + i], &name, sizeof(name)) != 0)
			return false;
	}
	/* The rows before belong to the rules before. */
	return policy_first_prefix(changed, n_more) == n_prefixes &&
	    policy_first_name(changed, n_more) == n_names;
}

bool
policy_denies_more(const struct policy *old, const struct policy *changed)
{
	uint32_t n_more = changed->n_rules - old->n_rules;

	if (changed->n_rules < old->n_rules || changed->n_prefixes < old->n_prefixes ||
	    changed->n_names < old->n_names ||
	    memcmp(&changed->settings, &old->settings, sizeof(old->settings)) != 0)
		return false;
	for (uint32_t rule = 0; rule < n_more; rule++) {
		if (changed->rules[rule].action == IPC_POLICY_ACTION_allow ||
		    changed->rules[rule].source != IPC_POLICY_FROM_API)
			return false;
	}
	return ends_with(changed, old, n_more);
}
