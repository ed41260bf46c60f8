/* SPDX-License-Identifier: BSD-2-Clause */
/* Ownership by scope, for every role: a descriptor or a block of memory is released when
 * its scope ends, on every path. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

static inline void
auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void
auto_free(void *block)
{
	free(*(void **)block);
}

/* `autofd int fd = -1;` closes fd at the end of its scope. -1 is the only "none". */
#define autofd __attribute__((cleanup(auto_close)))

/* `autofree char *text = NULL;` frees text at the end of its scope. */
#define autofree __attribute__((cleanup(auto_free)))

/* Moves a descriptor out of its owner, which then has -1. */
static inline int
take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}
