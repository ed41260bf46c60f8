/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests as JSON, from arguments of the command line, in version 1 of the protocol:
 * COMMAND's "execute" and "arguments", slirpd-api(7).
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* All return a new reference, or NULL with a line logged that names the argument and
 * what is wrong with it. */

/* args: PROTO, HOST, GUEST. An address that is not given is left to the daemon. */
json_t *request_add(const char *const args[3]);

/* An array of the rules' numbers; the requests are request_remove()'s. */
json_t *request_ids(const char *const *args, size_t n_args);

json_t *request_remove(json_int_t id);

/* A session's subscription; without names it is to all events. */
json_t *request_subscribe(const char *const *names, size_t n_names);

/* A request without arguments. */
json_t *request_plain(const char *verb);
