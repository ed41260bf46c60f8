/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a user or a group of the machine is, by name or number. Used for --runas alone. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The user, and the group that it has in the machine's file; a number that nobody has
 * there is its own group. Returns false if there is no such user. */
bool parent_user_find(const char *text, uid_t *uid, gid_t *gid);

/* Returns false if there is no such group. */
bool parent_group_find(const char *text, gid_t *gid);
