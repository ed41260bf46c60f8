/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Polls a set of descriptors.
 *
 * Theory of operation
 * The kernel checks every descriptor of a poll(2), so a thousand idle connections would
 * slow down a busy one. Therefore a wait polls the busy descriptors alone first.
 */
#include "slirp-worker/pollset.h"

#include <stdlib.h>
#include <string.h>

/* Turns that poll busy descriptors alone, between two polls of all. A turn takes less
 * than a millisecond even with the longest frames, and one eighth of the cost is
 * small. */
#define FEW_IN_A_ROW_MAX 7

int
pollset_init(struct pollset *set, size_t size)
{
	*set = (struct pollset){ .size = size };
	set->fds = calloc(set->size, sizeof(set->fds[0]));
	set->few = calloc(set->size, sizeof(set->few[0]));
	set->is_busy = calloc(set->size, sizeof(set->is_busy[0]));
	return set->fds && set->few && set->is_busy ? 0 : -1;
}

void
pollset_free(struct pollset *set)
{
	free(set->fds);
	free(set->few);
	free(set->is_busy);
	*set = (struct pollset){ 0 };
}

void
pollset_clear(struct pollset *set)
{
	set->n = 0;
	set->n_few = 0;
}

int
pollset_add(struct pollset *set, int fd, short events)
{
	if (set->n == set->size)
		return -1;
	set->fds[set->n] = (struct pollfd){ .fd = fd, .events = events };
	if (fd >= 0 && (size_t)fd < set->size && set->is_busy[fd])
		set->few[set->n_few++] = set->fds[set->n];
	return (int)set->n++;
}

static int
wait_for_few(struct pollset *set)
{
	int n = poll(set->few, set->n_few, 0);

	if (n <= 0)
		return n;
	for (size_t i = 0, at = 0; i < set->n_few; i++, at++) {
		while (set->fds[at].fd != set->few[i].fd)
			at++;
		set->fds[at].revents = set->few[i].revents;
	}
	return n;
}

static int
wait_for_all(struct pollset *set, int timeout_ms)
{
	int n = poll(set->fds, set->n, timeout_ms);

	if (n == -1)
		return -1;
	for (size_t i = 0; i < set->n; i++) {
		int fd = set->fds[i].fd;

		if (fd >= 0 && (size_t)fd < set->size)
			set->is_busy[fd] = set->fds[i].revents != 0;
	}
	return n;
}

int
pollset_wait(struct pollset *set, int timeout_ms)
{
	int n;

	if (pollset_is_large(set) && set->n_few > 0 &&
	    set->n_few_in_a_row < FEW_IN_A_ROW_MAX) {
		n = wait_for_few(set);
		set->n_few_in_a_row++;
		if (n != 0)
			return n;
	}
	set->n_few_in_a_row = 0;
	return wait_for_all(set, timeout_ms);
}
