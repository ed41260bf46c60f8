/* SPDX-License-Identifier: BSD-2-Clause */
/* Permanent limits that a process sets on itself. */
#include "confine/limits.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* The limits that are a resource limit of 0. */
static const struct {
	enum confine_limit limit;
	__rlimit_resource_t resource;
} resources[] = {
	{ CONFINE_LIMIT_NO_CORE, RLIMIT_CORE },
	{ CONFINE_LIMIT_NO_PROCESSES, RLIMIT_NPROC },
	{ CONFINE_LIMIT_NO_FILE_GROWTH, RLIMIT_FSIZE },
	{ CONFINE_LIMIT_NO_LOCKED_MEMORY, RLIMIT_MEMLOCK },
};

#define N_RESOURCES (sizeof(resources) / sizeof(resources[0]))

int
confine_limits_set(unsigned int limits)
{
	const struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 };

	if (limits & ~(unsigned int)CONFINE_LIMITS_ALL) {
		errno = EINVAL;
		return -1;
	}
	if ((limits & CONFINE_LIMIT_NO_NEW_PRIVS) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	if ((limits & CONFINE_LIMIT_NOT_DUMPABLE) &&
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	for (size_t i = 0; i < N_RESOURCES; i++) {
		if ((limits & resources[i].limit) &&
		    setrlimit(resources[i].resource, &none) == -1)
			return -1;
	}
	return 0;
}
