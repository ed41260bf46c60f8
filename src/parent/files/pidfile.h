/* SPDX-License-Identifier: BSD-2-Clause */
/* The PID file of --pidfile. */
#pragma once

/* Checks that the directory of path is there and takes a file, before anything is
 * started. Fatal as parent_pidfile_write(). */
void parent_pidfile_check(const char *path);

/* Writes the PID of this process, in its own PID namespace, and a newline to path (valid
 * until the exit). Replaces an existing regular file. The exit removes the file: see
 * parent/files/placed.h. Fatal on failure, naming the path and the step. Call it once. */
void parent_pidfile_write(const char *path);
