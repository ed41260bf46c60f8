/* SPDX-License-Identifier: BSD-2-Clause */
/* The actions of `slirpctl policy`: shows and changes the policy of a daemon. */
#include "slirpctl/policy.h"

#include <bsd/string.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/instances.h"
#include "slirpctl/policy_files.h"
#include "slirpctl/policy_suggest.h"
#include "slirpctl/reply.h"
#include "slirpctl/request.h"
#include "slirpctl/transport.h"
#include "slirpctl/view/cell.h"
#include "slirpctl/view/show.h"

/* slirpd-policy(5), LIMITS. */
#define LINE_MAX_BYTES 1023

/* slirpd-api(7), policy_remove_rule. */
#define ID_LEN 16

/* A request is shorter than 4096 bytes (slirpd-api(7)); this leaves room for what is around the
 * lines. The daemon refuses a line that takes more. */
#define LINES_MAX_BYTES 4000

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
	value_write("", counts, "by_default", " without a rule, ");
	value_write("", counts, "flows_limited", " over a limit\n");
	value_write("names ", counts, "names_denied", " denied, ");
	value_write("", counts, "names_limited", " over a limit, ");
	value_write("", counts, "addrs_cut", " addresses cut\n");
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

/* --- load ---------------------------------------------------------------------------- */

/* A session with the daemon; an event is never asked for. */
struct session {
	const struct cmdline *cmdline;
	struct transport transport;
	const char *what; /* in errors */
};

/* Sends a request. On OUTCOME_OK *value is as of reply_value(), valid as long as *reply, a new
 * reference. Takes the reference to the request. */
static enum outcome
session_ask(struct session *session, json_t *take_request, json_t **reply,
    const json_t **value)
{
	json_auto_t *request = take_request;
	autofree char *text = json_dumps(request, JSON_COMPACT);
	const char *bytes;
	size_t len;

	*reply = NULL;
	if (text == NULL) {
		log_error("no memory for a request");
		return OUTCOME_NO_REPLY;
	}
	if (!transport_send(&session->transport, text, strlen(text)) ||
	    !transport_send(&session->transport, "\n", 1) ||
	    !transport_read_line(&session->transport, &bytes, &len))
		return OUTCOME_NO_REPLY;
	*reply = reply_parse(session->transport.path, bytes, len);
	if (*reply == NULL)
		return OUTCOME_NO_REPLY;
	return reply_value(*reply, session->transport.path, session->what,
	    session->cmdline->is_verbose, value);
}

static enum outcome
session_do(struct session *session, json_t *take_request)
{
	json_auto_t *reply = NULL;
	const json_t *value;

	return session_ask(session, take_request, &reply, &value);
}

/* Sends lines, and empties the array. */
static enum outcome
send_lines(struct session *session, json_t *lines)
{
	enum outcome outcome = session_do(session,
	    json_pack("{s:s, s:{s:O}}", "execute", "policy_add", "arguments", "lines",
		lines));

	json_array_clear(lines);
	return outcome;
}

/* The length of a text in JSON, with quotes and a comma. */
static size_t
len_in_json(const json_t *line)
{
	return json_dumpb(line, NULL, 0, JSON_ENCODE_ANY) + 1;
}

/* Sends the file in requests that are short enough. */
static enum outcome
send_file(struct session *session, FILE *file, const char *path)
{
	json_auto_t *lines = json_array();
	autofree char *line = NULL;
	size_t size = 0, len_of_lines = 0;
	uint32_t number = 0;
	ssize_t len;

	while ((len = getline(&line, &size, file)) != -1) {
		json_t *text;
		enum outcome outcome;

		number++;
		if (len > 0 && line[len - 1] == '\n')
			len--;
		text = json_stringn(line, (size_t)len);
		if (text == NULL || (size_t)len > LINE_MAX_BYTES) {
			json_decref(text);
			log_error("%s:%u: %s", path, number,
			    text == NULL ? "not UTF-8"
					 : "a line is longer than 1023 bytes");
			return OUTCOME_USAGE;
		}
		if (len_of_lines + len_in_json(text) > LINES_MAX_BYTES) {
			outcome = send_lines(session, lines);
			if (outcome != OUTCOME_OK) {
				json_decref(text);
				return outcome;
			}
			len_of_lines = 0;
		}
		len_of_lines += len_in_json(text);
		if (json_array_append_new(lines, text) == -1) {
			log_error("no memory for a request");
			return OUTCOME_NO_REPLY;
		}
	}
	if (ferror(file)) {
		log_error("%s: %s", path, strerror(errno));
		return OUTCOME_USAGE;
	}
	return send_lines(session, lines);
}

static enum outcome
commit(struct session *session)
{
	const struct cmdline *cmdline = session->cmdline;
	json_auto_t *reply = NULL;
	const json_t *value, *remarks, *remark;
	enum outcome outcome = session_ask(session,
	    json_pack("{s:s, s:{s:b}}", "execute", "policy_commit", "arguments",
		"dry_run", (int)cmdline->is_dry_run),
	    &reply, &value);
	size_t i;

	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json) {
		show_json(stdout, value);
		return OUTCOME_OK;
	}
	remarks = json_object_get(value, "remarks");
	json_array_foreach(remarks, i, remark)
	{
		if (json_is_string(remark))
			log_warning("%s", json_string_value(remark));
	}
	return OUTCOME_OK;
}

static enum outcome
warn_of_audit(struct session *session)
{
	json_auto_t *reply = NULL;
	const json_t *value;
	enum outcome outcome =
	    session_ask(session, request_plain("query_policy"), &reply, &value);
	const char *mode = NULL;

	if (outcome == OUTCOME_OK)
		mode = json_string_value(json_object_get(value, "mode"));
	if (mode != NULL && strcmp(mode, "audit") == 0)
		log_warning("policy: mode audit: nothing is denied");
	return outcome;
}

static enum outcome
load_file(struct session *session, FILE *file, const char *path)
{
	const struct cmdline *cmdline = session->cmdline;
	const char *slash = strrchr(path, '/');
	enum outcome outcome;

	if (!transport_open(&session->transport, cmdline->socket_path, cmdline->timeout_s,
		cmdline->watch))
		return OUTCOME_NO_REPLY;
	outcome = session_do(session, request_plain("qmp_capabilities"));
	if (outcome == OUTCOME_OK)
		outcome = session_do(session,
		    json_pack("{s:s, s:{s:s}}", "execute", "policy_begin", "arguments",
			"name", slash != NULL ? slash + 1 : path));
	if (outcome == OUTCOME_OK)
		outcome = send_file(session, file, path);
	if (outcome == OUTCOME_OK)
		outcome = commit(session);
	if (outcome == OUTCOME_OK && !cmdline->is_dry_run)
		outcome = warn_of_audit(session);
	return outcome;
}

static enum outcome
load(const struct cmdline *cmdline)
{
	const char *path = cmdline->args[1];
	struct session session = {
		.cmdline = cmdline,
		.transport = { .fd = -1 },
		.what = "policy load",
	};
	FILE *file = fopen(path, "re");
	enum outcome outcome;

	if (file == NULL) {
		log_error("%s: %s", path, strerror(errno));
		return OUTCOME_USAGE;
	}
	outcome = load_file(&session, file, path);
	transport_close(&session.transport);
	fclose(file);
	return outcome;
}

/* --- one rule ------------------------------------------------------------------------ */

/* Sends a request with one argument, and shows a member of its value. */
static enum outcome
change_rule(const struct cmdline *cmdline, const char *what, const char *verb,
    const char *key, const char *text, const char *shown)
{
	json_auto_t *request =
	    json_pack("{s:s, s:{s:s}}", "execute", verb, "arguments", key, text);
	json_auto_t *reply = NULL;
	const json_t *value;
	enum outcome outcome;

	if (request == NULL) {
		log_error("%s: '%s' is not a text of UTF-8", what, text);
		return OUTCOME_USAGE;
	}
	outcome = ask_value(cmdline, what, request, &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json)
		show_json(stdout, value);
	else if (shown != NULL)
		value_write("", value, shown, "\n");
	return OUTCOME_OK;
}

/* The words of the rule may be one argument or several. */
static enum outcome
add(const struct cmdline *cmdline)
{
	char line[LINE_MAX_BYTES + 1] = "";
	enum outcome outcome;

	for (size_t i = 1; i < cmdline->n_args; i++) {
		if (strlen(line) + 1 + strlen(cmdline->args[i]) >= sizeof(line)) {
			log_error("policy add: the rule is too long");
			return OUTCOME_USAGE;
		}
		strlcat(line, i == 1 ? "" : " ", sizeof(line));
		strlcat(line, cmdline->args[i], sizeof(line));
	}
	outcome =
	    change_rule(cmdline, "policy add", "policy_add_rule", "line", line, "id");
	if (outcome == OUTCOME_OK)
		policy_warn_of_slips(line);
	return outcome;
}

static enum outcome
remove_rule(const struct cmdline *cmdline)
{
	const char *id = cmdline->args[1];

	if (strlen(id) != ID_LEN || strspn(id, "0123456789abcdef") != ID_LEN) {
		log_error("policy remove: '%s' is not an id of %d hexadecimal digits; "
			  "slirpctl policy show prints the ids",
		    id, ID_LEN);
		return OUTCOME_USAGE;
	}
	return change_rule(cmdline, "policy remove", "policy_remove_rule", "id", id,
	    NULL);
}

static const struct action {
	const char *name, *usage, *description;
	size_t n_args_min, n_args_max; /* with the name */
	unsigned int options;          /* CMDLINE_ bits */
	bool asks_daemon;
	enum outcome (*run)(const struct cmdline *cmdline);
} actions[] = {
	{ "show", "", "settings, counts, and the rules with their ids", 1, 1,
	    CMDLINE_JSON, true, show },
	{ "load", "FILE", "replace the policy", 2, 2, CMDLINE_JSON | CMDLINE_DRY_RUN,
	    true, load },
	{ "add", "RULE", "put a rule before all others, and print its id", 2, SIZE_MAX,
	    CMDLINE_JSON, true, add },
	{ "remove", "ID", "remove the rules with this id", 2, 2, CMDLINE_JSON, true,
	    remove_rule },
	{ "denied", "", "what was denied, or would be in mode audit", 1, 1, CMDLINE_JSON,
	    true, policy_denied },
	{ "suggest", "", "the policy, and rules for what no rule allows", 1, 1, 0, true,
	    policy_suggest },
	{ "check", "FILE...", "faults of files and remarks on them", 2, SIZE_MAX, 0,
	    false, policy_check },
	{ "test", "PROTO [PORT] HOST", "whether a flow is allowed, and by which rule", 3,
	    4, CMDLINE_JSON | CMDLINE_POLICY, false, policy_test },
	{ "diff", "[FILE] FILE", "rules that differ from those of the daemon or a file",
	    2, 3, 0, false, policy_diff },
};

/* Columns of an action with its arguments. */
#define HELP_COLUMNS 26

void
policy_help_write(FILE *out)
{
	fputs("Actions:\n", out);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		int len = fprintf(out, "  %s %s", actions[i].name, actions[i].usage);

		fprintf(out, "%*s%s\n", HELP_COLUMNS - len, "", actions[i].description);
	}
}

static const struct action *
find_action(const struct cmdline *cmdline)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(cmdline->args[0], actions[i].name) == 0 &&
		    cmdline->n_args >= actions[i].n_args_min &&
		    cmdline->n_args <= actions[i].n_args_max)
			return &actions[i];
	}
	return NULL;
}

enum outcome
policy_run(const struct cmdline *cmdline)
{
	const struct action *action = find_action(cmdline);
	struct cmdline found = *cmdline;
	const char *option;

	if (action == NULL) {
		log_error(
		    "policy: usage: slirpctl policy show|load FILE|add RULE|"
		    "remove ID|denied|suggest|check FILE...|test PROTO [PORT] HOST|diff [FILE] FILE");
		return OUTCOME_USAGE;
	}
	option = cmdline_option_find(cmdline, action->options);
	if (option != NULL) {
		log_error("policy %s does not take %s", action->name, option);
		return OUTCOME_USAGE;
	}
	if (action->asks_daemon && !instances_find_socket(&found, false))
		return OUTCOME_USAGE;
	return action->run(&found);
}
