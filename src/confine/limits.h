/* SPDX-License-Identifier: BSD-2-Clause */
/* Permanent limits by prctl(2) and setrlimit(2), which need no privilege. A role sets
 * no_new_privs before Landlock and the filter, and the others after the namespaces. */
#pragma once

/* Bits of a set. Each is a fact about the process. */
enum confine_limit {
	/* execve(2) gives no privilege (set-user-ID, file capabilities). Landlock and
	 * seccomp require this of a process without CAP_SYS_ADMIN. */
	CONFINE_LIMIT_NO_NEW_PRIVS = 1 << 0,

	/* PR_SET_DUMPABLE 0: processes of the same user cannot ptrace this process or
	 * read its /proc files, and it does not dump core. Root owns those files from
	 * then on, so a uid map cannot be written any more (EACCES). */
	CONFINE_LIMIT_NOT_DUMPABLE = 1 << 1,

	/* RLIMIT_CORE 0. If core_pattern is a pipe, the kernel ignores this limit. Only
	 * NOT_DUMPABLE then keeps guest bytes out of a crash collector (core(5)). */
	CONFINE_LIMIT_NO_CORE = 1 << 2,

	/*
	 * RLIMIT_NPROC 0: fork(2) and new threads fail with EAGAIN. The kernel compares
	 * the limit of the calling process with the user's number of processes, so other
	 * processes and existing threads go on. The limit does not bind uid 0 of the
	 * machine, nor CAP_SYS_RESOURCE or CAP_SYS_ADMIN over the initial user namespace;
	 * only the filter binds these.
	 */
	CONFINE_LIMIT_NO_PROCESSES = 1 << 3,

	/* RLIMIT_FSIZE 0: regular files cannot grow (EFBIG and SIGXFSZ, which kills).
	 * Sockets, pipes and character devices such as a TAP have no size, so the limit
	 * does not apply to them. Standard error may be a regular file: a process that
	 * writes to it cannot use this limit. */
	CONFINE_LIMIT_NO_FILE_GROWTH = 1 << 4,

	/* RLIMIT_MEMLOCK 0: the process cannot lock memory (EPERM), nor share rings with
	 * the kernel that are charged as locked memory. */
	CONFINE_LIMIT_NO_LOCKED_MEMORY = 1 << 5,
};

#define CONFINE_LIMITS_ALL 0x3f

/* Sets the hard and soft limits in `limits`, permanently. Returns 0, or -1 with errno
 * set, EINVAL for an unknown bit; after -1 some may be set. */
int confine_limits_set(unsigned int limits);
