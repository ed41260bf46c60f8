/* SPDX-License-Identifier: BSD-2-Clause */
/* The log file of --log-file, PATH, and the older one, PATH.1. Both are opened at the
 * start. The parent's filter cannot tell files apart, so it allows neither open nor
 * rename. When PATH is full, the parent copies its text to PATH.1 and truncates PATH.
 * Readers that follow PATH by name or by descriptor see that. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The most bytes of each file: some ten thousand lines. That is months of a child's log
 * lines, and small enough to be copied at once. */
#define LOGFILE_SIZE_MAX ((off_t)1024 * 1024)

/* The suffix of PATH in the name of the older file. */
#define LOGFILE_OLDER_SUFFIX ".1"

/* Opens both files to append, and makes missing ones with mode 0600. Each must be a
 * regular file and not a symbolic link. PATH is locked (flock(2)) until the exit, so no
 * other slirpd logs to it. Fatal on failure, naming the file and the step. Call it
 * once. */
void parent_logfile_open(const char *path);

/* Whether there is a log file. */
bool parent_logfile_is_open(void);

/* Appends the time in UTC and one line of len bytes, with its newline. Returns whether
 * all of it was written. */
bool parent_logfile_write(const char *line, size_t len);
