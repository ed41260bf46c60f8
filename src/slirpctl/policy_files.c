/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks, tests and compares policies: of files without a daemon, or of a daemon. */
#include "slirpctl/policy_files.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/inaddr.h"
#include "base/log.h"
#include "base/text.h"
#include "model/policy/expect.h"
#include "model/policy/parse.h"
#include "model/policy/print.h"
#include "slirpctl/ask.h"
#include "slirpctl/instances.h"
#include "slirpctl/reply.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/show.h"

/* Bytes that are escaped at a time. */
#define PIECE_BYTES 64

/* One policy, of one text or several. */
struct loaded {
	struct policy policy;
	struct policy_parser parser;
	struct policy_matcher matcher;
	char bytes[POLICY_TEXT_MAX + 1]; /* of the present text */
	char names[IPC_POLICY_N_SOURCES][IPC_POLICY_SOURCE_SIZE];
};

static struct loaded *
loaded_new(void)
{
	struct loaded *loaded = calloc(1, sizeof(*loaded));

	if (loaded == NULL)
		log_error("no memory for a policy");
	else
		policy_init(&loaded->policy);
	return loaded;
}

static bool
parse(struct loaded *loaded, uint16_t source, const struct policy_text *text)
{
	if (policy_parse(&loaded->parser, &loaded->policy, text, source))
		return true;
	log_error("%s", loaded->parser.error);
	return false;
}

static bool
load_file(struct loaded *loaded, uint16_t source, const char *path)
{
	struct policy_text text = {
		.name = loaded->names[source],
		.text = loaded->bytes,
	};
	autofd int fd = -1;
	ssize_t len;

	policy_source_name(loaded->names[source], path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	/* One byte more than there may be: the parser finds a text too long. */
	len = fd == -1 ? -1 : fdio_read_all(fd, loaded->bytes, POLICY_TEXT_MAX + 1);
	if (len == -1) {
		log_error("%s: read it: %s", text.name, strerror(errno));
		return false;
	}
	text.len = (size_t)len;
	return parse(loaded, source, &text);
}

/* As slirpd: a word without a slash is a profile. */
static bool
load_value(struct loaded *loaded, uint16_t source, const char *value)
{
	struct policy_text text = { .text = policy_profile_find(value) };

	if (strchr(value, '/') != NULL)
		return load_file(loaded, source, value);
	policy_source_name(loaded->names[source], value);
	text.name = loaded->names[source];
	if (text.text == NULL) {
		log_error("--policy=%s: no profile of this name; a file is given with a "
			  "slash: ./%s",
		    text.name, text.name);
		return false;
	}
	text.len = strlen(text.text);
	return parse(loaded, source, &text);
}

/* All texts are read. */
static bool
finish(struct loaded *loaded)
{
	if (policy_finish(&loaded->parser, &loaded->matcher, false, true))
		return true;
	log_error("%s", loaded->parser.error);
	return false;
}

/* --- check --------------------------------------------------------------------------- */

static void
warn_of_rule(void *ctx, uint32_t rule, const char *text)
{
	const struct loaded *loaded = ctx;
	char where[POLICY_WHERE_SIZE];

	log_warning("%s: %s", policy_where(&loaded->policy, rule, where), text);
}

static void
warn_of_slip(void *ctx, uint32_t rule, const char *text)
{
	(void)ctx;
	(void)rule;
	log_warning("policy add: %s", text);
}

void
policy_warn_of_slips(const char *line)
{
	autofree struct loaded *loaded = loaded_new();
	struct policy_text text = { .name = "", .text = line, .len = strlen(line) };

	if (loaded != NULL &&
	    policy_parse_lines(&loaded->parser, &loaded->policy, &text,
		IPC_POLICY_FROM_API, 1))
		policy_lint_slips(&loaded->policy, warn_of_slip, NULL);
}

enum outcome
policy_check(const struct cmdline *cmdline)
{
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 1; i < cmdline->n_args; i++) {
		autofree struct loaded *loaded = loaded_new();

		if (loaded == NULL)
			return OUTCOME_NO_REPLY;
		if (load_file(loaded, IPC_POLICY_FROM_FILE, cmdline->args[i]) &&
		    finish(loaded))
			policy_lint(&loaded->policy, warn_of_rule, loaded);
		else
			outcome = OUTCOME_USAGE;
	}
	return outcome;
}

/* --- test ---------------------------------------------------------------------------- */

/* Reads "tcp 443 pypi.org" as the flow of an expect. Returns NULL with the fault logged. */
static struct policy_expect *
parse_flow(struct loaded *loaded, const struct cmdline *cmdline)
{
	const char *const *args = cmdline->args + 1;
	bool has_port = cmdline->n_args > 3;
	char line[POLICY_LINE_MAX + 1];
	struct policy_text text = { .name = "", .text = line };
	static const char expects[] = "expect needs ";
	const char *why = loaded->parser.error;
	int len = snprintf(line, sizeof(line), "expect allow %s%s%s to %s", args[0],
	    has_port ? " " : "", has_port ? args[1] : "", args[has_port ? 2 : 1]);

	/* Other lines than this one would be read as well. */
	if (len >= (int)sizeof(line) || strcspn(line, "\n#\\") < (size_t)len) {
		log_error("policy test: not PROTO [PORT] HOST");
		return NULL;
	}
	text.len = (size_t)len;
	/* Those of the files are checked. */
	loaded->parser.n_expects = 0;
	if (policy_parse_lines(&loaded->parser, &loaded->policy, &text,
		IPC_POLICY_FROM_API, 1))
		return &loaded->parser.expects[0];
	/* ":LINE:COLUMN: ": the place is in a line that nobody wrote. */
	for (int i = 0; i < 3 && strchr(why, ':') != NULL; i++)
		why = strchr(why, ':') + 1;
	why += strspn(why, " ");
	if (strncmp(why, expects, strlen(expects)) == 0)
		log_error("policy test needs %s", why + strlen(expects));
	else
		log_error("policy test: %s", why);
	return NULL;
}

static void
append(void *ctx, const char *text, size_t len)
{
	fwrite(text, 1, len, ctx);
}

/* Returns the text of a rule, or NULL. */
static char *
rule_text(const struct policy *policy, uint32_t rule)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	policy_print_one_line(policy, rule, append, out);
	fclose(out);
	return text;
}

/* The verdict of --policy, as the daemon describes its own. Returns a new reference. */
static json_t *
judge_by_files(const struct loaded *loaded, const struct policy_expect *flow)
{
	const struct policy *policy = &loaded->policy;
	struct policy_verdict verdict = policy_expect_judge(&loaded->matcher, flow);
	bool is_audit = policy->settings.mode == IPC_POLICY_MODE_audit;
	char cause[POLICY_CAUSE_SIZE];
	autofree char *rule = NULL;

	if (verdict.reason == POLICY_BY_RULE)
		rule = rule_text(policy, verdict.rule);
	return json_pack("{s:s, s:s, s:b, s:s*}", "verdict",
	    verdict.is_allowed ? "allow" : "deny", "cause",
	    policy_cause_format(policy, &verdict, cause), "audit", is_audit, "rule",
	    rule);
}

/* Sets *value as of ask_value(). */
static enum outcome
judge_by_daemon(const struct cmdline *cmdline, const struct policy_expect *flow,
    json_t **reply, const json_t **value)
{
	struct cmdline found = *cmdline;
	char addr[INET6_ADDRSTRLEN];
	json_auto_t *arguments = json_pack("{s:s, s:s}", "proto",
	    policy_proto_words[flow->proto], flow->is_name ? "name" : "addr",
	    flow->is_name ? flow->name : inaddr_format(&flow->addr, addr));
	json_auto_t *request =
	    json_pack("{s:s, s:O}", "execute", "policy_check", "arguments", arguments);

	if (flow->port != 0)
		json_object_set_new(arguments, "port", json_integer(flow->port));
	if (!instances_find_socket(&found, false))
		return OUTCOME_USAGE;
	return ask_value(&found, "policy test", request, reply, value);
}

/* Writes a text of the daemon, however long, as printable ASCII. */
static void
write_text(FILE *out, const json_t *text)
{
	const char *bytes = json_string_value(text);
	size_t len = json_string_length(text);
	char escaped[4 * PIECE_BYTES + 1];

	for (size_t at = 0; at < len; at += PIECE_BYTES) {
		text_escape(escaped, sizeof(escaped), bytes + at,
		    len - at < PIECE_BYTES ? len - at : PIECE_BYTES);
		fputs(escaped, out);
	}
}

/* Prints the member of each object, or each text. */
static void
write_list(const char *title, const json_t *list, const char *key)
{
	char cell[CELL_SIZE];
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		cell_format(cell, sizeof(cell),
		    key != NULL ? json_object_get(entry, key) : entry);
		printf("%s%s", i == 0 ? title : ", ", cell);
	}
	if (json_array_size(list) > 0)
		putchar('\n');
}

static bool
is_allowed(const json_t *value)
{
	const char *verdict = json_string_value(json_object_get(value, "verdict"));

	return verdict != NULL && strcmp(verdict, "allow") == 0;
}

/* A rule about an address can deny what the name allows. Judges the addresses that the name itself
 * has opened; those of a wildcard can be of another name. If one is denied, sets *flow and *value to
 * its own, and *reply to a new reference. */
static enum outcome
judge_addresses(const struct cmdline *cmdline, struct policy_expect *flow, json_t **reply,
    const json_t **value)
{
	const json_t *pins = json_object_get(*value, "pins"), *pin;
	size_t i;

	json_array_foreach(pins, i, pin)
	{
		const char *name = json_string_value(json_object_get(pin, "name"));
		const char *addr = json_string_value(json_object_get(pin, "addr"));
		struct policy_expect to_addr = *flow;
		json_auto_t *addr_reply = NULL;
		const json_t *addr_value;
		enum outcome outcome;

		to_addr.is_name = false;
		if (name == NULL || addr == NULL || strcmp(name, flow->name) != 0 ||
		    !inaddr_parse(addr, &to_addr.addr))
			continue;
		outcome = judge_by_daemon(cmdline, &to_addr, &addr_reply, &addr_value);
		if (outcome != OUTCOME_OK)
			return outcome;
		if (is_allowed(addr_value))
			continue;
		*flow = to_addr;
		json_object_set((json_t *)addr_value, "addr",
		    json_object_get(pin, "addr"));
		*value = addr_value;
		json_decref(*reply);
		*reply = json_incref(addr_reply);
		return OUTCOME_OK;
	}
	return OUTCOME_OK;
}

static void
show_verdict(const struct policy_expect *flow, const json_t *value)
{
	const json_t *rule = json_object_get(value, "rule");
	bool is_audit = json_is_true(json_object_get(value, "audit"));
	char shown[POLICY_FLOW_SIZE];

	printf("%s: ",
	    policy_expect_format(flow, is_allowed(value) ? "allow" : "deny", shown));
	write_text(stdout, json_object_get(value, "cause"));
	if (rule != NULL)
		printf(": ");
	write_text(stdout, rule);
	puts(is_audit && !is_allowed(value) ? " (audit: it passes)" : "");
	write_list("classes: ", json_object_get(value, "classes"), NULL);
	write_list(flow->is_name ? "addresses: " : "names: ",
	    json_object_get(value, "pins"), flow->is_name ? "addr" : "name");
}

enum outcome
policy_test(const struct cmdline *cmdline)
{
	autofree struct loaded *loaded = loaded_new();
	json_auto_t *reply = NULL, *made = NULL;
	struct policy_expect *flow;
	const json_t *value = NULL;
	enum outcome outcome = OUTCOME_OK;

	if (loaded == NULL)
		return OUTCOME_NO_REPLY;
	for (size_t i = 0; i < cmdline->n_policies; i++) {
		if (!load_value(loaded, (uint16_t)(IPC_POLICY_FROM_FILE + i),
			cmdline->policies[i]))
			return OUTCOME_USAGE;
	}
	if (cmdline->n_policies > 0 && !finish(loaded))
		return OUTCOME_USAGE;
	flow = parse_flow(loaded, cmdline);
	if (flow == NULL)
		return OUTCOME_USAGE;
	if (cmdline->n_policies > 0)
		value = made = judge_by_files(loaded, flow);
	else
		outcome = judge_by_daemon(cmdline, flow, &reply, &value);
	if (outcome == OUTCOME_OK && flow->is_name && is_allowed(value))
		outcome = judge_addresses(cmdline, flow, &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json)
		show_json(stdout, value);
	else
		show_verdict(flow, value);
	return is_allowed(value) ? OUTCOME_OK : OUTCOME_REFUSED;
}

/* --- diff ---------------------------------------------------------------------------- */

/* Each rule, and each setting. */
#define LINES_MAX (IPC_POLICY_RULES_MAX + 16)

/* The settings that differ from their defaults, and the rules. */
struct lines {
	size_t n;
	char *lines[LINES_MAX]; /* in text */
	char *text;
};

#define autolines __attribute__((cleanup(lines_free)))

static void
lines_free(struct lines *lines)
{
	free(lines->text);
}

/* All lines have been written to the stream of lines->text. */
static enum outcome
cut_lines(struct lines *lines, FILE *out)
{
	char *rest;

	if (out == NULL || fclose(out) == EOF) {
		log_error("no memory for the text of a policy");
		return OUTCOME_NO_REPLY;
	}
	for (rest = lines->text; *rest != '\0' && lines->n < LINES_MAX;)
		lines->lines[lines->n++] = strsep(&rest, "\n");
	return OUTCOME_OK;
}

static enum outcome
read_file(struct lines *lines, const char *path)
{
	autofree struct loaded *loaded = loaded_new();
	size_t size;
	FILE *out;

	if (loaded == NULL)
		return OUTCOME_NO_REPLY;
	if (!load_file(loaded, IPC_POLICY_FROM_FILE, path))
		return OUTCOME_USAGE;
	out = open_memstream(&lines->text, &size);
	if (out != NULL) {
		policy_print_settings(&loaded->policy, append, out);
		for (uint32_t i = 0; i < loaded->policy.n_rules; i++) {
			policy_print_one_line(&loaded->policy, i, append, out);
			putc('\n', out);
		}
	}
	return cut_lines(lines, out);
}

static enum outcome
ask_lines(struct lines *lines, const struct cmdline *cmdline)
{
	struct cmdline found = *cmdline;
	json_auto_t *reply = NULL;
	const json_t *value, *rules, *entry;
	enum outcome outcome;
	size_t size, i;
	FILE *out;

	if (!instances_find_socket(&found, false))
		return OUTCOME_USAGE;
	outcome = ask_plain(&found, "policy diff", "policy_get", &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	rules = reply_entries(value, "rules", found.socket_path, "policy diff");
	if (rules == NULL)
		return OUTCOME_NO_REPLY;
	out = open_memstream(&lines->text, &size);
	if (out != NULL) {
		json_array_foreach(json_object_get(value, "settings"), i, entry)
		{
			write_text(out, entry);
			putc('\n', out);
		}
		json_array_foreach(rules, i, entry)
		{
			write_text(out, json_object_get(entry, "line"));
			putc('\n', out);
		}
	}
	return cut_lines(lines, out);
}

/* Prints a shortest list of lines to take away and to add. The order of rules counts. Returns
 * whether there are any. */
static bool
print_difference(const struct lines *old, const struct lines *new)
{
	/* The length of the longest common sequence of the lines from old[i] and new[j] on. */
	static uint16_t common[LINES_MAX + 1][LINES_MAX + 1];
	size_t i, j;
	bool differs = false;

	for (i = old->n; i-- > 0;) {
		for (j = new->n; j-- > 0;) {
			if (strcmp(old->lines[i], new->lines[j]) == 0)
				common[i][j] = (uint16_t)(common[i + 1][j + 1] + 1);
			else
				common[i][j] = common[i + 1][j] > common[i][j + 1]
				    ? common[i + 1][j]
				    : common[i][j + 1];
		}
	}
	for (i = j = 0; i < old->n || j < new->n;) {
		if (i < old->n &&
		    j < new->n &&strcmp(old->lines[i], new->lines[j]) == 0) {
			i++;
			j++;
			continue;
		}
		differs = true;
		if (j == new->n || (i < old->n && common[i + 1][j] >= common[i][j + 1]))
			printf("-%s\n", old->lines[i++]);
		else
			printf("+%s\n", new->lines[j++]);
	}
	return differs;
}

enum outcome
policy_diff(const struct cmdline *cmdline)
{
	autolines struct lines old = { 0 }, new = { 0 };
	bool has_two = cmdline->n_args > 2;
	/* A fault of a file is found before the daemon is asked. */
	enum outcome outcome = read_file(&new, cmdline->args[has_two ? 2 : 1]);

	if (outcome == OUTCOME_OK)
		outcome = has_two ? read_file(&old, cmdline->args[1])
				  : ask_lines(&old, cmdline);
	if (outcome != OUTCOME_OK)
		return outcome;
	return print_difference(&old, &new) ? OUTCOME_REFUSED : OUTCOME_OK;
}
