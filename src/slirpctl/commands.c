/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the commands of slirpctl: sends a request and shows the reply. */
#include "slirpctl/commands.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "slirpctl/ask.h"
#include "slirpctl/events.h"
#include "slirpctl/instances.h"
#include "slirpctl/policy.h"
#include "slirpctl/reply.h"
#include "slirpctl/request.h"
#include "slirpctl/top.h"
#include "slirpctl/transport.h"
#include "slirpctl/view/show.h"
#include "slirpctl/view/stats.h"
#include "slirpctl/view/status.h"

/* The longest standard input. Daemons accept less than 4096 bytes; more can be sent to
 * test their refusal. */
#define RAW_MAX_BYTES ((size_t)1024 * 1024)

/* The command and its arguments, for errors, cut off to this size. */
#define WHAT_SIZE 128

#define REMOVE_ALL "all"

/* ECMA-48: cursor to the upper left, clear from there. */
#define CLEAR "\033[H\033[J"

static enum outcome
add(const struct cmdline *cmdline)
{
	json_auto_t *request = request_add(cmdline->args);
	json_auto_t *reply = NULL;
	const json_t *value, *id;
	char what[WHAT_SIZE];
	enum outcome outcome;

	if (request == NULL)
		return OUTCOME_USAGE;
	snprintf(what, sizeof(what), "add %s %s %s", cmdline->args[0], cmdline->args[1],
	    cmdline->args[2]);
	outcome = ask_value(cmdline, what, request, &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	id = json_object_get(value, "id");
	if (!json_is_integer(id)) {
		log_error("%s: %s: the reply has no id", cmdline->socket_path, what);
		return OUTCOME_NO_REPLY;
	}
	if (cmdline->as_json)
		show_json(stdout, value);
	else
		printf("%" JSON_INTEGER_FORMAT "\n", json_integer_value(id));
	return OUTCOME_OK;
}

/* Sends a request without arguments, and shows the list in its value. */
static enum outcome
show_list(const struct cmdline *cmdline, const char *verb,
    void (*show)(FILE *, const json_t *, const struct view *), const char *list_key)
{
	struct view view = view_of_stdout(cmdline->shows_all);
	const char *name = cmdline->command->name;
	json_auto_t *reply = NULL;
	const json_t *value;
	enum outcome outcome = ask_plain(cmdline, name, verb, &reply, &value);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json) {
		show_json(stdout, value);
		return OUTCOME_OK;
	}
	value = reply_entries(value, list_key, cmdline->socket_path, name);
	if (value == NULL)
		return OUTCOME_NO_REPLY;
	show(stdout, value, &view);
	return OUTCOME_OK;
}

static enum outcome
list(const struct cmdline *cmdline)
{
	return show_list(cmdline, "list_hostfwd", show_forwards, "entries");
}

static enum outcome
pins(const struct cmdline *cmdline)
{
	return show_list(cmdline, "query_pins", show_pins, "pins");
}

static enum outcome
connections(const struct cmdline *cmdline)
{
	return show_list(cmdline, "query_connections", show_connections, "connections");
}

/* Waits between two results. Returns false if nobody reads standard output any more. */
static bool
wait_to_watch(uint32_t seconds)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	if (fflush(stdout) == EOF)
		return false;
	/* poll(2) reports the end of a pipe's reader without being asked. */
	return poll(&out, 1, (int)(seconds * CLOCK_MS_PER_S)) <= 0 ||
	    (out.revents & (POLLERR | POLLHUP)) == 0;
}

static enum outcome
stats(const struct cmdline *cmdline)
{
	const bool watches = cmdline->watch_s > 0;
	json_auto_t *previous_reply = NULL;
	struct stats_rates rates = { .previous = NULL };
	uint64_t previous_ms = 0;

	for (;;) {
		json_auto_t *reply = NULL;
		struct view view = view_of_stdout(cmdline->shows_all);
		uint64_t now_ms = clock_now_ms();
		const json_t *value;
		enum outcome outcome =
		    ask_plain(cmdline, "stats", "query_stats", &reply, &value);

		if (outcome != OUTCOME_OK)
			return outcome;
		if (cmdline->as_json) {
			show_json(stdout, value);
		} else {
			if (watches && view.is_terminal)
				fputs(CLEAR, stdout);
			else if (rates.previous != NULL)
				putchar('\n');
			rates.interval_ms = now_ms - previous_ms;
			stats_show(stdout, value, watches ? &rates : NULL, &view);
		}
		/* main() has a line for an output that nobody reads. */
		if (!watches || !wait_to_watch(cmdline->watch_s))
			return OUTCOME_OK;
		json_decref(previous_reply);
		previous_reply = json_incref(reply);
		rates.previous = value;
		previous_ms = now_ms;
	}
}

/* Sets *policy as status_show() wants it. */
static enum outcome
ask_policy(const struct cmdline *cmdline, json_t **reply, const json_t **policy)
{
	json_auto_t *request = request_plain("query_policy");

	*reply = ask_reply(cmdline, request);
	if (*reply == NULL)
		return OUTCOME_NO_REPLY;
	*policy = reply_is_not_supported(*reply) ? json_null()
						 : json_object_get(*reply, "return");
	return OUTCOME_OK;
}

static enum outcome
status(const struct cmdline *cmdline)
{
	struct view view = view_of_stdout(cmdline->shows_all);
	json_auto_t *reply = NULL, *version_reply = NULL, *list_reply = NULL;
	json_auto_t *policy_reply = NULL;
	const json_t *policy;
	const json_t *value, *version_value, *forwards;
	enum outcome outcome =
	    ask_plain(cmdline, "status", "query_status", &reply, &value);

	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json || cmdline->shows_all) {
		(cmdline->as_json ? show_json : show_fields)(stdout, value);
		return OUTCOME_OK;
	}
	outcome =
	    ask_plain(cmdline, "status", "query_version", &version_reply, &version_value);
	if (outcome == OUTCOME_OK)
		outcome = ask_list(cmdline, "status", "list_hostfwd", "entries",
		    &list_reply, &forwards);
	if (outcome == OUTCOME_OK)
		outcome = ask_policy(cmdline, &policy_reply, &policy);
	if (outcome == OUTCOME_OK)
		status_show(stdout, value, version_value, forwards, policy, time(NULL),
		    &view);
	return outcome;
}

/* The daemon's versions too, if a daemon is named or there is only one. */
static enum outcome
version(const struct cmdline *cmdline)
{
	json_auto_t *reply = NULL;
	const json_t *value;
	enum outcome outcome = OUTCOME_OK;

	printf("slirpctl version " SLIRPD_VERSION "\njansson: %s\n",
	    jansson_version_str());
	if (cmdline->socket_path == NULL)
		return OUTCOME_OK;
	outcome = ask_plain(cmdline, "version", "query_version", &reply, &value);
	if (outcome == OUTCOME_OK)
		show_fields(stdout, value);
	return outcome;
}

static enum outcome
help(const struct cmdline *cmdline)
{
	const struct command *command;

	if (cmdline->n_args == 0) {
		cmdline_help_write(stdout, commands_all);
		return OUTCOME_OK;
	}
	command = cmdline_command_find(commands_all, cmdline->args[0]);
	if (command == NULL) {
		log_error("there is no command '%s'; slirpctl help lists them",
		    cmdline->args[0]);
		return OUTCOME_USAGE;
	}
	cmdline_command_help_write(stdout, command);
	if (command->run == policy_run)
		policy_help_write(stdout);
	return OUTCOME_OK;
}

/* Sets *ids to the ids of all forwards, a new reference. */
static enum outcome
all_ids(const struct cmdline *cmdline, json_t **ids)
{
	json_auto_t *reply = NULL;
	const json_t *entries, *entry;
	enum outcome outcome;
	size_t i;

	*ids = json_array();
	outcome = ask_list(cmdline, "list", "list_hostfwd", "entries", &reply, &entries);
	if (outcome != OUTCOME_OK)
		return outcome;
	json_array_foreach(entries, i, entry)
	{
		json_t *id = json_object_get(entry, "id");

		if (!json_is_integer(id) || json_array_append(*ids, id) == -1) {
			log_error("%s: list: an entry of the reply has no id",
			    cmdline->socket_path);
			return OUTCOME_NO_REPLY;
		}
	}
	return OUTCOME_OK;
}

static enum outcome
remove_one(const struct cmdline *cmdline, json_int_t id, bool may_be_gone)
{
	json_auto_t *request = request_remove(id);
	json_auto_t *reply = NULL;
	const json_t *value;
	char what[WHAT_SIZE];

	if (request == NULL)
		return OUTCOME_NO_REPLY;
	snprintf(what, sizeof(what), "remove %" JSON_INTEGER_FORMAT, id);
	reply = ask_reply(cmdline, request);
	if (reply == NULL)
		return OUTCOME_NO_REPLY;
	if (may_be_gone && reply_is_not_found(reply))
		return OUTCOME_OK;
	return reply_value(reply, cmdline->socket_path, what, cmdline->is_verbose,
	    &value);
}

/* If one forward can't be removed, the others still are. */
static enum outcome
remove_forwards(const struct cmdline *cmdline)
{
	bool is_all = cmdline->n_args == 1 && strcmp(cmdline->args[0], REMOVE_ALL) == 0;
	json_auto_t *removed = json_array();
	json_auto_t *shown = json_pack("{s:O}", "removed", removed);
	json_auto_t *ids = NULL;
	enum outcome worst = OUTCOME_OK;
	json_t *id;
	size_t i;

	if (is_all) {
		worst = all_ids(cmdline, &ids);
		if (worst != OUTCOME_OK)
			return worst;
	} else {
		ids = request_ids(cmdline->args, cmdline->n_args);
		if (ids == NULL)
			return OUTCOME_USAGE;
	}
	json_array_foreach(ids, i, id)
	{
		enum outcome outcome =
		    remove_one(cmdline, json_integer_value(id), is_all);

		if (outcome == OUTCOME_OK)
			json_array_append(removed, id);
		else
			worst = outcome;
		if (outcome == OUTCOME_NO_REPLY)
			break;
	}
	if (cmdline->as_json)
		show_json(stdout, shown);
	return worst;
}

/* Reads all of standard input. The caller frees *bytes. */
static bool
read_input(char **bytes, size_t *len)
{
	*len = 0;
	*bytes = malloc(RAW_MAX_BYTES + 1);
	if (*bytes == NULL) {
		log_error("no memory for a request");
		return false;
	}
	*len = fread(*bytes, 1, RAW_MAX_BYTES + 1, stdin);
	if (ferror(stdin)) {
		log_error("raw: standard input: %s", strerror(errno));
		return false;
	}
	if (*len > RAW_MAX_BYTES) {
		log_error("raw: standard input has more than %zu bytes", RAW_MAX_BYTES);
		return false;
	}
	return true;
}

/* Sends the argument or standard input without checking it. A session has several replies. */
static enum outcome
raw(const struct cmdline *cmdline)
{
	autotransport struct transport transport = { .fd = -1 };
	autofree char *input = NULL;
	const char *bytes = cmdline->args[0];
	enum outcome outcome = OUTCOME_OK;
	size_t len;

	if (bytes != NULL) {
		len = strlen(bytes);
	} else {
		if (!read_input(&input, &len))
			return OUTCOME_USAGE;
		bytes = input;
	}
	if (!ask_bytes(&transport, cmdline, bytes, len, &bytes, &len))
		return OUTCOME_NO_REPLY;
	while (len > 0) {
		json_auto_t *reply = reply_take(cmdline->socket_path, &bytes, &len);

		if (reply == NULL)
			return OUTCOME_NO_REPLY;
		show_json(stdout, reply);
		if (json_object_get(reply, "error") != NULL)
			outcome = OUTCOME_REFUSED;
	}
	return outcome;
}

#define NEEDED COMMAND_SOCKET_NEEDED
#define OPTIONAL COMMAND_SOCKET_OPTIONAL
#define UNUSED COMMAND_SOCKET_UNUSED

const struct command commands_all[] = {
	{ "add", NULL, "PROTO HOST GUEST",
	    "forward a port, or several, of the host to the guest", 3, 3, CMDLINE_JSON,
	    NEEDED, add },
	{ "list", "ls", "", "the forwards", 0, 0, CMDLINE_JSON, NEEDED, list },
	{ "remove", "rm", "ID...|all", "end forwards", 1, SIZE_MAX, CMDLINE_JSON, NEEDED,
	    remove_forwards },
	{ "status", NULL, "", "the daemon's configuration and state", 0, 0,
	    CMDLINE_JSON | CMDLINE_ALL, NEEDED, status },
	{ "stats", NULL, "", "its counters that are not 0", 0, 0,
	    CMDLINE_JSON | CMDLINE_ALL | CMDLINE_WATCH, NEEDED, stats },
	{ "connections", NULL, "", "the connections through it", 0, 0, CMDLINE_JSON,
	    NEEDED, connections },
	{ "policy", NULL, "ACTION [ARG]...", "show or change what the guest may reach", 1,
	    SIZE_MAX, CMDLINE_JSON | CMDLINE_DRY_RUN | CMDLINE_POLICY, UNUSED,
	    policy_run },
	{ "pins", NULL, "", "addresses of names that the policy opens", 0, 0,
	    CMDLINE_JSON, NEEDED, pins },
	{ "top", NULL, "", "rates and connections on a terminal, until q", 0, 0,
	    CMDLINE_WATCH, NEEDED, top_run },
	{ "events", NULL, "[NAME]...", "show events, all or these, until interrupted", 0,
	    SIZE_MAX, CMDLINE_JSON, NEEDED, events_follow },
	{ "ps", NULL, "", "the running slirpds of this user", 0, 0,
	    CMDLINE_JSON | CMDLINE_ALL, UNUSED, instances_show },
	{ "raw", NULL, "[JSON]", "send a request as it is, from here or standard input",
	    0, 1, CMDLINE_JSON, NEEDED, raw },
	{ "version", NULL, "", "the versions of slirpctl and of the daemon", 0, 0, 0,
	    OPTIONAL, version },
	{ "help", NULL, "[COMMAND]", "all commands, or the usage of one", 0, 1, 0, UNUSED,
	    help },
	{ 0 },
};
