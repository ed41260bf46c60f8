/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --create-netns: a new network namespace that a file stands for, by a bind mount as
 * ip-netns(8) makes it. The mount is in the caller's mount namespace, so making it needs
 * CAP_SYS_ADMIN there.
 */
#pragma once

#include <stdbool.h>

/*
 * Makes a network namespace and pins it on path (borrowed): an empty file, or none, which
 * is made. Fatal, naming the path and the step; then nothing is left of it.
 *
 * When the process exits, in whatever way but by a signal, the namespace is unmounted, if
 * it is still what path leads to, and a file that was made is removed. To be called once.
 */
void parent_pin_make(const char *path);

/* Whether netns_fd (borrowed) is the namespace that parent_pin_make() has made. */
bool parent_pin_made(int netns_fd);
