/* The set of descriptors of one wait, rebuilt for each: fixed memory, index = place. */
#pragma once

#include <poll.h>
#include <stddef.h>

struct pollset {
	struct pollfd *fds; /* owned */
	size_t n;           /* in use */
	size_t size;
};

/* Makes room for as many descriptors as the process may have open. Returns 0, or -1 with
 * errno set. */
int pollset_init(struct pollset *set);
void pollset_free(struct pollset *set);

/* Puts fd (borrowed; -1 keeps a place empty) into the set; events as for poll(2).
 * Returns its index, or -1 when the set is full. */
int pollset_add(struct pollset *set, int fd, short events);
