/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capabilities (capabilities(7)) and user ids: what a process may still do to the kernel.
 * Any role, before its filter. The only user of cap-ng.h.
 */
#pragma once

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
 * All empty the inheritable, ambient and bounding sets, and lock the securebits so that
 * uid 0 means nothing any more: neither exec nor a change of the uid gives a capability
 * back. All need the capabilities that the process still has, so they come after the
 * namespaces and the root, and before the filter.
 *
 * The bounding set and the securebits need CAP_SETPCAP. A process without it, for which
 * no user namespace could be made, keeps both, and only no_new_privs then makes them
 * harmless; that is not an error here. confine_caps_query() tells what was reached.
 *
 * All return 0, or -1 with errno set. After -1 the process has what it had, or less.
 */

/* No capability is left. The ids stay: in an own user namespace no other is mapped. */
int confine_caps_drop(void);

/* Keeps those of `keep` that the process has, permitted and effective. The ids stay. */
int confine_caps_reduce(uint64_t keep);

/*
 * Changes all user and group ids to uid and gid, without supplementary groups, and keeps
 * exactly `keep`, permitted and effective. For real root, which has CAP_SETUID,
 * CAP_SETGID and CAP_SETPCAP, and what it wants to keep: EPERM otherwise. EINVAL for uid
 * 0 or gid 0, and for an id that the user namespace does not map. The change of uid makes
 * the process not dumpable (PR_SET_DUMPABLE(2const)).
 */
int confine_caps_keep(uint64_t keep, uid_t uid, gid_t gid);

/* "net_bind_service" for CAP_NET_BIND_SERVICE; NULL for a bit that has no name here. */
const char *confine_cap_name(unsigned int cap);

/* Reads all five sets from the kernel; needs no /proc. 0, or -1 with errno set. */
int confine_caps_query(struct confine_caps *caps);
