/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/nswatch: the conditions under which nobody uses a network namespace. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parent/watch/nswatch.h"

/* Any times, further apart than two checks. */
#define FIRST_MS 1000000
#define LATER_MS 10000

static struct nswatch watch;
static pid_t guest, other; /* in the namespace; 0 for none */
static int netns_fd;

static pid_t
live_in(int fd)
{
	int fds[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if ((fd == -1 ? unshare(CLONE_NEWNET) : setns(fd, CLONE_NEWNET)) == -1 ||
		    write(fds[1], "1", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	return pid;
}

static void
end(pid_t *pid)
{
	if (*pid == 0)
		return;
	kill(*pid, SIGKILL);
	assert_int_equal(waitpid(*pid, NULL, 0), *pid);
	*pid = 0;
}

static int
setup(void **state)
{
	char path[64];

	(void)state;
	guest = live_in(-1);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", guest);
	netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	parent_nswatch_init(&watch);
	return netns_fd == -1 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	end(&guest);
	end(&other);
	parent_nswatch_end(&watch);
	return close(netns_fd);
}

/* The second check finds a process that was passed on while the first read /proc. */
static void
test_two_looks_that_find_nobody_are_the_end(void **state)
{
	(void)state;
	parent_nswatch_begin(&watch, netns_fd, guest, 0, NULL, FIRST_MS);
	assert_false(parent_nswatch_is_gone(&watch, false, FIRST_MS + LATER_MS));
	end(&guest);
	assert_false(parent_nswatch_is_gone(&watch, true, FIRST_MS + 2 * LATER_MS));
	assert_int_not_equal(parent_nswatch_due_ms(&watch), DEADLINE_NONE);
	assert_true(parent_nswatch_is_gone(&watch, false, FIRST_MS + 3 * LATER_MS));
}

static void
test_somebody_who_comes_between_the_looks_is_seen(void **state)
{
	short events;

	(void)state;
	parent_nswatch_begin(&watch, netns_fd, guest, 0, NULL, FIRST_MS);
	/* The other process starts between the first and the second check. */
	end(&guest);
	assert_false(parent_nswatch_is_gone(&watch, true, FIRST_MS + LATER_MS));
	other = live_in(netns_fd);
	assert_false(parent_nswatch_is_gone(&watch, false, FIRST_MS + 2 * LATER_MS));
	assert_int_not_equal(parent_nswatch_fd(&watch, &events), -1);
	/* The count begins again. */
	end(&other);
	assert_false(parent_nswatch_is_gone(&watch, true, FIRST_MS + 3 * LATER_MS));
	assert_true(parent_nswatch_is_gone(&watch, false, FIRST_MS + 4 * LATER_MS));
}

/* No event tells that the caller closes its descriptor. A process that happens to be in
 * the namespace at the start does not show it. */
static void
test_namespace_named_by_a_descriptor_counts_as_used(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", netns_fd);
	parent_nswatch_begin(&watch, netns_fd, -1, 0, path, FIRST_MS);
	end(&guest);
	for (int i = 1; i < 5; i++)
		assert_false(parent_nswatch_is_gone(&watch, true,
		    (uint64_t)(FIRST_MS + i * LATER_MS)));
}

int
main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_two_looks_that_find_nobody_are_the_end),
		TEST(test_somebody_who_comes_between_the_looks_is_seen),
		TEST(test_namespace_named_by_a_descriptor_counts_as_used),
	};

	/* An ordinary user may make network namespaces only in a user namespace of its
	 * own. */
	if (geteuid() != 0 && unshare(CLONE_NEWUSER) == -1)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
