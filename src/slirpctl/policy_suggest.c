/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a policy of what a daemon has denied.
 *
 * Theory of operation: the guest chooses names and addresses, and so the lines. A line is a rule
 * only if the parser of policies reads it as one rule for exactly this destination: a name such as
 * "any" is a word of the language. Rules that would open more than the internet and private
 * networks are comments with the reason, so that nobody loads them unseen.
 *
 * The first rule that fits decides. The lines follow the rules in force, so they can't override a
 * rule with deny, even if a name leads to an address that it denies and to others.
 */
#include "slirpctl/policy_suggest.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/dnsname.h"
#include "base/log.h"
#include "model/policy/parse.h"
#include "slirpctl/ask.h"
#include "slirpctl/reply.h"
#include "slirpctl/view/show.h"

/* "allow tcp 65535 to ", a name, and " private". */
#define RULE_SIZE (IPC_POLICY_NAME_SIZE + 64)

/* A line of a long rule is broken behind this column. */
#define COLUMN_MAX 80

/* Something that was denied, as the daemon says. Texts are borrowed, or "". */
struct denial {
	const char *proto, *addr, *name, *denied_by;
	json_int_t port, count;
	bool is_private;
	const char *bad_class; /* that only its own word should open; NULL: none */
};

struct line {
	char rule[RULE_SIZE];
	const char *why; /* the rule is a comment; NULL: it is a rule */
	const char *class;
	json_int_t count;
	bool is_name; /* the destination */
};

struct suggestion {
	/* Of the line that is being checked. */
	struct policy policy;
	struct policy_parser parser;
	size_t n;
	struct line lines[]; /* as many as there are entries */
};

enum outcome
policy_denied(const struct cmdline *cmdline)
{
	struct view view = view_of_stdout(false);
	json_auto_t *reply = NULL;
	const json_t *entries;
	enum outcome outcome = ask_list(cmdline, "policy denied", "query_denied",
	    "denied", &reply, &entries);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json)
		show_json(stdout, json_object_get(reply, "return"));
	else
		show_denied(stdout, entries, &view);
	return OUTCOME_OK;
}

static const char *
text_of(const json_t *entry, const char *key)
{
	const char *text = json_string_value(json_object_get(entry, key));

	return text != NULL ? text : "";
}

/* Only these may be opened by an address or a name. */
static bool
is_plain_class(const char *class)
{
	return strcmp(class, "any") == 0 || strcmp(class, "internet") == 0 ||
	    strcmp(class, "private") == 0;
}

static struct denial
denial_of(const json_t *entry)
{
	const json_t *classes = json_object_get(entry, "classes");
	struct denial denial = {
		.proto = text_of(entry, "proto"),
		.addr = text_of(entry, "addr"),
		.name = text_of(entry, "name"),
		.denied_by = text_of(entry, "denied_by"),
		.port = json_integer_value(json_object_get(entry, "port")),
		.count = json_integer_value(json_object_get(entry, "count")),
	};
	const json_t *class;
	size_t i;

	json_array_foreach(classes, i, class)
	{
		const char *word = json_string_value(class);
		int number = word != NULL
		    ? policy_word_find(policy_class_words, word, strlen(word))
		    : -1;

		if (number == -1)
			denial.bad_class = "of a kind that this slirpctl does not know";
		else if (!is_plain_class(word) &&
		    (denial.bad_class == NULL ||
			strcmp(denial.bad_class, "link-local") == 0))
			denial.bad_class = policy_class_words[number];
		else if (strcmp(word, "private") == 0)
			denial.is_private = true;
	}
	return denial;
}

/* Whether the parser reads the text as one rule for this one address or name. */
static bool
is_rule_for(struct suggestion *suggestion, const char *rule, const char *dest,
    bool is_name)
{
	struct policy *policy = &suggestion->policy;
	struct policy_text text = {
		.name = "suggest",
		.text = rule,
		.len = strlen(rule),
	};
	char addr[INET6_ADDRSTRLEN];

	policy_init(policy);
	/* A comment, or another line, would be read as well. */
	if (strpbrk(rule, "#\n\\") != NULL ||
	    !policy_parse_lines(&suggestion->parser, policy, &text, IPC_POLICY_FROM_API,
		1) ||
	    policy->n_rules != 1 || policy->rules[0].classes != 0 ||
	    policy->rules[0].action != IPC_POLICY_ACTION_allow)
		return false;
	if (is_name)
		return policy->n_prefixes == 0 && policy->n_names == 1 &&
		    !policy->names[0].is_wildcard &&
		    strcmp(policy->names[0].text, dest) == 0;
	return policy->n_names == 0 && policy->n_prefixes == 1 &&
	    policy->prefixes[0].len == inaddr_n_bits(&policy->prefixes[0].addr) &&
	    strcmp(inaddr_format(&policy->prefixes[0].addr, addr), dest) == 0;
}

static bool
is_known_proto(const struct denial *denial)
{
	int proto =
	    policy_word_find(policy_proto_words, denial->proto, strlen(denial->proto));

	if (proto == IPC_POLICY_PROTO_icmp)
		return denial->port == 0;
	return proto > IPC_POLICY_PROTO_any && denial->port > 0 &&
	    denial->port <= UINT16_MAX;
}

/* Writes the rule. Returns false if it is not one for exactly this destination. */
static bool
write_rule(struct suggestion *suggestion, const struct denial *denial, bool is_name,
    char rule[RULE_SIZE])
{
	const char *dest = is_name ? denial->name : denial->addr;
	char port[16] = "";
	int len;

	if (denial->port != 0)
		snprintf(port, sizeof(port), " %d", (int)denial->port);
	len = snprintf(rule, RULE_SIZE, "allow %s%s to %s%s", denial->proto, port, dest,
	    is_name && denial->is_private ? " private" : "");
	return dest[0] != '\0' && len < RULE_SIZE && is_known_proto(denial) &&
	    is_rule_for(suggestion, rule, dest, is_name);
}

/* The lines follow the rules in force: one that a rule denies would do nothing. */
static bool
is_denied_by_rule(const struct denial *denial)
{
	return strcmp(denial->denied_by, "deny") == 0 ||
	    strcmp(denial->denied_by, "forbid") == 0;
}

/* A flow. Returns false if it says nothing that can be written. */
static bool
line_of_flow(struct suggestion *suggestion, const struct denial *denial,
    struct line *line)
{
	bool is_dns = denial->port == DNS_PORT || denial->port == DNS_TLS_PORT;

	*line = (struct line){ .count = denial->count };
	line->is_name =
	    denial->bad_class == NULL && write_rule(suggestion, denial, true, line->rule);
	if (!line->is_name && !write_rule(suggestion, denial, false, line->rule))
		return false;
	if (denial->bad_class != NULL) {
		line->why = "class ";
		line->class = denial->bad_class;
	} else if (is_denied_by_rule(denial)) {
		line->why = "a rule denies it";
	} else if (is_dns) {
		line->why = "goes around the name server, and so around rules for names";
	}
	return true;
}

/* Whether it is the name of an address (RFC 1035, RFC 3596): nothing connects to it. */
static bool
is_reverse(const char *name)
{
	static const char *const suffixes[] = { ".in-addr.arpa", ".ip6.arpa" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t suffix_len = strlen(suffixes[i]);

		if (len > suffix_len && strcmp(name + len - suffix_len, suffixes[i]) == 0)
			return true;
	}
	return false;
}

/* A name without a flow. Returns false if it says nothing that can be written. */
static bool
line_of_name(struct suggestion *suggestion, const struct denial *denial,
    struct line *line)
{
	struct denial guess = *denial;

	guess.proto = "tcp";
	guess.port = 443;
	*line = (struct line){ .count = denial->count, .is_name = true };
	line->why = is_denied_by_rule(denial)
	    ? "a rule denies it"
	    : "was only asked for: protocol and port are a guess";
	return !is_reverse(denial->name) &&
	    write_rule(suggestion, &guess, true, line->rule);
}

/* Whether there are flows of the name: they say more. */
static bool
has_flow(const json_t *entries, const char *name)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		if (text_of(entry, "proto")[0] != '\0' &&
		    strcmp(text_of(entry, "name"), name) == 0)
			return true;
	}
	return false;
}

/* Rules before comments, names before addresses. */
static int
compare(const void *a, const void *b)
{
	const struct line *first = a, *second = b;

	if ((first->why == NULL) != (second->why == NULL))
		return first->why == NULL ? -1 : 1;
	if (first->is_name != second->is_name)
		return first->is_name ? -1 : 1;
	return strcmp(first->rule, second->rule);
}

static void
make_lines(struct suggestion *suggestion, const json_t *entries)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
	{
		struct denial denial = denial_of(entry);
		struct line *line = &suggestion->lines[suggestion->n];
		bool is_written = denial.proto[0] != '\0'
		    ? line_of_flow(suggestion, &denial, line)
		    : !has_flow(entries, denial.name) &&
			line_of_name(suggestion, &denial, line);

		suggestion->n += is_written;
	}
	qsort(suggestion->lines, suggestion->n, sizeof(suggestion->lines[0]), compare);
}

static void
print_line(FILE *out, const struct line *line)
{
	fprintf(out, "%s%s  # %" JSON_INTEGER_FORMAT "%s%s%s%s\n",
	    line->why != NULL ? "# " : "", line->rule, line->count,
	    line->count == 1 ? " time" : " times", line->why != NULL ? ": " : "",
	    line->why != NULL ? line->why : "", line->class != NULL ? line->class : "");
}

/* --- the rules in force -------------------------------------------------------------- */

/* A line of the policy in force, or NULL. Destinations go to lines of their own if there are many.
 * Returns false if the text is not one line. */
static bool
print_present(FILE *out, const char *text)
{
	size_t column = 0;

	if (text == NULL || text[0] == '\0')
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~')
			return false;
	}
	for (const char *c = text; *c != '\0'; c++) {
		putc(*c, out);
		column++;
		if (column > COLUMN_MAX && c[0] == ',' && c[1] == ' ') {
			fputs(" \\\n   ", out);
			column = 0;
		}
	}
	putc('\n', out);
	return true;
}

/* The mode is left out: the policy is to be enforced. */
static bool
print_settings(FILE *out, const json_t *settings)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(settings, i, entry)
	{
		const char *line = json_string_value(entry);

		if ((line == NULL || strncmp(line, "mode ", 5) != 0) &&
		    !print_present(out, line))
			return false;
	}
	return true;
}

static bool
print_rules(FILE *out, const json_t *rules)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(rules, i, entry)
	{
		if (!print_present(out, text_of(entry, "line")))
			return false;
	}
	return true;
}

static bool
print_policy(FILE *out, const json_t *policy, const struct suggestion *suggestion)
{
	const json_t *settings = json_object_get(policy, "settings");
	const json_t *rules = json_object_get(policy, "rules");

	fputs("policy 1\n", out);
	if (!json_is_array(settings) || !json_is_array(rules) ||
	    !print_settings(out, settings) || !print_rules(out, rules))
		return false;
	fputs(
	    "# What was denied, or would be in mode audit. Read it before you load it: the "
	    "guest\n# has chosen it, and a rule for a name opens all that its addresses "
	    "serve.\n",
	    out);
	for (size_t i = 0; i < suggestion->n; i++)
		print_line(out, &suggestion->lines[i]);
	return true;
}

/* A part of a policy could be loaded as well: prints all of it, or nothing. */
static enum outcome
print_whole_policy(const struct cmdline *cmdline, const json_t *policy,
    const struct suggestion *suggestion)
{
	autofree char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool is_whole = out != NULL && print_policy(out, policy, suggestion);

	if (out == NULL || fclose(out) != 0) {
		log_error("no memory for a policy");
		return OUTCOME_NO_REPLY;
	}
	if (!is_whole) {
		log_error("%s: policy suggest: the reply is not a policy",
		    cmdline->socket_path);
		return OUTCOME_NO_REPLY;
	}
	fwrite(text, 1, size, stdout);
	return OUTCOME_OK;
}

enum outcome
policy_suggest(const struct cmdline *cmdline)
{
	static const char what[] = "policy suggest";
	json_auto_t *denied_reply = NULL, *text_reply = NULL;
	const json_t *entries, *text;
	autofree struct suggestion *suggestion = NULL;
	enum outcome outcome =
	    ask_list(cmdline, what, "query_denied", "denied", &denied_reply, &entries);

	if (outcome == OUTCOME_OK)
		outcome = ask_plain(cmdline, what, "policy_get", &text_reply, &text);
	if (outcome != OUTCOME_OK)
		return outcome;
	suggestion = calloc(1,
	    sizeof(*suggestion) + json_array_size(entries) * sizeof(struct line));
	if (suggestion == NULL) {
		log_error("no memory for a policy");
		return OUTCOME_NO_REPLY;
	}
	make_lines(suggestion, entries);
	return print_whole_policy(cmdline, text, suggestion);
}
