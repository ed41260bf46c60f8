/* SPDX-License-Identifier: BSD-2-Clause */
/* The set of descriptors for one wait, rebuilt before each: fixed memory; a descriptor is
 * named by its index. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pollset {
	struct pollfd *fds; /* owned, as are the others */
	size_t n;           /* in use */
	size_t size;
	/* The descriptors that were ready at the last poll of all, as a set. */
	bool *is_busy;      /* indexed by descriptor */
	struct pollfd *few; /* copies from fds, in the same order */
	size_t n_few;
	unsigned int n_few_in_a_row;
	int64_t spin_ns; /* how long the next wait polls before it sleeps */
};

/* The longest time that a wait polls before it sleeps. In a virtual machine, a sleeping
 * processor needs about half of this to be woken by another one. */
#define POLLSET_SPIN_MAX_NS INT64_C(50000)

/* Raises the soft limit on open files to the hard limit, and allocates memory for as
 * many. Returns 0, or -1 with errno set. */
int pollset_init(struct pollset *set);
void pollset_free(struct pollset *set);

/* Empties the set, for the next wait. */
void pollset_clear(struct pollset *set);

/* Adds fd (borrowed; -1 makes an unused entry) with events as for poll(2). Returns its
 * index, or -1 if the set is full. */
int pollset_add(struct pollset *set, int fd, short events);

/* The spin_ns after a wait that slept for slept_ns: long enough to have covered the
 * sleep, or 0 if POLLSET_SPIN_MAX_NS would have been too short. */
int64_t pollset_next_spin(int64_t spin_ns, int64_t slept_ns);

/* Waits as poll(2) does, and fills in fds[].revents. After short waits it polls for a
 * moment before it sleeps, because sleep and wake-up cost as much and add delay. In a
 * large set with few busy descriptors it polls the busy ones first, and all at least
 * every eighth time. Returns the number of ready descriptors, or -1 with errno set. */
int pollset_wait(struct pollset *set, int timeout_ms);
