/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that the parent puts into directories of the caller's: its sockets and the
 * PID file. Each is made under another name and renamed, so that it is there only when it
 * is whole, and takes the place of an old one in one step. When the process exits, in
 * whatever way but by a signal, it is removed, if it is still the one that was made,
 * whatever the current directory and wherever its directory has been moved to.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

/* ".slirpd-2147483647-99" with its NUL. */
#define PLACED_TEMPORARY_SIZE 32

/* Names that are tried: one may be left of a process that was killed, in another PID
 * namespace. */
#define PLACED_N_TEMPORARY 100

enum placed_file {
	PLACED_API_SOCKET,
	PLACED_BESS_SOCKET,
	PLACED_PIDFILE,
	PLACED_N,
};

/* Opens the directory of path and sets *name to what path calls the file in it: a part of
 * path. Returns the descriptor, close-on-exec and the caller's, or -1 with errno set. */
int parent_placed_open_directory(const char *path, const char **name);

/* The name to be tried as number attempt, below PLACED_N_TEMPORARY. */
void parent_placed_temporary(char name[PLACED_TEMPORARY_SIZE], int attempt);

/*
 * Renames temporary, in the directory adopt_dir_fd, to name (kept: it lives as long as
 * the process), and has the exit remove it. What is there already must be of the same
 * type (S_IFSOCK, S_IFREG), and is replaced. The caller keeps the file open to the end,
 * so that no other gets its number. Returns 0, or -1 with errno set and *step telling
 * what was tried; then temporary has been removed. Once for each file.
 */
int parent_placed_rename(enum placed_file file, int adopt_dir_fd, const char *temporary,
    const char *name, mode_t type, const char **step);

/* Does now what the exit would do. */
void parent_placed_remove(enum placed_file file);
