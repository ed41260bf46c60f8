/* SPDX-License-Identifier: BSD-2-Clause */
/* An empty, read-only root. A role calls this in a mount namespace of its own
 * (confine_ns_own) with CAP_SYS_ADMIN over it: before it drops its capabilities, and
 * before Landlock, under which mount(2) fails with EPERM. */
#pragma once

#include <stdbool.h>

/*
 * Replaces the root of the mount namespace by an empty tmpfs of mode 0755. It is read-only,
 * nosuid, nodev and noexec. The current directory is then "/". The old root and all mounts
 * below it are detached, and no path reaches them. Descriptors that were opened before still
 * do, so a role must close them. From the old tree only "/" is used: it does not matter which
 * directories exist.
 *
 * The initramfs cannot be detached. If it is the root, the new root is mounted over it
 * and is a chroot(2), which holds a process without CAP_SYS_CHROOT and CAP_SYS_ADMIN. On
 * success *is_chroot (unless is_chroot is NULL) tells which of the two the root is.
 *
 * Returns 0, or -1 with errno set and *step (unless step is NULL) naming the failed step,
 * a static text. After -1 the old root is there as before, with the current directory "/" and
 * private propagation. EINVAL if the root is a chroot(2) (make mounts private). EBUSY if a
 * mount covers "/" and the process does not see it, because its root is the directory below.
 */
int confine_root_replace(const char **step, bool *is_chroot);
