/* SPDX-License-Identifier: BSD-2-Clause */
/* Puts files into directories of the caller, and removes them at the exit. */
#include "parent/files/placed.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"

/* The files that the exit removes. A function of atexit(3) takes no argument. */
static struct placed {
	const char *name; /* in dir_fd; NULL for none */
	int dir_fd;
	dev_t dev;
	ino_t ino;
} placed[PLACED_N];

static pid_t owner; /* 0 until the exit function is registered */

int
parent_placed_open_directory(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char directory[PATH_MAX] = ".";

	*name = slash ? slash + 1 : path;
	if (slash && slash - path >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (slash == path)
		snprintf(directory, sizeof(directory), "/");
	else if (slash)
		snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
	return open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void
parent_placed_temporary(char name[PLACED_TEMPORARY_SIZE], int attempt)
{
	snprintf(name, PLACED_TEMPORARY_SIZE, ".slirpd-%d-%d", getpid(), attempt);
}

void
parent_placed_remove(enum placed_file file)
{
	struct placed *made = &placed[file];
	struct stat st;

	if (made->name &&
	    fstatat(made->dir_fd, made->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == made->dev && st.st_ino == made->ino)
		unlinkat(made->dir_fd, made->name, 0);
	made->name = NULL;
}

static void
remove_all(void)
{
	/* A process forked from the owner has inherited the list and the exit
	 * function. */
	for (int i = 0; i < PLACED_N && getpid() == owner; i++)
		parent_placed_remove((enum placed_file)i);
}

int
parent_placed_keep(enum placed_file file, int dir_fd, const char *name)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (owner == 0 && atexit(remove_all) != 0)
		return -1;
	owner = getpid();
	placed[file] = (struct placed){ name, dir_fd, st.st_dev, st.st_ino };
	return 0;
}

static int
rename_over(enum placed_file file, int dir_fd, const char *temporary, const char *name,
    mode_t type, const char **step)
{
	struct stat st;

	*step = "register its removal";
	if (parent_placed_keep(file, dir_fd, temporary) == -1)
		return -1;
	*step = "replace what is there";
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & S_IFMT) != type) {
		errno = type == S_IFSOCK ? ENOTSOCK : EEXIST;
		return -1;
	}
	if (renameat(dir_fd, temporary, dir_fd, name) == -1)
		return -1;
	placed[file].name = name;
	return 0;
}

int
parent_placed_rename(enum placed_file file, int adopt_dir_fd, const char *temporary,
    const char *name, mode_t type, const char **step)
{
	autofd int dir_fd = adopt_dir_fd;
	int error;

	if (rename_over(file, dir_fd, temporary, name, type, step) == 0) {
		take_fd(&dir_fd);
		return 0;
	}
	error = errno;
	placed[file].name = NULL;
	unlinkat(dir_fd, temporary, 0);
	errno = error;
	return -1;
}
