/* SPDX-License-Identifier: BSD-2-Clause */
/* The empty read-only root: what is there, what is not, and what can't be done to it. */
#include "mechanisms.h"

#include <fcntl.h>
#include <ftw.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/mountns.h"
#include "confine/namespaces.h"

static const char first_content[] = "nameserver 192.0.2.53\n";
static const char second_content[] = "nameserver 198.51.100.53\nsearch example.org\n";

#define RESOLV_CONF "/etc/resolv.conf"

static struct confine_file
resolv_conf(int *writable_fd)
{
	return (struct confine_file){
		.path = RESOLV_CONF,
		.content = first_content,
		.content_len = sizeof(first_content) - 1,
		.mode = 0444,
		.writable_fd = writable_fd,
	};
}

static void
replace_root(int *writable_fd)
{
	const struct confine_file file = resolv_conf(writable_fd);
	const char *step = "";

	if (confine_root_replace(&file, 1, &step, NULL) == -1)
		check_failed(__FILE__, __LINE__, step);
}

static void
check_content(const char *expected)
{
	char text[256] = "";
	FILE *file = fopen(RESOLV_CONF, "re");
	struct stat st;

	CHECK(file != NULL);
	CHECK(fread(text, 1, sizeof(text) - 1, file) == strlen(expected));
	CHECK(strcmp(text, expected) == 0);
	fclose(file);
	CHECK(stat(RESOLV_CONF, &st) == 0);
	CHECK((size_t)st.st_size == strlen(expected));
}

static char listing[256];

static int
list_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)where;
	snprintf(listing + strlen(listing), sizeof(listing) - strlen(listing),
	    "%s %o %d;", path, st->st_mode, type);
	return 0;
}

IN_CHILD(test_root_holds_the_file_alone)
{
	struct statvfs fs;
	struct statfs type;

	umask(077);
	enter_own(CLONE_NEWNS);
	replace_root(NULL);
	CHECK(nftw("/", list_one, 4, FTW_PHYS) == 0);
	errno = 0;
	if (strcmp(listing, "/ 40755 1;/etc 40755 1;/etc/resolv.conf 100444 0;") != 0)
		check_failed(__FILE__, __LINE__, listing);
	check_content(first_content);
	CHECK(statfs("/", &type) == 0 && type.f_type == TMPFS_MAGIC);
	CHECK(statvfs("/", &fs) == 0);
	CHECK((fs.f_flag & ST_RDONLY) && (fs.f_flag & ST_NOSUID));
	CHECK((fs.f_flag & ST_NODEV) && (fs.f_flag & ST_NOEXEC));
	CHECK(fs.f_blocks * fs.f_frsize == CONFINE_ROOT_SIZE_BYTES);
	CHECK(fs.f_files <= CONFINE_ROOT_N_INODES);
}

IN_CHILD(test_root_can_be_empty)
{
	enter_own(CLONE_NEWNS);
	CHECK(confine_root_replace(NULL, 0, NULL, NULL) == 0);
	CHECK(nftw("/", list_one, 4, FTW_PHYS) == 0);
	CHECK(strcmp(listing, "/ 40755 1;") == 0);
}

/* Tries everything that changes a file system, on paths below the current directory.
 * Returns how many worked; each that fails must fail with `error`. */
static int
try_to_write(int error)
{
	int n_worked = 0;

	/* Each opens, or returns 0. */
#define TRY(call) \
	do { \
		errno = 0; \
		if ((call) >= 0) \
			n_worked++; \
		else \
			CHECK(errno == error); \
	} while (0)
	TRY(open("new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	TRY(open("etc/resolv.conf", O_WRONLY | O_CLOEXEC));
	TRY(open("etc/resolv.conf", O_RDWR | O_TRUNC | O_CLOEXEC));
	TRY(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	TRY(truncate("etc/resolv.conf", 1));
	TRY(chmod("etc/resolv.conf", 0644));
	TRY(chmod(".", 0777));
	TRY(utimensat(AT_FDCWD, "etc/resolv.conf", NULL, 0));
	TRY(link("etc/resolv.conf", "hardlink"));
	TRY(symlink("etc", "symlink"));
	TRY(mkdir("directory", 0700));
	TRY(mknod("fifo", S_IFIFO | 0600, 0));
	TRY(rename("etc/resolv.conf", "etc/other"));
	TRY(setxattr("etc", "trusted.test", "x", 1, 0));
	TRY(unlink("etc/other"));
	TRY(rmdir("etc"));
#undef TRY
	return n_worked;
}

#define N_WRITES 16

IN_CHILD(test_attempts_to_write_work_elsewhere)
{
	int n_expected = N_WRITES;
	int fd;

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/", "tmpfs", 0, NULL) == 0);
	CHECK(chdir("/..") == 0 && mkdir("etc", 0755) == 0);
	fd = open("etc/resolv.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	/* trusted.* is for real root; for others the kernel says so before it looks at the
	 * mount, which is why this one also is no proof below. */
	if (setxattr("etc", "trusted.test", "x", 1, 0) == -1)
		n_expected--;
	CHECK(try_to_write(EPERM) == n_expected);
}

IN_CHILD(test_root_cannot_be_written)
{
	enter_own(CLONE_NEWNS);
	replace_root(NULL);
	/* Still with all capabilities over the mount: not they are what it takes. */
	CHECK(try_to_write(EROFS) == 0);
	check_content(first_content);
}

IN_CHILD(test_root_cannot_be_made_writable_without_capabilities)
{
	enter_own(CLONE_NEWNS);
	replace_root(NULL);
	/* The control: with them it can be, so they have to go. */
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL) == 0);
	CHECK(mkdir("/made", 0700) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	CHECK(confine_caps_drop() == 0);
	CHECK_FAILS(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL), EPERM);
	CHECK_FAILS(mount("test", "/etc", "tmpfs", 0, NULL), EPERM);
	CHECK_FAILS(umount2("/", MNT_DETACH), EPERM);
	CHECK_FAILS(mkdir("/more", 0700), EROFS);
}

/* --- the old root ------------------------------------------------------------------- */

static void
count_fds(int *n_fds)
{
	*n_fds = 0;
	for (int fd = 0; fd < 1024; fd++)
		*n_fds += fcntl(fd, F_GETFD) != -1;
}

/* Where "/.." and its like could lead: whether marker, an absolute path of the old root,
 * can be found from there. */
static void
check_unreachable(const char *marker)
{
	char path[512];

	CHECK_FAILS(access(marker, F_OK), ENOENT);
	CHECK_FAILS(access("/proc/self/root", F_OK), ENOENT);
	CHECK_FAILS(access("/proc/self/cwd", F_OK), ENOENT);
	CHECK_FAILS(access("/proc", F_OK), ENOENT);
	snprintf(path, sizeof(path), "../../../../../../../../..%s", marker);
	CHECK_FAILS(access(path, F_OK), ENOENT);
	snprintf(path, sizeof(path), "/../../..%s", marker);
	CHECK_FAILS(access(path, F_OK), ENOENT);
	snprintf(path, sizeof(path), "/etc/../..%s", marker);
	CHECK_FAILS(access(path, F_OK), ENOENT);
	for (int i = 0; i < 8; i++)
		CHECK(chdir("..") == 0);
	CHECK_FAILS(access(marker + 1, F_OK), ENOENT);
	CHECK(getcwd(path, sizeof(path)) != NULL && strcmp(path, "/") == 0);
}

IN_CHILD(test_old_root_is_unreachable)
{
	char marker[256], path[512];
	int n_before, n_after;
	ssize_t n = readlink("/proc/self/exe", marker, sizeof(marker) - 1);
	int proc_fd, root_fd;

	CHECK(n > 0);
	marker[n] = '\0';
	proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(proc_fd != -1 && root_fd != -1 && access(marker, F_OK) == 0);
	enter_own(CLONE_NEWNS);
	count_fds(&n_before);
	replace_root(NULL);
	count_fds(&n_after);
	CHECK(n_after == n_before);
	check_unreachable(marker);
	/* A descriptor of /proc from before: its links lead to the new root too. */
	snprintf(path, sizeof(path), "self/root%s", marker);
	CHECK_FAILS(faccessat(proc_fd, path, F_OK, 0), ENOENT);
	snprintf(path, sizeof(path), "self/cwd%s", marker);
	CHECK_FAILS(faccessat(proc_fd, path, F_OK, 0), ENOENT);
	CHECK(faccessat(proc_fd, "self/root/etc/resolv.conf", F_OK, 0) == 0);
	/* Also without the capabilities. */
	CHECK(confine_caps_drop() == 0);
	check_unreachable(marker);
	/* The control: a descriptor from before still leads there, so all must be closed. */
	CHECK(faccessat(root_fd, marker + 1, F_OK, 0) == 0);
}

IN_CHILD(test_mounts_end_with_the_old_root)
{
	FILE *mounts;
	char line[512];
	int n_lines = 0;
	int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	enter_own(CLONE_NEWNS);
	replace_root(NULL);
	CHECK(proc_fd != -1);
	mounts = fdopen(openat(proc_fd, "self/mountinfo", O_RDONLY | O_CLOEXEC), "r");
	CHECK(mounts != NULL);
	while (fgets(line, sizeof(line), mounts)) {
		n_lines++;
		CHECK(strstr(line, " / / ro,") != NULL);
	}
	CHECK(n_lines == 1);
}

/* --- independent of what is there --------------------------------------------------- */

IN_CHILD(test_old_root_without_any_directory)
{
	enter_own(CLONE_NEWNS);
	CHECK(confine_root_replace(NULL, 0, NULL, NULL) == 0);
	/* From an empty read-only root without /tmp, /proc, anything. */
	replace_root(NULL);
	check_content(first_content);
}

IN_CHILD(test_current_directory_is_unreachable)
{
	char dir[] = "/tmp/slirpd-test-XXXXXX";
	char cwd[16];

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(mkdtemp(dir) != NULL && chdir(dir) == 0);
	CHECK(chmod(dir, 0) == 0 && chmod("/tmp", 0) == 0);
	CHECK(umount2("/tmp", MNT_DETACH) == 0);
	CHECK(getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/'); /* "(unreachable)..." */
	replace_root(NULL);
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/") == 0);
	check_content(first_content);
}

static void
read_mounts(char *text, size_t size)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	size_t n;

	CHECK(file != NULL);
	n = fread(text, 1, size - 1, file);
	CHECK(n > 0 && n < size - 1);
	text[n] = '\0';
	fclose(file);
}

static void
replace_in_grandchild(void)
{
	/* No new user namespace: then the kernel leaves the new mounts as peers. */
	CHECK(confine_ns_own(CLONE_NEWNS, NULL, NULL) == 0);
	replace_root(NULL);
	CHECK(access("/proc", F_OK) == -1);
}

static void
mount_in_grandchild(void)
{
	CHECK(confine_ns_own(CLONE_NEWNS, NULL, NULL) == 0);
	CHECK(mount("test", "/proc", "tmpfs", 0, NULL) == 0);
}

IN_CHILD(test_namespace_it_came_from_does_not_notice)
{
	static char before[65536], after[65536];

	enter_own(CLONE_NEWNS);
	CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
	read_mounts(before, sizeof(before));
	CHECK(run_in_child(replace_in_grandchild) == 0);
	read_mounts(after, sizeof(after));
	CHECK(strcmp(before, after) == 0);
	/* The control: what is mounted there without care shows up here. */
	CHECK(run_in_child(mount_in_grandchild) == 0);
	CHECK(access("/proc/self", F_OK) == -1);
}

/* --- the descriptor that still writes ----------------------------------------------- */

/* The process in the jail: hands over its descriptor, then looks when it is told to. */
static void
be_jailed(int socket_fd)
{
	int writable_fd = -1;
	struct stat before, after;
	char byte;

	enter_own(CLONE_NEWNS);
	replace_root(&writable_fd);
	CHECK(writable_fd != -1);
	CHECK(fcntl(writable_fd, F_GETFD) == FD_CLOEXEC);
	CHECK(stat(RESOLV_CONF, &before) == 0);
	send_fd(socket_fd, writable_fd);
	close(writable_fd);
	CHECK(confine_caps_drop() == 0);
	check_content(first_content);
	CHECK(write(socket_fd, "1", 1) == 1);
	CHECK(read(socket_fd, &byte, 1) == 1);
	check_content(second_content);
	CHECK(stat(RESOLV_CONF, &after) == 0);
	CHECK(before.st_ino == after.st_ino);
	CHECK(before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec);
	/* Mode 0444 and no CAP_DAC_OVERRIDE: refused even before the mount is looked at. */
	CHECK_FAILS(open(RESOLV_CONF, O_WRONLY | O_CLOEXEC), EACCES);
	CHECK(write(socket_fd, "2", 1) == 1);
	CHECK(read(socket_fd, &byte, 1) == 1);
	check_content("");
	CHECK(write(socket_fd, "3", 1) == 1);
}

IN_CHILD(test_writable_fd_changes_what_the_jail_sees)
{
	static char much[2 * CONFINE_ROOT_SIZE_BYTES];
	const size_t len = sizeof(second_content) - 1;
	struct stat before, after;
	int ends[2], status, fd;
	char byte;
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		be_jailed(ends[1]);
		_exit(0);
	}
	close(ends[1]);
	fd = receive_fd(ends[0]);
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(fstat(fd, &before) == 0);
	CHECK(ftruncate(fd, 0) == 0);
	do { /* the kernel's clock for files moves in steps of some milliseconds */
		CHECK(pwrite(fd, second_content, len, 0) == (ssize_t)len);
		CHECK(fstat(fd, &after) == 0);
	} while (memcmp(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim)) == 0);
	CHECK(fsync(fd) == 0);
	CHECK(write(ends[0], "a", 1) == 1);
	CHECK(read(ends[0], &byte, 1) == 1);
	/* Bounded by the size of the file system, also for who holds the descriptor. */
	CHECK(pwrite(fd, much, sizeof(much), 0) < (ssize_t)sizeof(much));
	CHECK_FAILS(pwrite(fd, much, 1, CONFINE_ROOT_SIZE_BYTES), ENOSPC);
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(write(ends[0], "b", 1) == 1);
	CHECK(read(ends[0], &byte, 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	/* The jail is gone; the descriptor still is a file. */
	CHECK(pwrite(fd, "x", 1, 0) == 1);
}

IN_CHILD(test_writable_fd_leads_nowhere)
{
	int fd = -1;

	enter_own(CLONE_NEWNS);
	replace_root(&fd);
	CHECK_FAILS(openat(fd, "..", O_PATH | O_CLOEXEC), ENOTDIR);
	CHECK_FAILS(fchdir(fd), ENOTDIR);
	CHECK(pwrite(fd, second_content, sizeof(second_content) - 1, 0) > 0);
	check_content(second_content);
	/* With it open the process's own view is no more writable than before. */
	CHECK_FAILS(open(RESOLV_CONF, O_WRONLY | O_CLOEXEC), EROFS);
	CHECK_FAILS(mkdir("/made", 0700), EROFS);
}

/* The kernel's rule that the second mount is there for. */
IN_CHILD(test_writer_keeps_its_mount_writable)
{
	int fd;

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/", "tmpfs", 0, NULL) == 0 && chdir("/..") == 0);
	fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(fd != -1);
	CHECK_FAILS(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL),
	    EBUSY);
	CHECK_FAILS(mount(NULL, ".", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
	close(fd);
	CHECK(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
}

/* --- failure ------------------------------------------------------------------------ */

/* Lines of the table of mounts; making them private does not change their number. */
static int
count_mounts(void)
{
	static char text[65536];
	int n_lines = 0;

	read_mounts(text, sizeof(text));
	for (const char *c = text; *c; c++)
		n_lines += *c == '\n';
	return n_lines;
}

static void
check_refused(const struct confine_file *files, size_t n_files, int error,
    const char *expected_step)
{
	const char *step = NULL;
	int n_mounts = count_mounts();

	CHECK_FAILS(confine_root_replace(files, n_files, &step, NULL), error);
	errno = 0;
	if (!step || strcmp(step, expected_step) != 0)
		check_failed(__FILE__, __LINE__, step ? step : "no step");
	CHECK(count_mounts() == n_mounts);
	CHECK(access("/proc/self/exe", F_OK) == 0);
	for (size_t i = 0; i < n_files; i++)
		CHECK(!files[i].writable_fd || *files[i].writable_fd == -1);
}

IN_CHILD(test_failure_leaves_the_old_root)
{
	static const char *const bad_paths[] = { "", "/", "etc/x", "/etc/", "/etc//x",
		"/etc/../x", "/./x", "/..", RESOLV_CONF };
	static char much[CONFINE_ROOT_SIZE_BYTES + 1];
	int fds[2] = { -1, -1 };
	int n_before, n_after;

	enter_own(CLONE_NEWNS);
	count_fds(&n_before);
	for (size_t i = 0; i < sizeof(bad_paths) / sizeof(bad_paths[0]); i++) {
		const struct confine_file files[] = {
			resolv_conf(&fds[0]),
			{ .path = bad_paths[i], .mode = 0400, .writable_fd = &fds[1] },
		};
		check_refused(files, 2,
		    strcmp(bad_paths[i], RESOLV_CONF) == 0 ? EEXIST : EINVAL,
		    "make files");
	}
	const struct confine_file too_big = { .path = "/big",
		.content = much,
		.content_len = sizeof(much),
		.writable_fd = &fds[0] };
	check_refused(&too_big, 1, ENOSPC, "make files");
	count_fds(&n_after);
	CHECK(n_before == n_after);
	/* And it works after all that. */
	replace_root(NULL);
	check_content(first_content);
}

IN_CHILD(test_no_capability_is_refused)
{
	const struct confine_file file = resolv_conf(NULL);

	enter_own(CLONE_NEWNS);
	CHECK(confine_caps_drop() == 0);
	check_refused(&file, 1, EPERM, "make mounts private");
}

/* Over "/", while the process keeps what is below for its root. */
IN_CHILD(test_hidden_mount_over_the_root_is_refused)
{
	const struct confine_file file = resolv_conf(NULL);

	enter_own(CLONE_NEWNS);
	CHECK(mount("/", "/", NULL, MS_BIND | MS_REC, NULL) == 0);
	check_refused(&file, 1, EBUSY, "look for mounts over /");
	CHECK(umount2("/", MNT_DETACH) == 0);
	CHECK(mount("test", "/", "tmpfs", 0, NULL) == 0);
	check_refused(&file, 1, EBUSY, "look for mounts over /");
	CHECK(umount2("/", MNT_DETACH) == 0);
	replace_root(NULL);
	check_content(first_content);
}

IN_CHILD(test_chroot_is_refused)
{
	const struct confine_file file = resolv_conf(NULL);
	const char *step = NULL;

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/tmp/root", 0755) == 0 && mkdir("/tmp/root/here", 0755) == 0);
	CHECK(chroot("/tmp/root") == 0);
	CHECK_FAILS(confine_root_replace(&file, 1, &step, NULL), EINVAL);
	CHECK(access("/here", F_OK) == 0);
	/* A chroot into a mount is not noticed before pivot_root, but is then. */
	CHECK(mkdir("/mount", 0755) == 0);
	CHECK(mount("test", "/mount", "tmpfs", 0, NULL) == 0);
	CHECK(chroot("/mount") == 0 && mkdir("/here", 0755) == 0);
	if (confine_root_replace(&file, 1, &step, NULL) == 0)
		check_content(first_content);
	else
		CHECK(access("/here", F_OK) == 0);
}

int
run_mountns_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_holds_the_file_alone),
		cmocka_unit_test(test_root_can_be_empty),
		cmocka_unit_test(test_attempts_to_write_work_elsewhere),
		cmocka_unit_test(test_root_cannot_be_written),
		cmocka_unit_test(test_root_cannot_be_made_writable_without_capabilities),
		cmocka_unit_test(test_old_root_is_unreachable),
		cmocka_unit_test(test_mounts_end_with_the_old_root),
		cmocka_unit_test(test_old_root_without_any_directory),
		cmocka_unit_test(test_current_directory_is_unreachable),
		cmocka_unit_test(test_namespace_it_came_from_does_not_notice),
		cmocka_unit_test(test_writable_fd_changes_what_the_jail_sees),
		cmocka_unit_test(test_writable_fd_leads_nowhere),
		cmocka_unit_test(test_writer_keeps_its_mount_writable),
		cmocka_unit_test(test_failure_leaves_the_old_root),
		cmocka_unit_test(test_no_capability_is_refused),
		cmocka_unit_test(test_hidden_mount_over_the_root_is_refused),
		cmocka_unit_test(test_chroot_is_refused),
	};

	return cmocka_run_group_tests_name("mountns", tests, NULL, NULL);
}
