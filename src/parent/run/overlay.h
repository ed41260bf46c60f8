/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An overlay (mount(8), Linux 5.11 in a user namespace) that is not mounted anywhere yet. It needs
 * the calls of fsopen(2): by mount(2) its lower directory could not be the place where it is mounted
 * while another mount, which has its upper directory, is on top of that place.
 */
#pragma once

/* Makes the overlay. lower is a path, as are upper and work, which are empty of each other and in
 * one mount. Returns a descriptor of the mount, owned by the caller, or -1 with errno set. */
int overlay_make(const char *lower, const char *upper, const char *work);

/* Mounts it on `path`. Returns 0, or -1 with errno set. */
int overlay_attach(int overlay_fd, const char *path);
