#include "slirp-worker/pollset.h"

#include <stdlib.h>
#include <sys/resource.h>

/* Where the limit on open files is higher, or none: 512 KiB, of which only what is used
 * becomes resident, and more sockets than ports can be told apart by anyway. */
#define POLLSET_MAX 65536

int
pollset_init(struct pollset *set)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == -1)
		return -1;
	set->size = files.rlim_cur < POLLSET_MAX ? files.rlim_cur : POLLSET_MAX;
	set->n = 0;
	set->fds = calloc(set->size, sizeof(set->fds[0]));
	return set->fds ? 0 : -1;
}

void
pollset_free(struct pollset *set)
{
	free(set->fds);
	set->fds = NULL;
}

int
pollset_add(struct pollset *set, int fd, short events)
{
	if (set->n == set->size)
		return -1;
	set->fds[set->n] = (struct pollfd){ .fd = fd, .events = events };
	return (int)set->n++;
}
