/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The root of a jail: an empty, read-only tmpfs.
 *
 * Theory of operation. The tmpfs is mounted over "/". pivot_root(".", ".") then stacks the
 * old root on top of it (pivot_root(2)), and umount2(".") detaches the topmost, with
 * everything below it.
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
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The progress, for the error text and the clean-up. */
struct progress {
	const char *step;
	bool is_mounted; /* the tmpfs, over the old root */
	bool is_chroot;  /* the old root is still there, below */
};

/* Keeps errno. */
static void
undo_mount(void)
{
	int saved_errno = errno;

	/* "/" is still the old root; umount2() detaches the mount on top of it. */
	(void)!chdir("/");
	umount2("/", MNT_DETACH);
	errno = saved_errno;
}

/* "/.." reaches the mount on top of "/". "/" is the directory that is the process's root.
 * Going up from there ends at the same directory, but follows the mount
 * (path_resolution(7)). */
static int
enter_top(void)
{
	return chdir("/..");
}

/* Mounts the tmpfs over "/", and enters it. Any uid can list it: a process of real root
 * changes its uid later. */
static int
mount_empty(struct progress *progress)
{
	progress->step = "mount tmpfs";
	if (mount("slirpd", "/", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"mode=755") == -1)
		return -1;
	progress->is_mounted = true;
	progress->step = "enter tmpfs";
	return enter_top();
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
		progress->is_mounted = false;
		progress->is_chroot = true;
		return chdir("/");
	}
	/* From here on nothing can be undone. umount2() does not fail: our mount is not
	 * locked, and the lock of the old root has moved to the new one. */
	progress->is_mounted = false;
	progress->step = "detach old root";
	return umount2(".", MNT_DETACH) == -1 ? -1 : chdir("/");
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
replace(struct progress *progress)
{
	progress->step = "look for mounts over /";
	if (check_stack() == -1)
		return -1;
	/* Real root's new mount namespace propagates mounts to the one that it was copied
	 * from: our mounts would appear there too. */
	progress->step = "make mounts private";
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	return mount_empty(progress) == -1 ? -1 : pivot(progress);
}

int
confine_root_replace(const char **step, bool *is_chroot)
{
	struct progress progress = { .step = NULL };

	if (replace(&progress) == 0) {
		if (is_chroot)
			*is_chroot = progress.is_chroot;
		return 0;
	}
	if (progress.is_mounted)
		undo_mount();
	if (step)
		*step = progress.step;
	return -1;
}
