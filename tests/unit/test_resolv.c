/* SPDX-License-Identifier: BSD-2-Clause */
/* The name servers follow the host's resolv.conf after every kind of change. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/log.h"
#include "base/inaddr.h"
#include "parent/watch/nameservers.h"
#include "parent/watch/resolv.h"

/* The parent's limit. */
#define CURRENT_WITHIN_MS 1000

/* After a change, until nothing is due: several settling times. */
#define CALM_WITHIN_MS 5000

/* Longer than the delays after an event, shorter than the check without an event. */
#define NOTHING_DUE_MS 2000

#define SERVER_1 "nameserver 192.0.2.1\n"
#define SERVER_2 "nameserver 192.0.2.2\n"
#define SERVER_3 "nameserver 192.0.2.3\n"

static char base[] = "/tmp/slirpd-resolv.XXXXXX";

/* All of these are below base; most tests use a few. */
static char host[64]; /* a directory, the parent of the followed file */
static char followed[128];

static struct resolv resolv;
static uint64_t skipped_ms;
static bool others_write; /* another process writes: the waits are real */
static int n_wakes;
static int n_changes;
static int n_tellings; /* of the name servers to the worker */

static int n_lines;
static char last_line[LOG_TEXT_SIZE];

static void
count_line(enum log_level level, const char *text)
{
	(void)level;
	n_lines++;
	snprintf(last_line, sizeof(last_line), "%s", text);
}

/* The path of a name below the host's directory; valid for the next seven calls. */
static const char *
at(const char *name)
{
	static char paths[8][256];
	static unsigned int next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", host, name);
	return path;
}

static void
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Writes like most programs: a new file replaces the old. It is made in a directory
 * without watch, so that only the rename(2) can be noticed. */
static void
replace_text(const char *path, const char *text)
{
	char temporary[128];

	snprintf(temporary, sizeof(temporary), "%s/jail/new", base);
	write_text(temporary, text);
	assert_int_equal(rename(temporary, path), 0);
}

static void
replace_link(const char *path, const char *target)
{
	char temporary[128];

	snprintf(temporary, sizeof(temporary), "%s/jail/new", base);
	assert_int_equal(symlink(target, temporary), 0);
	assert_int_equal(rename(temporary, path), 0);
}

static void
make_dir(const char *path)
{
	assert_int_equal(mkdir(path, 0755), 0);
}

static bool
servers_are(const char *text)
{
	struct ipc_nameservers expected;

	parent_nameservers_parse(text, strlen(text), &expected);
	return memcmp(&resolv.nameservers, &expected, sizeof(expected)) == 0;
}

/* The time of the loop. It is ahead of the real time by the skipped waits. An event
 * exists when the system call that causes it returns, so nothing arrives during a
 * wait. */
static uint64_t
loop_now_ms(void)
{
	return clock_now_ms() + skipped_ms;
}

/* What the parent does after a turn: the worker's queue has room. */
static void
tell_worker(void)
{
	n_tellings += !resolv.is_told;
	resolv.is_told = true;
}

/* One turn of a loop like the parent's; waits until deadline_ms at most. */
static void
serve(uint64_t deadline_ms)
{
	uint64_t now_ms = loop_now_ms();
	struct pollfd ready = { .fd = parent_resolv_fd(&resolv), .events = POLLIN };
	int timeout_ms =
	    deadline_timeout(deadline_earlier(parent_resolv_due_ms(&resolv), deadline_ms),
		now_ms);

	if (poll(&ready, 1, others_write ? timeout_ms : 0) == 0 && !others_write)
		skipped_ms += (uint64_t)timeout_ms;
	n_wakes++;
	n_changes += parent_resolv_handle(&resolv, ready.revents != 0, loop_now_ms());
	tell_worker();
}

static bool
servers_become(const char *text)
{
	uint64_t deadline_ms = loop_now_ms() + CURRENT_WITHIN_MS;

	while (!servers_are(text) && loop_now_ms() < deadline_ms)
		serve(deadline_ms);
	if (!servers_are(text))
		print_error("the servers are not %s", text);
	return servers_are(text);
}

/* Serves until nothing is due for a while. Waits for events, so that it sees all. */
static bool
becomes_calm(void)
{
	uint64_t deadline_ms = loop_now_ms() + CALM_WITHIN_MS;

	while (loop_now_ms() < deadline_ms) {
		struct pollfd ready = { .fd = parent_resolv_fd(&resolv),
			.events = POLLIN };

		if (parent_resolv_due_ms(&resolv) > loop_now_ms() + NOTHING_DUE_MS &&
		    poll(&ready, 1, 0) == 0)
			return true;
		serve(deadline_ms);
	}
	return false;
}

static void
follow(void)
{
	parent_resolv_begin(&resolv, followed, loop_now_ms());
	tell_worker();
}

/* Every change must cause an event: the check without event is seconds away. */
#define ASSERT_FOLLOWS(text) \
	do { \
		assert_true(servers_become(text)); \
		assert_true(becomes_calm()); \
	} while (0)

static void
remove_tree(const char *path)
{
	char command[PATH_MAX];

	snprintf(command, sizeof(command), "chmod -R u+rwX '%s'; rm -rf '%s'", path,
	    path);
	assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
}

static int
setup(void **state)
{
	(void)state;
	snprintf(host, sizeof(host), "%s/host", base);
	snprintf(followed, sizeof(followed), "%s/resolv.conf", host);
	make_dir(host);
	n_lines = 0;
	n_wakes = 0;
	n_changes = 0;
	n_tellings = 0;
	last_line[0] = '\0';
	log_set_emit(count_line);
	parent_resolv_init(&resolv);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	parent_resolv_end(&resolv);
	remove_tree(host);
	return 0;
}

static void
expect_read(const char *text, size_t buf_size, const char *wanted)
{
	char buf[128];
	ssize_t n;

	write_text(followed, text);
	memset(buf, '!', sizeof(buf));
	n = parent_resolv_read(followed, buf, buf_size);
	assert_int_equal(n, strlen(wanted));
	assert_memory_equal(buf, wanted, strlen(wanted));
	assert_int_equal(buf[n], '!');
}

static void
test_read_takes_the_servers(void **state)
{
	(void)state;
	expect_read("# first\n" SERVER_1 "search example.org\n" SERVER_2 "options rotate",
	    100, SERVER_1 SERVER_2 "options rotate\n");
	expect_read("nameserver 192.0.2.1", 100, "nameserver 192.0.2.1\n");
	expect_read("nameserver\t192.0.2.1\n", 100, "nameserver\t192.0.2.1\n");
	expect_read("nameservers 192.0.2.1\n nameserver 192.0.2.2\nnameserver\n"
		    "nameserver\n\n",
	    100, "");
	expect_read("", 100, "");
}

static void
test_read_takes_the_first_whole_lines_that_fit(void **state)
{
	const size_t len = strlen(SERVER_1);

	(void)state;
	expect_read(SERVER_1 SERVER_1, 2 * len, SERVER_1 SERVER_1);
	expect_read(SERVER_1 SERVER_1, 2 * len - 1, SERVER_1);
	expect_read(SERVER_1, len - 1, "");
}

static void
test_read_refuses_what_is_no_file(void **state)
{
	char buf[8];

	(void)state;
	errno = 0;
	assert_int_equal(parent_resolv_read(followed, buf, sizeof(buf)), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(parent_resolv_read(host, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(parent_resolv_read("/dev/null", buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	/* A read of a FIFO without writer would block for ever. */
	assert_int_equal(mkfifo(followed, 0644), 0);
	assert_int_equal(parent_resolv_read(followed, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
}

static void
test_follow_nothing(void **state)
{
	(void)state;
	assert_int_equal(parent_resolv_fd(&resolv), -1);
	assert_int_equal(parent_resolv_due_ms(&resolv), DEADLINE_NONE);
	parent_resolv_handle(&resolv, false, 1);
	parent_resolv_handle(&resolv, true, 1000000);
	assert_int_equal(parent_resolv_due_ms(&resolv), DEADLINE_NONE);
	assert_int_equal(n_lines, 0);
}

static void
test_begin_reads_the_servers(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(servers_are(SERVER_1));
	assert_true(becomes_calm());
	assert_int_equal(n_lines, 0);
}

static void
test_end_closes_what_was_made(void **state)
{
	int inotify_fd;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	inotify_fd = parent_resolv_fd(&resolv);
	assert_true(fdio_is_open(inotify_fd));
	parent_resolv_end(&resolv);
	assert_false(fdio_is_open(inotify_fd));
	assert_int_equal(parent_resolv_fd(&resolv), -1);
	assert_int_equal(parent_resolv_due_ms(&resolv), DEADLINE_NONE);
	parent_resolv_end(&resolv);
}

static void
test_begin_again(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	follow();
	assert_true(servers_are(SERVER_1));
	write_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
}

static void
test_rewritten_in_place(void **state)
{
	autofd int fd = -1;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(becomes_calm());
	write_text(followed, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
	write_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	/* A writer that does not close the file. */
	fd = open(followed, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, SERVER_1, strlen(SERVER_1), 0), strlen(SERVER_1));
	ASSERT_FOLLOWS(SERVER_1);
}

static void
test_rewritten_with_the_same_size_and_time(void **state)
{
	const struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	(void)state;
	write_text(followed, SERVER_1);
	assert_int_equal(utimensat(AT_FDCWD, followed, times, 0), 0);
	follow();
	assert_true(becomes_calm());
	write_text(followed, SERVER_2);
	assert_int_equal(utimensat(AT_FDCWD, followed, times, 0), 0);
	ASSERT_FOLLOWS(SERVER_2);
}

static void
test_rewritten_by_another_name(void **state)
{
	char other[128];

	(void)state;
	write_text(followed, SERVER_1);
	snprintf(other, sizeof(other), "%s/jail/other-name", base);
	assert_int_equal(link(followed, other), 0);
	follow();
	assert_true(becomes_calm());
	write_text(other, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	unlink(other);
}

static void
test_replaced_by_rename(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	replace_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	replace_text(followed, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
	/* The new file is watched too. */
	write_text(followed, SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
}

static void
test_emptied(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_int_equal(truncate(followed, 0), 0);
	ASSERT_FOLLOWS("");
	write_text(followed, SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_equal(n_lines, 0);
}

static void
test_deleted_and_back(void **state)
{
	char away[128];

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_int_equal(unlink(followed), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(n_lines, 1);
	assert_non_null(strstr(last_line, "No such file"));
	write_text(followed, SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_equal(n_lines, 2);
	/* A renamed file counts as deleted. */
	snprintf(away, sizeof(away), "%s/jail/away", base);
	assert_int_equal(rename(followed, away), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(rename(away, followed), 0);
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_equal(n_lines, 4);
}

static void
test_made_unreadable_and_readable_again(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_int_equal(chmod(followed, 0), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(n_lines, 1);
	assert_non_null(strstr(last_line, "Permission denied"));
	assert_int_equal(chmod(followed, 0644), 0);
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_equal(n_lines, 2);
	/* The file is watched again. */
	write_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
}

static void
test_directory_made_unreadable_and_readable_again(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_int_equal(chmod(host, 0), 0);
	assert_true(servers_become(""));
	assert_int_equal(chmod(host, 0755), 0);
	assert_true(servers_become(SERVER_1));
	/* The directory can be entered but not watched. */
	assert_int_equal(chmod(host, 0311), 0);
	assert_true(servers_become(SERVER_1));
	replace_text(followed, SERVER_2);
	assert_true(servers_become(SERVER_2));
	replace_text(followed, SERVER_3);
	assert_true(servers_become(SERVER_3));
	assert_true(resolv.is_blind);
	assert_int_equal(chmod(host, 0755), 0);
	ASSERT_FOLLOWS(SERVER_3);
}

static void
test_replaced_by_a_directory_and_back(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	unlink(followed);
	make_dir(followed);
	ASSERT_FOLLOWS("");
	assert_non_null(strstr(last_line, "not a regular file"));
	rmdir(followed);
	write_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
}

/* glibc reads the file to its end, and so does the parent. */
static void
test_server_behind_much_else_is_found(void **state)
{
	FILE *file = fopen(followed, "we");

	(void)state;
	for (int i = 0; i < 20000; i++)
		fputs("# the next line is a long one\n", file);
	fputs("#", file);
	for (int i = 0; i < 100000; i++)
		fputs("nameserver 192.0.2.9 ", file);
	fputs("\n" SERVER_2 SERVER_1, file);
	fclose(file);
	follow();
	ASSERT_FOLLOWS(SERVER_2 SERVER_1);
	assert_int_equal(n_lines, 0);
}

static void
test_link_pointed_elsewhere(void **state)
{
	(void)state;
	write_text(at("one"), SERVER_1);
	write_text(at("two"), SERVER_2);
	assert_int_equal(symlink("one", followed), 0);
	follow();
	assert_true(servers_are(SERVER_1));
	replace_link(followed, at("two"));
	ASSERT_FOLLOWS(SERVER_2);
	assert_int_equal(unlink(followed), 0);
	assert_int_equal(symlink("one", followed), 0);
	ASSERT_FOLLOWS(SERVER_1);
	/* A file replaces the link, and a link the file. */
	replace_text(followed, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
	replace_link(followed, "two");
	ASSERT_FOLLOWS(SERVER_2);
}

static void
change_target(const char *path)
{
	replace_text(path, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	write_text(path, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
	unlink(path);
	ASSERT_FOLLOWS("");
	write_text(path, SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
}

static void
test_target_of_an_absolute_link_changes(void **state)
{
	(void)state;
	make_dir(at("run"));
	write_text(at("run/stub"), SERVER_1);
	assert_int_equal(symlink(at("run/stub"), followed), 0);
	follow();
	assert_true(servers_are(SERVER_1));
	change_target(at("run/stub"));
}

static void
test_target_of_a_relative_link_changes(void **state)
{
	(void)state;
	make_dir(at("run"));
	make_dir(at("run/resolve"));
	write_text(at("run/resolve/stub"), SERVER_1);
	assert_int_equal(symlink("../host/.//./run//resolve/./../resolve/stub", followed),
	    0);
	follow();
	assert_true(servers_are(SERVER_1));
	change_target(at("run/resolve/stub"));
}

static void
test_chain_of_links_changes_anywhere(void **state)
{
	(void)state;
	for (const char *name = "abcd"; *name; name++)
		make_dir(at((const char[]){ *name, '\0' }));
	write_text(at("d/file"), SERVER_1);
	write_text(at("d/other"), SERVER_2);
	assert_int_equal(symlink("../d/file", at("c/link")), 0);
	assert_int_equal(symlink(at("c/link"), at("b/link")), 0);
	assert_int_equal(symlink("../b/link", at("a/link")), 0);
	assert_int_equal(symlink("a/link", followed), 0);
	follow();
	assert_true(servers_are(SERVER_1));
	replace_link(at("b/link"), "../d/other");
	ASSERT_FOLLOWS(SERVER_2);
	replace_link(at("b/link"), at("c/link"));
	ASSERT_FOLLOWS(SERVER_1);
	replace_link(at("c/link"), "../d/other");
	ASSERT_FOLLOWS(SERVER_2);
	replace_link(at("c/link"), "../d/file");
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_equal(unlink(at("a/link")), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(symlink("../b/link", at("a/link")), 0);
	ASSERT_FOLLOWS(SERVER_1);
	change_target(at("d/file"));
}

static void
test_link_to_a_directory_pointed_elsewhere(void **state)
{
	(void)state;
	make_dir(at("net-1"));
	make_dir(at("net-2"));
	write_text(at("net-1/file"), SERVER_1);
	write_text(at("net-2/file"), SERVER_2);
	assert_int_equal(symlink("net-1", at("current")), 0);
	assert_int_equal(symlink("current/file", followed), 0);
	follow();
	assert_true(servers_are(SERVER_1));
	replace_link(at("current"), "net-2/.");
	ASSERT_FOLLOWS(SERVER_2);
	change_target(at("net-2/file"));
}

static void
test_target_directory_appears_later(void **state)
{
	(void)state;
	assert_int_equal(symlink("run/systemd/resolve/stub", followed), 0);
	follow();
	assert_true(servers_are(""));
	assert_int_equal(n_lines, 1);
	assert_true(becomes_calm());
	make_dir(at("run"));
	assert_true(becomes_calm());
	make_dir(at("run/systemd"));
	/* Without a pause: changes during inotify_add_watch(2) must not be missed. */
	make_dir(at("run/systemd/resolve"));
	write_text(at("run/systemd/resolve/stub"), SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
	remove_tree(at("run"));
	ASSERT_FOLLOWS("");
	make_dir(at("run"));
	make_dir(at("run/systemd"));
	make_dir(at("run/systemd/resolve"));
	assert_true(becomes_calm());
	replace_text(at("run/systemd/resolve/stub"), SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	assert_int_equal(n_lines, 4);
}

static void
test_directory_on_the_way_is_a_file_at_first(void **state)
{
	(void)state;
	assert_int_equal(symlink("run/stub", followed), 0);
	write_text(at("run"), "");
	follow();
	assert_true(servers_are(""));
	assert_true(becomes_calm());
	assert_int_equal(n_lines, 1);
	unlink(at("run"));
	make_dir(at("run"));
	assert_true(becomes_calm());
	replace_text(at("run/stub"), SERVER_1);
	ASSERT_FOLLOWS(SERVER_1);
}

/* Counts inotify(7)'s watches. */
static int
count_watches(void)
{
	char path[64];
	char line[256];
	FILE *info;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", resolv.inotify_fd);
	info = fopen(path, "re");
	assert_non_null(info);
	while (fgets(line, sizeof(line), info))
		n += strncmp(line, "inotify ", 8) == 0;
	fclose(info);
	return n;
}

static void
test_watches_do_not_pile_up(void **state)
{
	int n;

	(void)state;
	make_dir(at("one"));
	make_dir(at("two"));
	write_text(at("one/file"), SERVER_1);
	write_text(at("two/file"), SERVER_2);
	assert_int_equal(symlink("one/file", followed), 0);
	follow();
	n = count_watches();
	assert_true(n > 0);
	for (int i = 0; i < 3; i++) {
		replace_link(followed, "two/file");
		ASSERT_FOLLOWS(SERVER_2);
		assert_int_equal(count_watches(), n);
		replace_text(at("two/file"), SERVER_3);
		ASSERT_FOLLOWS(SERVER_3);
		assert_int_equal(count_watches(), n);
		replace_text(at("two/file"), SERVER_2);
		replace_link(followed, "one/file");
		ASSERT_FOLLOWS(SERVER_1);
		assert_int_equal(count_watches(), n);
	}
}

static void
test_directories_renamed(void **state)
{
	char moved[64];

	(void)state;
	make_dir(at("run"));
	make_dir(at("run/a"));
	make_dir(at("run/a/b"));
	write_text(at("run/a/b/file"), SERVER_1);
	make_dir(at("run/c"));
	make_dir(at("run/c/b"));
	write_text(at("run/c/b/file"), SERVER_2);
	assert_int_equal(symlink("run/a/b/file", followed), 0);
	follow();
	assert_true(servers_are(SERVER_1));
	/* The parent directory of the file's directory. */
	assert_int_equal(rename(at("run/a"), at("run/away")), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(rename(at("run/c"), at("run/a")), 0);
	ASSERT_FOLLOWS(SERVER_2);
	/* The file that was moved away with it is no longer followed. */
	write_text(at("run/away/b/file"), SERVER_3);
	assert_true(becomes_calm());
	assert_true(servers_are(SERVER_2));
	/* And the whole followed tree. */
	snprintf(moved, sizeof(moved), "%s/moved", base);
	assert_int_equal(rename(host, moved), 0);
	ASSERT_FOLLOWS("");
	assert_int_equal(rename(moved, host), 0);
	ASSERT_FOLLOWS(SERVER_2);
	change_target(at("run/a/b/file"));
}

static void
test_loop_of_links_and_out_of_it(void **state)
{
	(void)state;
	write_text(at("file"), SERVER_1);
	assert_int_equal(symlink("loop", followed), 0);
	assert_int_equal(symlink("resolv.conf", at("loop")), 0);
	follow();
	assert_true(servers_are(""));
	assert_true(becomes_calm());
	assert_int_equal(n_lines, 1);
	replace_link(at("loop"), "file");
	ASSERT_FOLLOWS(SERVER_1);
}

static void
test_way_that_is_too_long_to_watch(void **state)
{
	char target[PATH_MAX] = "";
	size_t len = 0;

	(void)state;
	for (int i = 0; i < PARENT_RESOLV_WATCHES_MAX; i++)
		len += (size_t)snprintf(target + len, sizeof(target) - len, "../host/");
	snprintf(target + len, sizeof(target) - len, "file");
	assert_int_equal(symlink(target, followed), 0);
	write_text(at("file"), SERVER_1);
	follow();
	assert_true(servers_are(SERVER_1));
	assert_true(resolv.is_blind);
	assert_int_equal(n_lines, 1);
	write_text(at("file"), SERVER_2);
	assert_true(servers_become(SERVER_2));
	replace_link(followed, "file");
	ASSERT_FOLLOWS(SERVER_2);
	assert_int_equal(n_lines, 1);
}

static void
test_burst_is_copied_once(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(becomes_calm());
	for (int i = 0; i < 100; i++) {
		write_text(followed, SERVER_2);
		replace_text(followed, SERVER_1);
	}
	write_text(followed, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
	assert_int_equal(n_changes, 1);
}

static void
test_constant_changes_are_copied_but_not_each(void **state)
{
	uint64_t end_ms;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	end_ms = loop_now_ms() + 1000;
	for (int i = 0; loop_now_ms() < end_ms; i++) {
		char text[64];

		snprintf(text, sizeof(text), "nameserver 192.0.2.%d\n", i);
		write_text(followed, text);
		serve(loop_now_ms());
		skipped_ms++;
	}
	/* At most every 100 ms, and at least every second. */
	assert_in_range(n_changes, 1, 11);
	write_text(followed, SERVER_3);
	ASSERT_FOLLOWS(SERVER_3);
}

/* In its own process: writes the file, and renames it back and forth. */
static _Noreturn void
change_for_ever(const char *other)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		autofd int fd = open(followed, O_WRONLY | O_CLOEXEC);

		if (fd == -1 || write(fd, "#", 1) != 1 || rename(followed, other) == -1 ||
		    rename(other, followed) == -1)
			_exit(1);
	}
}

static void
test_constant_changes_do_not_keep_the_loop_busy(void **state)
{
	uint64_t end_ms;
	int wait_status;
	pid_t writer;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(becomes_calm());
	writer = fork();
	assert_int_not_equal(writer, -1);
	if (writer == 0)
		change_for_ever(at("other"));
	others_write = true;
	n_wakes = 0;
	end_ms = loop_now_ms() + 1000;
	while (loop_now_ms() < end_ms)
		serve(end_ms);
	others_write = false;
	kill(writer, SIGKILL);
	assert_int_equal(waitpid(writer, &wait_status, 0), writer);
	/* The process ran to the end. */
	assert_true(WIFSIGNALED(wait_status));
	/* An event and the check after it, ten times a second. */
	assert_in_range(n_wakes, 2, 25);
}

static void
test_same_content_is_no_change(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	follow();
	replace_text(followed, SERVER_1);
	assert_true(becomes_calm());
	assert_int_equal(n_changes, 0);
}

/* A change without an event, such as a mount over the file, is noticed in the end. */
static void
test_checked_from_time_to_time_without_event(void **state)
{
	uint64_t now_ms, due_ms;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(becomes_calm());
	write_text(followed, SERVER_2);
	now_ms = loop_now_ms();
	due_ms = parent_resolv_due_ms(&resolv);
	assert_in_range(due_ms - now_ms, NOTHING_DUE_MS, 10000);
	parent_resolv_handle(&resolv, false, due_ms - 1);
	assert_true(servers_are(SERVER_1));
	parent_resolv_handle(&resolv, false, due_ms);
	assert_true(servers_are(SERVER_2));
}

/* The first name server of IPv4 in dotted decimal, or "". */
static const char *
server4(void)
{
	static char text[INET6_ADDRSTRLEN];

	return resolv.nameservers.n > 0
	    ? inaddr_format(&resolv.nameservers.servers[0].addr, text)
	    : "";
}

static void
test_worker_is_told_of_other_servers_once(void **state)
{
	(void)state;
	write_text(followed, SERVER_1);
	parent_resolv_look_ahead(&resolv, followed);
	assert_string_equal(server4(), "192.0.2.1");
	follow();
	/* The start of the worker has told them. */
	assert_int_equal(n_tellings, 0);
	write_text(followed, SERVER_2);
	ASSERT_FOLLOWS(SERVER_2);
	assert_string_equal(server4(), "192.0.2.2");
	assert_int_equal(n_tellings, 1);
	/* A comment changes nothing; a second server and an option do. */
	write_text(followed, "# comment\n" SERVER_2);
	write_text(followed, SERVER_2 SERVER_1);
	ASSERT_FOLLOWS(SERVER_2 SERVER_1);
	assert_int_equal(n_tellings, 2);
	write_text(followed, SERVER_2 SERVER_1 "options rotate\n");
	ASSERT_FOLLOWS(SERVER_2 SERVER_1 "options rotate\n");
	assert_int_equal(n_tellings, 3);
	unlink(followed);
	ASSERT_FOLLOWS("");
	assert_string_equal(server4(), "");
	assert_int_equal(n_tellings, 4);
}

/* The worker's queue is full: the loop must come back soon. */
static void
test_worker_that_cannot_be_told_is_told_later(void **state)
{
	uint64_t now_ms = loop_now_ms();

	(void)state;
	write_text(followed, SERVER_1);
	parent_resolv_begin(&resolv, followed, now_ms);
	for (int i = 0; i < 3; i++) {
		assert_false(resolv.is_told);
		assert_in_range(parent_resolv_due_ms(&resolv) - now_ms, 100, 1000);
		now_ms = parent_resolv_due_ms(&resolv);
		parent_resolv_handle(&resolv, false, now_ms);
	}
}

/* The interface may come later, or go and come again with another index. */
static void
test_server_behind_an_interface_is_looked_up_again_soon(void **state)
{
	uint64_t now_ms = loop_now_ms();

	(void)state;
	write_text(followed, "nameserver fe80::1%no-such-if\n");
	parent_resolv_look_ahead(&resolv, followed);
	parent_resolv_begin(&resolv, followed, now_ms);
	assert_true(resolv.is_told);
	assert_in_range(parent_resolv_due_ms(&resolv) - now_ms, 100, 1000);
}

static void
test_coming_and_going_does_not_fill_the_log(void **state)
{
	uint64_t now_ms = loop_now_ms();

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	for (int i = 0; i < 50; i++) {
		if (i % 2)
			write_text(followed, SERVER_1);
		else
			unlink(followed);
		parent_resolv_handle(&resolv, true, now_ms);
		now_ms = parent_resolv_due_ms(&resolv);
		parent_resolv_handle(&resolv, false, now_ms);
	}
	assert_in_range(n_lines, 5, 10);
	unlink(followed);
	parent_resolv_handle(&resolv, true, now_ms);
	now_ms += 60000;
	/* The last state is logged. */
	parent_resolv_handle(&resolv, false, now_ms);
	assert_non_null(strstr(last_line, "No such file"));
}

/* The parent's own lack of descriptors does not change the servers. */
static void
test_no_descriptor_left(void **state)
{
	struct rlimit before;
	struct rlimit none;
	uint64_t now_ms;

	(void)state;
	write_text(followed, SERVER_1);
	follow();
	assert_true(becomes_calm());
	write_text(followed, SERVER_2);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	now_ms = loop_now_ms();
	parent_resolv_handle(&resolv, true, now_ms);
	now_ms = parent_resolv_due_ms(&resolv);
	parent_resolv_handle(&resolv, false, now_ms);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_in_range(parent_resolv_due_ms(&resolv) - now_ms, 100, 1000);
	assert_true(servers_are(SERVER_1));
	assert_int_equal(n_lines, 1);
	ASSERT_FOLLOWS(SERVER_2);
	assert_int_equal(n_lines, 2);
}

static void
test_no_descriptor_left_at_the_start(void **state)
{
	struct rlimit before;
	struct rlimit none;

	(void)state;
	write_text(followed, SERVER_1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ .rlim_cur = 0, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	parent_resolv_begin(&resolv, followed, loop_now_ms());
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(parent_resolv_fd(&resolv), -1);
	/* Neither watches nor content, and each is logged. */
	assert_int_equal(n_lines, 2);
	ASSERT_FOLLOWS(SERVER_1);
	assert_int_not_equal(parent_resolv_fd(&resolv), -1);
}

static bool
write_sysctl(const char *path, const char *value)
{
	autofd int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd != -1 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);
}

/* Runs in its own process; the exit status is the number of the failed step. */
static int
follow_without_inotify(const char *limit, const char *reason)
{
	if (unshare(CLONE_NEWUSER) == -1 || !write_sysctl(limit, "0")) {
		perror(limit);
		return 2;
	}
	parent_resolv_begin(&resolv, followed, loop_now_ms());
	if (!servers_are(SERVER_1) || !resolv.is_blind || n_lines != 1)
		return 3;
	write_text(followed, SERVER_2);
	if (!servers_become(SERVER_2))
		return 4;
	replace_text(followed, SERVER_3);
	if (!servers_become(SERVER_3))
		return 5;
	n_wakes = 0;
	write_text(followed, SERVER_1);
	if (!servers_become(SERVER_1) || n_wakes > 4)
		return 6;
	if (n_lines != 1 || !strstr(last_line, reason))
		return 7;
	/* By events again, as soon as the limit allows. */
	if (!write_sysctl(limit, "100"))
		return 8;
	write_text(followed, SERVER_2);
	if (!servers_become(SERVER_2) || !becomes_calm() || n_lines != 1)
		return 9;
	return 0;
}

/* The kernel counts inotify's objects for each user and user namespace, and the limits of
 * a namespace belong to its creator: user_namespaces(7), /proc/sys/user. */
static void
with_limit(const char *limit, const char *reason)
{
	int wait_status;
	pid_t child;

	write_text(followed, SERVER_1);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0)
		_exit(follow_without_inotify(limit, reason));
	assert_int_equal(waitpid(child, &wait_status, 0), child);
	assert_true(WIFEXITED(wait_status));
	assert_int_equal(WEXITSTATUS(wait_status), 0);
}

static void
test_no_inotify_instance(void **state)
{
	(void)state;
	with_limit("/proc/sys/user/max_inotify_instances",
	    "by inotify: Too many open files");
}

static void
test_no_inotify_watch(void **state)
{
	(void)state;
	with_limit("/proc/sys/user/max_inotify_watches",
	    "by inotify: limit of sysctl fs.inotify.max_user_watches reached");
}

/* Root may read and watch everything, so the tests cannot fail as for others. Without
 * capabilities it is an ordinary owner. */
static int
become_ordinary(void)
{
	struct __user_cap_header_struct header = { .version =
						       _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return (int)syscall(SYS_capset, &header, none);
}

static int
make_base(void)
{
	char jail[64];

	if (!mkdtemp(base))
		return -1;
	snprintf(jail, sizeof(jail), "%s/jail", base);
	return mkdir(jail, 0755);
}

static int
remove_base(void **state)
{
	(void)state;
	remove_tree(base);
	return 0;
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_read_takes_the_servers),
		TEST(test_read_takes_the_first_whole_lines_that_fit),
		TEST(test_read_refuses_what_is_no_file),
		TEST(test_follow_nothing),
		TEST(test_begin_reads_the_servers),
		TEST(test_end_closes_what_was_made),
		TEST(test_begin_again),
		TEST(test_rewritten_in_place),
		TEST(test_rewritten_with_the_same_size_and_time),
		TEST(test_rewritten_by_another_name),
		TEST(test_replaced_by_rename),
		TEST(test_emptied),
		TEST(test_deleted_and_back),
		TEST(test_made_unreadable_and_readable_again),
		TEST(test_directory_made_unreadable_and_readable_again),
		TEST(test_replaced_by_a_directory_and_back),
		TEST(test_server_behind_much_else_is_found),
		TEST(test_link_pointed_elsewhere),
		TEST(test_target_of_an_absolute_link_changes),
		TEST(test_target_of_a_relative_link_changes),
		TEST(test_chain_of_links_changes_anywhere),
		TEST(test_link_to_a_directory_pointed_elsewhere),
		TEST(test_target_directory_appears_later),
		TEST(test_directory_on_the_way_is_a_file_at_first),
		TEST(test_watches_do_not_pile_up),
		TEST(test_directories_renamed),
		TEST(test_loop_of_links_and_out_of_it),
		TEST(test_way_that_is_too_long_to_watch),
		TEST(test_burst_is_copied_once),
		TEST(test_constant_changes_are_copied_but_not_each),
		TEST(test_constant_changes_do_not_keep_the_loop_busy),
		TEST(test_same_content_is_no_change),
		TEST(test_checked_from_time_to_time_without_event),
		TEST(test_worker_is_told_of_other_servers_once),
		TEST(test_worker_that_cannot_be_told_is_told_later),
		TEST(test_server_behind_an_interface_is_looked_up_again_soon),
		TEST(test_coming_and_going_does_not_fill_the_log),
		TEST(test_no_descriptor_left),
		TEST(test_no_descriptor_left_at_the_start),
		TEST(test_no_inotify_instance),
		TEST(test_no_inotify_watch),
	};

	/* Not in the group's setup, because cmocka does not count its failure. */
	if (become_ordinary() == -1 || make_base() == -1) {
		perror("prepare the tests");
		return EXIT_FAILURE;
	}
	return cmocka_run_group_tests(tests, NULL, remove_base);
}
