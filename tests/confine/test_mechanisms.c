/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_mechanisms own-userns | privileged | barred ERRNO WHY: every mechanism of
 * src/confine, in the setting that the caller has made (test_mechanisms.py).
 */
#include "mechanisms.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/landlock.h"
#include "confine/namespaces.h"

#define CHILD_FAILED 99

enum setting setting;
int barred_errno;
const char *barred_why;

_Noreturn void
check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not true: %s (errno: %s)\n", file, line, what,
	    strerror(errno));
	/* No atexit handler of a sanitizer: it may not be possible to run it here. */
	_exit(CHILD_FAILED);
}

int
run_in_child(void (*body)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

void
enter_own(int flags)
{
	const char *step = "";

	if (setting == SETTING_OWN_USERNS)
		flags |= CLONE_NEWUSER;
	if (confine_ns_own(flags, NULL, &step) == -1)
		check_failed(__FILE__, __LINE__, step);
}

void
send_fd(int socket_fd, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);

	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	CHECK(sendmsg(socket_fd, &msg, 0) == 1);
}

int
receive_fd(int socket_fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	int fd = -1;

	CHECK(recvmsg(socket_fd, &msg, MSG_CMSG_CLOEXEC) == 1);
	cmsg = CMSG_FIRSTHDR(&msg);
	CHECK(cmsg != NULL && cmsg->cmsg_type == SCM_RIGHTS);
	memcpy(&fd, CMSG_DATA(cmsg), sizeof(int));
	return fd;
}

bool
is_real_root(void)
{
	unsigned int inside = 1, outside = 1, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");

	if (map) {
		if (fscanf(map, "%u %u %u", &inside, &outside, &count) != 3)
			count = 0;
		fclose(map);
	}
	return geteuid() == 0 && inside == 0 && outside == 0 && count == UINT32_MAX;
}

static int
usage(void)
{
	fprintf(stderr,
	    "usage: test_mechanisms own-userns | privileged | "
	    "barred ENOSPC|EPERM WHY\n");
	return 2;
}

int
main(int argc, char **argv)
{
	int n_failed = 0;

	if (argc < 2)
		return usage();
	if (strcmp(argv[1], "print-caps") == 0)
		return print_caps();
	if (strcmp(argv[1], "own-userns") == 0) {
		setting = SETTING_OWN_USERNS;
	} else if (strcmp(argv[1], "privileged") == 0) {
		setting = SETTING_PRIVILEGED;
	} else if (strcmp(argv[1], "barred") == 0 && argc == 4) {
		setting = SETTING_BARRED;
		barred_errno = strcmp(argv[2], "ENOSPC") == 0 ? ENOSPC : EPERM;
		barred_why = argv[3];
	} else {
		return usage();
	}
	printf("setting %s, uid %d, real root %d, Landlock ABI %d\n", argv[1],
	    (int)geteuid(), is_real_root(), confine_landlock_abi());
	fflush(stdout);
	if (setting == SETTING_BARRED) {
		n_failed += run_barred_tests();
	} else {
		n_failed += run_namespaces_tests();
		n_failed += run_mountns_tests();
	}
	n_failed += run_caps_tests();
	n_failed += run_limits_tests();
	n_failed += run_landlock_tests();
	n_failed += run_seccomp_tests();
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
