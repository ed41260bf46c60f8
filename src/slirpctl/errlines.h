/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of slirpctl on standard error. */
#pragma once

#include "base/log.h"

/* A log_emit_fn. Writes "slirpctl: TEXT", escaped: a terminal must not take it for
 * commands. */
void errlines_emit(enum log_level level, const char *text);
