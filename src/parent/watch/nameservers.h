/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the host's name servers, and the options for them, in the lines of resolv.conf. The
 * guest's lookups go there. Used by resolv.c alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "ipc/messages.h"

/* resolv.conf(5): a line begins with the keyword, and space or tab follows. Whether the line of
 * len bytes has a keyword of those that are read here: "nameserver" or "options". */
bool parent_nameservers_wants(const char *line, size_t len);

/* Reads lines that parent_nameservers_wants(), each with its newline. Takes the first addresses,
 * and of several values of an option the last one. */
void parent_nameservers_parse(const char *text, size_t text_len,
    struct ipc_nameservers *nameservers);
