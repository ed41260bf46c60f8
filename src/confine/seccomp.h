/* SPDX-License-Identifier: BSD-2-Clause */
/* The system call filter (seccomp(2)). Every role installs it last: the policies do not
 * allow the calls that set up the other stages. It needs CONFINE_LIMIT_NO_NEW_PRIVS or
 * CAP_SYS_ADMIN (EACCES). It applies to the calling thread; a role has one thread. */
#pragma once

#include <stddef.h>

#include <linux/filter.h>

/*
 * Copies and installs n_instructions of BPF, at most BPF_MAXINSNS (EINVAL). Writes the
 * PID of the process into the instructions at the indices in self_at, which ends with 0;
 * NULL for none (seccomp/README.md). If the kernel has SECCOMP_FILTER_FLAG_LOG (4.14),
 * calls that are refused with an errno leave an audit record too. If the caller left
 * filters, each call gets the strictest result of all. Returns 0, or -1 with errno set.
 */
int confine_seccomp_install(const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at);

/* Returns SECCOMP_MODE_DISABLED, SECCOMP_MODE_STRICT or SECCOMP_MODE_FILTER
 * (linux/seccomp.h), or -1 with errno set. It uses prctl(2). If a filter does not allow
 * that, read the "Seccomp:" line of /proc/PID/status from outside. */
int confine_seccomp_query(void);
