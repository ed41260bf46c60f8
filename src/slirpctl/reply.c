/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses replies of the daemon and logs its errors. */
#include "slirpctl/reply.h"

#include <string.h>

#include "base/log.h"

/* RFC 8259, 2 */
static const char white_space[] = " \t\r\n";

/* All errors of slirp4netns begin with this, and so do slirpd's. */
static const char bad_request[] = "bad request: ";

json_t *
reply_take(const char *path, const char **bytes, size_t *len)
{
	json_error_t error;
	json_t *reply = json_loadb(*bytes, *len, JSON_DISABLE_EOF_CHECK, &error);

	if (reply == NULL || !json_is_object(reply)) {
		log_error("%s: the reply is not a JSON object: %.*s", path,
		    (int)strnlen(*bytes, *len), *bytes);
		json_decref(reply);
		return NULL;
	}
	*bytes += error.position;
	*len -= (size_t)error.position;
	while (
	    *len > 0 && memchr(white_space, **bytes, sizeof(white_space) - 1) != NULL) {
		(*bytes)++;
		(*len)--;
	}
	return reply;
}

json_t *
reply_parse(const char *path, const char *bytes, size_t len)
{
	json_auto_t *reply = reply_take(path, &bytes, &len);

	if (reply == NULL)
		return NULL;
	if (len > 0) {
		log_error("%s: text follows the reply: %.*s", path,
		    (int)strnlen(bytes, len), bytes);
		return NULL;
	}
	return json_incref(reply);
}

static void
log_refusal(const json_t *error, const char *what, bool is_verbose)
{
	const char *desc = json_string_value(json_object_get(error, "desc"));
	const char *detail = json_string_value(json_object_get(error, "detail"));

	if (desc == NULL)
		desc = "refused";
	if (is_verbose) {
		log_error("%s: %s%s%s", what, desc, detail != NULL ? ": " : "",
		    detail != NULL ? detail : "");
		return;
	}
	if (strncmp(desc, bad_request, strlen(bad_request)) == 0)
		desc += strlen(bad_request);
	log_error("%s: %s", what, detail != NULL ? detail : desc);
}

enum outcome
reply_value(const json_t *reply, const char *path, const char *what, bool is_verbose,
    const json_t **value)
{
	const json_t *error = json_object_get(reply, "error");

	if (error != NULL) {
		log_refusal(error, what, is_verbose);
		return OUTCOME_REFUSED;
	}
	*value = json_object_get(reply, "return");
	if (*value == NULL && json_object_get(reply, "entries") != NULL)
		*value = reply;
	if (json_is_object(*value))
		return OUTCOME_OK;
	log_error("%s: %s: the reply has neither result nor error", path, what);
	return OUTCOME_NO_REPLY;
}

const json_t *
reply_entries(const json_t *value, const char *key, const char *path, const char *what)
{
	const json_t *entries = json_object_get(value, key);
	size_t i;
	json_t *entry;

	if (!json_is_array(entries)) {
		log_error("%s: %s: the reply has no list '%s'", path, what, key);
		return NULL;
	}
	json_array_foreach(entries, i, entry)
	{
		if (!json_is_object(entry)) {
			log_error("%s: %s: an entry of the reply is not an object", path,
			    what);
			return NULL;
		}
	}
	return entries;
}

static bool
is_of_class(const json_t *reply, const char *wanted)
{
	const char *class =
	    json_string_value(json_object_get(json_object_get(reply, "error"), "class"));

	return class != NULL && strcmp(class, wanted) == 0;
}

bool
reply_is_not_found(const json_t *reply)
{
	return is_of_class(reply, "NotFound");
}

bool
reply_is_not_supported(const json_t *reply)
{
	return is_of_class(reply, "NotSupported");
}
