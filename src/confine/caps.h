/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities (capabilities(7)) and user ids. A role calls this before its filter.
 * The only user of cap-ng.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A set of capabilities: bit 1 << CAP_x of linux/capability.h. */
#define CONFINE_CAP_BIT(cap) (UINT64_C(1) << (cap))

struct confine_caps {
	uint64_t effective;
	uint64_t permitted;
	uint64_t inheritable;
	uint64_t bounding;
	uint64_t ambient;
};

/*
 * Each function empties the inheritable, ambient and bounding sets, and locks the
 * securebits: neither execve(2) nor a change of uid gives a capability back. Each needs
 * capabilities, so call it after the namespaces and the root are made, and before the
 * filter.
 *
 * The bounding set and the securebits need CAP_SETPCAP. A process without it keeps both,
 * which is not an error: no_new_privs makes them harmless. confine_caps_query() shows the
 * result.
 *
 * Each returns 0, or -1 with errno set. After -1 the process has the same capabilities or
 * fewer.
 */

/* Drops all capabilities. The ids stay: an own user namespace maps no others. */
int confine_caps_drop(void);

/* Keeps the capabilities in `keep` that the process has, permitted and effective. The ids
 * stay. */
int confine_caps_reduce(uint64_t keep);

/*
 * Sets all user and group ids to uid and gid, removes the supplementary groups, and keeps
 * exactly `keep`, permitted and effective. The caller is real root with CAP_SETUID,
 * CAP_SETGID, CAP_SETPCAP and the capabilities in `keep`; EPERM otherwise. EINVAL if uid
 * or gid is 0, or if the user namespace does not map it. The change of uid makes the
 * process not dumpable (PR_SET_DUMPABLE(2const)).
 */
int confine_caps_keep(uint64_t keep, uid_t uid, gid_t gid);

/*
 * Whether the process has the capability, effective, over the network namespace that it is
 * in: the namespace belongs to the process's own user namespace or to one below it
 * (ioctl_nsfs(2), capabilities(7)). False without /proc and before Linux 4.9.
 */
bool confine_caps_over_network(unsigned int cap);

/* Lets the next execve(2) keep a permitted capability, also under no_new_privs: adds it to the
 * inheritable and the ambient set. Returns 0, or -1 with errno set: EPERM without the
 * capability. For a fork as well, unlike the functions above: libcap-ng remembers a PID. */
int confine_caps_pass_on(unsigned int cap);

/* Returns "net_bind_service" for CAP_NET_BIND_SERVICE; NULL for a bit without a name. */
const char *confine_cap_name(unsigned int cap);

/* Reads all five sets from the kernel, without /proc. Returns 0, or -1 with errno set. */
int confine_caps_query(struct confine_caps *caps);
