/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of --log-file, and one with what was in it before: PATH and PATH.1. Both are
 * opened at the start. Under its filter the parent can neither open nor rename a file,
 * since no filter can tell which one; so when PATH is full its text is copied to PATH.1,
 * and PATH is cut to nothing. Readers that follow PATH by name or by descriptor see that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Of each of the two files: some ten thousand lines, which is months at the rate at which
 * a child may go on logging, and small enough to be copied at once. */
#define LOGFILE_SIZE_MAX ((off_t)1024 * 1024)

/* What the older of the two is called by, behind PATH. */
#define LOGFILE_OLDER_SUFFIX ".1"

/*
 * Opens both files, makes them with mode 0600 where they are missing, and goes on behind
 * what is there. Each has to be a regular file and no symbolic link, and nobody else's
 * log: PATH is locked (flock(2)) for as long as the process lives. Fatal, naming the file
 * and the step. To be called once.
 */
void parent_logfile_open(const char *path);

/* Whether there is one. */
bool parent_logfile_is_open(void);

/* Appends one line of len bytes, its newline included, with the time before it, in UTC.
 * Returns whether all of it was written. */
bool parent_logfile_write(const char *line, size_t len);
