/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock (landlock(7)): no file can be opened, created or changed by a path, with
 * listed exceptions; and, as far as the kernel can, no TCP, no signal and no abstract
 * UNIX socket across the border of the domain. Any role; needs CONFINE_LIMIT_NO_NEW_PRIVS
 * or CAP_SYS_ADMIN (EPERM), and comes after everything that mounts.
 *
 * Descriptors that are open keep working: Landlock is asked when a file is opened.
 */
#pragma once

#include <stddef.h>

/* The newest ABI whose rights are known here: ABI 7, Linux 6.15. */
#define CONFINE_LANDLOCK_ABI_KNOWN 7

/* Bits of an exception. */
enum confine_landlock_access {
	CONFINE_LANDLOCK_READ_FILE = 1 << 0, /* open files for reading */
	CONFINE_LANDLOCK_READ_DIR = 1 << 1,  /* list directories; EINVAL on a file */
};

/* An exception: a file, or a directory with all that is below it. */
struct confine_landlock_rule {
	const char *path; /* borrowed; NULL: path_fd is used */
	int path_fd;      /* borrowed; O_PATH is enough */
	unsigned int access;
};

/* Bits of what is denied beside files. */
enum confine_landlock_deny {
	/* From ABI 4: bind and connect of TCP sockets. Not UDP, which has no right of its
	 * own in these ABIs. */
	CONFINE_LANDLOCK_DENY_TCP = 1 << 0,
	/* From ABI 6: connect and send to abstract UNIX sockets made outside. */
	CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX = 1 << 1,
	/*
	 * From ABI 6: signals to processes outside the domain, among them children that
	 * were started before it. That goes for the signal of PR_SET_PDEATHSIG too, which
	 * the kernel sends in the name of the process that ends: such children outlive
	 * it.
	 */
	CONFINE_LANDLOCK_DENY_SIGNALS = 1 << 2,
};

/*
 * The ABI of this kernel, 0 where it has no Landlock or it is switched off. -1 with errno
 * set when it can't be asked, as under a foreign filter.
 */
int confine_landlock_abi(void);

/*
 * Restricts the process, for good: every access to files that this kernel's ABI can
 * handle is denied but for `rules`, and what `deny` says, from the ABI that can.
 *
 * Returns the ABI that was used, at most CONFINE_LANDLOCK_ABI_KNOWN; 0 when the kernel
 * has none and nothing has changed. -1 with errno set on failure, also of one rule
 * (ENOENT for its path); then nothing has changed. E2BIG: 16 domains are stacked already.
 */
int confine_landlock_restrict(const struct confine_landlock_rule *rules, size_t n_rules,
    unsigned int deny);
