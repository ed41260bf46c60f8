/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs the commands of slirpctl: sends a request and shows the reply. */
#include "slirpctl/commands.h"

#include <bsd/string.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "slirpctl/reply.h"
#include "slirpctl/request.h"
#include "slirpctl/show.h"
#include "slirpctl/transport.h"

#define autotransport __attribute__((cleanup(transport_close)))

/* The longest standard input. Daemons accept less than 4096 bytes; more can be sent to
 * test their refusal. */
#define RAW_MAX_BYTES ((size_t)1024 * 1024)

/* The command and its arguments, for errors, cut off to this size. */
#define WHAT_SIZE 128

#define REMOVE_ALL "all"

/* Sends a request and reads the whole reply, which transport owns. */
static bool
exchange(struct transport *transport, const struct cmdline *cmdline, const char *bytes,
    size_t len, const char **reply, size_t *reply_len)
{
	if (!transport_open(transport, cmdline->socket_path, cmdline->timeout_s) ||
	    !transport_send(transport, bytes, len))
		return false;
	transport_finish(transport);
	return transport_read_all(transport, reply, reply_len);
}

/* Returns the reply to a request, a new reference; NULL: the reason is logged. */
static json_t *
ask(const struct cmdline *cmdline, const json_t *request)
{
	autotransport struct transport transport = { .fd = -1 };
	autofree char *text = json_dumps(request, JSON_COMPACT);
	const char *bytes;
	size_t len;

	if (text == NULL) {
		log_error("no memory for a request");
		return NULL;
	}
	if (!exchange(&transport, cmdline, text, strlen(text), &bytes, &len))
		return NULL;
	return reply_parse(cmdline->socket_path, bytes, len);
}

/* The same, and the value in the reply. The value is valid as long as *reply, a new
 * reference. `what` names the request in errors. */
static enum outcome
ask_value(const struct cmdline *cmdline, const char *what, const json_t *request,
    json_t **reply, const json_t **value)
{
	*reply = ask(cmdline, request);
	if (*reply == NULL)
		return OUTCOME_NO_REPLY;
	return reply_value(*reply, cmdline->socket_path, what, value);
}

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

/* Sends a command without arguments, and shows its value or the list in it. */
static enum outcome
show_plain(const struct cmdline *cmdline, const char *verb,
    void (*show)(FILE *, const json_t *), const char *list_key)
{
	json_auto_t *request = request_plain(verb);
	json_auto_t *reply = NULL;
	const json_t *value;
	enum outcome outcome;

	if (request == NULL)
		return OUTCOME_NO_REPLY;
	outcome = ask_value(cmdline, cmdline->command->name, request, &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (cmdline->as_json) {
		show_json(stdout, value);
		return OUTCOME_OK;
	}
	if (list_key != NULL)
		value = reply_entries(value, list_key, cmdline->socket_path,
		    cmdline->command->name);
	if (value == NULL)
		return OUTCOME_NO_REPLY;
	show(stdout, value);
	return OUTCOME_OK;
}

static enum outcome
list(const struct cmdline *cmdline)
{
	return show_plain(cmdline, "list_hostfwd", show_forwards, "entries");
}

static enum outcome
stats(const struct cmdline *cmdline)
{
	return show_plain(cmdline, "query_stats", show_fields, NULL);
}

static enum outcome
status(const struct cmdline *cmdline)
{
	return show_plain(cmdline, "query_status", show_fields, NULL);
}

static enum outcome
connections(const struct cmdline *cmdline)
{
	return show_plain(cmdline, "query_connections", show_connections, "connections");
}

/* Sets *ids to the ids of all forwards, a new reference. */
static enum outcome
all_ids(const struct cmdline *cmdline, json_t **ids)
{
	json_auto_t *request = request_plain("list_hostfwd");
	json_auto_t *reply = NULL;
	const json_t *value, *entries, *entry;
	enum outcome outcome;
	size_t i;

	*ids = json_array();
	if (request == NULL || *ids == NULL)
		return OUTCOME_NO_REPLY;
	outcome = ask_value(cmdline, "list", request, &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	entries = reply_entries(value, "entries", cmdline->socket_path, "list");
	if (entries == NULL)
		return OUTCOME_NO_REPLY;
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
	reply = ask(cmdline, request);
	if (reply == NULL)
		return OUTCOME_NO_REPLY;
	if (may_be_gone && reply_is_not_found(reply))
		return OUTCOME_OK;
	return reply_value(reply, cmdline->socket_path, what, &value);
}

/* If one forward can't be removed, the others still are. */
static enum outcome
remove_rules(const struct cmdline *cmdline)
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

/* Returns the next line of a session; NULL: the reason is logged. */
static json_t *
read_message(struct transport *transport)
{
	const char *bytes;
	size_t len;

	if (!transport_read_line(transport, &bytes, &len))
		return NULL;
	return reply_parse(transport->path, bytes, len);
}

static void
show_message(const struct cmdline *cmdline, const json_t *event)
{
	if (cmdline->as_json)
		show_json(stdout, event);
	else
		show_event(stdout, event);
	/* Show each event when it comes, also in a pipe. */
	fflush(stdout);
}

/* Sends a request in a session. `what` names it in errors. Steals request. */
static enum outcome
ask_in_session(struct transport *transport, const struct cmdline *cmdline,
    const char *what, json_t *request)
{
	json_auto_t *owned = request;
	autofree char *text = json_dumps(owned, JSON_COMPACT);
	const json_t *value;

	if (text == NULL || !transport_send(transport, text, strlen(text)) ||
	    !transport_send(transport, "\n", 1))
		return OUTCOME_NO_REPLY;
	for (;;) {
		json_auto_t *message = read_message(transport);

		if (message == NULL)
			return OUTCOME_NO_REPLY;
		/* An event may come before the reply to the subscription. */
		if (json_object_get(message, "event") == NULL)
			return reply_value(message, transport->path, what, &value);
		show_message(cmdline, message);
	}
}

static enum outcome
events(const struct cmdline *cmdline)
{
	autotransport struct transport transport = { .fd = -1 };
	json_t *subscription = request_subscribe(cmdline->args, cmdline->n_args);
	char what[WHAT_SIZE] = "events";
	enum outcome outcome;

	if (subscription == NULL)
		return OUTCOME_USAGE;
	if (!transport_open(&transport, cmdline->socket_path, cmdline->timeout_s)) {
		json_decref(subscription);
		return OUTCOME_NO_REPLY;
	}
	outcome =
	    ask_in_session(&transport, cmdline, what, request_plain("qmp_capabilities"));
	if (outcome != OUTCOME_OK) {
		json_decref(subscription);
		return outcome;
	}
	for (size_t i = 0; i < cmdline->n_args; i++) {
		strlcat(what, " ", sizeof(what));
		strlcat(what, cmdline->args[i], sizeof(what));
	}
	outcome = ask_in_session(&transport, cmdline, what, subscription);
	if (outcome != OUTCOME_OK)
		return outcome;
	/* A script that has seen this line misses no event. */
	log_info("waiting for events");
	transport_wait_forever(&transport, STDOUT_FILENO);
	for (;;) {
		json_auto_t *message = read_message(&transport);

		if (message == NULL)
			return OUTCOME_NO_REPLY;
		show_message(cmdline, message);
		if (ferror(stdout))
			return OUTCOME_OK; /* main() has a line for that */
	}
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

/* Sends standard input without checking it. A session has several replies. */
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
	if (!exchange(&transport, cmdline, bytes, len, &bytes, &len))
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

const struct command commands_all[] = {
	{ "add", "PROTO HOST GUEST",
	    "forward a port, or several, of the host to the guest", 3, 3, add },
	{ "list", "", "the forwards", 0, 0, list },
	{ "remove", "ID...|all", "end forwards", 1, SIZE_MAX, remove_rules },
	{ "stats", "", "the daemon's counters", 0, 0, stats },
	{ "status", "", "its configuration and state", 0, 0, status },
	{ "connections", "", "the connections through it", 0, 0, connections },
	{ "events", "[NAME]...", "show events, all or these, until interrupted", 0,
	    SIZE_MAX, events },
	{ "raw", "[JSON]", "send a request as it is, from here or standard input", 0, 1,
	    raw },
	{ 0 },
};
