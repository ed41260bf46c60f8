/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of descriptors for one wait, rebuilt before each: fixed memory; a descriptor is
 * named by its index. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

struct pollset {
	struct pollfd *fds; /* owned, as are the others */
	size_t n;           /* in use */
	size_t size;
	/* The descriptors that were ready at the last poll of all, as a set. */
	bool *is_busy;      /* indexed by descriptor */
	struct pollfd *few; /* copies from fds, in the same order */
	size_t n_few;
	unsigned int n_few_in_a_row;
};

/* In a smaller set, one poll(2) of all descriptors costs less than two. */
#define POLLSET_LARGE_MIN 32

static inline bool
pollset_is_large(const struct pollset *set)
{
	return set->n >= POLLSET_LARGE_MIN;
}

/* size is the limit on open files: descriptors are below it. Returns 0, or -1 with errno
 * set. */
int pollset_init(struct pollset *set, size_t size);
void pollset_free(struct pollset *set);

/* Empties the set, for the next wait. */
void pollset_clear(struct pollset *set);

/* Adds fd (borrowed; -1 makes an unused entry) with events as for poll(2). Returns its
 * index, or -1 if the set is full. */
int pollset_add(struct pollset *set, int fd, short events);

/* Waits as poll(2) does, and fills in fds[].revents. In a large set with few busy
 * descriptors it polls the busy ones first, and all at least every eighth time. Returns
 * the number of ready descriptors, or -1 with errno set. */
int pollset_wait(struct pollset *set, int timeout_ms);
