/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces of a process (namespaces(7), user_namespaces(7)). A role makes them
 * before it replaces its root: the maps and the queries need /proc. The process must have
 * one thread; otherwise unshare(CLONE_NEWUSER) fails with EINVAL.
 *
 * A PID namespace is not among them: unshare(CLONE_NEWPID) moves only later children, and
 * a role has none.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/messages.h"

/* The flags that confine_ns_own() accepts. */
#define CONFINE_NS_FLAGS \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | \
	    CLONE_NEWNET)

/* The ids of a process in its own user namespace. */
struct confine_ids {
	uid_t uid;
	gid_t gid;
};

/* The reason that a process cannot make namespaces. */
enum confine_ns_bar {
/* For each kind: the sysctl user.max_..._namespaces is 0, or the limit is reached, here
 * or in an outer user namespace. */
#define CONFINE_NS_BARS_OF_KIND(name) \
	CONFINE_NS_BAR_ZERO_##name, CONFINE_NS_BAR_LIMIT_##name,
	IPC_NAMESPACES(CONFINE_NS_BARS_OF_KIND)
#undef CONFINE_NS_BARS_OF_KIND
	    CONFINE_NS_BAR_SYSCTL, /* sysctl kernel.unprivileged_userns_clone is 0 */
	CONFINE_NS_BAR_APPARMOR,   /* kernel.apparmor_restrict_unprivileged_userns is 1 */
	CONFINE_NS_BAR_CHROOT,     /* the process is in a chroot */
	CONFINE_NS_BAR_ROOT_MAP,   /* uid 0 without CAP_SETFCAP may not map itself */
	CONFINE_NS_BAR_FILTER,     /* probably a system call filter of the caller */
	CONFINE_NS_BAR_PROC,       /* /proc/self/uid_map cannot be written */
	CONFINE_NS_BAR_KERNEL,     /* built without user namespaces */
	CONFINE_NS_BAR_OTHER,      /* a security module, or something unknown */
};

/*
 * Makes the namespaces in `flags`, a subset of CONFINE_NS_FLAGS (EINVAL otherwise), and
 * moves the process into them. With CLONE_NEWUSER the others belong to the new user
 * namespace. The process has all capabilities over them, and none over anything outside.
 * Without CLONE_NEWUSER the process needs CAP_SYS_ADMIN.
 *
 * The new user namespace maps one uid and one gid: the process's own to `inside`, or to
 * themselves if `inside` is NULL. setgroups(2) is denied in it: an ordinary user may not
 * map a gid otherwise. So the supplementary groups stay, unmapped, and count when files
 * are opened, until the root is replaced.
 *
 * Returns 0, or -1 with errno set and *step (unless step is NULL) naming the failed step,
 * a static text. If unshare(2) failed, nothing has changed. If a later step failed, the
 * process has no ids and can only exit. To find out whether the jail can be made, try in
 * a child.
 */
int confine_ns_own(int flags, const struct confine_ids *inside, const char **step);

/*
 * Forbids new user namespaces in the one that confine_ns_own() has made: they would give
 * capabilities back. Sets the sysctl user.max_user_namespaces of that namespace to 0
 * (ENOSPC for later calls). Needs CAP_SYS_RESOURCE there and a writable /proc/sys.
 * Returns 0, or -1 with errno set. EPERM without an own user namespace: the same file
 * would then switch them off for other processes. EROFS in many containers.
 */
int confine_ns_bar_nested(void);

/*
 * Joins the user namespace userns_fd (borrowed), and gains all capabilities in it. A
 * process that cannot make its own uses this. The caller is the user who made the
 * namespace, or has CAP_SYS_ADMIN in it. A process with an unmapped uid cannot create
 * files (EOVERFLOW). So it becomes uid 0 and gid 0 if these are mapped, which makes it
 * not dumpable. Returns 0, or -1 with errno set: EINVAL also if the process is in that
 * namespace already.
 */
int confine_ns_join_user(int userns_fd);

/* Reads the namespaces of the process from /proc. Returns 0, or -1 with errno set and all
 * ids 0. A kind that the kernel was built without is 0. */
int confine_ns_query(struct ipc_namespaces *ids);

/* Whether the user namespace maps every uid to itself, as the initial one does
 * (user_namespaces(7)). False without /proc. */
bool confine_ns_maps_all(void);

/* The uid that stands for every unmapped uid, unless the sysctl kernel.overflowuid was
 * changed. */
#define CONFINE_NS_OVERFLOW_ID 65534

/* Explains why confine_ns_own() failed with `error` to make the namespaces in `flags`.
 * The explanation comes from /proc, so it is a diagnosis and not a proof. For ENOSPC a
 * child makes each kind alone, because unshare(2) does not tell which limit was reached.
 * Keeps errno. */
enum confine_ns_bar confine_ns_bar(int flags, int error);

/* A static text for log lines and reports, which can follow "namespaces: ". */
const char *confine_ns_bar_str(enum confine_ns_bar bar);
