/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the host's name servers in the lines of resolv.conf. The guest's lookups go
 * there. Used by resolv.c alone. */
#pragma once

#include <stddef.h>

#include "ipc/messages.h"

/* Reads lines that begin with "nameserver" and space or tab, each with its newline. Takes the
 * first address of each family. */
void parent_nameservers_parse(const char *text, size_t text_len,
    struct ipc_nameservers *nameservers);
