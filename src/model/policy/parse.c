/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the text of a policy: its header, settings and lines. */
#include "model/policy/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "model/policy/rule.h"

#define SETTING(field) offsetof(struct ipc_policy_settings, field)

static const char *const default_words[] = { "deny", "allow", NULL };

/* The settings, their words, and the field of struct ipc_policy_settings. */
static const struct setting {
	const char *word;
	const char *const *values;
	size_t field;
} settings[] = {
	{ "default", default_words, SETTING(default_action) },
	{ "mode", policy_mode_words, SETTING(mode) },
	{ "refuse", policy_refusal_words, SETTING(refusal) },
	{ "established", policy_established_words, SETTING(established) },
	{ "dns", policy_dns_words, SETTING(dns) },
	{ "dns-refusal", policy_dns_refusal_words, SETTING(dns_refusal) },
	{ "dns-types", policy_dns_type_words, SETTING(dns_types) },
};

#define N_SETTINGS (sizeof(settings) / sizeof(settings[0]))

static_assert(N_SETTINGS <=
	sizeof(((struct policy_parser *)NULL)->settings_at) / POLICY_WHERE_SIZE,
    "a place for each");

/* "allow or deny" for an error: the words that the setting takes. */
static void
list_values(const struct setting *setting, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; setting->values[i] != NULL && len < size; i++) {
		const char *word = setting->values[i];
		bool is_first = len == 0, is_last = setting->values[i + 1] == NULL;

		/* The default of a setting may have no word. */
		if (word[0] == '\0')
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s",
		    is_first      ? ""
			: is_last ? " or "
				  : ", ",
		    word);
	}
}

static bool
refuse_value(struct policy_scan *scan, const struct setting *setting)
{
	char wanted[128];

	list_values(setting, wanted, sizeof(wanted));
	return policy_scan_refuse(scan, &scan->token, "%s is %s, not %s", setting->word,
	    wanted, policy_token_show(&scan->token).text);
}

/* Reads the value, and goes to the next token. Returns -1 with the error set. */
static int
take_value(struct policy_scan *scan, const struct setting *setting)
{
	int value = scan->token.type == POLICY_TOKEN_WORD
	    ? policy_word_find(setting->values, scan->token.text, scan->token.len)
	    : -1;

	if (value == -1)
		refuse_value(scan, setting);
	else
		policy_scan_next(scan);
	return value;
}

static bool
take_dns_types(struct policy_scan *scan, const struct setting *setting, uint32_t *types)
{
	int type;

	*types = 0;
	do {
		type = take_value(scan, setting);
		if (type == -1)
			return false;
		*types |= 1U << type;
		if (scan->token.type != POLICY_TOKEN_COMMA)
			return true;
		policy_scan_next(scan);
	} while (true);
}

/* Reads the values into *to. */
static bool
take_values(struct policy_scan *scan, const struct setting *setting,
    struct ipc_policy_settings *to)
{
	int value;

	if (setting->field == SETTING(dns_types))
		return take_dns_types(scan, setting, &to->dns_types);
	value = take_value(scan, setting);
	if (value == -1)
		return false;
	((uint8_t *)to)[setting->field] = (uint8_t)value;
	if (setting->field == SETTING(dns) && policy_scan_take(scan, "exclusive"))
		to->is_dns_exclusive = 1;
	return true;
}

/* Two texts, or two lines, may agree on a setting. They must not differ. */
static bool
parse_setting(struct policy_parser *parser, const struct setting *setting)
{
	struct policy_scan *scan = &parser->scan;
	struct policy_token at = scan->token;
	struct ipc_policy_settings *old = &parser->policy->settings, new = *old;
	char *given_at = parser->settings_at[setting - settings];

	policy_scan_next(scan);
	if (setting->field == SETTING(dns))
		new.is_dns_exclusive = 0;
	if (!take_values(scan, setting, &new))
		return false;
	if (given_at[0] != '\0' && memcmp(&new, old, sizeof(new)) != 0)
		return policy_scan_refuse(scan, &at, "%s has another value in %s",
		    setting->word, given_at);
	if (given_at[0] == '\0')
		snprintf(given_at, POLICY_WHERE_SIZE, "%s:%u",
		    parser->policy->sources[parser->source], at.line);
	*old = new;
	return true;
}

static const struct setting *
find_setting(const struct policy_scan *scan)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (policy_scan_is(scan, settings[i].word))
			return &settings[i];
	}
	return NULL;
}

static bool
parse_line(struct policy_parser *parser)
{
	struct policy_scan *scan = &parser->scan;
	const struct policy_token *token = &scan->token;
	const struct setting *setting = find_setting(scan);
	bool is_label = token->type == POLICY_TOKEN_WORD && token->len > 1 &&
	    token->text[token->len - 1] == ':';

	if (setting != NULL)
		return parse_setting(parser, setting);
	if (policy_scan_take(scan, "expect"))
		return policy_expect_parse(parser);
	if (is_label ||
	    (token->type == POLICY_TOKEN_WORD &&
		policy_word_find(policy_action_words, token->text, token->len) != -1))
		return policy_rule_parse(parser);
	return policy_scan_refuse(scan, token,
	    "unknown word %s; wanted a setting, set, allow, deny, forbid or expect",
	    policy_token_show(token).text);
}

static bool
end_line(struct policy_scan *scan)
{
	if (scan->token.type < POLICY_TOKEN_LINE_END)
		return policy_scan_refuse(scan, &scan->token,
		    "expected the end of the line, not %s",
		    policy_token_show(&scan->token).text);
	return true;
}

/* Reads the lines of sets, or all others. A set may be defined below its use. */
static bool
parse_lines(struct policy_parser *parser, bool is_for_sets)
{
	struct policy_scan *scan = &parser->scan;

	for (; scan->token.type != POLICY_TOKEN_TEXT_END; policy_scan_skip_line(scan)) {
		bool is_set = policy_scan_is(scan, "set");

		if (is_set != is_for_sets || scan->token.type == POLICY_TOKEN_LINE_END)
			continue;
		if (is_set)
			policy_scan_next(scan);
		if (is_set ? !policy_sets_read(&parser->sets, scan) : !parse_line(parser))
			return false;
		if (!end_line(scan))
			return false;
	}
	return true;
}

static bool
parse_header(struct policy_scan *scan)
{
	while (scan->token.type == POLICY_TOKEN_LINE_END)
		policy_scan_next(scan);
	if (scan->token.type == POLICY_TOKEN_TEXT_END)
		scan->token.line = scan->token.column = 1;
	if (!policy_scan_take(scan, "policy") || scan->token.type != POLICY_TOKEN_WORD) {
		scan->token.column = 1;
		return policy_scan_refuse(scan, &scan->token,
		    "a policy begins with \"policy 1\"");
	}
	if (!policy_scan_is(scan, "1"))
		return policy_scan_refuse(scan, &scan->token,
		    "policy version %.*s is not known; this is for version 1",
		    (int)strcspn(policy_token_show(&scan->token).text + 1, "\""),
		    policy_token_show(&scan->token).text + 1);
	policy_scan_next(scan);
	return end_line(scan);
}

static bool
begin(struct policy_parser *parser, struct policy *policy, const struct policy_text *text,
    uint16_t source)
{
	parser->policy = policy;
	parser->source = source;
	parser->sets.n = parser->sets.n_prefixes = parser->sets.n_names = 0;
	snprintf(policy->sources[source], IPC_POLICY_SOURCE_SIZE, "%s", text->name);
	return policy_scan_begin(&parser->scan, text, parser->error);
}

bool
policy_parse(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source)
{
	struct policy_scan after_header;

	if (!begin(parser, policy, text, source) || !parse_header(&parser->scan))
		return false;
	after_header = parser->scan;
	if (!parse_lines(parser, true))
		return false;
	parser->scan = after_header;
	return parse_lines(parser, false);
}

bool
policy_parse_lines(struct policy_parser *parser, struct policy *policy,
    const struct policy_text *text, uint16_t source, uint32_t first_line)
{
	if (!begin(parser, policy, text, source))
		return false;
	parser->scan.line += first_line - 1;
	parser->scan.token.line = first_line;
	return parse_lines(parser, false);
}

const char *
policy_setting_place(const struct policy_parser *parser, const char *word)
{
	for (size_t i = 0; i < N_SETTINGS; i++) {
		if (strcmp(settings[i].word, word) == 0)
			return parser->settings_at[i];
	}
	return "";
}
