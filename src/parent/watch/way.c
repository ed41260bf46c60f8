/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolves a path, one name at a time. */
#include "parent/watch/way.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The kernel's own limit: path_resolution(7). */
#define SYMLINKS_MAX 40

/* Goes up one directory. `at` has no symbolic links, so ".." is its parent in the
 * text. */
static void
go_up(struct way *way)
{
	if (way->at_len > 1)
		way->at_len--;
	while (way->at[way->at_len - 1] != '/')
		way->at_len--;
	way->at[way->at_len] = '\0';
}

/* Puts target, the content of a link in the directory `at`, before `rest`. */
static enum way_step
follow_link(struct way *way, const char *target, size_t target_len)
{
	size_t rest_len = strlen(way->rest);

	if (way->n_symlinks++ == SYMLINKS_MAX)
		return WAY_END;
	if (target_len + 1 + rest_len >= sizeof(way->rest)) {
		errno = ENAMETOOLONG;
		return WAY_LOST;
	}
	memmove(way->rest + target_len + 1, way->rest, rest_len + 1);
	memcpy(way->rest, target, target_len);
	way->rest[target_len] = '/';
	if (target[0] == '/')
		way->at_len = 1;
	way->at[way->at_len] = '\0';
	return WAY_DIRECTORY;
}

enum way_step
parent_way_step(struct way *way)
{
	const char *name = way->rest + strspn(way->rest, "/");
	size_t name_len = strcspn(name, "/");
	const char *next = name + name_len + strspn(name + name_len, "/");
	size_t dir_len = way->at_len;
	char target[PATH_MAX];
	bool is_up = name_len == 2 && name[0] == '.' && name[1] == '.';
	bool is_here = name_len == 1 && name[0] == '.';
	bool is_last = *next == '\0';
	ssize_t n;

	if (name_len == 0)
		return WAY_END;
	/* Include a '/'. */
	if (dir_len + name_len + 1 >= sizeof(way->at)) {
		errno = ENAMETOOLONG;
		return WAY_LOST;
	}
	if (!is_up && !is_here) {
		memcpy(way->at + dir_len, name, name_len);
		way->at_len += name_len;
		way->at[way->at_len] = '\0';
	}
	memmove(way->rest, next, strlen(next) + 1);
	if (is_up)
		go_up(way);
	if (is_up || is_here)
		return WAY_DIRECTORY;

	n = readlink(way->at, target, sizeof(target));
	if (n > 0) {
		way->at_len = dir_len;
		return follow_link(way, target, (size_t)n);
	}
	/* readlink(2) fails with EINVAL if the file is not a symbolic link. */
	if (n == 0 || errno != EINVAL)
		return WAY_END;
	if (is_last)
		return WAY_FILE;
	way->at[way->at_len++] = '/';
	way->at[way->at_len] = '\0';
	return WAY_DIRECTORY;
}
