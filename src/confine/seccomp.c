/* SPDX-License-Identifier: BSD-2-Clause */
/* Installs and queries the seccomp filter of the process. */
#include "confine/seccomp.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 4.14 added this flag; older headers lack it. */
#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG (1UL << 1)
#endif

int
confine_seccomp_install(const struct sock_filter *filter, size_t n_instructions,
    const unsigned short *self_at)
{
	static struct sock_filter copy[BPF_MAXINSNS];
	struct sock_fprog program = {
		.len = (unsigned short)n_instructions,
		.filter = copy,
	};

	if (n_instructions == 0 || n_instructions > BPF_MAXINSNS) {
		errno = EINVAL;
		return -1;
	}
	memcpy(copy, filter, n_instructions * sizeof(copy[0]));
	for (; self_at && *self_at != 0; self_at++)
		copy[*self_at].k = (uint32_t)getpid();
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG,
		&program) == 0)
		return 0;
	/* EINVAL: the kernel does not know the flag, or the program is bad. A bad program
	 * fails the second call too. */
	if (errno != EINVAL)
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : -1;
}

int
confine_seccomp_query(void)
{
	return prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
}
