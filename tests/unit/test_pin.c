/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parent/pin: the exit removes a mount only in the process that made it. Runs in its own
 * user and mount namespace, in which it may mount.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "confine/namespaces.h"
#include "parent/files/pin.h"

static char directory[] = "/tmp/test_pin.XXXXXX";

static bool
leads_to_made(const char *path)
{
	autofd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd != -1 && parent_pin_made(fd);
}

/* Runs in its own process, because the test is about its exit. */
static _Noreturn void
make_fork_and_exit(void)
{
	int wait_status;
	pid_t pid;

	parent_pin_make("guest");
	if (!leads_to_made("guest") || leads_to_made("/proc/self/ns/net"))
		_exit(2);
	pid = fork();
	if (pid == 0)
		exit(0);
	if (waitpid(pid, &wait_status, 0) != pid || wait_status != 0)
		_exit(3);
	if (!leads_to_made("guest"))
		_exit(4);
	exit(0);
}

static void
test_only_the_maker_unpins_at_its_exit(void **state)
{
	int wait_status;
	pid_t pid = fork();

	(void)state;
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		make_fork_and_exit();
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_true(WIFEXITED(wait_status));
	assert_int_equal(WEXITSTATUS(wait_status), 0);
	assert_int_equal(access("guest", F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static int
enter_namespaces(void **state)
{
	const char *step;

	(void)state;
	if (confine_ns_own(CLONE_NEWUSER | CLONE_NEWNS, NULL, &step) == -1) {
		print_error("user namespaces: %s: %s\n", step, strerror(errno));
		return -1;
	}
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int
remove_directory(void **state)
{
	(void)state;
	umount2("guest", MNT_DETACH);
	unlink("guest");
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_the_maker_unpins_at_its_exit),
	};

	return cmocka_run_group_tests(tests, enter_namespaces, remove_directory);
}
