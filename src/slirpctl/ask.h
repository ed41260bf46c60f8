/* SPDX-License-Identifier: BSD-2-Clause */
/* One request and its reply, on a connection of their own. If a function fails, it has
 * logged the reason. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "slirpctl/cmdline.h"
#include "slirpctl/outcome.h"
#include "slirpctl/transport.h"

#define autotransport __attribute__((cleanup(transport_close)))

/* Sends bytes and reads the whole reply, which transport owns. */
bool ask_bytes(struct transport *transport, const struct cmdline *cmdline,
    const char *bytes, size_t len, const char **reply, size_t *reply_len);

/* Returns the reply to a request, a new reference, or NULL. */
json_t *ask_reply(const struct cmdline *cmdline, const json_t *request);

/* Sets *value to the value in the reply. The value is valid as long as *reply, a new
 * reference or NULL. `what` names the request in errors. */
enum outcome ask_value(const struct cmdline *cmdline, const char *what,
    const json_t *request, json_t **reply, const json_t **value);

/* The same for a request without arguments. */
enum outcome ask_plain(const struct cmdline *cmdline, const char *what, const char *verb,
    json_t **reply, const json_t **value);

/* The same, and sets *list to the array of objects below key. */
enum outcome ask_list(const struct cmdline *cmdline, const char *what, const char *verb,
    const char *key, json_t **reply, const json_t **list);
