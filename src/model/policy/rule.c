/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses a rule, or an expect. */
#include "model/policy/rule.h"

#include <stdio.h>
#include <string.h>

#include "model/policy/print.h"

#define PORT_MAX 65535
/* A longer number is not a port, whatever its digits. */
#define PORT_DIGITS_MAX 9

/* Options of later versions: the word, and what it needs. */
static const struct {
	const char *word;
	const char *needs;
} later_options[] = {
	{ "sni", "a check of TLS handshakes" },
	{ "sni-ech", "a check of TLS handshakes" },
	{ "log", "a record of flows" },
	{ "quiet", "a record of flows" },
	{ "audit", "a record of flows" },
};

static bool
expect_word(struct policy_scan *scan, const char *word)
{
	if (policy_scan_take(scan, word))
		return true;
	return policy_scan_refuse(scan, &scan->token, "expected \"%s\", not %s", word,
	    policy_token_show(&scan->token).text);
}

static bool
parse_action(struct policy_scan *scan, uint8_t *action)
{
	const struct policy_token *token = &scan->token;
	int found = token->type == POLICY_TOKEN_WORD
	    ? policy_word_find(policy_action_words, token->text, token->len)
	    : -1;

	if (found == -1)
		return policy_scan_refuse(scan, token,
		    "expected allow, deny or forbid, not %s",
		    policy_token_show(token).text);
	*action = (uint8_t)found;
	policy_scan_next(scan);
	return true;
}

/* Reads a decimal number at *at. Returns false if there is none, or it is too long. */
static bool
read_number(const char **at, const char *end, unsigned long *number)
{
	const char *begin = *at;

	*number = 0;
	while (*at < end && **at >= '0' && **at <= '9' && *at - begin < PORT_DIGITS_MAX)
		*number = *number * 10 + (unsigned long)(*(*at)++ - '0');
	return *at > begin;
}

/* "N" or "N-M". */
static bool
parse_range(struct policy_scan *scan, struct ipc_policy_ports *ports)
{
	const struct policy_token *token = &scan->token;
	const char *at = token->text, *end = at + token->len;
	unsigned long first, last;

	if (token->type != POLICY_TOKEN_WORD || !read_number(&at, end, &first))
		return policy_scan_refuse(scan, token, "expected a port, not %s",
		    policy_token_show(token).text);
	last = first;
	if (at < end && *at == '-') {
		at++;
		if (!read_number(&at, end, &last))
			at = token->text; /* not a range */
	}
	if (at != end)
		return policy_scan_refuse(scan, token, "%s is not a port, or a range N-M",
		    policy_token_show(token).text);
	if (first < 1 || first > PORT_MAX || last < 1 || last > PORT_MAX)
		return policy_scan_refuse(scan, token, "port %lu is not in 1-%d",
		    first < 1 || first > PORT_MAX ? first : last, PORT_MAX);
	if (first > last)
		return policy_scan_refuse(scan, token,
		    "ports %lu-%lu: the first is above the last", first, last);
	*ports = (struct ipc_policy_ports){ (uint16_t)first, (uint16_t)last };
	return true;
}

static bool
parse_ports(struct policy_scan *scan, struct ipc_policy_rule *rule)
{
	bool has_ports =
	    rule->proto == IPC_POLICY_PROTO_tcp || rule->proto == IPC_POLICY_PROTO_udp;

	if (policy_scan_is(scan, "to"))
		return true;
	if (!has_ports && scan->token.type == POLICY_TOKEN_WORD &&
	    scan->token.text[0] >= '0' && scan->token.text[0] <= '9')
		return policy_scan_refuse(scan, &scan->token, "%s has no ports",
		    policy_proto_words[rule->proto]);
	while (has_ports) {
		if (rule->n_ports == IPC_POLICY_PORTS_MAX)
			return policy_scan_refuse(scan, &scan->token,
			    "more than %d ranges of ports in a rule",
			    IPC_POLICY_PORTS_MAX);
		if (!parse_range(scan, &rule->ports[rule->n_ports]))
			return false;
		rule->n_ports++;
		policy_scan_next(scan);
		if (scan->token.type != POLICY_TOKEN_COMMA)
			break;
		policy_scan_next(scan);
	}
	return true;
}

/* Protocol and ports. */
static bool
parse_what(struct policy_scan *scan, struct ipc_policy_rule *rule)
{
	const struct policy_token *token = &scan->token;
	int proto;

	if (policy_scan_is(scan, "to"))
		return true;
	proto = token->type == POLICY_TOKEN_WORD
	    ? policy_word_find(policy_proto_words, token->text, token->len)
	    : -1;
	if (proto == -1)
		return policy_scan_refuse(scan, token,
		    "expected tcp, udp, icmp, any or to, not %s",
		    policy_token_show(token).text);
	rule->proto = (uint8_t)proto;
	policy_scan_next(scan);
	return parse_ports(scan, rule);
}

static bool
add_prefix(struct policy_parser *parser, const struct ipc_policy_prefix *prefix)
{
	struct policy *policy = parser->policy;
	struct ipc_policy_prefix *row = &policy->prefixes[policy->n_prefixes];

	if (policy->n_prefixes == IPC_POLICY_PREFIXES_MAX)
		return policy_scan_refuse(&parser->scan, &parser->scan.token,
		    "more than %d addresses", IPC_POLICY_PREFIXES_MAX);
	*row = *prefix;
	row->rule = (uint16_t)policy->n_rules;
	policy->n_prefixes++;
	return true;
}

static bool
add_name(struct policy_parser *parser, const struct ipc_policy_name *name)
{
	struct policy *policy = parser->policy;
	struct ipc_policy_name *row = &policy->names[policy->n_names];

	if (policy->n_names == IPC_POLICY_NAMES_MAX)
		return policy_scan_refuse(&parser->scan, &parser->scan.token,
		    "more than %d names", IPC_POLICY_NAMES_MAX);
	*row = *name;
	row->rule = (uint16_t)policy->n_rules;
	policy->n_names++;
	return true;
}

static bool
add_set(struct policy_parser *parser, struct ipc_policy_rule *rule)
{
	const struct policy_sets *sets = &parser->sets;
	const struct policy_set *set = policy_sets_find(sets, &parser->scan);

	if (set == NULL)
		return false;
	rule->classes |= set->classes;
	for (uint32_t at = set->first_prefix; at != POLICY_CHAIN_END;
	     at = sets->prefixes[at].rule) {
		if (!add_prefix(parser, &sets->prefixes[at]))
			return false;
	}
	for (uint32_t at = set->first_name; at != POLICY_CHAIN_END;
	     at = sets->names[at].rule) {
		if (!add_name(parser, &sets->names[at]))
			return false;
	}
	return true;
}

static bool
add_dest(struct policy_parser *parser, struct ipc_policy_rule *rule)
{
	struct policy_dest dest;

	if (parser->scan.token.type == POLICY_TOKEN_WORD &&
	    parser->scan.token.text[0] == '@')
		return add_set(parser, rule);
	if (!policy_dest_parse(&parser->scan, &dest))
		return false;
	rule->classes |= dest.class_bit;
	if (dest.type == POLICY_DEST_PREFIX)
		return add_prefix(parser, &dest.prefix);
	return dest.type == POLICY_DEST_CLASS || add_name(parser, &dest.name);
}

static bool
parse_dests(struct policy_parser *parser, struct ipc_policy_rule *rule)
{
	struct policy_scan *scan = &parser->scan;

	do {
		policy_scan_next(scan); /* "to", or a comma */
		if (!add_dest(parser, rule))
			return false;
		policy_scan_next(scan);
	} while (scan->token.type == POLICY_TOKEN_COMMA);
	return true;
}

static bool
refuse_option(struct policy_scan *scan)
{
	for (size_t i = 0; i < sizeof(later_options) / sizeof(later_options[0]); i++) {
		if (policy_scan_is(scan, later_options[i].word))
			return policy_scan_refuse(scan, &scan->token,
			    "%s needs %s, which this version does not have",
			    later_options[i].word, later_options[i].needs);
	}
	return policy_scan_refuse(scan, &scan->token,
	    "%s is not an option; a comma separates destinations",
	    policy_token_show(&scan->token).text);
}

/* at is the place of the rule. */
static bool
parse_options(struct policy_parser *parser, struct ipc_policy_rule *rule,
    const struct policy_token *at)
{
	const struct policy *policy = parser->policy;
	struct policy_scan *scan = &parser->scan;
	bool has_names = policy->n_names > 0 &&
	    policy->names[policy->n_names - 1].rule == policy->n_rules;

	while (scan->token.type < POLICY_TOKEN_LINE_END) {
		if (!policy_scan_take(scan, "private"))
			return refuse_option(scan);
		rule->options |= IPC_POLICY_OPTION_PRIVATE;
	}
	if ((rule->options & IPC_POLICY_OPTION_PRIVATE) && !has_names)
		return policy_scan_refuse(scan, at, "option private is for names");
	if ((rule->options & IPC_POLICY_OPTION_PRIVATE) &&
	    rule->action != IPC_POLICY_ACTION_allow)
		return policy_scan_refuse(scan, at, "option private is for allow");
	return true;
}

static bool
parse_label(struct policy_scan *scan, char label[IPC_POLICY_LABEL_SIZE])
{
	const struct policy_token *token = &scan->token;

	if (token->len == 0 || token->text[token->len - 1] != ':')
		return true;
	if (!policy_scan_is_label(scan, token->len - 1))
		return policy_scan_refuse(scan, token,
		    "%s is not a label: at most %d of a-z 0-9 - _ .",
		    policy_token_show(token).text, IPC_POLICY_LABEL_SIZE - 1);
	memcpy(label, token->text, token->len - 1);
	policy_scan_next(scan);
	return true;
}

bool
policy_rule_parse(struct policy_parser *parser)
{
	struct policy_scan *scan = &parser->scan;
	struct policy *policy = parser->policy;
	struct policy_token at = scan->token;
	struct ipc_policy_rule rule = { .source = parser->source, .line = at.line };

	if (policy->n_rules == IPC_POLICY_RULES_MAX)
		return policy_scan_refuse(scan, &at, "more than %d rules",
		    IPC_POLICY_RULES_MAX);
	if (!parse_label(scan, rule.label) || !parse_action(scan, &rule.action) ||
	    !parse_what(scan, &rule))
		return false;
	if (!policy_scan_is(scan, "to"))
		return expect_word(scan, "to");
	if (!parse_dests(parser, &rule) || !parse_options(parser, &rule, &at))
		return false;
	policy->rules[policy->n_rules++] = rule;
	policy->rules[policy->n_rules - 1].key =
	    policy_print_key(policy, policy->n_rules - 1);
	return true;
}

/* One address or name. */
static bool
parse_expect_dest(struct policy_scan *scan, struct policy_expect *expect)
{
	struct policy_dest dest;

	if (!policy_dest_parse(scan, &dest))
		return false;
	expect->is_name = dest.type == POLICY_DEST_NAME;
	if (dest.type == POLICY_DEST_CLASS || dest.name.is_wildcard ||
	    (dest.type == POLICY_DEST_PREFIX &&
		dest.prefix.len != inaddr_n_bits(&dest.prefix.addr)))
		return policy_scan_refuse(scan, &scan->token,
		    "expect needs one address or one name, not %s",
		    policy_token_show(&scan->token).text);
	expect->addr = dest.prefix.addr;
	memcpy(expect->name, dest.name.text, sizeof(expect->name));
	policy_scan_next(scan);
	return true;
}

bool
policy_expect_parse(struct policy_parser *parser)
{
	struct policy_scan *scan = &parser->scan;
	struct policy_token at = scan->token;
	struct ipc_policy_rule rule = { 0 };
	struct policy_expect *expect = &parser->expects[parser->n_expects];
	bool has_one_port;

	if (parser->n_expects == POLICY_EXPECTS_MAX)
		return policy_scan_refuse(scan, &at, "more than %d expects",
		    POLICY_EXPECTS_MAX);
	if (policy_scan_is(scan, "forbid"))
		return policy_scan_refuse(scan, &at, "expect allow or deny, not forbid");
	if (!parse_action(scan, &rule.action) || !parse_what(scan, &rule))
		return false;
	has_one_port = rule.n_ports == 1 && rule.ports[0].first == rule.ports[0].last;
	if (rule.proto != IPC_POLICY_PROTO_icmp && !has_one_port)
		return policy_scan_refuse(scan, &scan->token,
		    "expect needs tcp or udp with one port, or icmp");
	if (!expect_word(scan, "to"))
		return false;
	*expect = (struct policy_expect){
		.source = parser->policy->sources[parser->source],
		.line = at.line,
		.column = 1,
		.action = rule.action,
		.proto = rule.proto,
		.port = rule.ports[0].first,
	};
	if (!parse_expect_dest(scan, expect))
		return false;
	parser->n_expects++;
	return true;
}
