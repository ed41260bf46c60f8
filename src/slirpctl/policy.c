/* SPDX-License-Identifier: BSD-2-Clause */
/* Shows the policy of a daemon. */
#include "slirpctl/policy.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/reply.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/show.h"

static void
value_write(const char *before, const json_t *object, const char *key, const char *after)
{
	char cell[CELL_SIZE];

	cell_format(cell, sizeof(cell), json_object_get(object, key));
	printf("%s%s%s", before, cell, after);
}

/* The counts, the settings, and a table of the rules. */
static void
show_text(const json_t *counts, const json_t *text, const json_t *rules)
{
	struct view view = view_of_stdout(false);
	const json_t *settings = json_object_get(text, "settings");
	const json_t *setting;
	char cell[CELL_SIZE];
	size_t i;

	value_write("policy generation ", counts, "generation", ", ");
	value_write("mode ", counts, "mode", ", ");
	value_write("default ", counts, "default",
	    json_is_true(json_object_get(counts, "locked")) ? ", locked\n" : "\n");
	value_write("flows ", counts, "allowed", " allowed, ");
	value_write("", counts, "denied", " denied, ");
	value_write("", counts, "by_default", " without a rule\n");
	value_write("pins ", counts, "pins", "\n");
	json_array_foreach(settings, i, setting)
	{
		cell_format(cell, sizeof(cell), setting);
		printf("%s\n", cell);
	}
	if (json_array_size(rules) > 0)
		show_policy(stdout, rules, &view);
}

static enum outcome
show(const struct cmdline *cmdline)
{
	json_auto_t *counts_reply = NULL, *text_reply = NULL, *both = NULL;
	const json_t *counts, *text, *rules;
	enum outcome outcome =
	    ask_plain(cmdline, "policy show", "query_policy", &counts_reply, &counts);

	if (outcome == OUTCOME_OK)
		outcome =
		    ask_plain(cmdline, "policy show", "policy_get", &text_reply, &text);
	if (outcome != OUTCOME_OK)
		return outcome;
	rules = reply_entries(text, "rules", cmdline->socket_path, "policy show");
	if (rules == NULL)
		return OUTCOME_NO_REPLY;
	if (cmdline->as_json) {
		both = json_pack("{s:O, s:O}", "policy", counts, "text", text);
		show_json(stdout, both);
	} else {
		show_text(counts, text, rules);
	}
	return OUTCOME_OK;
}

enum outcome
policy_run(const struct cmdline *cmdline)
{
	static const struct {
		const char *name;
		size_t n_args;
		enum outcome (*run)(const struct cmdline *cmdline);
	} actions[] = {
		{ "show", 1, show },
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(cmdline->args[0], actions[i].name) == 0 &&
		    cmdline->n_args == actions[i].n_args)
			return actions[i].run(cmdline);
	}
	log_error("policy: usage: slirpctl policy %s", cmdline->command->usage);
	return OUTCOME_USAGE;
}
