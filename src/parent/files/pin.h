/* SPDX-License-Identifier: BSD-2-Clause */
/* --create-netns: a new network namespace, pinned on a file by a bind mount, as
 * ip-netns(8) does. The mount is in the caller's mount namespace and needs CAP_SYS_ADMIN
 * there. */
#pragma once

#include <stdbool.h>

/*
 * Makes a network namespace and pins it on path (borrowed): an empty file, or a new one.
 * Fatal on failure, naming the path and the step; nothing is left then.
 *
 * The exit of the process, except by a signal, undoes this. It unmounts the namespace if
 * path still leads to it, and removes the file if this function has made it. Call it
 * once.
 */
void parent_pin_make(const char *path);

/* Whether netns_fd (borrowed) is the namespace that parent_pin_make() has made. */
bool parent_pin_made(int netns_fd);
