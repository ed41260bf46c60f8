/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows the events of a daemon. */
#include "slirpctl/events.h"

#include <bsd/string.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/deadline.h"
#include "base/log.h"
#include "slirpctl/ask.h"
#include "slirpctl/reply.h"
#include "slirpctl/request.h"
#include "slirpctl/transport.h"
#include "slirpctl/view/show.h"

/* The command and its arguments, for errors, cut off to this size. */
#define WHAT_SIZE 128

/* The names of all events, for an error. */
#define NAMES_SIZE 512

/* The event before an orderly end of slirpd. */
#define EVENT_SHUTDOWN "SHUTDOWN"

/* From the begin of a session to the begin of the next. An api that ends at each session
 * must not keep both processes busy. */
#define SESSION_INTERVAL_MS 1000

struct follower {
	const struct cmdline *cmdline;
	const json_t *subscription; /* borrowed */
	bool has_begun;             /* a session was subscribed to */
	bool saw_shutdown;
	bool is_ended; /* the daemon has closed the session */
};

/* Returns the next line of a session, or NULL. Only an end of the session is not
 * logged. */
static json_t *
read_message(struct follower *follower, struct transport *transport)
{
	const char *bytes;
	size_t len;

	if (transport_read_line(transport, &bytes, &len))
		return reply_parse(transport->path, bytes, len);
	follower->is_ended = transport->is_ended;
	return NULL;
}

static void
show_message(struct follower *follower, const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "event"));

	if (name != NULL && strcmp(name, EVENT_SHUTDOWN) == 0)
		follower->saw_shutdown = true;
	if (follower->cmdline->as_json)
		show_json(stdout, event);
	else
		show_event(stdout, event);
	/* Show each event when it comes, also in a pipe. */
	fflush(stdout);
}

/* Sends a request in a session. `what` names it in errors. */
static enum outcome
ask_in_session(struct follower *follower, struct transport *transport, const char *what,
    const json_t *request)
{
	autofree char *text = json_dumps(request, JSON_COMPACT);
	const json_t *value;

	if (text == NULL || !transport_send(transport, text, strlen(text)) ||
	    !transport_send(transport, "\n", 1))
		return OUTCOME_NO_REPLY;
	for (;;) {
		json_auto_t *message = read_message(follower, transport);

		if (message == NULL)
			return OUTCOME_NO_REPLY;
		/* An event may come before the reply to the subscription. */
		if (json_object_get(message, "event") == NULL)
			return reply_value(message, transport->path, what,
			    follower->cmdline->is_verbose, &value);
		show_message(follower, message);
	}
}

static enum outcome
subscribe(struct follower *follower, struct transport *transport)
{
	const struct cmdline *cmdline = follower->cmdline;
	json_auto_t *begin = request_plain("qmp_capabilities");
	char what[WHAT_SIZE] = "events";
	enum outcome outcome;

	if (begin == NULL)
		return OUTCOME_NO_REPLY;
	outcome = ask_in_session(follower, transport, what, begin);
	if (outcome != OUTCOME_OK)
		return outcome;
	for (size_t i = 0; i < cmdline->n_args; i++) {
		strlcat(what, " ", sizeof(what));
		strlcat(what, cmdline->args[i], sizeof(what));
	}
	return ask_in_session(follower, transport, what, follower->subscription);
}

/* Shows the events of one session up to its end. */
static enum outcome
follow_session(struct follower *follower)
{
	const struct cmdline *cmdline = follower->cmdline;
	autotransport struct transport transport = { .fd = -1 };
	enum outcome outcome;

	follower->is_ended = false;
	if (!transport_open(&transport, cmdline->socket_path, cmdline->timeout_s,
		cmdline->watch))
		return OUTCOME_NO_REPLY;
	outcome = subscribe(follower, &transport);
	if (outcome != OUTCOME_OK)
		return outcome;
	/* A script that has seen the first of these lines misses no event. */
	log_info(follower->has_begun ? "waiting for events again; some may be missing"
				     : "waiting for events");
	follower->has_begun = true;
	transport_wait_forever(&transport);
	for (;;) {
		json_auto_t *message = read_message(follower, &transport);

		if (message == NULL)
			return OUTCOME_NO_REPLY;
		show_message(follower, message);
		if (ferror(stdout))
			return OUTCOME_OK; /* main() has a line for that */
	}
}

/* Begins a session again after each end, until the daemon itself has ended. */
static enum outcome
follow(struct follower *follower)
{
	const char *path = follower->cmdline->socket_path;

	for (;;) {
		uint64_t began_ms = clock_now_ms();
		enum outcome outcome = follow_session(follower);

		if (outcome != OUTCOME_NO_REPLY || !follower->is_ended)
			return outcome;
		if (follower->saw_shutdown)
			return OUTCOME_OK;
		log_info("%s: the daemon ended the session", path);
		if (!follower->has_begun)
			return OUTCOME_NO_REPLY;
		(void)poll(NULL, 0,
		    deadline_timeout(began_ms + SESSION_INTERVAL_MS, clock_now_ms()));
	}
}

static bool
has_event(const json_t *events, const char *name)
{
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		const char *known = json_string_value(json_object_get(event, "name"));

		if (known != NULL && strcmp(known, name) == 0)
			return true;
	}
	return false;
}

static void
log_unknown_event(const char *name, const json_t *events)
{
	char names[NAMES_SIZE] = "";
	const json_t *event;
	size_t i;

	json_array_foreach(events, i, event)
	{
		const char *known = json_string_value(json_object_get(event, "name"));

		strlcat(names, i == 0 ? "" : ", ", sizeof(names));
		strlcat(names, known != NULL ? known : "-", sizeof(names));
	}
	log_error("events: there is no event '%s'; there are %s", name, names);
}

/* The daemon's own refusal of a name does not list the names. */
static enum outcome
check_names(const struct cmdline *cmdline)
{
	json_auto_t *reply = NULL;
	const json_t *value, *events;
	enum outcome outcome;

	if (cmdline->n_args == 0)
		return OUTCOME_OK;
	outcome = ask_plain(cmdline, "events", "query_commands", &reply, &value);
	if (outcome != OUTCOME_OK)
		return outcome;
	events = json_object_get(value, "events");
	for (size_t i = 0; json_is_array(events) && i < cmdline->n_args; i++) {
		if (has_event(events, cmdline->args[i]))
			continue;
		log_unknown_event(cmdline->args[i], events);
		return OUTCOME_REFUSED;
	}
	return OUTCOME_OK;
}

/* Ends if nobody reads standard output any more. */
static bool
output_go_on(void *ctx, bool has_ended)
{
	(void)ctx;
	if (!has_ended)
		return true;
	/* The next write to standard output would end with this signal. */
	raise(SIGPIPE);
	log_error("standard output: nobody reads it");
	return false;
}

enum outcome
events_follow(const struct cmdline *cmdline)
{
	static const struct transport_watch output = {
		.fd = STDOUT_FILENO,
		.go_on = output_go_on,
	};
	struct cmdline watched = *cmdline;
	json_auto_t *subscription = request_subscribe(cmdline->args, cmdline->n_args);
	struct follower follower = { .cmdline = &watched, .subscription = subscription };
	enum outcome outcome;

	if (subscription == NULL)
		return OUTCOME_USAGE;
	watched.watch = &output;
	outcome = check_names(&watched);
	return outcome == OUTCOME_OK ? follow(&follower) : outcome;
}
