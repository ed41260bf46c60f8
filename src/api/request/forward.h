/* SPDX-License-Identifier: BSD-2-Clause */
/* A forward in three forms: a request's arguments, a message, and JSON or text. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/request/out.h"
#include "api/request/verb.h"
#include "ipc/messages.h"

/* "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535-65535" with its NUL. */
#define API_ENDPOINT_SIZE 64
/* "tcp ENDPOINT -> ENDPOINT" */
#define API_RULE_SIZE (2 * API_ENDPOINT_SIZE + 8)

struct ipc_hostfwd api_rule_of(const struct api_args *args);

/* Writes an entry of list_hostfwd with its members in slirp4netns's order. key as in
 * out.h. */
void api_rule_write(struct api_out *out, const char *key,
    const struct ipc_hostfwd_entry *entry);

/* Formats a forward for people: "tcp 0.0.0.0:8080-8090 -> 10.0.2.100:80-90". Returns
 * buf. */
const char *api_rule_str(const struct ipc_hostfwd *rule, char buf[API_RULE_SIZE]);

/* "tcp", "udp" or "icmp". */
const char *api_protocol_str(uint8_t proto);
