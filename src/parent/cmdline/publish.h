/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of --publish, a forward. */
#pragma once

#include <stdbool.h>

#include "ipc/messages.h"

/*
 * "[ADDR:]PORT[-PORT]:[GUEST:]PORT[-PORT][/tcp|/udp]", with IPv6 addresses in brackets. A
 * missing address has the family of the other one, or IPv4 if both are missing. A missing
 * ADDR means any address of the host, a missing GUEST the guest's address. The range of
 * the guest has the length of the host's range; its end may be left out.
 *
 * Returns true with *forward as ipc_validate_publish() requires it, or false with *why set
 * to a static text and *forward unchanged.
 */
bool publish_parse(const char *text, struct ipc_forward *forward, const char **why);
