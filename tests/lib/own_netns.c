/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a network namespace for a test program. */
#include "own_netns.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/log.h"

void
own_netns_enter(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	autofd int fd = -1;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) == -1)
		fatal("make a user and a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &lo) == -1)
		fatal("bring lo up");
}
