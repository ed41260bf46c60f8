/* SPDX-License-Identifier: BSD-2-Clause */
/* An overlay by fsopen(2) and fsmount(2). glibc has these calls since 2.36 only, and its
 * <sys/mount.h> and <linux/mount.h> can't be included together before. */
#include "parent/run/overlay.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

static int
set_string(int fs_fd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_STRING, key, value, 0);
}

int
overlay_make(const char *lower, const char *upper, const char *work)
{
	autofd int fs_fd = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);

	if (fs_fd == -1 || set_string(fs_fd, "source", "slirpd") == -1 ||
	    set_string(fs_fd, "lowerdir", lower) == -1 ||
	    set_string(fs_fd, "upperdir", upper) == -1 ||
	    set_string(fs_fd, "workdir", work) == -1 ||
	    /* Attributes that a user namespace may set. */
	    syscall(SYS_fsconfig, fs_fd, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) == -1 ||
	    syscall(SYS_fsconfig, fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == -1)
		return -1;
	return (int)syscall(SYS_fsmount, fs_fd, FSMOUNT_CLOEXEC, 0);
}

int
overlay_attach(int overlay_fd, const char *path)
{
	return (int)syscall(SYS_move_mount, overlay_fd, "", AT_FDCWD, path,
	    MOVE_MOUNT_F_EMPTY_PATH);
}
