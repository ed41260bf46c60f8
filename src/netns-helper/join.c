/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the guest's namespaces. */
#include "netns-helper/join.h"

#include <errno.h>
#include <sched.h>

#include "base/log.h"

void
netns_join_user(int userns_fd, const char *label)
{
	/* EINVAL: the process is in that namespace already, which the parent cannot tell
	 * without /proc. If that is not enough, joining the network namespace fails. */
	if (setns(userns_fd, CLONE_NEWUSER) == -1 && errno != EINVAL)
		fatal("join user namespace %s", label);
}

void
netns_join_network(int netns_fd, const char *label)
{
	if (setns(netns_fd, CLONE_NEWNET) == -1)
		fatal("join network namespace %s", label);
}
