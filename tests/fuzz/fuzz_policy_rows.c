/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a policy as another process sends them, and questions to the policy. Rows that pass the
 * checks make tables, which answer as reading all rows does.
 *
 * Input: a byte that names the row, and the row; at the end, questions.
 */

#include <stdlib.h>
#include <string.h>

#include "ipc/validate_policy.h"
#include "model/policy/match.h"
#include "model/policy/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define promise(condition) \
	do { \
		if (!(condition)) \
			abort(); \
	} while (0)

static struct policy policy;
static struct policy_matcher matcher;
static const struct policy_place nowhere = { .network_be = INADDR_BROADCAST,
	.netmask_be = INADDR_BROADCAST };

/* Copies the next row of this size. Returns false at the end of the input. */
static bool
take(const uint8_t **data, size_t *size, void *row, size_t row_size)
{
	if (*size < row_size)
		return false;
	memcpy(row, *data, row_size);
	*data += row_size;
	*size -= row_size;
	return true;
}

static bool
take_row(uint8_t kind, const uint8_t **data, size_t *size)
{
	struct ipc_policy_settings settings;
	struct ipc_policy_rule rule;
	struct ipc_policy_prefix prefix;
	struct ipc_policy_name name;
	const char *why = NULL;

	switch (kind % 4) {
	case 0:
		return take(data, size, &settings, sizeof(settings)) &&
		    ipc_check_policy_settings(&settings, &why) == 0 &&
		    (policy.settings = settings, true);
	case 1:
		return take(data, size, &rule, sizeof(rule)) &&
		    ipc_check_policy_rule(&rule, &why) == 0 &&
		    policy_add_rule(&policy, &rule, &why);
	case 2:
		return take(data, size, &prefix, sizeof(prefix)) &&
		    ipc_check_policy_prefix(&prefix, &why) == 0 &&
		    policy_add_prefix(&policy, &prefix, &why);
	default:
		return take(data, size, &name, sizeof(name)) &&
		    ipc_check_policy_name(&name, &why) == 0 &&
		    policy_add_name(&policy, &name, &why);
	}
}

static bool
is_there(const struct ipc_policy_prefix *prefix, const struct inaddr *addr)
{
	struct inaddr network = *addr;

	inaddr_clear_after(&network, prefix->len);
	return inaddr_is_equal(&network, &prefix->addr);
}

/* Whether the rule decides on its prefixes and classes alone. */
static bool
fits(uint32_t number, const struct policy_question *question)
{
	const struct ipc_policy_rule *rule = &policy.rules[number];
	bool has_dest = rule->classes & policy_classify(&nowhere, &question->addr);
	bool has_port = rule->n_ports == 0;
	struct inaddr inside;

	for (uint32_t i = 0; i < policy.n_prefixes; i++) {
		if (policy.prefixes[i].rule != number)
			continue;
		has_dest = has_dest || is_there(&policy.prefixes[i], &question->addr) ||
		    (rule->action != IPC_POLICY_ACTION_allow &&
			policy_embedded4(&question->addr, &inside) &&
			is_there(&policy.prefixes[i], &inside));
	}
	for (int i = 0; i < rule->n_ports; i++)
		has_port = has_port ||
		    (question->port >= rule->ports[i].first &&
			question->port <= rule->ports[i].last);
	return has_dest && has_port &&
	    (rule->proto == IPC_POLICY_PROTO_any || rule->proto == question->proto);
}

static void
ask(const struct policy_question *question)
{
	struct policy_verdict verdict = policy_match(&matcher, &nowhere, question);
	uint32_t rule = policy.n_rules;

	if (verdict.reason == POLICY_BY_DNS_EXCLUSIVE) {
		promise(!verdict.is_allowed && policy.settings.is_dns_exclusive);
		return;
	}
	for (int is_forbid = 1; is_forbid >= 0 && rule == policy.n_rules; is_forbid--) {
		for (rule = 0; rule < policy.n_rules; rule++) {
			bool forbids =
			    policy.rules[rule].action == IPC_POLICY_ACTION_forbid;

			if (forbids == is_forbid && fits(rule, question))
				break;
		}
	}
	promise((verdict.reason == POLICY_BY_RULE) == (rule < policy.n_rules));
	promise(verdict.reason != POLICY_BY_RULE || verdict.rule == rule);
}

static void
check_names(void)
{
	for (uint32_t i = 0; i < policy.n_names; i++) {
		const struct ipc_policy_name *name = &policy.names[i];
		uint16_t patterns[POLICY_PATTERNS_MAX];
		char below[IPC_POLICY_NAME_SIZE + 2] = "x.";
		size_t n;

		strcat(below, name->text);
		n = policy_patterns_find(&matcher, below + (name->is_wildcard ? 0 : 2),
		    strlen(name->text) + 2U * name->is_wildcard, patterns);
		promise(n > 0 && n <= POLICY_PATTERNS_MAX);
	}
}

static void
count(void *ctx, const char *text, size_t len)
{
	(void)text;
	*(size_t *)ctx += len;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t kind;
	const char *why;
	size_t n_bytes = 0;
	struct inaddr addr;

	policy_init(&policy);
	while (take(&data, &size, &kind, sizeof(kind)) && kind < 0x80) {
		if (!take_row(kind, &data, &size))
			return 0;
	}
	if (!policy_is_whole(&policy, &why))
		return 0;
	policy_matcher_make(&matcher, &policy);
	policy_print(&policy, count, &n_bytes);
	promise(n_bytes > 0);
	check_names();
	while (take(&data, &size, &addr, sizeof(addr)) &&
	    take(&data, &size, &kind, sizeof(kind))) {
		addr = inaddr_from_bytes(addr.bytes, addr.is_ipv6 & 1);
		ask(&(struct policy_question){ .addr = addr,
		    .proto = (uint8_t)(1 + kind % 3),
		    .port = kind });
	}
	for (uint32_t i = 0; i < policy.n_prefixes; i++)
		ask(&(struct policy_question){ .addr = policy.prefixes[i].addr,
		    .proto = IPC_POLICY_PROTO_tcp,
		    .port = 53 });
	return 0;
}
