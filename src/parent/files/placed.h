/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that the parent puts into directories of the caller: its sockets, the link to
 * one, and the PID file. A socket or a PID file is made under a temporary name and renamed.
 * So it appears only when it is complete, and replaces an old one in one step.
 *
 * The exit of the process, except by a signal, removes each file that is still the same
 * one. This works even if the current directory has changed or the directory has moved.
 */
#pragma once

#include <stddef.h>
#include <sys/stat.h>

/* ".slirpd-2147483647-99" with its NUL. */
#define PLACED_TEMPORARY_SIZE 32

/* Temporary names to try: a killed process in another PID namespace may have left one. */
#define PLACED_N_TEMPORARY 100

enum placed_file {
	PLACED_API_SOCKET,
	PLACED_API_LINK,
	PLACED_BESS_SOCKET,
	PLACED_PIDFILE,
	PLACED_N,
};

/* Opens the directory of path, and sets *name to the name of the file: a part of path.
 * Returns the descriptor (close-on-exec, owned by the caller), or -1 with errno set. */
int parent_placed_open_directory(const char *path, const char **name);

/* Writes the temporary name of this attempt, a number below PLACED_N_TEMPORARY. */
void parent_placed_temporary(char name[PLACED_TEMPORARY_SIZE], int attempt);

/* Has the exit remove a file of the directory dir_fd. Both are kept, and must be valid until
 * the exit. Returns 0, or -1 with errno set. Call it once for each file. */
int parent_placed_keep(enum placed_file file, int dir_fd, const char *name);

/*
 * Renames temporary, in the directory adopt_dir_fd, to name (kept, valid until the exit),
 * and has the exit remove it. An existing file is replaced and must have the same type
 * (S_IFSOCK or S_IFREG). The caller keeps the file open until the exit: no other file gets
 * the inode number in the meantime. Returns 0, or -1 with errno set and *step naming the
 * failed step; temporary is removed then. Call it once for each file.
 */
int parent_placed_rename(enum placed_file file, int adopt_dir_fd, const char *temporary,
    const char *name, mode_t type, const char **step);

/* Removes the file now, instead of at the exit. */
void parent_placed_remove(enum placed_file file);
