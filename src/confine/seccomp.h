/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system-call filter (seccomp(2)). Any role, last of all: what a stage needs to set
 * itself up is not in any policy. Needs CONFINE_LIMIT_NO_NEW_PRIVS or CAP_SYS_ADMIN
 * (EACCES). The process has one thread; the filter holds for the calling one.
 */
#pragma once

#include <stddef.h>

#include <linux/filter.h>

/*
 * Installs n_instructions of BPF, at most BPF_MAXINSNS (EINVAL). They are copied, and the
 * process's own PID is put into those whose indices are in self_at, which ends with 0
 * (seccomp/README.md; NULL for none). With SECCOMP_FILTER_FLAG_LOG where the kernel has
 * it (4.14), so that also what is refused with an errno leaves an audit record. A filter
 * is added to those that the caller left, and each call then has the strictest answer of
 * all. 0, or -1 with errno set.
 */
int confine_seccomp_install(const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at);

/*
 * SECCOMP_MODE_DISABLED, SECCOMP_MODE_STRICT or SECCOMP_MODE_FILTER (linux/seccomp.h), or
 * -1 with errno set. It is a prctl(2): under a filter that does not allow it, ask the
 * "Seccomp:" line of /proc/PID/status from outside instead.
 */
int confine_seccomp_query(void);
