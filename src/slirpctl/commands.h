/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands of slirpctl. Each has one connection and one request. `remove` may need
 * several, and `events` is a session. */
#pragma once

#include "slirpctl/cmdline.h"

/* Ends with a row without a name. Commands write their results to standard output. */
extern const struct command commands_all[];
