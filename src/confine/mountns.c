/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root of a jail: an empty, read-only tmpfs with a few files.
 *
 * Theory of operation. A tmpfs is mounted over "/", and the files are made in it. A
 * second, read-only bind mount of the tmpfs goes on top. The first mount cannot become
 * read-only (EBUSY): the kernel counts open writers by mount, and writable_fd is one. A
 * read-only remount of the whole file system, without MS_BIND, fails with EBUSY too. The
 * second mount has no writers.
 *
 * pivot_root(".", ".") then stacks the old root on top of the new one (pivot_root(2)).
 * The writable mount lies on the "/" of the old root, so "/" is a stack of three mounts.
 * umount2(".") detaches the topmost: the first call the writable mount, the second call
 * the old root with everything below it.
 *
 * The initramfs is not mounted on anything, so pivot_root(2) fails with EINVAL. The new
 * root then stays mounted over the initramfs, and chroot(2) makes it the root. Leaving
 * the chroot takes another chroot(2) or a mount, and with them a capability; or a
 * descriptor from before.
 */
#include "confine/mountns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

/* Any uid can list and search the directories: the worker of real root changes its uid
 * later. */
#define DIRECTORY_MODE 0755

/* The progress, for the error text and the clean-up. */
struct progress {
	const char *step;
	int n_mounts;   /* of our own, stacked over the old root */
	bool is_chroot; /* the old root is still there, below */
};

/* Unmounts our mounts. Keeps errno. */
static void
undo_mounts(int n_mounts)
{
	int saved_errno = errno;

	/* "/" is still the old root; umount2() detaches the mount on top of it. */
	(void)!chdir("/");
	while (n_mounts-- > 0)
		umount2("/", MNT_DETACH);
	errno = saved_errno;
}

static void
close_writable(const struct confine_file *files, size_t n_files)
{
	int saved_errno = errno;

	for (size_t i = 0; i < n_files; i++) {
		if (files[i].writable_fd && *files[i].writable_fd >= 0)
			close(take_fd(files[i].writable_fd));
	}
	errno = saved_errno;
}

/* Returns 0 if the header allows the path, which then has a file name; -1 with EINVAL
 * otherwise. */
static int
check_path(const char *path)
{
	size_t len = strlen(path);
	const char *part = path;

	errno = EINVAL;
	if (path[0] != '/' || path[len - 1] == '/' || len >= CONFINE_ROOT_PATH_SIZE)
		return -1;
	while (part) {
		part++;
		/* The part is empty, "." or "..", or hidden, which no file here needs. */
		if (*part == '/' || *part == '.' || *part == '\0')
			return -1;
		part = strchr(part, '/');
	}
	return 0;
}

/* Makes the directories of path, relative to the current directory. */
static int
make_directories(const char *path)
{
	char dir[CONFINE_ROOT_PATH_SIZE];

	snprintf(dir, sizeof(dir), "%s", path + 1);
	for (char *slash = strchr(dir, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(dir, DIRECTORY_MODE) == -1) {
			if (errno != EEXIST)
				return -1;
		} else if (chmod(dir, DIRECTORY_MODE) == -1) {
			return -1;
		}
		*slash = '/';
	}
	return 0;
}

/* Makes the file below the current directory, which is the writable mount. */
static int
make_file(const struct confine_file *file)
{
	autofd int fd = -1;
	const char *bytes = file->content;
	size_t done = 0;

	if (check_path(file->path) == -1 || make_directories(file->path) == -1)
		return -1;
	fd = open(file->path + 1, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd == -1)
		return -1;
	while (done < file->content_len) {
		ssize_t n = write(fd, bytes + done, file->content_len - done);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		done += (size_t)n;
	}
	if (lseek(fd, 0, SEEK_SET) == -1 || fchmod(fd, file->mode & 07777) == -1)
		return -1;
	if (file->writable_fd)
		*file->writable_fd = take_fd(&fd);
	return 0;
}

/* "/.." reaches the mount on top of "/". "/" is the directory that is the process's root.
 * Going up from there ends at the same directory, but follows the mount
 * (path_resolution(7)). */
static int
enter_top(void)
{
	return chdir("/..");
}

/* Mounts the tmpfs over "/", enters it and makes the files. It is still writable. */
static int
mount_files(const struct confine_file *files, size_t n_files, struct progress *progress)
{
	char options[64];

	snprintf(options, sizeof(options), "mode=%o,size=%d,nr_inodes=%d", DIRECTORY_MODE,
	    CONFINE_ROOT_SIZE_BYTES, CONFINE_ROOT_N_INODES);
	progress->step = "mount tmpfs";
	if (mount("slirpd", "/", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) ==
	    -1)
		return -1;
	progress->n_mounts++;
	progress->step = "enter tmpfs";
	if (enter_top() == -1)
		return -1;
	progress->step = "make files";
	for (size_t i = 0; i < n_files; i++) {
		if (make_file(&files[i]) == -1)
			return -1;
	}
	return 0;
}

/* Mounts a read-only view of the tmpfs on top, and enters it. */
static int
mount_view(struct progress *progress)
{
	progress->step = "bind mount";
	if (mount(".", "/", NULL, MS_BIND, NULL) == -1)
		return -1;
	progress->n_mounts++;
	progress->step = "enter bind mount";
	if (enter_top() == -1)
		return -1;
	progress->step = "remount read-only";
	return mount(NULL, ".", NULL,
	    MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
}

/* Makes the current directory, a mount, the root. */
static int
pivot(struct progress *progress)
{
	progress->step = "pivot_root";
	if (syscall(SYS_pivot_root, ".", ".") == -1) {
		/* The root is the initramfs: the steps before exclude other reasons for
		 * EINVAL. */
		if (errno != EINVAL)
			return -1;
		progress->step = "chroot";
		if (chroot(".") == -1)
			return -1;
		progress->n_mounts = 0;
		progress->is_chroot = true;
		return chdir("/");
	}
	/* From here on nothing can be undone. umount2() does not fail: our mount is not
	 * locked, and the lock of the old root has moved to the new one. */
	progress->n_mounts = 0;
	progress->step = "detach old root";
	for (int i = 0; i < 2; i++) {
		if (umount2(".", MNT_DETACH) == -1)
			return -1;
	}
	return chdir("/");
}

/* Sets *same if both paths lead to the same directory in the same mount. */
static int
compare_mounts(const char *path, const char *other_path, bool *same)
{
	struct statx st, other;

	if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_MNT_ID, &st) == -1 ||
	    statx(AT_FDCWD, other_path, 0, STATX_INO | STATX_MNT_ID, &other) == -1)
		return -1;
	/* A kernel before 5.8 leaves stx_mnt_id 0. */
	*same = st.stx_mnt_id == other.stx_mnt_id && st.stx_ino == other.stx_ino &&
	    st.stx_dev_major == other.stx_dev_major &&
	    st.stx_dev_minor == other.stx_dev_minor;
	return 0;
}

/* Fails with EBUSY if another mount covers "/". In our own user namespace that mount
 * would be locked, and stay between us and the old root. */
static int
check_stack(void)
{
	bool nothing_on_top;

	if (compare_mounts("/", "/..", &nothing_on_top) == -1)
		return -1;
	if (nothing_on_top)
		return 0;
	errno = EBUSY;
	return -1;
}

static int
replace(const struct confine_file *files, size_t n_files, struct progress *progress)
{
	progress->step = "look for mounts over /";
	if (check_stack() == -1)
		return -1;
	/* Real root's new mount namespace propagates mounts to the one that it was copied
	 * from: our mounts would appear there too. */
	progress->step = "make mounts private";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	if (mount_files(files, n_files, progress) == -1 || mount_view(progress) == -1)
		return -1;
	return pivot(progress);
}

int
confine_root_replace(const struct confine_file *files, size_t n_files, const char **step,
    bool *is_chroot)
{
	struct progress progress = { .step = NULL };

	for (size_t i = 0; i < n_files; i++) {
		if (files[i].writable_fd)
			*files[i].writable_fd = -1;
	}
	if (replace(files, n_files, &progress) == 0) {
		if (is_chroot)
			*is_chroot = progress.is_chroot;
		return 0;
	}
	undo_mounts(progress.n_mounts);
	close_writable(files, n_files);
	if (step)
		*step = progress.step;
	return -1;
}
