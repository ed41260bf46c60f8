/* SPDX-License-Identifier: BSD-2-Clause */
/* Landlock rulesets for every ABI that a kernel may have. */
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

/* Old headers lack these numbers and rights. They are the same on all architectures
 * except alpha (landlock(7), include/uapi/linux/landlock.h). */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

/* struct landlock_ruleset_attr as of ABI 6. An older kernel accepts a longer struct if
 * the fields that it does not know are 0. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

/* The rights over files of an ABI. The low 13 bits are the rights of ABI 1. */
static uint64_t
handled_files(int abi)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

	if (abi >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static struct ruleset_attr
ruleset_of(int abi, unsigned int deny)
{
	struct ruleset_attr attr = { .handled_access_fs = handled_files(abi) };

	if (abi >= 4 && (deny & CONFINE_LANDLOCK_DENY_TCP))
		attr.handled_access_net =
		    LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
	if (abi >= 6 && (deny & CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX))
		attr.scoped |= LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
	if (abi >= 6 && (deny & CONFINE_LANDLOCK_DENY_SIGNALS))
		attr.scoped |= LANDLOCK_SCOPE_SIGNAL;
	return attr;
}

static int
allow_writing(int ruleset_fd, int dir_fd)
{
	struct landlock_path_beneath_attr beneath = {
		.parent_fd = dir_fd,
		.allowed_access = LANDLOCK_ACCESS_FS_WRITE_FILE,
	};

	return (int)syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH,
	    &beneath, 0);
}

int
confine_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (abi >= 0)
		return (int)abi;
	/* ENOSYS: the kernel is built without Landlock. EOPNOTSUPP: Landlock is off at
	 * boot. */
	return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
}

int
confine_landlock_restrict(int writable_dir_fd, unsigned int deny)
{
	int abi = confine_landlock_abi();
	struct ruleset_attr attr;
	autofd int ruleset_fd = -1;

	if (abi <= 0)
		return abi;
	if (abi > CONFINE_LANDLOCK_ABI_KNOWN)
		abi = CONFINE_LANDLOCK_ABI_KNOWN;
	attr = ruleset_of(abi, deny);
	/* The kernel makes this descriptor close-on-exec. */
	ruleset_fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	if (ruleset_fd == -1)
		return -1;
	if (writable_dir_fd != -1 && allow_writing(ruleset_fd, writable_dir_fd) == -1)
		return -1;
	if (syscall(SYS_landlock_restrict_self, ruleset_fd, 0) == -1)
		return -1;
	return abi;
}
