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
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "confine/caps.h"
#include "confine/mountns.h"
#include "confine/namespaces.h"

static void
replace_root(void)
{
	const char *step = "";

	if (confine_root_replace(&step, NULL) == -1)
		check_failed(__FILE__, __LINE__, step);
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

IN_CHILD(test_root_is_empty)
{
	struct statvfs fs;
	struct statfs type;

	umask(077);
	enter_own(CLONE_NEWNS);
	replace_root();
	CHECK(nftw("/", list_one, 4, FTW_PHYS) == 0);
	errno = 0;
	if (strcmp(listing, "/ 40755 1;") != 0)
		check_failed(__FILE__, __LINE__, listing);
	CHECK(statfs("/", &type) == 0 && type.f_type == TMPFS_MAGIC);
	CHECK(statvfs("/", &fs) == 0);
	CHECK((fs.f_flag & ST_RDONLY) && (fs.f_flag & ST_NOSUID));
	CHECK((fs.f_flag & ST_NODEV) && (fs.f_flag & ST_NOEXEC));
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
	TRY(open(".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	TRY(chmod(".", 0777));
	TRY(utimensat(AT_FDCWD, ".", NULL, 0));
	TRY(symlink("etc", "symlink"));
	TRY(mkdir("directory", 0700));
	TRY(mknod("fifo", S_IFIFO | 0600, 0));
	TRY(setxattr(".", "trusted.test", "x", 1, 0));
#undef TRY
	return n_worked;
}

#define N_WRITES 8

IN_CHILD(test_attempts_to_write_work_elsewhere)
{
	int n_expected = N_WRITES;

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/", "tmpfs", 0, NULL) == 0);
	CHECK(chdir("/..") == 0);
	/* trusted.* is for real root; for others the kernel says so before it looks at the
	 * mount, which is why this one also is no proof below. */
	if (setxattr(".", "trusted.test", "x", 1, 0) == -1)
		n_expected--;
	CHECK(try_to_write(EPERM) == n_expected);
}

IN_CHILD(test_root_cannot_be_written)
{
	enter_own(CLONE_NEWNS);
	replace_root();
	/* Still with all capabilities over the mount: not they are what it takes. */
	CHECK(try_to_write(EROFS) == 0);
}

IN_CHILD(test_root_cannot_be_made_writable_without_capabilities)
{
	enter_own(CLONE_NEWNS);
	replace_root();
	/* The control: with them it can be, so they have to go. */
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT, NULL) == 0);
	CHECK(mkdir("/made", 0700) == 0);
	CHECK(mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
	CHECK(confine_caps_drop() == 0);
	CHECK_FAILS(mount(NULL, "/", NULL, MS_REMOUNT, NULL), EPERM);
	CHECK_FAILS(mount("test", "/made", "tmpfs", 0, NULL), EPERM);
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
	snprintf(path, sizeof(path), "/./../..%s", marker);
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
	replace_root();
	count_fds(&n_after);
	CHECK(n_after == n_before);
	check_unreachable(marker);
	/* A descriptor of /proc from before: its links lead to the new root too. */
	snprintf(path, sizeof(path), "self/root%s", marker);
	CHECK_FAILS(faccessat(proc_fd, path, F_OK, 0), ENOENT);
	snprintf(path, sizeof(path), "self/cwd%s", marker);
	CHECK_FAILS(faccessat(proc_fd, path, F_OK, 0), ENOENT);
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
	replace_root();
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
	replace_root();
	/* From an empty read-only root without /tmp, /proc, anything. */
	replace_root();
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
	replace_root();
	CHECK(getcwd(cwd, sizeof(cwd)) != NULL && strcmp(cwd, "/") == 0);
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
	replace_root();
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
check_refused(int error, const char *expected_step)
{
	const char *step = NULL;
	int n_mounts = count_mounts();
	int n_before, n_after;

	count_fds(&n_before);
	CHECK_FAILS(confine_root_replace(&step, NULL), error);
	errno = 0;
	if (!step || strcmp(step, expected_step) != 0)
		check_failed(__FILE__, __LINE__, step ? step : "no step");
	CHECK(count_mounts() == n_mounts);
	CHECK(access("/proc/self/exe", F_OK) == 0);
	count_fds(&n_after);
	CHECK(n_before == n_after);
}

IN_CHILD(test_no_capability_is_refused)
{
	enter_own(CLONE_NEWNS);
	CHECK(confine_caps_drop() == 0);
	check_refused(EPERM, "make mounts private");
}

/* Over "/", while the process keeps what is below for its root. */
IN_CHILD(test_hidden_mount_over_the_root_is_refused)
{
	enter_own(CLONE_NEWNS);
	CHECK(mount("/", "/", NULL, MS_BIND | MS_REC, NULL) == 0);
	check_refused(EBUSY, "look for mounts over /");
	CHECK(umount2("/", MNT_DETACH) == 0);
	CHECK(mount("test", "/", "tmpfs", 0, NULL) == 0);
	check_refused(EBUSY, "look for mounts over /");
	CHECK(umount2("/", MNT_DETACH) == 0);
	/* And it works after all that. */
	replace_root();
}

IN_CHILD(test_chroot_is_refused)
{
	const char *step = NULL;

	enter_own(CLONE_NEWNS);
	CHECK(mount("test", "/tmp", "tmpfs", 0, NULL) == 0);
	CHECK(mkdir("/tmp/root", 0755) == 0 && mkdir("/tmp/root/here", 0755) == 0);
	CHECK(chroot("/tmp/root") == 0);
	CHECK_FAILS(confine_root_replace(&step, NULL), EINVAL);
	CHECK(access("/here", F_OK) == 0);
	/* A chroot into a mount is not noticed before pivot_root, but is then. */
	CHECK(mkdir("/mount", 0755) == 0);
	CHECK(mount("test", "/mount", "tmpfs", 0, NULL) == 0);
	CHECK(chroot("/mount") == 0 && mkdir("/here", 0755) == 0);
	if (confine_root_replace(&step, NULL) == -1)
		CHECK(access("/here", F_OK) == 0);
	else
		CHECK_FAILS(access("/here", F_OK), ENOENT);
}

int
run_mountns_tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root_is_empty),
		cmocka_unit_test(test_attempts_to_write_work_elsewhere),
		cmocka_unit_test(test_root_cannot_be_written),
		cmocka_unit_test(test_root_cannot_be_made_writable_without_capabilities),
		cmocka_unit_test(test_old_root_is_unreachable),
		cmocka_unit_test(test_mounts_end_with_the_old_root),
		cmocka_unit_test(test_old_root_without_any_directory),
		cmocka_unit_test(test_current_directory_is_unreachable),
		cmocka_unit_test(test_namespace_it_came_from_does_not_notice),
		cmocka_unit_test(test_no_capability_is_refused),
		cmocka_unit_test(test_hidden_mount_over_the_root_is_refused),
		cmocka_unit_test(test_chroot_is_refused),
	};

	return cmocka_run_group_tests_name("mountns", tests, NULL, NULL);
}
