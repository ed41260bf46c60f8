/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes requests in JSON, version 1 of the protocol, from arguments of the command line:
 * "execute" and "arguments" of slirpd-api(7). */
#pragma once

#include <jansson.h>
#include <stddef.h>

/* All return a new reference. If an argument is wrong, they log its fault and return
 * NULL. */

/* args: PROTO, HOST, GUEST. The daemon chooses an address that is not given. */
json_t *request_add(const char *const args[3]);

/* Returns an array of the forwards' ids, for request_remove(). */
json_t *request_ids(const char *const *args, size_t n_args);

json_t *request_remove(json_int_t id);

/* Subscribes a session to these events; no names: all events. */
json_t *request_subscribe(const char *const *names, size_t n_names);

/* A request without arguments. */
json_t *request_plain(const char *verb);
