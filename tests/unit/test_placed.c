/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parent/placed and parent/pidfile: modes of slirpd's files in the caller's directories,
 * and their removal at the exit.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parent/files/pidfile.h"

static char directory[] = "/tmp/test_placed.XXXXXX";

/* Runs body, which returns or exits, in its own process. Returns its exit status. */
static int
status_of(void (*body)(void))
{
	int wait_status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		body();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	assert_true(WIFEXITED(wait_status));
	return WEXITSTATUS(wait_status);
}

static void
write_with_umask_0(void)
{
	struct stat st;

	umask(0);
	parent_pidfile_write("pid");
	if (stat("pid", &st) == -1)
		_exit(2);
	if ((st.st_mode & ALLPERMS) != 0644)
		_exit(3);
}

static void
test_pid_file_is_writable_by_its_owner_alone_whatever_the_umask(void **state)
{
	(void)state;
	assert_int_equal(status_of(write_with_umask_0), 0);
}

static void
write_and_let_a_child_exit(void)
{
	int wait_status;
	pid_t pid;

	parent_pidfile_write("pid");
	pid = fork();
	if (pid == 0)
		exit(0);
	if (waitpid(pid, &wait_status, 0) != pid || wait_status != 0)
		_exit(2);
	if (access("pid", F_OK) == -1)
		_exit(3);
}

static void
test_only_the_maker_removes_the_file_at_its_exit(void **state)
{
	(void)state;
	assert_int_equal(status_of(write_and_let_a_child_exit), 0);
	assert_int_equal(access("pid", F_OK), -1);
	assert_int_equal(errno, ENOENT);
}

static int
enter_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) && chdir(directory) == 0 ? 0 : -1;
}

static int
remove_directory(void **state)
{
	(void)state;
	unlink("pid");
	return rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_pid_file_is_writable_by_its_owner_alone_whatever_the_umask),
		cmocka_unit_test(test_only_the_maker_removes_the_file_at_its_exit),
	};

	return cmocka_run_group_tests(tests, enter_directory, remove_directory);
}
