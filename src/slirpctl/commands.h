/* SPDX-License-Identifier: BSD-2-Clause */
/* What slirpctl can be told to do: one connection and one request each, but for `remove`,
 * which may need several, and `events`, which is a session. */
#pragma once

#include "slirpctl/cmdline.h"

/* Ends with a row without a name. Results go to standard output. */
extern const struct command commands_all[];
