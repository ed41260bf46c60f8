/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/target: the kinds of files that a namespace path may name. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/exitcode.h"
#include "base/log.h"
#include "parent/supervise/target.h"

/* open(2) that waits for a writer never returns. SIGALRM then ends the child, long after
 * the time that it should need. */
#define OPEN_LIMIT_S 20

static int text_fd;

static void
emit(enum log_level level, const char *text)
{
	(void)level;
	dprintf(text_fd, "%s", text);
}

/* Runs in a child, because a refusal ends the process. Returns its wait status and its
 * `text`. */
static int
open_target(const struct options *options, char *text, size_t text_size)
{
	int fds[2], wait_status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct target target;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(OPEN_LIMIT_S);
		text_fd = fds[1];
		log_set_emit(emit);
		parent_target_open(&target, options);
		_exit(EXITCODE_OK);
	}
	close(fds[1]);
	n = read(fds[0], text, text_size - 1);
	text[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &wait_status, 0), pid);
	return wait_status;
}

static void
expect_refusal(const struct options *options, const char *wanted)
{
	char text[LOG_TEXT_SIZE];
	int wait_status = open_target(options, text, sizeof(text));

	assert_true(WIFEXITED(wait_status));
	assert_int_equal(WEXITSTATUS(wait_status), EXITCODE_FAILURE);
	assert_string_equal(text, wanted);
}

/* The command line saw another file there. */
static void
test_fifo_in_the_place_of_a_namespace_is_not_waited_for(void **state)
{
	struct options options = {
		.target = OPTIONS_TARGET_PATH,
		.netns_path = "fifo",
	};

	(void)state;
	expect_refusal(&options, "open network namespace fifo: not a network namespace");
	options.netns_path = "/proc/self/ns/net";
	options.userns_path = "fifo";
	expect_refusal(&options, "open user namespace fifo: not a user namespace");
}

static void
test_namespace_of_another_kind_and_other_files_are_refused(void **state)
{
	struct options options = {
		.target = OPTIONS_TARGET_PATH,
		.netns_path = "/proc/self/ns/uts",
	};

	(void)state;
	expect_refusal(&options,
	    "open network namespace /proc/self/ns/uts: not a network namespace");
	options.netns_path = "/dev/null";
	expect_refusal(&options,
	    "open network namespace /dev/null: not a network namespace");
	options.netns_path = "none";
	expect_refusal(&options,
	    "open network namespace none: No such file or directory");
}

static void
test_namespace_is_opened_by_path_and_by_link(void **state)
{
	struct options options = {
		.target = OPTIONS_TARGET_PATH,
		.netns_path = "/proc/self/ns/net",
	};
	char text[LOG_TEXT_SIZE];

	(void)state;
	assert_int_equal(open_target(&options, text, sizeof(text)), 0);
	options.netns_path = "link";
	assert_int_equal(open_target(&options, text, sizeof(text)), 0);
}

static int
make_files(void **state)
{
	char *directory = strdup("/tmp/test_target.XXXXXX");

	*state = directory;
	return !directory || !mkdtemp(directory) || chdir(directory) == -1 ||
	    mkfifo("fifo", 0600) == -1 || symlink("/proc/self/ns/net", "link") == -1;
}

static int
remove_files(void **state)
{
	int failed = unlink("fifo") | unlink("link") | rmdir(*state);

	free(*state);
	return failed;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fifo_in_the_place_of_a_namespace_is_not_waited_for),
		cmocka_unit_test(
		    test_namespace_of_another_kind_and_other_files_are_refused),
		cmocka_unit_test(test_namespace_is_opened_by_path_and_by_link),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
