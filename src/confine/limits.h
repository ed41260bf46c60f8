/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a process gives up for good with prctl(2) and setrlimit(2); none of it needs a
 * privilege. Any role: no_new_privs before Landlock and the filter, the rest after the
 * namespaces.
 */
#pragma once

/* Bits of a set. Each says what is true of the process. */
enum confine_limit {
	/* exec gives no privilege (set-user-ID, file capabilities): what Landlock and
	 * seccomp ask of a process without CAP_SYS_ADMIN. */
	CONFINE_LIMIT_NO_NEW_PRIVS = 1 << 0,

	/*
	 * PR_SET_DUMPABLE 0: no process of the same user can ptrace it or read its /proc
	 * files, and it never dumps core. Those files belong to root from then on, so a
	 * uid map can't be written any more (EACCES).
	 */
	CONFINE_LIMIT_NOT_DUMPABLE = 1 << 1,

	/* RLIMIT_CORE 0. Where core_pattern is a pipe the kernel ignores this limit, and
	 * only NOT_DUMPABLE keeps guest bytes out of a crash collector (core(5)). */
	CONFINE_LIMIT_NO_CORE = 1 << 2,

	/*
	 * RLIMIT_NPROC 0: no fork and no thread (EAGAIN). The kernel compares the number
	 * of the user's processes with the limit of the one that forks, so other
	 * processes of the user, and threads that exist, go on as before. It does not
	 * bind uid 0 of the machine itself, whatever its capabilities, nor
	 * CAP_SYS_RESOURCE or CAP_SYS_ADMIN over the initial user namespace; there the
	 * filter alone does.
	 */
	CONFINE_LIMIT_NO_PROCESSES = 1 << 3,

	/*
	 * RLIMIT_FSIZE 0: no regular file grows (EFBIG and SIGXFSZ, which kills).
	 * Sockets, pipes and character devices such as a TAP have no size and are not
	 * concerned; standard error may be a regular file, so a process that writes to it
	 * can't.
	 */
	CONFINE_LIMIT_NO_FILE_GROWTH = 1 << 4,

	/* RLIMIT_MEMLOCK 0: no locked memory (EPERM), and none that the kernel charges as
	 * such, for rings shared with it. */
	CONFINE_LIMIT_NO_LOCKED_MEMORY = 1 << 5,
};

#define CONFINE_LIMITS_ALL 0x3f

/* Sets those of `limits`, hard and soft. 0, or -1 with errno set, EINVAL for an unknown
 * bit; then some may be set. There is no way back. */
int confine_limits_set(unsigned int limits);

/* Reads from the kernel which are set. 0, or -1 with errno set. */
int confine_limits_query(unsigned int *limits);
