/* SPDX-License-Identifier: BSD-2-Clause */
/* no_new_privs, not dumpable, resource limits: each on its own, with what it stops. */
#include "mechanisms.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/limits.h"

/* Capabilities set some limits aside, those over the initial user namespace. */
static void
drop_caps(void)
{
	CHECK(confine_caps_drop() == 0);
}

static bool
is_zero(__rlimit_resource_t resource)
{
	struct rlimit limit;

	CHECK(getrlimit(resource, &limit) == 0);
	return limit.rlim_max == 0;
}

/* The set of limits, from the kernel. Dumpable may be 2 (fs.suid_dumpable): readable by
 * root only, but dumped into a pipe. */
static unsigned int
limits_now(void)
{
	return (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) *
	    CONFINE_LIMIT_NO_NEW_PRIVS |
	    (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0) * CONFINE_LIMIT_NOT_DUMPABLE |
	    is_zero(RLIMIT_CORE) * CONFINE_LIMIT_NO_CORE |
	    is_zero(RLIMIT_NPROC) * CONFINE_LIMIT_NO_PROCESSES |
	    is_zero(RLIMIT_FSIZE) * CONFINE_LIMIT_NO_FILE_GROWTH |
	    is_zero(RLIMIT_MEMLOCK) * CONFINE_LIMIT_NO_LOCKED_MEMORY;
}

IN_CHILD(test_each_limit_is_set_alone)
{
	unsigned int before = limits_now(), after = before;

	CHECK_FAILS(confine_limits_set(CONFINE_LIMITS_ALL + 1), EINVAL);
	for (unsigned int limit = 1; limit < CONFINE_LIMITS_ALL; limit <<= 1) {
		CHECK(confine_limits_set(limit) == 0);
		after = limits_now();
		CHECK(after == (before | limit));
		before = after;
	}
	CHECK(after == CONFINE_LIMITS_ALL);
	CHECK(confine_limits_set(CONFINE_LIMITS_ALL) == 0);
}

IN_CHILD(test_no_new_privs_stays)
{
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_NEW_PRIVS) == 0);
	CHECK_FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* A child that stays, dumpable or not; the test is who may look at it. */
static pid_t
start_waiter(unsigned int limits)
{
	int ready[2];
	char byte = 0;
	pid_t pid;

	CHECK(pipe2(ready, O_CLOEXEC) == 0);
	pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		CHECK(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
		drop_caps();
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		CHECK(confine_limits_set(limits) == 0);
		CHECK(write(ready[1], &byte, 1) == 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	return pid;
}

static void
stop_waiter(pid_t pid)
{
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, NULL, __WALL) == pid);
}

static int
open_environ(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

IN_CHILD(test_not_dumpable_is_not_traced)
{
	pid_t open_pid, closed_pid;

	open_pid = start_waiter(0);
	closed_pid = start_waiter(CONFINE_LIMIT_NOT_DUMPABLE);
	/* A parent without CAP_SYS_PTRACE, as slirpd's is. */
	drop_caps();
	CHECK(open_environ(open_pid) != -1);
	CHECK(ptrace(PTRACE_SEIZE, open_pid, NULL, NULL) == 0);
	CHECK_FAILS(open_environ(closed_pid), EACCES);
	CHECK_FAILS(ptrace(PTRACE_SEIZE, closed_pid, NULL, NULL), EPERM);
	stop_waiter(open_pid);
	stop_waiter(closed_pid);
}

static bool
abort_dumps(unsigned int limits)
{
	char dir[] = "/tmp/slirpd-test-XXXXXX";
	char command[64];
	int status;
	pid_t pid;

	CHECK(mkdtemp(dir) != NULL);
	pid = fork();
	CHECK(pid != -1);
	if (pid == 0) {
		struct rlimit limit;

		/* A sanitizer has a handler, and switches dumps off. */
		signal(SIGABRT, SIG_DFL);
		CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
		limit.rlim_cur = limit.rlim_max;
		CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
		CHECK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0);
		CHECK(chdir(dir) == 0);
		CHECK(confine_limits_set(limits) == 0);
		raise(SIGABRT);
		_exit(1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK(system(command) == 0);
	return WCOREDUMP(status);
}

static bool
core_goes_to_a_pipe(void)
{
	FILE *pattern = fopen("/proc/sys/kernel/core_pattern", "re");
	int first;

	CHECK(pattern != NULL);
	first = fgetc(pattern);
	fclose(pattern);
	return first == '|';
}

IN_CHILD(test_no_core)
{
	struct rlimit limit;

	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
	if (limit.rlim_max == 0)
		printf("no control for core dumps: the hard limit is 0\n");
	else
		printf("control: abort dumps core: %d\n", abort_dumps(0));
	fflush(stdout);
	CHECK(!abort_dumps(CONFINE_LIMIT_NOT_DUMPABLE));
	if (!core_goes_to_a_pipe())
		CHECK(!abort_dumps(CONFINE_LIMIT_NO_CORE));
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_CORE) == 0);
	CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
	CHECK(limit.rlim_cur == 0 && limit.rlim_max == 0);
}

static void
do_nothing(void)
{
}

IN_CHILD(test_no_processes)
{
	/* Before the jail: whoever is uid 0 of the machine is not bound by it. */
	bool bound = !is_real_root();

	drop_caps();
	CHECK(run_in_child(do_nothing) == 0);
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_PROCESSES) == 0);
	errno = 0;
	if (bound) {
		CHECK(run_in_child(do_nothing) == -1);
		CHECK(errno == EAGAIN);
	} else {
		CHECK(run_in_child(do_nothing) == 0);
	}
	CHECK_FAILS(setrlimit(RLIMIT_NPROC,
			&(struct rlimit){ .rlim_cur = 1, .rlim_max = 1 }),
	    EPERM);
}

IN_CHILD(test_processes_of_others_go_on)
{
	/* The limit of this process's child does not count for this process. */
	pid_t pid = start_waiter(CONFINE_LIMIT_NO_PROCESSES);

	CHECK(run_in_child(do_nothing) == 0);
	stop_waiter(pid);
}

/* A TAP of the process's own network namespace, or -1 where it may not have one. */
static int
open_tap(void)
{
	struct ifreq request = { .ifr_name = "test0", .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(socket_fd != -1);
	if (fd == -1)
		return -1;
	CHECK(ioctl(fd, TUNSETIFF, &request) == 0);
	request.ifr_flags = IFF_UP;
	CHECK(ioctl(socket_fd, SIOCSIFFLAGS, &request) == 0);
	close(socket_fd);
	return fd;
}

static void
grow_after_limit(void)
{
	char path[] = "/tmp/slirpd-test-XXXXXX";
	const char frame[64] = { (char)0xff, (char)0xff, (char)0xff, (char)0xff,
		(char)0xff, (char)0xff, 2, 0, 0, 0, 0, 1, (char)0x88, (char)0xb5 };
	int file_fd = mkstemp(path), null_fd, tap_fd = -1;
	int pair[2], ends[2];

	CHECK(file_fd != -1 && unlink(path) == 0);
	if (setting != SETTING_BARRED) {
		enter_own(CLONE_NEWNET);
		tap_fd = open_tap();
	}
	printf("with a TAP: %d\n", tap_fd != -1);
	fflush(stdout);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	CHECK(null_fd != -1);
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	CHECK(pipe2(ends, O_CLOEXEC) == 0);
	CHECK(write(file_fd, "x", 1) == 1); /* the control */
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_FILE_GROWTH) == 0);
	CHECK(write(pair[0], frame, sizeof(frame)) == sizeof(frame));
	CHECK(write(ends[1], frame, sizeof(frame)) == sizeof(frame));
	CHECK(write(null_fd, frame, sizeof(frame)) == sizeof(frame));
	if (tap_fd != -1)
		CHECK(write(tap_fd, frame, sizeof(frame)) == sizeof(frame));
	signal(SIGXFSZ, SIG_IGN);
	CHECK_FAILS(write(file_fd, "x", 1), EFBIG);
	signal(SIGXFSZ, SIG_DFL);
	/* Without a handler it ends here, by SIGXFSZ. */
	CHECK(write(file_fd, "x", 1) == 1);
}

static void
test_no_file_growth_leaves_sockets_and_tap(void **state)
{
	int status;

	(void)state;
	status = run_in_child(grow_after_limit);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGXFSZ);
}

IN_CHILD(test_no_locked_memory)
{
	static char page[4096];
	struct rlimit limit;

	drop_caps();
	CHECK(getrlimit(RLIMIT_MEMLOCK, &limit) == 0);
	CHECK(limit.rlim_cur >= 2 * sizeof(page));
	/* Not the library's: with AddressSanitizer that one does nothing. */
	CHECK(syscall(SYS_mlock, page, sizeof(page)) == 0);
	CHECK(syscall(SYS_munlock, page, sizeof(page)) == 0);
	CHECK(confine_limits_set(CONFINE_LIMIT_NO_LOCKED_MEMORY) == 0);
	CHECK_FAILS(syscall(SYS_mlock, page, sizeof(page)), EPERM);
}

int
run_limits_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_limit_is_set_alone),
		cmocka_unit_test(test_no_new_privs_stays),
		cmocka_unit_test(test_not_dumpable_is_not_traced),
		cmocka_unit_test(test_no_core),
		cmocka_unit_test(test_no_processes),
		cmocka_unit_test(test_processes_of_others_go_on),
		cmocka_unit_test(test_no_file_growth_leaves_sockets_and_tap),
		cmocka_unit_test(test_no_locked_memory),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
