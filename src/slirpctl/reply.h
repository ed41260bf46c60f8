/* SPDX-License-Identifier: BSD-2-Clause */
/* What the daemon says, understood as far as all replies are alike; slirpd-api(7). */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "slirpctl/outcome.h"

/* Takes one JSON object, and the white space after it, off the front of *bytes. Returns
 * a new reference; NULL, with a line logged that names the socket's path, where there is
 * none. *bytes and *len are changed on success only. */
json_t *reply_take(const char *path, const char **bytes, size_t *len);

/* The same where nothing may stand behind the object. */
json_t *reply_parse(const char *path, const char *bytes, size_t len);

/* On OUTCOME_OK *value, borrowed from reply, is an object. Else a line has been logged:
 * what the daemon says of the request `what`, or in what the reply is broken. slirp4netns
 * lists without a "return" around it, which is taken too. */
enum outcome reply_value(const json_t *reply, const char *path, const char *what,
    const json_t **value);

/* The array of objects that a list's value has below key, borrowed; NULL with a line
 * logged if it has none. */
const json_t *reply_entries(const json_t *value, const char *key, const char *path,
    const char *what);

/* An error that says that the thing named in the request is not there. slirp4netns has
 * no classes of errors, so it never says this. */
bool reply_is_not_found(const json_t *reply);
