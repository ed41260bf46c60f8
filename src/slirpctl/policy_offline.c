/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks, tests and compares files of policies, without a daemon. */
#include "slirpctl/policy_offline.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/fdio.h"
#include "base/log.h"
#include "model/policy/expect.h"
#include "model/policy/parse.h"
#include "model/policy/print.h"
#include "slirpctl/view/show.h"

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

	log_warning("warning: %s: %s", policy_where(&loaded->policy, rule, where), text);
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
			outcome = OUTCOME_REFUSED;
	}
	return outcome;
}

/* --- test ---------------------------------------------------------------------------- */

/* Reads "tcp 443 pypi.org" as the flow of an expect. Returns NULL with the fault logged. */
static const struct policy_expect *
parse_flow(struct loaded *loaded, const struct cmdline *cmdline)
{
	const char *const *args = cmdline->args + 1;
	bool has_port = cmdline->n_args > 3;
	char line[POLICY_LINE_MAX + 1];
	struct policy_text text = { .name = "", .text = line };
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
	log_error("policy test: %s", why + strspn(why, " "));
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

static void
show_verdict(const struct loaded *loaded, const struct policy_expect *flow,
    const struct policy_verdict *verdict, bool as_json)
{
	const struct policy *policy = &loaded->policy;
	bool is_audit = policy->settings.mode == IPC_POLICY_MODE_audit;
	const char *action = verdict->is_allowed ? "allow" : "deny";
	char where[POLICY_CAUSE_SIZE], shown[POLICY_FLOW_SIZE];
	autofree char *rule = NULL;

	if (verdict->reason == POLICY_BY_RULE)
		rule = rule_text(policy, verdict->rule);
	if (as_json) {
		json_auto_t *value =
		    json_pack("{s:s, s:s, s:b}", "verdict", action, "cause",
			policy_cause_format(policy, verdict, where), "audit", is_audit);

		if (rule != NULL)
			json_object_set_new(value, "rule", json_string(rule));
		show_json(stdout, value);
		return;
	}
	printf("%s: %s%s%s%s\n", policy_expect_format(flow, action, shown),
	    policy_cause_format(policy, verdict, where), rule != NULL ? ": " : "",
	    rule != NULL ? rule : "",
	    is_audit && !verdict->is_allowed ? " (audit: it passes)" : "");
}

enum outcome
policy_test(const struct cmdline *cmdline)
{
	autofree struct loaded *loaded = loaded_new();
	const struct policy_expect *flow;
	struct policy_verdict verdict;

	if (loaded == NULL)
		return OUTCOME_NO_REPLY;
	if (cmdline->n_policies == 0) {
		log_error("policy test: no policy; --policy names it");
		return OUTCOME_USAGE;
	}
	for (size_t i = 0; i < cmdline->n_policies; i++) {
		if (!load_value(loaded, (uint16_t)(IPC_POLICY_FROM_FILE + i),
			cmdline->policies[i]))
			return OUTCOME_USAGE;
	}
	if (!finish(loaded))
		return OUTCOME_USAGE;
	flow = parse_flow(loaded, cmdline);
	if (flow == NULL)
		return OUTCOME_USAGE;
	verdict = policy_expect_judge(&loaded->matcher, flow);
	show_verdict(loaded, flow, &verdict, cmdline->as_json);
	return verdict.is_allowed ? OUTCOME_OK : OUTCOME_REFUSED;
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

static enum outcome
read_lines(struct lines *lines, const char *path)
{
	autofree struct loaded *loaded = loaded_new();
	size_t size;
	FILE *out;
	char *rest;

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
	if (out == NULL || fclose(out) == EOF) {
		log_error("no memory for the text of a policy");
		return OUTCOME_NO_REPLY;
	}
	for (rest = lines->text; *rest != '\0';)
		lines->lines[lines->n++] = strsep(&rest, "\n");
	return OUTCOME_OK;
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
	enum outcome outcome = read_lines(&old, cmdline->args[1]);

	if (outcome == OUTCOME_OK)
		outcome = read_lines(&new, cmdline->args[2]);
	if (outcome != OUTCOME_OK)
		return outcome;
	return print_difference(&old, &new) ? OUTCOME_REFUSED : OUTCOME_OK;
}
