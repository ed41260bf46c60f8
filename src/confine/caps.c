/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities, user ids and securebits of a process. */
#include "confine/caps.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

/* A capability set has 64 bits. */
#define N_CAPS_MAX 64

/* Linux 4.3 added these securebits; older headers lack them. */
#ifndef SECBIT_NO_CAP_AMBIENT_RAISE
#define SECBIT_NO_CAP_AMBIENT_RAISE (1 << 6)
#define SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED (1 << 7)
#endif

/* With these, execve(2) by uid 0 gives no capability, a change of uid changes none, and
 * ambient capabilities are off. The locks make it permanent. */
#define SECUREBITS \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* libcap-ng returns its own codes. If a system call failed, errno is set. */
static int
result_of(int capng_result)
{
	if (capng_result == 0)
		return 0;
	if (errno == 0)
		errno = EPERM;
	return -1;
}

/* Loads the sets of this process into the library's state. */
static int
load_caps(void)
{
	errno = 0;
	return result_of(capng_get_caps_process());
}

/* Makes `keep` the permitted and effective set and empties the other three, as far as
 * the process may. */
static int
apply_caps(uint64_t keep, bool may_change_bounding)
{
	errno = 0;
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int cap = 0; cap < N_CAPS_MAX; cap++) {
		if (!(keep & CONFINE_CAP_BIT(cap)))
			continue;
		if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap) !=
		    0) {
			errno = EINVAL;
			return -1;
		}
	}
	/* Change the bounding set first: it needs CAP_SETPCAP, which the second call
	 * drops. */
	if (may_change_bounding && result_of(capng_apply(CAPNG_SELECT_BOUNDS)) == -1)
		return -1;
	return result_of(capng_apply(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT));
}

static int
lock_securebits(void)
{
	const unsigned long ambient =
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	if (prctl(PR_SET_SECUREBITS, (unsigned long)SECUREBITS, 0, 0, 0) == 0)
		return 0;
	/* Linux before 4.3 does not know the ambient bits and returns EPERM: try without
	 * them. */
	return prctl(PR_SET_SECUREBITS, SECUREBITS & ~ambient, 0, 0, 0);
}

int
confine_caps_keep(uint64_t keep, uid_t uid, gid_t gid)
{
	if (uid == 0 || gid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1) {
		errno = EINVAL;
		return -1;
	}
	/* Set the securebits first: with SECBIT_NO_SETUID_FIXUP a change of uid keeps the
	 * capabilities, which the last step then drops. setresgid() comes before
	 * setresuid() by convention; either order works here. */
	if (load_caps() == -1 || lock_securebits() == -1)
		return -1;
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return -1;
	return apply_caps(keep, true);
}

static uint64_t
caps_of(capng_type_t type)
{
	uint64_t set = 0;

	for (unsigned int cap = 0; cap < N_CAPS_MAX; cap++) {
		if (capng_have_capability(type, cap) == 1)
			set |= CONFINE_CAP_BIT(cap);
	}
	return set;
}

int
confine_caps_reduce(uint64_t keep)
{
	bool may_set_caps;

	if (load_caps() == -1)
		return -1;
	keep &= caps_of(CAPNG_PERMITTED);
	may_set_caps = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;
	if (may_set_caps && lock_securebits() == -1)
		return -1;
	return apply_caps(keep, may_set_caps);
}

int
confine_caps_drop(void)
{
	return confine_caps_reduce(0);
}

bool
confine_caps_over_network(unsigned int cap)
{
	autofd int netns_fd = -1, owner_fd = -1;
	struct confine_caps caps;

	if (confine_caps_query(&caps) == -1 || !(caps.effective & CONFINE_CAP_BIT(cap)))
		return false;
	netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netns_fd == -1)
		return false;
	/* The kernel gives no owner that is outside of the user namespace. */
	owner_fd = ioctl(netns_fd, NS_GET_USERNS);
	return owner_fd != -1;
}

int
confine_caps_pass_on(unsigned int cap)
{
	struct __user_cap_header_struct header = { .version =
						       _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets) == -1)
		return -1;
	sets[CAP_TO_INDEX(cap)].inheritable |= CAP_TO_MASK(cap);
	if (syscall(SYS_capset, &header, sets) == -1)
		return -1;
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, (unsigned long)cap, 0UL, 0UL);
}

const char *
confine_cap_name(unsigned int cap)
{
	return capng_capability_to_name(cap);
}

int
confine_caps_query(struct confine_caps *caps)
{
	if (load_caps() == -1)
		return -1;
	*caps = (struct confine_caps){
		.effective = caps_of(CAPNG_EFFECTIVE),
		.permitted = caps_of(CAPNG_PERMITTED),
		.inheritable = caps_of(CAPNG_INHERITABLE),
		.bounding = caps_of(CAPNG_BOUNDING_SET),
		.ambient = caps_of(CAPNG_AMBIENT),
	};
	return 0;
}
