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
#define API_FORWARD_SIZE (2 * API_ENDPOINT_SIZE + 8)

struct ipc_forward api_forward_of(const struct api_args *args);

/* Writes an entry of list_hostfwd with its members in slirp4netns's order. key as in
 * out.h. */
void api_forward_write(struct api_out *out, const char *key,
    const struct ipc_forward_entry *entry);

/* Formats a forward for people: "tcp 0.0.0.0:8080-8090 -> 10.0.2.100:80-90". Returns
 * buf. */
const char *api_forward_str(const struct ipc_forward *forward,
    char buf[API_FORWARD_SIZE]);

/* "tcp", "udp" or "icmp". */
const char *api_protocol_str(uint8_t proto);
