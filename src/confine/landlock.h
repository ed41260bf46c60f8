/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Landlock (landlock(7)) denies a process to open, create and change files by path. If the kernel can, it also denies TCP, and signals and abstract
 * UNIX sockets across the border of the domain. A role calls it after all mounts. It
 * needs CONFINE_LIMIT_NO_NEW_PRIVS or CAP_SYS_ADMIN (EPERM).
 *
 * Open descriptors keep working: Landlock checks when a file is opened.
 */
#pragma once

/* The newest ABI whose rights are known here: ABI 7, Linux 6.15. */
#define CONFINE_LANDLOCK_ABI_KNOWN 7

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
 * handles, and the classes in `deny` that the ABI knows. Files below the directory
 * writable_dir_fd (borrowed; O_PATH is enough; -1: none) can still be opened for writing.
 *
 * Returns the ABI that was used, at most CONFINE_LANDLOCK_ABI_KNOWN, or 0 if the kernel
 * has no Landlock. Returns -1 with errno set if a step fails, such as E2BIG when 16
 * domains are stacked. After 0 and -1 nothing has changed.
 */
int confine_landlock_restrict(int writable_dir_fd, unsigned int deny);
