/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parent logs: its own lines, its children's, counters. */
#pragma once

#include "base/log.h"
#include "ipc/messages.h"

/* Sends log lines to standard error, each as "NAME: text", where name (borrowed) is the
 * name that the program was called by. A reader that does not read costs lines, which
 * are counted and told of later; nobody waits for it. */
void report_init(const char *name);

/* Leaves out lines of a higher level from now on. Where parent_logfile_open was called,
 * lines go to the file; to standard error too those that something was not done. */
void report_set_level(enum log_level level);

/* Writes one line, if its level is wanted. */
void report_line(enum log_level level, const char *format, ...) LOG_PRINTF(2, 3);

/* Writes which stages of its jail a role has reached, and which of those that it means to
 * reach (intended, a set of 1 << enum ipc_stage) it has not. */
void report_confined(const char *role, uint32_t intended,
    const struct ipc_confined *confined);

/* Warns where the library of this version is known to have holes that nothing covers. */
void report_libslirp(const char *version);

/* Writes the worker's counters, its drops by reason where there are any, and the number
 * of forwards, whatever the level: somebody has asked. */
void report_stats(const struct ipc_stats *stats, uint32_t n_forwards);
