/* SPDX-License-Identifier: BSD-2-Clause */
/* Follows a path through its directories and symbolic links, one name at a time, so that
 * the caller can look at each place on the way. Used by resolv.c alone. */
#pragma once

#include <limits.h>
#include <stddef.h>

/* How far a path has been followed. */
struct way {
	char at[PATH_MAX]; /* without symbolic links; of a directory it ends in '/' */
	size_t at_len;
	char rest[PATH_MAX]; /* still to be followed from there */
	int n_symlinks;
};

enum way_step {
	WAY_DIRECTORY, /* `at` is, or may be, another directory to look into */
	WAY_FILE,      /* `at` is what the path means */
	WAY_END,       /* nothing there, or a loop: a watched directory tells when */
	WAY_LOST,      /* errno says why */
};

/* Looks the next name up in the directory `at`. The caller has begun with `at` "/", and
 * the path, which is absolute, in `rest`. */
enum way_step parent_way_step(struct way *way);
