/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parent/logfile: the log file and the older file stay within their size and keep whole
 * lines in order. Only a regular file that no other process logs to is accepted. A
 * process opens one log file, so each test runs in its own process.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "parent/output/logfile.h"

/* "2026-11-21T09:30:00Z " */
#define TIME_LEN 21

/* More lines than both files can keep. */
#define N_LINES 30000

static char directory[] = "/tmp/test_logfile.XXXXXX";

/* The exit status of a process that runs body; its fatal errors go to "stderr". */
static int
status_of(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, STDERR_FILENO);
		body();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static char *
contents(const char *path, size_t *len)
{
	static char text[2][2 * LOGFILE_SIZE_MAX + 1];
	static int n;
	FILE *file = fopen(path, "re");
	char *to = text[n++ % 2];

	assert_non_null(file);
	*len = fread(to, 1, 2 * LOGFILE_SIZE_MAX, file);
	to[*len] = '\0';
	fclose(file);
	return to;
}

static void
assert_said(const char *text)
{
	size_t len;

	if (!strstr(contents("stderr", &len), text))
		fail_msg("not said: %s", text);
}

static int
clean(void **state)
{
	(void)state;
	unlink("log");
	unlink("log.1");
	unlink("elsewhere");
	unlink("stderr");
	return 0;
}

static void
write_lines(void)
{
	char line[100];

	parent_logfile_open("log");
	for (int i = 0; i < N_LINES; i++) {
		int len = snprintf(line, sizeof(line),
		    "slirpd: line %05d of a length like that of many others\n", i);

		if (!parent_logfile_write(line, (size_t)len))
			_exit(1);
	}
}

/* Checks that the lines' numbers are consecutive; returns the first and the last. */
static void
assert_lines(const char *text, int *first, int *last)
{
	*first = *last = -1;
	while (*text) {
		int number, year;

		assert_int_equal(sscanf(text, "%4d-%*2d-%*2dT%*2d:%*2d:%*2dZ", &year), 1);
		assert_in_range(year, 2020, 9999);
		assert_int_equal(sscanf(text + TIME_LEN, "slirpd: line %5d of", &number),
		    1);
		if (*first == -1)
			*first = number;
		else
			assert_int_equal(number, *last + 1);
		*last = number;
		text = strchr(text, '\n') + 1;
	}
}

static void
test_both_files_stay_within_their_size(void **state)
{
	int first, last, older_first, older_last;
	size_t len, older_len;

	(void)state;
	assert_int_equal(status_of(write_lines), 0);
	assert_lines(contents("log", &len), &first, &last);
	assert_lines(contents("log.1", &older_len), &older_first, &older_last);
	assert_int_equal(last, N_LINES - 1);
	assert_int_equal(first, older_last + 1);
	assert_in_range(len, 1, LOGFILE_SIZE_MAX);
	assert_in_range(older_len, LOGFILE_SIZE_MAX - 200, LOGFILE_SIZE_MAX);
}

static void
write_one(void)
{
	parent_logfile_open("log");
	if (!parent_logfile_write("one\n", 4))
		_exit(1);
}

static void
test_a_new_process_goes_on_behind_what_is_there(void **state)
{
	struct stat st;
	size_t len;

	(void)state;
	assert_int_equal(status_of(write_one), 0);
	assert_int_equal(stat("log", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, TIME_LEN + 4);
	assert_int_equal(status_of(write_one), 0);
	assert_string_equal(contents("log", &len) + 2 * TIME_LEN + 4, "one\n");
	assert_int_equal(stat("log.1", &st), 0);
	assert_int_equal(st.st_size, 0);
}

/* The older file keeps at most its share of an existing file. */
static void
test_a_file_that_is_too_large_is_cut(void **state)
{
	struct stat st;

	(void)state;
	close(open("log", O_WRONLY | O_CREAT, 0600));
	assert_int_equal(truncate("log", 3 * LOGFILE_SIZE_MAX), 0);
	assert_int_equal(status_of(write_one), 0);
	assert_int_equal(stat("log", &st), 0);
	assert_int_equal(st.st_size, TIME_LEN + 4);
	assert_int_equal(stat("log.1", &st), 0);
	assert_int_equal(st.st_size, LOGFILE_SIZE_MAX);
}

static void
test_nothing_but_regular_files_is_logged_to(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("log", 0600), 0);
	assert_int_equal(status_of(write_one), 1);
	assert_said("log file log: use what is not a regular file");
	unlink("log");
	assert_int_equal(symlink("elsewhere", "log"), 0);
	assert_int_equal(status_of(write_one), 1);
	assert_said("log file log: open it: Too many levels of symbolic links");
	unlink("log");
	assert_int_equal(symlink("elsewhere", "log.1"), 0);
	assert_int_equal(status_of(write_one), 1);
	assert_said("log file log.1: open it: Too many levels of symbolic links");
	assert_int_equal(access("elsewhere", F_OK), -1);
}

static void
test_a_log_is_one_process_s(void **state)
{
	int fd = open("log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(status_of(write_one), 1);
	assert_said("log file log: another process logs to it");
	close(fd);
	assert_int_equal(status_of(write_one), 0);
}

static void
write_to_full_disk(void)
{
	struct rlimit none = { 0, 0 };

	signal(SIGXFSZ, SIG_IGN);
	parent_logfile_open("log");
	setrlimit(RLIMIT_FSIZE, &none);
	_exit(parent_logfile_write("one\n", 4) ? 1 : 0);
}

static void
test_a_line_that_is_not_taken_is_told_of(void **state)
{
	(void)state;
	assert_int_equal(status_of(write_to_full_disk), 0);
}

static int
enter(void **state)
{
	(void)state;
	return mkdtemp(directory) == NULL || chdir(directory) == -1;
}

static int
leave(void **state)
{
	(void)state;
	return chdir("/") | rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_both_files_stay_within_their_size, clean),
		cmocka_unit_test_teardown(test_a_new_process_goes_on_behind_what_is_there,
		    clean),
		cmocka_unit_test_teardown(test_a_file_that_is_too_large_is_cut, clean),
		cmocka_unit_test_teardown(test_nothing_but_regular_files_is_logged_to,
		    clean),
		cmocka_unit_test_teardown(test_a_log_is_one_process_s, clean),
		cmocka_unit_test_teardown(test_a_line_that_is_not_taken_is_told_of,
		    clean),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
