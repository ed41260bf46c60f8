/* SPDX-License-Identifier: BSD-2-Clause */
/* Joins the guest's namespaces. */
#include "netns-helper/join.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

/* Whether the process has left the user namespace of its start. */
static bool has_joined;

/* Returns the uid of the user namespace's owner, or -1. */
static long
owner_of(int userns_fd)
{
	uid_t uid;

	return ioctl(userns_fd, NS_GET_OWNER_UID, &uid) == 0 ? (long)uid : -1;
}

/* Whether the namespaces are the same. */
static bool
is_same(int one_fd, int other_fd)
{
	struct stat one, other;

	return fstat(one_fd, &one) == 0 && fstat(other_fd, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* EPERM of a user namespace: this process is neither its owner nor privileged above it. */
static _Noreturn void
refuse_user(int userns_fd, const char *label)
{
	long uid = owner_of(userns_fd);

	errno = EPERM;
	if (uid == -1 || uid == (long)geteuid())
		fatal("join user namespace %s", label);
	if (uid == 0)
		fatalx("join user namespace %s: %s; it belongs to root: start slirpd as "
		       "root",
		    label, strerror(EPERM));
	fatalx("join user namespace %s: %s; it belongs to uid %ld: start slirpd as that "
	       "user",
	    label, strerror(EPERM), uid);
}

/* EPERM of a network namespace: this process has no privilege in the user namespace that
 * owns it. */
static _Noreturn void
refuse_network(int netns_fd, const char *label)
{
	autofd int own_fd = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);
	autofd int owner_fd = ioctl(netns_fd, NS_GET_USERNS);
	/* ioctl_ns(2): the kernel hides a user namespace outside our own. */
	bool is_hidden = owner_fd == -1 && errno == EPERM;
	const char *why;

	if (own_fd == -1 || (owner_fd == -1 && !is_hidden)) {
		errno = EPERM;
		fatal("join network namespace %s", label);
	}
	if (is_hidden && !has_joined)
		why = "it belongs to an outer user namespace: start slirpd there";
	else if (is_hidden || !is_same(owner_fd, own_fd))
		why = "it does not belong to the user namespace that was joined: see "
		      "--userns-path";
	else if (owner_of(owner_fd) == 0)
		why = "it belongs to root: start slirpd as root";
	else
		why = "it belongs to the user namespace that slirpd is in, where "
		      "slirpd lacks CAP_SYS_ADMIN";
	fatalx("join network namespace %s: %s; %s", label, strerror(EPERM), why);
}

void
netns_join_user(int userns_fd, const char *label)
{
	/* EINVAL: the process is in that namespace already, which the parent cannot tell
	 * without /proc. If that is not enough, joining the network namespace fails. */
	has_joined = setns(userns_fd, CLONE_NEWUSER) == 0;
	if (has_joined || errno == EINVAL)
		return;
	if (errno == EPERM)
		refuse_user(userns_fd, label);
	fatal("join user namespace %s", label);
}

void
netns_join_network(int netns_fd, const char *label)
{
	if (setns(netns_fd, CLONE_NEWNET) == 0)
		return;
	if (errno == EPERM)
		refuse_network(netns_fd, label);
	fatal("join network namespace %s", label);
}
