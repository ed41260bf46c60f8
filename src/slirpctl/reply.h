/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts that all replies of the daemon have; see slirpd-api(7). */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "slirpctl/outcome.h"

/* Takes one JSON object, and the white space after it, from the front of *bytes. Returns
 * a new reference. If there is no object, logs a line with the socket's path, returns
 * NULL, and leaves *bytes and *len unchanged. */
json_t *reply_take(const char *path, const char **bytes, size_t *len);

/* The same if nothing may follow the object. */
json_t *reply_parse(const char *path, const char *bytes, size_t len);

/* On OUTCOME_OK *value is an object, borrowed from reply. Otherwise logs the daemon's
 * error about the request `what`, or the fault of the reply. The error is its "detail"
 * alone if it has one; is_verbose: "desc" before it. Also accepts the lists of
 * slirp4netns, which have no "return". */
enum outcome reply_value(const json_t *reply, const char *path, const char *what,
    bool is_verbose, const json_t **value);

/* Returns the array of objects below key in a list's value, borrowed. If there is none,
 * logs a line and returns NULL. */
const json_t *reply_entries(const json_t *value, const char *key, const char *path,
    const char *what);

/* Whether the error says that the named thing does not exist. slirp4netns has no classes
 * of errors, so it never says this. */
bool reply_is_not_found(const json_t *reply);

/* The same if the daemon was started without what the request is about. */
bool reply_is_not_supported(const json_t *reply);
