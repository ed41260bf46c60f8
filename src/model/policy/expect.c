/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the expects of a policy. */
#include "model/policy/expect.h"

#include <stdio.h>
#include <string.h>

const char *
policy_flow_format(const char *action, uint8_t proto, uint16_t port, const char *to,
    char buf[POLICY_FLOW_SIZE])
{
	if (proto == IPC_POLICY_PROTO_icmp)
		snprintf(buf, POLICY_FLOW_SIZE, "%s icmp to %s", action, to);
	else
		snprintf(buf, POLICY_FLOW_SIZE, "%s %s %u to %s", action,
		    policy_proto_words[proto], port, to);
	return buf;
}

const char *
policy_cause_format(const struct policy *policy, const struct policy_verdict *verdict,
    char buf[POLICY_CAUSE_SIZE])
{
	char where[POLICY_WHERE_SIZE];

	switch (verdict->reason) {
	case POLICY_BY_RULE:
		snprintf(buf, POLICY_CAUSE_SIZE, "rule %s",
		    policy_where(policy, verdict->rule, where));
		break;
	case POLICY_BY_DEFAULT:
		snprintf(buf, POLICY_CAUSE_SIZE, "the default");
		break;
	case POLICY_BY_DNS_EXCLUSIVE:
		snprintf(buf, POLICY_CAUSE_SIZE, "dns exclusive");
		break;
	case POLICY_BY_QUERIES:
		snprintf(buf, POLICY_CAUSE_SIZE, "the names of its queries");
		break;
	}
	return buf;
}

struct policy_verdict
policy_expect_judge(const struct policy_matcher *matcher,
    const struct policy_expect *expect)
{
	/* The host's addresses and the guest's network are not known here. */
	static const struct policy_place nowhere = { .netmask_be = UINT32_MAX,
		.network_be = INADDR_BROADCAST };
	const struct policy_question question = {
		.proto = expect->proto,
		.port = expect->port,
		.addr = expect->addr,
	};

	return expect->is_name ? policy_match_name(matcher, expect->proto, expect->port,
				     expect->name, strlen(expect->name))
			       : policy_match(matcher, &nowhere, &question);
}

const char *
policy_expect_format(const struct policy_expect *expect, const char *action,
    char buf[POLICY_FLOW_SIZE])
{
	char addr[INET6_ADDRSTRLEN];

	return policy_flow_format(action, expect->proto, expect->port,
	    expect->is_name ? expect->name : inaddr_format(&expect->addr, addr), buf);
}

static bool
check(struct policy_parser *parser, const struct policy_matcher *matcher,
    const struct policy_expect *expect)
{
	struct policy_verdict verdict = policy_expect_judge(matcher, expect);
	char flow[POLICY_FLOW_SIZE], cause[POLICY_CAUSE_SIZE];

	if (verdict.is_allowed == (expect->action == IPC_POLICY_ACTION_allow))
		return true;
	snprintf(parser->error, sizeof(parser->error),
	    "%s:%u:%u: expected %s, but %s %s it", expect->source, expect->line,
	    expect->column,
	    policy_expect_format(expect, policy_action_words[expect->action], flow),
	    policy_cause_format(matcher->policy, &verdict, cause),
	    verdict.is_allowed ? "allows" : "denies");
	return false;
}

bool
policy_expects_check(struct policy_parser *parser, const struct policy_matcher *matcher)
{
	for (uint32_t i = 0; i < parser->n_expects; i++) {
		if (!check(parser, matcher, &parser->expects[i]))
			return false;
	}
	return true;
}

bool
policy_finish(struct policy_parser *parser, struct policy_matcher *matcher, bool is_audit,
    bool has_dns)
{
	struct policy *policy = parser->policy;

	/* The resolver pins addresses to names. */
	if (policy->n_names > 0 && !has_dns) {
		snprintf(parser->error, sizeof(parser->error),
		    "%s: names need the name server, which --disable-dns switches off",
		    policy->sources[policy->rules[policy->names[0].rule].source]);
		return false;
	}
	/* The resolver then passes all queries on unread. */
	if (policy->n_names == 0 && policy_dns_is_any(policy) &&
	    policy_setting_place(parser, "dns-types")[0] != '\0') {
		snprintf(parser->error, sizeof(parser->error),
		    "%s: dns-types needs a rule with a name, or \"dns listed\"",
		    policy_setting_place(parser, "dns-types"));
		return false;
	}
	if (is_audit)
		policy->settings.mode = IPC_POLICY_MODE_audit;
	policy_matcher_make(matcher, policy);
	return policy_expects_check(parser, matcher);
}
