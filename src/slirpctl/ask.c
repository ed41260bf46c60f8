/* SPDX-License-Identifier: BSD-2-Clause */
/* Sends a request and reads the reply. */
#include "slirpctl/ask.h"

#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "slirpctl/reply.h"
#include "slirpctl/request.h"

bool
ask_bytes(struct transport *transport, const struct cmdline *cmdline, const char *bytes,
    size_t len, const char **reply, size_t *reply_len)
{
	if (!transport_open(transport, cmdline->socket_path, cmdline->timeout_s,
		cmdline->watch) ||
	    !transport_send(transport, bytes, len))
		return false;
	transport_finish(transport);
	return transport_read_all(transport, reply, reply_len);
}

json_t *
ask_reply(const struct cmdline *cmdline, const json_t *request)
{
	autotransport struct transport transport = { .fd = -1 };
	autofree char *text = json_dumps(request, JSON_COMPACT);
	const char *bytes;
	size_t len;

	if (text == NULL) {
		log_error("no memory for a request");
		return NULL;
	}
	if (!ask_bytes(&transport, cmdline, text, strlen(text), &bytes, &len))
		return NULL;
	return reply_parse(cmdline->socket_path, bytes, len);
}

enum outcome
ask_value(const struct cmdline *cmdline, const char *what, const json_t *request,
    json_t **reply, const json_t **value)
{
	*reply = ask_reply(cmdline, request);
	if (*reply == NULL)
		return OUTCOME_NO_REPLY;
	return reply_value(*reply, cmdline->socket_path, what, cmdline->is_verbose,
	    value);
}

enum outcome
ask_plain(const struct cmdline *cmdline, const char *what, const char *verb,
    json_t **reply, const json_t **value)
{
	json_auto_t *request = request_plain(verb);

	*reply = NULL;
	if (request == NULL)
		return OUTCOME_NO_REPLY;
	return ask_value(cmdline, what, request, reply, value);
}

enum outcome
ask_list(const struct cmdline *cmdline, const char *what, const char *verb,
    const char *key, json_t **reply, const json_t **list)
{
	const json_t *value;
	enum outcome outcome = ask_plain(cmdline, what, verb, reply, &value);

	if (outcome != OUTCOME_OK)
		return outcome;
	*list = reply_entries(value, key, cmdline->socket_path, what);
	return *list != NULL ? OUTCOME_OK : OUTCOME_NO_REPLY;
}
