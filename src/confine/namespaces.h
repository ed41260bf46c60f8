/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces of the process's own (namespaces(7), user_namespaces(7)). Any role, before
 * its root is replaced: the maps and the queries need /proc. The process has one thread;
 * with more, unshare(CLONE_NEWUSER) gives EINVAL.
 *
 * A PID namespace is not among them: unshare(CLONE_NEWPID) moves only children yet to be
 * born, and a role has none.
 */
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/messages.h"

/* What confine_ns_own() takes. */
#define CONFINE_NS_FLAGS \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | \
	    CLONE_NEWNET)

/* The ids by which a process is known in its own user namespace. */
struct confine_ids {
	uid_t uid;
	gid_t gid;
};

/* Why there are no own namespaces. */
enum confine_ns_bar {
/* Of each kind: its sysctl user.max_..._namespaces is 0, and that limit is reached, or
	 * that of an outer user namespace. */
#define CONFINE_NS_BARS_OF_KIND(name) \
	CONFINE_NS_BAR_ZERO_##name, CONFINE_NS_BAR_LIMIT_##name,
	IPC_NAMESPACES(CONFINE_NS_BARS_OF_KIND)
#undef CONFINE_NS_BARS_OF_KIND
	    CONFINE_NS_BAR_SYSCTL, /* sysctl kernel.unprivileged_userns_clone is 0 */
	CONFINE_NS_BAR_APPARMOR,   /* kernel.apparmor_restrict_unprivileged_userns is 1 */
	CONFINE_NS_BAR_CHROOT, /* the root directory is not that of the mount namespace */
	CONFINE_NS_BAR_ROOT_MAP, /* uid 0 without CAP_SETFCAP may not map itself */
	CONFINE_NS_BAR_FILTER,   /* most likely: the caller's own system-call filter */
	CONFINE_NS_BAR_PROC,     /* no usable /proc to write the maps to */
	CONFINE_NS_BAR_KERNEL,   /* built without user namespaces */
	CONFINE_NS_BAR_OTHER,    /* a security module, or something unknown */
};

/*
 * Makes the namespaces in flags, a subset of CONFINE_NS_FLAGS (EINVAL otherwise), and
 * moves the process into them. With CLONE_NEWUSER the others belong to the new user
 * namespace, the process has all capabilities over them, and none over anything outside;
 * without it CAP_SYS_ADMIN is needed.
 *
 * The new user namespace knows one uid and one gid: the process's own under the name
 * `inside`, or, where that is NULL, under the name that they have anyway. setgroups(2) is
 * denied in it, without which an ordinary user may not map a gid; so the supplementary
 * groups stay, unmapped, and still count where files are opened. That ends with the root.
 *
 * 0, or -1 with errno set and *step (unless step is NULL) set to a static text, what was
 * tried. After a failure of unshare(2) nothing has changed; after a later one the process
 * is in a user namespace without ids, fit for nothing but to end. To find out whether the
 * jail can be made, try in a child.
 */
int confine_ns_own(int flags, const struct confine_ids *inside, const char **step);

/*
 * Makes it impossible to create a user namespace in the one that confine_ns_own() has
 * made (ENOSPC, through that namespace's own sysctl user.max_user_namespaces): without
 * capabilities, that would be the way to get some. Needs CAP_SYS_RESOURCE there and a
 * writable /proc/sys. 0, or -1 with errno set: EPERM when there is no own one, because
 * the same file would then switch them off for everybody else; EROFS in many containers.
 */
int confine_ns_bar_nested(void);

/*
 * Joins the user namespace userns_fd (borrowed), where own ones are barred, and has all
 * capabilities in it: the caller is the user who made it, or has CAP_SYS_ADMIN there. A
 * process whose uid is not mapped in it could create no file (EOVERFLOW), so it becomes
 * uid 0 and gid 0 there, where these are mapped, which makes it not dumpable. 0, or -1
 * with errno set: EINVAL also when the process is in that namespace already.
 */
int confine_ns_join_user(int userns_fd);

/* Reads which namespaces the process is in; needs /proc. 0, or -1 with errno set and all
 * of them 0. Kinds that the kernel was built without are 0. */
int confine_ns_query(struct ipc_namespaces *ids);

/* Whether the user namespace gives every uid its own name, as the initial one does
 * (user_namespaces(7)). False without /proc. */
bool confine_ns_maps_all(void);

/* The uid that stands for every one that the user namespace has no name for, unless somebody
 * changed the sysctl kernel.overflowuid. */
#define CONFINE_NS_OVERFLOW_ID 65534

/*
 * Says why confine_ns_own() failed to make the namespaces in flags, with `error`: what /proc shows
 * of the system, so a diagnosis and not a proof. For ENOSPC a child makes each kind alone, since
 * unshare(2) does not tell which is used up. errno is kept.
 */
enum confine_ns_bar confine_ns_bar(int flags, int error);

/* For log lines and reports: a static text that can follow "namespaces: ". */
const char *confine_ns_bar_str(enum confine_ns_bar bar);
