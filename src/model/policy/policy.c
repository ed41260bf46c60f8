/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of a policy: checks, and the words for their numbers. */
#include "model/policy/policy.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define WORD(name, word) word,

const char *const policy_class_words[] = { IPC_POLICY_CLASSES(WORD) NULL };
const char *const policy_action_words[] = { IPC_POLICY_ACTIONS(WORD) NULL };
const char *const policy_proto_words[] = { IPC_POLICY_PROTOS(WORD) NULL };
const char *const policy_mode_words[] = { IPC_POLICY_MODES(WORD) NULL };
const char *const policy_refusal_words[] = { IPC_POLICY_REFUSALS(WORD) NULL };
const char *const policy_established_words[] = { IPC_POLICY_ESTABLISHED(WORD) NULL };
const char *const policy_dns_words[] = { IPC_POLICY_DNS(WORD) NULL };
const char *const policy_dns_refusal_words[] = { IPC_POLICY_DNS_REFUSALS(WORD) NULL };
const char *const policy_dns_type_words[] = { IPC_POLICY_DNS_TYPES(WORD) NULL };

#define TYPE_BIT(type) (1U << IPC_POLICY_DNS_TYPE_##type)
#define DNS_TYPES_DEFAULT \
	(TYPE_BIT(a) | TYPE_BIT(aaaa) | TYPE_BIT(cname) | TYPE_BIT(https) | \
	    TYPE_BIT(svcb) | TYPE_BIT(srv))

static_assert(IPC_POLICY_N_CLASSES <= 32 && IPC_POLICY_N_DNS_TYPES <= 32,
    "sets of uint32_t");

int
policy_word_find(const char *const words[], const char *text, size_t len)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (len > 0 && strlen(words[i]) == len &&
		    memcmp(words[i], text, len) == 0)
			return i;
	}
	return -1;
}

struct ipc_policy_settings
policy_settings_default(void)
{
	return (struct ipc_policy_settings){
		.default_action = IPC_POLICY_ACTION_deny,
		.dns_types = DNS_TYPES_DEFAULT,
	};
}

void
policy_init(struct policy *policy)
{
	policy->settings = policy_settings_default();
	policy->n_rules = policy->n_prefixes = policy->n_names = 0;
	memset(policy->sources, 0, sizeof(policy->sources));
}

/* slirpd-policy(5) shows them. */
static const struct {
	const char *name;
	const char *text;
} profiles[] = {
	{ "open", "policy 1\ndefault allow\n" },
	{ "internet",
	    "policy 1\n"
	    "forbid to metadata\n"
	    "deny to private, link-local, host\n"
	    "allow to internet\n" },
	{ "closed", "policy 1\n" },
};

const char *
policy_profile_find(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		if (strcmp(profiles[i].name, name) == 0)
			return profiles[i].text;
	}
	return NULL;
}

void
policy_source_name(char name[IPC_POLICY_SOURCE_SIZE], const char *path)
{
	const char *slash = strrchr(path, '/');

	if (strlen(path) >= IPC_POLICY_SOURCE_SIZE && slash != NULL)
		path = slash + 1;
	text_escape(name, IPC_POLICY_SOURCE_SIZE, path, strlen(path));
}

bool
policy_dns_is_any(const struct policy *policy)
{
	if (policy->settings.dns != IPC_POLICY_DNS_unset)
		return policy->settings.dns == IPC_POLICY_DNS_any;
	if (policy->settings.default_action == IPC_POLICY_ACTION_allow)
		return true;
	for (uint32_t i = 0; i < policy->n_rules; i++) {
		if (policy->rules[i].action == IPC_POLICY_ACTION_allow &&
		    policy->rules[i].classes &
			(IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet)))
			return true;
	}
	return false;
}

const char *
policy_where(const struct policy *policy, uint32_t rule, char buf[POLICY_WHERE_SIZE])
{
	const struct ipc_policy_rule *row = &policy->rules[rule];

	snprintf(buf, POLICY_WHERE_SIZE, "%s:%u", policy->sources[row->source],
	    row->line);
	return buf;
}

static bool
refuse(const char **why, const char *text)
{
	*why = text;
	return false;
}

bool
policy_add_rule(struct policy *policy, const struct ipc_policy_rule *rule,
    const char **why)
{
	if (policy->n_rules == IPC_POLICY_RULES_MAX)
		return refuse(why, "more rules than there can be");
	policy->rules[policy->n_rules++] = *rule;
	return true;
}

bool
policy_add_prefix(struct policy *policy, const struct ipc_policy_prefix *prefix,
    const char **why)
{
	uint32_t n = policy->n_prefixes;

	if (n == IPC_POLICY_PREFIXES_MAX)
		return refuse(why, "more prefixes than there can be");
	if (prefix->rule >= policy->n_rules ||
	    (n > 0 && prefix->rule < policy->prefixes[n - 1].rule))
		return refuse(why, "rule is not one of those that came");
	policy->prefixes[policy->n_prefixes++] = *prefix;
	return true;
}

bool
policy_add_name(struct policy *policy, const struct ipc_policy_name *name,
    const char **why)
{
	uint32_t n = policy->n_names;

	if (n == IPC_POLICY_NAMES_MAX)
		return refuse(why, "more names than there can be");
	if (name->rule >= policy->n_rules ||
	    (n > 0 && name->rule < policy->names[n - 1].rule))
		return refuse(why, "rule is not one of those that came");
	policy->names[policy->n_names++] = *name;
	return true;
}

bool
policy_is_whole(const struct policy *policy, const char **why)
{
	uint32_t prefix = 0, name = 0;

	for (uint32_t i = 0; i < policy->n_rules; i++) {
		const struct ipc_policy_rule *rule = &policy->rules[i];
		bool has_prefixes =
		    prefix < policy->n_prefixes && policy->prefixes[prefix].rule == i;
		bool has_names = name < policy->n_names && policy->names[name].rule == i;

		if (rule->classes == 0 && !has_prefixes && !has_names)
			return refuse(why, "a rule has no destination");
		if ((rule->options & IPC_POLICY_OPTION_PRIVATE) &&
		    (!has_names || rule->action != IPC_POLICY_ACTION_allow))
			return refuse(why,
			    "option private of a rule that allows no name");
		while (prefix < policy->n_prefixes && policy->prefixes[prefix].rule == i)
			prefix++;
		while (name < policy->n_names && policy->names[name].rule == i)
			name++;
	}
	return true;
}
