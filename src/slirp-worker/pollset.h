/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of descriptors of one wait, rebuilt for each: fixed memory, index = place. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollset {
	struct pollfd *fds; /* owned, as are the others */
	size_t n;           /* in use */
	size_t size;
	/* Those that had something at the last wait for all, as a set of their own. */
	bool *is_busy;      /* by descriptor */
	struct pollfd *few; /* copies of those of fds, in their order */
	size_t n_few;
	unsigned int n_few_in_a_row;
	int64_t
	    spin_ns; /* how long the next wait looks again and again before it sleeps */
};

/* The longest that a wait looks again before it sleeps: about what it takes a processor that
 * sleeps to be woken by another, twice, in a virtual machine. */
#define POLLSET_SPIN_MAX_NS INT64_C(50000)

/* Raises the soft limit on open files to the hard one, and makes room for as many. Returns
 * 0, or -1 with errno set. */
int pollset_init(struct pollset *set);
void pollset_free(struct pollset *set);

/* Empties the set, for the next wait. */
void pollset_clear(struct pollset *set);

/* Puts fd (borrowed; -1 keeps a place empty) into the set; events as for poll(2).
 * Returns its index, or -1 when the set is full. */
int pollset_add(struct pollset *set, int fd, short events);

/* The spin_ns that follows a wait of which this much was slept through: what would have
 * been enough, or none where POLLSET_SPIN_MAX_NS would not have been. */
int64_t pollset_next_spin(int64_t spin_ns, int64_t slept_ns);

/*
 * Waits as poll(2) does, and fills in fds[].revents. Where the last waits were short it looks
 * again for a moment before it sleeps: to sleep and be woken costs as much, and later. In a large set of which a few are busy
 * it looks at those alone first, and at all of them at least every eighth time. Returns how
 * many have something, or -1 with errno set.
 */
int pollset_wait(struct pollset *set, int timeout_ms);
