/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process's view of files: an empty read-only root. Any role, in a mount namespace of
 * its own (confine_ns_own) and with CAP_SYS_ADMIN over it, before its capabilities go and
 * before Landlock, under which mount(2) gives EPERM.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Most that all files of the root can hold: 16 pages where a page is 64 KiB, and many
 * times the longest resolv.conf. Who holds a writable_fd can use no more memory than
 * this. */
#define CONFINE_ROOT_SIZE_BYTES (1024 * 1024)

/* Most files and directories, with the root itself. */
#define CONFINE_ROOT_N_INODES 32

/* A path in the new root, with its NUL. */
#define CONFINE_ROOT_PATH_SIZE 128

/* A regular file of the new root. Everything is borrowed. */
struct confine_file {
	const char *path; /* absolute, no part begins with a dot */
	const void *content;
	size_t content_len;
	mode_t mode;      /* permission bits; the umask does not count */
	int *writable_fd; /* NULL, or where a descriptor goes that can still write */
};

/*
 * Replaces the root of the mount namespace by a tmpfs that holds `files`, the directories
 * on the way to them (mode 0755), and nothing else; read-only, nosuid, nodev, noexec. The
 * current directory is then "/". The old root and all that was mounted below it is
 * detached, and can't be reached by a path any more; descriptors that were opened before
 * still reach it, so the stage that closes them is needed too. Nothing of the old tree is
 * used but "/" itself, so it does not matter what directories exist, or whether the
 * current one can still be reached.
 *
 * The initramfs cannot be detached. If it is the root, the new root is mounted over it
 * and is a chroot(2): it holds for a process without CAP_SYS_CHROOT and CAP_SYS_ADMIN.
 * *is_chroot (unless is_chroot is NULL) says on success which of the two it is.
 *
 * A file's writable_fd (O_RDWR, close-on-exec, owned by the caller) writes to the very
 * file that the process sees, although its own view is read-only: it was opened through
 * another mount of the same tmpfs, which is gone from the tree. Whoever holds it can
 * change that file's content and mode, so a role hands it over and closes it.
 *
 * 0, or -1 with errno set and *step (unless step is NULL) set to a static text, what was
 * tried; then no writable_fd is open, all are -1, and the old root is there as before,
 * with the current directory "/" and its propagation private. EINVAL where the root is
 * that of a chroot(2) (make mounts private); EBUSY where something is mounted over "/"
 * that the process, having the directory below for its root, doesn't see.
 */
int confine_root_replace(const struct confine_file *files, size_t n_files,
    const char **step, bool *is_chroot);
