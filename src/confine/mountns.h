/* SPDX-License-Identifier: BSD-2-Clause */
/* An empty, read-only root. A role calls this in a mount namespace of its own
 * (confine_ns_own) with CAP_SYS_ADMIN over it: before it drops its capabilities, and
 * before Landlock, under which mount(2) fails with EPERM. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The most bytes in all files of the root: 16 pages if a page has 64 KiB, and many times
 * the longest resolv.conf. It bounds the memory that the holder of a writable_fd can
 * use. */
#define CONFINE_ROOT_SIZE_BYTES (1024 * 1024)

/* The most files and directories, with the root itself. */
#define CONFINE_ROOT_N_INODES 32

/* A path in the new root, with its NUL. */
#define CONFINE_ROOT_PATH_SIZE 128

/* A regular file of the new root. Everything is borrowed. */
struct confine_file {
	const char *path; /* absolute, no part begins with a dot */
	const void *content;
	size_t content_len;
	mode_t mode;      /* permission bits; the umask does not count */
	int *writable_fd; /* NULL, or receives a writable descriptor */
};

/*
 * Replaces the root of the mount namespace by a tmpfs with `files`, their directories
 * (mode 0755) and nothing else. It is read-only, nosuid, nodev and noexec. The current
 * directory is then "/". The old root and all mounts below it are detached, and no path
 * reaches them. Descriptors that were opened before still do, so a role must close them.
 * From the old tree only "/" is used: it does not matter which directories exist.
 *
 * The initramfs cannot be detached. If it is the root, the new root is mounted over it
 * and is a chroot(2), which holds a process without CAP_SYS_CHROOT and CAP_SYS_ADMIN. On
 * success *is_chroot (unless is_chroot is NULL) tells which of the two the root is.
 *
 * A writable_fd (O_RDWR, close-on-exec, owned by the caller) writes to the file although
 * the process sees the file read-only: it was opened through another mount of the tmpfs,
 * which no path reaches. Its holder can change the content and the mode of the file, so a
 * role hands it over and closes it.
 *
 * Returns 0, or -1 with errno set and *step (unless step is NULL) naming the failed step,
 * a static text. After -1 every writable_fd is -1. The old root is there as before, with
 * the current directory "/" and private propagation. EINVAL if the root is a chroot(2)
 * (make mounts private). EBUSY if a mount covers "/" and the process does not see it,
 * because its root is the directory below.
 */
int confine_root_replace(const struct confine_file *files, size_t n_files,
    const char **step, bool *is_chroot);
