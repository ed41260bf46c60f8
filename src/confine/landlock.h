/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock (landlock(7)) denies a process to open, create and change files by path,
 * except the listed ones. If the kernel can, it also denies TCP, and signals and abstract
 * UNIX sockets across the border of the domain. A role calls it after all mounts. It
 * needs CONFINE_LIMIT_NO_NEW_PRIVS or CAP_SYS_ADMIN (EPERM).
 *
 * Open descriptors keep working: Landlock checks when a file is opened.
 */
#pragma once

#include <stddef.h>

/* The newest ABI whose rights are known here: ABI 7, Linux 6.15. */
#define CONFINE_LANDLOCK_ABI_KNOWN 7

/* Bits of an exception. */
enum confine_landlock_access {
	CONFINE_LANDLOCK_READ_FILE = 1 << 0,  /* open files for reading */
	CONFINE_LANDLOCK_READ_DIR = 1 << 1,   /* list directories; EINVAL on a file */
	CONFINE_LANDLOCK_WRITE_FILE = 1 << 2, /* open files for writing */
};

/* An exception: a file, or a directory with all that is below it. */
struct confine_landlock_rule {
	const char *path; /* borrowed; NULL: path_fd is used */
	int path_fd;      /* borrowed; O_PATH is enough */
	unsigned int access;
};

/* Bits of the classes that are denied beside files. */
enum confine_landlock_deny {
	/* From ABI 4: bind and connect of TCP sockets. These ABIs have no right for
	 * UDP. */
	CONFINE_LANDLOCK_DENY_TCP = 1 << 0,
	/* From ABI 6: connect and send to abstract UNIX sockets made outside. */
	CONFINE_LANDLOCK_DENY_ABSTRACT_UNIX = 1 << 1,
	/* From ABI 6: signals to processes outside the domain, including children started
	 * before it. This includes the signal of PR_SET_PDEATHSIG, which the kernel sends
	 * in the name of the process that ends: such children outlive it. */
	CONFINE_LANDLOCK_DENY_SIGNALS = 1 << 2,
};

/* Returns the ABI of this kernel, or 0 if Landlock is missing or off. Returns -1 with
 * errno set if the call fails, as under a filter of the caller. */
int confine_landlock_abi(void);

/*
 * Restricts the process permanently. Denies all access to files that the kernel's ABI
 * handles, except by `rules`, and the classes in `deny` that the ABI knows.
 *
 * Returns the ABI that was used, at most CONFINE_LANDLOCK_ABI_KNOWN, or 0 if the kernel
 * has no Landlock. Returns -1 with errno set if a step fails: ENOENT for the path of a
 * rule, E2BIG when 16 domains are stacked. After 0 and -1 nothing has changed.
 */
int confine_landlock_restrict(const struct confine_landlock_rule *rules, size_t n_rules,
    unsigned int deny);
