/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes the PID file. */
#include "parent/files/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "parent/files/placed.h"

/* "2147483647", a newline, the NUL. */
#define TEXT_SIZE 12

/* Makes a file with a free name, and writes the name to `name`. Everybody may read the
 * file. */
static int
make_file(int dir_fd, char name[PLACED_TEMPORARY_SIZE])
{
	for (int i = 0; i < PLACED_N_TEMPORARY; i++) {
		int fd;

		parent_placed_temporary(name, i);
		fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
		if (fd != -1 || errno != EEXIST)
			return fd;
	}
	return -1;
}

void
parent_pidfile_check(const char *path)
{
	const char *name;
	autofd int dir_fd = parent_placed_open_directory(path, &name);

	if (dir_fd == -1)
		fatal_path("PID file", path, "open its directory");
	if (faccessat(dir_fd, ".", W_OK | X_OK, AT_EACCESS) == -1)
		fatal_path("PID file", path, "make a file in its directory");
}

void
parent_pidfile_write(const char *path)
{
	char temporary[PLACED_TEMPORARY_SIZE];
	char text[TEXT_SIZE];
	const char *step = "write it";
	const char *name;
	int dir_fd, fd, len;
	ssize_t n;

	dir_fd = parent_placed_open_directory(path, &name);
	if (dir_fd == -1)
		fatal_path("PID file", path, "open its directory");
	fd = make_file(dir_fd, temporary);
	if (fd == -1)
		fatal_path("PID file", path, "make a file in its directory");
	len = snprintf(text, sizeof(text), "%d\n", getpid());
	n = write(fd, text, (size_t)len);
	if (n != len) {
		int error = n == -1 ? errno : ENOSPC;

		unlinkat(dir_fd, temporary, 0);
		errno = error;
		fatal_path("PID file", path, step);
	}
	/* The descriptor stays open until the exit: no other file gets the inode number
	 * in the meantime. */
	if (parent_placed_rename(PLACED_PIDFILE, dir_fd, temporary, name, S_IFREG,
		&step) == -1)
		fatal_path("PID file", path, step);
}
