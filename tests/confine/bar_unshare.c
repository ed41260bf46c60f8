/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bar_unshare CMD [ARG]...: runs CMD where no user namespace can be made, as under the
 * default filters of container managers: unshare and clone with CLONE_NEWUSER fail with
 * EPERM, and clone3, whose flags a filter can't see, does not exist (ENOSYS), so that libc
 * falls back to clone. Needs CAP_SYS_ADMIN, which CMD then can give up.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARG_LOW(n) (uint32_t) offsetof(struct seccomp_data, args[n])
#else
#define ARG_LOW(n) (uint32_t)(offsetof(struct seccomp_data, args[n]) + 4)
#endif

#define LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offset))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define JUMP_IF(value, n) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (n), 0)
#define JUMP_IF_SET(bits, set, clear) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), (set), (clear))

/* clone's flags are its first argument but for s390, where they are the second. */
#ifdef __s390__
#error "clone's flags are in another argument here"
#endif

/* Jumps count the instructions that are left out. */
static struct sock_filter filter[] = {
	LOAD(offsetof(struct seccomp_data, nr)),
	JUMP_IF(SYS_clone3, 5),
	JUMP_IF(SYS_unshare, 2),
	JUMP_IF(SYS_clone, 1),
	RETURN(SECCOMP_RET_ALLOW),
	LOAD(ARG_LOW(0)),
	JUMP_IF_SET(CLONE_NEWUSER, 2, 1),
	RETURN(SECCOMP_RET_ERRNO | ENOSYS),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(SECCOMP_RET_ERRNO | EPERM),
};

int
main(int argc, char **argv)
{
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]),
		.filter = filter,
	};

	if (argc < 2) {
		fprintf(stderr, "usage: bar_unshare CMD [ARG]...\n");
		return 2;
	}
	/* With CAP_SYS_ADMIN and without no_new_privs, as a container manager does it. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1) {
		fprintf(stderr, "bar_unshare: %s\n", strerror(errno));
		return 1;
	}
	execvp(argv[1], argv + 1);
	fprintf(stderr, "bar_unshare: %s: %s\n", argv[1], strerror(errno));
	return 127;
}
