/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of --publish: a forward as users write it. */
#pragma once

#include <stdbool.h>

#include "ipc/messages.h"

/*
 * "[ADDR:]PORT[-PORT]:[GUEST:]PORT[-PORT][/tcp|/udp]", IPv6 addresses in brackets. Where
 * one address is missing, it is any of the family of the other: of the host's, or of the
 * guest's the one that the guest has; IPv4 where both are missing. A range of the guest's
 * is as long as the host's, and may be left to its first port.
 *
 * Returns true with *rule as ipc_validate_publish() wants it, or false with *why set to a
 * static text, and *rule as it was.
 */
bool publish_parse(const char *text, struct ipc_hostfwd *rule, const char **why);
