/* SPDX-License-Identifier: BSD-2-Clause */
/* Resolves a path through its directories and symbolic links, one name at a time. The
 * caller can look at each directory. Used by resolv.c alone. */
#pragma once

#include <limits.h>
#include <stddef.h>

/* How far a path has been followed. */
struct way {
	char at[PATH_MAX]; /* without symbolic links; ends in '/' if it is a directory */
	size_t at_len;
	char rest[PATH_MAX]; /* the rest of the path, from there */
	int n_symlinks;
};

enum way_step {
	WAY_DIRECTORY, /* `at` is a directory, or may be one */
	WAY_FILE,      /* `at` is the file of the path */
	WAY_END, /* no file there, or a loop: a watched directory raises an event later */
	WAY_LOST, /* errno says why */
};

/* Looks up the next name in the directory `at`. Before the first call `at` is "/" and
 * `rest` is the absolute path. */
enum way_step parent_way_step(struct way *way);
