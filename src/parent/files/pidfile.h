/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of --pidfile, for those who end a daemon by its number. */
#pragma once

/*
 * Writes this process's number, as its own PID namespace counts, and a newline to path
 * (which lives as long as the process), replacing a regular file that is there. Removed
 * at the exit: see parent/files/placed.h. Fatal, naming the path and the step. To be called
 * once.
 */
void parent_pidfile_write(const char *path);
