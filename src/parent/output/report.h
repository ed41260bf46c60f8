/* SPDX-License-Identifier: BSD-2-Clause */
/* The log lines of the parent and its children, and the counters. */
#pragma once

#include "base/log.h"
#include "ipc/messages.h"

/* Sends log lines to standard error, each as "NAME: text"; name (borrowed) is the name by
 * which the program was called. The parent does not wait for a slow reader. Lines that do
 * not fit are counted and reported later. */
void report_init(const char *name);

/* Leaves out lines of a higher level from now on. With an open log file lines go to the
 * file; errors also go to standard error. */
void report_set_level(enum log_level level);

/* Writes one line, if its level is wanted. */
void report_line(enum log_level level, const char *format, ...) LOG_PRINTF(2, 3);

/* Writes, at level debug, which stages of its jail a role has reached, and which stages of `intended` (a
 * set of 1 << enum ipc_stage) it has not. */
void report_confined(const char *role, uint32_t intended,
    const struct ipc_confined *confined);

/* Warns if this version of libslirp has vulnerabilities that no check covers. */
void report_libslirp(const char *version);

/* Writes the worker's counters, its drops by reason if there are any, and the number of
 * forwards, at any log level: a user has asked for them. */
void report_stats(const struct ipc_stats *stats, uint32_t n_forwards);
